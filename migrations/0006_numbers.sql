-- What Doorway keeps of a customer's number for as long as they are its customer, whatever account it is in and whatever
-- ID Meta gives it there: a number that moves to another account comes with a new ID, and its history follows.
CREATE TABLE number_files (
    id TEXT NOT NULL PRIMARY KEY,
    customer_id TEXT NOT NULL REFERENCES customers (id),
    -- In E.164: +442079460958.
    number TEXT NOT NULL,
    -- The ID that it has, or had last.
    phone_number_id TEXT NOT NULL,
    -- When it came with this ID after it had another.
    moved_at BIGINT,
    -- What is being done with it, or was done last: register, again, rename, deregister.
    task TEXT CHECK (task IN ('register', 'again', 'rename', 'deregister')),
    -- How far that is: see phone_numbers/file.rs.
    stage TEXT CHECK (stage IN ('asked', 'waiting_name', 'waiting', 'failed', 'done')),
    stage_since BIGINT,
    -- When it goes on by itself, or can be tried again.
    next_at BIGINT,
    -- How often the display name was looked at.
    polls BIGINT NOT NULL DEFAULT 0,
    -- JSON: why it failed, or what is being waited out.
    failure TEXT,
    -- The country in which messages are to be kept.
    region TEXT,
    -- The one that Meta was told.
    region_set TEXT,
    -- Until when Meta looks at no PIN, after too many wrong ones.
    pin_locked_until BIGINT,
    -- The display name that was asked for.
    wanted_name TEXT,
    -- When a verification code was sent to the number last.
    code_sent_at BIGINT,
    created_at BIGINT NOT NULL,
    UNIQUE (customer_id, number)
);
CREATE INDEX number_files_by_phone_number ON number_files (phone_number_id);

-- The PINs of two-step verification, each kept before it is sent to Meta.
CREATE TABLE number_pins (
    id TEXT NOT NULL PRIMARY KEY,
    file_id TEXT NOT NULL REFERENCES number_files (id) ON DELETE CASCADE,
    pin_sealed TEXT NOT NULL,
    -- Whether Doorway made it; otherwise somebody typed it.
    is_made BOOLEAN NOT NULL,
    -- kept: not sent yet; sent: Meta's answer is not known; right: it took it; stale: it was changed elsewhere since.
    state TEXT NOT NULL CHECK (state IN ('kept', 'sent', 'right', 'stale')),
    changed_at BIGINT NOT NULL
);
CREATE INDEX number_pins_by_file ON number_pins (file_id, changed_at);

-- Calls that Meta counts: ten registrations and ten ends of one in 72 hours.
CREATE TABLE number_tries (
    id TEXT NOT NULL PRIMARY KEY,
    file_id TEXT NOT NULL REFERENCES number_files (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('register', 'deregister')),
    at BIGINT NOT NULL,
    -- Null while it is not known: ok, or Meta's code.
    outcome TEXT
);
CREATE INDEX number_tries_by_file ON number_tries (file_id, kind, at);

-- What was read of a number, where it differs from the reading before, and once a day at least.
CREATE TABLE number_readings (
    file_id TEXT NOT NULL REFERENCES number_files (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    quality_rating TEXT,
    messaging_limit TEXT,
    throughput_level TEXT,
    status TEXT,
    name_status TEXT,
    -- Whether messages can be sent: AVAILABLE, LIMITED or BLOCKED, as read last.
    can_send TEXT,
    -- JSON: addresses of the number's own or its account's to which webhooks go instead of the app's.
    webhooks TEXT,
    -- Whether it is other than the reading before.
    is_change BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (file_id, at)
);
CREATE INDEX number_readings_changes ON number_readings (file_id, at) WHERE is_change;

-- What the WhatsApp Business app brings of a number that it uses as well: once for each time it is connected.
CREATE TABLE number_syncs (
    phone_number_id TEXT NOT NULL PRIMARY KEY,
    file_id TEXT NOT NULL REFERENCES number_files (id) ON DELETE CASCADE,
    -- The 24 hours count from here.
    onboarded_at BIGINT NOT NULL,
    contacts_request TEXT,
    contacts_asked_at BIGINT,
    contacts_told_at BIGINT,
    contacts_count BIGINT NOT NULL DEFAULT 0,
    history_request TEXT,
    history_asked_at BIGINT,
    history_told_at BIGINT,
    -- Of a hundred.
    history_progress BIGINT,
    history_phase BIGINT,
    history_declined_at BIGINT,
    -- JSON: why Meta did not take a request.
    failure TEXT
);
CREATE INDEX number_syncs_by_file ON number_syncs (file_id);

-- The name that was asked for instead of the one that is shown, and Meta's word on it.
ALTER TABLE phone_numbers ADD COLUMN new_name TEXT;
ALTER TABLE phone_numbers ADD COLUMN new_name_status TEXT;
ALTER TABLE phone_numbers ADD COLUMN onboarded_at BIGINT;
-- JSON: where its webhooks go.
ALTER TABLE phone_numbers ADD COLUMN webhooks TEXT;
-- When all of it was read, its health too (the account's list leaves some out); where that failed, the moment from
-- which the next reading counts.
ALTER TABLE phone_numbers ADD COLUMN whole_read_at BIGINT;
