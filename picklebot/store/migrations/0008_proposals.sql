-- What agents asked the owner to allow. `digest` binds the answer to exactly what was proposed.
CREATE TABLE proposals (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,
    kind       TEXT NOT NULL,
    about      TEXT NOT NULL,
    title      TEXT NOT NULL,
    details    TEXT NOT NULL,
    body       TEXT NOT NULL,
    digest     TEXT NOT NULL,
    session_id TEXT NOT NULL,
    source     TEXT NOT NULL,
    key        TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    state      TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'approved', 'denied', 'expired')),
    settled_by TEXT,
    settled_at INTEGER,
    outcome    TEXT NOT NULL DEFAULT '',
    concluded  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX proposals_open ON proposals (seq) WHERE state = 'open' OR (state = 'approved' AND concluded = 0);
