//! What was decided about templates, over time: all SQL of `template_decisions`, and how that reads on a timeline.

use super::{MessageTemplates, model::Template, words};
use crate::{
    base::{
        clock::to_ms,
        ids::{self, WabaId},
    },
    store::{Arg, Reads, Result, Rows, WriteTx, query},
    web::{Badge, Before, Moment},
};
use time::{Duration, OffsetDateTime};

/// For how long decisions are kept.
const KEPT: Duration = Duration::days(400);

/// About what something was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Status,
    Quality,
    Category,
    /// A category that it gets soon.
    NextCategory,
}

impl What {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Quality => "quality",
            Self::Category => "category",
            Self::NextCategory => "next_category",
        }
    }
}

/// A decision as the row wants it.
pub(super) struct Decision<'a> {
    pub waba: &'a WabaId,
    pub template: &'a str,
    pub name: &'a str,
    pub language: &'a str,
    pub at: OffsetDateTime,
    pub what: What,
    pub value: &'a str,
    pub reason: Option<String>,
    pub explained: Option<String>,
}

/// Keeps these.
pub(super) async fn note(tx: &mut WriteTx, decisions: &[Decision<'_>]) -> Result<()> {
    static INSERT: Rows = Rows::new(
        "INSERT INTO template_decisions (id, waba_id, template_id, name, language, at, what, value, reason, explained) \
         VALUES",
        10,
        "",
    );
    let mut values: Vec<Arg> = Vec::new();
    for one in decisions {
        values.push(ids::new_uuid().to_string().into());
        values.push(one.waba.into());
        values.push(one.template.to_owned().into());
        values.push(one.name.to_owned().into());
        values.push(one.language.to_owned().into());
        values.push(to_ms(one.at).into());
        values.push(one.what.as_str().to_owned().into());
        values.push(one.value.to_owned().into());
        values.push(one.reason.clone().into());
        values.push(one.explained.clone().into());
    }
    if values.is_empty() { Ok(()) } else { INSERT.execute(tx, values).await }
}

/// Adds why to a decision that was noted without it: a reading, which tells no reasons in words, came before the webhook.
pub(super) async fn explain(tx: &mut WriteTx, told: &Decision<'_>) -> Result<()> {
    query(
        "UPDATE template_decisions SET explained = $1, reason = coalesce($2, reason) WHERE waba_id = $3 \
         AND template_id = $4 AND what = $5 AND value = $6 AND explained IS NULL AND at >= $7",
    )
    .bind(told.explained.clone())
    .bind(told.reason.clone())
    .bind(told.waba)
    .bind(told.template)
    .bind(told.what.as_str())
    .bind(told.value)
    .bind(told.at)
    .execute(tx)
    .await?;
    Ok(())
}

/// Forgets what is too old, of an account.
pub(super) async fn prune(tx: &mut WriteTx, waba: &WabaId, now: OffsetDateTime) -> Result<()> {
    query("DELETE FROM template_decisions WHERE waba_id = $1 AND at < $2")
        .bind(waba)
        .bind(now - KEPT)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn export(db: &mut impl Reads, waba: &WabaId) -> Result<Vec<serde_json::Value>> {
    query("SELECT * FROM template_decisions WHERE waba_id = $1 ORDER BY at, id")
        .bind(waba)
        .all(db, |row| row.to_json(&[]))
        .await
}

/// Since when a template has what makes it need attention; `None` where that is not known.
pub(super) async fn since(db: &mut impl Reads, template: &Template) -> Result<Option<OffsetDateTime>> {
    let (what, value) = match (template.status.as_deref(), &template.next_category) {
        (Some(status @ ("REJECTED" | "DISABLED" | "PAUSED" | "FLAGGED" | "LIMIT_EXCEEDED" | "LOCKED")), _) => {
            (What::Status, status)
        }
        (_, Some((category, _))) => (What::NextCategory, category.as_str()),
        _ => (What::Quality, template.quality.as_deref().unwrap_or_default()),
    };
    let last = query(
        "SELECT value, at FROM template_decisions WHERE template_id = $1 AND what = $2 AND waba_id = $3 \
         ORDER BY at DESC, id DESC LIMIT 1",
    )
    .bind(&template.id)
    .bind(what.as_str())
    .bind(&template.waba_id)
    .optional(db, |row| Ok((row.text("value")?, row.time("at")?)))
    .await?;
    Ok(last.filter(|(last, _)| last == value).map(|(_, at)| at))
}

impl MessageTemplates {
    /// What was decided about the templates of these accounts, before this one.
    ///
    /// # Errors
    /// The database's.
    pub async fn moments(&self, wabas: &[WabaId], before: &Before, limit: i64) -> Result<Vec<Moment>> {
        let mut db = self.store.read().await?;
        let mut all = Vec::new();
        for waba in wabas {
            let found = query(
                "SELECT * FROM template_decisions WHERE waba_id = $1 AND (at, id) < ($2, $3) \
                 ORDER BY at DESC, id DESC LIMIT $4",
            )
            .bind(waba)
            .bind(before.at)
            .bind(&before.id)
            .bind(limit)
            .all(&mut db, |row| {
                let (name, language) = (row.text("name")?, row.text("language")?);
                let (what, value) = (row.text("what")?, row.text("value")?);
                let (badge, said) = said(&what, &value, row.opt_text("reason")?, row.opt_text("explained")?);
                Ok(Moment {
                    at: row.time("at")?,
                    id: row.text("id")?,
                    badge: Some(badge),
                    what: format!("Template {name} ({language}) {said}"),
                    details: vec![
                        format!("{what} {value}"),
                        format!("Template {}", row.text("template_id")?),
                        format!("Account {waba}"),
                    ],
                })
            })
            .await?;
            all.extend(found);
        }
        Ok(all)
    }
}

fn said(what: &str, value: &str, reason: Option<String>, explained: Option<String>) -> (Badge, String) {
    match what {
        "quality" => {
            let badge = words::quality(Some(value));
            let said = format!("has {} now.", badge.word.to_lowercase());
            (badge, said)
        }
        "category" => (Badge::new("neutral", "Category"), format!("is {} now.", words::category(value).to_lowercase())),
        "next_category" => {
            (Badge::new("attention", "Category"), format!("becomes {} soon.", words::category(value).to_lowercase()))
        }
        _ => {
            let (look, word) = Template::status_words(value);
            let why = explained.or_else(|| reason.map(|reason| words::plain(&reason).to_lowercase()));
            let why = why.map(|why| format!(": {}", why.trim_end_matches('.'))).unwrap_or_default();
            let said = match value {
                "APPROVED" => "was approved".to_owned(),
                "REJECTED" => format!("was rejected{why}"),
                "PAUSED" => format!("was paused{why}"),
                "DISABLED" => format!("was switched off{why}"),
                "REINSTATED" => "can be sent again".to_owned(),
                "DELETED" => "was deleted".to_owned(),
                "PENDING" => "is being looked at by Meta".to_owned(),
                _ => format!("is {} now{why}", word.to_lowercase()),
            };
            // What can't be sent stands out.
            let look = if matches!(value, "PAUSED" | "FLAGGED") { "attention" } else { look };
            (Badge::new(look, word), format!("{said}."))
        }
    }
}
