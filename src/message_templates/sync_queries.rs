//! SQL of reading templates from Meta.

use super::{
    components,
    decisions::{Decision, What},
    model::language_code,
    queries::approved_once,
};
use crate::{
    base::{ids::WabaId, text::shorten},
    graph::MessageTemplate,
    store::{Arg, Reads, Result, Row, Rows, WriteTx, query},
};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
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
    next_category: Option<String>,
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
            // The same as the category: it was changed already.
            next_category: word(&template.correct_category).filter(|next| Some(next) != template.category.as_ref()),
            parameter_format: word(&template.parameter_format),
            components: serde_json::to_string(&template.components).ok(),
        }
    }

    /// Whether something is other than before. What an older version of the API does not tell has not changed, nor
    /// has a reason that only a webhook told.
    pub fn differs(&self, now: &Self) -> bool {
        // The sample of a header is an address that Meta signs anew at each reading: it tells of no change.
        // https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-management
        let says_other = |before: &Option<String>, now: &Option<String>| {
            now.is_some() && before != now && without_samples(before) != without_samples(now)
        };
        let other = |before: &Option<String>, now: &Option<String>| now.is_some() && before != now;
        let flagged = matches!(self.status.as_deref(), Some("FLAGGED" | "LOCKED" | "REINSTATED"));
        self.name != now.name
            || self.language != now.language
            || (other(&self.status, &now.status) && !(flagged && now.status.as_deref() == Some("APPROVED")))
            || other(&self.category, &now.category)
            || other(&self.quality, &now.quality)
            || other(&self.reason, &now.reason)
            || other(&self.next_category, &now.next_category)
            || other(&self.parameter_format, &now.parameter_format)
            || says_other(&self.components, &now.components)
    }
}

/// Components without the files of their samples, those of a carousel's cards as well.
fn without_samples(components: &Option<String>) -> Option<Value> {
    fn strip(value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(strip),
            Value::Object(members) => {
                if let Some(Value::Object(example)) = members.get_mut("example") {
                    example.remove("header_handle");
                }
                members.values_mut().for_each(strip);
            }
            _ => {}
        }
    }
    let mut all = serde_json::from_str(components.as_deref()?).ok()?;
    strip(&mut all);
    Some(all)
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
        next_category: row.opt_text("next_category")?,
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
pub(super) async fn known_one(db: &mut impl Reads, waba: &WabaId, id: &str) -> Result<Option<Known>> {
    query("SELECT * FROM message_templates WHERE waba_id = $1 AND template_id = $2")
        .bind(waba)
        .bind(id)
        .optional(db, known_row)
        .await
}

/// What was done here since a page was asked for: it knows nothing of that.
pub(super) struct Overtaken {
    /// Templates that were read, edited or deleted since.
    ids: HashSet<String>,
    /// Names of which all languages were deleted.
    names: HashSet<String>,
}

impl Overtaken {
    pub fn has(&self, template: &MessageTemplate) -> bool {
        self.ids.contains(&template.id) || self.names.contains(&template.name)
    }
}

/// What overtook a page that was asked for then.
pub(super) async fn overtaken(db: &mut impl Reads, waba: &WabaId, asked_at: OffsetDateTime) -> Result<Overtaken> {
    let found = query(
        "SELECT template_id, name FROM message_templates WHERE waba_id = $1 AND read_at > $2 \
         UNION ALL SELECT template_id, name FROM template_acts \
         WHERE waba_id = $1 AND act IN ('deleted', 'dropped') AND at >= $2",
    );
    let found =
        found.bind(waba).bind(asked_at).all(db, |row| Ok((row.opt_text("template_id")?, row.text("name")?))).await?;
    let mut overtaken = Overtaken { ids: HashSet::new(), names: HashSet::new() };
    for (id, name) in found {
        match id {
            Some(id) => overtaken.ids.insert(id),
            None => overtaken.names.insert(name),
        };
    }
    Ok(overtaken)
}

