//! Adding a number to an account: then it is proven by code, and registered.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/solution-providers/registering-phone-numbers>

use super::{
    numbers::AskError,
    pages::{NumberPages, refusal},
};
use crate::{
    accounts::{Member, audit},
    base::{
        ids::{ConnectionId, PhoneNumberId, WabaId},
        phone,
    },
    graph::Held,
    web::{Chrome, Error, Form, Result, page},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use tower_sessions::Session;

/// What is chosen and typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AddForm {
    waba: String,
    number: String,
    name: String,
}

#[derive(Template, WebTemplate)]
#[template(path = "phone_numbers/add.html")]
struct AddPage {
    chrome: Chrome,
    connection: String,
    connection_name: String,
    wabas: Vec<String>,
    form: AddForm,
    number_error: Option<&'static str>,
    name_error: Option<&'static str>,
    error: Option<String>,
    inactive: bool,
}

impl AddPage {
    fn has_error(&self) -> bool {
        self.number_error.is_some() || self.name_error.is_some() || self.error.is_some()
    }
}

fn view(chrome: Chrome, held: &Held, mut form: AddForm) -> AddPage {
    let wabas: Vec<String> = held.wabas.iter().map(ToString::to_string).collect();
    if !wabas.contains(&form.waba) {
        form.waba = wabas.first().cloned().unwrap_or_default();
    }
    AddPage {
        chrome,
        connection: held.connection.to_string(),
        connection_name: held.name.clone(),
        wabas,
        form,
        number_error: None,
        name_error: None,
        error: None,
        inactive: !held.is_active,
    }
}

async fn held(pages: &NumberPages, member: &Member, id: &str) -> Result<Held> {
    let connection: ConnectionId = id.parse().map_err(|_| Error::NotFound)?;
    pages.numbers.held(member.customer, connection).await
}

pub(super) async fn form(
    State(pages): State<NumberPages>,
    chrome: Chrome,
    member: Member,
    Path(id): Path<String>,
    Query(form): Query<AddForm>,
) -> Result<Response> {
    let held = held(&pages, &member, &id).await?;
    Ok(view(chrome, &held, form).into_response())
}

pub(super) async fn add(
    State(pages): State<NumberPages>,
    chrome: Chrome,
    session: Session,
    member: Member,
    Path(id): Path<String>,
    Form(form): Form<AddForm>,
) -> Result<Response> {
    let held = held(&pages, &member, &id).await?;
    let waba = held.wabas.iter().find(|waba| waba.as_str() == form.waba).cloned();
    let mut page = view(chrome, &held, form.clone());
    let number = Some(form.number.trim()).filter(|number| number.starts_with('+')).and_then(phone::with_country);
    if number.is_none() {
        page.number_error = Some("Enter the number with + and its country code, such as +1 650 253 0000.");
    }
    let name = form.name.trim();
    if !(2..=75).contains(&name.chars().count()) {
        page.name_error = Some("Enter a name of 2 to 75 characters.");
    }
    if let (Some((code, number)), None, Some(waba)) = (number, page.name_error, waba) {
        match pages.numbers.add(&member, &held, &waba, (&code, &number), name).await {
            Ok(id) => {
                page::flash(&session, "The number is added. Now confirm that it is yours.").await?;
                let address = format!("/connections/{}/numbers/{id}/verify", held.connection);
                return Ok(Redirect::to(&address).into_response());
            }
            Err(error) => page.error = Some(refusal(error)?),
        }
    }
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

impl super::PhoneNumbers {
    async fn add(
        &self,
        member: &Member,
        held: &Held,
        waba: &WabaId,
        (code, number): (&str, &str),
        name: &str,
    ) -> std::result::Result<PhoneNumberId, AskError> {
        let line = self.lines.line(held.connection).await?;
        let id = self.asked(&line, line.graph.add_number(&line.access, waba, code, number, name).await).await?;
        let numbers = self.asked(&line, line.graph.phone_numbers(&line.access, waba).await).await?;
        let mut tx = self.store.write().await?;
        super::replace(&mut tx, waba, &numbers, self.now()).await?;
        let entry = audit::Entry {
            actor: Some(member.user.id),
            customer: Some(member.customer),
            action: "number.added",
            subject: Some(id.as_str()),
            detail: None,
        };
        audit::record(&mut tx, &self.clock, entry).await?;
        tx.commit().await?;
        Ok(id)
    }
}
