//! All that is a customer's, at once: how it stands, to be handed out, to be erased.

use super::model::ConnectionState;
use crate::{
    base::ids::{ConnectionId, CustomerId, WabaId},
    store::{Reads, Result, WriteTx, counters::ROUTING, query},
};

/// Whether there is one that works, and one whose access ended.
pub(super) async fn standing(db: &mut impl Reads, customer: CustomerId) -> Result<(bool, bool)> {
    let states = query("SELECT DISTINCT state FROM connections WHERE customer_id = $1")
        .bind(customer)
        .all(db, |row| row.parse::<ConnectionState>("state"))
        .await?;
    Ok((states.contains(&ConnectionState::Active), states.contains(&ConnectionState::NeedsReconnect)))
}

/// All of a customer's, also those that are over.
pub(super) async fn ids(db: &mut impl Reads, customer: CustomerId) -> Result<Vec<ConnectionId>> {
    query("SELECT id FROM connections WHERE customer_id = $1 ORDER BY created_at, id")
        .bind(customer)
        .all(db, |row| row.parse("id"))
        .await
}

pub(super) async fn wabas_of(db: &mut impl Reads, customer: CustomerId) -> Result<Vec<WabaId>> {
    query("SELECT waba_id FROM wabas WHERE customer_id = $1 ORDER BY waba_id")
        .bind(customer)
        .all(db, |row| row.parse("waba_id"))
        .await
}

/// Forgets all that is a customer's; its numbers go with their WABAs.
pub(super) async fn erase(tx: &mut WriteTx, customer: CustomerId) -> Result<()> {
    query("DELETE FROM wabas WHERE customer_id = $1").bind(customer).execute(tx).await?;
    ROUTING.advance(tx, 1).await?;
    query("DELETE FROM connections WHERE customer_id = $1").bind(customer).execute(tx).await?;
    Ok(())
}

pub(super) async fn export(db: &mut impl Reads, customer: CustomerId) -> Result<Vec<serde_json::Value>> {
    query("SELECT * FROM connections WHERE customer_id = $1 ORDER BY created_at, id")
        .bind(customer)
        .all(db, |row| row.to_json(&["scopes", "disconnecting"]))
        .await
}

pub(super) async fn export_wabas(db: &mut impl Reads, customer: CustomerId) -> Result<Vec<serde_json::Value>> {
    query("SELECT * FROM wabas WHERE customer_id = $1 ORDER BY waba_id")
        .bind(customer)
        .all(db, |row| row.to_json(&["health"]))
        .await
}
