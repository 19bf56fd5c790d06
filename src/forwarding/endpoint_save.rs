//! Making and changing an endpoint.

use super::{
    endpoint::{Endpoint, Format},
    endpoint_form::{self, Choices, EndpointForm, Faults},
    endpoint_view::{format_hint, format_name},
    handshake::handshake,
    pages::{EndpointPages, find, page_of},
    service::NewEndpoint,
};
use crate::{
    accounts::Member,
    web::{Chrome, Form, Result, page},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use tower_sessions::Session;

/// A format to choose.
struct FormatChoice {
    value: &'static str,
    name: &'static str,
    hint: &'static str,
    checked: bool,
}

#[derive(Template, WebTemplate)]
#[template(path = "forwarding/form.html")]
struct FormPage {
    chrome: Chrome,
    /// The endpoint that is changed.
    id: Option<String>,
    /// Its name.
    name: String,
    form: EndpointForm,
    faults: Faults,
    choices: Choices,
    formats: Vec<FormatChoice>,
    /// Whether it answers Meta's handshake, or may.
    asks_word: bool,
    knows_word: bool,
    private: bool,
}

impl FormPage {
    fn fault(&self, field: &str) -> Option<&str> {
        self.faults.get(field).map(String::as_str)
    }
}

fn form_page(
    pages: &EndpointPages,
    chrome: Chrome,
    form: EndpointForm,
    choices: Choices,
    faults: Faults,
    before: Option<&Endpoint>,
) -> FormPage {
    let formats = Format::ALL.iter().map(|format| FormatChoice {
        value: format.as_str(),
        name: format_name(*format),
        hint: format_hint(*format),
        checked: form.format == format.as_str(),
    });
    FormPage {
        chrome,
        id: before.map(|before| before.id.to_string()),
        name: before.map(|before| before.name.clone()).unwrap_or_default(),
        formats: formats.collect(),
        asks_word: before.is_none_or(|before| before.format == Format::Meta),
        knows_word: before.is_some_and(|before| before.verify_token.is_some()),
        private: pages.forwarding.allows_private(),
        form,
        faults,
        choices,
    }
}

pub(super) async fn new(State(pages): State<EndpointPages>, chrome: Chrome, member: Member) -> Result<Response> {
    let form = EndpointForm::empty();
    let choices = form.choices(&pages.connections.list(member.customer).await?);
    Ok(form_page(&pages, chrome, form, choices, Faults::new(), None).into_response())
}

/// The checks that need more than the form: the address, and Meta's handshake with it.
async fn try_out(
    pages: &EndpointPages,
    new: &NewEndpoint,
    before: Option<&Endpoint>,
) -> std::result::Result<(), Faults> {
    let Some(url) = &new.url else { return Ok(()) };
    let wrong = |text: String| Faults::from([("url", text)]);
    pages.forwarding.check_url(url).map_err(|error| wrong(error.to_string()))?;
    if endpoint_form::asks_handshake(new, before)
        && let Some(word) = endpoint_form::word(new, before)
    {
        handshake(&pages.asks, url, word).await.map_err(wrong)?;
    }
    Ok(())
}

pub(super) async fn create(
    State(pages): State<EndpointPages>,
    chrome: Chrome,
    session: Session,
    member: Member,
    Form(form): Form<EndpointForm>,
) -> Result<Response> {
    let choices = form.choices(&pages.connections.list(member.customer).await?);
    let faults = match form.read(member.customer, &choices, None) {
        Err(faults) => faults,
        Ok(new) => match try_out(&pages, &new, None).await {
            Err(faults) => faults,
            Ok(()) => match pages.forwarding.create(&member.user, new).await {
                Ok(id) => {
                    page::flash(
                        &session,
                        "The endpoint is made. Put its secret on your server, then send a test event.",
                    )
                    .await?;
                    return Ok(Redirect::to(&page_of(id)).into_response());
                }
                Err(error) => endpoint_form::fault(error)?,
            },
        },
    };
    let page = form_page(&pages, chrome, form, choices, faults, None);
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

pub(super) async fn edit(
    State(pages): State<EndpointPages>,
    chrome: Chrome,
    member: Member,
    Path(id): Path<String>,
) -> Result<Response> {
    let before = find(&pages, &member, &id).await?;
    let form = EndpointForm::of(&before);
    let choices = form.choices(&pages.connections.list(member.customer).await?);
    Ok(form_page(&pages, chrome, form, choices, Faults::new(), Some(&before)).into_response())
}

pub(super) async fn update(
    State(pages): State<EndpointPages>,
    chrome: Chrome,
    session: Session,
    member: Member,
    Path(id): Path<String>,
    Form(form): Form<EndpointForm>,
) -> Result<Response> {
    let before = find(&pages, &member, &id).await?;
    // What is not connected any more may stay, but nobody adds to it what is not theirs.
    let mut there = EndpointForm::of(&before).choices(&pages.connections.list(member.customer).await?);
    form.mark(&mut there);
    let faults = match form.read(member.customer, &there, Some(&before)) {
        Err(faults) => faults,
        Ok(new) => match try_out(&pages, &new, Some(&before)).await {
            Err(faults) => faults,
            Ok(()) => match pages.forwarding.update(&member.user, before.id, new).await {
                Ok(()) => {
                    page::flash(&session, "The endpoint is saved.").await?;
                    return Ok(Redirect::to(&page_of(before.id)).into_response());
                }
                Err(error) => endpoint_form::fault(error)?,
            },
        },
    };
    let page = form_page(&pages, chrome, form, there, faults, Some(&before));
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}
