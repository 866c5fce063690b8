"""`/metrics`: what a Prometheus asks for, as text.

Promises the ledger of one moment, so that accepted = done + failed + dead + open in every answer, and histograms that
count each turn and each delivery once for as long as this process lives. Knows no SQL.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.requests import Request
from starlette.responses import Response

from picklebot.gateway.endpoint import Endpoint
from picklebot.gateway.hub import Hub
from picklebot.store.base import Counts, Spend

LOOK_EVERY = 0.5  #: seconds between two looks at how late the loop is
PAGE = 2000  #: ends looked at in one answer
_TURN = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900)
_DELIVERY = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300, 3600)


class Durations(Protocol):
    """Tells how long things took, in the order in which they began."""

    async def turns(self, after: int, limit: int) -> Sequence[tuple[int, float | None]]:
        """Return (seq, seconds) of turns after `after`; None while one goes on."""
        ...

    async def deliveries(self, after: int, limit: int) -> Sequence[tuple[int, float | None]]:
        """Return (seq, seconds) of replies after `after`, from being written to being delivered or given up."""
        ...


@dataclass(slots=True)
class Tally:
    """Puts each end into a histogram once. What goes on is looked at again, until a whole page lies behind it."""

    histogram: Histogram
    after: int
    counted: set[int] = field(default_factory=set[int])

    async def take(self, read: Callable[[int, int], Awaitable[Sequence[tuple[int, float | None]]]]) -> None:
        """Look at what began since, and at what had not ended."""
        page = await read(self.after, PAGE)
        waiting: list[int] = []
        for seq, seconds in page:
            if seconds is None:
                waiting.append(seq)
            elif seq not in self.counted:
                self.counted.add(seq)
                self.histogram.observe(max(0.0, seconds))
        if page:
            full = len(page) == PAGE
            self.after = page[-1][0] if full or not waiting else waiting[0] - 1
            self.counted = {seq for seq in self.counted if seq > self.after}


class Metrics:
    """Answers `/metrics`. `begun` is the last seq when the daemon began: what was before is not its own."""

    def __init__(
        self,
        *,
        counts: Callable[[], Awaitable[Counts]],
        spend: Callable[[], Awaitable[Sequence[Spend]]],
        durations: Durations,
        hub: Hub,
        begun: int,
    ) -> None:
        self._counts = counts
        self._spend = spend
        self._durations = durations
        self._hub = hub
        self._begun = begun
        self._registry = CollectorRegistry()
        self._tallies: tuple[Tally, Tally] | None = None
        self._answering = asyncio.Lock()
        self.lag = 0.0  #: seconds by which the loop was late, at the last look

    def endpoints(self) -> list[Endpoint]:
        """Return the routes."""
        return [
            Endpoint(
                method="GET",
                path="/metrics",
                answer=self._answer,
                summary="What Prometheus asks for, as text.",
                media="text/plain",
            )
        ]

    async def watch(self) -> None:
        """Look at how late the loop is, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LOOK_EVERY
            await asyncio.sleep(LOOK_EVERY)
            self.lag = max(0.0, loop.time() - due)

    async def _answer(self, request: Request) -> Response:
        async with self._answering:
            await self._tally()
        counts, spend = await self._counts(), await self._spend()
        now = CollectorRegistry()
        now.register(_Moment(_of_the_ledger(counts), _of_models(spend), self._of_the_gateway()))
        written = generate_latest(now) + generate_latest(self._registry)
        return Response(written, headers={"Cache-Control": "no-store"}, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    async def _tally(self) -> None:
        if self._tallies is None:
            turns = Histogram(
                "picklebot_turn_seconds", "From a turn's begin to its end.", registry=self._registry, buckets=_TURN
            )
            sent = Histogram(
                "picklebot_delivery_seconds",
                "From a reply's being written to its delivery.",
                registry=self._registry,
                buckets=_DELIVERY,
            )
            self._tallies = Tally(turns, self._begun), Tally(sent, self._begun)
        turns_tally, sent_tally = self._tallies
        await turns_tally.take(self._durations.turns)
        await sent_tally.take(self._durations.deliveries)

    def _of_the_gateway(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("picklebot_ws_clients", "WebSockets that watch.", value=self._hub.viewers)
        dropped = CounterMetricFamily("picklebot_ws_dropped", "WebSockets dropped for reading too slowly.")
        dropped.add_metric([], self._hub.dropped)
        yield dropped
        yield GaugeMetricFamily("picklebot_loop_lag_seconds", "How late the event loop was.", value=self.lag)


class _Moment:
    """The values of one moment, as prometheus_client collects them."""

    def __init__(self, *parts: Iterator[Metric]) -> None:
        self._found = [metric for part in parts for metric in part]

    def collect(self) -> Iterator[Metric]:
        return iter(self._found)


def _of_the_ledger(counts: Counts) -> Iterator[Metric]:
    accepted = CounterMetricFamily("picklebot_accepted", "Messages and tasks that were ever accepted.")
    accepted.add_metric([], counts.accepted)
    yield accepted
    ledger = GaugeMetricFamily("picklebot_messages", "Accepted ones by where they are: their sum.", labels=["state"])
    for state in ("done", "failed", "dead", "open"):
        ledger.add_metric([state], getattr(counts, state))
    yield ledger
    yield GaugeMetricFamily("picklebot_turns_running", "Turns in hand.", value=counts.running)
    yield GaugeMetricFamily("picklebot_replies_undelivered", "Replies on their way.", value=counts.undelivered)
    yield GaugeMetricFamily("picklebot_replies_dead", "Replies that were set aside.", value=counts.dead_replies)


def _of_models(spend: Sequence[Spend]) -> Iterator[Metric]:
    tokens = CounterMetricFamily("picklebot_model_tokens", "Tokens by model and kind.", labels=["model", "kind"])
    calls = CounterMetricFamily("picklebot_model_calls", "Model calls.", labels=["model"])
    cost = CounterMetricFamily(
        "picklebot_spend_usd", "What model calls cost, as far as prices are known.", labels=["model"]
    )
    for row in spend:
        for kind in ("input", "output", "cache_read", "cache_write"):
            tokens.add_metric([row.key, kind], getattr(row.usage, f"{kind}_tokens"))
        calls.add_metric([row.key], row.calls)
        cost.add_metric([row.key], row.cost_usd)
    yield from (tokens, calls, cost)
