//! SQL of the pages of templates.

use super::{
    model::Template,
    queries::{Told, approved_once, template},
};
use crate::{
    base::ids::{self, WabaId},
    store::{Reads, Result, WriteTx, query},
};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// By how much Meta's clock, which counts seconds, may be before ours.
const LATE: time::Duration = time::Duration::minutes(1);

/// What a list is narrowed to; empty: everything.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    pub search: String,
    pub status: String,
    pub category: String,
    pub language: String,
    pub quality: String,
}

impl Filter {
    /// For LIKE: what is searched may stand anywhere.
    fn pattern(&self) -> String {
        let words = self.search.trim().to_lowercase();
        if words.is_empty() {
            return String::new();
        }
        format!("%{}%", words.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
    }
}

macro_rules! filtered {
    ($head:literal, $tail:literal) => {
        concat!(
            $head,
            " FROM message_templates WHERE waba_id = $1 \
             AND ($2 = '' OR coalesce(words, name) LIKE $2 ESCAPE '\\') AND ($3 = '' OR coalesce(status, '') = $3) \
             AND ($4 = '' OR coalesce(category, '') = $4) AND ($5 = '' OR language = $5) \
             AND ($6 = '' OR coalesce(quality, '') = $6) ",
            $tail
        )
    };
}

macro_rules! bind {
    ($query:expr, $waba:expr, $filter:expr) => {
        $query
            .bind($waba)
            .bind($filter.pattern())
            .bind(&$filter.status)
            .bind(&$filter.category)
            .bind(&$filter.language)
            .bind(&$filter.quality)
    };
}

/// How many names, and how many templates, fit.
pub(super) async fn count(db: &mut impl Reads, waba: &WabaId, filter: &Filter) -> Result<(i64, i64)> {
    let counted = query(filtered!("SELECT count(DISTINCT name) AS names, count(*) AS n", ""));
    bind!(counted, waba, filter).one(db, |row| Ok((row.int("names")?, row.int("n")?))).await
}

/// A page of names with their templates that fit.
pub(super) async fn page(
    db: &mut impl Reads,
    waba: &WabaId,
    filter: &Filter,
    limit: i64,
    offset: i64,
) -> Result<Vec<Template>> {
    let names = query(filtered!("SELECT name", "GROUP BY name ORDER BY name LIMIT $7 OFFSET $8"));
    let names = bind!(names, waba, filter).bind(limit).bind(offset).all(db, |row| row.text("name")).await?;
    let (Some(first), Some(last)) = (names.first(), names.last()) else { return Ok(Vec::new()) };
    let rows = query(filtered!("SELECT *", "AND name >= $7 AND name <= $8 ORDER BY name, language, template_id"));
    bind!(rows, waba, filter).bind(first).bind(last).all(db, template).await
}

/// Which statuses, categories, languages and qualities there are, and how often.
pub(super) async fn facets(db: &mut impl Reads, waba: &WabaId) -> Result<BTreeMap<String, Vec<(String, i64)>>> {
    let rows = query(
        "SELECT 'status' AS facet, coalesce(status, '') AS value, count(*) AS n FROM message_templates WHERE waba_id = $1 \
         GROUP BY status UNION ALL \
         SELECT 'category', coalesce(category, ''), count(*) FROM message_templates WHERE waba_id = $1 GROUP BY category \
         UNION ALL SELECT 'language', language, count(*) FROM message_templates WHERE waba_id = $1 GROUP BY language \
         UNION ALL SELECT 'quality', coalesce(quality, ''), count(*) FROM message_templates WHERE waba_id = $1 \
         GROUP BY quality ORDER BY 1, 2",
    )
    .bind(waba)
    .all(db, |row| Ok((row.text("facet")?, row.text("value")?, row.int("n")?)))
    .await?;
    let mut facets: BTreeMap<String, Vec<(String, i64)>> = BTreeMap::new();
    for (facet, value, n) in rows.into_iter().filter(|(_, value, _)| !value.is_empty()) {
        facets.entry(facet).or_default().push((value, n));
    }
    Ok(facets)
}

/// How many templates there are of each status, most first.
pub(super) async fn statuses(db: &mut impl Reads, waba: &WabaId) -> Result<Vec<(String, i64)>> {
    query(
        "SELECT coalesce(status, '') AS status, count(*) AS n FROM message_templates WHERE waba_id = $1 \
         GROUP BY coalesce(status, '') ORDER BY n DESC, status",
    )
    .bind(waba)
    .all(db, |row| Ok((row.text("status")?, row.int("n")?)))
    .await
}

/// One template of an account.
pub(super) async fn get(db: &mut impl Reads, waba: &WabaId, id: &str) -> Result<Option<Template>> {
    query("SELECT * FROM message_templates WHERE waba_id = $1 AND template_id = $2")
        .bind(waba)
        .bind(id)
        .optional(db, template)
        .await
}

/// All languages of a name.
pub(super) async fn translations(db: &mut impl Reads, waba: &WabaId, name: &str) -> Result<Vec<Template>> {
    query("SELECT * FROM message_templates WHERE waba_id = $1 AND name = $2 ORDER BY language, template_id LIMIT 200")
        .bind(waba)
        .bind(name)
        .all(db, template)
        .await
}

/// What an account is called, and whether its business is verified, as far as we know.
pub(super) async fn waba(db: &mut impl Reads, waba: &WabaId) -> Result<Option<(String, bool)>> {
    query("SELECT name, business_verification_status AS status FROM wabas WHERE waba_id = $1")
        .bind(waba)
        .optional(db, |row| {
            let is_verified = row.opt_text("status")?.is_some_and(|status| status.eq_ignore_ascii_case("verified"));
            Ok((row.text("name")?, is_verified))
        })
        .await
}

/// A number of an account's, as Meta writes it: accounts of one business often have one name.
pub(super) async fn number_of(db: &mut impl Reads, waba: &WabaId) -> Result<Option<String>> {
    query("SELECT min(display_phone_number) AS number FROM phone_numbers WHERE waba_id = $1")
        .bind(waba)
        .one(db, |row| row.opt_text("number"))
        .await
}

/// How many acts of a kind there were since then; of one template, or of the account for ''.
pub(super) async fn acts(
    db: &mut impl Reads,
    waba: &WabaId,
    act: &str,
    template: &str,
    since: OffsetDateTime,
) -> Result<i64> {
    query(
        "SELECT count(*) AS n FROM template_acts WHERE waba_id = $1 AND act = $2 AND at > $3 \
         AND ($4 = '' OR template_id = $4)",
    )
    .bind(waba)
    .bind(act)
    .bind(since)
    .bind(template)
    .one(db, |row| row.int("n"))
    .await
}

/// Whether a template, or any of this name, is or was approved: Meta blocks the names of such for a while once they are
/// deleted. `''` for none.
pub(super) async fn was_approved(db: &mut impl Reads, waba: &WabaId, id: &str, name: &str) -> Result<bool> {
    let found = query(concat!(
        "SELECT ",
        approved_once!(),
        " AS once FROM message_templates WHERE waba_id = $1 AND (template_id = $2 OR name = $3)"
    ));
    let found = found.bind(waba).bind(id).bind(name).all(db, |row| row.bool("once")).await?;
    Ok(found.contains(&true))
}

/// When a name was deleted here last.
pub(super) async fn deleted_at(db: &mut impl Reads, waba: &WabaId, name: &str) -> Result<Option<OffsetDateTime>> {
    query("SELECT max(at) AS at FROM template_acts WHERE waba_id = $1 AND act = 'deleted' AND name = $2")
        .bind(waba)
        .bind(name)
        .one(db, |row| row.opt_time("at"))
        .await
}

/// Whether a template that is not here was deleted here, or about then: what comes late does not bring it back.
pub(super) async fn is_deleted(db: &mut impl Reads, told: &Told<'_>) -> Result<bool> {
    query(
        "SELECT (SELECT count(*) FROM template_acts WHERE waba_id = $1 AND act IN ('deleted', 'dropped') AND name = $2 \
         AND at >= $3) AS deleted, (SELECT count(*) FROM message_templates WHERE waba_id = $1 AND template_id = $4) AS here",
    )
    .bind(told.waba)
    .bind(told.name)
    .bind(told.at - LATE)
    .bind(told.id)
    .one(db, |row| Ok(row.int("deleted")? > 0 && row.int("here")? == 0))
    .await
}

/// Notes what was done, for Meta's limits.
pub(super) async fn note_act(
    tx: &mut WriteTx,
    waba: &WabaId,
    template: Option<&str>,
    name: &str,
    act: &'static str,
    at: OffsetDateTime,
) -> Result<()> {
    query("INSERT INTO template_acts (id, waba_id, template_id, name, act, at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(ids::new_uuid().to_string())
        .bind(waba)
        .bind(template)
        .bind(name)
        .bind(act)
        .bind(at)
        .execute(tx)
        .await?;
    Ok(())
}

/// Takes away what was deleted: all languages of a name, or one.
pub(super) async fn drop_deleted(tx: &mut WriteTx, waba: &WabaId, name: &str, id: &str) -> Result<()> {
    query("DELETE FROM message_templates WHERE waba_id = $1 AND name = $2 AND ($3 = '' OR template_id = $3)")
        .bind(waba)
        .bind(name)
        .bind(id)
        .execute(tx)
        .await?;
    Ok(())
}

/// An edited template is under review again, and what was read of it before counts no more.
pub(super) async fn set_pending(tx: &mut WriteTx, waba: &WabaId, id: &str, now: OffsetDateTime) -> Result<()> {
    query(concat!(
        "UPDATE message_templates SET status = 'PENDING', reason = NULL, explained = NULL, recommended = NULL, \
             updated_at = $1, read_at = $1, was_approved = ",
        approved_once!(),
        " WHERE template_id = $2 AND waba_id = $3",
    ))
    .bind(now)
    .bind(id)
    .bind(waba)
    .execute(tx)
    .await?;
    Ok(())
}
