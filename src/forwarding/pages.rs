//! What the pages of endpoints share, and their routes.

use super::{
    endpoint::Endpoint, endpoint_list, endpoint_page, endpoint_save, endpoint_secret, endpoint_watch, formats_page,
    handshake, receiver, receiver_page, receiver_writer::Writer, service::Forwarding, staff_pages,
};
use crate::{
    accounts::{Accounts, Member},
    base::{
        http::{Outbound, Reach},
        ids::EndpointId,
    },
    connections::Connections,
    web::{Access, Error, Result, Routes, page},
    webhooks::Webhooks,
};
use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
    response::Redirect,
};
use tower_sessions::Session;

/// What the pages draw on.
#[derive(Clone)]
pub struct EndpointPages {
    /// Endpoints and deliveries.
    pub forwarding: Forwarding,
    /// The accounts and numbers to choose from.
    pub connections: Connections,
    /// What deliveries tell.
    pub webhooks: Webhooks,
    /// Companies, for staff.
    pub accounts: Accounts,
    pub(super) asks: Outbound,
    pub(super) received: Writer,
}

impl EndpointPages {
    /// Of these parts.
    #[must_use]
    pub fn new(forwarding: Forwarding, connections: Connections, webhooks: Webhooks, accounts: Accounts) -> Self {
        let reach = if forwarding.allows_private() { Reach::Operator } else { Reach::Public };
        let asks = Outbound::new(reach, handshake::TIMEOUT);
        let received = Writer::new(forwarding.store.clone());
        Self { forwarding, connections, webhooks, accounts, asks, received }
    }
}

/// The pages of endpoints.
pub fn endpoint_routes(pages: EndpointPages) -> Routes {
    Routes::new()
        .get(Access::Member, "/settings/endpoints", endpoint_list::list)
        .get(Access::Member, "/settings/endpoints/new", endpoint_save::new)
        .post(Access::Member, "/settings/endpoints/new", endpoint_save::create)
        .get(Access::Member, "/settings/endpoints/formats", formats_page::show)
        .get(Access::Member, "/settings/endpoints/{endpoint}", endpoint_page::show)
        .get(Access::Member, "/settings/endpoints/{endpoint}/edit", endpoint_save::edit)
        .post(Access::Member, "/settings/endpoints/{endpoint}/edit", endpoint_save::update)
        .get(Access::Member, "/settings/endpoints/{endpoint}/pause", back)
        .post(Access::Member, "/settings/endpoints/{endpoint}/pause", endpoint_page::pause)
        .get(Access::Member, "/settings/endpoints/{endpoint}/resume", back)
        .post(Access::Member, "/settings/endpoints/{endpoint}/resume", endpoint_page::resume)
        .get(Access::Member, "/settings/endpoints/{endpoint}/test", back)
        .post(Access::Member, "/settings/endpoints/{endpoint}/test", endpoint_page::test)
        .get(Access::Member, "/settings/endpoints/{endpoint}/secret", back)
        .post(Access::Member, "/settings/endpoints/{endpoint}/secret", endpoint_secret::reveal)
        .get(Access::Member, "/settings/endpoints/{endpoint}/rotate", endpoint_secret::ask_rotate)
        .post(Access::Member, "/settings/endpoints/{endpoint}/rotate", endpoint_secret::rotate)
        .get(Access::Member, "/settings/endpoints/{endpoint}/end-overlap", back)
        .post(Access::Member, "/settings/endpoints/{endpoint}/end-overlap", endpoint_secret::end_overlap)
        .get(Access::Member, "/settings/endpoints/{endpoint}/delete", endpoint_page::ask_delete)
        .post(Access::Member, "/settings/endpoints/{endpoint}/delete", endpoint_page::delete)
        .get(Access::Member, "/settings/endpoints/{endpoint}/received", receiver_page::show)
        .post(Access::Member, "/settings/endpoints/{endpoint}/received", receiver_page::switch)
        .get(Access::Member, "/settings/endpoints/{endpoint}/received/forget", receiver_page::back)
        .post(Access::Member, "/settings/endpoints/{endpoint}/received/forget", receiver_page::forget)
        .get(Access::Staff, "/support/customers/{id}/endpoints", staff_pages::list)
        .get(Access::Staff, "/support/customers/{id}/endpoints/{endpoint}/pause", staff_pages::back)
        .post(Access::Staff, "/support/customers/{id}/endpoints/{endpoint}/pause", staff_pages::pause)
        .get(Access::Staff, "/support/customers/{id}/endpoints/{endpoint}/resume", staff_pages::back)
        .post(Access::Staff, "/support/customers/{id}/endpoints/{endpoint}/resume", staff_pages::resume)
        .with_state(pages)
}

/// What the pages' script listens to.
pub fn endpoint_api_routes(pages: EndpointPages) -> Routes {
    Routes::new().get(Access::Member, "/settings/endpoints/{endpoint}/stream", endpoint_watch::watch).with_state(pages)
}

/// What the dispatcher calls.
pub fn machine_routes(pages: EndpointPages) -> Routes {
    receiver::routes(pages)
}

/// An endpoint's ID in a path.
pub(super) fn parse(id: &str) -> Result<EndpointId> {
    id.parse().map_err(|_| Error::NotFound)
}

/// Where an endpoint's page is.
pub(super) fn page_of(id: EndpointId) -> String {
    format!("/settings/endpoints/{id}")
}

/// The member's endpoint that the path names, and the member.
pub(super) struct Own {
    pub member: Member,
    pub endpoint: Endpoint,
}

impl FromRequestParts<EndpointPages> for Own {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, pages: &EndpointPages) -> Result<Self> {
        let member = Member::from_request_parts(parts, pages).await?;
        let Path(id) = Path::<String>::from_request_parts(parts, pages).await.map_err(|_| Error::NotFound)?;
        let endpoint = find(pages, &member, &id).await?;
        Ok(Self { member, endpoint })
    }
}

/// Says on the next page that something is done, and leads there.
pub(super) async fn done(session: &Session, words: &str, address: &str) -> Result<Redirect> {
    page::flash(session, words).await?;
    Ok(Redirect::to(address))
}

/// The member's endpoint that the path names.
pub(super) async fn find(pages: &EndpointPages, member: &Member, id: &str) -> Result<Endpoint> {
    Ok(pages.forwarding.endpoint(member.customer, parse(id)?).await?)
}

/// An address that only takes a form leads back to the endpoint's page.
async fn back(Path(id): Path<String>) -> Result<Redirect> {
    Ok(Redirect::to(&page_of(parse(&id)?)))
}
