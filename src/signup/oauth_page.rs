//! The plain OAuth flow, for operators without a Facebook Login for Business configuration: out to
//! Facebook's full-page dialog and back. <https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow>

use super::{
    attempt::Reconnect,
    failure::{Failure, Reason},
    service::{Signup, SignupError},
};
use crate::{
    accounts::{Member, User},
    base::{ids::ConnectionId, text::shorten},
    web::{Access, Error, Form, Result, Routes},
};
use axum::{
    Extension,
    extract::{Query, State},
    response::Redirect,
};
use secrecy::SecretString;
use serde::Deserialize;

pub(super) fn routes(signup: Signup) -> Routes {
    Routes::new()
        .post(Access::Member, "/connect/oauth", start)
        .get(Access::Anyone, "/auth/whatsapp/callback", callback)
        .with_state(signup)
}

#[derive(Deserialize)]
struct StartForm {
    /// The connection that is to be connected again, and the link that led there.
    reconnect: Option<ConnectionId>,
    link: Option<String>,
}

async fn start(State(signup): State<Signup>, member: Member, Form(form): Form<StartForm>) -> Result<Redirect> {
    let (link, placing) = (form.link, None);
    let reconnect = form.reconnect.map(|connection| Reconnect { connection, link, placing });
    Ok(Redirect::to(signup.begin_oauth(&member, reconnect).await?.as_str()))
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    state: String,
    code: Option<SecretString>,
    error: Option<String>,
    error_description: Option<String>,
    error_message: Option<String>,
}

/// Facebook leads back here. The code is kept at once, and the browser sent on to an address without it.
async fn callback(
    State(signup): State<Signup>,
    user: Option<Extension<User>>,
    Query(answer): Query<Answer>,
) -> Result<Redirect> {
    // Signed out meanwhile: the code must not travel on in an address, so they start again.
    let Some(Extension(user)) = user else { return Ok(Redirect::to("/signin?next=/connect")) };
    let customer = user.customer_id.ok_or(Error::Forbidden)?;
    let member = Member { user, customer };
    let outcome = match answer.code {
        Some(code) => Ok(code),
        None => Err(failure(answer.error.as_deref(), answer.error_description.or(answer.error_message))),
    };
    match signup.oauth_answer(&member, &answer.state, outcome).await {
        Ok(id) => Ok(Redirect::to(&format!("/connect/attempts/{id}"))),
        Err(SignupError::NotFound) => Err(Error::BadRequest(
            "This answer of Facebook’s belongs to another browser or another sign-in, or was used before. \
             For your safety we did not use it. Start again from “Connect WhatsApp”."
                .to_owned(),
        )),
        Err(error) => Err(error.into()),
    }
}

fn failure(error: Option<&str>, description: Option<String>) -> Failure {
    let says = description.as_deref().unwrap_or_default().to_lowercase();
    let reason = match error {
        Some("access_denied") => Reason::Denied,
        _ if says.contains("invalid scope") => Reason::InvalidScopes,
        Some(_) => Reason::FacebookError,
        None => Reason::CodeMissing,
    };
    Failure { shown: description.map(|text| shorten(&text, 300)), ..Failure::new(reason) }
}
