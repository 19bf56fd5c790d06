//! Who did what, append-only. It holds IDs; names and addresses live elsewhere, so that erasing a
//! person leaves the log whole.

use crate::{
    base::{
        clock::Clock,
        ids::{self, CustomerId, UserId},
    },
    store::{Result, WriteTx, query},
};

/// One entry.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// Who did it; `None` for Doorway itself.
    pub actor: Option<UserId>,
    /// Whom it concerns.
    pub customer: Option<CustomerId>,
    /// What, such as `connection.disconnected`.
    pub action: &'static str,
    /// To what: an ID.
    pub subject: Option<&'a str>,
    /// More, never a secret.
    pub detail: Option<String>,
}

/// Writes an entry in the transaction of what it tells.
///
/// # Errors
/// The database's.
pub async fn record(tx: &mut WriteTx, clock: &Clock, entry: Entry<'_>) -> Result<()> {
    query(
        "INSERT INTO audit_log (id, at, actor_user_id, customer_id, action, subject, detail) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(ids::new_uuid().to_string())
    .bind(clock.now())
    .bind(entry.actor)
    .bind(entry.customer)
    .bind(entry.action)
    .bind(entry.subject)
    .bind(entry.detail)
    .execute(tx)
    .await?;
    Ok(())
}
