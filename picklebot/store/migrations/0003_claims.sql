-- Slash commands that were begun and not yet answered. One that is found at the start was cut short by a crash.
CREATE TABLE claims (
    channel  TEXT NOT NULL,
    key      TEXT NOT NULL,
    source   TEXT NOT NULL,
    content  TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (channel, key)
) STRICT, WITHOUT ROWID;
