-- Replies set aside can be tried again or dropped by hand. SQLite cannot alter a CHECK, so the table is made anew.
-- `since` is when a reply was put on its way again by hand; null while it was not, and then the event's own time counts.
CREATE TABLE outbox_anew (
    seq        INTEGER PRIMARY KEY REFERENCES events (seq),
    channel    TEXT NOT NULL,
    peer       TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'acked', 'dead', 'dropped')),
    unknown    INTEGER NOT NULL DEFAULT 0,
    attempts   INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL DEFAULT 0,
    since      INTEGER,
    error      TEXT,
    receipt    TEXT,
    settled_at INTEGER
) STRICT;
INSERT INTO outbox_anew (seq, channel, peer, state, unknown, attempts, not_before, error, receipt, settled_at)
    SELECT seq, channel, peer, state, unknown, attempts, not_before, error, receipt, settled_at FROM outbox;
DROP TABLE outbox;
ALTER TABLE outbox_anew RENAME TO outbox;
CREATE INDEX outbox_open ON outbox (channel, peer, seq) WHERE state IN ('pending', 'sending');
CREATE INDEX outbox_dead ON outbox (seq) WHERE state = 'dead';

CREATE INDEX inbox_dead ON inbox (seq) WHERE state = 'dead';
