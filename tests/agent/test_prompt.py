"""The layers, and what must not move."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from picklebot.agent.prompt import Layers, fill, opening, spoken, system_prompt
from picklebot.core.source import Source

MORNING = datetime(2030, 1, 1, 8, 30, tzinfo=UTC)


def test_the_layers_stand_in_order_and_empty_ones_are_left_out() -> None:
    layers = Layers(identity="You are P.", soul="Calm.", bootstrap=[("Workspace", "Here."), ("The user", " ")])
    prompt = system_prompt(layers, {})
    assert prompt.index("You are P.") < prompt.index("Calm.") < prompt.index("Here.")
    assert "The user" not in prompt


def test_variables_are_filled_and_unknown_ones_kept() -> None:
    assert fill("{{workspace}} {{ agent }} {{what}} {x}", {"workspace": "/w", "agent": "p"}) == "/w p {{what}} {x}"


def test_the_clock_and_the_channel_are_in_the_user_message_and_not_in_the_system_prompt() -> None:
    message = opening(
        "hello", source=Source("cli", ("ann",)), session_id="s1", at=MORNING, zone=ZoneInfo("Europe/Berlin"), hint="H."
    )
    context, words = (block["text"] for block in message.blocks)
    assert "2030-01-01 09:30 (Tuesday), Europe/Berlin" in context
    assert "cli:ann. H." in context
    assert words == "hello"


def test_what_was_spoken_leaves_the_context_out() -> None:
    message = opening("hello", source=Source("cli"), session_id="s", at=MORNING, zone=UTC, hint="")
    assert spoken(message) == "hello"
