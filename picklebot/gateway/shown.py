"""What the answers of the API look like, for its description: the shapes that others may rely on. More may stand beside.

Knows no route, and makes no answer: the tests hold the answers against these.
"""

from typing import Any, Literal

from pydantic import BaseModel


class Ok(BaseModel):
    """It is done."""

    status: str


class NextJob(BaseModel):
    """A job that is due."""

    id: str
    agent: str
    at: str


class ProposalShown(BaseModel):
    """What an agent asks the owner to allow. An answer names `digest`: it is for exactly what was shown."""

    id: str
    kind: str
    about: str
    title: str
    state: str
    source: str
    session_id: str
    created_at: str
    expires_at: str
    settled_by: str | None
    settled_at: str | None
    outcome: str
    digest: str


class ProblemShown(BaseModel):
    """A file that is not in force as it stands."""

    file: str
    line: int
    message: str


class StandingShown(BaseModel):
    """How things stand: `open` is what is accepted and not done, `undelivered` replies that are on their way."""

    version: str
    pid: int | None
    role: str | None
    url: str | None
    uptime_s: float | None
    open: int
    running: int
    undelivered: int
    dead: int
    dead_messages: int
    dead_replies: int
    accepted: int
    done: int
    failed: int
    spend_today_usd: float
    next_jobs: list[NextJob]
    proposals: list[ProposalShown]
    problems: list[ProblemShown]


class AgentShown(BaseModel):
    """An agent in force."""

    id: str
    name: str
    description: str


class AgentsShown(BaseModel):
    """The agents in force."""

    agents: list[AgentShown]


class SessionShown(BaseModel):
    """One agent's conversation with one source."""

    id: str
    agent: str
    source: str
    title: str
    created_at: str
    updated_at: str
    turns: int


class SessionsShown(BaseModel):
    """Conversations, last used first."""

    sessions: list[SessionShown]


class SessionWhole(BaseModel):
    """A conversation with what was said in it, and its last turns with every step."""

    session: SessionShown
    messages: list[dict[str, Any]]
    turns: list[dict[str, Any]]


class CronShown(BaseModel):
    """A job by its file, and when it is next."""

    id: str
    name: str
    next: str | None
    paused: str | None


class CronsShown(BaseModel):
    """The jobs in force."""

    crons: list[CronShown]


class InstantShown(BaseModel):
    """What became of one instant of a job."""

    instant: str
    state: Literal["ran", "skipped", "missed", "late", "failed", "unknown"]
    reason: str
    event_id: str | None
    at: str
    open: bool


class HistoryShown(BaseModel):
    """The last instants of a job, the newest last."""

    history: list[InstantShown]


class Begun(BaseModel):
    """What became of a job that was begun by hand."""

    stage: str
    reason: str
    event_id: str | None


class TaskShown(BaseModel):
    """A job made in conversation."""

    id: str
    state: str
    prompt: str
    agent: str
    session_id: str | None
    deliver: str
    next: str | None
    note: str


class TasksShown(BaseModel):
    """Jobs made in conversation: those that are open, and the last that ended."""

    tasks: list[TaskShown]


class DeliveryShown(BaseModel):
    """A reply and how its delivery stands."""

    id: str
    to: str
    content: str
    created_at: str
    state: Literal["pending", "sending", "acked", "dead", "dropped"]
    attempts: int
    unknown: bool
    receipt: str | None
    error: str | None


class DeliveriesShown(BaseModel):
    """Replies, newest first."""

    deliveries: list[DeliveryShown]


class LetterShown(BaseModel):
    """Something that was set aside."""

    id: str
    kind: Literal["message", "reply"]
    source: str
    session_id: str
    created_at: str
    attempts: int
    error: str | None
    content: str


class LettersShown(BaseModel):
    """What was set aside, oldest first."""

    events: list[LetterShown]


class SpendShown(BaseModel):
    """What was used under one heading."""

    key: str
    calls: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: float
    unpriced: int


class UsageShown(BaseModel):
    """What was used, by heading and in all."""

    by: str
    rows: list[SpendShown]
    total: SpendShown


class FindingShown(BaseModel):
    """One fact that doctor found."""

    level: Literal["ok", "info", "warning", "error"]
    check: str
    message: str
    fix: str | None = None


class FindingsShown(BaseModel):
    """What `picklebot doctor` finds."""

    ok: bool
    findings: list[FindingShown]


class NoteShown(BaseModel):
    """Something that is remembered."""

    path: str
    line: int
    content: str
    at: str | None
    origin: str
    outside: bool


class NotesShown(BaseModel):
    """Notes, the best or the newest first, and what could not be searched."""

    notes: list[NoteShown]
    problems: list[str]


class ProposalsShown(BaseModel):
    """What waits for the owner."""

    proposals: list[ProposalShown]


class Decided(BaseModel):
    """A proposal after an answer, and what came of it in words."""

    proposal: ProposalShown
    words: str


class ChainShown(BaseModel):
    """What led to an event and what came of it: as data, and as lines for a person."""

    asked: str
    chain: dict[str, Any]
    lines: list[str]
