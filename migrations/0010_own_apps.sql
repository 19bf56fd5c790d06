-- Meta apps that customers bring: a connection made by hand with a token of such an app, and webhooks that come to an
-- address of that connection's own.

-- Whether the connection's token is of an app of the customer's, and not of the operator's.
ALTER TABLE connections ADD COLUMN is_own_app BOOLEAN NOT NULL DEFAULT FALSE;

-- Since when it must be connected again; null: it need not, or that was not written down yet.
ALTER TABLE connections ADD COLUMN stale_since BIGINT;

-- Gone as soon as the connection is over.
CREATE TABLE own_apps (
    -- The connection's.
    id TEXT NOT NULL PRIMARY KEY REFERENCES connections (id) ON DELETE CASCADE,
    -- What the callback's address ends with.
    callback_key TEXT NOT NULL UNIQUE,
    -- The word of its handshake.
    verify_token_sealed TEXT NOT NULL,
    -- Null where the customer gave none.
    app_id TEXT,
    app_secret_sealed TEXT,
    -- The secret before, while Meta may still sign with it.
    old_secret_sealed TEXT,
    old_secret_until BIGINT,
    -- When Meta last verified the callback.
    handshake_at BIGINT,
    -- When something last came to it that the secret had not signed.
    refused_at BIGINT,
    -- When something last came to it that is about accounts which are not this connection's.
    left_out_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Whether the customer's app was subscribed to the account's webhooks here, so that this is undone with the connection.
-- Null: it is the operator's app.
ALTER TABLE wabas ADD COLUMN own_app_subscribed_here BOOLEAN;

-- Of whose own app's address a body came to; null: it came to the operator's.
ALTER TABLE intake ADD COLUMN own_customer_id TEXT;
ALTER TABLE intake ADD COLUMN own_connection_id TEXT;
