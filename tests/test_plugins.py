"""Loading by name: what is found, and what is said where nothing is."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from picklebot import plugins
from picklebot.errors import ConfigError

SOURCE = """
from dataclasses import dataclass

@dataclass
class Matrix:
    room: str
    loud: bool = False

def create(*, room: str) -> Matrix:
    return Matrix(room)

def takes_all(**settings: object) -> dict[str, object]:
    return settings

constant = 7
"""


@pytest.fixture
def package(tmp_path: Path) -> Iterator[str]:
    """A package on the path that is gone again afterwards."""
    name = "picklebot_test_package"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "matrix.py").write_text(SOURCE)
    (folder / "needy.py").write_text("import picklebot_test_not_installed\n")
    (folder / "torn.py").write_text("def create(:\n")
    (folder / "wrong.py").write_text("from os import picklebot_test_nothing\n")
    sys.path.insert(0, str(tmp_path))
    yield name
    sys.path.remove(str(tmp_path))
    for loaded in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[loaded]


def test_a_module_is_asked_for_its_create(package: str) -> None:
    assert repr(plugins.load(f"{package}.matrix", room="7")) == "Matrix(room='7', loud=False)"


def test_a_name_after_the_colon_is_called_instead(package: str) -> None:
    assert repr(plugins.load(f"{package}.matrix:Matrix", room="7", loud=True)) == "Matrix(room='7', loud=True)"


def test_a_built_in_goes_by_its_short_name(package: str) -> None:
    built_in = {"matrix": f"{package}.matrix:takes_all"}
    assert plugins.load("matrix", built_in, target="a", built_in="b") == {"target": "a", "built_in": "b"}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("matrx", "there is no module 'matrx'; did you mean 'matrix'?"),
        ("zzz", "there is no module 'zzz'; built in: matrix"),
        ("{package}.matrics", "there is no module '{package}.matrics'"),
        ("{package}.matrix.deeper", "there is no module '{package}.matrix.deeper'"),
        ("{package}.matrix:Matrx", "did you mean '{package}.matrix:Matrix'?"),
        ("{package}.matrix:constant", "has no 'constant' that can be called"),
        ("{package}", "it needs `def create(**settings)`"),
        ("{package}.needy", "needs the module 'picklebot_test_not_installed', which is not installed"),
        ("{package}.torn", "cannot be imported: "),
        ("{package}.wrong", "cannot be imported: "),
        ("", "write pkg.module or pkg.module:name"),
        (".relative", "write pkg.module or pkg.module:name"),
        ("../up.py", "write pkg.module or pkg.module:name"),
        ("{package}.matrix:a.b", "write pkg.module or pkg.module:name"),
    ],
)
def test_a_name_that_leads_nowhere_says_what_to_write(package: str, target: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        plugins.load(target.format(package=package), {"matrix": f"{package}.matrix"})
    assert expected.format(package=package) in str(caught.value)


def test_settings_that_the_maker_does_not_take_are_named(package: str) -> None:
    with pytest.raises(ConfigError, match=r"unexpected keyword argument 'rom'; it takes: room") as caught:
        plugins.load(f"{package}.matrix", room="7", rom="8")
    assert "'8'" not in str(caught.value)
    with pytest.raises(ConfigError, match="missing a required argument: 'room'"):
        plugins.load(f"{package}.matrix")
