//! The filters of the list as they stand in the address, and what they mean.

use super::{EventPages, words::Group};
use crate::{
    accounts::User,
    base::ids::{CustomerId, PhoneNumberId},
    phone_numbers,
    web::Result,
    webhooks::{EventId, Of, Route},
};
use serde::Deserialize;
use std::collections::HashMap;
use url::form_urlencoded;

/// How many customers that fit a text are looked at.
const LOOK_AT: i64 = 50;
/// The word for what is nobody's, in staff's customer filter.
const NOBODY: &str = "nobody";

/// The filters as they were typed or linked.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Asked {
    /// Staff's: a customer's ID or name, or `nobody`.
    #[serde(default)]
    pub customer: String,
    /// A business phone number, in whatever notation, or its ID.
    #[serde(default)]
    pub number: String,
    #[serde(default)]
    pub kind: String,
    #[serde(default)]
    pub outcome: String,
    /// A message's ID, or a contact's number.
    #[serde(default)]
    pub text: String,
    #[serde(default)]
    pub before: String,
    /// The charts' range; where it is given they are open.
    #[serde(default)]
    pub range: String,
    /// Where a stream goes on.
    #[serde(default)]
    pub after: String,
}

impl Asked {
    /// The address's query without the page: for links to more of the same.
    pub fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let fields = [
            ("customer", &self.customer),
            ("number", &self.number),
            ("kind", &self.kind),
            ("outcome", &self.outcome),
            ("text", &self.text),
        ];
        for (name, value) in fields.iter().filter(|(_, value)| !value.trim().is_empty()) {
            query.append_pair(name, value.trim());
        }
        query.finish()
    }

    /// An address below `/events` with these filters and one thing more.
    pub fn link(&self, path: &str, name: &str, value: impl ToString) -> String {
        let query = self.query();
        let and = if query.is_empty() { "" } else { "&" };
        format!("/events{path}?{query}{and}{name}={}", value.to_string())
    }

    pub fn before(&self) -> Option<EventId> {
        self.before.parse().ok()
    }
}

/// A number to choose.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub value: String,
    pub words: String,
    pub selected: bool,
}

/// What the filters mean.
pub(super) struct Meant {
    pub of: Of,
    pub customer: Option<CustomerId>,
    pub customer_name: Option<String>,
    pub group: Option<Group>,
    pub outcome: Option<String>,
    pub text: Option<String>,
    pub numbers: Vec<Choice>,
    pub customer_error: Option<String>,
    pub number_error: Option<String>,
}

