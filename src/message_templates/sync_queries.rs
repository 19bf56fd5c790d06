//! SQL of reading templates from Meta.

use super::{
    components,
    decisions::{Decision, What},
    model::language_code,
    sync::Sync,
};
use crate::{
    base::{clock::to_ms, ids::WabaId, text::shorten},
    graph::{GraphError, MessageTemplate},
    store::{Arg, Reads, Result, Row, Rows, WriteTx, query},
};
use std::collections::HashMap;
use time::OffsetDateTime;

/// What one reading found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub read: i64,
    pub added: i64,
    pub changed: i64,
    pub gone: i64,
}

/// What is compared of a template with what was read before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    name: String,
    language: String,
    status: Option<String>,
    category: Option<String>,
    quality: Option<String>,
    reason: Option<String>,
    parameter_format: Option<String>,
    components: Option<String>,
}

impl Known {
    pub fn of(template: &MessageTemplate) -> Self {
        let word =
            |text: &Option<String>| text.as_deref().filter(|text| !text.is_empty()).map(|text| shorten(text, 80));
        Self {
            name: shorten(&template.name, 512),
            language: shorten(&language_code(&template.language), 40),
            status: word(&template.status),
            category: word(&template.category),
            quality: word(&template.quality_score.as_ref().and_then(|quality| quality.score.clone())),
            reason: word(&template.rejected_reason).filter(|reason| reason != "NONE"),
            parameter_format: word(&template.parameter_format),
            components: serde_json::to_string(&template.components).ok(),
        }
    }

    /// Whether something is other than before. What an older version of the API does not tell has not changed, nor
    /// has a reason that only a webhook told.
    pub fn differs(&self, now: &Self) -> bool {
        let other = |before: &Option<String>, now: &Option<String>| now.is_some() && before != now;
        let flagged = matches!(self.status.as_deref(), Some("FLAGGED" | "LOCKED" | "REINSTATED"));
        self.name != now.name
            || self.language != now.language
            || (other(&self.status, &now.status) && !(flagged && now.status.as_deref() == Some("APPROVED")))
            || other(&self.category, &now.category)
            || other(&self.quality, &now.quality)
            || other(&self.reason, &now.reason)
            || other(&self.parameter_format, &now.parameter_format)
            || other(&self.components, &now.components)
    }
}

impl Known {
    /// What was decided since, by the words that differ; of what webhooks alone tell nothing.
    pub fn decided(&self, now: &Self) -> Vec<(What, String)> {
        let other = |before: &Option<String>, is: &Option<String>| {
            before.as_ref().and(is.as_ref()).filter(|_| before != is).cloned()
        };
        let flagged = matches!(self.status.as_deref(), Some("FLAGGED" | "LOCKED" | "REINSTATED"));
        let status = other(&self.status, &now.status).filter(|status| !(flagged && status == "APPROVED"));
        [
            (What::Status, status),
            (What::Quality, other(&self.quality, &now.quality)),
            (What::Category, other(&self.category, &now.category)),
        ]
        .into_iter()
        .filter_map(|(what, value)| Some((what, value?)))
        .collect()
    }

    /// One of these, to be kept.
    pub fn decision<'a>(
        &'a self,
        waba: &'a WabaId,
        template: &'a str,
        what: What,
        value: &'a str,
        at: OffsetDateTime,
    ) -> Decision<'a> {
        let reason = self.reason.clone().filter(|_| what == What::Status);
        Decision {
            waba,
            template,
            name: &self.name,
            language: &self.language,
            at,
            what,
            value,
            reason,
            explained: None,
        }
    }
}

fn known_row(row: &Row) -> Result<Known> {
    Ok(Known {
        name: row.text("name")?,
        language: row.text("language")?,
        status: row.opt_text("status")?,
        category: row.opt_text("category")?,
        quality: row.opt_text("quality")?,
        reason: row.opt_text("reason")?,
        parameter_format: row.opt_text("parameter_format")?,
        components: row.opt_text("components")?,
    })
}

/// What is known of an account's templates, by ID.
pub(super) async fn known(db: &mut impl Reads, waba: &WabaId) -> Result<HashMap<String, Known>> {
    let all = query("SELECT * FROM message_templates WHERE waba_id = $1").bind(waba);
    Ok(all.all(db, |row| Ok((row.text("template_id")?, known_row(row)?))).await?.into_iter().collect())
}

/// The same of one.
pub(super) async fn known_one(db: &mut impl Reads, id: &str) -> Result<Option<Known>> {
    query("SELECT * FROM message_templates WHERE template_id = $1").bind(id).optional(db, known_row).await
}

