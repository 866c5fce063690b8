"""What is spoken in pieces is redacted as it would be in one."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from picklebot.core.redaction import Redactor, SecretFile

SECRETS = st.lists(st.text("ab", min_size=8, max_size=11), min_size=1, max_size=3)


@given(SECRETS, st.data())
def test_pieces_come_out_as_the_whole_would(secrets: list[str], data: st.DataObject) -> None:
    """Of two letters only, so that secrets begin within one another and overlap."""
    redact = Redactor(secrets)
    text = data.draw(st.lists(st.sampled_from([*secrets, "a", "b", "ab", " "]), max_size=9).map("".join))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    speech = redact.stream()
    heard = [speech.feed(piece) for piece in pieces]
    assert "".join(heard) + speech.end() == redact(text)


def test_only_what_may_become_a_secret_is_held_back() -> None:
    speech = Redactor(["sk-canary-0815"]).stream()
    heard = [speech.feed(piece) for piece in ("it is ", "s", "k", "y and sk-can", "ary", "-0815", "!")]
    assert heard == ["it is ", "", "", "sky and ", "", "[redacted]", "!"]
    assert speech.end() == ""


def test_values_within_json_are_seen_too() -> None:
    value = {"a": ["sk-canary-0815", 1, None], "sk-canary-0815": {"b": True}}
    assert Redactor(["sk-canary-0815"]).within(value) == {"a": ["[redacted]", 1, None], "[redacted]": {"b": True}}


def test_a_secret_that_comes_later_or_changes_is_known_from_then_on(tmp_path: Path) -> None:
    file = tmp_path / "token"
    redact = Redactor(["sk-canary-0815"], live=SecretFile(file))
    assert redact("first-token sk-canary-0815") == "first-token [redacted]"
    for token in ("first-token", "second-token"):
        file.write_text(f"{token}\n")
        assert redact(f"it is {token}") == "it is [redacted]"
    file.unlink()
    assert redact("first-token second-token") == "[redacted] [redacted]"
