-- Strangers who knocked, and who was let in. A code is spent with its row; one that was refused stays until it would
-- have expired, so that its stranger cannot knock again at once. `person` is the platform's own id, never a name.
CREATE TABLE knocks (
    channel    TEXT NOT NULL,
    person     TEXT NOT NULL,
    name       TEXT NOT NULL,
    code       TEXT NOT NULL UNIQUE,
    at         INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    told       INTEGER NOT NULL DEFAULT 0,
    tries      INTEGER NOT NULL DEFAULT 0,
    refused    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (channel, person)
) STRICT, WITHOUT ROWID;
CREATE TABLE grants (
    channel    TEXT NOT NULL,
    person     TEXT NOT NULL,
    name       TEXT NOT NULL,
    role       TEXT NOT NULL CHECK (role IN ('owner', 'guest')),
    granted_by TEXT NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (channel, person)
) STRICT, WITHOUT ROWID;
-- What keeps a channel from its platform, for as long as it does.
CREATE TABLE troubles (
    channel TEXT PRIMARY KEY,
    words   TEXT NOT NULL,
    since   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Which message of a platform shows the beginning of the reply to an event, until it has become that reply.
CREATE TABLE drafts (
    cause_id TEXT PRIMARY KEY,
    draft    TEXT NOT NULL,
    at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
