//! All SQL of `users`.

use super::{
    customer_queries,
    model::{CustomerState, EmailAddress, User},
};
use crate::base::ids::{CustomerId, UserId};
use crate::store::{Reads, Result, Row, WriteTx, query};
use time::OffsetDateTime;

/// People with their company; what follows says which.
macro_rules! select_users {
    ($which:literal) => {
        concat!(
            "SELECT u.id, u.email, u.name, u.role, u.customer_id, u.totp_since, c.name AS customer_name, \
             c.suspended_at, c.deleting_at FROM users u LEFT JOIN customers c ON c.id = u.customer_id ",
            $which
        )
    };
}

fn user(row: &Row) -> Result<User> {
    Ok(User {
        id: row.parse("id")?,
        email: row.parse("email")?,
        name: row.text("name")?,
        role: row.parse("role")?,
        customer_id: row.opt_parse("customer_id")?,
        customer_name: row.opt_text("customer_name")?,
        customer_state: match row.opt_text("customer_id")? {
            Some(_) => Some(CustomerState::of(row.opt_time("suspended_at")?, row.opt_time("deleting_at")?)),
            None => None,
        },
        two_step_since: row.opt_time("totp_since")?,
    })
}

/// A new person, as the row wants them.
pub(super) struct NewUser<'a> {
    pub id: UserId,
    pub email: &'a EmailAddress,
    pub name: &'a str,
    pub password_hash: &'a str,
    pub role: super::Role,
    pub customer_id: Option<CustomerId>,
    pub at: OffsetDateTime,
}

/// Whether the person was made: not where the address is taken.
pub(super) async fn insert_user(tx: &mut WriteTx, new: NewUser<'_>) -> Result<bool> {
    let made = query(
        "INSERT INTO users (id, email, name, password_hash, role, customer_id, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (email) DO NOTHING",
    )
    .bind(new.id)
    .bind(new.email.as_str())
    .bind(new.name)
    .bind(new.password_hash)
    .bind(new.role.as_str())
    .bind(new.customer_id)
    .bind(new.at)
    .execute(tx)
    .await?;
    if let (1, Some(customer)) = (made, new.customer_id) {
        customer_queries::index(tx, customer).await?;
    }
    Ok(made == 1)
}

pub(super) async fn user_by_id(db: &mut impl Reads, id: UserId) -> Result<Option<User>> {
    query(select_users!("WHERE u.id = $1 AND u.removed_at IS NULL")).bind(id).optional(db, user).await
}

pub(super) async fn user_by_email(db: &mut impl Reads, email: &EmailAddress) -> Result<Option<User>> {
    query(select_users!("WHERE u.email = $1 AND u.removed_at IS NULL")).bind(email.as_str()).optional(db, user).await
}

/// A person's ID and password hash.
pub(super) async fn credentials(db: &mut impl Reads, email: &EmailAddress) -> Result<Option<(UserId, String)>> {
    query("SELECT id, password_hash FROM users WHERE email = $1")
        .bind(email.as_str())
        .optional(db, |row| Ok((row.parse("id")?, row.text("password_hash")?)))
        .await
}

pub(super) async fn members(db: &mut impl Reads, customer: CustomerId) -> Result<Vec<User>> {
    query(select_users!("WHERE u.customer_id = $1 AND u.removed_at IS NULL ORDER BY u.created_at"))
        .bind(customer)
        .all(db, user)
        .await
}

pub(super) async fn set_name(tx: &mut WriteTx, id: UserId, name: &str) -> Result<()> {
    query("UPDATE users SET name = $1 WHERE id = $2").bind(name).bind(id).execute(tx).await?;
    customer_queries::index_of_member(tx, id).await
}

pub(super) async fn set_password(tx: &mut WriteTx, id: UserId, hash: &str) -> Result<()> {
    query("UPDATE users SET password_hash = $1 WHERE id = $2").bind(hash).bind(id).execute(tx).await?;
    Ok(())
}

/// Ends all sessions of a person.
pub(super) async fn end_sessions(tx: &mut WriteTx, id: UserId) -> Result<u64> {
    query("DELETE FROM sessions WHERE user_id = $1").bind(id).execute(tx).await
}

/// Whether anybody is here.
pub(super) async fn has_people(db: &mut impl Reads) -> Result<bool> {
    Ok(query("SELECT id FROM users LIMIT 1").optional(db, |_| Ok(())).await?.is_some())
}

/// A person is here: the set-up code is worth nothing any more.
pub(super) async fn drop_setup_code(tx: &mut WriteTx) -> Result<()> {
    query("DELETE FROM setup_codes").execute(tx).await?;
    Ok(())
}

/// The hash of a person's password.
pub(super) async fn password_hash(db: &mut impl Reads, id: UserId) -> Result<Option<String>> {
    query("SELECT password_hash FROM users WHERE id = $1").bind(id).optional(db, |row| row.text("password_hash")).await
}

/// Notes that a person was here.
pub(super) async fn set_seen(tx: &mut WriteTx, id: UserId, at: OffsetDateTime) -> Result<()> {
    query("UPDATE users SET seen_at = $1 WHERE id = $2").bind(at).bind(id).execute(tx).await?;
    Ok(())
}

/// How many links that are still good could not be mailed.
pub(super) async fn unsent_mails(db: &mut impl Reads, now: OffsetDateTime) -> Result<i64> {
    query(
        "SELECT count(*) AS n FROM invites WHERE mail_state = 'failed' AND used_at IS NULL AND revoked_at IS NULL \
         AND expires_at > $1",
    )
    .bind(now)
    .one(db, |row| row.int("n"))
    .await
}
