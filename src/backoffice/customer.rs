//! `/backoffice/customers/{id}`: one customer with all that belongs to it.

use super::{
    Backoffice,
    audit_lines::{self, AuditLine},
    customer_badges,
};
use crate::{
    accounts::{
        Customer, CustomerState, Filter, InviteLine, Listed, MAX_CUSTOMER_NAME_CHARS, MemberLine, Staff,
        check_customer_name,
    },
    base::ids::{CustomerId, UserId},
    connections::{ConnectionState, Overview},
    phone_numbers::Number,
    signup::StaffLine,
    web::{Access, Badge, Chrome, Error, Form, Result, Routes, page, when::When},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use std::collections::HashMap;
use time::OffsetDateTime;
use tower_sessions::Session;

/// How many attempts are shown, and how many entries of the log.
const LINES: i64 = 20;

pub(super) fn routes() -> Routes<Backoffice> {
    Routes::new()
        .get(Access::Staff, "/backoffice/customers/{id}", show)
        .get(Access::Staff, "/backoffice/customers/{id}/rename", back)
        .post(Access::Staff, "/backoffice/customers/{id}/rename", rename)
}

struct MemberRow {
    id: String,
    name: String,
    email: String,
    seen: Option<When>,
    two_steps: Badge,
}

impl MemberRow {
    fn new(member: &MemberLine, now: OffsetDateTime) -> Self {
        let two_steps = match member.has_two_steps {
            true => Badge::new("good", "On"),
            false => Badge::new("neutral", "Off"),
        };
        Self {
            id: member.id.to_string(),
            name: member.name.clone(),
            email: member.email.to_string(),
            seen: member.seen_at.map(|at| When::new(at, now)),
            two_steps,
        }
    }
}

struct WabaRow {
    id: String,
    name: String,
    numbers: Vec<String>,
    webhooks: Badge,
}

struct ConnectionRow {
    id: String,
    name: String,
    badge: Badge,
    connected: When,
    token_end: Option<When>,
    wabas: Vec<WabaRow>,
}

impl ConnectionRow {
    fn new(overview: &Overview, now: OffsetDateTime) -> Self {
        let connection = &overview.connection;
        let (look, word) = connection.state.shown();
        let wabas = overview.wabas.iter().map(|(waba, numbers)| WabaRow {
            id: waba.id.to_string(),
            name: waba.name.clone(),
            numbers: numbers.iter().map(Number::international).collect(),
            webhooks: match waba.subscribed_at {
                Some(_) => Badge::new("good", "Webhooks on"),
                None => Badge::new("problem", "Webhooks off"),
            },
        });
        let ends = connection.state != ConnectionState::Disconnecting;
        Self {
            id: connection.id.to_string(),
            name: connection.name.clone(),
            badge: Badge::new(look, word),
            connected: When::new(connection.connected_at, now),
            token_end: connection.token_expires_at.filter(|_| ends).map(|at| When::new(at, now)),
            wabas: wabas.collect(),
        }
    }
}

#[derive(Template, WebTemplate)]
#[template(path = "backoffice/customer.html")]
struct CustomerPage {
    chrome: Chrome,
    id: String,
    name: String,
    typed: String,
    name_error: Option<&'static str>,
    max_chars: usize,
    is_suspended: bool,
    is_deleting: bool,
    badges: Vec<Badge>,
    since: When,
    members: Vec<MemberRow>,
    connections: Vec<ConnectionRow>,
    attempts: Vec<StaffLine>,
    invites: Vec<InviteLine>,
    lines: Vec<AuditLine>,
}

/// The customer that the path names.
pub(super) async fn find(backoffice: &Backoffice, id: &str) -> Result<Customer> {
    let id: CustomerId = id.parse().map_err(|_| Error::NotFound)?;
    backoffice.accounts.customer(id).await?.ok_or(Error::NotFound)
}

async fn customer_page(backoffice: &Backoffice, chrome: Chrome, id: &str) -> Result<CustomerPage> {
    let id: CustomerId = id.parse().map_err(|_| Error::NotFound)?;
    let Listed { customer, connections: standing, .. } =
        backoffice.accounts.listed_customer(id).await?.ok_or(Error::NotFound)?;
    let now = backoffice.clock.now();
    let members = backoffice.accounts.member_lines(id).await?;
    let names: HashMap<UserId, &str> = members.iter().map(|member| (member.id, member.name.as_str())).collect();
    let attempts = backoffice.signup.recent(id, LINES).await?;
    let attempts = attempts.iter().map(|attempt| {
        let who = names.get(&attempt.user_id).copied().unwrap_or("Removed person");
        StaffLine::new(attempt, who.to_owned(), None, &chrome.site.operator, now)
    });
    let attempts = attempts.collect();
    let connections = backoffice.connections.list(id).await?;
    let log = Filter { customer: Some(id), ..Filter::default() };
    let lines = audit_lines::newest(&backoffice.accounts, &log, LINES, now).await?;
    let invites = backoffice.invites.of_customer(id).await?;
    let standing = customer_badges::connections(standing);
    Ok(CustomerPage {
        chrome,
        id: id.to_string(),
        typed: customer.name.clone(),
        name: customer.name,
        name_error: None,
        max_chars: MAX_CUSTOMER_NAME_CHARS,
        is_suspended: customer.state == CustomerState::Suspended,
        is_deleting: customer.state == CustomerState::Deleting,
        badges: customer_badges::state(customer.state).into_iter().chain([standing]).collect(),
        since: When::new(customer.created_at, now),
        members: members.iter().map(|member| MemberRow::new(member, now)).collect(),
        connections: connections.iter().map(|overview| ConnectionRow::new(overview, now)).collect(),
        attempts,
        invites,
        lines,
    })
}

async fn show(
    State(backoffice): State<Backoffice>,
    chrome: Chrome,
    _: Staff,
    Path(id): Path<String>,
) -> Result<CustomerPage> {
    customer_page(&backoffice, chrome, &id).await
}

/// An address that only takes a form leads back to the customer.
pub(super) async fn back(Path(id): Path<String>) -> Result<Redirect> {
    let id: CustomerId = id.parse().map_err(|_| Error::NotFound)?;
    Ok(Redirect::to(&format!("/backoffice/customers/{id}")))
}

#[derive(Deserialize)]
struct RenameForm {
    #[serde(default)]
    name: String,
}

async fn rename(
    State(backoffice): State<Backoffice>,
    chrome: Chrome,
    session: Session,
    Staff(user): Staff,
    Path(id): Path<String>,
    Form(form): Form<RenameForm>,
) -> Result<Response> {
    let customer = find(&backoffice, &id).await?;
    match check_customer_name(&form.name) {
        Ok(name) => {
            backoffice.accounts.rename_customer(&user, customer.id, name).await?;
            page::flash(&session, "The name is saved.").await?;
            Ok(Redirect::to(&format!("/backoffice/customers/{}", customer.id)).into_response())
        }
        Err(text) => {
            let mut page = customer_page(&backoffice, chrome, &id).await?;
            page.typed = form.name;
            page.name_error = Some(text);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}
