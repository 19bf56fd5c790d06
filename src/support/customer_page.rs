//! `/support/customers/{id}`: one customer on one page. What is wrong first, then how all stands, then what happened.

use super::{
    attention::{self, List},
    pages::{Support, find, line},
    timeline::{self, Line, Shown},
};
use crate::{
    accounts::Staff,
    business_profile::ProfileGlance,
    connections::{News, Overview, WabaRecord},
    forwarding::Health,
    message_templates::TemplatesGlance,
    phone_numbers::{Number, NumberView, Quality},
    signup::StaffLine,
    web::{Badge, Chrome, Result, when::When},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::extract::{Path, State};
use time::OffsetDateTime;

/// How many attempts are shown.
const ATTEMPTS: i64 = 20;
/// How many numbers of an account are shown.
const NUMBERS: usize = 25;
/// How much of the timeline is shown.
const MOMENTS: usize = 6;

/// A number with its profile.
struct NumberBlock {
    view: NumberView,
    profile: Option<ProfileGlance>,
}

struct WabaBlock {
    id: String,
    name: String,
    /// Whether its webhooks come, or the token does not open it.
    badge: Badge,
    /// Since when it is closed to us.
    closed: Option<When>,
    review: Option<String>,
    is_verified: bool,
    numbers: Vec<NumberBlock>,
    /// How many more there are.
    more: usize,
    templates: TemplatesGlance,
}

struct ConnectionBlock {
    id: String,
    name: String,
    badge: Badge,
    is_own_app: bool,
    token_end: Option<When>,
    checked: Option<When>,
    wabas: Vec<WabaBlock>,
    news: Vec<News>,
}

#[derive(Template, WebTemplate)]
#[template(path = "support/customer.html")]
pub(super) struct CustomerPage {
    chrome: Chrome,
    id: String,
    name: String,
    since: When,
    attention: List,
    members: Vec<(String, String)>,
    connections: Vec<ConnectionBlock>,
    moments: Vec<Line>,
    attempts: Vec<StaffLine>,
    health: Health,
}

/// The worst first: they are what somebody calls for.
fn in_order(numbers: &[Number]) -> Vec<&Number> {
    let mut all: Vec<_> = numbers.iter().collect();
    all.sort_by_key(|number| {
        let is_well = number.is_ready() && number.quality() != Quality::Low && number.obstacles.is_empty();
        (is_well, number.is_ready())
    });
    all
}

async fn waba(support: &Support, waba: &WabaRecord, numbers: &[Number], now: OffsetDateTime) -> Result<WabaBlock> {
    let mut blocks = Vec::new();
    for number in in_order(numbers).into_iter().take(NUMBERS) {
        let profile = support.profiles.glance(&number.id).await?;
        blocks.push(NumberBlock { view: NumberView::new(number, now), profile });
    }
    Ok(WabaBlock {
        id: waba.id.to_string(),
        name: waba.name.clone(),
        badge: match (waba.closed_at, waba.subscribed_at) {
            (Some(_), _) => Badge::new("problem", "Closed to us"),
            (None, Some(_)) => Badge::new("good", "Webhooks on"),
            (None, None) => Badge::new("problem", "Webhooks off"),
        },
        closed: waba.closed_at.map(|at| When::new(at, now)),
        review: waba.review_status.as_ref().filter(|word| *word != "APPROVED").map(|word| word.to_lowercase()),
        is_verified: waba.is_business_verified(),
        more: numbers.len().saturating_sub(NUMBERS),
        numbers: blocks,
        templates: support.templates.glance(&waba.id).await?,
    })
}

async fn connection(support: &Support, overview: &Overview, now: OffsetDateTime) -> Result<ConnectionBlock> {
    let connection = &overview.connection;
    let mut wabas = Vec::new();
    for (record, numbers) in &overview.wabas {
        wabas.push(waba(support, record, numbers, now).await?);
    }
    let (look, word) = connection.state.shown();
    let news = support.connections.news(overview).await?;
    Ok(ConnectionBlock {
        id: connection.id.to_string(),
        name: connection.name.clone(),
        badge: Badge::new(look, word),
        is_own_app: connection.is_own_app,
        token_end: connection.token_expires_at.map(|at| When::new(at, now)),
        checked: connection.checked_at.map(|at| When::new(at, now)),
        wabas,
        // Doorway's own addresses among them are the customer's.
        news: news
            .into_iter()
            .map(|one| News { link: one.link.filter(|(to, _)| to.starts_with("https:")), ..one })
            .collect(),
    })
}

pub(super) async fn show(
    State(support): State<Support>,
    chrome: Chrome,
    _: Staff,
    Path(id): Path<String>,
) -> Result<CustomerPage> {
    let customer = find(&support, &id).await?;
    let now = support.clock.now();
    let members = support.accounts.members(customer.id).await?;
    let mut connections = Vec::new();
    for overview in support.connections.list(customer.id).await? {
        connections.push(connection(&support, &overview, now).await?);
    }
    let attempts = support.signup.recent(customer.id, ATTEMPTS).await?;
    let operator = chrome.site.operator.clone();
    let moments = timeline::read(&support, &customer, Shown::Story, None, MOMENTS, &operator).await?;
    Ok(CustomerPage {
        chrome,
        id: customer.id.to_string(),
        since: When::new(customer.created_at, now),
        attention: attention::list(&support, Some(customer.id), &operator).await?,
        members: members.into_iter().map(|user| (user.name, user.email.to_string())).collect(),
        connections,
        moments: moments.lines,
        attempts: attempts.iter().map(|attempt| line(attempt, customer.name.clone(), &operator, now)).collect(),
        health: support.events.health(customer.id).await?,
        name: customer.name,
    })
}
