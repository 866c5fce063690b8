-- Jobs made in conversation. An id is never used again, because `task:<id>` names its instants for ever. `place` is where
-- the replies go: a source, or `last`. It is due from `since` on, which is when it was made or its owner agreed to it.
CREATE TABLE tasks (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    key        TEXT NOT NULL UNIQUE,
    session_id TEXT,
    agent_id   TEXT NOT NULL,
    place      TEXT NOT NULL,
    prompt     TEXT NOT NULL,
    cron       TEXT,
    every      REAL,
    moment     INTEGER,
    zone       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    since      INTEGER NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('active', 'waiting', 'done', 'cancelled')),
    note       TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX tasks_open ON tasks (state, id) WHERE state IN ('active', 'waiting');
CREATE INDEX tasks_of_session ON tasks (session_id) WHERE state IN ('active', 'waiting');
CREATE INDEX tasks_of_place ON tasks (place, id);

-- The last message of a channel, for the place where the owner spoke last.
CREATE INDEX inbox_by_channel ON inbox (channel, seq);
