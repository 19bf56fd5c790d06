//! Files that people of the sandbox sent: `GET /{media-id}` tells where, and there they are, for whoever has a token
//! of that account.
//!
//! Meta: reference/media/media-api, reference/media/media-download-api, business-phone-numbers/media.

use super::{
    Sandbox,
    graph::{Caller, GraphError, caller_by_token},
    ids,
    state::State,
    webhooks::sign,
};
use crate::base::text::constant_time_eq;
use axum::{
    extract::{Query, State as Shared},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// How long an ID that came by webhook is good.
const ID_LIVES_MS: i64 = 7 * 24 * 3_600_000;
/// How long an address is good.
const URL_LIVES_S: i64 = 5 * 60;
/// The largest file that is taken.
pub(super) const MAX_BYTES: usize = 16 * 1024 * 1024;

/// A file; its bytes stand beside the state's file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Media {
    pub id: String,
    /// The number that it was sent to.
    pub phone_id: String,
    pub mime_type: String,
    pub sha256: String,
    pub file_size: usize,
    pub created_ms: i64,
}

/// Keeps a file that was sent to this number. It must be written before the state names it.
pub(super) fn keep(sandbox: &Sandbox, phone_id: &str, mime_type: &str, bytes: &[u8]) -> std::io::Result<Media> {
    let media = Media {
        id: ids::object(),
        phone_id: phone_id.to_owned(),
        mime_type: mime_type.to_owned(),
        sha256: hex::encode(Sha256::digest(bytes)),
        file_size: bytes.len(),
        created_ms: sandbox.now_ms(),
    };
    sandbox.inner.store.keep_file(&media.id, bytes)?;
    Ok(media)
}

fn url(state: &State, origin: &str, id: &str, now_ms: i64) -> String {
    let end = now_ms / 1000 + URL_LIVES_S;
    let hash = sign(&state.app.secret, format!("{id} {end}").as_bytes());
    format!("{origin}/whatsapp_business/attachments/?mid={id}&ext={end}&hash={hash}")
}

fn found<'a>(state: &'a State, id: &str, now_ms: i64) -> Option<&'a Media> {
    state.media.iter().find(|media| media.id == id).filter(|media| media.created_ms + ID_LIVES_MS > now_ms)
}

fn reaches(state: &State, caller: &Caller, media: &Media) -> bool {
    let waba = state.phone(&media.phone_id).and_then(|phone| state.waba(&phone.waba_id));
    waba.is_some_and(|waba| caller.reaches(waba))
}

/// What a webhook says of it: there the digest is in base64.
pub(super) fn in_webhook(state: &State, origin: &str, media: &Media, now_ms: i64) -> Value {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let digest = STANDARD.encode(hex::decode(&media.sha256).unwrap_or_default());
    let url = url(state, origin, &media.id, now_ms);
    json!({"mime_type": media.mime_type, "sha256": digest, "id": media.id, "url": url})
}

/// `GET /{media-id}`.
pub(super) fn read(
    state: &State,
    origin: &str,
    caller: &Caller,
    id: &str,
    phone_id: Option<&str>,
    now_ms: i64,
) -> Result<Value, GraphError> {
    let media = found(state, id, now_ms).filter(|media| reaches(state, caller, media));
    let media = media.filter(|media| phone_id.is_none_or(|phone| phone == media.phone_id));
    let media = media.ok_or_else(|| GraphError::unsupported(&Method::GET, id))?;
    caller.messaging()?;
    Ok(json!({
        "messaging_product": "whatsapp", "url": url(state, origin, id, now_ms), "mime_type": media.mime_type,
        "sha256": media.sha256, "file_size": media.file_size, "id": media.id,
    }))
}

#[derive(Deserialize)]
pub(super) struct Address {
    #[serde(default)]
    mid: String,
    #[serde(default)]
    ext: i64,
    #[serde(default)]
    hash: String,
}

/// `GET /whatsapp_business/attachments/`: the file itself, with the token and while the address lives.
pub(super) async fn serve(
    Shared(sandbox): Shared<Sandbox>,
    headers: HeaderMap,
    Query(asked): Query<Address>,
) -> Response {
    let now_ms = sandbox.now_ms();
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let media = sandbox.read(|state| {
        let signed = sign(&state.app.secret, format!("{} {}", asked.mid, asked.ext).as_bytes());
        if !constant_time_eq(&signed, &asked.hash) || asked.ext < now_ms / 1000 {
            return Err(StatusCode::NOT_FOUND);
        }
        let caller = caller_by_token(state, token, now_ms).map_err(|_| StatusCode::UNAUTHORIZED)?;
        let media = found(state, &asked.mid, now_ms).filter(|media| reaches(state, &caller, media));
        media.cloned().ok_or(StatusCode::NOT_FOUND)
    });
    match media {
        Err(status) => status.into_response(),
        Ok(media) => match sandbox.inner.store.file(&media.id) {
            Ok(bytes) => ([(header::CONTENT_TYPE, media.mime_type)], bytes).into_response(),
            Err(_) => StatusCode::NOT_FOUND.into_response(),
        },
    }
}