/// A template's row; one that was read later stays. A webhook that told of it later than we asked knows better; what webhooks alone tell (flagged,
/// locked, why it was rejected) stays as long as Meta's list does not contradict it, and for a week: the word of its end may
/// have been lost. A change of category that a webhook
/// announced a day ahead stays that day, also where the list does not have it yet.
static UPSERT: Rows = Rows::new(
    "INSERT INTO message_templates (template_id, waba_id, name, language, status, category, quality, reason, \
     previous_category, sub_category, parameter_format, components, words, next_category, next_category_at, read_at, updated_at) VALUES",
    17,
    concat!(
        " ON CONFLICT (waba_id, template_id) DO UPDATE SET name = excluded.name, language = excluded.language, \
     status = CASE WHEN coalesce(message_templates.status_told_at, 0) + 1000 > excluded.read_at THEN message_templates.status \
      WHEN excluded.status = 'APPROVED' AND message_templates.status IN ('FLAGGED', 'LOCKED') \
       AND coalesce(message_templates.status_told_at, 0) + 604800000 > excluded.read_at THEN message_templates.status \
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
      THEN message_templates.next_category WHEN excluded.next_category IS NOT NULL THEN excluded.next_category \
      WHEN message_templates.category = excluded.category \
      AND coalesce(message_templates.category_told_at, 0) + 86400000 > excluded.read_at \
      THEN message_templates.next_category ELSE NULL END, \
     next_category_at = CASE WHEN coalesce(message_templates.category_told_at, 0) + 1000 > excluded.read_at \
      THEN message_templates.next_category_at WHEN excluded.next_category IS NOT NULL \
      THEN CASE WHEN message_templates.next_category = excluded.next_category \
       AND message_templates.next_category_at > excluded.read_at THEN message_templates.next_category_at \
       ELSE excluded.next_category_at END \
      WHEN message_templates.category = excluded.category \
      AND coalesce(message_templates.category_told_at, 0) + 86400000 > excluded.read_at \
      THEN message_templates.next_category_at ELSE NULL END, \
     quality = CASE WHEN coalesce(message_templates.quality_told_at, 0) + 1000 > excluded.read_at THEN message_templates.quality \
      ELSE coalesce(excluded.quality, message_templates.quality) END, \
     previous_category = coalesce(excluded.previous_category, message_templates.previous_category), \
     sub_category = coalesce(excluded.sub_category, message_templates.sub_category), \
     parameter_format = coalesce(excluded.parameter_format, message_templates.parameter_format), \
     was_approved = ",
        approved_once!(),
        ", \
     components = excluded.components, words = excluded.words, read_at = excluded.read_at, \
     updated_at = CASE WHEN excluded.updated_at = 0 THEN message_templates.updated_at ELSE excluded.updated_at END \
     WHERE coalesce(message_templates.read_at, 0) <= excluded.read_at",
    ),
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
        now.next_category.clone().into(),
        now.next_category.as_ref().map(|_| first_of_next_month(read_at)).into(),
        read_at.into(),
        changed_at.unwrap_or(0).into(),
    ]
}

/// When Meta gives a template the category that its list calls the correct one.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-categorization>
fn first_of_next_month(now: OffsetDateTime) -> OffsetDateTime {
    let first = now.to_offset(time::UtcOffset::UTC).replace_time(time::Time::MIDNIGHT);
    let first = first.replace_day(1).expect("each month has a first day");
    let next = first + time::Duration::days(31);
    next.replace_day(1).expect("each month has a first day")
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

/// What stands in a template's row is as of then.
pub(super) async fn known_until(tx: &mut WriteTx, waba: &WabaId, id: &str, at: OffsetDateTime) -> Result<()> {
    query("UPDATE message_templates SET read_at = $1 WHERE waba_id = $2 AND template_id = $3 AND read_at < $1")
        .bind(at)
        .bind(waba)
        .bind(id)
        .execute(tx)
        .await?;
    Ok(())
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

/// Forgets what no rule of Meta's looks back to.
pub(super) async fn forget_acts(tx: &mut WriteTx, before: OffsetDateTime) -> Result<()> {
    query("DELETE FROM template_acts WHERE at < $1").bind(before).execute(tx).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn categories_change_on_the_first_of_a_month() {
        for (now, next) in [
            (datetime!(2026-01-31 23:59:59 UTC), datetime!(2026-02-01 0:00 UTC)),
            (datetime!(2026-12-01 0:00 UTC), datetime!(2027-01-01 0:00 UTC)),
            (datetime!(2026-03-01 0:30 +1), datetime!(2026-03-01 0:00 UTC)),
        ] {
            assert_eq!(first_of_next_month(now), next);
        }
    }
}
