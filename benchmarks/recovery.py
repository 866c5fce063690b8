"""What a daemon does that finds a mountain of unanswered messages: how soon it is ready, how fast it works it off.

The messages are put there by the store's own accept, over 1,000 sessions; the server is the real program; its model is
an instant one, over HTTP. Both mountains are watched to their end: an answer must cost the same wherever on the way
down it stands, and none may be left.
"""

from statistics import median

from benchmarks.daemon import messages_api
from benchmarks.rows import Bar, Row, Scale
from benchmarks.server import Drained, server, workspace
from benchmarks.stored import open_events

READY = Bar(most=2.0)
MEMORY = Bar(within=100)  #: what the conversations at hand may take, and a little
SPEED = Bar(ratio=0.8)
FLAT = Bar(times=1.5)  #: conversations grow on the way down, and each model call sends one
EMPTY = Bar(most=0)
SESSIONS = 1_000
PATIENCE = 900.0  #: seconds for all of them


def run(scale: Scale) -> list[Row]:
    """Start with nothing, with some and with ten times as many."""
    some, many = scale.of(10_000, 40), scale.of(100_000, 80)
    with messages_api() as url:
        nothing, _ = measure(scale, url, 0, 0)
        ready, few = measure(scale, url, some, PATIENCE)
        ready_many, lots = measure(scale, url, many, PATIENCE)
    found, found_many = f"{some:,} open events", f"{many:,} open events"
    start, speed, memory, cost = "ready after", "answered", "peak memory", "CPU an answer"
    return [
        _row(found, start, ready, "s", beside=("nothing open", nothing, READY)),
        _row(found_many, start, ready_many, "s", beside=("nothing open", nothing, READY)),
        _row(found, speed, few.rate, "/s"),
        _row(found_many, speed, lots.rate, "/s", beside=(found, few.rate, SPEED)),
        _row(found, f"{cost}, last fifth", few.cost(0.8, 1) * 1e3, "ms", beside=(*_early(few), FLAT)),
        _row(found_many, f"{cost}, last fifth", lots.cost(0.8, 1) * 1e3, "ms", beside=(*_early(lots), FLAT)),
        _row(found_many, "left at the end", lots.looks[-1].left, "", beside=("none", 0.0, EMPTY)),
        _row(found_many, memory, lots.peak, "MB", beside=(found, few.peak, MEMORY)),
    ]


def _early(drained: Drained) -> tuple[str, float]:
    return "second fifth", drained.cost(0.2, 0.4) * 1e3  # the first holds the imports of the model's client


def measure(scale: Scale, url: str | None, events: int, patience: float) -> tuple[float, Drained]:
    """Return the seconds until a server with so many open events is ready, and how it worked them off."""
    root = workspace(scale.folder / f"recovery-{events}", url)
    open_events(root, events, scale.of(SESSIONS, 20))
    starts: list[float] = []
    for _ in range(scale.of(2, 0)):
        with server(root) as running:
            starts.append(running.ready)
    with server(root) as running:
        drained = running.drain(patience)
    return median([*starts, running.ready]), drained


def _row(case: str, what: str, figure: float, unit: str, *, beside: tuple[str, float, Bar] | None = None) -> Row:
    name, other, bar = beside or ("", None, None)
    return Row(bench="recovery", case=case, what=what, figure=figure, unit=unit, beside=name, other=other, bar=bar)
