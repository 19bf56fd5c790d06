//! The funnel's SQL: counted in the database, from an index that holds all that is counted.

use super::funnel::{Day, End, Ended, FunnelAttempt, Which};
use crate::{
    base::{clock, ids::AttemptId},
    store::{Reads, Result, Row, StoreError, query},
};
use time::{Date, Duration, OffsetDateTime};

/// From, inclusive, and to, exclusive.
type Bounds = (OffsetDateTime, OffsetDateTime);

fn date(row: &Row) -> Result<Date> {
    let days = row.int("day")?;
    let at = OffsetDateTime::UNIX_EPOCH.checked_add(Duration::days(days));
    at.map(OffsetDateTime::date).ok_or_else(|| StoreError::Value("created_at".to_owned()))
}

pub(super) async fn days(db: &mut impl Reads, (from, to): Bounds) -> Result<Vec<Day>> {
    query(
        "SELECT created_at / 86400000 AS day, count(*) AS launched, \
         count(CASE WHEN code_received_at IS NOT NULL OR ended_as = 'connected' THEN 1 END) AS code, \
         count(CASE WHEN ended_as = 'connected' THEN 1 END) AS connected \
         FROM signup_attempts WHERE created_at >= $1 AND created_at < $2 GROUP BY created_at / 86400000",
    )
    .bind(from)
    .bind(to)
    .all(db, |row| {
        let (launched, code, connected) = (row.int("launched")?, row.int("code")?, row.int("connected")?);
        Ok(Day { date: date(row)?, launched, code, connected })
    })
    .await
}

fn end(row: &Row) -> Result<Option<End>> {
    Ok(row.opt_text("ended_as")?.map(|word| End::from_word(&word)))
}

pub(super) async fn ends(db: &mut impl Reads, (from, to): Bounds) -> Result<Vec<Ended>> {
    query(
        "SELECT ended_as, count(*) AS attempts, count(DISTINCT customer_id) AS customers \
         FROM signup_attempts WHERE created_at >= $1 AND created_at < $2 \
         GROUP BY ended_as ORDER BY count(*) DESC, ended_as LIMIT 100",
    )
    .bind(from)
    .bind(to)
    .all(db, |row| Ok(Ended { end: end(row)?, attempts: row.int("attempts")?, customers: row.int("customers")? }))
    .await
}

/// How many customers tried, and how many of them were connected.
pub(super) async fn customers(db: &mut impl Reads, (from, to): Bounds) -> Result<(i64, i64)> {
    query(
        "SELECT count(DISTINCT customer_id) AS tried, \
         count(DISTINCT CASE WHEN ended_as = 'connected' THEN customer_id END) AS connected \
         FROM signup_attempts WHERE created_at >= $1 AND created_at < $2",
    )
    .bind(from)
    .bind(to)
    .one(db, |row| Ok((row.int("tried")?, row.int("connected")?)))
    .await
}

/// The list's statement: what it begins with, `$1`, and a page of it.
macro_rules! list_sql {
    ($lead:literal) => {
        concat!(
            "SELECT id, customer_id, created_at, ended_as FROM signup_attempts WHERE ",
            $lead,
            " AND created_at >= $2 AND (created_at, id) < ($3, $4) ORDER BY created_at DESC, id DESC LIMIT $5"
        )
    };
}

pub(super) async fn list(
    db: &mut impl Reads,
    (from, to): Bounds,
    which: &Which,
    after: Option<(OffsetDateTime, AttemptId)>,
    limit: i64,
) -> Result<Vec<FunnelAttempt>> {
    let (sql, word) = match which {
        Which::All => (list_sql!("$1 IS NULL"), None),
        Which::Open => (list_sql!("ended_as IS NULL AND $1 IS NULL"), None),
        Which::Ended(end) => (list_sql!("ended_as = $1"), Some(end.as_word())),
    };
    // No ID is smaller than nothing: that is the end of the range itself.
    let before = after.map(|(at, id)| (clock::to_ms(at), id.to_string())).filter(|(at, _)| *at < clock::to_ms(to));
    let (at, id) = before.unwrap_or_else(|| (clock::to_ms(to), String::new()));
    query(sql)
        .bind(word)
        .bind(from)
        .bind(at)
        .bind(id)
        .bind(limit)
        .all(db, |row| {
            Ok(FunnelAttempt {
                id: row.parse("id")?,
                customer: row.parse("customer_id")?,
                began: row.time("created_at")?,
                end: end(row)?,
            })
        })
        .await
}