/// A template's row. A webhook that told of it later than we asked knows better; what webhooks alone tell (flagged,
/// locked, why it was rejected) stays as long as Meta's list does not contradict it.
static UPSERT: Rows = Rows::new(
    "INSERT INTO message_templates (template_id, waba_id, name, language, status, category, quality, reason, \
     previous_category, sub_category, parameter_format, components, words, next_category, read_at, updated_at) VALUES",
    16,
    " ON CONFLICT (template_id) DO UPDATE SET name = excluded.name, language = excluded.language, \
     status = CASE WHEN coalesce(message_templates.status_told_at, 0) + 1000 > excluded.read_at THEN message_templates.status \
      WHEN excluded.status = 'APPROVED' AND message_templates.status IN ('FLAGGED', 'LOCKED') THEN message_templates.status \
      ELSE coalesce(excluded.status, message_templates.status) END, \
     reason = CASE WHEN coalesce(message_templates.status_told_at, 0) + 1000 > excluded.read_at THEN message_templates.reason \
      WHEN excluded.status = message_templates.status THEN coalesce(excluded.reason, message_templates.reason) \
      ELSE excluded.reason END, \
     explained = CASE WHEN excluded.status = message_templates.status OR message_templates.status IN ('FLAGGED', 'LOCKED') \
      OR coalesce(message_templates.status_told_at, 0) + 1000 > excluded.read_at THEN message_templates.explained ELSE NULL END, \
     recommended = CASE WHEN excluded.status = message_templates.status \
      OR coalesce(message_templates.status_told_at, 0) + 1000 > excluded.read_at THEN message_templates.recommended ELSE NULL END, \
     category = CASE WHEN coalesce(message_templates.category_told_at, 0) + 1000 > excluded.read_at THEN message_templates.category \
      ELSE coalesce(excluded.category, message_templates.category) END, \
     next_category = CASE WHEN coalesce(message_templates.category_told_at, 0) + 1000 > excluded.read_at \
      OR message_templates.category = excluded.category THEN message_templates.next_category ELSE NULL END, \
     next_category_at = CASE WHEN coalesce(message_templates.category_told_at, 0) + 1000 > excluded.read_at \
      OR message_templates.category = excluded.category THEN message_templates.next_category_at ELSE NULL END, \
     quality = CASE WHEN coalesce(message_templates.quality_told_at, 0) + 1000 > excluded.read_at THEN message_templates.quality \
      ELSE coalesce(excluded.quality, message_templates.quality) END, \
     previous_category = coalesce(excluded.previous_category, message_templates.previous_category), \
     sub_category = coalesce(excluded.sub_category, message_templates.sub_category), \
     parameter_format = coalesce(excluded.parameter_format, message_templates.parameter_format), \
     components = excluded.components, words = excluded.words, read_at = excluded.read_at, \
     updated_at = CASE WHEN excluded.updated_at = 0 THEN message_templates.updated_at ELSE excluded.updated_at END \
     WHERE message_templates.waba_id = excluded.waba_id",
);

/// The values of one row; `changed_at` where it is new or changed.
pub(super) fn row(
    waba: &WabaId,
    template: &MessageTemplate,
    now: &Known,
    read_at: OffsetDateTime,
    changed_at: Option<i64>,
) -> Vec<Arg> {
    let word = |text: &Option<String>| text.as_deref().filter(|text| !text.is_empty()).map(|text| shorten(text, 80));
    vec![
        Arg::from(&template.id),
        waba.into(),
        now.name.clone().into(),
        now.language.clone().into(),
        now.status.clone().into(),
        now.category.clone().into(),
        now.quality.clone().into(),
        now.reason.clone().into(),
        word(&template.previous_category).into(),
        word(&template.sub_category).into(),
        now.parameter_format.clone().into(),
        now.components.clone().into(),
        words(&now.name, &template.components).into(),
        Arg::Text(None),
        read_at.into(),
        changed_at.unwrap_or(0).into(),
    ]
}

/// What is searched in.
pub(super) fn words(name: &str, all: &[serde_json::Value]) -> String {
    let text = |kind| components::text(all, kind).unwrap_or_default();
    let words = [name, text("HEADER"), text("BODY"), text("FOOTER")].join("\n");
    shorten(&words.to_lowercase(), 4_000)
}

pub(super) async fn upsert(tx: &mut WriteTx, rows: Vec<Arg>) -> Result<()> {
    UPSERT.execute(tx, rows).await
}

/// For how long what a webhook told of, and the list does not have yet, is kept.
const NEWS_LAST: time::Duration = time::Duration::minutes(10);

/// Takes away what Meta did not name since then; how many those were.
pub(super) async fn drop_unseen(tx: &mut WriteTx, waba: &WabaId, since: OffsetDateTime) -> Result<i64> {
    let dropped = query(
        "DELETE FROM message_templates WHERE waba_id = $1 AND coalesce(read_at, 0) < $2 \
         AND (status = 'DELETED' OR updated_at < $3 OR (updated_at < $2 AND read_at IS NOT NULL))",
    )
    .bind(waba)
    .bind(since)
    .bind(since - NEWS_LAST)
    .execute(tx)
    .await?;
    Ok(i64::try_from(dropped).unwrap_or(i64::MAX))
}

