//! A number's PIN: shown to whoever proves who they are, and changed at Meta.

use super::{
    chart,
    file::{PinState, Task, is_pin},
    numbers::{AskError, Found},
    pages::{Head, NumberPages, Own, done, page_of, refusal},
    pins,
    register::WithPin,
};
use crate::{
    accounts::{AccountError, Member},
    graph::ErrorClass,
    web::{Chrome, Form, Result, when::When},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tower_sessions::Session;

#[derive(Template, WebTemplate)]
#[template(path = "phone_numbers/pin.html")]
struct PinPage {
    chrome: Chrome,
    head: Head,
    /// `none`, `kept`, `sent`, `right`, `stale`.
    state: &'static str,
    is_made: bool,
    since: Option<When>,
    /// Meta did not answer when it was changed: it may have the one from before.
    may_be_before: bool,
    /// The six digits, on the page that shows them; the last first.
    shown: Vec<String>,
    password_error: Option<String>,
    pin_error: Option<String>,
    is_shared: bool,
    inactive: bool,
    email: String,
}

async fn view(pages: &NumberPages, chrome: Chrome, own: &Own) -> Result<PinPage> {
    let found = &own.found;
    let kept = pages.numbers.kept(&found.file, chart::BACK).await?;
    let pin = kept.pin;
    Ok(PinPage {
        chrome,
        head: Head::new(found),
        state: pin.as_ref().map_or("none", |pin| pin.state.as_str()),
        is_made: pin.as_ref().is_some_and(|pin| pin.is_made),
        since: pin.as_ref().map(|pin| When::new(pin.changed_at, pages.numbers.now())),
        may_be_before: kept.candidates.len() > 1,
        shown: Vec::new(),
        password_error: None,
        pin_error: None,
        is_shared: found.number.is_on_biz_app == Some(true),
        inactive: !found.held.is_active,
        email: own.member.user.email.to_string(),
    })
}

pub(super) async fn show(State(pages): State<NumberPages>, chrome: Chrome, own: Own) -> Result<Response> {
    Ok(view(&pages, chrome, &own).await?.into_response())
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct PasswordForm {
    password: String,
}

/// Shows the PIN on this page, this once: no copy of it is kept on the way.
pub(super) async fn reveal(
    State(pages): State<NumberPages>,
    chrome: Chrome,
    own: Own,
    Form(form): Form<PasswordForm>,
) -> Result<Response> {
    let mut page = view(&pages, chrome, &own).await?;
    let status = match pages.accounts.authenticate(own.member.user.email.as_str(), form.password.into()).await {
        Ok(_) => {
            page.shown = pages.numbers.reveal(&own.member, &own.found).await?;
            StatusCode::OK
        }
        Err(AccountError::WrongPassword) => {
            page.password_error = Some("This is not your password.".to_owned());
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Err(AccountError::TooMany(wait)) => {
            page.password_error = Some(format!("Too many tries. Wait {}, then try again.", wait.wait));
            StatusCode::TOO_MANY_REQUESTS
        }
        Err(other) => return Err(other.into()),
    };
    Ok((status, [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], page).into_response())
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ChangeForm {
    /// `made` or `typed`.
    how: String,
    pin: String,
    /// `register`: the number is registered with it; `wait`: that is done later.
    then: String,
    /// `again`: although it is registered.
    task: String,
}

/// Sets another PIN at Meta.
pub(super) async fn change(
    State(pages): State<NumberPages>,
    chrome: Chrome,
    session: Session,
    own: Own,
    Form(form): Form<ChangeForm>,
) -> Result<Response> {
    let typed: String = form.pin.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let is_made = form.how != "typed";
    let wrong = match () {
        () if own.found.number.is_on_biz_app == Some(true) => {
            Some("The PIN of this number is set in the WhatsApp Business app.".to_owned())
        }
        () if !is_made && !is_pin(&typed) => Some("A PIN has six digits.".to_owned()),
        () => {
            let pin = if is_made { pins::make() } else { SecretString::from(typed) };
            match pages.numbers.set_pin(&own.member, &own.found, &pin, is_made).await {
                Ok(()) => None,
                Err(error) => Some(refusal(error)?),
            }
        }
    };
    if let Some(text) = wrong {
        let mut page = view(&pages, chrome, &own).await?;
        page.pin_error = Some(text);
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    if form.then == "register" {
        let region = own.found.file.region.clone();
        let numbers = &pages.numbers;
        let task = if form.task == "again" { Task::Again } else { Task::Register };
        numbers.ask_register(&own.member, &own.found, task, WithPin::Kept, region.as_deref()).await?;
        return Ok(Redirect::to(&format!("{}/register", page_of(&own.found))).into_response());
    }
    let back = if form.then == "wait" { "register" } else { "pin" };
    let address = format!("{}/{back}", page_of(&own.found));
    Ok(done(&session, "The PIN is changed.", &address).await?.into_response())
}

impl super::PhoneNumbers {
    /// The six digits that are kept; several where Meta's answer to a change never came. That somebody looked is in the
    /// log.
    async fn reveal(&self, member: &Member, found: &Found) -> Result<Vec<String>> {
        let mut tx = self.store.write().await?;
        let mut all = pins::candidates(&mut tx, &found.file.id).await?;
        if all.is_empty() {
            all.extend(pins::last(&mut tx, &found.file.id).await?);
        }
        let mut shown = Vec::new();
        for pin in &all {
            let open = pin.open(&self.keys).map_err(crate::web::Error::internal)?;
            shown.push(open.expose_secret().to_owned());
        }
        if !shown.is_empty() {
            self.note(&mut tx, Some(member), &found.file, "number.pin_shown", None).await?;
            tx.commit().await?;
        }
        Ok(shown)
    }

    /// Sets a PIN, which is kept before it is sent.
    async fn set_pin(
        &self,
        member: &Member,
        found: &Found,
        pin: &SecretString,
        is_made: bool,
    ) -> std::result::Result<(), AskError> {
        let line = self.lines.line(found.held.connection).await?;
        let mut tx = self.store.write().await?;
        // Of two that are set at once nobody could say which one Meta has.
        if pins::is_under_way(&mut tx, &found.file.id, self.now()).await? {
            return Err(AskError::Busy);
        }
        let new = pins::New { pin, is_made, state: PinState::Sent };
        let id = pins::keep(&mut tx, &self.keys, &found.file.id, new, self.now()).await?;
        self.note(&mut tx, Some(member), &found.file, "number.pin_change_asked", None).await?;
        tx.commit().await?;
        let answer = line.graph.set_pin(&line.access, &found.number.id, pin).await;
        let mut tx = self.store.write().await?;
        match &answer {
            Ok(()) => {
                pins::right(&mut tx, &found.file.id, &id).await?;
                self.note(&mut tx, None, &found.file, "number.pin_changed", None).await?;
            }
            // Where no answer came it may hold all the same: both are kept.
            Err(error) if error.class() == ErrorClass::Transient => {}
            Err(_) => pins::forget(&mut tx, &id).await?,
        }
        tx.commit().await?;
        self.asked(&line, answer).await
    }
}
