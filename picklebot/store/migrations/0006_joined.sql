-- Messages that another message's turn answers. With `step`, it was taken in: `step` is the first model call that saw
-- it, and `context` the words put before it. Without, it had a turn of its own, which that other message interrupted.
CREATE TABLE joined (
    seq     INTEGER PRIMARY KEY REFERENCES inbox (seq),
    turn    INTEGER NOT NULL REFERENCES inbox (seq),
    step    INTEGER,
    context TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX joined_to ON joined (turn);
