//! `/forgot`: asks for a link to set a new password.

use super::{InviteError, Invites};
use crate::{
    accounts::EmailAddress,
    web::{Access, Chrome, ClientAddress, Form, Result, Routes},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use tower_sessions::Session;

pub(super) fn routes() -> Routes<Invites> {
    Routes::new().get(Access::Anyone, "/forgot", forgot_page).post(Access::Anyone, "/forgot", forgot).get(
        Access::Anyone,
        "/forgot/sent",
        sent,
    )
}

#[derive(Template, WebTemplate)]
#[template(path = "accounts/forgot.html")]
struct ForgotPage {
    chrome: Chrome,
    has_mail: bool,
    email: String,
    error: Option<String>,
}

#[derive(Template, WebTemplate)]
#[template(path = "accounts/forgot_sent.html")]
struct SentPage {
    chrome: Chrome,
}

async fn forgot_page(State(invites): State<Invites>, chrome: Chrome, session: Session) -> Result<ForgotPage> {
    let chrome = chrome.with_token(&session).await?;
    Ok(ForgotPage { chrome, has_mail: invites.mailer.is_some(), email: String::new(), error: None })
}

#[derive(Deserialize)]
struct ForgotForm {
    #[serde(default)]
    email: String,
}

async fn forgot(
    State(invites): State<Invites>,
    chrome: Chrome,
    session: Session,
    from: Option<Extension<ClientAddress>>,
    Form(form): Form<ForgotForm>,
) -> Result<Response> {
    let (status, error) = match form.email.parse::<EmailAddress>() {
        Err(text) => (StatusCode::UNPROCESSABLE_ENTITY, text.to_owned()),
        Ok(email) => match invites.forgot(&email, from.map(|from| from.0.0)).await {
            Ok(()) => return Ok(Redirect::to("/forgot/sent").into_response()),
            Err(InviteError::TooMany(wait)) => {
                (StatusCode::TOO_MANY_REQUESTS, format!("You asked very often. Wait {wait}, then ask again."))
            }
            Err(error) => return Err(error.into()),
        },
    };
    let chrome = chrome.with_token(&session).await?;
    let page = ForgotPage { chrome, has_mail: invites.mailer.is_some(), email: form.email, error: Some(error) };
    Ok((status, page).into_response())
}

async fn sent(chrome: Chrome) -> SentPage {
    SentPage { chrome }
}
