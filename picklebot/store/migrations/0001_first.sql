-- The first schema. Moments are microseconds since 1970, UTC. Append migrations; never edit one that was released.

-- Durable events, in the order in which they were committed: the log.
CREATE TABLE events (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,
    kind       TEXT NOT NULL,
    session_id TEXT NOT NULL,
    source     TEXT NOT NULL,
    cause_id   TEXT,
    created_at INTEGER NOT NULL,
    body       TEXT NOT NULL
) STRICT;
CREATE INDEX events_of_session ON events (session_id, seq);
CREATE INDEX events_by_cause ON events (cause_id) WHERE cause_id IS NOT NULL;

CREATE TABLE sessions (
    id         TEXT PRIMARY KEY,
    agent_id   TEXT NOT NULL,
    source     TEXT NOT NULL,
    title      TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    turns      INTEGER NOT NULL DEFAULT 0,
    messages   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_of_source ON sessions (source, agent_id, updated_at);
CREATE INDEX sessions_by_use ON sessions (updated_at);

-- Which session a source's next message goes to.
CREATE TABLE affinity (
    source     TEXT PRIMARY KEY,
    session_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Accepted messages. accepted = done + failed + dead + open, at every moment.
CREATE TABLE inbox (
    seq        INTEGER PRIMARY KEY REFERENCES events (seq),
    channel    TEXT NOT NULL,
    key        TEXT NOT NULL,
    session_id TEXT NOT NULL,
    agent_id   TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('open', 'done', 'failed', 'dead')),
    attempts   INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL DEFAULT 0,
    error      TEXT,
    UNIQUE (channel, key)
) STRICT;
CREATE INDEX inbox_open ON inbox (session_id, seq, not_before, agent_id) WHERE state = 'open';
CREATE INDEX inbox_parked ON inbox (not_before) WHERE state = 'open' AND not_before > 0;

-- One turn an inbound event, named by its seq. `opening` is the user message as the model first saw it.
CREATE TABLE turns (
    seq         INTEGER PRIMARY KEY REFERENCES inbox (seq),
    state       TEXT NOT NULL CHECK (state IN ('running', 'parked', 'done', 'failed', 'stopped')),
    opening     TEXT,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;
CREATE INDEX turns_running ON turns (seq) WHERE state = 'running';

-- A step is one model call and the tool calls it asked for.
CREATE TABLE steps (
    turn          INTEGER NOT NULL REFERENCES turns (seq),
    n             INTEGER NOT NULL,
    blocks        TEXT NOT NULL,
    problems      TEXT NOT NULL DEFAULT '{}',
    stop_reason   TEXT NOT NULL,
    model         TEXT NOT NULL,
    request_id    TEXT,
    input_tokens  INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cache_read    INTEGER NOT NULL,
    cache_write   INTEGER NOT NULL,
    cost_usd      REAL,
    at            INTEGER NOT NULL,
    PRIMARY KEY (turn, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX steps_by_time ON steps (at);

CREATE TABLE calls (
    turn        INTEGER NOT NULL,
    step        INTEGER NOT NULL,
    call_id     TEXT NOT NULL,
    tool        TEXT NOT NULL,
    effect      TEXT NOT NULL,
    input       TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('planned', 'started', 'done', 'failed', 'unknown')),
    result      TEXT,
    planned_at  INTEGER NOT NULL,
    started_at  INTEGER,
    finished_at INTEGER,
    PRIMARY KEY (turn, step, call_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE transcript (
    session_id TEXT NOT NULL,
    n          INTEGER NOT NULL,
    turn       INTEGER NOT NULL,
    role       TEXT NOT NULL,
    blocks     TEXT NOT NULL,
    PRIMARY KEY (session_id, n)
) STRICT, WITHOUT ROWID;

-- Replies on their way, one row a part.
CREATE TABLE outbox (
    seq        INTEGER PRIMARY KEY REFERENCES events (seq),
    channel    TEXT NOT NULL,
    peer       TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'acked', 'dead')),
    unknown    INTEGER NOT NULL DEFAULT 0,
    attempts   INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL DEFAULT 0,
    error      TEXT,
    receipt    TEXT,
    settled_at INTEGER
) STRICT;
CREATE INDEX outbox_open ON outbox (channel, peer, seq) WHERE state IN ('pending', 'sending');
CREATE INDEX outbox_dead ON outbox (seq) WHERE state = 'dead';
