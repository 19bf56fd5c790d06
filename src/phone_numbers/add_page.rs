//! Adding a number to an account: then it is proven by code, and registered.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/solution-providers/registering-phone-numbers>

use super::{
    numbers::AskError,
    pages::{NumberPages, refusal},
};
use crate::{
    accounts::{self, Member, audit},
    base::{
        ids::{ConnectionId, PhoneNumberId, WabaId},
        phone,
    },
    graph::{GraphError, Held},
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
    number_error: Option<String>,
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
    // 00 in front stands for + in most countries.
    let typed = form.number.trim();
    let typed = typed.strip_prefix("00").map_or_else(|| typed.to_owned(), |rest| format!("+{rest}"));
    let number = Some(typed.as_str()).filter(|number| number.starts_with('+')).and_then(phone::with_country);
    if number.is_none() {
        page.number_error = Some("Enter the number with + and its country code, such as +1 650 253 0000.".to_owned());
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
            Err(AskError::Graph(error)) if is_there_already(&error) => {
                let own = pages.numbers.has(&held, &typed).await?;
                page.number_error = Some(match own {
                    true => "This number is in your account already: choose it on the connection’s page.".to_owned(),
                    false => {
                        "This number is in a WhatsApp account already. Remove it there first, or connect that account."
                            .to_owned()
                    }
                });
            }
            Err(error) => page.error = Some(refusal(error)?),
        }
    }
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

/// Meta has no code of its own for it.
fn is_there_already(error: &GraphError) -> bool {
    let said = error.api().map(|api| format!("{} {}", api.message, api.user_message.as_deref().unwrap_or_default()));
    said.is_some_and(|said| said.to_lowercase().contains("already exists"))
}

impl super::PhoneNumbers {
    /// Whether a connection has a number, however it is written.
    async fn has(&self, held: &Held, number: &str) -> Result<bool> {
        let wanted = phone::e164(number);
        let mut db = self.store.read().await?;
        for waba in &held.wabas {
            let known = super::list(&mut db, waba).await?;
            if known.iter().any(|known| wanted.is_some() && phone::e164(&known.display) == wanted) {
                return Ok(true);
            }
        }
        Ok(false)
    }

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
        accounts::lock_customer(&mut tx, member.customer).await?;
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
