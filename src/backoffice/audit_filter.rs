//! The audit log's filters as they stand in the address, and what they mean.

use super::Backoffice;
use crate::{
    accounts::{Actor, Cursor, Filter},
    base::ids::{CustomerId, UserId},
    web::Result,
};
use serde::Deserialize;
use time::{Date, Duration, OffsetDateTime, macros::format_description};
use url::form_urlencoded;

/// How many that fit a text are looked at.
const LOOK_AT: u16 = 50;

/// The filters as they were typed or linked.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Asked {
    /// A customer's ID or name.
    #[serde(default)]
    pub customer: String,
    /// A person's ID, address or name; `doorway` for Doorway itself.
    #[serde(default)]
    pub person: String,
    #[serde(default)]
    pub action: String,
    #[serde(default)]
    pub subject: String,
    /// Days, in UTC, both included.
    #[serde(default)]
    pub from: String,
    #[serde(default)]
    pub to: String,
    #[serde(default)]
    pub after: String,
}

/// What is wrong with a filter, for its field.
#[derive(Clone, Debug, Default)]
pub(super) struct Errors {
    pub customer: Option<String>,
    pub person: Option<String>,
    pub from: Option<&'static str>,
    pub to: Option<&'static str>,
}

impl Errors {
    pub(super) fn any(&self) -> bool {
        self.customer.is_some() || self.person.is_some() || self.from.is_some() || self.to.is_some()
    }
}

impl Asked {
    /// The address's query without the page: for links to more of the same.
    pub(super) fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let fields = [
            ("customer", &self.customer),
            ("person", &self.person),
            ("action", &self.action),
            ("subject", &self.subject),
            ("from", &self.from),
            ("to", &self.to),
        ];
        for (name, value) in fields.iter().filter(|(_, value)| !value.trim().is_empty()) {
            query.append_pair(name, value.trim());
        }
        query.finish()
    }

    /// The same with where the next page begins.
    pub(super) fn query_after(&self, cursor: &Cursor) -> String {
        let query = self.query();
        let and = if query.is_empty() { "" } else { "&" };
        format!("{query}{and}after={cursor}")
    }

    /// After which the page begins; what makes no sense begins at the newest.
    pub(super) fn cursor(&self) -> Option<Cursor> {
        self.after.parse().ok()
    }
}

/// What the filters mean, in the log's terms and in words.
pub(super) struct Meant {
    pub filter: Filter,
    /// Name and value of each, for people.
    pub shown: Vec<(&'static str, String)>,
    pub errors: Errors,
}

/// The one among those that fit a text: exactly if there is one such, else the only one.
fn only<T>(found: Vec<T>, is_exact: impl Fn(&T) -> bool, text: &str) -> std::result::Result<T, String> {
    let exact = found.iter().filter(|one| is_exact(one)).count();
    let several = || Err(format!("Several fit “{text}”. Enter the whole name or address, or the ID."));
    match (found.len(), exact) {
        (0, _) => Err(format!("Nothing fits “{text}”.")),
        (1, _) => found.into_iter().next().ok_or_else(String::new),
        (_, 1) => found.into_iter().find(|one| is_exact(one)).ok_or_else(String::new),
        _ => several(),
    }
}

fn day(text: &str) -> Option<std::result::Result<OffsetDateTime, &'static str>> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let date = Date::parse(text, format_description!("[year]-[month]-[day]"));
    Some(date.map(|date| date.midnight().assume_utc()).map_err(|_| "Enter a day like 2026-01-31."))
}

pub(super) async fn meaning(backoffice: &Backoffice, asked: &Asked) -> Result<Meant> {
    let mut meant = Meant { filter: Filter::default(), shown: Vec::new(), errors: Errors::default() };
    customer(backoffice, asked.customer.trim(), &mut meant).await?;
    person(backoffice, asked.person.trim(), &mut meant).await?;
    if !asked.action.trim().is_empty() {
        meant.filter.action = Some(asked.action.trim().to_owned());
        meant.shown.push(("Action", super::audit_lines::what(asked.action.trim())));
    }
    if !asked.subject.trim().is_empty() {
        meant.filter.subject = Some(asked.subject.trim().to_owned());
        meant.shown.push(("Done to", asked.subject.trim().to_owned()));
    }
    match day(&asked.from) {
        Some(Ok(at)) => {
            meant.filter.from = Some(at);
            meant.shown.push(("From", asked.from.trim().to_owned()));
        }
        Some(Err(error)) => meant.errors.from = Some(error),
        None => {}
    }
    match day(&asked.to) {
        Some(Ok(at)) => {
            meant.filter.to = at.checked_add(Duration::days(1));
            meant.shown.push(("To", asked.to.trim().to_owned()));
        }
        Some(Err(error)) => meant.errors.to = Some(error),
        None => {}
    }
    Ok(meant)
}

async fn customer(backoffice: &Backoffice, text: &str, meant: &mut Meant) -> Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let found = match text.parse::<CustomerId>() {
        Ok(id) => {
            let known = backoffice.accounts.customer(id).await?;
            Ok((id, known.map_or_else(|| format!("Deleted customer {id}"), |customer| customer.name)))
        }
        Err(_) => {
            let all = backoffice.accounts.search_customers(text, i64::from(LOOK_AT)).await?;
            only(all, |one| one.name.to_lowercase() == text.to_lowercase(), text).map(|one| (one.id, one.name))
        }
    };
    match found {
        Ok((id, name)) => {
            meant.filter.customer = Some(id);
            meant.shown.push(("Customer", name));
        }
        Err(error) => meant.errors.customer = Some(error),
    }
    Ok(())
}

async fn person(backoffice: &Backoffice, text: &str, meant: &mut Meant) -> Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let found = if text.eq_ignore_ascii_case("doorway") {
        Ok((Actor::Doorway, "Doorway itself".to_owned()))
    } else if let Ok(id) = text.parse::<UserId>() {
        let known = backoffice.accounts.person(id).await?;
        let name = known.map_or_else(|| format!("Removed person {id}"), |person| person.name);
        Ok((Actor::Person(id), name))
    } else {
        let all = backoffice.accounts.search_people(text, "", i64::from(LOOK_AT)).await?;
        let lower = text.to_lowercase();
        only(all, |one| one.email.as_str() == lower || one.name.to_lowercase() == lower, text)
            .map(|one| (Actor::Person(one.id), format!("{} ({})", one.name, one.email)))
    };
    match found {
        Ok((actor, name)) => {
            meant.filter.actor = Some(actor);
            meant.shown.push(("Person", name));
        }
        Err(error) => meant.errors.person = Some(error),
    }
    Ok(())
}