impl Meant {
    pub fn has_errors(&self) -> bool {
        self.customer_error.is_some() || self.number_error.is_some()
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// A customer's numbers with how people read them: those that are connected, and those of which events came before.
async fn numbers(pages: &EventPages, customer: CustomerId, routes: &[Route]) -> Result<Vec<(PhoneNumberId, String)>> {
    let mut all: Vec<(PhoneNumberId, String)> = Vec::new();
    for overview in pages.connections.list(customer).await? {
        for number in overview.wabas.iter().flat_map(|(_, numbers)| numbers) {
            all.push((number.id.clone(), number.international()));
        }
    }
    for id in routes.iter().filter_map(|route| route.place.phone_number.clone()) {
        if all.iter().all(|(known, _)| *known != id) {
            all.push((id.clone(), format!("Number with the ID {id}")));
        }
    }
    Ok(all)
}

async fn customer(pages: &EventPages, text: &str) -> Result<std::result::Result<(CustomerId, String), String>> {
    if let Ok(id) = text.parse::<CustomerId>() {
        let found = pages.accounts.customer(id).await?;
        return Ok(found.map(|found| (id, found.name)).ok_or_else(|| "There is no such customer.".to_owned()));
    }
    let found = pages.accounts.search_customers(text, LOOK_AT).await?;
    let exact: Vec<_> = found.iter().filter(|one| one.name.to_lowercase() == text.to_lowercase()).collect();
    Ok(match (exact.as_slice(), found.as_slice()) {
        ([one], _) => Ok((one.id, one.name.clone())),
        (_, [one]) => Ok((one.id, one.name.clone())),
        (_, []) => Err(format!("No customer fits “{text}”.")),
        _ => Err(format!("Several customers fit “{text}”. Enter the whole name or the ID.")),
    })
}

pub(super) async fn meaning(pages: &EventPages, user: &User, asked: &Asked) -> Result<Meant> {
    let text = asked.text.trim();
    let mut meant = Meant {
        of: Of::All,
        customer: None,
        customer_name: None,
        group: Group::ALL.into_iter().find(|group| group.name() == asked.kind.trim()),
        outcome: Some(asked.outcome.trim().to_owned()).filter(|outcome| !outcome.is_empty()),
        text: None,
        numbers: Vec::new(),
        customer_error: None,
        number_error: None,
    };
    if !text.is_empty() {
        // People write numbers with blanks and signs; in the JSON they are digits.
        let is_number = text.chars().all(|letter| letter.is_ascii_digit() || " +-()./".contains(letter));
        meant.text = Some(if is_number { digits(text) } else { text.to_owned() });
    }
    let wanted = asked.customer.trim();
    if !user.role.is_staff() {
        // A person of no company has no events.
        let Some(customer) = user.customer_id else {
            meant.of = Of::Routes(Vec::new());
            return Ok(meant);
        };
        meant.customer = Some(customer);
    } else if wanted == NOBODY {
        meant.of = Of::Routes(pages.webhooks.nobodys_routes().await?);
        meant.customer_name = Some("Nobody’s".to_owned());
    } else if !wanted.is_empty() {
        match customer(pages, wanted).await? {
            Ok((id, name)) => (meant.customer, meant.customer_name) = (Some(id), Some(name)),
            Err(error) => meant.customer_error = Some(error),
        }
    }
    let number = asked.number.trim();
    if let Some(customer) = meant.customer {
        let mut routes = pages.webhooks.routes_of(customer).await?;
        let numbers = numbers(pages, customer, &routes).await?;
        let is_meant = |(id, words): &(PhoneNumberId, String)| {
            !number.is_empty() && (id.as_str() == number || digits(words) == digits(number))
        };
        if !number.is_empty() {
            let ids: Vec<&PhoneNumberId> = numbers.iter().filter(|one| is_meant(one)).map(|(id, _)| id).collect();
            if ids.is_empty() {
                meant.number_error = Some(format!("{number} is none of the connected numbers."));
            }
            routes.retain(|route| route.place.phone_number.as_ref().is_some_and(|id| ids.contains(&id)));
        }
        meant.numbers = numbers
            .iter()
            .map(|one| Choice { value: one.0.to_string(), words: one.1.clone(), selected: is_meant(one) })
            .collect();
        meant.of = Of::Routes(routes);
    } else if !number.is_empty() {
        meant.number_error = Some("Choose a customer too.".to_owned());
    }
    Ok(meant)
}

/// How numbers are written, read once for a page.
#[derive(Default)]
pub(super) struct Numbers(HashMap<String, HashMap<PhoneNumberId, String>>);

impl Numbers {
    /// The number from which events of this route come; `None` where they concern none.
    pub async fn of(&mut self, pages: &EventPages, route: &Route) -> Result<Option<String>> {
        let Some(id) = &route.place.phone_number else { return Ok(None) };
        let Some(waba) = &route.place.waba else { return Ok(Some(format!("ID {id}"))) };
        if !self.0.contains_key(waba.as_str()) {
            let numbers = phone_numbers::list(&mut pages.store.read().await?, waba).await?;
            let written = numbers.into_iter().map(|number| (number.id.clone(), number.international()));
            self.0.insert(waba.to_string(), written.collect());
        }
        let written = self.0.get(waba.as_str()).and_then(|numbers| numbers.get(id)).cloned();
        Ok(Some(written.unwrap_or_else(|| format!("ID {id}"))))
    }
}
