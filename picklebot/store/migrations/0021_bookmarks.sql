-- How far a place of a platform was read, where the platform keeps no account of that itself. `mark` is the platform's
-- own id of a message: it and all before it were taken or turned away. A row that is written again gets a new `seq`.
CREATE TABLE bookmarks (
    seq     INTEGER PRIMARY KEY,
    channel TEXT NOT NULL,
    place   TEXT NOT NULL,
    mark    TEXT NOT NULL,
    UNIQUE (channel, place)
) STRICT;
