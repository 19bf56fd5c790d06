//! Who held an account or a number at any time. Meta may go on sending after an account was let go, and what comes
//! while it is nobody's must not reach whoever connects it next.

use crate::{
    base::ids::{CustomerId, PhoneNumberId, WabaId},
    store::{Reads, Result, WriteTx, query},
};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

/// What stands instead of an ID once the customer is erased: it says nothing, but is found again.
fn digest(id: &str) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(id.as_bytes())))
}

/// Notes that this customer holds an account with the numbers that are known of it. The first time counts.
pub(super) async fn note(tx: &mut WriteTx, waba: &WabaId, now: OffsetDateTime) -> Result<()> {
    query(
        "INSERT INTO asset_holders (asset_id, customer_id, since) \
         SELECT waba_id, customer_id, $2 FROM wabas WHERE waba_id = $1 \
         ON CONFLICT (asset_id, customer_id) DO NOTHING",
    )
    .bind(waba)
    .bind(now)
    .execute(tx)
    .await?;
    query(
        "INSERT INTO asset_holders (asset_id, customer_id, since) \
         SELECT p.phone_number_id, w.customer_id, $2 FROM phone_numbers p JOIN wabas w ON w.waba_id = p.waba_id \
         WHERE w.waba_id = $1 ON CONFLICT (asset_id, customer_id) DO NOTHING",
    )
    .bind(waba)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Forgets that it was this customer, but not that it was somebody.
pub(super) async fn erase(tx: &mut WriteTx, customer: CustomerId) -> Result<()> {
    let held = query("SELECT asset_id, since FROM asset_holders WHERE customer_id = $1")
        .bind(customer)
        .all(tx, |row| Ok((row.text("asset_id")?, row.time("since")?)))
        .await?;
    for (asset, since) in held {
        query(
            "INSERT INTO asset_holders (asset_id, customer_id, since) VALUES ($1, '', $2) \
             ON CONFLICT (asset_id, customer_id) DO UPDATE SET since = excluded.since \
             WHERE asset_holders.since > excluded.since",
        )
        .bind(digest(&asset))
        .bind(since)
        .execute(tx)
        .await?;
    }
    query("DELETE FROM asset_holders WHERE customer_id = $1").bind(customer).execute(tx).await?;
    Ok(())
}

/// Whether an account or a number was another customer's by then.
///
/// # Errors
/// The database's.
pub async fn was_anothers(
    db: &mut impl Reads,
    customer: CustomerId,
    wabas: [Option<&WabaId>; 2],
    number: Option<&PhoneNumberId>,
    by: OffsetDateTime,
) -> Result<bool> {
    let ids = wabas.into_iter().flatten().map(WabaId::as_str).chain(number.map(PhoneNumberId::as_str));
    for id in ids {
        let other = query(
            "SELECT asset_id FROM asset_holders WHERE asset_id IN ($1, $2) AND customer_id <> $3 AND since <= $4 \
             LIMIT 1",
        )
        .bind(id)
        .bind(digest(id))
        .bind(customer)
        .bind(by)
        .optional(db, |row| row.text("asset_id"))
        .await?;
        if other.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
