-- A message whose turn a day's budget refused: which budget it waits for, and the refusal that its user was told of.
ALTER TABLE inbox ADD COLUMN waits_for TEXT;
ALTER TABLE inbox ADD COLUMN refusal TEXT;
CREATE INDEX inbox_refused ON inbox (waits_for, refusal) WHERE waits_for IS NOT NULL;

-- Each row lets a day's budget hold once more, for the rest of the day on which the owner said so.
CREATE TABLE lifts (
    budget TEXT NOT NULL,
    source TEXT NOT NULL,
    at     INTEGER NOT NULL
) STRICT;
CREATE INDEX lifts_by_time ON lifts (at);
