//! What webhooks tell of numbers. A change touches numbers of its own WABA alone, and what comes late nothing.

use super::{PhoneNumbers, TASK_JOB, file::Stage, file_queries, pins, queries, readings};
use crate::{
    base::{
        ids::{PhoneNumberId, WabaId},
        text,
    },
    store::{Result, WriteTx},
};
use time::{Duration, OffsetDateTime};

/// The longest name that is kept, in characters.
const LONGEST_NAME: usize = 200;
/// What happened so long before the number was read is in what was read. Meta's clock and ours may differ a little.
const CLOCKS_DIFFER: Duration = Duration::minutes(5);

/// Meta has decided on a display name.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/phone_number_name_update>
///
/// # Errors
/// The database's.
pub async fn name_reviewed(
    tx: &mut WriteTx,
    number: &PhoneNumberId,
    waba: &WabaId,
    decision: &str,
    name: &str,
    at: OffsetDateTime,
) -> Result<()> {
    let Some(known) = queries::names(tx, number, waba).await? else { return Ok(()) };
    if known.told_at.is_some_and(|told| told > at) || known.read_at > at + CLOCKS_DIFFER {
        return Ok(());
    }
    // The words of the number's own `name_status`.
    let status = match decision {
        "APPROVED" => "APPROVED",
        "REJECTED" => "DECLINED",
        "PENDING" | "DEFERRED" => "PENDING_REVIEW",
        _ => return Ok(()),
    };
    let name = text::shorten(name.trim(), LONGEST_NAME);
    let stands = matches!(known.status.as_deref(), Some("APPROVED" | "AVAILABLE_WITHOUT_REVIEW"));
    // A name that stands goes on until the one that was asked for instead is approved.
    if status != "APPROVED" && stands && !name.is_empty() && name != known.verified_name {
        return queries::name_told(tx, number, None, None, at).await;
    }
    let shown = (status == "APPROVED" && !name.is_empty()).then_some(name.as_str());
    queries::name_told(tx, number, Some(status), shown, at).await?;
    readings::told(tx, number, at, |reading| reading.name_status = Some(status.to_owned())).await
}

/// Meta has changed the limit, such as `TIER_2K`, which all numbers of the business share.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messaging-limits>
///
/// # Errors
/// The database's.
pub async fn limit_told(tx: &mut WriteTx, waba: &WabaId, limit: &str, at: OffsetDateTime) -> Result<()> {
    let limit = text::shorten(limit, 40);
    queries::limit_told(tx, waba, &limit, at, at + CLOCKS_DIFFER).await?;
    for (number, _) in queries::written(tx, waba).await? {
        readings::told(tx, &number, at, |reading| reading.limit = Some(limit.clone())).await?;
    }
    Ok(())
}

/// Meta has changed how many messages a second a number may send, such as `HIGH`.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/throughput>
///
/// # Errors
/// The database's.
pub async fn throughput_told(
    tx: &mut WriteTx,
    number: &PhoneNumberId,
    waba: &WabaId,
    level: &str,
    at: OffsetDateTime,
) -> Result<()> {
    queries::throughput_told(tx, number, waba, level, at, at + CLOCKS_DIFFER).await?;
    if queries::waba_of(tx, number).await?.as_ref() != Some(waba) {
        return Ok(());
    }
    readings::told(tx, number, at, |reading| reading.throughput = Some(level.to_owned())).await
}

impl PhoneNumbers {
    /// Somebody changed the PIN at Meta, or switched two-step verification off: what is kept here is stale.
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/security>
    ///
    /// # Errors
    /// The database's.
    pub async fn security_told(
        tx: &mut WriteTx,
        number: &PhoneNumberId,
        event: &str,
        at: OffsetDateTime,
    ) -> Result<()> {
        // A request alone changes nothing yet.
        if event == "PIN_RESET_REQUEST" {
            return Ok(());
        }
        if let Some(file) = file_queries::of_phone(tx, number).await? {
            // Told to the second.
            pins::changed_elsewhere(tx, &file.id, at + Duration::seconds(1)).await?;
        }
        Ok(())
    }

    /// Meta has decided on a display name: what waits for it goes on at once.
    ///
    /// # Errors
    /// The database's.
    pub async fn name_told(&self, tx: &mut WriteTx, number: &PhoneNumberId) -> Result<()> {
        let now = self.now();
        let file = file_queries::of_phone(tx, number).await?;
        if let Some(file) = file.filter(|file| file.stage == Some(Stage::WaitingName)) {
            file_queries::hurry(tx, &file.id, now).await?;
            self.queue.enqueue(tx, TASK_JOB, &file.id, now).await?;
        }
        Ok(())
    }
}
