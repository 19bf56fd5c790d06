//! A customer's endpoints, for staff: how they do; pausing and resuming them.

use super::{
    endpoint::EndpointState,
    endpoint_list::{EndpointLine, lines},
    pages::{EndpointPages, parse},
};
use crate::{
    accounts::{Customer, Staff},
    base::ids::CustomerId,
    web::{Chrome, Error, Form, NoFields, Result, page},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{Path, State},
    response::Redirect,
};
use tower_sessions::Session;

#[derive(Template, WebTemplate)]
#[template(path = "forwarding/staff.html")]
pub(super) struct StaffPage {
    chrome: Chrome,
    id: String,
    name: String,
    endpoints: Vec<EndpointLine>,
}

async fn find(pages: &EndpointPages, id: &str) -> Result<Customer> {
    let id: CustomerId = id.parse().map_err(|_| Error::NotFound)?;
    pages.accounts.customer(id).await?.ok_or(Error::NotFound)
}

pub(super) async fn list(
    State(pages): State<EndpointPages>,
    chrome: Chrome,
    _: Staff,
    Path(id): Path<String>,
) -> Result<StaffPage> {
    let customer = find(&pages, &id).await?;
    let endpoints = lines(&pages, customer.id).await?;
    Ok(StaffPage { chrome, id: customer.id.to_string(), name: customer.name, endpoints })
}

/// An address that only takes a form leads back.
pub(super) async fn back(
    State(pages): State<EndpointPages>,
    _: Staff,
    Path((id, _)): Path<(String, String)>,
) -> Result<Redirect> {
    Ok(Redirect::to(&format!("/support/customers/{}/endpoints", find(&pages, &id).await?.id)))
}

pub(super) async fn pause(
    State(pages): State<EndpointPages>,
    session: Session,
    Staff(user): Staff,
    Path((id, endpoint)): Path<(String, String)>,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    let customer = find(&pages, &id).await?;
    let endpoint = pages.forwarding.endpoint(customer.id, parse(&endpoint)?).await?;
    if endpoint.state == EndpointState::Active {
        pages.forwarding.pause(&user, customer.id, endpoint.id).await?;
        page::flash(&session, &format!("{} is paused. What comes is kept for it.", endpoint.name)).await?;
    }
    Ok(Redirect::to(&format!("/support/customers/{}/endpoints", customer.id)))
}

pub(super) async fn resume(
    State(pages): State<EndpointPages>,
    session: Session,
    Staff(user): Staff,
    Path((id, endpoint)): Path<(String, String)>,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    let customer = find(&pages, &id).await?;
    let endpoint = pages.forwarding.endpoint(customer.id, parse(&endpoint)?).await?;
    pages.forwarding.resume(&user, customer.id, endpoint.id).await?;
    page::flash(&session, &format!("{} is called again.", endpoint.name)).await?;
    Ok(Redirect::to(&format!("/support/customers/{}/endpoints", customer.id)))
}
