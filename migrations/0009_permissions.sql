-- The record of calls to Graph: what was asked and what came of it; no token, no query, no body. Kept for some weeks.
CREATE TABLE graph_calls (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    -- Whose token it was made with, where known.
    connection_id TEXT,
    -- For whom it was made, where known; also of calls of a signup, before there is a connection.
    customer_id TEXT,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    -- Null: no answer came.
    status BIGINT,
    code BIGINT,
    subcode BIGINT,
    fbtrace_id TEXT,
    duration_ms BIGINT NOT NULL,
    -- Why it did not succeed, in short.
    error TEXT
);
CREATE INDEX graph_calls_by_connection ON graph_calls (connection_id, at);
CREATE INDEX graph_calls_by_customer ON graph_calls (customer_id, at, id);
-- Those that failed are few among many.
CREATE INDEX graph_calls_failed ON graph_calls (customer_id, at, id) WHERE error IS NOT NULL;
CREATE INDEX graph_calls_by_age ON graph_calls (at);

-- What was found when a connection's permissions were looked at: each look that somebody asked for, and of those in the
-- background the ones that found a change.
CREATE TABLE permission_checks (
    id TEXT NOT NULL PRIMARY KEY,
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    customer_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    -- Who asked for it; null: in the background.
    by_user TEXT,
    -- 'asked', 'schedule', 'doubt', 'reconnect'.
    cause TEXT NOT NULL,
    -- JSON: how it stood as far as was known, and how it stands.
    before TEXT NOT NULL,
    after TEXT,
    -- JSON array of what changed.
    changes TEXT NOT NULL
);
CREATE INDEX permission_checks_by_connection ON permission_checks (connection_id, at);
CREATE INDEX permission_checks_by_customer ON permission_checks (customer_id, at, id);

-- When a connection was looked at last, and how the renewal of its token goes.
ALTER TABLE connections ADD COLUMN checked_at BIGINT;
ALTER TABLE connections ADD COLUMN token_renewed_at BIGINT;
ALTER TABLE connections ADD COLUMN renewal_tries BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN renewal_error TEXT;

-- Since when the connection's token does not open the account.
ALTER TABLE wabas ADD COLUMN closed_at BIGINT;
-- Since when Meta does not send us its webhooks any more; null: it does, or never did.
ALTER TABLE wabas ADD COLUMN unsubscribed_at BIGINT;

-- Single-use links that lead a customer's member to connect the same connection again.
CREATE TABLE reconnect_links (
    id TEXT NOT NULL PRIMARY KEY,
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    customer_id TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    -- While the link is good, so that it can be mailed and copied.
    token_sealed TEXT,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    used_by TEXT,
    revoked_at BIGINT,
    -- To whom it is mailed; null: it is copied.
    email TEXT,
    -- 'queued', 'sent', 'failed'.
    mail_state TEXT,
    mail_at BIGINT,
    mail_error TEXT
);
CREATE INDEX reconnect_links_by_connection ON reconnect_links (connection_id, created_at);

-- JSON: which connection an attempt is to connect again, by which link, and what was decided where another account
-- came back.
ALTER TABLE signup_attempts ADD COLUMN reconnect TEXT;
