"""What a daemon does that finds a mountain of unanswered messages: how soon it is ready, how fast it works it off.

The messages are put there by the store's own accept, over 1,000 sessions; the server is the real program; its model is
an instant one, over HTTP. Of the larger mountain only the first part is waited for: the rate is what matters.
"""

from statistics import median

from benchmarks.daemon import messages_api
from benchmarks.rows import Bar, Row, Scale
from benchmarks.server import server, workspace
from benchmarks.stored import open_events

READY = Bar(most=2.0)
MEMORY = Bar(within=50)
SPEED = Bar(ratio=0.8)
SESSIONS = 1_000


def run(scale: Scale) -> list[Row]:
    """Start with nothing, with some and with ten times as many."""
    some, many = scale.of(10_000, 40), scale.of(100_000, 80)
    with messages_api() as url:
        nothing, *_ = measure(scale, url, 0)
        ready, rate, peak = measure(scale, url, some)
        ready_many, rate_many, peak_many = measure(scale, url, many)
    found, found_many = f"{some:,} open events", f"{many:,} open events"
    start, speed, memory = "ready after", "answered", "peak memory"
    return [
        _row(found, start, ready, "s", beside=("nothing open", nothing, READY)),
        _row(found_many, start, ready_many, "s", beside=("nothing open", nothing, READY)),
        _row(found, speed, rate, "/s"),
        _row(found_many, speed, rate_many, "/s", beside=(found, rate, SPEED)),
        _row(found_many, memory, peak_many, "MB", beside=(found, peak, MEMORY)),
    ]


def measure(scale: Scale, url: str | None, events: int) -> tuple[float, float, float]:
    """Return the seconds until a server with so many open events is ready, its answers a second, and its peak MB."""
    root = workspace(scale.folder / f"recovery-{events}", url)
    open_events(root, events, scale.of(SESSIONS, 20))
    starts: list[float] = []
    for _ in range(scale.of(2, 0)):
        with server(root) as running:
            starts.append(running.ready)
    with server(root) as running:
        answered, took, peak = running.drain(scale.of(25, 10))
    return median([*starts, running.ready]), answered / took if answered else 0.0, peak


def _row(case: str, what: str, figure: float, unit: str, *, beside: tuple[str, float, Bar] | None = None) -> Row:
    name, other, bar = beside or ("", None, None)
    return Row(bench="recovery", case=case, what=what, figure=figure, unit=unit, beside=name, other=other, bar=bar)
