//! `GET/POST /webhooks/whatsapp`.

use super::{intake::NotKept, service::Webhooks};
use crate::web::{Access, Routes};
use axum::{
    body::Bytes,
    extract::{DefaultBodyLimit, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

/// Meta sends up to 3 MB.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview>
const MAX_BODY: usize = 3 * 1024 * 1024;

/// The routes of this feature.
pub fn routes(webhooks: Webhooks) -> Routes {
    Routes::new()
        .get(Access::Machine, "/webhooks/whatsapp", handshake)
        .post(Access::Machine, "/webhooks/whatsapp", receive)
        .map(|router| router.layer(DefaultBodyLimit::max(MAX_BODY)))
        .with_state(webhooks)
}

#[derive(Deserialize)]
struct Handshake {
    #[serde(rename = "hub.mode", default)]
    mode: String,
    #[serde(rename = "hub.verify_token", default)]
    verify_token: String,
    #[serde(rename = "hub.challenge", default)]
    challenge: String,
}

async fn handshake(State(webhooks): State<Webhooks>, Query(query): Query<Handshake>) -> Response {
    if query.mode == "subscribe" && webhooks.knows_verify_token(&query.verify_token) {
        ([(http::header::CONTENT_TYPE, "text/plain; charset=utf-8")], query.challenge).into_response()
    } else {
        tracing::warn!("a webhook handshake was refused: wrong verify token");
        StatusCode::FORBIDDEN.into_response()
    }
}

async fn receive(State(webhooks): State<Webhooks>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers.get("x-hub-signature-256").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !webhooks.is_signed(signature, &body) {
        // Anybody may send such: they are counted, and the log tells their number now and then.
        return StatusCode::UNAUTHORIZED;
    }
    // JSON is UTF-8; nothing else is signed by Meta.
    let Ok(text) = String::from_utf8(body.into()) else { return StatusCode::BAD_REQUEST };
    match webhooks.keep(text).await {
        Ok(()) => StatusCode::OK,
        Err(NotKept::Unavailable) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
