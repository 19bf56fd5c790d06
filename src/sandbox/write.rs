//! `POST /write`: the home page's form by which a person writes to a number.

use super::{
    Sandbox, control,
    inbox::{self, Asked},
    webhooks,
};
use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Fields {
    to: String,
    name: String,
    from: String,
    what: String,
    #[serde(default)]
    text: String,
}

/// Sends the webhook, and goes back to the form.
pub(super) async fn write(State(sandbox): State<Sandbox>, headers: HeaderMap, Form(form): Form<Fields>) -> Response {
    if !sandbox.is_open() || !control::same_site(&sandbox, &headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let asked = Asked {
        kind: "message".to_owned(),
        phone_id: Some(form.to),
        name: Some(form.name),
        from: Some(form.from),
        message_type: Some(form.what),
        text: Some(form.text).filter(|text| !text.trim().is_empty()),
        ..Asked::default()
    };
    match inbox::make(&sandbox, &asked) {
        Err(why) => (StatusCode::BAD_REQUEST, why).into_response(),
        Ok(made) => match webhooks::queue(&sandbox, made.body) {
            Ok(_) => Redirect::to("/#write").into_response(),
            Err(error) => {
                tracing::error!(%error, "the sandbox's state could not be written");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        },
    }
}
