//! All SQL of what is kept of a number.

use super::{
    file::{Failure, File, Stage, Task, TryKind},
    readings,
};
use crate::{
    base::{
        ids::{self, CustomerId, PhoneNumberId, WabaId},
        phone::e164,
    },
    graph,
    store::{Reads, Result, Row, StoreError, WriteTx, query},
    web::Before,
};
use time::{Duration, OffsetDateTime};

/// Under what a number's file is found: E.164, or its digits where it is no number that we know.
pub(super) fn key(display: &str) -> String {
    e164(display).unwrap_or_else(|| display.chars().filter(char::is_ascii_digit).collect())
}

fn file(row: &Row) -> Result<File> {
    let word = |column: &str| row.opt_text(column);
    let odd = |column: &str| StoreError::Value(column.to_owned());
    Ok(File {
        id: row.text("id")?,
        customer: row.parse("customer_id")?,
        phone_number_id: row.parse("phone_number_id")?,
        moved_at: row.opt_time("moved_at")?,
        task: word("task")?.map(|task| task.parse().map_err(|()| odd("task"))).transpose()?,
        stage: word("stage")?.map(|stage| stage.parse().map_err(|()| odd("stage"))).transpose()?,
        stage_since: row.opt_time("stage_since")?,
        next_at: row.opt_time("next_at")?,
        polls: row.int("polls")?,
        failure: row.opt_json("failure")?,
        region: row.opt_text("region")?,
        region_set: row.opt_text("region_set")?,
        pin_locked_until: row.opt_time("pin_locked_until")?,
        wanted_name: row.opt_text("wanted_name")?,
        code_sent_at: row.opt_time("code_sent_at")?,
    })
}

pub(super) async fn get(db: &mut impl Reads, id: &str) -> Result<Option<File>> {
    query("SELECT * FROM number_files WHERE id = $1").bind(id).optional(db, file).await
}

pub(super) async fn of_number(db: &mut impl Reads, customer: CustomerId, display: &str) -> Result<Option<File>> {
    query("SELECT * FROM number_files WHERE customer_id = $1 AND number = $2")
        .bind(customer)
        .bind(key(display))
        .optional(db, file)
        .await
}

/// The file of a number, with whoever has its account now.
pub(super) async fn of_phone(db: &mut impl Reads, phone: &PhoneNumberId) -> Result<Option<File>> {
    query(
        "SELECT f.* FROM number_files f JOIN phone_numbers p ON p.phone_number_id = f.phone_number_id \
         JOIN wabas w ON w.waba_id = p.waba_id AND w.customer_id = f.customer_id WHERE f.phone_number_id = $1",
    )
    .bind(phone)
    .optional(db, file)
    .await
}

/// Whether Meta says that the number is not here any more but with another account.
fn has_left(status: Option<&str>) -> bool {
    matches!(status, Some("MIGRATED" | "DELETED" | "UNLINKED" | "DISCONNECTED"))
}

/// The file of a number of this WABA, made where there is none; with the number's new ID where it came with one. `None`
/// where the WABA is nobody's, or the number has gone on to another.
pub(super) async fn ensure(
    tx: &mut WriteTx,
    waba: &WabaId,
    number: &PhoneNumberId,
    display: &str,
    status: Option<&str>,
    now: OffsetDateTime,
) -> Result<Option<String>> {
    query(
        "INSERT INTO number_files (id, customer_id, number, phone_number_id, created_at) \
         SELECT $1, customer_id, $2, $3, $4 FROM wabas WHERE waba_id = $5 \
         ON CONFLICT (customer_id, number) DO UPDATE SET phone_number_id = excluded.phone_number_id, \
         moved_at = CASE WHEN number_files.phone_number_id = excluded.phone_number_id THEN number_files.moved_at \
         ELSE excluded.created_at END \
         WHERE number_files.phone_number_id = excluded.phone_number_id OR $6 \
         RETURNING id",
    )
    .bind(ids::new_uuid().to_string())
    .bind(key(display))
    .bind(number)
    .bind(now)
    .bind(waba)
    .bind(!has_left(status))
    .optional(tx, |row| row.text("id"))
    .await
}

/// The file of a number that was just read, with the reading.
pub(super) async fn note(
    tx: &mut WriteTx,
    waba: &WabaId,
    number: &graph::PhoneNumber,
    now: OffsetDateTime,
) -> Result<()> {
    let status = number.status.as_deref();
    if let Some(file) = ensure(tx, waba, &number.id, &number.display_phone_number, status, now).await? {
        readings::keep(tx, &file, number, now).await?;
    }
    Ok(())
}

