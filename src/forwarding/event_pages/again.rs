//! Sending events again: one, a selection, or all that came since a time.

use super::EventPages;
use crate::{
    accounts::{SignedIn, User},
    base::ids::{CustomerId, EndpointId},
    forwarding::{Endpoint, ForwardingError, MAX_CHOSEN, Replay, Replayed},
    web::{Chrome, Error, Form, Result, page, when::When},
    webhooks::{Event, EventId, Of},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use std::collections::BTreeMap;
use time::{
    Date, OffsetDateTime, PrimitiveDateTime, UtcOffset, format_description::well_known::Rfc3339,
    macros::format_description,
};
use tower_sessions::Session;

/// How browsers write a day and a time.
const SECOND: &[time::format_description::BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
/// How many events are counted for a confirmation, and how many are looked at; more are called so.
const COUNTED: usize = 10_000;
const LOOKED_AT: usize = 20_000;

/// Whether an endpoint wants an event, as far as the event itself tells.
pub(super) fn wants(endpoint: &Endpoint, event: &Event) -> bool {
    endpoint.wants(&event.route.place, [event.kind])
}

pub(super) async fn back() -> Redirect {
    Redirect::to("/events")
}

/// What was done, in words.
fn told(sent: i64) -> String {
    match sent {
        0 => "No endpoint wants these events: nothing was sent.".to_owned(),
        1 => "It is being sent again.".to_owned(),
        sent => format!("{sent} calls are being made again."),
    }
}

/// How many calls are on their way.
async fn send(pages: &EventPages, user: &User, customer: CustomerId, replay: Replay) -> Result<i64> {
    let sent = pages.forwarding.replay(&pages.webhooks, user, customer, replay).await?;
    Ok(match sent {
        Replayed::Planned(sent) => sent,
        Replayed::Begun => 0,
    })
}

#[derive(Deserialize)]
pub(super) struct OneForm {
    /// Empty: all endpoints that want it.
    #[serde(default)]
    endpoint: String,
}

pub(super) async fn one(
    State(pages): State<EventPages>,
    session: Session,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
    Form(form): Form<OneForm>,
) -> Result<Redirect> {
    let event = pages.event_for(&user, &id).await?;
    let Some(owner) = event.route.place.owner else {
        return Err(Error::Conflict("This event is nobody’s: there is no endpoint to send it to.".to_owned()));
    };
    let endpoint = match form.endpoint.trim() {
        "" => None,
        id => Some(id.parse::<EndpointId>().map_err(|_| Error::NotFound)?),
    };
    let events = vec![event.id];
    let replay = match endpoint {
        Some(endpoint) => Replay::To { endpoint, events },
        None => Replay::Events(events),
    };
    let sent = send(&pages, &user, owner.customer, replay).await?;
    page::flash(&session, &told(sent)).await?;
    Ok(Redirect::to(&format!("/events/{}", event.id)))
}

#[derive(Deserialize)]
pub(super) struct SelectionForm {
    #[serde(default)]
    event: Vec<String>,
    /// The list's filters, to come back to.
    #[serde(default)]
    query: String,
}

pub(super) async fn selection(
    State(pages): State<EventPages>,
    session: Session,
    SignedIn(user): SignedIn,
    Form(form): Form<SelectionForm>,
) -> Result<Redirect> {
    let back = format!("/events?{}", form.query.replace(['\r', '\n'], ""));
    if form.event.is_empty() {
        page::flash(&session, "Select the events first that are to be sent again.").await?;
        return Ok(Redirect::to(&back));
    }
    let mut by_customer: BTreeMap<CustomerId, Vec<EventId>> = BTreeMap::new();
    for id in form.event.iter().take(MAX_CHOSEN) {
        let event = pages.event_for(&user, id).await?;
        if let Some(owner) = event.route.place.owner {
            by_customer.entry(owner.customer).or_default().push(event.id);
        }
    }
    let mut sent = 0;
    for (customer, events) in by_customer {
        sent += send(&pages, &user, customer, Replay::Events(events)).await?;
    }
    page::flash(&session, &told(sent)).await?;
    Ok(Redirect::to(&back))
}

#[derive(Clone, Default, Deserialize)]
pub(super) struct SinceForm {
    /// Staff's: whose endpoints.
    #[serde(default)]
    customer: String,
    #[serde(default)]
    endpoint: String,
    /// A day and a time, in UTC.
    #[serde(default)]
    since: String,
}

struct Asked {
    count: String,
    endpoint: String,
    since: When,
    since_iso: String,
}

#[derive(Template, WebTemplate)]
#[template(path = "forwarding/events_since.html")]
struct SincePage {
    chrome: Chrome,
    form: SinceForm,
    customer_name: Option<String>,
    endpoints: Vec<(String, String)>,
    endpoint_error: Option<String>,
    since_error: Option<&'static str>,
    /// What is to be confirmed.
    asked: Option<Asked>,
}

/// As browsers write it, or in full.
fn parse_since(text: &str) -> Option<OffsetDateTime> {
    let text = text.trim();
    let minute = format_description!("[year]-[month]-[day]T[hour]:[minute]");
    OffsetDateTime::parse(text, &Rfc3339)
        .ok()
        .or_else(|| PrimitiveDateTime::parse(text, minute).ok().map(PrimitiveDateTime::assume_utc))
        .or_else(|| PrimitiveDateTime::parse(text, SECOND).ok().map(PrimitiveDateTime::assume_utc))
        .or_else(|| {
            let day = Date::parse(text, format_description!("[year]-[month]-[day]")).ok();
            day.map(|day| day.midnight().assume_utc())
        })
}

/// Whose endpoints a person means.
fn customer_of(user: &User, form: &SinceForm) -> Result<CustomerId> {
    match user.role.is_staff() {
        true => form.customer.trim().parse().map_err(|_| Error::NotFound),
        false => user.customer_id.ok_or(Error::NotFound),
    }
}

/// How many events an endpoint would get, in words.
async fn count(pages: &EventPages, endpoint: &Endpoint, since: OffsetDateTime) -> Result<String> {
    let of = Of::Routes(pages.webhooks.routes_of(endpoint.customer).await?);
    let first = pages.webhooks.first_since(since).await?;
    let mut events = pages.webhooks.newest(&of, None);
    let (mut n, mut looked_at) = (0, 0);
    while let Some(event) = events.next().await? {
        if event.id < first {
            break;
        }
        if n == COUNTED || looked_at == LOOKED_AT {
            // One more is there, though nobody knows yet whether the endpoint wants it.
            return Ok(match n {
                0 => "all events that it wants".to_owned(),
                1 => "1 event or more".to_owned(),
                n => format!("{n} events or more"),
            });
        }
        looked_at += 1;
        n += usize::from(wants(endpoint, &event));
    }
    Ok(match n {
        0 => "no event".to_owned(),
        1 => "1 event".to_owned(),
        n => format!("{n} events"),
    })
}

/// The form as it was filled in, with what is wrong about it.
async fn since_page(pages: &EventPages, chrome: Chrome, user: &User, form: SinceForm) -> Result<SincePage> {
    let customer = customer_of(user, &form)?;
    let name = pages.accounts.customer(customer).await?.ok_or(Error::NotFound)?.name;
    let endpoints = pages.forwarding.endpoints(customer).await?;
    let mut page = SincePage {
        chrome,
        customer_name: user.role.is_staff().then_some(name),
        endpoints: endpoints.iter().map(|one| (one.id.to_string(), one.name.clone())).collect(),
        endpoint_error: None,
        since_error: None,
        asked: None,
        form,
    };
    let form = &page.form;
    if form.endpoint.trim().is_empty() && form.since.trim().is_empty() {
        return Ok(page);
    }
    let endpoint = endpoints.iter().find(|one| one.id.to_string() == form.endpoint.trim());
    let since = parse_since(&form.since).filter(|since| *since <= pages.clock.now());
    // Who comes from an endpoint's page has not been asked for a time yet.
    page.since_error =
        (since.is_none() && !form.since.trim().is_empty()).then_some("Enter a day and time in the past.");
    match endpoint {
        None => page.endpoint_error = Some("Choose an endpoint.".to_owned()),
        Some(one) if pages.forwarding.is_replaying(customer, Some(one.id)).await? => {
            page.endpoint_error = Some(ForwardingError::Replaying.to_string());
        }
        Some(one) => {
            if let Some(since) = since {
                page.asked = Some(Asked {
                    count: count(pages, one, since).await?,
                    endpoint: one.name.clone(),
                    since: When::new(since, pages.clock.now()),
                    since_iso: since.format(&Rfc3339).unwrap_or_default(),
                });
            }
        }
    }
    // As browsers write it, so that they show it again.
    if let Some(since) = since {
        page.form.since = since.to_offset(UtcOffset::UTC).format(SECOND).unwrap_or_default();
    }
    Ok(page)
}

impl SincePage {
    fn respond(self) -> Response {
        let failed = self.endpoint_error.is_some() || self.since_error.is_some();
        let status = if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        (status, self).into_response()
    }
}

/// The form; with endpoint and time given, the question whether that is meant.
pub(super) async fn ask_since(
    State(pages): State<EventPages>,
    chrome: Chrome,
    SignedIn(user): SignedIn,
    Query(form): Query<SinceForm>,
) -> Result<Response> {
    if user.role.is_staff() && form.customer.trim().is_empty() {
        return Ok(Redirect::to("/events").into_response());
    }
    Ok(since_page(&pages, chrome, &user, form).await?.respond())
}

pub(super) async fn since(
    State(pages): State<EventPages>,
    chrome: Chrome,
    session: Session,
    SignedIn(user): SignedIn,
    Form(form): Form<SinceForm>,
) -> Result<Response> {
    let customer = customer_of(&user, &form)?;
    let endpoint: EndpointId = form.endpoint.trim().parse().map_err(|_| Error::NotFound)?;
    let since = parse_since(&form.since).ok_or_else(|| Error::BadRequest("A day and time is needed.".to_owned()))?;
    let replay = Replay::Since { endpoint: Some(endpoint), time: since };
    match pages.forwarding.replay(&pages.webhooks, &user, customer, replay).await {
        Ok(_) => page::flash(&session, "The events are being sent again.").await?,
        Err(error @ ForwardingError::Replaying) => {
            let mut page = since_page(&pages, chrome, &user, form).await?;
            // It may have ended just now; nothing was begun all the same.
            (page.endpoint_error, page.asked) = (Some(error.to_string()), None);
            return Ok(page.respond());
        }
        Err(error) => return Err(error.into()),
    }
    let customer = if user.role.is_staff() { format!("?customer={customer}") } else { String::new() };
    Ok(Redirect::to(&format!("/events{customer}")).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_browsers_write_them() {
        let at = time::macros::datetime!(2026-01-31 08:30 UTC);
        for text in ["2026-01-31T08:30", "2026-01-31T08:30:00", "2026-01-31T08:30:00Z", "2026-01-31T09:30:00+01:00"] {
            assert_eq!(parse_since(text), Some(at), "{text}");
        }
        assert_eq!(parse_since("yesterday"), None);
    }
}
