//! All SQL of `contacts`, `contact_identities` and `contact_windows`.

use super::model::Contact;
use crate::{
    base::ids::{ContactId, CustomerId, PhoneNumberId},
    store::{Reads, Result, Row, WriteTx, query},
};
use time::OffsetDateTime;

/// How many identities one statement looks up.
pub(super) const AT_ONCE: usize = 32;

/// Whose these identities are, [`AT_ONCE`] at most.
pub(super) async fn known_by(
    db: &mut impl Reads,
    customer: CustomerId,
    identities: &[&str],
) -> Result<Vec<(String, Contact)>> {
    let mut statement = query(
        "SELECT i.identity, c.id, c.profile_name, c.book_name, c.wa_id, c.phone, c.user_id, c.username FROM contact_identities i \
         JOIN contacts c ON c.id = i.contact_id WHERE i.customer_id = $1 AND i.identity IN ($2, $3, $4, $5, $6, $7, \
         $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, \
         $30, $31, $32, $33)",
    )
    .bind(customer);
    let last = identities.last().copied().unwrap_or_default();
    for index in 0..AT_ONCE {
        statement = statement.bind(identities.get(index).copied().unwrap_or(last));
    }
    statement.all(db, |row| Ok((row.text("identity")?, contact(row)?))).await
}

fn contact(row: &Row) -> Result<Contact> {
    Ok(Contact {
        id: row.parse("id")?,
        profile_name: row.opt_text("profile_name")?,
        book_name: row.opt_text("book_name")?,
        wa_id: row.opt_text("wa_id")?,
        phone: row.opt_text("phone")?,
        user_id: row.opt_text("user_id")?,
        username: row.opt_text("username")?,
    })
}

pub(super) async fn insert(
    tx: &mut WriteTx,
    customer: CustomerId,
    contact: &Contact,
    now: OffsetDateTime,
) -> Result<()> {
    query(
        "INSERT INTO contacts (id, customer_id, profile_name, wa_id, phone, user_id, username, created_at, \
         updated_at, book_name) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)",
    )
    .bind(contact.id)
    .bind(customer)
    .bind(contact.profile_name.clone())
    .bind(contact.wa_id.clone())
    .bind(contact.phone.clone())
    .bind(contact.user_id.clone())
    .bind(contact.username.clone())
    .bind(now)
    .bind(contact.book_name.clone())
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn update(tx: &mut WriteTx, contact: &Contact, now: OffsetDateTime) -> Result<()> {
    query(
        "UPDATE contacts SET profile_name = $1, wa_id = $2, phone = $3, user_id = $4, username = $5, \
         updated_at = $6, book_name = $8 WHERE id = $7",
    )
    .bind(contact.profile_name.clone())
    .bind(contact.wa_id.clone())
    .bind(contact.phone.clone())
    .bind(contact.user_id.clone())
    .bind(contact.username.clone())
    .bind(now)
    .bind(contact.id)
    .bind(contact.book_name.clone())
    .execute(tx)
    .await?;
    Ok(())
}

/// Makes an identity this contact's, whosever it was.
pub(super) async fn identify(tx: &mut WriteTx, customer: CustomerId, identity: &str, contact: ContactId) -> Result<()> {
    query(
        "INSERT INTO contact_identities (customer_id, identity, contact_id) VALUES ($1, $2, $3) \
         ON CONFLICT (customer_id, identity) DO UPDATE SET contact_id = excluded.contact_id",
    )
    .bind(customer)
    .bind(identity)
    .bind(contact)
    .execute(tx)
    .await?;
    Ok(())
}

/// An identity is nobody's any more.
pub(super) async fn forget(tx: &mut WriteTx, customer: CustomerId, identity: &str) -> Result<()> {
    query("DELETE FROM contact_identities WHERE customer_id = $1 AND identity = $2")
        .bind(customer)
        .bind(identity)
        .execute(tx)
        .await?;
    Ok(())
}

/// Two turn out to be one: what `gone` had goes to `kept`.
pub(super) async fn join(tx: &mut WriteTx, kept: ContactId, gone: ContactId) -> Result<()> {
    query("UPDATE contact_identities SET contact_id = $1 WHERE contact_id = $2")
        .bind(kept)
        .bind(gone)
        .execute(tx)
        .await?;
    query(
        "INSERT INTO contact_windows (contact_id, phone_number_id, last_message_at) \
         SELECT $1, phone_number_id, last_message_at FROM contact_windows WHERE contact_id = $2 \
         ON CONFLICT (contact_id, phone_number_id) DO UPDATE SET last_message_at = CASE \
         WHEN excluded.last_message_at > contact_windows.last_message_at THEN excluded.last_message_at \
         ELSE contact_windows.last_message_at END",
    )
    .bind(kept)
    .bind(gone)
    .execute(tx)
    .await?;
    query("DELETE FROM contacts WHERE id = $1").bind(gone).execute(tx).await?;
    Ok(())
}

/// They wrote to this number then; what comes late changes nothing.
pub(super) async fn wrote(
    tx: &mut WriteTx,
    contact: ContactId,
    number: &PhoneNumberId,
    at: OffsetDateTime,
) -> Result<()> {
    query(
        "INSERT INTO contact_windows (contact_id, phone_number_id, last_message_at) VALUES ($1, $2, $3) \
         ON CONFLICT (contact_id, phone_number_id) DO UPDATE SET last_message_at = excluded.last_message_at \
         WHERE contact_windows.last_message_at < excluded.last_message_at",
    )
    .bind(contact)
    .bind(number)
    .bind(at)
    .execute(tx)
    .await?;
    Ok(())
}

/// When a contact of this customer's wrote to this number last.
pub(super) async fn last_message(
    db: &mut impl Reads,
    customer: CustomerId,
    number: &PhoneNumberId,
    contact: ContactId,
) -> Result<Option<OffsetDateTime>> {
    query(
        "SELECT w.last_message_at FROM contact_windows w JOIN contacts c ON c.id = w.contact_id \
         WHERE c.customer_id = $1 AND w.phone_number_id = $2 AND w.contact_id = $3",
    )
    .bind(customer)
    .bind(number)
    .bind(contact)
    .optional(db, |row| row.time("last_message_at"))
    .await
}

/// Forgets a customer's contacts; their identities and windows go with them.
pub(super) async fn erase(tx: &mut WriteTx, customer: CustomerId) -> Result<()> {
    query("DELETE FROM contact_identities WHERE customer_id = $1").bind(customer).execute(tx).await?;
    query("DELETE FROM contacts WHERE customer_id = $1").bind(customer).execute(tx).await?;
    Ok(())
}

/// Some of a customer's contacts with the last times they wrote, after this one.
pub(super) async fn export(
    db: &mut impl Reads,
    customer: CustomerId,
    after: &str,
    limit: i64,
) -> Result<Vec<serde_json::Value>> {
    query("SELECT * FROM contacts WHERE customer_id = $1 AND id > $2 ORDER BY id LIMIT $3")
        .bind(customer)
        .bind(after)
        .bind(limit)
        .all(db, |row| row.to_json(&[]))
        .await
}

/// The windows of a contact.
pub(super) async fn export_windows(db: &mut impl Reads, contact: &str) -> Result<Vec<serde_json::Value>> {
    query("SELECT phone_number_id, last_message_at FROM contact_windows WHERE contact_id = $1 ORDER BY phone_number_id")
        .bind(contact)
        .all(db, |row| row.to_json(&[]))
        .await
}
