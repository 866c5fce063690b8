"""What a log line promises, whatever is logged."""

import base64
import io
import json
import logging
import logging.handlers
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picklebot import logs
from picklebot.core.redaction import REDACTED

SECRET = "s3cr3t/+k€y?42"
Start = Callable[..., io.StringIO]
logger = logging.getLogger("picklebot.workers.delivery")


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a way to start logging into memory; it is undone afterwards, levels included."""
    names = ("", *logs.NOISY)
    before = {name: logging.getLogger(name).level for name in names}

    def _start(level: str = "info", style: str = "text", **more: object) -> io.StringIO:
        stream = io.StringIO()
        logs.setup(level, style, stream=stream, **more)  # type: ignore[arg-type]  # words of the test's table
        return stream

    yield _start
    logs.close()
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def crash(reason: str) -> None:
    raise RuntimeError(reason)


def test_a_text_line_has_time_level_name_message_and_ids(start: Start) -> None:
    out = start()
    logger.info("delivered to %s", "telegram:42:42", extra={"event": "e1", "session": "s1", "turn": 3, "other": "x"})
    pattern = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} INFO    delivery delivered to telegram:42:42 event=e1 session=s1 turn=3\n"
    assert re.fullmatch(pattern, out.getvalue())


def test_a_json_line_has_the_same_by_name(start: Start) -> None:
    out = start(style="json")
    try:
        crash("no network")
    except RuntimeError:
        logger.exception("later — perhaps", extra={"event": "e1"})
    entry = json.loads(out.getvalue())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry.pop("time"))
    assert entry.pop("exception").endswith("RuntimeError: no network")
    assert entry == {
        "level": "error",
        "logger": "picklebot.workers.delivery",
        "message": "later — perhaps",
        "event": "e1",
    }


def test_less_than_the_level_is_left_out_and_so_is_the_chatter_of_libraries(start: Start) -> None:
    out = start(level="debug")
    logger.debug("kept")
    for name in logs.NOISY:
        logging.getLogger(name).info("chatter")
        logging.getLogger(f"{name}.inner").debug("chatter")
    logging.getLogger("anthropic").warning("worth knowing")
    assert [line.split()[-1] for line in out.getvalue().splitlines()] == ["kept", "knowing"]
    out = start(level="error")
    logging.getLogger("anthropic").warning("not now")
    assert out.getvalue() == ""


def _spellings(secret: str) -> list[str]:
    raw = secret.encode()
    padded = [base64.b64encode(b"user:"[:n] + raw + b" and more").decode() for n in range(4)]
    safe = [base64.urlsafe_b64encode(b"user:"[:n] + raw).decode() for n in range(4)]
    quoted = [quote(secret), quote(secret, safe=""), quote(secret, safe="").lower()]
    return [secret, raw.hex(), raw.hex().upper(), json.dumps(secret), repr(secret), *padded, *safe, *quoted]


@pytest.mark.parametrize("style", ["text", "json"])
@pytest.mark.parametrize("spelling", _spellings(SECRET))
def test_a_secret_is_shown_nowhere_and_in_no_spelling(start: Start, style: str, spelling: str) -> None:
    out = start(style=style, secrets=["short", SECRET])
    logger.warning("before %s after", spelling, extra={"event": spelling}, stack_info=True)
    logger.warning(f"{{'key': {spelling!r}}}")  # noqa: G004  # what is formatted early must be clean too
    logger.warning("%(key)s", {"key": spelling})
    try:
        crash(f"refused: {spelling}")
    except RuntimeError:
        logger.exception("failed")
    # Of an encoded text the letters that hold the secret's neighbours may stay; none of its middle may.
    middle = spelling[len(spelling) // 3 : len(spelling) * 2 // 3]
    text = out.getvalue()
    assert text.count(REDACTED) == 5
    assert middle not in text
    assert spelling not in text


def test_a_short_secret_does_not_redact_ordinary_words(start: Start) -> None:
    out = start(secrets=["event", ""])
    logger.info("an event")
    assert out.getvalue().endswith("an event\n")


def test_arguments_that_do_not_fit_are_told_and_not_printed(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    out = start(secrets=[SECRET])
    # Straight to our handler: the one that pytest has installed would raise before it.
    (ours,) = (h for h in logging.getLogger().handlers if isinstance(h, logging.StreamHandler) and h.stream is out)
    for text in ("one %s %s", "count %d", "key %(key)s"):
        ours.handle(logging.LogRecord("n", logging.INFO, "p", 1, text, (SECRET,), None))
    assert [line.partition(" n ")[2] for line in out.getvalue().splitlines()] == [
        "one %s %s [its arguments do not fit: TypeError]",
        "count %d [its arguments do not fit: TypeError]",
        "key %(key)s [its arguments do not fit: TypeError]",
    ]
    assert capsys.readouterr().err == ""


HOSTILE = "a\n2030-01-01 00:00:00.000 ERROR forged\r\x1b[31mred\x00\x9b2J\u202eevil\u2028b\ud800"


def test_no_message_can_forge_a_line_or_colour_a_terminal(start: Start) -> None:
    for style in ("text", "json"):
        out = start(style=style)
        logger.info("got %s", HOSTILE, extra={"session": HOSTILE})
        (line,) = out.getvalue().splitlines()
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2028\ud800-\udfff]", line)
        assert "forged" in line


def test_no_exception_can_forge_a_line(start: Start) -> None:
    out = start()
    try:
        crash(HOSTILE)
    except RuntimeError:
        logger.exception("failed")
    first, *rest = out.getvalue().removesuffix("\n").split("\n")
    assert first.endswith("failed")
    assert all(line.startswith("    | ") for line in rest)
    assert any("forged" in line for line in rest)


@given(st.text(), st.text(), st.sampled_from(["x", "\n", "\x1b", "€", '"', "\u202e"]), st.integers(0, 20_000))
def test_a_record_is_never_longer_than_it_may_be(message: str, session: str, filler: str, times: int) -> None:
    record = logging.LogRecord("n", logging.INFO, "p", 1, message + filler * times, None, None)
    record.session, record.exc_text = session + filler * times, filler * times
    for formatter in (logs.TextFormatter(), logs.JsonFormatter()):
        line = formatter.format(record)
        assert len(line.encode()) <= logs.MAX_RECORD
        assert isinstance(formatter, logs.TextFormatter) or json.loads(line)["level"] == "info"


def test_what_is_cut_is_the_end_of_a_message_and_the_start_of_a_traceback(start: Start) -> None:
    out = start(style="json")
    try:
        crash("y" * 9000 + "the cause")
    except RuntimeError:
        logger.exception("the start%s", "x" * 9000)
    entry = json.loads(out.getvalue())
    assert entry["message"].startswith("the start")
    assert entry["exception"].endswith("the cause")


def test_a_log_file_is_closed_to_others_and_clean_as_well(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "picklebot.log"
    path.touch(mode=0o644)
    start(file=path, secrets=[SECRET])
    logger.info("it is %s", SECRET)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text(encoding="utf-8").endswith(f"it is {REDACTED}\n")


def test_log_files_are_put_aside_when_full_and_only_so_many_kept(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "picklebot.log"
    start(file=path)
    (handler,) = (h for h in logging.getLogger().handlers if isinstance(h, logging.handlers.RotatingFileHandler))
    assert (handler.maxBytes, handler.backupCount) == (5 * 1024 * 1024, 3)
    handler.maxBytes = 100
    for n in range(20):
        logger.info("line %d %s", n, "x" * 60)
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["picklebot.log", *(f"picklebot.log.{n}" for n in (1, 2, 3))]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert "line 19" in path.read_text()


def test_setting_up_again_replaces_what_was_there(start: Start) -> None:
    before = len(logging.getLogger().handlers)
    first = start()
    second = start(style="json")
    logger.info("once")
    assert first.getvalue() == ""
    assert len(second.getvalue().splitlines()) == 1
    logs.close()
    logs.close()
    assert len(logging.getLogger().handlers) == before
