"""`picklebot init`: a workspace that works, and nothing written over."""

import json
import stat
from pathlib import Path

import pexpect  # type: ignore[import-untyped]  # has no types

from tests.cli.running import PROGRAM, TOP, environment, lines, run, run_json

MADE = {
    ".env",
    ".gitignore",
    "config.yaml",
    "agents/cookie/AGENT.md",
    "agents/pickle/AGENT.md",
    "agents/pickle/SOUL.md",
    "crons/morning-brief/CRON.md",
}


def files(top: Path) -> set[str]:
    return {str(path.relative_to(top)) for path in top.rglob("*") if path.is_file()}


def test_a_fresh_workspace_has_everything_and_no_errors(tmp_path: Path) -> None:
    top = tmp_path / "new" / "place"
    done = run(None, "init", str(top), "--yes")
    assert done.returncode == 0, done.stderr
    assert files(top) >= MADE
    assert (top / "memories").is_dir()
    assert (top / "config.yaml").read_text() == (TOP / "config.yaml").read_text()
    assert stat.S_IMODE((top / ".env").stat().st_mode) == 0o600
    assert ".env" in (top / ".gitignore").read_text().split()
    assert all(name in done.stdout for name in MADE)
    assert f"picklebot -w {top} chat" in done.stdout
    assert run(top, "doctor").returncode == 0
    [cron] = run_json(top, "crons", "list", "--json")["crons"]
    assert (cron["id"], cron["enabled"]) == ("morning-brief", False)


def test_what_is_there_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "agents" / "pickle").mkdir(parents=True)
    own = tmp_path / "agents" / "pickle" / "AGENT.md"
    own.write_text("---\nname: Mine\n---\nHands off.\n")
    (tmp_path / "config.yaml").symlink_to(tmp_path / "nowhere.yaml")
    done = run(tmp_path, "init", "--yes")
    assert done.returncode == 0
    assert own.read_text() == "---\nname: Mine\n---\nHands off.\n"
    assert not (tmp_path / "nowhere.yaml").exists()
    assert "agents/pickle/AGENT.md" not in done.stdout
    assert "agents/cookie/AGENT.md" in done.stdout
    again = run(tmp_path, "init")
    assert again.returncode == 0
    assert "is a workspace already" in again.stdout


def test_a_place_that_cannot_be_made_ends_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("I am in the way")
    done = run(None, "init", str(tmp_path / "file" / "below"), "--yes")
    assert done.returncode == 1
    assert len(lines(done.stderr)) == 1
    assert "cannot be made" in done.stderr


def answered(top: Path, *answers: tuple[str, str]) -> str:
    child = pexpect.spawn(
        PROGRAM[0], [*PROGRAM[1:], "init", str(top)], env=environment(TERM="dumb"), encoding="utf-8", timeout=30
    )
    for question, answer in answers:
        child.expect(question)
        child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    return str(child.before)


def test_the_answers_become_settings_that_hold_and_a_key_that_is_not_shown(tmp_path: Path) -> None:
    top = tmp_path / "asked"
    said = answered(
        top,
        ("Model ", "elsewhere"),
        ("Model ", "other"),
        ("address: ", "ftp://nowhere"),
        ("address: ", "http://127.0.0.1:9/v1/"),
        ("Name of the model", "qwen: big"),
        ("not shown", 'k#y"quoted"'),
        ("Time zone", "Europe/Nowhere"),
        ("Time zone", "Europe/Berlin"),
    )
    assert "quoted" not in said
    assert "MODEL_API_KEY=" in (top / ".env").read_text()
    assert stat.S_IMODE((top / ".env").stat().st_mode) == 0o600
    assert run(top, "config", "check").returncode == 0
    findings = json.loads(run(top, "doctor", "--json").stdout)["findings"]
    [model] = [finding for finding in findings if finding["check"] == "model"]
    assert model["level"] == "ok"
    assert model["message"] == "qwen: big answers (anthropic), at 127.0.0.1:9, with the key in MODEL_API_KEY"
    assert "timezone: Europe/Berlin\n" in (top / "config.yaml").read_text()


def test_with_a_key_of_the_vendor_the_settings_stay_as_the_template_has_them(tmp_path: Path) -> None:
    top = tmp_path / "asked"
    answered(top, ("Model ", ""), ("not shown", "sk-ant-test_1"), ("Time zone", ""))
    assert (top / "config.yaml").read_text() == (TOP / "config.yaml").read_text()
    assert (top / ".env").read_text().endswith("\nANTHROPIC_API_KEY=sk-ant-test_1\n")
