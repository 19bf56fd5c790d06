//! `/events`: the list.

use super::{
    EventPages,
    charts::{self, Charts},
    filter::{self, Asked, Meant},
    rows::{self, EventRow, Names},
    words::{Group, Outcome},
};
use crate::{
    accounts::SignedIn,
    web::{Chrome, Result, when::When},
    webhooks::{Event, EventId},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};

/// A broken-off search: how far it came, and the address at which it goes on.
struct Further {
    back_to: When,
    href: String,
}

#[derive(Template, WebTemplate)]
#[template(path = "forwarding/events.html")]
struct EventsPage {
    chrome: Chrome,
    asked: Asked,
    meant: Meant,
    for_staff: bool,
    /// Whether there is a connection from which events could come; staff: always.
    is_connected: bool,
    /// Name, words, and whether it is chosen.
    groups: Vec<(&'static str, &'static str, bool)>,
    outcomes: [(&'static str, &'static str); 4],
    rows: Vec<EventRow>,
    older: Option<String>,
    further: Option<Further>,
    /// Whether this is not the first page.
    is_later: bool,
    query: String,
    /// Where new events come from, on the first page.
    stream: Option<String>,
    charts: Charts,
}

pub(super) async fn list(
    State(pages): State<EventPages>,
    chrome: Chrome,
    SignedIn(user): SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let now = pages.clock.now();
    let for_staff = user.role.is_staff();
    let meant = filter::meaning(&pages, &user, &asked).await?;
    let failed = meant.has_errors();
    let before = asked.before();
    let mut names = Names::default();
    let (mut lines, mut older, mut further) = (Vec::new(), None, None);
    let mut newest = EventId(0);
    if !failed {
        let events = pages.webhooks.newest(&meant.of, before);
        let mut found = rows::find(&pages, &meant, events, EventId(i64::MIN)).await?;
        // What was looked at for this page is not looked at again by the stream.
        newest = found.newest.unwrap_or(newest);
        if before.is_none() {
            rows::add_message(&pages, &meant, &mut found).await?;
        }
        lines = rows::rows(&pages, &mut names, for_staff, &found.fits, now).await?;
        older = found.older.map(|id| asked.link("", "before", id));
        further = found.broken_off.map(|last: Event| Further {
            back_to: When::new(last.received_at, now),
            href: asked.link("", "before", last.id),
        });
    }
    let is_connected = match user.customer_id {
        Some(customer) => !pages.connections.list(customer).await?.is_empty(),
        None => true,
    };
    let page = EventsPage {
        charts: charts::read(&pages, &meant, for_staff, &asked, now).await?,
        chrome,
        for_staff,
        is_connected,
        groups: Group::ALL.map(|group| (group.name(), group.words(), meant.group == Some(group))).into(),
        outcomes: Outcome::SOUGHT,
        rows: lines,
        older,
        further,
        is_later: before.is_some(),
        query: asked.query(),
        stream: (!failed && before.is_none()).then(|| asked.link("/stream", "after", newest)),
        meant,
        asked,
    };
    let status = if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, page).into_response())
}
