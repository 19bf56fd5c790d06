//! Entries of the audit log as pages and files show them.

use crate::{
    accounts::{Filter, LogLine, audit_words},
    base::ids::{CustomerId, UserId},
    store::StoreError,
    web::when::When,
};
use time::OffsetDateTime;

/// The page of a customer.
pub(super) fn customer_page(id: CustomerId) -> String {
    format!("/backoffice/customers/{id}")
}

/// The page of a person.
pub(super) fn person_page(id: UserId) -> String {
    format!("/backoffice/people/{id}")
}

/// A name, with the page that it leads to where there is one.
pub(super) struct Named {
    pub name: String,
    pub href: Option<String>,
    /// The ID of what has no name any more.
    pub id: Option<String>,
}

/// An entry for `backoffice/audit_lines.html`.
pub(super) struct AuditLine {
    pub when: When,
    pub who: Named,
    pub what: String,
    pub customer: Option<Named>,
    pub address: Option<String>,
    pub detail: Option<String>,
    pub action: String,
    pub subject: Option<String>,
    pub subject_kind: &'static str,
    pub id: String,
}

/// Who it was, by the name of now.
pub(super) fn who(line: &LogLine) -> Named {
    match (line.actor, &line.actor_name) {
        (None, _) => Named { name: "Doorway".to_owned(), href: None, id: None },
        (Some(id), Some(name)) => Named { name: name.clone(), href: Some(person_page(id)), id: None },
        (Some(id), None) => Named { name: "Removed person".to_owned(), href: None, id: Some(id.to_string()) },
    }
}

fn customer(line: &LogLine) -> Option<Named> {
    let id = line.customer?;
    Some(match &line.customer_name {
        Some(name) => Named { name: name.clone(), href: Some(customer_page(id)), id: None },
        None => Named { name: "Deleted customer".to_owned(), href: None, id: Some(id.to_string()) },
    })
}

/// What was done; the raw action where it has no words.
pub(super) fn what(action: &str) -> String {
    let words = audit_words::words(action).unwrap_or(action);
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

impl AuditLine {
    pub(super) fn new(line: LogLine, now: OffsetDateTime) -> Self {
        let words = audit_words::words(&line.action);
        Self {
            when: When::new(line.at, now),
            who: who(&line),
            what: words.map_or_else(|| line.action.clone(), |_| what(&line.action)),
            customer: customer(&line),
            address: line.address,
            detail: line.detail,
            subject_kind: audit_words::subject_kind(&line.action),
            action: line.action,
            subject: line.subject,
            id: line.id,
        }
    }
}

/// The newest entries of a filter: for the pages of a person and of a customer.
pub(super) async fn newest(
    accounts: &crate::accounts::Accounts,
    filter: &Filter,
    limit: i64,
    now: OffsetDateTime,
) -> Result<Vec<AuditLine>, StoreError> {
    let lines = accounts.audit_log(filter, None, limit).await?;
    Ok(lines.into_iter().map(|line| AuditLine::new(line, now)).collect())
}
