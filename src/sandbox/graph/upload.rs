//! `/{app}/uploads` and `/upload:…`: the Resumable Upload API.
//!
//! Meta: Graph API, *Upload a file* (guides/upload) and reference/application/uploads: which parameters and types there
//! are, that the token of the second step stands in the header as `OAuth`, and how a session is asked how far it is. The
//! texts of its errors are not documented; these are in the manner of Graph's others.

use super::{
    super::{
        Sandbox, ids,
        state::State,
        tokens::{DAY_MS, Kind},
        webhooks::sign,
    },
    auth::Caller,
    call::Call,
    error::GraphError,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How long a session can be gone on with, and a handle used.
const LIVES_MS: i64 = DAY_MS;
const TYPES: [&str; 5] = ["application/pdf", "image/jpeg", "image/jpg", "image/png", "video/mp4"];
/// The largest file that a template's header may have: a document (reference/media/media-api).
pub(super) const MAX_BYTES: usize = 100 * 1024 * 1024;

/// A session; its bytes stand beside the state's file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Upload {
    /// Under which its file is kept.
    pub file: String,
    /// The part between `upload:` and the signature.
    pub key: String,
    pub name: String,
    pub mime_type: String,
    pub length: usize,
    /// Whose token began it.
    pub user_id: String,
    /// How much has come.
    pub offset: usize,
    /// Once it is whole.
    pub handle: Option<String>,
    pub created_ms: i64,
}

/// Whether a call is to a session.
pub(super) fn is_session(segments: &[String]) -> bool {
    matches!(segments, [one] if one.starts_with("upload:"))
}

/// The file behind a handle, for who may use it: any token of this app.
pub(in crate::sandbox) fn by_handle<'a>(state: &'a State, handle: &str, now_ms: i64) -> Option<&'a Upload> {
    let fits = |upload: &&Upload| upload.handle.as_deref() == Some(handle) && upload.created_ms + LIVES_MS > now_ms;
    state.uploads.iter().find(fits)
}

/// `POST /{app}/uploads`.
pub(super) fn start(sandbox: &Sandbox, call: &Call, caller: &Caller) -> Result<Value, GraphError> {
    let Caller::Token(token) = caller else {
        return Err(GraphError::new(200, "(#200) A user access token is required to request this resource.")
            .status(StatusCode::FORBIDDEN));
    };
    let needs_role = sandbox.read(|state| state.app.dashboard.uploads_need_role);
    if needs_role && token.kind != Kind::System {
        return Err(GraphError::permission("The user must be an administrator or developer of the application."));
    }
    let required = |name: &str| {
        let text = call.text(name).filter(|text| !text.is_empty());
        text.ok_or_else(|| GraphError::parameter(format!("The parameter {name} is required.")))
    };
    let (length, mime_type) = (required("file_length")?, required("file_type")?);
    let length: usize = length.parse().map_err(|_| GraphError::parameter("Param file_length must be an integer"))?;
    if length == 0 || length > MAX_BYTES {
        return Err(GraphError::parameter("Param file_length is out of range"));
    }
    if !TYPES.contains(&mime_type.as_str()) {
        return Err(GraphError::parameter(format!("Param file_type must be one of {{{}}}", TYPES.join(", "))));
    }
    let name = call.text("file_name").unwrap_or_else(|| "file".to_owned());
    let key = STANDARD.encode(format!("1:attachment:{}?file_length={length}&file_type={mime_type}", ids::trace()));
    let upload = Upload {
        file: ids::object(),
        key,
        name,
        mime_type,
        length,
        user_id: token.user_id.clone(),
        offset: 0,
        handle: None,
        created_ms: sandbox.now_ms(),
    };
    let id = sandbox.change(|state| {
        let id = format!("upload:{}?sig={}", upload.key, signature(state, &upload.key));
        state.uploads.push(upload);
        id
    })?;
    Ok(json!({ "id": id }))
}

fn signature(state: &State, key: &str) -> String {
    format!("ARZ{}", &sign(&state.app.secret, key.as_bytes())[..32])
}

/// `POST /upload:…` with the bytes, `GET` for how many have come.
pub(super) fn session(sandbox: &Sandbox, call: &Call, caller: &Caller) -> Result<Value, GraphError> {
    let unsupported = || GraphError::unsupported(&call.method, &call.segments[0]);
    let scheme = call.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let oauth = scheme.split_once(' ').is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("oauth"));
    if !oauth {
        return Err(GraphError::token("An OAuth access token in the Authorization header is required."));
    }
    let key = call.segments[0].strip_prefix("upload:").unwrap_or_default();
    let (now_ms, user) = (sandbox.now_ms(), user_of(caller));
    let upload = sandbox.read(|state| {
        let signed = call.text("sig").is_some_and(|sig| sig == signature(state, key));
        let found = state.uploads.iter().find(|upload| upload.key == key && upload.created_ms + LIVES_MS > now_ms);
        found.filter(|upload| signed && Some(&upload.user_id) == user).cloned()
    });
    let upload = upload.ok_or_else(unsupported)?;
    let Some(bytes) = &call.file else {
        return Ok(json!({"id": call.segments[0], "file_offset": upload.offset.to_string()}));
    };
    let offset = call.headers.get("file_offset").and_then(|value| value.to_str().ok());
    let offset = offset.ok_or_else(|| GraphError::parameter("The header file_offset is required."))?;
    if let Some(handle) = upload.handle.as_ref().filter(|_| bytes.is_empty() && offset.parse() == Ok(upload.length)) {
        return Ok(json!({ "h": handle }));
    }
    if offset.parse() != Ok(upload.offset) || upload.handle.is_some() {
        return Err(GraphError::parameter("The offset does not match what was uploaded before"));
    }
    let end = upload.offset + bytes.len();
    if end > upload.length {
        return Err(GraphError::parameter("The file is longer than file_length"));
    }
    sandbox.inner.store.append_file(&upload.file, upload.offset, bytes)?;
    let whole = end == upload.length;
    let handle = sandbox.change(|state| {
        let handle = whole.then(|| handle(state, &upload, now_ms));
        if let Some(kept) = state.uploads.iter_mut().find(|one| one.key == upload.key) {
            (kept.offset, kept.handle) = (end, handle.clone());
        }
        handle
    })?;
    match handle {
        Some(handle) => Ok(json!({ "h": handle })),
        None if call.broken => Err(GraphError::internal()),
        None => Ok(json!({"id": call.segments[0], "file_offset": end.to_string()})),
    }
}

fn user_of(caller: &Caller) -> Option<&String> {
    match caller {
        Caller::App => None,
        Caller::Token(token) => Some(&token.user_id),
    }
}

/// In the shape of Meta's: name and type in base64, a signature, when it ends, the app, the user, another signature.
fn handle(state: &State, upload: &Upload, now_ms: i64) -> String {
    let end = (now_ms + LIVES_MS) / 1000;
    let (name, kind) = (STANDARD.encode(&upload.name), STANDARD.encode(&upload.mime_type));
    let one = ids::alphanumeric(83);
    format!("4:{name}:{kind}:ARZ{one}:e:{end}:{}:{}:ARZ{}", state.app.id, upload.user_id, ids::alphanumeric(16))
}
