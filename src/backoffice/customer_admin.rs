//! What only admins do with a customer: suspend it, hand out what is stored, delete it.

use super::{Backoffice, customer};
use crate::{
    accounts::{Admin, Customer, CustomerState},
    web::{Access, Chrome, Form, NoFields, Result, Routes, page},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use tower_sessions::Session;

pub(super) fn routes() -> Routes<Backoffice> {
    Routes::new()
        .get(Access::Admin, "/backoffice/customers/{id}/suspend", customer::back)
        .post(Access::Admin, "/backoffice/customers/{id}/suspend", suspend)
        .get(Access::Admin, "/backoffice/customers/{id}/unsuspend", customer::back)
        .post(Access::Admin, "/backoffice/customers/{id}/unsuspend", unsuspend)
        .get(Access::Admin, "/backoffice/customers/{id}/export", customer::back)
        .post(Access::Admin, "/backoffice/customers/{id}/export", export)
        .get(Access::Admin, "/backoffice/customers/{id}/delete", ask_delete)
        .post(Access::Admin, "/backoffice/customers/{id}/delete", delete)
}

fn to(customer: &Customer) -> Redirect {
    Redirect::to(&format!("/backoffice/customers/{}", customer.id))
}

async fn suspend(
    State(backoffice): State<Backoffice>,
    session: Session,
    Admin(user): Admin,
    Path(id): Path<String>,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    let customer = customer::find(&backoffice, &id).await?;
    // A second click finds it suspended already, which is what was wanted.
    if backoffice.accounts.suspend_customer(&user, customer.id).await? {
        page::flash(&session, &format!("{} is suspended: nobody of theirs can sign in.", customer.name)).await?;
    }
    Ok(to(&customer))
}

async fn unsuspend(
    State(backoffice): State<Backoffice>,
    session: Session,
    Admin(user): Admin,
    Path(id): Path<String>,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    let customer = customer::find(&backoffice, &id).await?;
    if backoffice.unsuspend(&user, customer.id).await? {
        page::flash(&session, &format!("{} is let in again.", customer.name)).await?;
    }
    Ok(to(&customer))
}

async fn export(
    State(backoffice): State<Backoffice>,
    Admin(user): Admin,
    Path(id): Path<String>,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Response> {
    let customer = customer::find(&backoffice, &id).await?;
    backoffice.export(&user, customer.id).await
}

#[derive(Template, WebTemplate)]
#[template(path = "backoffice/customer_delete.html")]
struct DeletePage {
    chrome: Chrome,
    id: String,
    name: String,
    typed: String,
    error: Option<&'static str>,
    members: usize,
    connections: Vec<String>,
    numbers: usize,
}

async fn delete_page(backoffice: &Backoffice, chrome: Chrome, customer: Customer) -> Result<DeletePage> {
    let members = backoffice.accounts.members(customer.id).await?.len();
    let connections = backoffice.connections.list(customer.id).await?;
    Ok(DeletePage {
        chrome,
        id: customer.id.to_string(),
        name: customer.name,
        typed: String::new(),
        error: None,
        members,
        numbers: connections.iter().flat_map(|one| &one.wabas).map(|(_, numbers)| numbers.len()).sum(),
        connections: connections.into_iter().map(|one| one.connection.name).collect(),
    })
}

async fn ask_delete(
    State(backoffice): State<Backoffice>,
    chrome: Chrome,
    _: Admin,
    Path(id): Path<String>,
) -> Result<Response> {
    let customer = customer::find(&backoffice, &id).await?;
    if customer.state == CustomerState::Deleting {
        return Ok(to(&customer).into_response());
    }
    Ok(delete_page(&backoffice, chrome, customer).await?.into_response())
}

#[derive(Deserialize)]
struct DeleteForm {
    #[serde(default)]
    name: String,
}

async fn delete(
    State(backoffice): State<Backoffice>,
    chrome: Chrome,
    session: Session,
    Admin(user): Admin,
    Path(id): Path<String>,
    Form(form): Form<DeleteForm>,
) -> Result<Response> {
    let customer = customer::find(&backoffice, &id).await?;
    // Space at the ends and between words is not what the question is about.
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    if plain(&form.name) != plain(&customer.name) {
        let mut page = delete_page(&backoffice, chrome, customer).await?;
        page.typed = form.name;
        page.error = Some("This is not the company’s name. Type it as it stands above.");
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    if backoffice.begin_deletion(&user, customer.id).await? {
        page::flash(&session, &format!("{} is being deleted.", customer.name)).await?;
    }
    Ok(to(&customer).into_response())
}
