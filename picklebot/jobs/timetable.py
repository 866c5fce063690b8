"""Which job is due next, of many.

Promises that the soonest is found without looking at the others: a heap whose outdated entries are dropped when they
come to its top, or all at once when they are as many as the jobs. Knows no schedule: who takes a job out of it
puts it back with its next moment.
"""

from datetime import datetime
from heapq import heapify, heappop, heappush

_SLACK = 64  #: outdated entries that are never worth a rebuild


class Timetable:
    """The next moment of each job."""

    def __init__(self) -> None:
        self._moments: dict[str, datetime] = {}
        self._heap: list[tuple[datetime, str]] = []

    def __len__(self) -> int:
        return len(self._moments)

    def put(self, job_id: str, at: datetime) -> None:
        """Say when a job is due; what was said of it before no longer holds."""
        if self._moments.get(job_id) != at:
            self._moments[job_id] = at
            heappush(self._heap, (at, job_id))
            self._tidy()

    def remove(self, job_id: str) -> None:
        """Forget a job; one that is not there is no trouble."""
        if self._moments.pop(job_id, None) is not None:
            self._tidy()

    def soonest(self) -> datetime | None:
        """Return when the next job is due; None without jobs."""
        return self._heap[0][0] if self._heap else None

    def due(self, now: datetime) -> list[str]:
        """Take out the jobs whose moment has come, soonest first."""
        found: list[str] = []
        while self._heap and self._heap[0][0] <= now:
            _, job_id = heappop(self._heap)
            del self._moments[job_id]
            found.append(job_id)
            self._tidy()
        return found

    def _tidy(self) -> None:
        # What stands at the top is always true, so that `soonest` has nothing to do.
        if len(self._heap) > 2 * len(self._moments) + _SLACK:
            self._heap = [(at, job_id) for job_id, at in self._moments.items()]
            heapify(self._heap)
        while self._heap and self._moments.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