/// A step of a task.
pub(super) struct Step<'a> {
    pub stage: Stage,
    pub next_at: Option<OffsetDateTime>,
    pub polls: i64,
    pub failure: Option<&'a Failure>,
}

/// Takes the step, unless somebody decided otherwise since the file was read.
pub(super) async fn take(tx: &mut WriteTx, file: &File, step: &Step<'_>, now: OffsetDateTime) -> Result<bool> {
    let failure = step.failure.map(serde_json::to_string).transpose();
    let failure = failure.map_err(|_| StoreError::Value("failure".to_owned()))?;
    // Never the same twice: it tells one step from the next.
    let since = file.stage_since.map_or(now, |since| now.max(since + Duration::milliseconds(1)));
    let taken = query(
        "UPDATE number_files SET stage = $1, stage_since = $2, next_at = $3, polls = $4, failure = $5 \
         WHERE id = $6 AND stage_since = $7",
    )
    .bind(step.stage.as_str())
    .bind(since)
    .bind(step.next_at)
    .bind(step.polls)
    .bind(failure)
    .bind(&file.id)
    .bind(file.stage_since)
    .execute(tx)
    .await?;
    Ok(taken == 1)
}

/// Begins a task, unless one is in the middle of a call.
pub(super) async fn begin(
    tx: &mut WriteTx,
    file: &str,
    task: Task,
    region: Option<&str>,
    name: Option<&str>,
    now: OffsetDateTime,
) -> Result<bool> {
    let begun = query(
        "UPDATE number_files SET task = $1, stage = 'asked', stage_since = CASE WHEN stage_since >= $2 \
         THEN stage_since + 1 ELSE $2 END, next_at = NULL, polls = 0, failure = NULL, region = $3, \
         wanted_name = $4 WHERE id = $5 AND coalesce(stage, '') <> 'asked'",
    )
    .bind(task.as_str())
    .bind(now)
    .bind(region)
    .bind(name)
    .bind(file)
    .execute(tx)
    .await?;
    Ok(begun == 1)
}

/// Lets a waiting task go on at once: Meta has told something.
pub(super) async fn hurry(tx: &mut WriteTx, file: &str, now: OffsetDateTime) -> Result<()> {
    query(
        "UPDATE number_files SET next_at = $1 WHERE id = $2 AND stage = 'waiting_name' \
         AND (next_at IS NULL OR next_at > $1)",
    )
    .bind(now)
    .bind(file)
    .execute(tx)
    .await?;
    Ok(())
}

/// Ends what waits or failed.
pub(super) async fn give_up(tx: &mut WriteTx, file: &str) -> Result<bool> {
    let ended = query(
        "UPDATE number_files SET task = NULL, stage = NULL, stage_since = NULL, next_at = NULL, failure = NULL, \
         wanted_name = NULL WHERE id = $1 AND stage IN ('waiting_name', 'waiting', 'failed', 'done')",
    );
    Ok(ended.bind(file).execute(tx).await? == 1)
}

pub(super) async fn set_code_sent(tx: &mut WriteTx, file: &str, at: Option<OffsetDateTime>) -> Result<()> {
    let set = query("UPDATE number_files SET code_sent_at = $1 WHERE id = $2");
    set.bind(at).bind(file).execute(tx).await?;
    Ok(())
}

/// The number is off Cloud API, and with it where its messages were kept.
pub(super) async fn came_off(tx: &mut WriteTx, file: &str, number: &PhoneNumberId) -> Result<()> {
    query("UPDATE number_files SET region_set = NULL WHERE id = $1").bind(file).execute(tx).await?;
    super::queries::set_status(tx, number, "DISCONNECTED").await
}

/// Meta looks at no PIN until then.
pub(super) async fn lock_pin(tx: &mut WriteTx, file: &str, until: OffsetDateTime) -> Result<()> {
    query("UPDATE number_files SET pin_locked_until = $1 WHERE id = $2").bind(until).bind(file).execute(tx).await?;
    Ok(())
}

/// Meta was told that messages are to be kept there, or nowhere in particular.
pub(super) async fn region_set(tx: &mut WriteTx, file: &str, region: Option<&str>) -> Result<()> {
    query("UPDATE number_files SET region_set = $1 WHERE id = $2").bind(region).bind(file).execute(tx).await?;
    Ok(())
}

