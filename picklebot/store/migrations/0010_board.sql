-- The task board that all agents share. A claim belongs to a turn (`claimed_turn` is the event that it answers), and
-- is void once that has ended. Keys are those of the tool calls, so that a call that is made again changes nothing.
CREATE TABLE board (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    title           TEXT NOT NULL,
    details         TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('open', 'claimed', 'done')),
    added_by        TEXT NOT NULL,
    added_at        INTEGER NOT NULL,
    add_key         TEXT NOT NULL UNIQUE,
    claimed_by      TEXT,
    claimed_session TEXT,
    claimed_turn    TEXT,
    claim_key       TEXT UNIQUE,
    claimed_at      INTEGER,
    result          TEXT,
    finished_at     INTEGER
) STRICT;
CREATE INDEX board_unfinished ON board (id) WHERE state != 'done';
