"""The sandbox for a user who is not root: no control groups, and nothing that a capability would open."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import picklebot
from tests.sandbox.racing import PYTHON

SOMEBODY = 1001
# Our packages are not needed, and are perhaps not for this user to read: it has a copy of picklebot alone.
PROGRAM = """
import json, os, subprocess, sys
from pathlib import Path
top, kind = sys.argv[1:]
sys.path.insert(0, top)
from picklebot.sandbox.choosing import choose
choice = choose(kind, memory_mb=256, network=False)
assert choice.launcher is not None, choice.why
root = Path(top, "workspace")
root.mkdir()
Path(top, "outside").write_text("o-0123456789")
command = f"id -u; cat {top}/outside; echo x > {top}/evil; b() {{ b | b & }}; b; sleep 20"
request = {"id": 1, "tool": "bash", "input": {"command": command}, "seconds": 15}
done = subprocess.run(
    choice.launcher.command(root, "workspace"), input=json.dumps(request) + "\\n", capture_output=True, text=True,
    env=dict(choice.launcher.environment("workspace")), timeout=40,
)
print(json.dumps([choice.name, os.geteuid(), done.stdout, Path(top, "evil").exists()]))
"""


@pytest.mark.parametrize("kind", ["bubblewrap", "landlock"])
def test_the_sandbox_holds_for_a_user_who_is_not_root(kind: str) -> None:
    user = {"user": SOMEBODY, "group": SOMEBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    with TemporaryDirectory(prefix="picklebot-other-") as folder:
        package = Path(picklebot.__file__).parent
        shutil.copytree(package, Path(folder, "picklebot"), ignore=shutil.ignore_patterns("__pycache__", "page"))
        if user:
            os.chown(folder, SOMEBODY, SOMEBODY)
        done = subprocess.run(
            [PYTHON, "-S", "-c", PROGRAM, folder, kind],
            capture_output=True,
            text=True,
            timeout=55,
            check=False,
            env={"PATH": "/usr/bin:/bin"},
            **user,  # type: ignore[call-overload]  # as `subprocess` takes it
        )
        assert done.returncode == 0, done.stderr
        name, uid, said, wrote = json.loads(done.stdout)
    assert name.casefold() == kind
    assert uid == (SOMEBODY if user else os.geteuid())
    assert "0123456789" not in said
    assert not wrote