/// Whose a number with this ID at Meta is, or was last.
pub(super) async fn customers_with_id(db: &mut impl Reads, id: &str) -> Result<Vec<CustomerId>> {
    query("SELECT customer_id FROM number_files WHERE phone_number_id = $1")
        .bind(id)
        .all(db, |row| row.parse("customer_id"))
        .await
}

/// Numbers that end with these digits, each with whose it is or was.
pub(super) async fn ending_with(db: &mut impl Reads, digits: &str) -> Result<Vec<(CustomerId, String)>> {
    query("SELECT customer_id, number FROM number_files WHERE number LIKE $1 ORDER BY customer_id LIMIT 200")
        .bind(format!("%{digits}"))
        .all(db, |row| Ok((row.parse("customer_id")?, row.text("number")?)))
        .await
}

/// The IDs of a customer's files, with those of their numbers.
pub(super) async fn of_customer(db: &mut impl Reads, customer: CustomerId) -> Result<Vec<(String, PhoneNumberId)>> {
    query("SELECT id, phone_number_id FROM number_files WHERE customer_id = $1 ORDER BY id")
        .bind(customer)
        .all(db, |row| Ok((row.text("id")?, row.parse("phone_number_id")?)))
        .await
}

pub(super) async fn erase(tx: &mut WriteTx, customer: CustomerId) -> Result<()> {
    query("DELETE FROM number_files WHERE customer_id = $1").bind(customer).execute(tx).await?;
    Ok(())
}

/// What is kept, without PINs, to be handed out.
pub(super) async fn export(db: &mut impl Reads, customer: CustomerId) -> Result<Vec<serde_json::Value>> {
    let mut all = Vec::new();
    for (id, _) in of_customer(db, customer).await? {
        let one = query("SELECT * FROM number_files WHERE id = $1").bind(&id);
        let Some(mut one) = one.optional(db, |row| row.to_json(&["failure"])).await? else { continue };
        let lists = [
            ("pins", "SELECT id, is_made, state, changed_at FROM number_pins WHERE file_id = $1 ORDER BY changed_at"),
            ("tries", "SELECT kind, at, outcome FROM number_tries WHERE file_id = $1 ORDER BY at"),
            ("readings", "SELECT * FROM number_readings WHERE file_id = $1 ORDER BY at"),
            ("synchronisations", "SELECT * FROM number_syncs WHERE file_id = $1 ORDER BY onboarded_at"),
        ];
        for (name, sql) in lists {
            let rows = query(sql).bind(&id).all(db, |row| row.to_json(&["failure", "webhooks"])).await?;
            one[name] = rows.into();
        }
        all.push(one);
    }
    Ok(all)
}

/// A try that was not done, or of which that is not known.
pub(super) struct FailedTry {
    pub id: String,
    pub at: OffsetDateTime,
    /// In E.164.
    pub number: String,
    pub is_register: bool,
    /// Meta's code, with its subcode after a slash; `None`: not known.
    pub outcome: Option<String>,
}

/// Those of a customer's numbers before this one, the last first.
pub(super) async fn tries_before(
    db: &mut impl Reads,
    customer: CustomerId,
    before: &Before,
    limit: i64,
) -> Result<Vec<FailedTry>> {
    query(
        "SELECT t.id, t.at, t.kind, t.outcome, f.number FROM number_files f JOIN number_tries t ON t.file_id = f.id \
         WHERE f.customer_id = $1 AND coalesce(t.outcome, '') <> 'ok' AND (t.at, t.id) < ($2, $3) \
         ORDER BY t.at DESC, t.id DESC LIMIT $4",
    )
    .bind(customer)
    .bind(before.at)
    .bind(&before.id)
    .bind(limit)
    .all(db, |row| {
        Ok(FailedTry {
            id: row.text("id")?,
            at: row.time("at")?,
            number: row.text("number")?,
            is_register: row.text("kind")? == TryKind::Register.as_str(),
            outcome: row.opt_text("outcome")?,
        })
    })
    .await
}

/// A customer's numbers, each with the ID that it has or had last.
pub(super) async fn written(db: &mut impl Reads, customer: CustomerId) -> Result<Vec<(PhoneNumberId, String)>> {
    query("SELECT phone_number_id, number FROM number_files WHERE customer_id = $1")
        .bind(customer)
        .all(db, |row| Ok((row.parse("phone_number_id")?, row.text("number")?)))
        .await
}
