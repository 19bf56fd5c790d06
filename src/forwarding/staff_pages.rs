//! A customer's endpoints, for staff: how they do; pausing and resuming them.

use super::{
    endpoint::{Endpoint, EndpointState},
    endpoint_list::{EndpointLine, lines},
    pages::{EndpointPages, done, parse},
};
use crate::{
    accounts::{Customer, Staff},
    base::ids::CustomerId,
    web::{Chrome, Error, Form, NoFields, Result},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{FromRequestParts, Path, State},
    http::request::Parts,
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

fn address(of: &Customer) -> String {
    format!("/support/customers/{}/endpoints", of.id)
}

/// An address that only takes a form leads back.
pub(super) async fn back(
    State(pages): State<EndpointPages>,
    _: Staff,
    Path((id, _)): Path<(String, String)>,
) -> Result<Redirect> {
    Ok(Redirect::to(&address(&find(&pages, &id).await?)))
}

/// The customer's endpoint that the path names.
pub(super) struct Theirs {
    customer: Customer,
    endpoint: Endpoint,
}

impl FromRequestParts<EndpointPages> for Theirs {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, pages: &EndpointPages) -> Result<Self> {
        // Others are not to learn what is there.
        Staff::from_request_parts(parts, pages).await?;
        let path = Path::<(String, String)>::from_request_parts(parts, pages).await;
        let Path((id, endpoint)) = path.map_err(|_| Error::NotFound)?;
        let customer = find(pages, &id).await?;
        let endpoint = pages.forwarding.endpoint(customer.id, parse(&endpoint)?).await?;
        Ok(Self { customer, endpoint })
    }
}

pub(super) async fn pause(
    State(pages): State<EndpointPages>,
    session: Session,
    Staff(user): Staff,
    Theirs { customer, endpoint }: Theirs,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    if endpoint.state != EndpointState::Active {
        return Ok(Redirect::to(&address(&customer)));
    }
    pages.forwarding.pause(&user, customer.id, endpoint.id).await?;
    let words = format!("{} is paused. What comes is kept for it.", endpoint.name);
    done(&session, &words, &address(&customer)).await
}

pub(super) async fn resume(
    State(pages): State<EndpointPages>,
    session: Session,
    Staff(user): Staff,
    Theirs { customer, endpoint }: Theirs,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    pages.forwarding.resume(&user, customer.id, endpoint.id).await?;
    done(&session, &format!("{} is called again.", endpoint.name), &address(&customer)).await
}
