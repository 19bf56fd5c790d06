-- How each number shows itself, as last read at Meta.
CREATE TABLE business_profiles (
    phone_number_id TEXT NOT NULL PRIMARY KEY REFERENCES phone_numbers (phone_number_id) ON DELETE CASCADE,
    -- JSON: the texts, the line of business, and which photo.
    profile TEXT NOT NULL,
    -- Where Meta has the photo; the address ends some time.
    picture_url TEXT,
    read_at BIGINT NOT NULL
);

-- What changed of a profile, and by whom: here, or elsewhere (on the phone, at Meta).
CREATE TABLE profile_changes (
    id TEXT NOT NULL PRIMARY KEY,
    phone_number_id TEXT NOT NULL REFERENCES phone_numbers (phone_number_id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    -- Null: elsewhere.
    user_id TEXT,
    -- JSON: for each field what was and what is.
    changes TEXT NOT NULL
);
CREATE INDEX profile_changes_by_number ON profile_changes (phone_number_id, at);

-- Photos that were chosen and are not at Meta yet: kept for a day, so that a form can be shown again.
CREATE TABLE profile_pictures (
    id TEXT NOT NULL PRIMARY KEY,
    phone_number_id TEXT NOT NULL REFERENCES phone_numbers (phone_number_id) ON DELETE CASCADE,
    mime_type TEXT NOT NULL,
    -- Base64.
    content TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX profile_pictures_by_number ON profile_pictures (phone_number_id);
CREATE INDEX profile_pictures_by_age ON profile_pictures (created_at);

-- The last time that another number's profile was to be this number's too.
CREATE TABLE profile_copies (
    phone_number_id TEXT NOT NULL PRIMARY KEY REFERENCES phone_numbers (phone_number_id) ON DELETE CASCADE,
    source_id TEXT NOT NULL REFERENCES phone_numbers (phone_number_id) ON DELETE CASCADE,
    connection_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    -- JSON.
    profile TEXT NOT NULL,
    -- The photo that goes with it; null where there is none.
    picture_id TEXT,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'failed')),
    -- Why it failed: in words, and by Meta's.
    reason TEXT,
    detail TEXT,
    tries BIGINT NOT NULL DEFAULT 0,
    at BIGINT NOT NULL
);
CREATE INDEX profile_copies_by_source ON profile_copies (source_id);
