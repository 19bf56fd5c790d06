//! Creating a customer, and changing what is known of its business.

use super::{Backoffice, customer};
use crate::{
    accounts::{BusinessDetails, Customer, DetailsForm, MAX_CUSTOMER_NAME_CHARS, Staff, check_customer_name},
    web::{Access, Chrome, Error, Form, Result, Routes, page},
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
        .get(Access::Staff, "/backoffice/customers/new", ask)
        .post(Access::Staff, "/backoffice/customers/new", create)
        .get(Access::Staff, "/backoffice/customers/{id}/details", details_page)
        .post(Access::Staff, "/backoffice/customers/{id}/details", save_details)
}

#[derive(Template, WebTemplate)]
#[template(path = "backoffice/customer_new.html")]
struct NewPage {
    chrome: Chrome,
    name: String,
    name_error: Option<&'static str>,
    /// Who has this name already, in the eyes of whoever types it for the first time.
    same: Vec<(String, String)>,
    max_chars: usize,
    details: DetailsForm,
}

impl NewPage {
    fn new(chrome: Chrome) -> Self {
        let (name, details) = (String::new(), DetailsForm::default());
        Self { chrome, name, name_error: None, same: Vec::new(), max_chars: MAX_CUSTOMER_NAME_CHARS, details }
    }

    /// Whether the business's details stand open.
    fn is_open(&self) -> bool {
        !self.details.values.is_empty() || !self.details.faults.is_empty()
    }
}

async fn ask(chrome: Chrome, _: Staff) -> NewPage {
    NewPage::new(chrome)
}

#[derive(Deserialize)]
struct NewForm {
    #[serde(default)]
    name: String,
    /// The name for which was said that others have it.
    #[serde(default)]
    same: String,
    #[serde(flatten)]
    details: BusinessDetails,
}

async fn create(
    State(backoffice): State<Backoffice>,
    chrome: Chrome,
    session: Session,
    Staff(user): Staff,
    Form(form): Form<NewForm>,
) -> Result<Response> {
    let mut page = NewPage { name: form.name.clone(), ..NewPage::new(chrome) };
    page.details = DetailsForm::of(form.details.clone());
    let details = match form.details.checked() {
        Ok(details) => Some(details),
        Err(faults) => {
            page.details.faults = faults;
            None
        }
    };
    let name = check_customer_name(&form.name);
    page.name_error = name.err();
    let (Ok(name), Some(details)) = (name, details) else {
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    };
    if form.same != name {
        page.same = links(backoffice.accounts.customers_named(name).await?);
        if !page.same.is_empty() {
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
    }
    let id = backoffice.accounts.create_customer(&user, name).await?;
    if !details.is_empty() {
        backoffice.accounts.set_details(&user, id, &details).await?;
    }
    page::flash(&session, &format!("{name} is created. Invite somebody of theirs next.")).await?;
    Ok(Redirect::to(&format!("/backoffice/customers/{id}")).into_response())
}

fn links(customers: Vec<Customer>) -> Vec<(String, String)> {
    customers.into_iter().map(|one| (format!("/backoffice/customers/{}", one.id), one.name)).collect()
}

#[derive(Template, WebTemplate)]
#[template(path = "backoffice/customer_details.html")]
struct DetailsPage {
    chrome: Chrome,
    id: String,
    name: String,
    details: DetailsForm,
}

async fn details_page(
    State(backoffice): State<Backoffice>,
    chrome: Chrome,
    _: Staff,
    Path(id): Path<String>,
) -> Result<DetailsPage> {
    let found = customer::find(&backoffice, &id).await?;
    let details = backoffice.accounts.details(found.id).await?.ok_or(Error::NotFound)?;
    Ok(DetailsPage { chrome, id: found.id.to_string(), name: found.name, details: DetailsForm::of(details) })
}

async fn save_details(
    State(backoffice): State<Backoffice>,
    chrome: Chrome,
    session: Session,
    Staff(user): Staff,
    Path(id): Path<String>,
    Form(typed): Form<BusinessDetails>,
) -> Result<Response> {
    let found = customer::find(&backoffice, &id).await?;
    match typed.clone().checked() {
        Ok(details) => {
            backoffice.accounts.set_details(&user, found.id, &details).await?;
            page::flash(&session, "The business’s details are saved.").await?;
            Ok(Redirect::to(&format!("/backoffice/customers/{}", found.id)).into_response())
        }
        Err(faults) => {
            let details = DetailsForm { values: typed, faults };
            let page = DetailsPage { chrome, id: found.id.to_string(), name: found.name, details };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}
