-- Written over to see whether the disk has room for a message again.
CREATE TABLE room (filling BLOB NOT NULL) STRICT;
INSERT INTO room VALUES (zeroblob(65536));
