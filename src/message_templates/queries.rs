//! All SQL of `message_templates`.

use super::model::Template;
use crate::{
    base::ids::WabaId,
    store::{Reads, Result, Row, WriteTx, query},
};
use time::OffsetDateTime;

/// Which template something is told of.
pub(super) struct Told<'a> {
    pub id: &'a str,
    pub waba: &'a WabaId,
    pub name: &'a str,
    pub language: &'a str,
    /// By Meta's word.
    pub at: OffsetDateTime,
}

/// Why a status is what it is.
#[derive(Default)]
pub(super) struct Why<'a> {
    pub reason: Option<&'a str>,
    pub explained: Option<&'a str>,
    pub recommended: Option<&'a str>,
}

/// SQL: whether a template is or was approved, as its row stands; kept whenever its status changes.
macro_rules! approved_once {
    () => {
        "CASE WHEN message_templates.status IN ('APPROVED', 'REINSTATED', 'FLAGGED', 'LOCKED', 'PAUSED', 'DISABLED') \
         THEN TRUE ELSE message_templates.was_approved END"
    };
}
pub(super) use approved_once;

/// Makes the row where there is none. False where the account is nobody's.
pub(super) async fn ensure(tx: &mut WriteTx, told: &Told<'_>, now: OffsetDateTime) -> Result<bool> {
    let held = query(
        "INSERT INTO message_templates (template_id, waba_id, name, language, updated_at) \
         SELECT $1, waba_id, $3, $4, $5 FROM wabas WHERE waba_id = $2 \
         ON CONFLICT (waba_id, template_id) DO UPDATE SET updated_at = excluded.updated_at, \
         name = CASE WHEN excluded.name = '' THEN message_templates.name ELSE excluded.name END, \
         language = CASE WHEN excluded.language = '' THEN message_templates.language ELSE excluded.language END",
    )
    .bind(told.id)
    .bind(told.waba)
    .bind(told.name)
    .bind(told.language)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(held == 1)
}

/// Notes that something was told of a template that is known. False where there is none.
pub(super) async fn touch(tx: &mut WriteTx, told: &Told<'_>, now: OffsetDateTime) -> Result<bool> {
    let touched = query("UPDATE message_templates SET updated_at = $1 WHERE waba_id = $2 AND template_id = $3")
        .bind(now)
        .bind(told.waba)
        .bind(told.id)
        .execute(tx)
        .await?;
    Ok(touched == 1)
}

pub(super) async fn set_status(tx: &mut WriteTx, told: &Told<'_>, status: &str, why: &Why<'_>) -> Result<()> {
    query(concat!(
        "UPDATE message_templates SET status = $1, reason = $2, explained = $3, recommended = $6, \
             status_told_at = $4, was_approved = ",
        approved_once!(),
        " WHERE template_id = $5 AND waba_id = $7 AND coalesce(status_told_at, 0) <= $4",
    ))
    .bind(status)
    .bind(why.reason)
    .bind(why.explained)
    .bind(told.at)
    .bind(told.id)
    .bind(why.recommended)
    .bind(told.waba)
    .execute(tx)
    .await?;
    Ok(())
}

/// What is known of a template that something is told of: status, quality, category, and when each was told last.
pub(super) struct KnownWords {
    pub name: String,
    pub language: String,
    pub status: (Option<String>, Option<OffsetDateTime>),
    pub quality: (Option<String>, Option<OffsetDateTime>),
    pub category: (Option<String>, Option<OffsetDateTime>),
    pub next_category: Option<String>,
}

pub(super) async fn known_words(db: &mut impl Reads, waba: &WabaId, id: &str) -> Result<Option<KnownWords>> {
    query("SELECT * FROM message_templates WHERE waba_id = $1 AND template_id = $2")
        .bind(waba)
        .bind(id)
        .optional(db, |row| {
            Ok(KnownWords {
                name: row.text("name")?,
                language: row.text("language")?,
                status: (row.opt_text("status")?, row.opt_time("status_told_at")?),
                quality: (row.opt_text("quality")?, row.opt_time("quality_told_at")?),
                category: (row.opt_text("category")?, row.opt_time("category_told_at")?),
                next_category: row.opt_text("next_category")?,
            })
        })
        .await
}

/// Whether its components were read from Meta once.
pub(super) async fn is_read(db: &mut impl Reads, told: &Told<'_>) -> Result<bool> {
    let read = query("SELECT read_at FROM message_templates WHERE waba_id = $1 AND template_id = $2");
    let read = read.bind(told.waba).bind(told.id);
    Ok(read.optional(db, |row| row.opt_int("read_at")).await?.flatten().is_some())
}

