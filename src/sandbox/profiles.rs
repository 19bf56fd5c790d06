//! `POST /_sandbox/profiles`: somebody edits a number's profile on the phone, or at Meta.

use super::{
    Sandbox,
    control::{Answer, ok, read, refused, unsaved},
    graph::profile,
    ids,
};
use axum::{body::Bytes, extract::State};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    phone_id: String,
    about: Option<String>,
    address: Option<String>,
    description: Option<String>,
    email: Option<String>,
    websites: Option<Vec<String>>,
    vertical: Option<String>,
    /// A PNG in base64; empty: the photo is removed.
    picture: Option<String>,
}

/// Changes what is named; answers the profile as it stands.
pub(super) async fn change(State(sandbox): State<Sandbox>, body: Bytes) -> Answer {
    let asked: Change = read(&body)?;
    let picture = match asked.picture.as_deref() {
        None => None,
        Some("") => Some(None),
        Some(text) => {
            let bytes = STANDARD.decode(text).map_err(|error| refused(StatusCode::BAD_REQUEST, error))?;
            let file = ids::object();
            sandbox.inner.store.keep_file(&file, &bytes).map_err(unsaved)?;
            Some(Some(profile::Picture { file, mime_type: "image/png".to_owned() }))
        }
    };
    let changed = sandbox.change(|state| {
        let mut profile = profile::of(state, state.phone(&asked.phone_id)?);
        let set = |to: &mut String, new: Option<String>| *to = new.unwrap_or_else(|| std::mem::take(to));
        set(&mut profile.about, asked.about);
        set(&mut profile.address, asked.address);
        set(&mut profile.description, asked.description);
        set(&mut profile.email, asked.email);
        set(&mut profile.vertical, asked.vertical);
        profile.websites = asked.websites.unwrap_or(profile.websites);
        profile.picture = picture.unwrap_or(profile.picture);
        profile::keep(state, profile.clone());
        Some(profile)
    });
    match changed.map_err(unsaved)? {
        Some(profile) => ok(json!({ "profile": profile })),
        None => Err(refused(StatusCode::NOT_FOUND, "there is no such number")),
    }
}
