//! All SQL of `invites`.

use super::model::{Invite, Kind, MailState};
use crate::accounts::Role;
use crate::base::ids::{CustomerId, InviteId, UserId};
use crate::store::{Reads, Result, Row, WriteTx, query};
use time::OffsetDateTime;

fn invite(row: &Row) -> Result<Invite> {
    Ok(Invite {
        id: row.parse("id")?,
        kind: row.parse("kind")?,
        email: row.text("email")?,
        name: row.opt_text("name")?,
        role: row.parse("role")?,
        customer_id: row.opt_parse("customer_id")?,
        customer_name: row.opt_text("customer_name")?,
        customer_gone: row.opt_int("deleting_at")?.is_some(),
        user_id: row.opt_parse("user_id")?,
        created_by: row.opt_parse("created_by")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
        used_at: row.opt_time("used_at")?,
        revoked_at: row.opt_time("revoked_at")?,
        mail_state: row.opt_parse::<MailState>("mail_state")?,
        mail_at: row.opt_time("mail_at")?,
        mail_error: row.opt_text("mail_error")?,
    })
}

/// `SELECT` of what [`invite`] reads.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT i.id, i.kind, i.email, i.name, i.role, i.customer_id, c.name AS customer_name, c.deleting_at, \
             i.user_id, i.created_by, i.created_at, i.expires_at, i.used_at, i.revoked_at, i.mail_state, i.mail_at, \
             i.mail_error FROM invites i LEFT JOIN customers c ON c.id = i.customer_id ",
            $rest
        )
    };
}

/// A new link, as the row wants it.
pub(super) struct NewRow<'a> {
    pub id: InviteId,
    pub kind: Kind,
    pub token_hash: &'a str,
    pub token_sealed: &'a str,
    pub email: &'a str,
    pub name: Option<&'a str>,
    pub role: Role,
    pub customer_id: Option<CustomerId>,
    pub user_id: Option<UserId>,
    pub created_by: Option<UserId>,
    pub at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub mailed: bool,
}

