"""What sessions cost that had a turn once and now say nothing, in memory of the real program."""

from time import sleep

from benchmarks.daemon import messages_api
from benchmarks.rows import Bar, Row, Scale
from benchmarks.server import server, workspace
from benchmarks.stored import open_events

OVER = Bar(within=100)
QUIET = 1.0  #: seconds for the last replies to be acknowledged
PATIENCE = 300.0


def run(scale: Scale) -> list[Row]:
    """Compare a daemon that has done nothing with one that has talked to many."""
    sessions = scale.of(10_000, 40)
    with messages_api() as url:
        empty, idle = (settled(scale, url, count) for count in (0, sessions))
    return [
        Row(
            bench="idle",
            case=f"{sessions:,} sessions, one turn each",
            what="memory",
            figure=idle,
            unit="MB",
            beside="an empty daemon",
            other=empty,
            bar=OVER,
        )
    ]


def settled(scale: Scale, url: str | None, sessions: int) -> float:
    """Return the MB of a server in which so many sessions have had their turn."""
    root = workspace(scale.folder / f"idle-{sessions}", url)
    open_events(root, sessions, max(sessions, 1))
    with server(root) as running:
        answered = running.drain(PATIENCE).answered
        if answered != sessions:
            raise AssertionError(f"{answered} of {sessions} sessions had their turn within {PATIENCE:.0f} s")
        sleep(0 if scale.quick else QUIET)
        return running.resident_mb()
