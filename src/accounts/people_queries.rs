//! The SQL of `users` for overseeing people.

use super::{model::Role, people::Person};
use crate::{
    base::ids::UserId,
    store::{Reads, Result, Row, WriteTx, query},
};

fn person(row: &Row) -> Result<Person> {
    Ok(Person {
        id: row.parse("id")?,
        email: row.parse("email")?,
        name: row.text("name")?,
        role: row.parse("role")?,
        customer_id: row.opt_parse("customer_id")?,
        customer_name: row.opt_text("customer_name")?,
        created_at: row.time("created_at")?,
        seen_at: row.opt_time("seen_at")?,
        two_step_since: row.opt_time("totp_since")?,
    })
}

/// People who were not removed, and what they are filtered and ordered by.
macro_rules! people {
    ($rest:literal) => {
        concat!(
            "SELECT u.id, u.email, u.name, u.role, u.customer_id, c.name AS customer_name, u.created_at, u.seen_at, \
             u.totp_since FROM users u LEFT JOIN customers c ON c.id = u.customer_id WHERE u.removed_at IS NULL AND ",
            $rest
        )
    };
}

/// The most that are listed of the staff.
const MAX_STAFF: i64 = 500;

pub(super) async fn staff(db: &mut impl Reads) -> Result<Vec<Person>> {
    query(people!("u.role IN ('admin', 'support') ORDER BY u.role, lower(u.name), u.id LIMIT $1"))
        .bind(MAX_STAFF)
        .all(db, person)
        .await
}

pub(super) async fn search(db: &mut impl Reads, text: &str, after: &str, limit: i64) -> Result<Vec<Person>> {
    let escaped = text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    query(people!(
        "u.email > $2 AND ($1 = '%%' OR u.email LIKE $1 ESCAPE '\\' OR lower(u.name) LIKE $1 ESCAPE '\\' \
         OR c.name_key LIKE $1 ESCAPE '\\' OR lower(c.name) LIKE $1 ESCAPE '\\') ORDER BY u.email LIMIT $3"
    ))
    .bind(format!("%{escaped}%"))
    .bind(after)
    .bind(limit)
    .all(db, person)
    .await
}

pub(super) async fn person_by_id(db: &mut impl Reads, id: UserId) -> Result<Option<Person>> {
    query(people!("u.id = $1")).bind(id).optional(db, person).await
}

/// How many admins there are; another transaction that asks waits until the end of this one. On SQLite, which
/// has one writer, that is so anyway.
pub(super) async fn lock_admins(tx: &mut WriteTx) -> Result<u64> {
    query("UPDATE users SET role = role WHERE role = 'admin' AND removed_at IS NULL").execute(tx).await
}

pub(super) async fn set_role(tx: &mut WriteTx, id: UserId, role: Role) -> Result<()> {
    query("UPDATE users SET role = $1 WHERE id = $2").bind(role.as_str()).bind(id).execute(tx).await?;
    Ok(())
}
