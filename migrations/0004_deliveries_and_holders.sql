-- The report that a message was not delivered in time, ready to be sent: by then the webhook that told of the message
-- may be kept no longer. Null: none, or one that was awaited before there was this column.
ALTER TABLE awaited_receipts ADD COLUMN report TEXT;
ALTER TABLE deliveries ADD COLUMN report TEXT;
-- Messages are awaited by their bare IDs: what became of a group's message is told for each of its participants.
UPDATE awaited_receipts SET message_id = substr(message_id, 5) WHERE message_id LIKE 'out %';
-- JSON array: the conversations beside `lane` of a call that tells of several.
ALTER TABLE deliveries ADD COLUMN more_lanes TEXT;

-- What the built-in receiver got is removed by age in small steps.
CREATE INDEX received_calls_by_age ON received_calls (at);

-- Who held an account or a number, also after they let it go: what Meta sends while it is nobody's never goes to
-- somebody who connects it after another.
CREATE TABLE asset_holders (
    -- Meta's ID of a WABA or a phone number; a digest of it once the customer is erased.
    asset_id TEXT NOT NULL,
    -- '' once the customer is erased.
    customer_id TEXT NOT NULL,
    -- Since when at the latest, the first time.
    since BIGINT NOT NULL,
    PRIMARY KEY (asset_id, customer_id)
);
CREATE INDEX asset_holders_by_customer ON asset_holders (customer_id);
INSERT INTO asset_holders (asset_id, customer_id, since)
    SELECT asset_id, customer_id, min(since) FROM (
        SELECT waba_id AS asset_id, customer_id, created_at AS since FROM wabas
        UNION ALL SELECT p.phone_number_id, w.customer_id, w.created_at
            FROM phone_numbers p JOIN wabas w ON w.waba_id = p.waba_id
        UNION ALL SELECT waba_id, customer_id, created_at FROM event_routes
            WHERE customer_id IS NOT NULL AND waba_id <> ''
        UNION ALL SELECT phone_number_id, customer_id, created_at FROM event_routes
            WHERE customer_id IS NOT NULL AND phone_number_id <> ''
        UNION ALL SELECT l.subject, coalesce(c.id, ''), l.at FROM audit_log l LEFT JOIN customers c ON c.id = l.customer_id
            WHERE l.action = 'waba.released' AND l.subject IS NOT NULL
    ) held GROUP BY asset_id, customer_id;

-- What the customer calls this person in their own contact book; beside what the person calls themselves.
ALTER TABLE contacts ADD COLUMN book_name TEXT;
