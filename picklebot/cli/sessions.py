"""`picklebot sessions`: which conversations there are, what was said in one, everything that is known of one."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence

from picklebot.agent.prompt import spoken
from picklebot.cli.output import bold, counted, local, many_lines, one_line, print_json, print_table, remark, say
from picklebot.cli.reading import reading, reading_something
from picklebot.clock import zone_named
from picklebot.config import Config
from picklebot.core.messages import Message
from picklebot.core.text import shorten
from picklebot.shapes import compaction_json, session_json, turn_json
from picklebot.store.base import Session
from picklebot.store.reports import TurnReport

EXPORT_VERSION = 1
_WIDE = 140  #: characters of a tool call on its line


def list_sessions(*, config: Config, limit: int, as_json: bool) -> int:
    """List conversations, last used first."""
    with reading(config) as opened:
        found = asyncio.run(opened.sessions.recent(limit=limit)) if opened else []
    if as_json:
        print_json({"sessions": [session_json(session) for session in found]})
    elif not found:
        remark("No conversation yet: `picklebot chat` starts one.")
    else:
        zone = zone_named(config.timezone)
        rows = [
            (s.id, local(s.updated_at, zone), str(s.turns), s.agent_id, str(s.source), shorten(s.title, 60))
            for s in found
        ]
        print_table(("ID", "LAST USED", "TURNS", "AGENT", "SOURCE", "TITLE"), rows)
    return 0


def show_session(*, config: Config, session: str, as_json: bool) -> int:
    """Show what was said."""
    with reading_something(config) as opened:
        found = asyncio.run(opened.sessions.get(session))
        messages = asyncio.run(opened.sessions.transcript(found.id))
        turns = asyncio.run(opened.reports.turns(found.id))
    if as_json:
        print_json({"session": session_json(found), "messages": [message.wire() for message in messages]})
        return 0
    say(
        f"Session {found.id}: {counted(found.turns, 'turn')} of {one_line(str(found.source))} with {found.agent_id}, "
        f"last used {local(found.updated_at, zone_named(config.timezone))}"
    )
    for line in _conversation(found, messages):
        say(line)
    for turn in turns:
        for line in _unanswered(turn):
            say(line)
    return 0


def export_session(*, config: Config, session: str) -> int:
    """Print everything that is known of a session."""
    with reading_something(config) as opened:
        found = asyncio.run(opened.sessions.get(session))
        turns = asyncio.run(opened.reports.turns(found.id))
        messages = asyncio.run(opened.sessions.transcript(found.id))
        compactions = asyncio.run(opened.compactions.of_session(found.id))
    print_json(
        {
            "version": EXPORT_VERSION,
            "session": session_json(found),
            "turns": [turn_json(turn) for turn in turns],
            "messages": [message.wire() for message in messages],
            "compactions": [compaction_json(compaction) for compaction in compactions],
        }
    )
    return 0


def _conversation(session: Session, messages: Sequence[Message]) -> Iterator[str]:
    results = {
        block["tool_use_id"]: block
        for message in messages
        for block in message.blocks
        if block.get("type") == "tool_result"
    }
    for message in messages:
        if text := spoken(message):
            yield ""
            yield f"{bold('you:' if message.role == 'user' else f'{session.agent_id}:')} {many_lines(text)}"
        for call in message.calls():
            given = json.dumps(dict(call.input), ensure_ascii=False)
            yield one_line(f"  [{call.name}] {shorten(given, _WIDE)} -> {_outcome(results.get(call.id))}")


def _outcome(result: Mapping[str, object] | None) -> str:
    if result is None:
        return "no result"
    content = result.get("content")
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    return ("failed: " if result.get("is_error") else "") + (shorten(text, _WIDE) or "nothing")


def _unanswered(turn: TurnReport) -> Iterator[str]:
    """Say what the transcript does not hold: messages that wait, and those that were set aside."""
    words = {"open": "not answered yet", "dead": f"set aside: {turn.error or 'it failed too often'}"}
    if turn.state in words:
        yield ""
        yield f"{bold('you:')} {many_lines(turn.event.content)}"
        yield one_line(f"  ({words[turn.state]})")
