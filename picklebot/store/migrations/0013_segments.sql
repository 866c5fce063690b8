-- The events of a session are looked up in one segment of the log after the other. An index that is ordered by session
-- first makes each event of a commit touch a page of its own; here all new entries stand on the same few pages.
DROP INDEX events_of_session;
CREATE INDEX events_of_segment ON events (seq >> 10, session_id);
CREATE VIEW session_events AS
    WITH RECURSIVE segments (n) AS (
        SELECT 0 UNION ALL SELECT n + 1 FROM segments WHERE n < (SELECT max(seq) >> 10 FROM events))
    SELECT events.* FROM segments CROSS JOIN events ON events.seq >> 10 = segments.n;
