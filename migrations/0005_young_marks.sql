-- What came lately, one row for each transaction of the router, in its order: a mark goes from here to its place in
-- `event_marks` when there are others for the same page. What is written twice counts as the later row says.
CREATE TABLE young_marks (
    -- The last body of the transaction.
    at BIGINT NOT NULL PRIMARY KEY,
    -- JSON array of marks, each an array of digest, seen, event_id and day.
    marks TEXT NOT NULL
);

-- By digest alone, and in its order: what is looked for together, written together and removed together lies together.
-- What is too old is found by walking through all of it once a day.
DROP INDEX event_marks_by_day;
ALTER TABLE event_marks RENAME TO event_marks_before;
CREATE TABLE event_marks (
    digest BIGINT NOT NULL PRIMARY KEY,
    -- One bit for each status: see webhooks/marks.rs.
    seen BIGINT NOT NULL,
    -- The event that told the last of them.
    event_id BIGINT NOT NULL,
    -- Days since the epoch.
    day BIGINT NOT NULL
) /* on SQLite: WITHOUT ROWID */;
INSERT INTO event_marks (digest, seen, event_id, day)
    SELECT digest, seen, event_id, day FROM event_marks_before ORDER BY digest;
DROP TABLE event_marks_before;
