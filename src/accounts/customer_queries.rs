//! All SQL of `customers`.

use super::{
    customer_list::{ConnectionStanding, CustomerFilter, Listed},
    details::BusinessDetails,
    model::{Customer, CustomerState},
};
use crate::{
    base::{
        ids::{CustomerId, UserId},
        text,
    },
    store::{Reads, Result, Row, WriteTx, query},
};
use time::OffsetDateTime;

/// The longest `name_key` in bytes: PostgreSQL's index entries hold 2,704 bytes in all.
const NAME_KEY_BYTES: usize = 400;
/// The longest `search_key` in bytes.
const SEARCH_KEY_BYTES: usize = 1_500;

fn state(row: &Row) -> Result<CustomerState> {
    Ok(CustomerState::of(row.opt_time("suspended_at")?, row.opt_time("deleting_at")?))
}

fn customer(row: &Row) -> Result<Customer> {
    Ok(Customer {
        id: row.parse("id")?,
        name: row.text("name")?,
        created_at: row.time("created_at")?,
        state: state(row)?,
    })
}

fn listed(row: &Row) -> Result<Listed> {
    Ok(Listed {
        customer: customer(row)?,
        connections: row.parse::<ConnectionStanding>("connection_state")?,
        name_key: row.text("name_key")?,
    })
}

pub(super) async fn insert(tx: &mut WriteTx, id: CustomerId, name: &str, at: OffsetDateTime) -> Result<()> {
    query("INSERT INTO customers (id, name, created_at) VALUES ($1, $2, $3)")
        .bind(id)
        .bind(name)
        .bind(at)
        .execute(tx)
        .await?;
    index(tx, id).await
}

/// Writes what a customer is sorted and found by, after its name or its members have changed.
pub(super) async fn index(tx: &mut WriteTx, id: CustomerId) -> Result<()> {
    let Some(name) =
        query("SELECT name FROM customers WHERE id = $1").bind(id).optional(tx, |row| row.text("name")).await?
    else {
        return Ok(());
    };
    let members = query("SELECT name, email FROM users WHERE customer_id = $1 AND removed_at IS NULL ORDER BY id")
        .bind(id)
        .all(tx, |row| Ok([row.text("name")?, row.text("email")?]))
        .await?;
    let name = name.to_lowercase();
    let members: Vec<&str> = members.iter().flatten().map(String::as_str).collect();
    // Never empty, which would mean that it is still to be filled.
    let all = format!("{name}\n{}", members.join("\n").to_lowercase());
    let cut = text::within_bytes(&all, SEARCH_KEY_BYTES);
    let more = (cut.len() < all.len()).then(|| all.clone());
    query("UPDATE customers SET name_key = $1, search_key = $2, search_more = $3 WHERE id = $4")
        .bind(text::within_bytes(&name, NAME_KEY_BYTES))
        .bind(cut)
        .bind(more)
        .bind(id)
        .execute(tx)
        .await?;
    Ok(())
}

/// The same for the customer whose member this is.
pub(super) async fn index_of_member(tx: &mut WriteTx, id: UserId) -> Result<()> {
    let customer = query("SELECT customer_id FROM users WHERE id = $1")
        .bind(id)
        .optional(tx, |row| row.opt_parse("customer_id"))
        .await?;
    match customer.flatten() {
        Some(customer) => index(tx, customer).await,
        None => Ok(()),
    }
}

/// Customers that were there before there was anything to find them by.
pub(super) async fn not_indexed(db: &mut impl Reads, limit: i64) -> Result<Vec<CustomerId>> {
    query("SELECT id FROM customers WHERE search_key = '' LIMIT $1").bind(limit).all(db, |row| row.parse("id")).await
}

pub(super) async fn by_name(db: &mut impl Reads, name: &str) -> Result<Option<Customer>> {
    query("SELECT * FROM customers WHERE name = $1 ORDER BY created_at LIMIT 1").bind(name).optional(db, customer).await
}

/// Those of this name, in any spelling of its letters, oldest first.
pub(super) async fn of_same_name(db: &mut impl Reads, name: &str, limit: i64) -> Result<Vec<Customer>> {
    query("SELECT * FROM customers WHERE name_key = $1 ORDER BY id LIMIT $2")
        .bind(text::within_bytes(&name.to_lowercase(), NAME_KEY_BYTES))
        .bind(limit)
        .all(db, customer)
        .await
}

pub(super) async fn by_id(db: &mut impl Reads, id: CustomerId) -> Result<Option<Customer>> {
    query("SELECT * FROM customers WHERE id = $1").bind(id).optional(db, customer).await
}

pub(super) async fn listed_by_id(db: &mut impl Reads, id: CustomerId) -> Result<Option<Listed>> {
    query("SELECT * FROM customers WHERE id = $1").bind(id).optional(db, listed).await
}

