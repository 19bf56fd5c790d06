//! Reading the audit log: filtered, page by page, with the names that its IDs have now.

use super::service::Accounts;
use crate::{
    base::{
        clock,
        ids::{CustomerId, UserId},
    },
    store::{Reads, Result, Row, query},
};
use std::str::FromStr;
use time::OffsetDateTime;

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A person.
    Person(UserId),
    /// Doorway itself.
    Doorway,
}

/// Which entries.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// About this customer.
    pub customer: Option<CustomerId>,
    /// By this actor.
    pub actor: Option<Actor>,
    /// Of this kind.
    pub action: Option<String>,
    /// To this subject: an ID.
    pub subject: Option<String>,
    /// Of these kinds; empty: of any.
    pub actions: Vec<&'static str>,
    /// Not before.
    pub from: Option<OffsetDateTime>,
    /// Before.
    pub to: Option<OffsetDateTime>,
}

/// Where a page of the log ends: the next begins after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    at_ms: i64,
    id: String,
}

impl Cursor {
    /// After the entries of this time whose IDs are greater; for an empty ID after all later ones.
    #[must_use]
    pub fn new(at: OffsetDateTime, id: &str) -> Self {
        Self { at_ms: clock::to_ms(at), id: id.to_owned() }
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.at_ms, self.id)
    }
}

impl FromStr for Cursor {
    type Err = ();
    fn from_str(s: &str) -> std::result::Result<Self, ()> {
        let (at, id) = s.split_once('.').ok_or(())?;
        Ok(Self { at_ms: at.parse().map_err(|_| ())?, id: id.to_owned() })
    }
}

/// An entry, with the names of now.
#[derive(Clone, Debug)]
pub struct LogLine {
    /// Its ID.
    pub id: String,
    /// When.
    pub at: OffsetDateTime,
    /// Who; `None` for Doorway itself.
    pub actor: Option<UserId>,
    /// Their name; `None` where they were removed.
    pub actor_name: Option<String>,
    /// Which customer.
    pub customer: Option<CustomerId>,
    /// Its name; `None` where it was deleted.
    pub customer_name: Option<String>,
    /// What.
    pub action: String,
    /// To what.
    pub subject: Option<String>,
    /// More.
    pub detail: Option<String>,
    /// From where; `None` where that is not known, or was erased.
    pub address: Option<String>,
}

impl LogLine {
    /// After which the next page begins.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor { at_ms: clock::to_ms(self.at), id: self.id.clone() }
    }
}

fn line(row: &Row) -> Result<LogLine> {
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    Ok(LogLine {
        id: row.text("id")?,
        at: row.time("at")?,
        actor: row.opt_parse("actor_user_id")?,
        actor_name: some(row.opt_text("actor_name")?),
        customer: row.opt_parse("customer_id")?,
        customer_name: some(row.opt_text("customer_name")?),
        action: row.text("action")?,
        subject: row.opt_text("subject")?,
        detail: row.opt_text("detail")?,
        address: row.opt_text("address")?,
    })
}

/// The log's statement. It begins with the filter `$1` that an index serves best; a condition that may be
/// absent serves none.
macro_rules! log_sql {
    ($lead:literal) => {
        concat!(
            "SELECT a.id, a.at, a.actor_user_id, a.customer_id, a.action, a.subject, a.detail, o.address, \
             CASE WHEN u.removed_at IS NULL THEN u.name END AS actor_name, c.name AS customer_name \
             FROM audit_log a LEFT JOIN users u ON u.id = a.actor_user_id \
             LEFT JOIN customers c ON c.id = a.customer_id LEFT JOIN origins o ON o.id = a.origin_id WHERE ",
            $lead,
            " AND ($2 IS NULL OR a.customer_id = $2) AND ($3 IS NULL OR a.actor_user_id = $3) \
             AND ($4 IS NULL OR a.action = $4) AND (NOT $5 OR a.actor_user_id IS NULL) \
             AND ($10 = '' OR $10 LIKE '%,' || a.action || ',%') \
             AND a.at >= $6 AND (a.at, a.id) < ($7, $8) ORDER BY a.at DESC, a.id DESC LIMIT $9"
        )
    };
}

async fn lines(db: &mut impl Reads, filter: &Filter, after: Option<&Cursor>, limit: i64) -> Result<Vec<LogLine>> {
    let person = match filter.actor {
        Some(Actor::Person(id)) => Some(id.to_string()),
        _ => None,
    };
    let customer = filter.customer.map(|id| id.to_string());
    let is_doorway = filter.actor == Some(Actor::Doorway);
    let (sql, lead) = match (&filter.subject, &customer, &person, &filter.action) {
        (Some(subject), ..) => (log_sql!("a.subject = $1"), Some(subject.clone())),
        (_, Some(customer), ..) => (log_sql!("a.customer_id = $1"), Some(customer.clone())),
        (_, _, Some(person), _) => (log_sql!("a.actor_user_id = $1"), Some(person.clone())),
        (.., Some(action)) => (log_sql!("a.action = $1"), Some(action.clone())),
        _ if is_doorway => (log_sql!("a.actor_user_id IS NULL AND $1 IS NULL"), None),
        _ => (log_sql!("$1 IS NULL"), None),
    };
    // No ID is smaller than nothing: that is the end of the time itself.
    let to = filter.to.map_or(i64::MAX, clock::to_ms);
    let (at, id) = match after {
        Some(cursor) if cursor.at_ms < to => (cursor.at_ms, cursor.id.clone()),
        _ => (to, String::new()),
    };
    query(sql)
        .bind(lead)
        .bind(customer)
        .bind(person)
        .bind(filter.action.clone())
        .bind(is_doorway)
        .bind(filter.from.map_or(0, clock::to_ms))
        .bind(at)
        .bind(id)
        .bind(limit)
        // With a comma on either side of each.
        .bind(filter.actions.iter().map(|action| format!(",{action},")).collect::<String>())
        .all(db, line)
        .await
}

impl Accounts {
    /// Entries of the audit log, the newest first, after the cursor.
    ///
    /// # Errors
    /// The database's.
    pub async fn audit_log(&self, filter: &Filter, after: Option<&Cursor>, limit: i64) -> Result<Vec<LogLine>> {
        lines(&mut self.store.read().await?, filter, after, limit).await
    }

    /// The actions that occur in it, in order. It steps from one to the next through the index: the log is
    /// long, its vocabulary short.
    ///
    /// # Errors
    /// The database's.
    pub async fn audit_actions(&self) -> Result<Vec<String>> {
        query(
            "WITH RECURSIVE kinds (action) AS (SELECT min(action) FROM audit_log UNION ALL \
             SELECT (SELECT min(a.action) FROM audit_log a WHERE a.action > kinds.action) FROM kinds \
             WHERE kinds.action IS NOT NULL) SELECT action FROM kinds WHERE action IS NOT NULL",
        )
        .all(&mut self.store.read().await?, |row| row.text("action"))
        .await
    }
}
