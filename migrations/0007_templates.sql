-- What is read of templates beside what webhooks tell of them.

-- By account and ID: webhooks to a customer's own app are signed by that customer, who may name any ID. Such a row stands
-- beside that of the account which really has the template, and never in its place.
DROP INDEX message_templates_by_waba;
ALTER TABLE message_templates RENAME TO message_templates_before;
CREATE TABLE message_templates (
    waba_id TEXT NOT NULL REFERENCES wabas (waba_id) ON DELETE CASCADE,
    -- Meta's ID.
    template_id TEXT NOT NULL,
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
    -- What Meta recommends where it explains a rejection.
    recommended TEXT,
    -- What Meta will make of its category, and when.
    next_category TEXT,
    next_category_at BIGINT,
    -- What Meta made another category of.
    previous_category TEXT,
    sub_category TEXT,
    -- POSITIONAL or NAMED.
    parameter_format TEXT,
    -- Header, body, footer, buttons: JSON as Meta gave it, with whatever nobody knows yet.
    components TEXT,
    -- Its words in small letters: name, header, body, footer. For searching.
    words TEXT,
    -- When it was read from Meta last.
    read_at BIGINT,
    updated_at BIGINT NOT NULL,
    -- Whether it was approved before it got the status that it has: Meta blocks the names of such for a while.
    was_approved BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (waba_id, template_id)
);
INSERT INTO message_templates (waba_id, template_id, name, language, status, category, quality, reason, status_told_at,
        category_told_at, quality_told_at, explained, next_category, next_category_at, updated_at)
    SELECT waba_id, template_id, name, language, status, category, quality, reason, status_told_at, category_told_at,
        quality_told_at, explained, next_category, next_category_at, updated_at FROM message_templates_before;
DROP TABLE message_templates_before;
CREATE INDEX message_templates_by_waba ON message_templates (waba_id, name);
CREATE INDEX message_templates_by_change ON message_templates (waba_id, updated_at);

-- How reading all templates of an account goes.
CREATE TABLE template_syncs (
    waba_id TEXT NOT NULL PRIMARY KEY REFERENCES wabas (waba_id) ON DELETE CASCADE,
    -- queued, reading, waiting (for Meta's limits), done, failed
    state TEXT NOT NULL,
    started_at BIGINT,
    -- Of the last that came to its end.
    finished_at BIGINT,
    -- Read so far, or by the last.
    read_count BIGINT NOT NULL DEFAULT 0,
    -- How many were known when it began.
    expected BIGINT NOT NULL DEFAULT 0,
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
    -- created, edited (while approved), deleted (approved once: its name is blocked), dropped (never approved)
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
