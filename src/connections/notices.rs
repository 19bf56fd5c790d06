//! What Meta tells of accounts by webhook: kept, shown, and looked into where the access may have ended.

use super::{Connections, model::Notice, notice_queries};
use crate::{
    base::{
        ids::{ConnectionId, PhoneNumberId, WabaId},
        text,
    },
    store::{Result, StoreError, WriteTx},
};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

/// The kind of the job that asks Meta whether a connection's access still stands; its subject is the connection's ID.
pub const ACCESS_JOB: &str = "connections.check_access";
/// How long a notice is kept.
const KEPT: Duration = Duration::days(180);
/// The most that is kept of what a notice says beside its name, in bytes.
const LONGEST_DETAIL: usize = 16 * 1024;

/// What Meta told of an account.
#[derive(Clone, Debug)]
pub struct Told<'a> {
    /// The account.
    pub waba: &'a WabaId,
    /// The connection that held it when it was told.
    pub connection: ConnectionId,
    /// The number, where it is about one.
    pub phone_number: Option<&'a PhoneNumberId>,
    /// The event that told it.
    pub event_id: i64,
    /// The webhook's field.
    pub field: &'a str,
    /// Such as `ACCOUNT_RESTRICTION`.
    pub event: &'a str,
    /// When, by Meta's word.
    pub at: OffsetDateTime,
    /// All that was said.
    pub detail: &'a Value,
}

/// Events after which the token may not open the account any more. They are no proof: a late one may be about the
/// connection before this one, so that Meta is asked.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/account_update>
const ENDINGS: [&str; 5] =
    ["PARTNER_REMOVED", "PARTNER_APP_UNINSTALLED", "ACCOUNT_DELETED", "ACCOUNT_OFFBOARDED", "DISABLED_UPDATE"];
/// Events after which numbers and state of the account are worth reading anew.
const RETURNS: [&str; 1] = ["ACCOUNT_RECONNECTED"];

impl Connections {
    /// Keeps what Meta told of an account, and has looked into what may have ended the access, in the transaction
    /// that makes an event of it. Nothing happens where the account is not that connection's any more.
    ///
    /// # Errors
    /// The database's.
    pub async fn note(&self, tx: &mut WriteTx, told: &Told<'_>) -> Result<()> {
        // With these the connection begins.
        if matches!(told.event, "PARTNER_ADDED" | "PARTNER_APP_INSTALLED") {
            return Ok(());
        }
        let event = text::without_nul(&text::shorten(told.event, 80));
        let detail = text::without_nul(&told.detail.to_string());
        let detail = if detail.len() > LONGEST_DETAIL { "{}" } else { detail.as_str() };
        let kept = notice_queries::insert(tx, told, &event, detail).await?;
        notice_queries::prune(tx, told.waba, self.clock.now() - KEPT).await?;
        if kept && told.field == "account_update" && (ENDINGS.contains(&told.event) || RETURNS.contains(&told.event)) {
            self.queue.enqueue(tx, ACCESS_JOB, &told.connection.to_string(), self.clock.now()).await?;
        }
        Ok(())
    }

    /// Meta has reviewed an account. What comes late changes nothing.
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/account_review_update>
    ///
    /// # Errors
    /// The database's.
    pub async fn reviewed(&self, tx: &mut WriteTx, waba: &WabaId, decision: &str, at: OffsetDateTime) -> Result<()> {
        let decision = text::without_nul(&text::shorten(decision.trim(), 40));
        if decision.is_empty() {
            return Ok(());
        }
        notice_queries::set_review(tx, waba, &decision, at).await
    }

    /// What Meta told of an account, the last first.
    ///
    /// # Errors
    /// The database's.
    pub async fn notices(&self, waba: &WabaId, limit: i64) -> std::result::Result<Vec<Notice>, StoreError> {
        notice_queries::list(&mut self.store.read().await?, waba, limit).await
    }
}
