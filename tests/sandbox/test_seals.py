"""What was mounted where: looked at from inside, by what stands there and not by what it is called."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from picklebot.sandbox.bubblewrap import find_program
from picklebot.toolhost import seals
from tests.sandbox.racing import PYTHON

LOOK = "import json, runpy, sys; print(json.dumps(runpy.run_path(sys.argv[1])['broken'](sys.argv[2], json.loads(sys.argv[3]))))"


@pytest.mark.parametrize(
    ("mounts", "sealed", "found"),
    [
        (["a:a", "b:b", "twin:twin"], ["a", "b", "twin"], None),
        (["a:a"], ["a", "b"], "b"),
        (["other:a"], ["a"], "a"),
        (["a:a"], ["a", "link"], "link"),
        (["a:a"], ["link"], "link"),
        (["a:a"], ["a", "gone"], "gone"),
        (["a:a"], ["a", "a/../a"], "a/../a"),
        (["b:b"], ["b", "twin"], "twin"),
    ],
    ids=["all", "no mount", "of another", "a link", "a link alone", "gone", "one mount for two", "its twin has one"],
)
def test_only_a_mount_for_each_of_what_was_meant_is_sound(
    tmp_path: Path, mounts: list[str], sealed: list[str], found: str | None
) -> None:
    for name in ("a", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "b").touch()
    os.link(tmp_path / "b", tmp_path / "twin")
    (tmp_path / "link").symlink_to("a")
    given = {}
    for name in sealed:
        status = (tmp_path / name).lstat() if name != "gone" else tmp_path.lstat()
        given[f"{tmp_path}/{name}"] = [status.st_dev, status.st_ino]
    binds = [part for each in mounts for part in ("--ro-bind", *(f"{tmp_path}/{end}" for end in each.split(":")))]
    program = [PYTHON, "-I", "-S", "-c", LOOK, seals.__file__, str(tmp_path), json.dumps(given)]
    done = subprocess.run(
        [str(find_program()), "--bind", "/", "/", "--proc", "/proc", *binds, *program],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert json.loads(done.stdout) == (found and f"{tmp_path}/{found}")
