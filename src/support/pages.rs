//! `/support`: search, what needs help, and releasing an account.

use super::{
    attention::{self, List},
    customer_page,
    search::CustomerLine,
    timeline,
};
use crate::{
    accounts::{Accounts, Customer, Staff},
    base::{
        clock::Clock,
        ids::{CustomerId, WabaId},
    },
    business_profile::BusinessProfiles,
    connections::Connections,
    forwarding::EventPages,
    graph::LiveSetup,
    message_templates::MessageTemplates,
    phone_numbers::PhoneNumbers,
    signup::{Attempt, Signup, StaffLine},
    web::{Access, Chrome, Error, Form, NoFields, Result, Routes, page},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{Path, Query, State},
    response::Redirect,
};
use serde::Deserialize;
use tower_sessions::Session;

/// What the pages draw on.
#[derive(Clone)]
pub struct Support {
    /// People and companies.
    pub accounts: Accounts,
    /// What they connected.
    pub connections: Connections,
    /// What they tried.
    pub signup: Signup,
    /// Their numbers.
    pub numbers: PhoneNumbers,
    /// Their message templates.
    pub templates: MessageTemplates,
    /// How they show themselves.
    pub profiles: BusinessProfiles,
    /// What came for them, and what became of it.
    pub events: EventPages,
    /// What is set up at Meta.
    pub meta: LiveSetup,
    /// The time.
    pub clock: Clock,
}

/// The routes of this feature.
pub fn routes(support: Support) -> Routes {
    Routes::new()
        .get(Access::Staff, "/support", overview)
        .get(Access::Staff, "/support/customers/{id}", customer_page::show)
        .get(Access::Staff, "/support/customers/{id}/timeline", timeline::show)
        .get(Access::Staff, "/support/wabas/{waba}/release", ask_release)
        .post(Access::Staff, "/support/wabas/{waba}/release", release)
        .with_state(support)
}

/// How many lines a list has.
const LINES: i64 = 50;

#[derive(Template, WebTemplate)]
#[template(path = "support/overview.html")]
struct OverviewPage {
    chrome: Chrome,
    query: String,
    attention: List,
    customers: Vec<CustomerLine>,
    attempts: Vec<StaffLine>,
}

#[derive(Deserialize)]
struct Search {
    #[serde(default)]
    q: String,
}

/// An attempt, with the way to its customer's page.
pub(super) fn line(attempt: &Attempt, company: String, operator: &str, now: time::OffsetDateTime) -> StaffLine {
    let href = format!("/support/customers/{}", attempt.customer_id);
    StaffLine::new(attempt, company, Some(href), operator, now)
}

async fn overview(
    State(support): State<Support>,
    chrome: Chrome,
    _: Staff,
    Query(search): Query<Search>,
) -> Result<OverviewPage> {
    let now = support.clock.now();
    let mut attempts = Vec::new();
    if search.q.trim().is_empty() {
        for attempt in support.signup.recent_unfinished(LINES).await? {
            let company = support.accounts.customer(attempt.customer_id).await?;
            let company = company.map_or_else(String::new, |customer| customer.name);
            attempts.push(line(&attempt, company, &chrome.site.operator, now));
        }
    }
    let attention = match search.q.trim() {
        "" => attention::list(&support, None, &chrome.site.operator).await?,
        _ => List { lines: Vec::new(), folded: Vec::new(), more: 0 },
    };
    let customers = super::search::customers(&support, &search.q, LINES).await?;
    Ok(OverviewPage { chrome, query: search.q, attention, customers, attempts })
}

/// The customer of the path.
pub(super) async fn find(support: &Support, id: &str) -> Result<Customer> {
    let id: CustomerId = id.parse().map_err(|_| Error::NotFound)?;
    support.accounts.customer(id).await?.ok_or(Error::NotFound)
}

#[derive(Template, WebTemplate)]
#[template(path = "support/release.html")]
struct ReleasePage {
    chrome: Chrome,
    waba: String,
    customer: String,
    customer_id: String,
}

/// The WABA in the path, and the customer that holds it.
async fn holder(support: &Support, waba: &str) -> Result<(WabaId, Customer)> {
    let waba: WabaId = waba.parse().map_err(|_| Error::NotFound)?;
    let owner = support.connections.owner(&waba).await?.ok_or(Error::NotFound)?;
    let customer = support.accounts.customer(owner.customer).await?.ok_or(Error::NotFound)?;
    Ok((waba, customer))
}

async fn ask_release(
    State(support): State<Support>,
    chrome: Chrome,
    _: Staff,
    Path(waba): Path<String>,
) -> Result<ReleasePage> {
    let (waba, customer) = holder(&support, &waba).await?;
    let customer_id = customer.id.to_string();
    Ok(ReleasePage { chrome, waba: waba.to_string(), customer: customer.name, customer_id })
}

async fn release(
    State(support): State<Support>,
    session: Session,
    Staff(user): Staff,
    Path(waba): Path<String>,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    let (waba, customer) = holder(&support, &waba).await?;
    let meta = support.meta.now();
    let secret = meta.app.as_ref().map(|app| &app.secret);
    support.connections.release(&meta.graph, secret, &user, &waba).await?;
    page::flash(&session, &format!("The account {waba} is released. Another customer can connect it now.")).await?;
    Ok(Redirect::to(&format!("/support/customers/{}", customer.id)))
}
