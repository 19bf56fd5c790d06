-- What is read of templates beside what webhooks tell of them.

-- Header, body, footer, buttons: JSON as Meta gave it, with whatever nobody knows yet.
ALTER TABLE message_templates ADD COLUMN components TEXT;
-- POSITIONAL or NAMED.
ALTER TABLE message_templates ADD COLUMN parameter_format TEXT;
ALTER TABLE message_templates ADD COLUMN sub_category TEXT;
-- What Meta made another category of.
ALTER TABLE message_templates ADD COLUMN previous_category TEXT;
-- What Meta recommends where it explains a rejection.
ALTER TABLE message_templates ADD COLUMN recommended TEXT;
-- Its words in small letters: name, header, body, footer. For searching.
ALTER TABLE message_templates ADD COLUMN words TEXT;
-- When it was read from Meta last.
ALTER TABLE message_templates ADD COLUMN read_at BIGINT;
CREATE INDEX message_templates_by_change ON message_templates (waba_id, updated_at);

-- How reading all templates of an account goes.
CREATE TABLE template_syncs (
    waba_id TEXT NOT NULL PRIMARY KEY REFERENCES wabas (waba_id) ON DELETE CASCADE,
    -- queued, reading, done, failed
    state TEXT NOT NULL,
    started_at BIGINT,
    -- Of the last that came to its end.
    finished_at BIGINT,
    -- Read so far, or by the last.
    read_count BIGINT NOT NULL DEFAULT 0,
    added BIGINT NOT NULL DEFAULT 0,
    changed BIGINT NOT NULL DEFAULT 0,
    gone BIGINT NOT NULL DEFAULT 0,
    -- Why it did not come to its end: JSON.
    error TEXT,
    -- How often it failed since it last came to its end.
    failures BIGINT NOT NULL DEFAULT 0,
    -- When it is due by itself.
    next_at BIGINT NOT NULL
);
CREATE INDEX template_syncs_by_next ON template_syncs (next_at);

-- What was done to templates here: Meta counts creations, edits and names of deleted ones.
CREATE TABLE template_acts (
    id TEXT NOT NULL PRIMARY KEY,
    waba_id TEXT NOT NULL REFERENCES wabas (waba_id) ON DELETE CASCADE,
    template_id TEXT,
    name TEXT NOT NULL,
    -- created, edited (while approved), deleted
    act TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX template_acts_by_waba ON template_acts (waba_id, act, at);

-- What was decided about templates, as it was told by webhooks or found by reading: each row is a change.
CREATE TABLE template_decisions (
    id TEXT NOT NULL PRIMARY KEY,
    waba_id TEXT NOT NULL REFERENCES wabas (waba_id) ON DELETE CASCADE,
    template_id TEXT NOT NULL,
    name TEXT NOT NULL,
    language TEXT NOT NULL,
    at BIGINT NOT NULL,
    -- status, quality, category, next_category
    what TEXT NOT NULL,
    value TEXT NOT NULL,
    -- Why, by Meta's word, and in its sentence.
    reason TEXT,
    explained TEXT
);
CREATE INDEX template_decisions_by_waba ON template_decisions (waba_id, at, id);
CREATE INDEX template_decisions_by_template ON template_decisions (template_id, what, at);