pub(super) async fn rename(tx: &mut WriteTx, id: CustomerId, name: &str) -> Result<()> {
    query("UPDATE customers SET name = $1 WHERE id = $2").bind(name).bind(id).execute(tx).await?;
    index(tx, id).await
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

/// Suspends a customer, or lets it in again; false where it is so already, or being deleted.
pub(super) async fn set_suspended(tx: &mut WriteTx, id: CustomerId, at: Option<OffsetDateTime>) -> Result<bool> {
    let changed = query(
        "UPDATE customers SET suspended_at = $1 \
         WHERE id = $2 AND deleting_at IS NULL AND (suspended_at IS NULL) = $3",
    )
    .bind(at)
    .bind(id)
    .bind(at.is_some())
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

/// Marks a customer as being deleted; false where it is already, or is not there.
pub(super) async fn set_deleting(tx: &mut WriteTx, id: CustomerId, at: OffsetDateTime) -> Result<bool> {
    let changed = query("UPDATE customers SET deleting_at = $1 WHERE id = $2 AND deleting_at IS NULL")
        .bind(at)
        .bind(id)
        .execute(tx)
        .await?;
    Ok(changed == 1)
}

/// Since when it is being deleted.
pub(super) async fn deleting_since(db: &mut impl Reads, id: CustomerId) -> Result<Option<OffsetDateTime>> {
    let since = query("SELECT deleting_at FROM customers WHERE id = $1")
        .bind(id)
        .optional(db, |row| row.opt_time("deleting_at"))
        .await?;
    Ok(since.flatten())
}

/// Waits until no other transaction is writing what is this customer's, and keeps them waiting until the end of
/// this one. On SQLite, which has one writer, that is so anyway.
pub(super) async fn lock(tx: &mut WriteTx, id: CustomerId) -> Result<()> {
    query("UPDATE customers SET name = name WHERE id = $1").bind(id).execute(tx).await?;
    Ok(())
}

pub(super) async fn set_connections(tx: &mut WriteTx, id: CustomerId, standing: ConnectionStanding) -> Result<()> {
    query("UPDATE customers SET connection_state = $1 WHERE id = $2 AND connection_state <> $1")
        .bind(standing.as_str())
        .bind(id)
        .execute(tx)
        .await?;
    Ok(())
}

/// What a page's rows must be: `$3` the filter's word, `$4` the pattern. Everything is in the index that gives the
/// order, so that a search walks along it and no further.
macro_rules! wanted {
    () => {
        "($3 = 'all' OR ($3 = 'active' AND suspended_at IS NULL AND deleting_at IS NULL) \
         OR ($3 = 'suspended' AND suspended_at IS NOT NULL) \
         OR ($3 = 'unconnected' AND connection_state = 'none') \
         OR ($3 = 'needs_reconnect' AND connection_state = 'needs_reconnect')) \
         AND ($4 = '%' OR search_key LIKE $4 ESCAPE '\\' OR id IN (SELECT id FROM customers \
         WHERE search_more IS NOT NULL AND search_more LIKE $4 ESCAPE '\\'))"
    };
}

macro_rules! page_of {
    ($key:literal, $sign:literal, $order:literal) => {
        concat!(
            "SELECT id, name, name_key, created_at, suspended_at, deleting_at, connection_state FROM customers WHERE (",
            $key,
            ", id) ",
            $sign,
            " ($1, $2) AND ",
            wanted!(),
            " ORDER BY ",
            $key,
            " ",
            $order,
            ", id ",
            $order,
            " LIMIT $5"
        )
    };
}

/// A piece of the list: what is looked for, and how many rows.
pub(super) struct Piece<'a> {
    pub filter: CustomerFilter,
    pub text: &'a str,
    pub limit: i64,
}

/// By age: older than the row named, the newest first; or younger than it, the oldest first.
pub(super) async fn by_age(
    db: &mut impl Reads,
    piece: Piece<'_>,
    (at, id): (i64, &str),
    older: bool,
) -> Result<Vec<Listed>> {
    let sql = if older { page_of!("created_at", "<", "DESC") } else { page_of!("created_at", ">", "ASC") };
    finish(query(sql).bind(at).bind(id), piece).all(db, listed).await
}

/// By name: after the row named in the alphabet; or before it, backwards.
pub(super) async fn by_alphabet(
    db: &mut impl Reads,
    piece: Piece<'_>,
    (key, id): (&str, &str),
    after: bool,
) -> Result<Vec<Listed>> {
    let sql = if after { page_of!("name_key", ">", "ASC") } else { page_of!("name_key", "<", "DESC") };
    finish(query(sql).bind(key).bind(id), piece).all(db, listed).await
}

fn finish(query: crate::store::Query, piece: Piece<'_>) -> crate::store::Query {
    query.bind(piece.filter.as_str()).bind(pattern(piece.text)).bind(piece.limit)
}

/// The pattern of whatever contains this text; `%` for an empty one. Nobody is called by more than 200 characters.
fn pattern(text: &str) -> String {
    let text: String = text.trim().chars().take(200).collect::<String>().to_lowercase();
    if text.is_empty() {
        return "%".to_owned();
    }
    format!("%{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}

pub(super) async fn count(db: &mut impl Reads, filter: CustomerFilter) -> Result<i64> {
    let sql = match filter {
        CustomerFilter::All => "SELECT count(*) AS n FROM customers",
        CustomerFilter::Active => {
            "SELECT (SELECT count(*) FROM customers) - (SELECT count(*) FROM customers \
             WHERE suspended_at IS NOT NULL OR deleting_at IS NOT NULL) AS n"
        }
        CustomerFilter::Suspended => {
            "SELECT count(*) AS n FROM customers \
             WHERE (suspended_at IS NOT NULL OR deleting_at IS NOT NULL) AND suspended_at IS NOT NULL"
        }
        CustomerFilter::Unconnected => "SELECT count(*) AS n FROM customers WHERE connection_state = 'none'",
        CustomerFilter::NeedsReconnect => {
            "SELECT count(*) AS n FROM customers WHERE connection_state = 'needs_reconnect'"
        }
    };
    query(sql).one(db, |row| row.int("n")).await
}
