//! Keeping and reading numbers, in the transactions of the features that use them.

use super::{model::Number, queries};
use crate::{
    base::ids::{PhoneNumberId, WabaId},
    graph,
    store::{Reads, Result, WriteTx},
};
use time::OffsetDateTime;

/// Keeps the numbers of a WABA as just read; those that are gone from it go here too, and one that came
/// from another WABA of ours moves.
///
/// # Errors
/// The database's.
pub async fn replace(tx: &mut WriteTx, waba: &WabaId, read: &[graph::PhoneNumber], now: OffsetDateTime) -> Result<()> {
    queries::replace(tx, waba, read, now).await
}

/// Keeps what Meta said of a number's health.
///
/// # Errors
/// The database's.
pub async fn set_health(tx: &mut WriteTx, id: &PhoneNumberId, health: &graph::Health) -> Result<()> {
    queries::set_health(tx, id, health).await
}

/// The numbers of a WABA.
///
/// # Errors
/// The database's.
pub async fn list(db: &mut impl Reads, waba: &WabaId) -> Result<Vec<Number>> {
    queries::list(db, waba).await
}

/// A WABA's numbers as they are kept, to be handed out.
///
/// # Errors
/// The database's.
pub async fn export(db: &mut impl Reads, waba: &WabaId) -> Result<Vec<serde_json::Value>> {
    queries::export(db, waba).await
}
