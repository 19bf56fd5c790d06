//! All SQL of what the WhatsApp Business app brings.

use super::file::Failure;
use crate::{
    base::ids::PhoneNumberId,
    graph::SyncType,
    store::{Reads, Result, StoreError, WriteTx, query},
};
use time::OffsetDateTime;

/// How far it is.
#[derive(Clone, Debug)]
pub(super) struct Sync {
    pub onboarded_at: OffsetDateTime,
    pub contacts_request: Option<String>,
    pub contacts_asked_at: Option<OffsetDateTime>,
    pub contacts_told_at: Option<OffsetDateTime>,
    pub contacts_count: i64,
    pub history_request: Option<String>,
    pub history_asked_at: Option<OffsetDateTime>,
    pub history_progress: Option<i64>,
    pub history_declined_at: Option<OffsetDateTime>,
    pub failure: Option<Failure>,
}

pub(super) async fn get(db: &mut impl Reads, number: &PhoneNumberId) -> Result<Option<Sync>> {
    query("SELECT * FROM number_syncs WHERE phone_number_id = $1")
        .bind(number)
        .optional(db, |row| {
            Ok(Sync {
                onboarded_at: row.time("onboarded_at")?,
                contacts_request: row.opt_text("contacts_request")?,
                contacts_asked_at: row.opt_time("contacts_asked_at")?,
                contacts_told_at: row.opt_time("contacts_told_at")?,
                contacts_count: row.int("contacts_count")?,
                history_request: row.opt_text("history_request")?,
                history_asked_at: row.opt_time("history_asked_at")?,
                history_progress: row.opt_int("history_progress")?,
                history_declined_at: row.opt_time("history_declined_at")?,
                failure: row.opt_json("failure")?,
            })
        })
        .await
}

/// Begins a row for an onboarding; what was of the one before goes.
pub(super) async fn start(tx: &mut WriteTx, number: &PhoneNumberId, onboarded: OffsetDateTime) -> Result<()> {
    query("DELETE FROM number_syncs WHERE phone_number_id = $1").bind(number).execute(tx).await?;
    query(
        "INSERT INTO number_syncs (phone_number_id, file_id, onboarded_at) \
         SELECT $1, f.id, $2 FROM number_files f JOIN phone_numbers p ON p.phone_number_id = f.phone_number_id \
         JOIN wabas w ON w.waba_id = p.waba_id AND w.customer_id = f.customer_id WHERE f.phone_number_id = $1",
    )
    .bind(number)
    .bind(onboarded)
    .execute(tx)
    .await?;
    Ok(())
}

/// Meta has taken the request. `other_refused`: not the one before it, the reason of which stays.
pub(super) async fn asked(
    tx: &mut WriteTx,
    number: &PhoneNumberId,
    what: SyncType,
    request: &str,
    now: OffsetDateTime,
    other_refused: bool,
) -> Result<()> {
    let sql = match what {
        SyncType::Contacts => {
            "UPDATE number_syncs SET contacts_request = $1, contacts_asked_at = $2, \
             failure = CASE WHEN $4 THEN failure END WHERE phone_number_id = $3"
        }
        SyncType::History => {
            "UPDATE number_syncs SET history_request = $1, history_asked_at = $2, \
             failure = CASE WHEN $4 THEN failure END WHERE phone_number_id = $3"
        }
    };
    let request = crate::base::text::shorten(request, 200);
    query(sql).bind(request).bind(now).bind(number).bind(other_refused).execute(tx).await?;
    Ok(())
}

pub(super) async fn failed(tx: &mut WriteTx, number: &PhoneNumberId, failure: Option<&Failure>) -> Result<()> {
    let json = failure.map(serde_json::to_string).transpose();
    let json = json.map_err(|_| StoreError::Value("failure".to_owned()))?;
    let set = query("UPDATE number_syncs SET failure = $1 WHERE phone_number_id = $2");
    set.bind(json).bind(number).execute(tx).await?;
    Ok(())
}

pub(super) async fn contacts_told(
    tx: &mut WriteTx,
    number: &PhoneNumberId,
    count: i64,
    at: OffsetDateTime,
) -> Result<()> {
    query(
        "UPDATE number_syncs SET contacts_count = contacts_count + $1, contacts_told_at = $2 \
         WHERE phone_number_id = $3",
    )
    .bind(count)
    .bind(at)
    .bind(number)
    .execute(tx)
    .await?;
    Ok(())
}

/// Parts come in any order: progress never goes back.
pub(super) async fn history_told(
    tx: &mut WriteTx,
    number: &PhoneNumberId,
    progress: i64,
    phase: i64,
    at: OffsetDateTime,
) -> Result<()> {
    query(
        "UPDATE number_syncs SET history_told_at = $3, history_phase = $2, \
         history_progress = CASE WHEN coalesce(history_progress, 0) > $1 THEN history_progress ELSE $1 END \
         WHERE phone_number_id = $4",
    )
    .bind(progress)
    .bind(phase)
    .bind(at)
    .bind(number)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn history_declined(tx: &mut WriteTx, number: &PhoneNumberId, at: OffsetDateTime) -> Result<()> {
    let set = query("UPDATE number_syncs SET history_declined_at = $1 WHERE phone_number_id = $2");
    set.bind(at).bind(number).execute(tx).await?;
    Ok(())
}
