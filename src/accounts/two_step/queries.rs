//! SQL of the second step's columns of `users`.

use crate::{
    base::ids::UserId,
    store::{Reads, Result, WriteTx, query},
};
use time::OffsetDateTime;

/// The sealed secrets of a person.
#[derive(Default)]
pub(super) struct Kept {
    pub confirmed: Option<String>,
    pub pending: Option<String>,
}

pub(super) async fn totp(db: &mut impl Reads, id: UserId) -> Result<Kept> {
    let row = query("SELECT totp_sealed, totp_pending_sealed FROM users WHERE id = $1").bind(id);
    let kept = row
        .optional(db, |row| {
            Ok(Kept { confirmed: row.opt_text("totp_sealed")?, pending: row.opt_text("totp_pending_sealed")? })
        })
        .await?;
    Ok(kept.unwrap_or_default())
}

pub(super) async fn set_pending(tx: &mut WriteTx, id: UserId, sealed: Option<&str>) -> Result<()> {
    query("UPDATE users SET totp_pending_sealed = $1 WHERE id = $2")
        .bind(sealed.map(str::to_owned))
        .bind(id)
        .execute(tx)
        .await?;
    Ok(())
}

/// Makes what was pending count, unless it is another by now. The code that confirmed it is used.
pub(super) async fn confirm(
    tx: &mut WriteTx,
    id: UserId,
    pending: &str,
    sealed: &str,
    step: i64,
    at: OffsetDateTime,
) -> Result<bool> {
    let changed = query(
        "UPDATE users SET totp_sealed = $1, totp_pending_sealed = NULL, totp_step = $2, totp_since = $3 \
         WHERE id = $4 AND totp_pending_sealed = $5",
    )
    .bind(sealed)
    .bind(step)
    .bind(at)
    .bind(id)
    .bind(pending)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

/// Takes the code of a time step; not where it, or one after it, was taken before.
pub(super) async fn take_step(tx: &mut WriteTx, id: UserId, step: i64) -> Result<bool> {
    let changed = query(
        "UPDATE users SET totp_step = $1 \
         WHERE id = $2 AND totp_sealed IS NOT NULL AND (totp_step IS NULL OR totp_step < $1)",
    )
    .bind(step)
    .bind(id)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

/// Switches it off, recovery codes too.
pub(super) async fn clear(tx: &mut WriteTx, id: UserId) -> Result<()> {
    query(
        "UPDATE users SET totp_sealed = NULL, totp_pending_sealed = NULL, totp_step = NULL, totp_since = NULL \
         WHERE id = $1",
    )
    .bind(id)
    .execute(tx)
    .await?;
    query("DELETE FROM recovery_codes WHERE user_id = $1").bind(id).execute(tx).await?;
    Ok(())
}
