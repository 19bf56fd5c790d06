//! Who did what, append-only. It holds IDs; names and addresses live elsewhere, so that erasing a
//! person leaves the log whole. From where somebody came is personal too: the log holds the ID of an
//! *origin*, whose address goes when the person goes.

use crate::{
    base::{
        clock::Clock,
        ids::{self, CustomerId, UserId},
    },
    store::{Result, WriteTx, query},
};
use std::{future::Future, net::IpAddr};

tokio::task_local! {
    /// From where the request under way comes; unset in jobs and on the command line.
    static FROM: Option<IpAddr>;
}

/// Runs a request, so that what it records says from where it came.
pub async fn from_address<T>(from: Option<IpAddr>, work: impl Future<Output = T>) -> T {
    FROM.scope(from, work).await
}

/// From where the request under way comes, if it is known.
#[must_use]
pub fn address() -> Option<IpAddr> {
    FROM.try_with(|from| *from).ok().flatten()
}

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
    let origin = origin(tx, entry.actor).await?;
    query(
        "INSERT INTO audit_log (id, at, actor_user_id, customer_id, action, subject, detail, origin_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(ids::new_uuid().to_string())
    .bind(clock.now())
    .bind(entry.actor)
    .bind(entry.customer)
    .bind(entry.action)
    .bind(entry.subject)
    .bind(entry.detail)
    .bind(origin)
    .execute(tx)
    .await?;
    Ok(())
}

/// The ID of where this person comes from now; made where it is new. Nobody's address is not kept.
async fn origin(tx: &mut WriteTx, actor: Option<UserId>) -> Result<Option<String>> {
    let (Some(actor), Some(address)) = (actor, address()) else { return Ok(None) };
    let id = query(
        "INSERT INTO origins (id, user_id, address) VALUES ($1, $2, $3) \
         ON CONFLICT (user_id, address) DO UPDATE SET address = excluded.address RETURNING id",
    )
    .bind(ids::new_uuid().to_string())
    .bind(actor)
    .bind(address.to_string())
    .one(tx, |row| row.text("id"))
    .await?;
    Ok(Some(id))
}
