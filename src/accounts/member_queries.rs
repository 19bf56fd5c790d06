//! SQL about a company's members, and about the end of a person.

use super::model::EmailAddress;
use crate::{
    base::ids::{CustomerId, UserId},
    store::{Reads, Result, WriteTx, query},
};
use time::OffsetDateTime;

/// A member as staff see them.
#[derive(Clone, Debug)]
pub struct MemberLine {
    /// Who.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: EmailAddress,
    /// Since when they are here.
    pub created_at: OffsetDateTime,
    /// When they were here last.
    pub seen_at: Option<OffsetDateTime>,
    /// Whether a second step is asked for when they sign in.
    pub has_two_steps: bool,
}

pub(super) async fn lines(db: &mut impl Reads, customer: CustomerId) -> Result<Vec<MemberLine>> {
    query(
        "SELECT id, name, email, created_at, seen_at, totp_sealed IS NOT NULL AS two_steps FROM users \
         WHERE customer_id = $1 AND removed_at IS NULL ORDER BY created_at, id",
    )
    .bind(customer)
    .all(db, |row| {
        Ok(MemberLine {
            id: row.parse("id")?,
            name: row.text("name")?,
            email: row.parse("email")?,
            created_at: row.time("created_at")?,
            seen_at: row.opt_time("seen_at")?,
            has_two_steps: row.bool("two_steps")?,
        })
    })
    .await
}

/// Ends the sessions of all of a company's members.
pub(super) async fn end_sessions(tx: &mut WriteTx, customer: CustomerId) -> Result<()> {
    query("DELETE FROM sessions WHERE user_id IN (SELECT id FROM users WHERE customer_id = $1)")
        .bind(customer)
        .execute(tx)
        .await?;
    Ok(())
}

/// What to do to forget a person: each statement with the person's ID. The row stays, without anything of theirs,
/// for what refers to it; its address is one that nobody can have.
/// <https://www.rfc-editor.org/rfc/rfc2606#section-2>
const FORGET: [&str; 6] = [
    "DELETE FROM sessions WHERE user_id = $1",
    "DELETE FROM recovery_codes WHERE user_id = $1",
    "DELETE FROM invites WHERE user_id = $1 OR email = (SELECT email FROM users WHERE id = $1)",
    "DELETE FROM origins WHERE user_id = $1",
    "UPDATE users SET name = '', email = 'removed-' || id || '@removed.invalid', password_hash = '!' WHERE id = $1",
    "UPDATE users SET totp_sealed = NULL, totp_pending_sealed = NULL, totp_step = NULL, totp_since = NULL, \
     seen_at = NULL WHERE id = $1",
];

/// Makes a person a nameless row; false where they are gone already.
pub(super) async fn forget(tx: &mut WriteTx, id: UserId, at: OffsetDateTime) -> Result<bool> {
    let removed = query("UPDATE users SET removed_at = $1 WHERE id = $2 AND removed_at IS NULL")
        .bind(at)
        .bind(id)
        .execute(tx)
        .await?;
    if removed == 0 {
        return Ok(false);
    }
    for sql in FORGET {
        query(sql).bind(id).execute(tx).await?;
    }
    Ok(true)
}

/// The admins that are there, locked until the end of the transaction: two who remove each other can't both go.
pub(super) async fn admins(tx: &mut WriteTx) -> Result<Vec<UserId>> {
    query("UPDATE users SET role = role WHERE role = 'admin' AND removed_at IS NULL RETURNING id")
        .all(tx, |row| row.parse("id"))
        .await
}

/// What to do to forget a company with all its people: each statement with its ID.
const ERASE: [&str; 6] = [
    "DELETE FROM origins WHERE user_id IN (SELECT id FROM users WHERE customer_id = $1)",
    "DELETE FROM sessions WHERE user_id IN (SELECT id FROM users WHERE customer_id = $1)",
    "DELETE FROM recovery_codes WHERE user_id IN (SELECT id FROM users WHERE customer_id = $1)",
    "DELETE FROM invites WHERE customer_id = $1 OR user_id IN (SELECT id FROM users WHERE customer_id = $1)",
    "DELETE FROM users WHERE customer_id = $1",
    "DELETE FROM customers WHERE id = $1",
];

pub(super) async fn erase(tx: &mut WriteTx, customer: CustomerId) -> Result<()> {
    for sql in ERASE {
        query(sql).bind(customer).execute(tx).await?;
    }
    Ok(())
}
