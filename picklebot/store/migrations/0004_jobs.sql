-- What is remembered of each job. Every instant up to `through` is accounted for; `next` is the one after, and `due`,
-- a jitter later, when it is begun. `fingerprint` says which schedule these were worked out from; empty: none.
CREATE TABLE jobs (
    id          TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    anchor      INTEGER NOT NULL,
    through     INTEGER NOT NULL,
    next        INTEGER,
    due         INTEGER,
    over        INTEGER NOT NULL DEFAULT 0,
    paused      TEXT,
    since       INTEGER NOT NULL DEFAULT 0 -- the last instant whose failure no longer counts
) STRICT, WITHOUT ROWID;
CREATE INDEX jobs_by_moment ON jobs (next) WHERE next IS NOT NULL;

-- What became of each instant: one row each. `event` is the message that it sent, made in the same transaction.
CREATE TABLE instants (
    seq     INTEGER PRIMARY KEY,
    job     TEXT NOT NULL,
    wall    TEXT NOT NULL,
    at      INTEGER NOT NULL,
    stage   TEXT NOT NULL
        CHECK (stage IN ('gating', 'waiting', 'fired', 'late', 'skipped', 'missed', 'failed', 'unknown')),
    reason  TEXT NOT NULL DEFAULT '',
    late    INTEGER NOT NULL DEFAULT 0,
    by_hand INTEGER NOT NULL DEFAULT 0,
    event   INTEGER REFERENCES inbox (seq),
    UNIQUE (job, wall)
) STRICT;
CREATE INDEX instants_of_job ON instants (job, seq);
CREATE INDEX instants_begun ON instants (job, seq) WHERE stage IN ('fired', 'late', 'failed');
CREATE INDEX instants_held ON instants (job, seq) WHERE stage IN ('gating', 'waiting');
