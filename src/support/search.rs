//! The search of `/support`: whoever fits, with what fits.

use super::pages::Support;
use crate::{
    accounts::Customer,
    base::ids::CustomerId,
    connections::{Found, FoundWhat},
    web::{Result, when::When},
};

/// How many numbers of a customer are named.
const NAMED: usize = 5;

/// A row of `support/overview.html`.
pub(super) struct CustomerLine {
    pub id: String,
    pub name: String,
    pub since: When,
    /// What of theirs fits: address, words. Empty where their name does, or one of their people.
    pub found: Vec<(String, String)>,
    /// How many more of that there is.
    pub more: usize,
}

/// Address and words of what fits.
fn words(found: &Found) -> (String, String) {
    let page = format!("/support/customers/{}", found.customer);
    let connection = &found.connection;
    match &found.what {
        FoundWhat::Number(id, written) => (format!("{page}#number-{id}"), format!("{written} in {connection}")),
        FoundWhat::Account(id, name) => (format!("{page}#waba-{id}"), format!("Account {name} in {connection}")),
    }
}

/// The customers that fit, the newest first for an empty text.
pub(super) async fn customers(support: &Support, text: &str, limit: i64) -> Result<Vec<CustomerLine>> {
    let mut customers: Vec<Customer> = support.accounts.search_customers(text, limit).await?;
    let mut matching: Vec<(CustomerId, (String, String))> = Vec::new();
    if !text.trim().is_empty() {
        let found = support.connections.found(text).await?;
        matching.extend(found.iter().map(|one| (one.customer, words(one))));
        let had = support.connections.customers_who_had(text).await?;
        for id in had.into_iter().filter(|id| !found.iter().any(|one| one.customer == *id)) {
            let timeline = format!("/support/customers/{id}/timeline");
            matching.push((id, (timeline, "A number that they had: the timeline".to_owned())));
        }
        if let Some(id) = support.signup.customer_named_by(text).await?
            && !matching.iter().any(|(customer, _)| *customer == id)
        {
            let attempts = format!("/support/customers/{id}/timeline?kind=attempts");
            matching.push((id, (attempts, "One of their attempts to connect".to_owned())));
        }
    }
    for (id, _) in &matching {
        if !customers.iter().any(|customer| customer.id == *id) {
            customers.extend(support.accounts.customer(*id).await?);
        }
    }
    let now = support.clock.now();
    let line = |customer: Customer| {
        let of_theirs = matching.iter().filter(|(id, _)| *id == customer.id).map(|(_, found)| found.clone());
        let mut found: Vec<(String, String)> = of_theirs.collect();
        let more = found.len().saturating_sub(NAMED);
        found.truncate(NAMED);
        let since = When::new(customer.created_at, now);
        CustomerLine { id: customer.id.to_string(), name: customer.name, since, found, more }
    };
    Ok(customers.into_iter().map(line).collect())
}
