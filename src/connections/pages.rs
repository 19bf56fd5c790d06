//! A customer's connections: the list, one of them, renaming and disconnecting.

use super::{
    News,
    glance::{self, Worst},
    model::{ConnectionState, MAX_NAME_CHARS},
    service::{Connections, Overview},
    todos::{Todo, todos},
};
use crate::{
    accounts::Member,
    base::ids::ConnectionId,
    phone_numbers::{Number, Registration},
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
use std::str::FromStr;
use tower_sessions::Session;

/// The routes of this feature.
pub fn routes(connections: Connections) -> Routes {
    Routes::new()
        .get(Access::Member, "/connections", list)
        .get(Access::Member, "/connections/{id}", show)
        .get(Access::Member, "/connections/{id}/rename", back)
        .post(Access::Member, "/connections/{id}/rename", rename)
        .get(Access::Member, "/connections/{id}/disconnect", ask)
        .post(Access::Member, "/connections/{id}/disconnect", disconnect)
        .with_state(connections)
}

/// A number as its card shows it.
pub(super) struct NumberCard {
    id: String,
    number: String,
    verified_name: String,
    pub state: Badge,
    name_check: Badge,
    quality: Badge,
    limit: String,
    /// When it was so, where it can't be read now.
    as_of: Option<When>,
}

impl NumberCard {
    /// Of a number to which there is no access any more: what is good about it was so, and may be over.
    fn past(number: &Number, now: time::OffsetDateTime) -> Self {
        let mut card = Self::new(number);
        for badge in [&mut card.state, &mut card.name_check, &mut card.quality] {
            if badge.look == "good" {
                *badge = Badge::new("neutral", badge.word.as_str());
            }
        }
        card.as_of = Some(When::new(number.read_at, now));
        card
    }

    pub fn new(number: &Number) -> Self {
        let state = match number.registration() {
            Registration::Ready => Badge::new("good", "Ready"),
            Registration::Coexistence => Badge::new("good", "Ready, shared with the app"),
            Registration::Unverified => Badge::new("attention", "Not confirmed by code"),
            Registration::NamePending => Badge::new("waiting", "Meta is checking the name"),
            Registration::NameDeclined => Badge::new("problem", "Display name declined"),
            Registration::NotRegistered => Badge::new("attention", "Not registered yet"),
            Registration::Blocked => Badge::new("problem", "Blocked by Meta"),
            Registration::Unclear => Badge::new("attention", "Unclear"),
        };
        let name_check = match number.name_status.as_deref() {
            Some("APPROVED" | "AVAILABLE_WITHOUT_REVIEW") => Badge::new("good", "Accepted"),
            Some("PENDING_REVIEW" | "PENDING" | "IN_REVIEW") => Badge::new("waiting", "Meta is checking"),
            Some("DECLINED") => Badge::new("problem", "Declined"),
            Some("EXPIRED") => Badge::new("attention", "Expired"),
            None | Some("NONE") => Badge::new("neutral", "None yet"),
            Some(other) => Badge::new("neutral", other),
        };
        let quality = number.quality();
        Self {
            id: number.id.to_string(),
            number: number.international(),
            verified_name: number.verified_name.clone(),
            state,
            name_check,
            quality: Badge::new(quality.badge(), quality.word()),
            limit: number.limit().words(),
            as_of: None,
        }
    }
}

/// Green only where nothing worse stands beside it.
fn connection_badge(overview: &Overview, worst: Option<&Worst>) -> Badge {
    let (look, word) = overview.connection.state.shown();
    Badge::new(if worst.is_some() { "neutral" } else { look }, word)
}

struct ListEntry {
    id: String,
    name: String,
    badge: Badge,
    worst: Option<Worst>,
    numbers: Vec<String>,
    connected: When,
}

#[derive(Template, WebTemplate)]
#[template(path = "connections/list.html")]
struct ListPage {
    chrome: Chrome,
    entries: Vec<ListEntry>,
    /// One is being disconnected: the page looks again by itself.
    refresh: bool,
}

async fn list(State(connections): State<Connections>, chrome: Chrome, member: Member) -> Result<ListPage> {
    let now = connections.clock.now();
    let all = connections.list(member.customer).await?;
    let mut entries = Vec::new();
    for overview in &all {
        let worst = glance::worst(overview, connections.unheard(&overview.connection).await?);
        entries.push(ListEntry {
            id: overview.connection.id.to_string(),
            name: overview.connection.name.clone(),
            badge: connection_badge(overview, worst.as_ref()),
            worst,
            numbers: overview.wabas.iter().flat_map(|(_, numbers)| numbers).map(Number::international).collect(),
            connected: When::new(overview.connection.connected_at, now),
        });
    }
    let refresh = all.iter().any(|overview| overview.connection.state == ConnectionState::Disconnecting);
    Ok(ListPage { chrome, entries, refresh })
}

struct WabaSection {
    id: String,
    name: String,
    business: Option<String>,
    business_id: Option<String>,
    subscribed: bool,
    numbers: Vec<NumberCard>,
    read: Option<When>,
}

#[derive(Template, WebTemplate)]
#[template(path = "connections/show.html")]
struct ShowPage {
    chrome: Chrome,
    id: String,
    name: String,
    typed: String,
    name_error: Option<&'static str>,
    badge: Badge,
    worst: Option<Worst>,
    connected: When,
    wabas: Vec<WabaSection>,
    todos: Vec<Todo>,
    news: Vec<News>,
    is_disconnecting: bool,
    checked: Option<When>,
    is_over: bool,
    is_own_app: bool,
}

async fn show_page(connections: &Connections, chrome: Chrome, overview: &Overview) -> Result<ShowPage> {
    let now = connections.clock.now();
    let news = connections.news(overview).await?;
    let unheard = connections.unheard(&overview.connection).await?;
    let worst = glance::worst(overview, unheard);
    let is_over = overview.connection.state == ConnectionState::NeedsReconnect;
    let card = |number: &Number| if is_over { NumberCard::past(number, now) } else { NumberCard::new(number) };
    let wabas = overview.wabas.iter().map(|(waba, numbers)| WabaSection {
        id: waba.id.to_string(),
        name: waba.name.clone(),
        business: waba.business_name.clone(),
        business_id: waba.business_id.as_ref().map(ToString::to_string),
        subscribed: waba.subscribed_at.is_some(),
        numbers: numbers.iter().map(card).collect(),
        read: numbers.iter().map(|number| number.read_at).min().map(|at| When::new(at, now)),
    });
    let todos = todos(overview, unheard, &chrome.site);
    Ok(ShowPage {
        id: overview.connection.id.to_string(),
        name: overview.connection.name.clone(),
        typed: overview.connection.name.clone(),
        name_error: None,
        badge: connection_badge(overview, worst.as_ref()),
        worst,
        connected: When::new(overview.connection.connected_at, now),
        wabas: wabas.collect(),
        todos,
        news,
        is_disconnecting: overview.connection.state == ConnectionState::Disconnecting,
        checked: overview.connection.checked_at.map(|at| When::new(at, now)),
        is_over,
        is_own_app: overview.connection.is_own_app,
        chrome,
    })
}

/// The customer's connection that the path names.
async fn find(connections: &Connections, member: &Member, id: &str) -> Result<Overview> {
    let id = ConnectionId::from_str(id).map_err(|_| Error::NotFound)?;
    let found = connections.get(member.customer, id).await?.ok_or(Error::NotFound)?;
    if found.connection.state == ConnectionState::Disconnected { Err(Error::NotFound) } else { Ok(found) }
}

async fn show(
    State(connections): State<Connections>,
    chrome: Chrome,
    member: Member,
    Path(id): Path<String>,
) -> Result<ShowPage> {
    let overview = find(&connections, &member, &id).await?;
    show_page(&connections, chrome, &overview).await
}

/// A form that was shown again with its error stands under its own address: opened, it leads back.
async fn back(Path(id): Path<String>) -> Result<Redirect> {
    let id = ConnectionId::from_str(&id).map_err(|_| Error::NotFound)?;
    Ok(Redirect::to(&format!("/connections/{id}")))
}

#[derive(Deserialize)]
struct RenameForm {
    #[serde(default)]
    name: String,
}

async fn rename(
    State(connections): State<Connections>,
    chrome: Chrome,
    session: Session,
    member: Member,
    Path(id): Path<String>,
    Form(form): Form<RenameForm>,
) -> Result<Response> {
    let overview = find(&connections, &member, &id).await?;
    let name = form.name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARS {
        let mut page = show_page(&connections, chrome, &overview).await?;
        page.typed = form.name;
        page.name_error = Some("Enter a name of 1 to 80 characters.");
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    connections.rename(&member, overview.connection.id, name).await?;
    page::flash(&session, "The name is saved.").await?;
    Ok(Redirect::to(&format!("/connections/{id}")).into_response())
}

#[derive(Template, WebTemplate)]
#[template(path = "connections/disconnect.html")]
struct DisconnectPage {
    chrome: Chrome,
    id: String,
    name: String,
    numbers: Vec<String>,
    /// Numbers that could be taken off the Cloud API.
    registered: Vec<String>,
    shares_with_app: bool,
}

async fn ask(
    State(connections): State<Connections>,
    chrome: Chrome,
    member: Member,
    Path(id): Path<String>,
) -> Result<DisconnectPage> {
    let overview = find(&connections, &member, &id).await?;
    let numbers = || overview.wabas.iter().flat_map(|(_, numbers)| numbers);
    Ok(DisconnectPage {
        chrome,
        id,
        name: overview.connection.name.clone(),
        numbers: numbers().map(Number::international).collect(),
        registered: numbers()
            .filter(|number| number.registration() == Registration::Ready)
            .map(Number::international)
            .collect(),
        shares_with_app: numbers().any(|number| number.registration() == Registration::Coexistence),
    })
}

#[derive(Deserialize)]
struct DisconnectForm {
    deregister: Option<String>,
}

async fn disconnect(
    State(connections): State<Connections>,
    session: Session,
    member: Member,
    Path(id): Path<String>,
    Form(form): Form<DisconnectForm>,
) -> Result<Redirect> {
    let overview = find(&connections, &member, &id).await?;
    // A second click finds it being undone already, which is what was wanted.
    let id = overview.connection.id;
    connections.disconnect(&member.user, member.customer, id, form.deregister.is_some()).await?;
    page::flash(&session, &format!("{} is being disconnected.", overview.connection.name)).await?;
    Ok(Redirect::to("/connections"))
}
