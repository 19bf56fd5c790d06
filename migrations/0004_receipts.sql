-- The report that a message was not delivered in time, ready to be sent: by then the webhook that told of the message
-- may be kept no longer. Null: none, or one that was awaited before there was this column.
ALTER TABLE awaited_receipts ADD COLUMN report TEXT;
ALTER TABLE deliveries ADD COLUMN report TEXT;
-- Messages are awaited by their bare IDs: what became of a group's message is told for each of its participants.
UPDATE awaited_receipts SET message_id = substr(message_id, 5) WHERE message_id LIKE 'out %';
-- JSON array: the conversations beside `lane` of a call that tells of several.
ALTER TABLE deliveries ADD COLUMN more_lanes TEXT;
