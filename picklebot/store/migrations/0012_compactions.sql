-- What is shown of a session's conversation, where it grew too long; the last one that is done is in force. It covers
-- the messages of ended turns before `before`, and the first `within` of the turn that it was made in. Model calls that
-- were made for it, and others that are no part of a conversation, are steps with numbers below zero: `step` is the one
-- of its flush, and the one of its summary is one less.
CREATE TABLE compactions (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id TEXT NOT NULL,
    turn       INTEGER NOT NULL REFERENCES inbox (seq),
    step       INTEGER NOT NULL,
    why        TEXT NOT NULL CHECK (why IN ('asked', 'full', 'refused')),
    keep       TEXT NOT NULL,
    before     INTEGER NOT NULL,
    within     INTEGER NOT NULL,
    trimmed    TEXT NOT NULL,
    digest     TEXT,
    state      TEXT NOT NULL CHECK (state IN ('begun', 'done', 'void')),
    begun_at   INTEGER NOT NULL,
    ended_at   INTEGER
) STRICT;
CREATE INDEX compactions_of_session ON compactions (session_id, id);
