-- People, invites, the backoffice's settings; an audit log that survives the erasure of a person.

-- Null until the person has confirmed an authenticator app.
ALTER TABLE users ADD COLUMN totp_sealed TEXT;
-- Shown to the person, but not confirmed by a code yet.
ALTER TABLE users ADD COLUMN totp_pending_sealed TEXT;
-- The time step of the code that was accepted last: it is not accepted again.
ALTER TABLE users ADD COLUMN totp_step BIGINT;
ALTER TABLE users ADD COLUMN totp_since BIGINT;
ALTER TABLE users ADD COLUMN seen_at BIGINT;
-- Removed by an admin: the row stays without name, address and password, for what refers to it.
ALTER TABLE users ADD COLUMN removed_at BIGINT;
CREATE INDEX users_by_role ON users (role, created_at);

-- What lets a person in who lost their authenticator, each once.
CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    code_hash TEXT NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (user_id, code_hash)
);

-- Wrong guesses at passwords and codes: by account (a hash of what was typed, so that it says nothing about
-- who exists) and by network address.
CREATE TABLE guesses (
    subject TEXT NOT NULL PRIMARY KEY,
    -- When all of them are forgotten; each wrong guess moves it on by a fixed time.
    forgotten_at BIGINT NOT NULL,
    blocked_until BIGINT
);
CREATE INDEX guesses_by_age ON guesses (forgotten_at);

ALTER TABLE customers ADD COLUMN suspended_at BIGINT;
-- It is being deleted: nobody gets in, and a job does the rest.
ALTER TABLE customers ADD COLUMN deleting_at BIGINT;
-- JSON: what is known of the business, to fill in Embedded Signup's screens.
ALTER TABLE customers ADD COLUMN details TEXT;
-- The name in lower case, to sort by; filled by the portal, as lower() knows ASCII only on SQLite.
ALTER TABLE customers ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
-- Its name and its members' names and addresses in lower case, to search in; '' until the portal has filled it.
-- Cut to what an index entry takes; the whole stands in search_more where something was cut.
ALTER TABLE customers ADD COLUMN search_key TEXT NOT NULL DEFAULT '';
ALTER TABLE customers ADD COLUMN search_more TEXT;
-- How its connections stand, all in all: kept with them, so that a list of customers needs no other table.
ALTER TABLE customers ADD COLUMN connection_state TEXT NOT NULL DEFAULT 'none'
    CHECK (connection_state IN ('none', 'active', 'needs_reconnect'));
UPDATE customers SET connection_state = 'active' WHERE id IN
    (SELECT customer_id FROM connections WHERE state = 'active');
UPDATE customers SET connection_state = 'needs_reconnect' WHERE id IN
    (SELECT customer_id FROM connections WHERE state = 'needs_reconnect');
-- Each order of the list with all that it is filtered by: one walk along an index answers every page.
CREATE INDEX customers_by_age ON customers
    (created_at, id, search_key, connection_state, suspended_at, deleting_at);
CREATE INDEX customers_by_name ON customers
    (name_key, id, search_key, connection_state, suspended_at, deleting_at);
-- To count by, without walking those.
CREATE INDEX customers_by_connection ON customers (connection_state);
CREATE INDEX customers_shut_out ON customers (suspended_at) WHERE suspended_at IS NOT NULL OR deleting_at IS NOT NULL;
CREATE INDEX customers_to_search_further ON customers (id) WHERE search_more IS NOT NULL;
CREATE INDEX customers_without_search_key ON customers (id) WHERE search_key = '';

-- Single-use links by which people get in: invites, and new passwords.
CREATE TABLE invites (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('invite', 'reset')),
    -- SHA-256 of the link's secret part.
    token_hash TEXT NOT NULL UNIQUE,
    -- The secret part itself while the link is good, for the mail and for copying; null afterwards.
    token_sealed TEXT,
    -- In lower case.
    email TEXT NOT NULL,
    name TEXT,
    role TEXT NOT NULL CHECK (role IN ('admin', 'support', 'customer')),
    customer_id TEXT REFERENCES customers (id),
    -- Whose password it is, for a reset; who came of it, for an invite that was used.
    user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
    -- Null where somebody asked for a new password themselves.
    created_by TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    revoked_at BIGINT,
    -- Null: not to be mailed.
    mail_state TEXT CHECK (mail_state IN ('queued', 'sent', 'failed')),
    mail_at BIGINT,
    mail_error TEXT
);
CREATE INDEX invites_by_customer ON invites (customer_id, created_at);
CREATE INDEX invites_by_email ON invites (email, created_at);
CREATE INDEX invites_by_user ON invites (user_id);

-- From where people came: personal data, so beside the audit log and not in it.
CREATE TABLE origins (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT,
    address TEXT NOT NULL
);
CREATE UNIQUE INDEX origins_of ON origins (user_id, address);

