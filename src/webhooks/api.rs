//! `GET/POST /webhooks/whatsapp`.

use super::{intake::NotKept, service::Webhooks};
use crate::web::{Access, Inflow, Routes};
use axum::{
    body::Body,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

/// Meta sends up to 3 MB.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview>
pub(super) const MAX_BODY: usize = 3 * 1024 * 1024;
/// What large bodies may hold together while they come, in bytes.
static INFLOW: Inflow = Inflow::new(MAX_BODY, 64 << 20);

/// The routes of this feature.
pub fn routes(webhooks: Webhooks) -> Routes {
    Routes::new()
        .get(Access::Machine, "/webhooks/whatsapp", handshake)
        .post(Access::Machine, "/webhooks/whatsapp", receive)
        .merge(super::own_api::routes())
        .with_state(webhooks)
}

#[derive(Deserialize)]
pub(super) struct Handshake {
    #[serde(rename = "hub.mode", default)]
    pub mode: String,
    #[serde(rename = "hub.verify_token", default)]
    pub verify_token: String,
    #[serde(rename = "hub.challenge", default)]
    pub challenge: String,
}

async fn handshake(State(webhooks): State<Webhooks>, Query(query): Query<Handshake>) -> Response {
    if query.mode == "subscribe" && webhooks.knows_verify_token(&query.verify_token) {
        ([(http::header::CONTENT_TYPE, "text/plain; charset=utf-8")], query.challenge).into_response()
    } else {
        tracing::warn!("a webhook handshake was refused: wrong verify token");
        StatusCode::FORBIDDEN.into_response()
    }
}

async fn receive(State(webhooks): State<Webhooks>, headers: HeaderMap, body: Body) -> Response {
    // Anybody may send such: they are counted, and the log tells their number now and then. Nothing of a body is read
    // that can't be genuine.
    let signature = headers.get("x-hub-signature-256").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some(signature) = webhooks.signature(signature) else { return StatusCode::UNAUTHORIZED.into_response() };
    let taken = match INFLOW.take(&headers, body).await {
        Ok(taken) => taken,
        Err(refused) => return refused.into_response(),
    };
    if !webhooks.is_signed(&signature, &taken.body) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    // JSON is UTF-8; nothing else is signed by Meta.
    let Ok(text) = String::from_utf8(taken.body.into()) else { return StatusCode::BAD_REQUEST.into_response() };
    let status = match webhooks.keep(text).await {
        Ok(()) => StatusCode::OK,
        Err(NotKept::Unavailable) => StatusCode::SERVICE_UNAVAILABLE,
    };
    status.into_response()
}
