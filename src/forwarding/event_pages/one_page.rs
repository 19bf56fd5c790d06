//! `/events/{id}`: one event, its JSON, and its deliveries.

use super::{
    EventPages,
    pretty::pretty,
    queries,
    rows::Names,
    words::{self, Group, Told},
};
use crate::{
    accounts::SignedIn,
    base::ids::EndpointId,
    forwarding::{Attempt, Cause, Delivery, DeliveryState, Endpoint},
    web::{Badge, Chrome, Error, Result, when::When},
    webhooks::{Change, Course, Event, EventId, Item, Understood},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Redirect, Response},
};
use std::collections::{HashMap, hash_map::Entry};
use time::OffsetDateTime;

/// How much JSON is shown on the page; all of it has its own address.
const SHOWN: usize = 100_000;
/// How many deliveries are shown.
const DELIVERIES: usize = 100;

struct AttemptLine {
    number: i64,
    when: When,
    duration: String,
    result: String,
    is_good: bool,
    answer: Option<String>,
}

struct DeliveryBlock {
    endpoint: String,
    endpoint_id: String,
    number: i64,
    cause: &'static str,
    badge: Badge,
    next: Option<When>,
    attempts: Vec<AttemptLine>,
}

/// What is known of a message of the event.
struct CourseLine {
    message: String,
    is_incoming: bool,
    is_echo: bool,
    steps: Vec<Badge>,
    /// Whether this event told the last.
    is_last: bool,
    /// The other event that told it, where that is still known, and when it came.
    last: Option<(EventId, When)>,
}

#[derive(Template, WebTemplate)]
#[template(path = "forwarding/event.html")]
struct EventPage {
    chrome: Chrome,
    for_staff: bool,
    id: EventId,
    icon: &'static str,
    kind: &'static str,
    kind_name: &'static str,
    detail: String,
    told: Told,
    received: When,
    customer: Option<(String, String)>,
    number: Option<String>,
    waba: Option<String>,
    connection: Option<String>,
    stale: usize,
    /// Staff's: why nothing followed from it.
    problem: Option<String>,
    field: String,
    /// The JSON as it came, and laid out; `None` where it is not kept any more.
    raw: Option<(String, String)>,
    is_cut: bool,
    courses: Vec<CourseLine>,
    deliveries: Vec<DeliveryBlock>,
    more_deliveries: usize,
    /// Those that it can be sent to again: name and ID.
    endpoints: Vec<(String, String)>,
    newer: Option<EventId>,
    older: Option<EventId>,
}

fn duration(ms: i64) -> String {
    if ms < 1_000 { format!("{ms} ms") } else { format!("{}.{} s", ms / 1_000, ms % 1_000 / 100) }
}

/// Why there was no answer, in words.
pub(super) fn error_words(word: &str) -> String {
    match word {
        "timeout" => "No answer in time".to_owned(),
        "refused_address" => "An address inside a private network: it is not called".to_owned(),
        "connect" => "No connection".to_owned(),
        "dns" => "The name is not known".to_owned(),
        "tls" => "The certificate is not good".to_owned(),
        "redirect" => "It answered with a redirect, which is not followed".to_owned(),
        other => words::human(other),
    }
}

fn attempt_line(attempt: Attempt, now: OffsetDateTime) -> AttemptLine {
    let is_good = attempt.status.is_some_and(|status| (200..300).contains(&status)) && attempt.error.is_none();
    let error = attempt.error.as_deref().map(error_words);
    let result = match (attempt.status, error) {
        (Some(status), Some(error)) => format!("Status {status}: {error}"),
        (Some(status), None) => format!("Status {status}"),
        (None, error) => error.unwrap_or_else(|| "No answer".to_owned()),
    };
    AttemptLine {
        number: attempt.attempt,
        when: When::new(attempt.at, now),
        duration: duration(attempt.duration_ms),
        result,
        is_good,
        answer: attempt.answer.filter(|answer| !answer.trim().is_empty()),
    }
}

fn badge(delivery: &Delivery) -> Badge {
    match delivery.state {
        DeliveryState::Pending if delivery.attempts > 0 => Badge::new("attention", "Retrying"),
        DeliveryState::Pending => Badge::new("waiting", "Waiting"),
        DeliveryState::Delivered => Badge::new("good", "Delivered"),
        DeliveryState::Failed => Badge::new("problem", "Failed"),
        DeliveryState::Cancelled => Badge::new("neutral", "Cancelled"),
    }
}

fn step(word: &str) -> Badge {
    match word {
        "failed" => Badge::new("problem", "Failed"),
        "sent" => Badge::new("neutral", "Sent"),
        other => Badge::new("good", words::human(other)),
    }
}

/// What is known of the messages of an event, in the eyes of those whose it is.
async fn courses(pages: &EventPages, event: &Event, now: OffsetDateTime) -> Result<Vec<CourseLine>> {
    let owner = |event: &Event| event.route.place.owner.map(|owner| owner.customer);
    let mut lines = Vec::new();
    for Course { message, is_incoming, is_echo, told, last } in pages.webhooks.courses(event.id).await? {
        let there = if last == event.id { Some(event.clone()) } else { pages.webhooks.event(last).await? };
        // Of what came for another, while the number was theirs, nothing is told.
        if there.as_ref().is_some_and(|there| owner(there) != owner(event)) {
            continue;
        }
        let (is_last, steps) = (last == event.id, told.into_iter().map(step).collect());
        let last = there.filter(|_| !is_last).map(|there| (there.id, When::new(there.received_at, now)));
        lines.push(CourseLine { message, is_incoming, is_echo, steps, is_last, last });
    }
    Ok(lines)
}