/// Marks an account as asked for.
pub(super) async fn queued(tx: &mut WriteTx, waba: &WabaId, now: OffsetDateTime) -> Result<()> {
    query(
        "INSERT INTO template_syncs (waba_id, state, next_at) SELECT waba_id, 'queued', $2 FROM wabas WHERE waba_id = $1 \
         ON CONFLICT (waba_id) DO UPDATE SET \
         state = CASE WHEN template_syncs.state = 'reading' THEN 'reading' ELSE 'queued' END, failures = 0",
    )
    .bind(waba)
    .bind(to_ms(now))
    .execute(tx)
    .await?;
    Ok(())
}

/// Marks an account as planned, so that it is not planned again.
pub(super) async fn planned(tx: &mut WriteTx, waba: &WabaId, next: OffsetDateTime) -> Result<()> {
    query(
        "INSERT INTO template_syncs (waba_id, state, next_at) VALUES ($1, 'queued', $2) \
         ON CONFLICT (waba_id) DO UPDATE SET next_at = excluded.next_at, failures = 0",
    )
    .bind(waba)
    .bind(next)
    .execute(tx)
    .await?;
    Ok(())
}

/// Accounts that are due: those that were never read, and those whose time has come.
pub(super) async fn due(db: &mut impl Reads, now: OffsetDateTime, limit: i64) -> Result<Vec<WabaId>> {
    query(
        "SELECT w.waba_id FROM wabas w LEFT JOIN template_syncs s ON s.waba_id = w.waba_id \
         WHERE s.waba_id IS NULL OR s.next_at <= $1 ORDER BY coalesce(s.next_at, 0), w.waba_id LIMIT $2",
    )
    .bind(now)
    .bind(limit)
    .all(db, |row| row.parse("waba_id"))
    .await
}

/// Begins; false where the account is nobody's any more.
pub(super) async fn begin(tx: &mut WriteTx, waba: &WabaId, now: OffsetDateTime, next: OffsetDateTime) -> Result<bool> {
    let begun = query(
        "INSERT INTO template_syncs (waba_id, state, started_at, next_at) \
         SELECT waba_id, 'reading', $2, $3 FROM wabas WHERE waba_id = $1 \
         ON CONFLICT (waba_id) DO UPDATE SET state = 'reading', started_at = excluded.started_at, read_count = 0, \
         next_at = excluded.next_at",
    )
    .bind(waba)
    .bind(to_ms(now))
    .bind(to_ms(next))
    .execute(tx)
    .await?;
    Ok(begun == 1)
}

pub(super) async fn progress(tx: &mut WriteTx, waba: &WabaId, tally: &Tally) -> Result<()> {
    query("UPDATE template_syncs SET read_count = $1 WHERE waba_id = $2")
        .bind(tally.read)
        .bind(waba)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn finish(
    tx: &mut WriteTx,
    waba: &WabaId,
    tally: &Tally,
    now: OffsetDateTime,
    next: OffsetDateTime,
) -> Result<()> {
    query(
        "UPDATE template_syncs SET state = 'done', finished_at = $1, read_count = $2, added = $3, changed = $4, gone = $5, \
         error = NULL, failures = 0, next_at = $6 WHERE waba_id = $7",
    )
    .bind(now)
    .bind(tally.read)
    .bind(tally.added)
    .bind(tally.changed)
    .bind(tally.gone)
    .bind(next)
    .bind(waba)
    .execute(tx)
    .await?;
    Ok(())
}

/// Says why it did not come to its end; how often that was so one after the other.
pub(super) async fn fail(tx: &mut WriteTx, waba: &WabaId, error: Option<&GraphError>) -> Result<i64> {
    let error = error.and_then(|error| serde_json::to_string(error).ok());
    let failures = query(
        "UPDATE template_syncs SET state = 'failed', error = $1, failures = failures + 1 WHERE waba_id = $2 \
         RETURNING failures",
    )
    .bind(error)
    .bind(waba)
    .optional(tx, |row| row.int("failures"))
    .await?;
    Ok(failures.unwrap_or(1))
}

pub(super) async fn sync(db: &mut impl Reads, waba: &WabaId) -> Result<Option<Sync>> {
    query(
        "SELECT s.*, (SELECT count(*) FROM message_templates t WHERE t.waba_id = s.waba_id) AS known \
         FROM template_syncs s WHERE s.waba_id = $1",
    )
    .bind(waba)
    .optional(db, |row| {
        Ok(Sync {
            state: row.text("state")?,
            finished_at: row.opt_time("finished_at")?,
            read: row.int("read_count")?,
            known: row.int("known")?,
            added: row.int("added")?,
            changed: row.int("changed")?,
            gone: row.int("gone")?,
            error: row.opt_json("error")?,
        })
    })
    .await
}

/// Forgets what no rule of Meta's looks back to.
pub(super) async fn forget_acts(tx: &mut WriteTx, before: OffsetDateTime) -> Result<()> {
    query("DELETE FROM template_acts WHERE at < $1").bind(before).execute(tx).await?;
    Ok(())
}
