//! Connecting the same connection again: `/connections/{id}/reconnect`, the link that leads there, and what staff decide
//! where another account came back.

use super::{
    attempt::{Placing, Reconnect},
    attempt_view::{Choice, Instead, choices, instead},
    connect_page::Launcher,
    service::Signup,
};
use crate::{
    accounts::{Member, Staff},
    base::ids::{AttemptId, ConnectionId, CustomerId, WabaId},
    connections::{ConnectionState, LinkStanding, Overview},
    phone_numbers::Number,
    web::{Access, Chrome, Error, Form, Result, Routes, csp::OpensFacebook, page},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use tower_sessions::Session;

pub(super) fn routes(signup: Signup) -> Routes {
    Routes::new()
        .get(Access::Member, "/connections/{id}/reconnect", own)
        .get(Access::Member, "/reconnect/{secret}", by_link)
        .get(Access::Staff, "/support/attempts/{id}/decide", ask_staff)
        .post(Access::Staff, "/support/attempts/{id}/decide", decide)
        .with_state(signup)
}

struct Account {
    name: String,
    numbers: Vec<String>,
}

#[derive(Template, WebTemplate)]
#[template(path = "signup/reconnect.html")]
struct ReconnectPage {
    chrome: Chrome,
    reconnect: Reconnect,
    name: String,
    is_over: bool,
    accounts: Vec<Account>,
    launcher: Option<Launcher>,
    is_set_up: bool,
}

#[derive(Template, WebTemplate)]
#[template(path = "signup/reconnect_over.html")]
struct OverPage {
    chrome: Chrome,
    /// `used`, `expired`, `revoked`, `unknown`.
    why: &'static str,
    /// The connection, where it is the reader's.
    connection: Option<(String, String)>,
}

/// A connection of this customer's that may be connected again.
async fn find(signup: &Signup, customer: CustomerId, id: ConnectionId) -> Result<Option<Overview>> {
    let found = signup.connections.get(customer, id).await?;
    let live =
        |one: &Overview| matches!(one.connection.state, ConnectionState::Active | ConnectionState::NeedsReconnect);
    Ok(found.filter(live))
}

async fn shown(
    signup: &Signup,
    chrome: Chrome,
    member: &Member,
    overview: &Overview,
    link: Option<String>,
) -> Result<ReconnectPage> {
    let meta = signup.meta();
    let reconnect = Reconnect { connection: overview.connection.id, link, placing: None };
    let mut launcher = Launcher::new(&meta, member, &signup.details(member.customer).await?, None);
    if let Some(launcher) = &mut launcher {
        let shares = |(_, numbers): &(_, Vec<Number>)| numbers.iter().any(|number| number.is_on_biz_app == Some(true));
        launcher.coexistence = overview.wabas.iter().any(shares);
        launcher.reconnect = Some(reconnect.clone());
    }
    let accounts = overview.wabas.iter().map(|(waba, numbers)| Account {
        name: waba.name.clone(),
        numbers: numbers.iter().map(Number::international).collect(),
    });
    Ok(ReconnectPage {
        chrome,
        reconnect,
        name: overview.connection.name.clone(),
        is_over: overview.connection.state == ConnectionState::NeedsReconnect,
        accounts: accounts.collect(),
        launcher,
        is_set_up: meta.app.is_some(),
    })
}

async fn own(State(signup): State<Signup>, chrome: Chrome, member: Member, Path(id): Path<String>) -> Result<Response> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let overview = find(&signup, member.customer, id).await?.ok_or(Error::NotFound)?;
    let page = shown(&signup, chrome, &member, &overview, None).await?;
    Ok((OpensFacebook, page).into_response())
}

/// The address is a secret: no other site is told it, and no browser stores the page.
const KEPT_SECRET: [(header::HeaderName, &str); 2] =
    [(header::REFERRER_POLICY, "no-referrer"), (header::CACHE_CONTROL, "no-store")];

