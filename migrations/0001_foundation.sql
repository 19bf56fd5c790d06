-- One SQL text for SQLite and PostgreSQL: TEXT, BIGINT and BOOLEAN only.
-- Times are milliseconds since the epoch; IDs of ours are UUIDv7 as text, IDs of Meta's are digits.
-- Columns named *_sealed hold secrets, encrypted for their table, column and row.

CREATE TABLE customers (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    -- In lower case.
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- Argon2id in PHC form.
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'support', 'customer')),
    -- Members of a customer have one; staff have none.
    customer_id TEXT REFERENCES customers (id),
    created_at BIGINT NOT NULL,
    CHECK ((role = 'customer') = (customer_id IS NOT NULL))
);
CREATE INDEX users_by_customer ON users (customer_id);

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
    data TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX sessions_by_user ON sessions (user_id);

-- What is to be done, kept until it is. A job is claimed by a lease, so that one that was being done
-- when the process died is done again.
CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    -- What the job is about; at most one waiting job of a kind for it.
    subject TEXT NOT NULL,
    run_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    lease_owner TEXT,
    leased_until BIGINT,
    -- Somebody asked for it again while it was being done.
    again BOOLEAN NOT NULL DEFAULT FALSE,
    last_error TEXT,
    created_at BIGINT NOT NULL,
    UNIQUE (kind, subject)
);
CREATE INDEX jobs_due ON jobs (run_at);

-- A grant of a customer's business to us: one business token, and the WABAs it opens.
CREATE TABLE connections (
    id TEXT NOT NULL PRIMARY KEY,
    customer_id TEXT NOT NULL REFERENCES customers (id),
    name TEXT NOT NULL,
    business_id TEXT,
    business_name TEXT,
    state TEXT NOT NULL CHECK (state IN ('active', 'needs_reconnect', 'disconnecting', 'disconnected')),
    -- Null once disconnected.
    token_sealed TEXT,
    -- Null: never, or not known.
    token_expires_at BIGINT,
    data_access_expires_at BIGINT,
    -- A JSON array.
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    connected_at BIGINT NOT NULL,
    -- JSON while it is being disconnected: what was asked for.
    disconnecting TEXT,
    disconnected_at BIGINT
);
CREATE INDEX connections_by_customer ON connections (customer_id, created_at);

-- The primary key is the rule that one WABA belongs to one customer.
CREATE TABLE wabas (
    waba_id TEXT NOT NULL PRIMARY KEY,
    connection_id TEXT NOT NULL REFERENCES connections (id),
    customer_id TEXT NOT NULL REFERENCES customers (id),
    name TEXT NOT NULL,
    currency TEXT,
    review_status TEXT,
    business_id TEXT,
    business_name TEXT,
    business_verification_status TEXT,
    -- Null until Meta sends us this WABA's webhooks.
    subscribed_at BIGINT,
    -- JSON: what Meta last said of health_status.
    health TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX wabas_by_connection ON wabas (connection_id);
CREATE INDEX wabas_by_customer ON wabas (customer_id);

CREATE TABLE phone_numbers (
    phone_number_id TEXT NOT NULL PRIMARY KEY,
    waba_id TEXT NOT NULL REFERENCES wabas (waba_id) ON DELETE CASCADE,
    display_phone_number TEXT NOT NULL,
    verified_name TEXT NOT NULL,
    name_status TEXT,
    quality_rating TEXT,
    status TEXT,
    code_verification_status TEXT,
    platform_type TEXT,
    throughput_level TEXT,
    messaging_limit TEXT,
    account_mode TEXT,
    is_on_biz_app BOOLEAN,
    is_official_business_account BOOLEAN,
    health TEXT,
    read_at BIGINT NOT NULL
);
CREATE INDEX phone_numbers_by_waba ON phone_numbers (waba_id);

-- One try of a customer to connect: a state machine whose every step is kept.
CREATE TABLE signup_attempts (
    id TEXT NOT NULL PRIMARY KEY,
    customer_id TEXT NOT NULL REFERENCES customers (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    flow TEXT NOT NULL CHECK (flow IN ('embedded', 'oauth')),
    coexistence BOOLEAN NOT NULL DEFAULT FALSE,
    step TEXT NOT NULL,
    -- Counts every change: pages learn from it that there is something new, writers that they come late.
    version BIGINT NOT NULL DEFAULT 0,
    step_since BIGINT NOT NULL,
    -- SHA-256 of the OAuth state parameter, so that a read of the database forges no callback.
    state_hash TEXT UNIQUE,
    code_sealed TEXT,
    code_received_at BIGINT,
    -- How far the browser's window came: null, 'closed'.
    window_closed_at BIGINT,
    token_sealed TEXT,
    -- JSON: what the browser's message event said. A hint, never a proof.
    hint TEXT,
    hint_at BIGINT,
    -- JSON: what /debug_token said.
    grant_info TEXT,
    -- JSON: the WABAs and numbers that were proven with the token.
    candidates TEXT,
    -- JSON array: WABA IDs that the customer chose or typed.
    chosen TEXT,
    -- JSON: why it failed, with Meta's codes.
    failure TEXT,
    -- JSON: trouble at Meta's that is being waited out, with the number of tries.
    trouble TEXT,
    -- JSON array: the connections it led to.
    connections TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX signup_attempts_by_customer ON signup_attempts (customer_id, created_at);
CREATE INDEX signup_attempts_by_step ON signup_attempts (step, created_at);

-- Meta's word by webhook that a WABA was shared with us.
CREATE TABLE partner_events (
    id TEXT NOT NULL PRIMARY KEY,
    event TEXT NOT NULL,
    waba_id TEXT NOT NULL,
    business_id TEXT,
    -- When it happened, by Meta's word; a webhook may be redelivered days later.
    told_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL
);
CREATE INDEX partner_events_by_waba ON partner_events (waba_id, told_at);

-- What Meta posted, kept before it is answered.
CREATE TABLE webhook_deliveries (
    id TEXT NOT NULL PRIMARY KEY,
    received_at BIGINT NOT NULL,
    body TEXT NOT NULL,
    processed_at BIGINT,
    error TEXT
);
CREATE INDEX webhook_deliveries_unprocessed ON webhook_deliveries (processed_at, received_at);

-- Who did what; names live elsewhere.
CREATE TABLE audit_log (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    actor_user_id TEXT,
    customer_id TEXT,
    action TEXT NOT NULL,
    subject TEXT,
    detail TEXT
);
CREATE INDEX audit_log_by_customer ON audit_log (customer_id, at);