async fn block(
    pages: &EventPages,
    names: &mut HashMap<EndpointId, String>,
    delivery: &Delivery,
    now: OffsetDateTime,
) -> Result<DeliveryBlock> {
    if let Entry::Vacant(unknown) = names.entry(delivery.endpoint) {
        let name = queries::endpoint_name(&mut pages.store.read().await?, delivery.endpoint).await?;
        unknown.insert(name.unwrap_or_else(|| "Removed endpoint".to_owned()));
    }
    let attempts = pages.forwarding.attempts_of(delivery.endpoint, delivery.number).await?;
    Ok(DeliveryBlock {
        endpoint: names.get(&delivery.endpoint).cloned().unwrap_or_default(),
        endpoint_id: delivery.endpoint.to_string(),
        number: delivery.number,
        cause: match delivery.cause {
            Cause::Event => "",
            Cause::Replay => "Sent again",
            Cause::Test => "Test",
            Cause::Expired => "Its time ran out",
        },
        badge: badge(delivery),
        next: delivery.next_at.map(|at| When::new(at, now)),
        attempts: attempts.into_iter().map(|attempt| attempt_line(attempt, now)).collect(),
    })
}

/// The endpoints of an event's customer that could get it again: those that are not given up.
async fn endpoints(pages: &EventPages, event: &Event) -> Result<Vec<(String, String)>> {
    let Some(owner) = event.route.place.owner else { return Ok(Vec::new()) };
    let all = pages.forwarding.endpoints(owner.customer).await?;
    // A change may hold messages and statuses; whoever wants one of them may have it.
    let told = |change: &Change<'_>| Understood::of(change).items.iter().map(Item::kind).collect::<Vec<_>>();
    let told = pages.webhooks.change(event.id, told).await?.unwrap_or_default();
    let wants = |endpoint: &&Endpoint| {
        endpoint.wants(&event.route.place, told.iter().copied().chain(told.is_empty().then_some(event.kind)))
    };
    Ok(all.iter().filter(wants).map(|one| (one.name.clone(), one.id.to_string())).collect())
}

pub(super) async fn show(
    State(pages): State<EventPages>,
    chrome: Chrome,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
) -> Result<Response> {
    let event = pages.event_for(&user, &id).await?;
    let now = pages.clock.now();
    let for_staff = user.role.is_staff();
    let change = pages
        .webhooks
        .change(event.id, |change| {
            let told = Told::of(&change.json());
            (change.field.to_string(), told, change.raw.len() > SHOWN, change.raw.to_owned())
        })
        .await?;
    let all = pages.forwarding.deliveries_of(event.id, user.customer_id.filter(|_| !for_staff)).await?;
    let (mut deliveries, mut known) = (Vec::new(), HashMap::new());
    for delivery in all.iter().rev().take(DELIVERIES) {
        deliveries.push(block(&pages, &mut known, delivery, now).await?);
    }
    let of = pages.around(&event).await?;
    let mut names = Names::default();
    let customer = match event.route.place.owner {
        Some(owner) if for_staff => {
            Some((names.customer(&pages, owner.customer).await?, format!("/support/customers/{}", owner.customer)))
        }
        _ => None,
    };
    let (field, told, is_cut, raw) = match change {
        Some((field, told, is_cut, raw)) => (field, told, is_cut, Some(raw)),
        None => (String::new(), Told::default(), false, None),
    };
    let page = EventPage {
        chrome,
        for_staff,
        id: event.id,
        icon: Group::of(event.kind).icon(),
        kind: event.kind.words(),
        kind_name: event.kind.name(),
        detail: words::detail(event.kind, &event.detail),
        told,
        received: When::new(event.received_at, now),
        customer,
        number: names.number(&pages, &event).await?,
        waba: event.route.place.waba.as_ref().map(ToString::to_string),
        connection: event.route.place.owner.filter(|_| !for_staff).map(|owner| owner.connection.to_string()),
        stale: event.stale.len(),
        problem: if for_staff { pages.webhooks.problem_of(event.id).await? } else { None },
        field,
        raw: raw.map(|raw| {
            let laid_out = pretty(&raw).chars().take(SHOWN).collect();
            (if is_cut { String::new() } else { raw }, laid_out)
        }),
        is_cut,
        more_deliveries: all.len().saturating_sub(DELIVERIES),
        deliveries,
        endpoints: endpoints(&pages, &event).await?,
        courses: courses(&pages, &event, now).await?,
        newer: pages.webhooks.next_event(&of, event.id).await?,
        older: pages.webhooks.newest(&of, Some(event.id)).next().await?.map(|event| event.id),
    };
    Ok(page.into_response())
}

/// The change as Meta sent it.
pub(super) async fn raw(
    State(pages): State<EventPages>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
) -> Result<Response> {
    let event = pages.event_for(&user, &id).await?;
    let raw = pages.webhooks.change(event.id, |change| change.raw.to_owned()).await?.ok_or(Error::NotFound)?;
    let headers = [(header::CONTENT_TYPE, "application/json; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, raw).into_response())
}

/// An address that only takes a form leads back to its page.
pub(super) async fn back(
    State(pages): State<EventPages>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
) -> Result<Redirect> {
    let event = pages.event_for(&user, &id).await?;
    Ok(Redirect::to(&format!("/events/{}", event.id)))
}
