"""The small words of an explanation: kinds, times, contents, bindings. Knows no tree and no rows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from picklebot.agent.routing import RoutingTable
from picklebot.core.events import DispatchEvent, DispatchResultEvent, Event, InboundEvent, OutboundEvent
from picklebot.core.messages import ToolResult
from picklebot.core.source import Source
from picklebot.core.text import shorten

WIDE = 90  #: characters of a content
STATES = {"open": "open", "done": "done", "failed": "failed", "dead": "set aside"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the rows do not say: when and where it is asked, who may answer, and whether anybody works on it."""

    now: datetime
    zone: tzinfo
    routing: RoutingTable
    slots: Callable[[str], int | None]
    """Agent id -> how many turns it may take at once; None if it is gone."""
    ceiling: int | None = None
    """How many turns the daemon may take at once, where that is known."""
    runs: bool = True
    """A daemon works on this workspace."""

    def time(self, moment: datetime) -> str:
        """Return a moment on the clock on the wall, with its day if that is not today."""
        local, today = moment.astimezone(self.zone), self.now.astimezone(self.zone)
        return f"{local:%H:%M:%S}" if local.date() == today.date() else f"{local:%Y-%m-%d %H:%M:%S}"

    def day(self, moment: datetime) -> str:
        """Return a moment with its day."""
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M:%S}"


def routed_by(routing: RoutingTable, source: Source, agent_id: str) -> str:
    """Return why `agent_id` answers `source`, by the bindings as they are now."""
    found = routing.binding(source)
    if found is not None and found.agent_id == agent_id:
        return f"by the binding {found.pattern!r}"
    if found is None and routing.default == agent_id:
        return "the default agent"
    return "asked for by name, or by a binding that has changed since"


def kind(event: Event) -> str:
    """Return what an event is."""
    match event:
        case InboundEvent():
            return "message"
        case OutboundEvent(part=0):
            return "reply"
        case OutboundEvent(part=part):
            return f"reply, part {part + 1},"
        case DispatchEvent(agent_id=agent_id):
            return f"task for {agent_id}"
        case DispatchResultEvent():
            return "result"
        case _:
            return type(event).__name__


def quoted(event: Event) -> str:
    """Return what an event says, and its error."""
    error = getattr(event, "error", None)
    words = f'"{shorten(str(getattr(event, "content", "")), WIDE)}"'
    return f"{words} ({shorten(str(error), WIDE)})" if error else words


def outcome(result: ToolResult | None) -> str:
    """Return what came of a call."""
    if result is None:
        return "no result"
    return shorten(result.content, WIDE) if isinstance(result.content, str) else f"{len(result.content)} blocks"


def seconds(span: timedelta) -> str:
    """Return a span of time as a person would say it."""
    total = max(0.0, span.total_seconds())
    if total < 60:
        return f"{total:.3f} s" if total < 1 else f"{total:.1f} s"
    minutes, rest = divmod(round(total), 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min {rest} s"
