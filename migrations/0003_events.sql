-- Webhooks in, callbacks out. What Meta posted is kept as it came (intake); each change in it becomes an event
-- that names its route; endpoints of customers get deliveries.

-- Numbers that only grow, changed in the transaction that they belong to.
CREATE TABLE counters (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);

-- What one process at a time does for all, such as routing: whoever holds the lease does it.
CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    held_until BIGINT NOT NULL
);

-- What Meta posted, byte for byte, kept before it is answered. The numbers grow in the order of the commits and have
-- no gaps: each transaction takes them from counters ('intake'), whose row it holds until it commits.
CREATE TABLE intake (
    seq BIGINT NOT NULL PRIMARY KEY,
    received_at BIGINT NOT NULL,
    body TEXT NOT NULL
);
INSERT INTO intake (seq, received_at, body)
    SELECT row_number() OVER (ORDER BY id), received_at, body FROM webhook_deliveries;
-- 'intake': the number given last; 'routed': the number up to which all are events; 'routing': changes whenever a
-- WABA or number gets or loses an owner, 'endpoints': whenever an endpoint changes: caches are good as long as it is the same.
INSERT INTO counters (name, value) SELECT 'intake', count(*) FROM webhook_deliveries;
INSERT INTO counters (name, value) VALUES ('routed', 0);
INSERT INTO counters (name, value) VALUES ('event_routes', 0);
INSERT INTO counters (name, value) VALUES ('routing', 1);
INSERT INTO counters (name, value) VALUES ('endpoints', 1);
DROP TABLE webhook_deliveries;
DELETE FROM jobs WHERE kind = 'webhooks.process';