ALTER TABLE audit_log ADD COLUMN origin_id TEXT;
CREATE INDEX audit_log_by_time ON audit_log (at, id);
CREATE INDEX audit_log_by_actor ON audit_log (actor_user_id, at, id);
CREATE INDEX audit_log_by_action ON audit_log (action, at, id);
CREATE INDEX audit_log_by_subject ON audit_log (subject, at, id);
DROP INDEX audit_log_by_customer;
CREATE INDEX audit_log_by_customer ON audit_log (customer_id, at, id);

-- What the admin set in the backoffice; one row. What the environment sets wins.
CREATE TABLE meta_settings (
    id TEXT NOT NULL PRIMARY KEY CHECK (id = 'meta'),
    app_id TEXT,
    app_secret_sealed TEXT,
    -- The app secret before, while Meta may still sign with it.
    old_secret_sealed TEXT,
    old_secret_until BIGINT,
    es_config_id TEXT,
    verify_token_sealed TEXT,
    graph_version TEXT,
    system_token_sealed TEXT,
    business_id TEXT,
    -- Counts every change: other processes learn from it that there is something new.
    version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- What the configuration check found last; one row.
CREATE TABLE meta_checks (
    id TEXT NOT NULL PRIMARY KEY CHECK (id = 'last'),
    at BIGINT NOT NULL,
    -- A JSON array.
    findings TEXT NOT NULL
);

-- What an admin ticked on the go-live list.
CREATE TABLE go_live_ticks (
    item TEXT NOT NULL PRIMARY KEY,
    ticked_by TEXT,
    ticked_at BIGINT NOT NULL
);

-- The one-time code that creates the first admin; one row until it is used.
CREATE TABLE setup_codes (
    id TEXT NOT NULL PRIMARY KEY CHECK (id = 'first'),
    code_sealed TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- How it ended, in a word that the funnel counts: 'connected', 'screen:<Meta's name>', 'closed', 'silent', or
-- the reason of a failure. Null while it has not ended.
ALTER TABLE signup_attempts ADD COLUMN ended_as TEXT;
UPDATE signup_attempts SET ended_as = 'connected' WHERE step = 'done';
-- What failed before this column was there: the reason stands first in the JSON, the screen within it.
UPDATE signup_attempts SET ended_as = coalesce(
    (SELECT 'screen:' || s.name FROM (
        SELECT 'BUSINESS_ACCOUNT_SELECTION' AS name UNION ALL SELECT 'WABA_PHONE_PROFILE_PICKER'
        UNION ALL SELECT 'WHATSAPP_BUSINESS_PROFILE_SETUP' UNION ALL SELECT 'PHONE_NUMBER_SETUP'
        UNION ALL SELECT 'PHONE_NUMBER_VERIFICATION' UNION ALL SELECT 'PERMISSIONS') s
     WHERE signup_attempts.failure LIKE '{"reason":"cancelled"%"screen":"' || s.name || '"%'),
    (SELECT CASE WHEN r.name <> 'cancelled' THEN r.name
                 WHEN signup_attempts.window_closed_at IS NULL THEN 'silent' ELSE 'closed' END
     FROM (
        SELECT 'cancelled' AS name UNION ALL SELECT 'facebook_error' UNION ALL SELECT 'operator_not_verified'
        UNION ALL SELECT 'no_whatsapp_permission' UNION ALL SELECT 'no_account' UNION ALL SELECT 'invalid_scopes'
        UNION ALL SELECT 'code_expired' UNION ALL SELECT 'code_used' UNION ALL SELECT 'code_missing'
        UNION ALL SELECT 'operator_misconfigured' UNION ALL SELECT 'meta_unavailable' UNION ALL SELECT 'claimed'
        UNION ALL SELECT 'access_not_proven' UNION ALL SELECT 'token_revoked' UNION ALL SELECT 'wrong_app'
        UNION ALL SELECT 'subscribe_failed' UNION ALL SELECT 'denied' UNION ALL SELECT 'timed_out') r
     WHERE signup_attempts.failure LIKE '{"reason":"' || r.name || '"%'),
    'internal') WHERE step = 'failed';
-- All that the funnel counts, so that it need not read the attempts themselves.
CREATE INDEX signup_attempts_by_age ON signup_attempts (created_at, ended_as, step, code_received_at, customer_id);
CREATE INDEX signup_attempts_by_end ON signup_attempts (ended_as, created_at, id);
-- With which Facebook Login for Business configuration it was begun: one that brought a customer is good.
ALTER TABLE signup_attempts ADD COLUMN es_config_id TEXT;
CREATE INDEX signup_attempts_by_config ON signup_attempts (es_config_id, step);
CREATE INDEX connections_by_age ON connections (created_at);
