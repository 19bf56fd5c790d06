//! All SQL of the tries that Meta counts: ten registrations and ten ends of one in 72 hours.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/registration>

use super::file::{File, Tries, TryKind, WINDOW};
use crate::{
    base::ids,
    store::{Reads, Result, WriteTx, query},
};
use time::OffsetDateTime;

/// Counts a try before it is made; its ID.
pub(super) async fn count(tx: &mut WriteTx, file: &str, kind: TryKind, now: OffsetDateTime) -> Result<String> {
    let id = ids::new_uuid().to_string();
    query("INSERT INTO number_tries (id, file_id, kind, at) VALUES ($1, $2, $3, $4)")
        .bind(&id)
        .bind(file)
        .bind(kind.as_str())
        .bind(now)
        .execute(tx)
        .await?;
    query("DELETE FROM number_tries WHERE file_id = $1 AND at < $2")
        .bind(file)
        .bind(now - WINDOW * 10)
        .execute(tx)
        .await?;
    Ok(id)
}

pub(super) async fn end(tx: &mut WriteTx, id: &str, outcome: &str) -> Result<()> {
    query("UPDATE number_tries SET outcome = $1 WHERE id = $2").bind(outcome).bind(id).execute(tx).await?;
    Ok(())
}

struct Last {
    id: String,
    at: OffsetDateTime,
    /// `ok`, or Meta's code, perhaps with a subcode behind a slash.
    outcome: Option<String>,
}

async fn last(db: &mut impl Reads, file: &str, kind: TryKind) -> Result<Option<Last>> {
    query("SELECT id, at, outcome FROM number_tries WHERE file_id = $1 AND kind = $2 ORDER BY at DESC, id DESC LIMIT 1")
        .bind(file)
        .bind(kind.as_str())
        .optional(db, |row| Ok(Last { id: row.text("id")?, at: row.time("at")?, outcome: row.opt_text("outcome")? }))
        .await
}

/// The try whose answer never came, and when it was made, if the last one is such.
pub(super) async fn open(db: &mut impl Reads, file: &str, kind: TryKind) -> Result<Option<(String, OffsetDateTime)>> {
    let last = last(db, file, kind).await?;
    Ok(last.filter(|last| last.outcome.is_none()).map(|last| (last.id, last.at)))
}

/// Meta's code with which the last try ended, if it did.
pub(super) async fn refused_with(db: &mut impl Reads, file: &File, kind: TryKind) -> Result<Option<i64>> {
    let outcome = last(db, &file.id, kind).await?.and_then(|last| last.outcome);
    Ok(outcome.and_then(|outcome| outcome.split('/').next()?.parse().ok()))
}

/// Whether a try since then was answered, or left to itself after so many without an answer.
pub(super) async fn is_settled(db: &mut impl Reads, file: &str, kind: TryKind, since: OffsetDateTime) -> Result<bool> {
    query(
        "SELECT count(*) AS n FROM number_tries WHERE file_id = $1 AND kind = $2 AND outcome IS NOT NULL AND at >= $3",
    )
    .bind(file)
    .bind(kind.as_str())
    .bind(since)
    .one(db, |row| Ok(row.int("n")? > 0))
    .await
}

pub(super) async fn of(db: &mut impl Reads, file: &File, kind: TryKind, now: OffsetDateTime) -> Result<Tries> {
    let at = query("SELECT at FROM number_tries WHERE file_id = $1 AND kind = $2 AND at > $3 ORDER BY at")
        .bind(&file.id)
        .bind(kind.as_str())
        .bind(now - WINDOW)
        .all(db, |row| row.time("at"))
        .await?;
    // Meta says that there were too many: of this kind none counts for so long.
    let locked =
        query("SELECT max(at) AS at FROM number_tries WHERE file_id = $1 AND kind = $2 AND (outcome = '133016' OR outcome LIKE '133016/%')")
            .bind(&file.id)
            .bind(kind.as_str())
            .one(db, |row| row.opt_time("at"))
            .await?;
    Ok(Tries { at, locked_until: locked.map(|at| at + WINDOW) })
}

/// When the tries of a kind were made since then that Meta did not answer, the first first.
pub(super) async fn unanswered(
    db: &mut impl Reads,
    file: &str,
    kind: TryKind,
    since: OffsetDateTime,
) -> Result<Vec<OffsetDateTime>> {
    query("SELECT at FROM number_tries WHERE file_id = $1 AND kind = $2 AND outcome IS NULL AND at > $3 ORDER BY at")
        .bind(file)
        .bind(kind.as_str())
        .bind(since)
        .all(db, |row| row.time("at"))
        .await
}

/// How many of the tries that count now ended so.
pub(super) async fn ended_so(db: &mut impl Reads, file: &str, outcome: &str, now: OffsetDateTime) -> Result<i64> {
    query("SELECT count(*) AS n FROM number_tries WHERE file_id = $1 AND outcome = $2 AND at > $3")
        .bind(file)
        .bind(outcome)
        .bind(now - WINDOW)
        .one(db, |row| row.int("n"))
        .await
}
