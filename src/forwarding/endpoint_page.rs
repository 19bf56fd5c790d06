//! One endpoint: what it is, how it does, what it got last; pausing, resuming, trying and removing it.

use super::{
    endpoint::{Endpoint, EndpointState, Format},
    endpoint_view::{self, DeliveryLine, Gets},
    page_queries,
    pages::{EndpointPages, Own, done, page_of},
    queries,
};
use crate::web::{Badge, Chrome, Form, NoFields, Result, when::When};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tower_sessions::Session;

/// How many of the latest deliveries are shown.
const SHOWN: i64 = 20;

#[derive(Template, WebTemplate)]
#[template(path = "forwarding/show.html")]
pub(super) struct ShowPage {
    chrome: Chrome,
    id: String,
    name: String,
    format: &'static str,
    is_meta: bool,
    target: String,
    is_receiver: bool,
    badge: Badge,
    is_active: bool,
    reason: Option<&'static str>,
    since: When,
    failing: Option<When>,
    waiting: i64,
    gets: Gets,
    /// Until when the old secret counts too.
    overlap: Option<When>,
    /// The secret, on the page that shows it.
    secret: Option<String>,
    deliveries: Vec<DeliveryLine>,
    /// The test that was sent just now.
    test: Option<DeliveryLine>,
    /// Whether the page reloads itself where there is no script.
    refresh: bool,
    version: String,
}

/// Why an endpoint is not called, in a sentence.
fn reason(endpoint: &Endpoint) -> Option<&'static str> {
    match (endpoint.state, endpoint.state_reason.as_deref()) {
        (EndpointState::Active, _) => None,
        (EndpointState::Paused, Some("failing")) => Some(
            "It had failed for days, so Doorway stopped calling it. What comes is kept. Mend your server, then resume.",
        ),
        (EndpointState::Paused, _) => Some("Somebody paused it. What comes is kept, and sent once you resume."),
        (EndpointState::Disabled, _) => Some(
            "Your server answered 410, which says that it wants no more calls. What comes is not kept for it. Resume it to be called again.",
        ),
    }
}

/// The page; with the secret in it where it is to be shown.
pub(super) async fn view(
    pages: &EndpointPages,
    chrome: Chrome,
    endpoint: &Endpoint,
    secret: Option<&SecretString>,
    test: Option<i64>,
) -> Result<ShowPage> {
    let forwarding = &pages.forwarding;
    let now = forwarding.clock.now();
    // Before all that it stands for: what changes meanwhile makes the page fetch itself once more.
    let version = page_queries::version(&mut forwarding.store.read().await?, endpoint.id).await?.unwrap_or_default();
    let endpoint = &forwarding.endpoint(endpoint.customer, endpoint.id).await?;
    let connected = pages.connections.list(endpoint.customer).await?;
    let latest = forwarding.latest(endpoint.id, i64::MAX, SHOWN).await?;
    let mut db = forwarding.store.read().await?;
    let from = latest.last().map_or(0, |delivery| delivery.number);
    let attempts = page_queries::attempts_from(&mut db, endpoint.id, from).await?;
    let waiting = queries::pending(&mut db, endpoint.id).await?;
    drop(db);
    let mut deliveries = Vec::new();
    for delivery in &latest {
        let event = match delivery.event {
            Some(event) => pages.webhooks.event(event).await?,
            None => None,
        };
        let tried = attempts.get(&delivery.number).map(Vec::as_slice).unwrap_or_default();
        deliveries.push(endpoint_view::delivery_line(delivery, event.as_ref(), tried, now));
    }
    let test = match test {
        None => None,
        Some(number) => forwarding.delivery(endpoint.id, number).await?,
    };
    let test = match test.filter(|delivery| delivery.cause == super::Cause::Test) {
        None => None,
        Some(delivery) => {
            let tried = forwarding.attempts_of(endpoint.id, delivery.number).await?;
            Some(endpoint_view::delivery_line(&delivery, None, &tried, now))
        }
    };
    Ok(ShowPage {
        chrome,
        id: endpoint.id.to_string(),
        name: endpoint.name.clone(),
        format: endpoint_view::format_name(endpoint.format),
        is_meta: endpoint.format == Format::Meta,
        target: endpoint_view::target(endpoint),
        is_receiver: endpoint.url.is_none(),
        badge: endpoint_view::state(endpoint),
        is_active: endpoint.state == EndpointState::Active,
        reason: reason(endpoint),
        since: When::new(endpoint.state_since, now),
        failing: endpoint.failing_since.map(|at| When::new(at, now)),
        waiting,
        gets: endpoint_view::gets(endpoint, &connected),
        overlap: endpoint
            .old_secret
            .as_ref()
            .filter(|(_, until)| *until > now)
            .map(|(_, until)| When::new(*until, now)),
        secret: secret.map(|secret| secret.expose_secret().to_owned()),
        refresh: test.as_ref().is_some_and(|test| test.attempts.is_empty()),
        deliveries,
        test,
        version,
    })
}

#[derive(Deserialize)]
pub(super) struct Shown {
    /// The number of the test that was sent just now.
    test: Option<i64>,
}

pub(super) async fn show(
    State(pages): State<EndpointPages>,
    chrome: Chrome,
    Own { endpoint, .. }: Own,
    Query(shown): Query<Shown>,
) -> Result<Response> {
    Ok(view(&pages, chrome, &endpoint, None, shown.test).await?.into_response())
}

pub(super) async fn test(
    State(pages): State<EndpointPages>,
    Own { member, endpoint }: Own,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    let number = pages.forwarding.send_test(&member.user, member.customer, endpoint.id).await?;
    Ok(Redirect::to(&format!("{}?test={number}#test", page_of(endpoint.id))))
}

pub(super) async fn pause(
    State(pages): State<EndpointPages>,
    session: Session,
    Own { member, endpoint }: Own,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    if endpoint.state != EndpointState::Active {
        return Ok(Redirect::to(&page_of(endpoint.id)));
    }
    pages.forwarding.pause(&member.user, member.customer, endpoint.id).await?;
    done(&session, "The endpoint is paused. What comes is kept for it.", &page_of(endpoint.id)).await
}

pub(super) async fn resume(
    State(pages): State<EndpointPages>,
    session: Session,
    Own { member, endpoint }: Own,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    pages.forwarding.resume(&member.user, member.customer, endpoint.id).await?;
    done(&session, "The endpoint is called again. What waits for it is sent now.", &page_of(endpoint.id)).await
}

#[derive(Template, WebTemplate)]
#[template(path = "forwarding/delete.html")]
pub(super) struct DeletePage {
    chrome: Chrome,
    id: String,
    name: String,
    target: String,
    waiting: i64,
}

pub(super) async fn ask_delete(
    State(pages): State<EndpointPages>,
    chrome: Chrome,
    Own { endpoint, .. }: Own,
) -> Result<DeletePage> {
    let waiting = pages.forwarding.pending(endpoint.id).await?;
    let target = endpoint_view::target(&endpoint);
    Ok(DeletePage { chrome, id: endpoint.id.to_string(), name: endpoint.name, target, waiting })
}

pub(super) async fn delete(
    State(pages): State<EndpointPages>,
    session: Session,
    Own { member, endpoint }: Own,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    pages.forwarding.delete(&member.user, member.customer, endpoint.id).await?;
    done(&session, &format!("The endpoint {} is deleted.", endpoint.name), "/settings/endpoints").await
}
