-- Each index that a commit touches has a page of its own, which the commit writes twice. What is looked for seldom goes
-- into an index a segment of 1,024 events at a time, and the newest segment is looked through.
DROP INDEX inbox_by_channel;
DROP VIEW session_events;
CREATE TABLE filed (
    segment    INTEGER NOT NULL,
    session_id TEXT NOT NULL,
    seq        INTEGER NOT NULL,
    PRIMARY KEY (segment, session_id, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO filed SELECT seq >> 10, session_id, seq FROM events
    WHERE seq < (SELECT max(seq) >> 10 << 10 FROM events) ORDER BY 1, 2, 3;
DROP INDEX events_of_segment;
CREATE VIEW session_events AS
    WITH RECURSIVE segments (n) AS (
        SELECT 0 UNION ALL SELECT n + 1 FROM segments WHERE n < (SELECT max(segment) FROM filed))
    SELECT events.seq, events.id, events.kind, filed.session_id, events.source, events.cause_id, events.created_at,
        events.body
    FROM segments CROSS JOIN filed ON filed.segment = segments.n CROSS JOIN events ON events.seq = filed.seq
    UNION ALL
    SELECT seq, id, kind, session_id, source, cause_id, created_at, body
    FROM events WHERE seq >= (SELECT ifnull(max(segment) + 1, 0) << 10 FROM filed);
