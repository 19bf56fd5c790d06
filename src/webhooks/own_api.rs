//! `GET/POST /webhooks/whatsapp/{key}`: the addresses of connections through customers' own apps.

use super::{api::Handshake, intake::NotKept, own::OwnApp, service::Webhooks, signature::Signature};
use crate::web::{Access, Inflow, Routes};
use axum::{
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};

/// As large as the operator's may be.
const MAX_BODY: usize = super::api::MAX_BODY;
/// Room of their own, in bytes: they must not take the operator's.
static INFLOW: Inflow = Inflow::new(MAX_BODY, 16 << 20);

pub(super) fn routes() -> Routes<Webhooks> {
    Routes::new().get(Access::Machine, "/webhooks/whatsapp/{key}", handshake).post(
        Access::Machine,
        "/webhooks/whatsapp/{key}",
        receive,
    )
}

async fn find(webhooks: &Webhooks, key: &str) -> Result<OwnApp, StatusCode> {
    match webhooks.own_app(key).await {
        Ok(found) => found.ok_or(StatusCode::NOT_FOUND),
        Err(error) => {
            tracing::error!(%error, "it can't be told whose an address for webhooks is");
            Err(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

async fn handshake(
    State(webhooks): State<Webhooks>,
    Path(key): Path<String>,
    Query(query): Query<Handshake>,
) -> Response {
    let app = match find(&webhooks, &key).await {
        Ok(app) => app,
        Err(status) => return status.into_response(),
    };
    if query.mode == "subscribe" && webhooks.shakes_hands(&app, &query.verify_token).await {
        ([(http::header::CONTENT_TYPE, "text/plain; charset=utf-8")], query.challenge).into_response()
    } else {
        StatusCode::FORBIDDEN.into_response()
    }
}

async fn receive(
    State(webhooks): State<Webhooks>,
    Path(key): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let app = match find(&webhooks, &key).await {
        Ok(app) => app,
        Err(status) => return status.into_response(),
    };
    let signature = headers.get("x-hub-signature-256").and_then(|value| value.to_str().ok()).and_then(Signature::read);
    // Nothing of a body is read that can't be verified.
    if signature.is_none() || app.secrets.is_empty() {
        webhooks.is_signed_by(&app, None, &[]).await;
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let taken = match INFLOW.take(&headers, body).await {
        Ok(taken) => taken,
        Err(refused) => return refused.into_response(),
    };
    if !webhooks.is_signed_by(&app, signature.as_ref(), &taken.body).await {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(text) = String::from_utf8(taken.body.into()) else { return StatusCode::BAD_REQUEST.into_response() };
    let status = match webhooks.keep_of(text, app.owner).await {
        Ok(()) => StatusCode::OK,
        Err(NotKept::Unavailable) => StatusCode::SERVICE_UNAVAILABLE,
    };
    status.into_response()
}