async fn by_link(
    State(signup): State<Signup>,
    chrome: Chrome,
    member: Member,
    Path(secret): Path<String>,
) -> Result<Response> {
    let link = signup.connections.reconnect_link(&secret).await?;
    let Some(link) = link.filter(|link| link.customer == member.customer) else {
        // Another's link is none.
        let page = OverPage { chrome, why: "unknown", connection: None };
        return Ok((StatusCode::NOT_FOUND, KEPT_SECRET, page).into_response());
    };
    let overview = find(&signup, member.customer, link.connection).await?;
    let why = match link.standing(signup.clock.now()) {
        LinkStanding::Open => None,
        LinkStanding::Used => Some("used"),
        LinkStanding::Expired => Some("expired"),
        LinkStanding::Revoked => Some("revoked"),
    };
    match (why, overview) {
        (None, Some(overview)) => {
            let page = shown(&signup, chrome, &member, &overview, Some(link.id)).await?;
            Ok((KEPT_SECRET, OpensFacebook, page).into_response())
        }
        (why, overview) => {
            let connection = overview.map(|one| (one.connection.id.to_string(), one.connection.name));
            let page = OverPage { chrome, why: why.unwrap_or("revoked"), connection };
            Ok((StatusCode::GONE, KEPT_SECRET, page).into_response())
        }
    }
}

#[derive(Template, WebTemplate)]
#[template(path = "signup/decide.html")]
struct DecidePage {
    chrome: Chrome,
    id: String,
    customer: String,
    customer_id: String,
    instead: Instead,
    choices: Vec<Choice>,
    choice_error: Option<&'static str>,
}

async fn decide_page(signup: &Signup, chrome: Chrome, id: &str) -> Result<Option<DecidePage>> {
    let id: AttemptId = id.parse().map_err(|_| Error::NotFound)?;
    let customer = signup.customer_of(id).await?.ok_or(Error::NotFound)?;
    let attempt = signup.get(customer, id).await?;
    let Some(instead) = instead(signup, &attempt).await? else { return Ok(None) };
    let name = signup.accounts.customer(customer).await?.map(|one| one.name).unwrap_or_default();
    Ok(Some(DecidePage {
        chrome,
        id: id.to_string(),
        customer: name,
        customer_id: customer.to_string(),
        instead,
        choices: choices(signup, &attempt).await?,
        choice_error: None,
    }))
}

/// Where there is nothing to decide (any more), the customer's page says how it stands.
async fn to_customer(signup: &Signup, id: &str) -> Result<Redirect> {
    let id: AttemptId = id.parse().map_err(|_| Error::NotFound)?;
    let customer = signup.customer_of(id).await?.ok_or(Error::NotFound)?;
    Ok(Redirect::to(&format!("/support/customers/{customer}")))
}

async fn ask_staff(State(signup): State<Signup>, chrome: Chrome, _: Staff, Path(id): Path<String>) -> Result<Response> {
    match decide_page(&signup, chrome, &id).await? {
        Some(page) => Ok(page.into_response()),
        None => Ok(to_customer(&signup, &id).await?.into_response()),
    }
}

#[derive(Deserialize)]
struct DecideForm {
    #[serde(default)]
    waba: Vec<String>,
    placing: Option<Placing>,
}

async fn decide(
    State(signup): State<Signup>,
    chrome: Chrome,
    session: Session,
    Staff(user): Staff,
    Path(id): Path<String>,
    Form(form): Form<DecideForm>,
) -> Result<Response> {
    let Some(mut page) = decide_page(&signup, chrome, &id).await? else {
        return Ok(to_customer(&signup, &id).await?.into_response());
    };
    let chosen: Vec<WabaId> = form.waba.iter().filter_map(|id| id.parse().ok()).collect();
    if chosen.is_empty() {
        page.choice_error = Some("Choose at least one account.");
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    let attempt = id.parse().map_err(|_| Error::NotFound)?;
    signup.decide_for(&user, attempt, &chosen, form.placing.unwrap_or(Placing::Beside)).await?;
    page::flash(&session, "Decided. The attempt goes on.").await?;
    Ok(to_customer(&signup, &id).await?.into_response())
}
