"""The documentation cannot lie: its code runs, its commands succeed, its settings parse, its links lead somewhere.

Looks at README.md and docs/*.md. Each page gets a fresh copy of the ready workspace with the offline model, in which
its blocks are run in order: every `python` block, and every `sh` or `console` block that calls picklebot. A block
after a line `<!-- no-test: reason -->` is left alone. Children may reach this machine only. Compares no output.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

import yaml

from checks.markdown import Block, anchors, blocks, links
from checks.tree import TOP, Finding, given_top, report

SECONDS = 60
_SHELLS = {"sh", "bash", "shell", "console"}
_SETTING = r"""\w+=(?:'[^']*'|"[^"]*"|[^\s'"])*[ \t]+"""  # NAME=value before a command
_CALLS_PICKLEBOT = re.compile(rf"(?:^|[|;&(]\s*)(?:{_SETTING})*picklebot(?:\s|$)", re.MULTILINE)
_ELSEWHERE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)
_READY = ("agents", "crons", "skills", "config.yaml", "AGENTS.md", "USER.md")
_CONFINE = "from checks.loopback import confine\nconfine()\n"


def pages(top: Path) -> list[Path]:
    """Return the pages of documentation, relative to `top`."""
    found = [top / "README.md", *sorted((top / "docs").glob("**/*.md"))]
    return [page.relative_to(top) for page in found if page.is_file()]


def commands(block: Block) -> str:
    """Return what a reader would type: in a console block, what stands after `$ ` and its continuations."""
    if block.language != "console":
        return block.text
    typed: list[str] = []
    continued = False
    for line in block.text.splitlines():
        if line.startswith("$ ") or continued:
            typed.append(line.removeprefix("$ ").removeprefix("> "))
            continued = typed[-1].endswith("\\")
    return "".join(f"{line}\n" for line in typed)


def broken_links(top: Path, page: Path) -> Iterator[Finding]:
    """Yield the relative links of a page that lead nowhere."""
    text = (top / page).read_text(encoding="utf-8")
    for line, target in links(text):
        if _ELSEWHERE.match(target):
            continue
        path, _, anchor = unquote(target).partition("#")
        aim = (top / page).parent / path if path else top / page
        if not aim.exists():
            yield Finding(page, line, f"the link {target!r} leads to no file")
        elif anchor and aim.suffix == ".md" and anchor not in anchors(aim.read_text(encoding="utf-8")):
            yield Finding(page, line, f"the link {target!r} leads to no heading or anchor of that page")


def bad_yaml(page: Path, block: Block) -> Iterator[Finding]:
    """Yield what is wrong with a block of YAML."""
    try:
        list(yaml.safe_load_all(block.text))
    except yaml.YAMLError as error:
        yield Finding(page, block.line, f"this is no YAML: {' '.join(str(error).split())}")


def failed_run(page: Path, block: Block, *, place: Path, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Run a block in `place`; yield what went wrong."""
    typed = block.text if block.language == "python" else commands(block)
    if block.language != "python" and not _CALLS_PICKLEBOT.search(typed):
        return
    script = place.parent / "block"
    script.write_text(typed, encoding="utf-8")
    program = [sys.executable] if block.language == "python" else ["sh", "-eu"]
    code, output = run([*program, str(script)], place=place, environment=environment)
    if code:
        ended = f"was still running after {SECONDS} s" if code == -signal.SIGKILL else f"ended with {code}"
        yield Finding(page, block.line, f"this {block.language} block {ended}:\n{output.rstrip()}")


def run(command: Sequence[str], *, place: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Return the exit code and output of `command`; whatever it leaves running is ended."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        child = subprocess.Popen(
            command,
            cwd=place,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        code = child.wait()
        output.seek(0)
        return code, output.read()


def make_place(top: Path, folder: Path) -> tuple[Path, dict[str, str]]:
    """Copy the ready workspace into `folder`; return it and the environment of programs that run there."""
    place, home, python = folder / "workspace", folder / "home", folder / "python"
    for made in (place, home, python):
        made.mkdir()
    for name in _READY:
        source = top / name
        if source.is_dir():
            shutil.copytree(source, place / name)
        elif source.is_file():
            shutil.copy2(source, place / name)
    # Every Python below this one imports it at its start, picklebot and its children included.
    (python / "sitecustomize.py").write_text(_CONFINE, encoding="utf-8")
    environment = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
        "PYTHONPATH": os.pathsep.join([str(python), str(TOP)]),
        "PICKLEBOT_MODEL__PROVIDER": "offline",
        "PICKLEBOT_GATEWAY__PORT": "0",
    }
    return place, environment


def findings_on(top: Path, page: Path) -> list[Finding]:
    """Return everything that is wrong with one page."""
    found = list(broken_links(top, page))
    with tempfile.TemporaryDirectory(prefix="picklebot-docs-") as folder:
        place, environment = make_place(top, Path(folder))
        for block in blocks((top / page).read_text(encoding="utf-8")):
            if block.no_test is not None:
                continue
            if block.language in {"yaml", "yml"}:
                found += bad_yaml(page, block)
            elif block.language in {"python", *_SHELLS}:
                found += failed_run(page, block, place=place, environment=environment)
    return sorted(found, key=lambda finding: finding.line)


def main() -> int:
    """Check every page; return 1 if any of them lies."""
    top = given_top()
    found = [finding for page in pages(top) for finding in findings_on(top, page)]
    return report("the documentation is true", found)


if __name__ == "__main__":
    sys.exit(main())
