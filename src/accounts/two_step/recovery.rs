//! Recovery codes: ten, each good once, kept as hashes.

use super::codes;
use crate::{
    base::ids::UserId,
    store::{Reads, Result, WriteTx, query},
};
use time::OffsetDateTime;

/// How many there are in a set.
pub const RECOVERY_CODES: usize = 10;

/// A new set in the place of the old one.
pub(super) async fn renew(tx: &mut WriteTx, user: UserId) -> Result<Vec<String>> {
    query("DELETE FROM recovery_codes WHERE user_id = $1").bind(user).execute(tx).await?;
    let new: Vec<String> = (0..RECOVERY_CODES).map(|_| codes::generate()).collect();
    for code in &new {
        query("INSERT INTO recovery_codes (user_id, code_hash) VALUES ($1, $2)")
            .bind(user)
            .bind(codes::hash(&user.to_string(), code))
            .execute(tx)
            .await?;
    }
    Ok(new)
}

/// Takes one, if it is there and was not used.
pub(super) async fn take(tx: &mut WriteTx, user: UserId, typed: &str, at: OffsetDateTime) -> Result<bool> {
    let taken =
        query("UPDATE recovery_codes SET used_at = $1 WHERE user_id = $2 AND code_hash = $3 AND used_at IS NULL")
            .bind(at)
            .bind(user)
            .bind(codes::hash(&user.to_string(), typed))
            .execute(tx)
            .await?;
    Ok(taken == 1)
}

/// How many are left.
pub(super) async fn left(db: &mut impl Reads, user: UserId) -> Result<i64> {
    query("SELECT count(*) AS n FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL")
        .bind(user)
        .one(db, |row| row.int("n"))
        .await
}
