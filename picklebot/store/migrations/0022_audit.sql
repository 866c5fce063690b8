-- What was done, by whom, and who allowed it: a chain, in which each entry's digest covers that of the one before. Never
-- changed; the oldest go, and the anchor then holds the number and the digest of the last one that went. Calls of turns
-- up to `turn` need no entry: they ended before there was a log, or their entries may be gone.
CREATE TABLE audit (
    seq    INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    kind   TEXT NOT NULL,
    body   TEXT NOT NULL,
    digest BLOB NOT NULL
) STRICT;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT raise(ABORT, 'the audit log is only appended to'); END;
CREATE TABLE audit_anchor (
    id     INTEGER PRIMARY KEY CHECK (id = 0),
    seq    INTEGER NOT NULL,
    digest BLOB NOT NULL,
    turn   INTEGER NOT NULL
) STRICT;
INSERT INTO audit_anchor SELECT 0, 0, zeroblob(32), coalesce(max(seq), 0) FROM turns;
