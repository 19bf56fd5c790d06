//! `/settings/endpoints`: all endpoints of a customer.

use super::{
    endpoint_view::{format_name, state, target},
    page_queries,
    pages::EndpointPages,
};
use crate::{
    accounts::Member,
    base::{clock, ids::CustomerId},
    web::{Badge, Chrome, Result, when::When},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::extract::State;

/// An endpoint in a list.
pub(super) struct EndpointLine {
    pub id: String,
    pub name: String,
    pub format: &'static str,
    pub target: String,
    pub badge: Badge,
    pub is_active: bool,
    pub success: Option<When>,
    pub failure: Option<When>,
    /// Of the last 24 hours.
    pub delivered: i64,
    pub failed: i64,
    pub waiting: i64,
}

/// A customer's endpoints as lists show them.
pub(super) async fn lines(pages: &EndpointPages, customer: CustomerId) -> Result<Vec<EndpointLine>> {
    let forwarding = &pages.forwarding;
    let all = forwarding.endpoints(customer).await?;
    let now = forwarding.clock.now();
    let mut db = forwarding.store.read().await?;
    let minute = clock::to_ms(now) / 60_000 - 24 * 60;
    let day = page_queries::since(&mut db, customer, minute).await?;
    let mut lines = Vec::new();
    for endpoint in all {
        let last = page_queries::last(&mut db, endpoint.id).await?;
        let waiting = super::queries::pending(&mut db, endpoint.id).await?;
        let (delivered, failed) = day.get(&endpoint.id).copied().unwrap_or_default();
        lines.push(EndpointLine {
            id: endpoint.id.to_string(),
            format: format_name(endpoint.format),
            target: target(&endpoint),
            badge: state(&endpoint),
            is_active: endpoint.state == super::EndpointState::Active,
            success: last.success.map(|at| When::new(at, now)),
            failure: last.failure.map(|at| When::new(at, now)),
            delivered,
            failed,
            waiting,
            name: endpoint.name,
        });
    }
    Ok(lines)
}

#[derive(Template, WebTemplate)]
#[template(path = "forwarding/list.html")]
pub(super) struct ListPage {
    chrome: Chrome,
    endpoints: Vec<EndpointLine>,
}

pub(super) async fn list(State(pages): State<EndpointPages>, chrome: Chrome, member: Member) -> Result<ListPage> {
    Ok(ListPage { chrome, endpoints: lines(&pages, member.customer).await? })
}