pub(super) async fn set_category(
    tx: &mut WriteTx,
    told: &Told<'_>,
    category: Option<&str>,
    previous: Option<&str>,
    next: Option<(&str, OffsetDateTime)>,
) -> Result<()> {
    query(
        "UPDATE message_templates SET category = coalesce($1, category), next_category = $2, next_category_at = $3, \
         category_told_at = $4, previous_category = coalesce($6, previous_category) \
         WHERE template_id = $5 AND waba_id = $7 AND coalesce(category_told_at, 0) <= $4",
    )
    .bind(category)
    .bind(next.map(|(category, _)| category))
    .bind(next.map(|(_, at)| at))
    .bind(told.at)
    .bind(told.id)
    .bind(previous)
    .bind(told.waba)
    .execute(tx)
    .await?;
    Ok(())
}

/// The category as a status tells it: whether it changes is not said there.
pub(super) async fn note_category(tx: &mut WriteTx, told: &Told<'_>, category: &str) -> Result<()> {
    query(
        "UPDATE message_templates SET category = $1 \
         WHERE template_id = $2 AND waba_id = $4 AND coalesce(category_told_at, 0) <= $3",
    )
    .bind(category)
    .bind(told.id)
    .bind(told.at)
    .bind(told.waba)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn set_quality(tx: &mut WriteTx, told: &Told<'_>, quality: &str) -> Result<()> {
    query(
        "UPDATE message_templates SET quality = $1, quality_told_at = $2 \
         WHERE template_id = $3 AND waba_id = $4 AND coalesce(quality_told_at, 0) <= $2",
    )
    .bind(quality)
    .bind(told.at)
    .bind(told.id)
    .bind(told.waba)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) fn template(row: &Row) -> Result<Template> {
    Ok(Template {
        id: row.text("template_id")?,
        waba_id: row.parse("waba_id")?,
        name: row.text("name")?,
        language: row.text("language")?,
        status: row.opt_text("status")?,
        category: row.opt_text("category")?,
        quality: row.opt_text("quality")?,
        reason: row.opt_text("reason")?,
        explained: row.opt_text("explained")?,
        recommended: row.opt_text("recommended")?,
        previous_category: row.opt_text("previous_category")?,
        parameter_format: row.opt_text("parameter_format")?,
        components: row.opt_json("components")?.unwrap_or_default(),
        read_at: row.opt_time("read_at")?,
        next_category: row.opt_text("next_category")?.zip(row.opt_time("next_category_at")?),
        updated_at: row.time("updated_at")?,
    })
}

/// The templates of an account, those told of last first.
pub(super) async fn list(db: &mut impl Reads, waba: &WabaId, limit: i64) -> Result<Vec<Template>> {
    query("SELECT * FROM message_templates WHERE waba_id = $1 ORDER BY updated_at DESC, template_id LIMIT $2")
        .bind(waba)
        .bind(limit)
        .all(db, template)
        .await
}

/// Those of an account that may need somebody's attention, told of last first.
pub(super) async fn unwell_of(db: &mut impl Reads, waba: &WabaId, limit: i64) -> Result<Vec<Template>> {
    query(
        "SELECT * FROM message_templates WHERE waba_id = $1 AND (status IN ('REJECTED', 'DISABLED', 'PAUSED', 'FLAGGED', \
         'LIMIT_EXCEEDED', 'LOCKED') OR next_category IS NOT NULL OR quality = 'RED') \
         ORDER BY updated_at DESC, template_id LIMIT $2",
    )
    .bind(waba)
    .bind(limit)
    .all(db, template)
    .await
}

/// Those that may need somebody's attention, of all accounts.
pub(super) async fn unwell(db: &mut impl Reads, limit: i64) -> Result<Vec<Template>> {
    query(
        "SELECT * FROM message_templates WHERE status IN ('REJECTED', 'DISABLED', 'PAUSED', 'FLAGGED', \
         'LIMIT_EXCEEDED', 'LOCKED') OR next_category IS NOT NULL OR quality = 'RED' \
         ORDER BY updated_at DESC, template_id LIMIT $1",
    )
    .bind(limit)
    .all(db, template)
    .await
}

pub(super) async fn export(db: &mut impl Reads, waba: &WabaId) -> Result<Vec<serde_json::Value>> {
    query("SELECT * FROM message_templates WHERE waba_id = $1 ORDER BY template_id")
        .bind(waba)
        .all(db, |row| row.to_json(&["components"]))
        .await
}
