"""Says what a daemon has done wrong, from what it left behind.

Promises one verdict for each promise, kept apart: what is lost is never called "not yet", nor the other way round.
Knows only evidence.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.crash.evidence import Evidence, Records, read_records
from tests.crash.promises import ASKED_TO_STOP, CHECKS, KILLED

VERDICTS = {
    "lost": "an accepted message is not there",
    "renamed": "an accepted message is there under another id than was said",
    "not yet": "a message or a reply is still open after the drain",
    "duplicate turn": "one message was answered by more than one turn",
    "double once": "a `once` or `reconcile` tool had its effect twice",
    "key changed": "a `keyed` tool was run again with another key",
    "untrue": "a result was told that the world does not bear out",
    "redone": "the model was asked again for a step that was recorded",
    "order": "messages, turns or replies of one peer changed places",
    "reply lost": "a turn is done, and its reply is nowhere",
    "resent": "a reply went out more often than it was tried",
    "failed": "a turn failed although nothing was wrong with it",
    "untold": "a message was set aside and nobody was told",
    "ledger": "accepted is not done + failed + dead + open",
    "integrity": "SQLite finds the file damaged",
    "died": "the daemon ended by itself",
    "not stopped": "a daemon that was asked to stop did not end in time, or not with 0",
}


@dataclass(slots=True, kw_only=True)
class Findings:
    """What was found: `faults` by verdict, each in words, and `counts` of what was seen on the way."""

    faults: dict[str, list[str]] = field(default_factory=lambda: {verdict: [] for verdict in VERDICTS})
    counts: Counter[str] = field(default_factory=Counter[str])

    @property
    def verdicts(self) -> set[str]:
        """Return which promises were broken."""
        return {verdict for verdict, faults in self.faults.items() if faults}

    def add(self, other: "Findings") -> None:
        """Take in what was found in another world."""
        for verdict, faults in other.faults.items():
            self.faults[verdict] += faults
        self.counts.update(other.counts)

    def __str__(self) -> str:
        broken = [f"{name} ({len(faults)}): {'; '.join(faults[:4])}" for name, faults in self.faults.items() if faults]
        seen = ", ".join(f"{count} {name}" for name, count in self.counts.items())
        return "\n".join([*broken, f"[{seen}]"])


def judge(evidence: Evidence, *, drained: bool = True) -> Findings:
    """Judge a world. All but "not yet" must hold at every moment, so a world that was not drained is judged too."""
    records = read_records(evidence.database)
    findings = Findings()
    for check in CHECKS:
        for verdict, words in check(evidence, records):
            if drained or verdict != "not yet":
                findings.faults[verdict].append(words)
    findings.counts.update(_counts(evidence, records))
    return findings


def _counts(evidence: Evidence, records: Records) -> Mapping[str, int]:
    seen = Counter(entry.kind for entry in evidence.platform)
    words = " ".join(row.content for row in records.sent)
    return {
        "kills": evidence.ends.get(KILLED, 0),
        "stops": sum(lives for status, lives in evidence.ends.items() if status in ASKED_TO_STOP),
        "messages": len(records.received),
        "offers": seen["offered"],
        "model calls": len(evidence.asked),
        "effects": len(evidence.ledger),
        "told unknown": words.count("=unknown"),
        "repeats of a reply": seen["repeat"],
        "set aside": sum(row.state == "dead" for row in records.received),
    }
