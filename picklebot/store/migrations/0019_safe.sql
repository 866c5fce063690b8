-- What was signed of a webhook's delivery, as a digest, and the key that it was accepted under: a copy of the request
-- has the same one, whatever its unsigned headers say. Kept until its time is out of the hook's window.
CREATE TABLE proofs (
    proof TEXT PRIMARY KEY,
    key   TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX proofs_by_end ON proofs (until);