pub(super) async fn insert(tx: &mut WriteTx, new: NewRow<'_>) -> Result<()> {
    query(
        "INSERT INTO invites (id, kind, token_hash, token_sealed, email, name, role, customer_id, user_id, created_by, \
         created_at, expires_at, mail_state, mail_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(new.id)
    .bind(new.kind.as_str())
    .bind(new.token_hash)
    .bind(new.token_sealed)
    .bind(new.email)
    .bind(new.name)
    .bind(new.role.as_str())
    .bind(new.customer_id)
    .bind(new.user_id)
    .bind(new.created_by)
    .bind(new.at)
    .bind(new.expires_at)
    .bind(new.mailed.then_some("queued"))
    .bind(new.mailed.then_some(new.at))
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn by_id(db: &mut impl Reads, id: InviteId) -> Result<Option<Invite>> {
    query(select!("WHERE i.id = $1")).bind(id).optional(db, invite).await
}

pub(super) async fn by_hash(db: &mut impl Reads, kind: Kind, hash: &str) -> Result<Option<Invite>> {
    query(select!("WHERE i.token_hash = $1 AND i.kind = $2")).bind(hash).bind(kind.as_str()).optional(db, invite).await
}

/// The sealed secret, while it is kept.
pub(super) async fn sealed(db: &mut impl Reads, id: InviteId) -> Result<Option<String>> {
    let found = query("SELECT token_sealed FROM invites WHERE id = $1").bind(id);
    Ok(found.optional(db, |row| row.opt_text("token_sealed")).await?.flatten())
}

/// Invites of a company that nobody used or took back, also lately expired ones; the newest first.
pub(super) async fn of_customer(
    db: &mut impl Reads,
    customer: CustomerId,
    since: OffsetDateTime,
) -> Result<Vec<Invite>> {
    query(select!(
        "WHERE i.customer_id = $1 AND i.kind = 'invite' AND i.used_at IS NULL AND i.revoked_at IS NULL \
         AND i.expires_at > $2 ORDER BY i.created_at DESC, i.id DESC LIMIT 200"
    ))
    .bind(customer)
    .bind(since)
    .all(db, invite)
    .await
}

/// The same of staff.
pub(super) async fn of_staff(db: &mut impl Reads, since: OffsetDateTime) -> Result<Vec<Invite>> {
    query(select!(
        "WHERE i.role <> 'customer' AND i.kind = 'invite' AND i.used_at IS NULL AND i.revoked_at IS NULL \
         AND i.expires_at > $1 ORDER BY i.created_at DESC, i.id DESC LIMIT 200"
    ))
    .bind(since)
    .all(db, invite)
    .await
}

/// Takes back the open invites of this address for this company (for the staff where there is none).
pub(super) async fn revoke_same(
    tx: &mut WriteTx,
    email: &str,
    customer: Option<CustomerId>,
    at: OffsetDateTime,
) -> Result<Vec<InviteId>> {
    query(
        "UPDATE invites SET revoked_at = $1, token_sealed = NULL WHERE kind = 'invite' AND email = $2 \
         AND COALESCE(customer_id, '') = COALESCE($3, '') AND used_at IS NULL AND revoked_at IS NULL RETURNING id",
    )
    .bind(at)
    .bind(email)
    .bind(customer)
    .all(tx, |row| row.parse("id"))
    .await
}

/// Takes one back; false where it is used or taken back already.
pub(super) async fn revoke(tx: &mut WriteTx, id: InviteId, at: OffsetDateTime) -> Result<bool> {
    let revoked = query(
        "UPDATE invites SET revoked_at = $1, token_sealed = NULL \
         WHERE id = $2 AND used_at IS NULL AND revoked_at IS NULL",
    );
    Ok(revoked.bind(at).bind(id).execute(tx).await? == 1)
}

/// Takes back the open links that somebody made: all of them, or only those that let into the staff. Their IDs,
/// and whose customer's they are.
pub(in crate::accounts) async fn revoke_made_by(
    tx: &mut WriteTx,
    maker: UserId,
    all: bool,
    at: OffsetDateTime,
) -> Result<Vec<(InviteId, Option<CustomerId>)>> {
    query(
        "UPDATE invites SET revoked_at = $1, token_sealed = NULL WHERE created_by = $2 AND used_at IS NULL \
         AND revoked_at IS NULL AND ($3 OR role <> 'customer') RETURNING id, customer_id",
    )
    .bind(at)
    .bind(maker)
    .bind(all)
    .all(tx, |row| Ok((row.parse("id")?, row.opt_parse("customer_id")?)))
    .await
}

/// Takes back all open links for a person's new password.
pub(in crate::accounts) async fn revoke_resets(tx: &mut WriteTx, user: UserId, at: OffsetDateTime) -> Result<u64> {
    query(
        "UPDATE invites SET revoked_at = $1, token_sealed = NULL \
         WHERE user_id = $2 AND kind = 'reset' AND used_at IS NULL AND revoked_at IS NULL",
    )
    .bind(at)
    .bind(user)
    .execute(tx)
    .await
}

/// Uses a link up; false where it is not good (any more), also where it leads into the staff and who made it is no
/// admin any more. The first of two at once wins.
pub(super) async fn claim(tx: &mut WriteTx, id: InviteId, at: OffsetDateTime) -> Result<bool> {
    let claimed = query(
        "UPDATE invites SET used_at = $1, token_sealed = NULL \
         WHERE id = $2 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $1 \
         AND (role = 'customer' OR created_by IS NULL OR EXISTS \
             (SELECT 1 FROM users u WHERE u.id = invites.created_by AND u.role = 'admin' AND u.removed_at IS NULL))",
    );
    Ok(claimed.bind(at).bind(id).execute(tx).await? == 1)
}

pub(super) async fn set_user(tx: &mut WriteTx, id: InviteId, user: UserId) -> Result<()> {
    query("UPDATE invites SET user_id = $1 WHERE id = $2").bind(user).bind(id).execute(tx).await?;
    Ok(())
}

/// Notes how far the mail is; `None`: none goes out.
pub(super) async fn set_mail(
    tx: &mut WriteTx,
    id: InviteId,
    state: Option<&str>,
    at: OffsetDateTime,
    error: Option<&str>,
) -> Result<()> {
    query("UPDATE invites SET mail_state = $1, mail_at = $2, mail_error = $3 WHERE id = $4")
        .bind(state)
        .bind(at)
        .bind(error)
        .bind(id)
        .execute(tx)
        .await?;
    Ok(())
}

/// The mail is still to be sent; this went wrong with it.
pub(super) async fn set_mail_trouble(tx: &mut WriteTx, id: InviteId, error: &str) -> Result<()> {
    query("UPDATE invites SET mail_error = $1 WHERE id = $2 AND mail_state = 'queued'")
        .bind(error)
        .bind(id)
        .execute(tx)
        .await?;
    Ok(())
}

/// Whether a customer is there and not being deleted.
pub(super) async fn customer_is_there(db: &mut impl Reads, id: CustomerId) -> Result<bool> {
    let found = query("SELECT id FROM customers WHERE id = $1 AND deleting_at IS NULL").bind(id);
    Ok(found.optional(db, |_| Ok(())).await?.is_some())
}

/// A person by their address.
pub(super) async fn user_by_email(db: &mut impl Reads, email: &str) -> Result<Option<UserId>> {
    let found = query("SELECT id FROM users WHERE email = $1 AND removed_at IS NULL").bind(email);
    found.optional(db, |row| row.parse("id")).await
}

pub(super) async fn remove(tx: &mut WriteTx, id: InviteId) -> Result<()> {
    query("DELETE FROM invites WHERE id = $1").bind(id).execute(tx).await?;
    Ok(())
}

/// Drops the secrets of expired links, and links for new passwords that are long over.
pub(super) async fn prune(tx: &mut WriteTx, now: OffsetDateTime, over: OffsetDateTime) -> Result<u64> {
    query("UPDATE invites SET token_sealed = NULL WHERE token_sealed IS NOT NULL AND expires_at <= $1")
        .bind(now)
        .execute(tx)
        .await?;
    query("DELETE FROM invites WHERE kind = 'reset' AND expires_at <= $1").bind(over).execute(tx).await
}
