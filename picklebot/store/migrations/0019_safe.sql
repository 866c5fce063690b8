-- What was signed of a webhook's delivery, as a digest, and the key that it was accepted under: a copy of the request
-- has the same one, whatever its unsigned headers say. Kept until its time is out of the hook's window.
CREATE TABLE proofs (
    proof TEXT PRIMARY KEY,
    key   TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX proofs_by_end ON proofs (until);
-- What the conversation has read so far, as words in JSON: "outside", "private". A turn begins with it.
ALTER TABLE sessions ADD COLUMN marks TEXT NOT NULL DEFAULT '[]';
-- Whether it was written by a turn that had read what came from outside.
ALTER TABLE board ADD COLUMN outside INTEGER NOT NULL DEFAULT 0;
