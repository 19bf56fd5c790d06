//! All SQL of `customers` and `users`.

use super::{
    details::BusinessDetails,
    model::{Customer, EmailAddress, User},
};
use crate::base::ids::{CustomerId, UserId};
use crate::store::{Reads, Result, Row, WriteTx, query};
use time::OffsetDateTime;

fn user(row: &Row) -> Result<User> {
    Ok(User {
        id: row.parse("id")?,
        email: row.parse("email")?,
        name: row.text("name")?,
        role: row.parse("role")?,
        customer_id: row.opt_parse("customer_id")?,
        customer_name: row.opt_text("customer_name")?,
        two_step_since: row.opt_time("totp_since")?,
    })
}

fn customer(row: &Row) -> Result<Customer> {
    Ok(Customer { id: row.parse("id")?, name: row.text("name")?, created_at: row.time("created_at")? })
}

pub(super) async fn insert_customer(tx: &mut WriteTx, id: CustomerId, name: &str, at: OffsetDateTime) -> Result<()> {
    query("INSERT INTO customers (id, name, created_at) VALUES ($1, $2, $3)")
        .bind(id)
        .bind(name)
        .bind(at)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn customer_by_name(db: &mut impl Reads, name: &str) -> Result<Option<Customer>> {
    query("SELECT id, name, created_at FROM customers WHERE name = $1 ORDER BY created_at LIMIT 1")
        .bind(name)
        .optional(db, customer)
        .await
}

pub(super) async fn customer_by_id(db: &mut impl Reads, id: CustomerId) -> Result<Option<Customer>> {
    query("SELECT id, name, created_at FROM customers WHERE id = $1").bind(id).optional(db, customer).await
}

/// What is known of a customer's business, as JSON; `None` where there is no such customer.
pub(super) async fn details(db: &mut impl Reads, id: CustomerId) -> Result<Option<BusinessDetails>> {
    let found = query("SELECT details FROM customers WHERE id = $1")
        .bind(id)
        .optional(db, |row| row.opt_json::<BusinessDetails>("details"))
        .await?;
    Ok(found.map(Option::unwrap_or_default))
}

pub(super) async fn set_details(tx: &mut WriteTx, id: CustomerId, json: &str) -> Result<bool> {
    Ok(query("UPDATE customers SET details = $1 WHERE id = $2").bind(json).bind(id).execute(tx).await? == 1)
}

/// Customers whose name, or a member's name or address, contains the text; newest first.
pub(super) async fn search_customers(db: &mut impl Reads, text: &str, limit: i64) -> Result<Vec<Customer>> {
    let escaped = text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    query(
        "SELECT id, name, created_at FROM customers c WHERE $1 = '%%' OR lower(c.name) LIKE $1 ESCAPE '\\' \
         OR EXISTS (SELECT 1 FROM users u WHERE u.customer_id = c.id \
         AND (u.email LIKE $1 ESCAPE '\\' OR lower(u.name) LIKE $1 ESCAPE '\\')) \
         ORDER BY c.created_at DESC, c.id DESC LIMIT $2",
    )
    .bind(format!("%{escaped}%"))
    .bind(limit)
    .all(db, customer)
    .await
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
    Ok(made == 1)
}

pub(super) async fn user_by_id(db: &mut impl Reads, id: UserId) -> Result<Option<User>> {
    query(
        "SELECT u.id, u.email, u.name, u.role, u.customer_id, u.totp_since, c.name AS customer_name \
         FROM users u LEFT JOIN customers c ON c.id = u.customer_id WHERE u.id = $1",
    )
    .bind(id)
    .optional(db, user)
    .await
}

pub(super) async fn user_by_email(db: &mut impl Reads, email: &EmailAddress) -> Result<Option<User>> {
    query(
        "SELECT u.id, u.email, u.name, u.role, u.customer_id, u.totp_since, c.name AS customer_name \
         FROM users u LEFT JOIN customers c ON c.id = u.customer_id WHERE u.email = $1",
    )
    .bind(email.as_str())
    .optional(db, user)
    .await
}

/// A person's ID and password hash.
pub(super) async fn credentials(db: &mut impl Reads, email: &EmailAddress) -> Result<Option<(UserId, String)>> {
    query("SELECT id, password_hash FROM users WHERE email = $1")
        .bind(email.as_str())
        .optional(db, |row| Ok((row.parse("id")?, row.text("password_hash")?)))
        .await
}

pub(super) async fn members(db: &mut impl Reads, customer: CustomerId) -> Result<Vec<User>> {
    query(
        "SELECT u.id, u.email, u.name, u.role, u.customer_id, u.totp_since, c.name AS customer_name \
         FROM users u JOIN customers c ON c.id = u.customer_id WHERE u.customer_id = $1 ORDER BY u.created_at",
    )
    .bind(customer)
    .all(db, user)
    .await
}

pub(super) async fn set_name(tx: &mut WriteTx, id: UserId, name: &str) -> Result<()> {
    query("UPDATE users SET name = $1 WHERE id = $2").bind(name).bind(id).execute(tx).await?;
    Ok(())
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

/// How many companies there are.
pub(super) async fn count_customers(db: &mut impl Reads) -> Result<i64> {
    query("SELECT count(*) AS n FROM customers WHERE deleting_at IS NULL").one(db, |row| row.int("n")).await
}
