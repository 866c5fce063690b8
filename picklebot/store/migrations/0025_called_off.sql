-- A message that its user does not want answered any more. It is begun as soon as it can be, and its turn ends at once.
ALTER TABLE inbox ADD COLUMN called_off INTEGER NOT NULL DEFAULT 0;