-- From which account and number events come, and whose they are. Once a customer is set it stays: when a WABA changes
-- hands, its next events get a route of their own.
CREATE TABLE event_routes (
    id BIGINT NOT NULL PRIMARY KEY,
    -- '' where the change names none.
    waba_id TEXT NOT NULL,
    phone_number_id TEXT NOT NULL,
    -- Null: nobody's yet. No foreign keys: events outlive connections.
    customer_id TEXT,
    connection_id TEXT,
    -- The events up to this one came before it was known whose they are, and are still to be acted on; null: none.
    backlog_until BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX event_routes_by_customer ON event_routes (customer_id);
CREATE INDEX event_routes_by_account ON event_routes (waba_id, phone_number_id);

-- One change of one entry. Its JSON is in the intake.
CREATE TABLE events (
    -- intake.seq * 1048576 + its place among the changes of that body.
    id BIGINT NOT NULL PRIMARY KEY,
    received_at BIGINT NOT NULL,
    route_id BIGINT NOT NULL,
    -- Such as message.received; the names are those of the format "events".
    kind TEXT NOT NULL,
    -- The type of a message, the status of a status, the event of an account update.
    detail TEXT NOT NULL,
    -- JSON array: places of those of its messages and statuses that had come before; null: none.
    stale TEXT
);
CREATE INDEX events_by_route ON events (route_id, id);

-- What had come already, by a 64-bit digest: a message (by number, direction and ID) with the statuses that were
-- told of it, else a change. For 8 days after the last.
CREATE TABLE event_marks (
    digest BIGINT NOT NULL PRIMARY KEY,
    -- One bit for each status: see webhooks/marks.rs.
    seen BIGINT NOT NULL,
    -- The event that told the last of them.
    event_id BIGINT NOT NULL,
    -- Days since the epoch.
    day BIGINT NOT NULL
);
CREATE INDEX event_marks_by_day ON event_marks (day);

-- How much came, by minute: for charts, and to see at a glance what is wrong.
CREATE TABLE event_minutes (
    -- Minutes since the epoch.
    minute BIGINT NOT NULL,
    -- '' for what is nobody's.
    customer_id TEXT NOT NULL,
    -- An event's kind, or 'duplicate'; with customer_id '': 'refused' is a wrong or missing signature.
    kind TEXT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (customer_id, minute, kind)
);
CREATE INDEX event_minutes_by_minute ON event_minutes (minute);

-- Where a customer wants to be called.
CREATE TABLE endpoints (
    id TEXT NOT NULL PRIMARY KEY,
    customer_id TEXT NOT NULL REFERENCES customers (id),
    name TEXT NOT NULL,
    -- '' for the built-in receiver.
    url TEXT NOT NULL,
    format TEXT NOT NULL CHECK (format IN ('meta', 'events', 'mo_dlr')),
    -- JSON arrays; null: all.
    kinds TEXT,
    waba_ids TEXT,
    phone_number_ids TEXT,
    secret_sealed TEXT NOT NULL,
    -- The secret before, while receivers may still know only that one.
    old_secret_sealed TEXT,
    old_secret_until BIGINT,
    -- The word of Meta's handshake, which endpoints of Meta's format answer.
    verify_token_sealed TEXT,
    state TEXT NOT NULL CHECK (state IN ('active', 'paused', 'disabled')),
    -- Why, in a word: 'by_hand', 'failing', 'gone' (it answered 410) ...
    state_reason TEXT,
    state_since BIGINT NOT NULL,
    -- The first of the failures in a row; null while it answers.
    failing_since BIGINT,
    -- The number given to its last delivery: they have no gaps.
    last_number BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX endpoints_by_customer ON endpoints (customer_id, created_at);

-- One call to an endpoint that is to be made, with its retries; numbered for each endpoint in the order of the events.
CREATE TABLE deliveries (
    endpoint_id TEXT NOT NULL REFERENCES endpoints (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    -- 0 for a test.
    event_id BIGINT NOT NULL,
    -- Which message or status of the event, for formats that send each on its own; -1: the whole change.
    item BIGINT NOT NULL,
    -- 'event', 'replay', 'test', 'expired' (a message's time ran out).
    cause TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed', 'cancelled')),
    -- Those of one conversation are begun in order: a digest of it; 0: none.
    lane BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    -- When it is tried next; null once it is over.
    next_at BIGINT,
    created_at BIGINT NOT NULL,
    done_at BIGINT,
    PRIMARY KEY (endpoint_id, number)
);
CREATE INDEX deliveries_due ON deliveries (endpoint_id, next_at, number) WHERE next_at IS NOT NULL;
CREATE INDEX deliveries_by_event ON deliveries (event_id);
CREATE INDEX deliveries_by_state ON deliveries (endpoint_id, state, number);

-- Every try of a delivery.
CREATE TABLE delivery_attempts (
    endpoint_id TEXT NOT NULL REFERENCES endpoints (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    at BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    -- HTTP's; null where there was no answer.
    status BIGINT,
    -- Why there was none, in a word: 'timeout', 'refused_address', 'connect', 'tls' ...
    error TEXT,
    -- The start of the answer.
    answer TEXT,
    PRIMARY KEY (endpoint_id, number, attempt)
);

-- How deliveries went, by minute.
CREATE TABLE delivery_minutes (
    minute BIGINT NOT NULL,
    endpoint_id TEXT NOT NULL REFERENCES endpoints (id) ON DELETE CASCADE,
    delivered BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    -- From Meta's webhook to the endpoint's answer, of those delivered.
    latency_ms_sum BIGINT NOT NULL,
    latency_ms_max BIGINT NOT NULL,
    PRIMARY KEY (endpoint_id, minute)
);
CREATE INDEX delivery_minutes_by_minute ON delivery_minutes (minute);

-- Messages whose delivery a MO/DLR endpoint still waits for: when their time is over they are told as expired.
CREATE TABLE awaited_receipts (
    endpoint_id TEXT NOT NULL REFERENCES endpoints (id) ON DELETE CASCADE,
    message_id TEXT NOT NULL,
    -- The event that told that it was sent.
    event_id BIGINT NOT NULL,
    item BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (endpoint_id, message_id)
);
CREATE INDEX awaited_receipts_due ON awaited_receipts (expires_at);

-- What the built-in receiver got: the last of each endpoint.
CREATE TABLE received_calls (
    id TEXT NOT NULL PRIMARY KEY,
    endpoint_id TEXT NOT NULL REFERENCES endpoints (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    -- JSON.
    headers TEXT NOT NULL,
    body TEXT NOT NULL,
    answered BIGINT NOT NULL
);
CREATE INDEX received_calls_by_endpoint ON received_calls (endpoint_id, id);
-- What the built-in receiver answers: 200, or a failure to try out.
ALTER TABLE endpoints ADD COLUMN receiver_answers BIGINT NOT NULL DEFAULT 200;

-- People who wrote to a customer's numbers, or were written to.
CREATE TABLE contacts (
    id TEXT NOT NULL PRIMARY KEY,
    customer_id TEXT NOT NULL REFERENCES customers (id),
    profile_name TEXT,
    -- As Meta writes it; one sends to this.
    wa_id TEXT,
    -- In one normal form: digits with country code, as E.164 has it.
    phone TEXT,
    -- Business-scoped; the one told last.
    user_id TEXT,
    username TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX contacts_by_customer ON contacts (customer_id, id);

-- By what a contact is known, whichever comes: several numbers (a WhatsApp ID may differ from the number) and
-- several business-scoped user IDs (each of Meta's business portfolios has its own).
CREATE TABLE contact_identities (
    customer_id TEXT NOT NULL REFERENCES customers (id),
    -- 'p:' and a phone number in its normal form, or 'u:' and a business-scoped user ID.
    identity TEXT NOT NULL,
    contact_id TEXT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    PRIMARY KEY (customer_id, identity)
);
CREATE INDEX contact_identities_by_contact ON contact_identities (contact_id);

-- Until when one may write freely to a contact from a number: 24 hours after their last message.
CREATE TABLE contact_windows (
    contact_id TEXT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    phone_number_id TEXT NOT NULL,
    last_message_at BIGINT NOT NULL,
    PRIMARY KEY (contact_id, phone_number_id)
);
CREATE INDEX contact_windows_by_number ON contact_windows (phone_number_id, last_message_at);

-- Message templates, as far as webhooks told of them.
CREATE TABLE message_templates (
    -- Meta's ID.
    template_id TEXT NOT NULL PRIMARY KEY,
    waba_id TEXT NOT NULL REFERENCES wabas (waba_id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- Such as en_US.
    language TEXT NOT NULL,
    status TEXT,
    category TEXT,
    quality TEXT,
    -- Why it was rejected, paused or disabled, by Meta's word.
    reason TEXT,
    -- By Meta's word, of what was told last: what comes late changes nothing.
    status_told_at BIGINT,
    category_told_at BIGINT,
    quality_told_at BIGINT,
    -- The reason in Meta's sentence, where it gave one.
    explained TEXT,
    -- What Meta will make of its category, and when.
    next_category TEXT,
    next_category_at BIGINT,
    updated_at BIGINT NOT NULL
);
CREATE INDEX message_templates_by_waba ON message_templates (waba_id, name);

-- What Meta told of an account beside what we read: JSON by kind, such as a restriction or a violation.
CREATE TABLE account_notices (
    id TEXT NOT NULL PRIMARY KEY,
    waba_id TEXT NOT NULL REFERENCES wabas (waba_id) ON DELETE CASCADE,
    phone_number_id TEXT,
    -- The event that told it.
    event_id BIGINT NOT NULL,
    field TEXT NOT NULL,
    -- Such as ACCOUNT_RESTRICTION.
    event TEXT NOT NULL,
    told_at BIGINT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX account_notices_by_waba ON account_notices (waba_id, told_at);

-- When Meta told last of these, by its word: what comes late changes nothing.
ALTER TABLE phone_numbers ADD COLUMN name_told_at BIGINT;
ALTER TABLE phone_numbers ADD COLUMN limit_told_at BIGINT;
ALTER TABLE phone_numbers ADD COLUMN throughput_told_at BIGINT;
ALTER TABLE wabas ADD COLUMN review_told_at BIGINT;
