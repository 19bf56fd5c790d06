//! `/{phone}/whatsapp_business_profile`, and the photo in it, which anybody may fetch.
//!
//! Meta: business-profiles, reference/whatsapp-business-phone-number/whatsapp-business-profile-api; 512 characters for
//! the description and the rule that a line of business does not go back to empty are Meta's guide's.

use super::{
    super::{Sandbox, assets::Phone, ids, state::State},
    auth::Caller,
    call::Call,
    error::GraphError,
    fields::Node,
    upload, waba,
};
use axum::{
    extract::{Path, State as Shared},
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const PICTURE_BYTES: usize = 5 * 1024 * 1024;
const VERTICALS: [&str; 23] = [
    "OTHER",
    "AUTO",
    "BEAUTY",
    "APPAREL",
    "EDU",
    "ENTERTAIN",
    "EVENT_PLAN",
    "FINANCE",
    "GROCERY",
    "GOVT",
    "HOTEL",
    "HEALTH",
    "NONPROFIT",
    "PROF_SERVICES",
    "RETAIL",
    "TRAVEL",
    "RESTAURANT",
    "ALCOHOL",
    "ONLINE_GAMBLING",
    "PHYSICAL_GAMBLING",
    "OTC_DRUGS",
    "UNDEFINED",
    "NOT_A_BIZ",
];

/// A number's profile.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sandbox) struct Profile {
    pub phone_id: String,
    pub about: String,
    pub address: String,
    pub description: String,
    pub email: String,
    pub websites: Vec<String>,
    pub vertical: String,
    pub picture: Option<Picture>,
}

/// The photo; its bytes stand beside the state's file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Picture {
    pub file: String,
    pub mime_type: String,
}

/// What is known of a number before anybody edited its profile: what was typed in the popup.
fn first(state: &State, phone: &Phone) -> Profile {
    let business = state.waba(&phone.waba_id).and_then(|waba| state.business(&waba.business_id));
    let website = business.map(|business| business.website.clone()).filter(|url| !url.is_empty());
    Profile {
        phone_id: phone.id.clone(),
        description: phone.description.clone(),
        email: business.map(|business| business.email.clone()).unwrap_or_default(),
        websites: website.into_iter().collect(),
        vertical: if VERTICALS.contains(&phone.category.as_str()) { phone.category.clone() } else { String::new() },
        ..Profile::default()
    }
}

/// A number's profile as it stands.
pub(in crate::sandbox) fn of(state: &State, phone: &Phone) -> Profile {
    let kept = state.profiles.iter().find(|profile| profile.phone_id == phone.id);
    kept.cloned().unwrap_or_else(|| first(state, phone))
}

/// Keeps it.
pub(in crate::sandbox) fn keep(state: &mut State, profile: Profile) {
    state.profiles.retain(|kept| kept.phone_id != profile.phone_id);
    state.profiles.push(profile);
}

pub(super) fn read(
    state: &State,
    origin: &str,
    call: &Call,
    caller: &Caller,
    id: &str,
    now_ms: i64,
) -> Result<Value, GraphError> {
    let profile = of(state, caller.phone(state, call, id)?);
    let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    // The address ends some day, so it is another one each time; the photo's name in it stays.
    let picture = |picture: &Picture| {
        format!("{origin}/v/t61/{}.jpg?oh={}&oe={:X}", picture.file, ids::alphanumeric(16), now_ms / 1000 + 86_400)
    };
    let all = json!({
        "messaging_product": "whatsapp",
        "about": filled(&profile.about),
        "address": filled(&profile.address),
        "description": filled(&profile.description),
        "email": filled(&profile.email),
        "profile_picture_url": profile.picture.as_ref().map(picture),
        "websites": (!profile.websites.is_empty()).then_some(&profile.websites),
        "vertical": filled(&profile.vertical),
    });
    let all = all.as_object().cloned().unwrap_or_default();
    const ALL: &[&str] = &[
        "about",
        "address",
        "description",
        "email",
        "profile_picture_url",
        "websites",
        "vertical",
        "messaging_product",
    ];
    let mut answer = Node { kind: "WhatsAppBusinessProfile", all, defaults: ALL }.select(&waba::requested(call)?)?;
    answer["messaging_product"] = json!("whatsapp");
    Ok(json!({ "data": [answer] }))
}

/// Changes what is named, or nothing where one thing is wrong.
pub(super) fn update(sandbox: &Sandbox, call: &Call, caller: &Caller, id: &str) -> Result<Value, GraphError> {
    let mut profile = sandbox.read(|state| caller.phone(state, call, id).map(|phone| of(state, phone)))?;
    if call.text("messaging_product").as_deref() != Some("whatsapp") {
        return Err(GraphError::parameter("The parameter messaging_product is required."));
    }
    let text = |name: &str, least: usize, most: usize| match call.value(name) {
        None => Ok(None),
        Some(Value::String(text)) if (least..=most).contains(&text.chars().count()) => Ok(Some(text.clone())),
        Some(_) => {
            Err(GraphError::parameter(format!("Param {name} must be between {least} and {most} characters long.")))
        }
    };
    let set = |to: &mut String, new: Option<String>| *to = new.unwrap_or_else(|| std::mem::take(to));
    set(&mut profile.about, text("about", 1, 139)?);
    set(&mut profile.address, text("address", 0, 256)?);
    set(&mut profile.description, text("description", 0, 512)?);
    if let Some(email) = text("email", 0, 128)? {
        if !email.is_empty() && email.parse::<lettre::Address>().is_err() {
            return Err(GraphError::parameter("Invalid parameter: email must be a valid email address"));
        }
        profile.email = email;
    }
    if let Some(sites) = call.value("websites") {
        profile.websites = websites(sites)?;
    }
    if let Some(vertical) = call.text("vertical") {
        if !VERTICALS.contains(&vertical.as_str()) {
            return Err(GraphError::parameter(format!("Param vertical must be one of {{{}}}", VERTICALS.join(", "))));
        }
        profile.vertical = vertical;
    }
    if let Some(handle) = call.text("profile_picture_handle") {
        let now_ms = sandbox.now_ms();
        let found = sandbox.read(|state| upload::by_handle(state, &handle, now_ms).cloned());
        let file = found.ok_or_else(|| GraphError::parameter("Param profile_picture_handle is not a valid handle"))?;
        if !file.mime_type.starts_with("image/") || file.length > PICTURE_BYTES {
            return Err(GraphError::parameter("Param profile_picture_handle must be a JPEG or PNG of at most 5 MB"));
        }
        profile.picture = Some(Picture { file: file.file, mime_type: file.mime_type });
    }
    sandbox.change(|state| keep(state, profile))?;
    Ok(json!({"success": true}))
}

/// A list, or a list written as a text, as Meta's guide has it.
fn websites(value: &Value) -> Result<Vec<String>, GraphError> {
    let bad = || GraphError::parameter("Param websites must be an array of at most 2 URLs of 256 characters.");
    let list: Vec<String> = match value {
        Value::String(text) => serde_json::from_str(text).map_err(|_| bad())?,
        other => serde_json::from_value(other.clone()).map_err(|_| bad())?,
    };
    if list.len() > 2 || list.iter().any(|url| url.chars().count() > 256) {
        return Err(bad());
    }
    let read = |text: &String| {
        let url = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        // As Meta answers it: with the path's slash.
        url.map(String::from)
    };
    let refused = || GraphError::parameter("Param websites[0] must be a valid URL with http:// or https://");
    list.iter().map(|text| read(text).ok_or_else(refused)).collect()
}

/// `GET /v/t61/{file}.jpg`.
pub(in crate::sandbox) async fn serve(Shared(sandbox): Shared<Sandbox>, Path(name): Path<String>) -> Response {
    let file = name.trim_end_matches(".jpg");
    let found = sandbox.read(|state| {
        let mut pictures = state.profiles.iter().filter_map(|profile| profile.picture.clone());
        pictures.find(|picture| picture.file == file)
    });
    match found.and_then(|picture| Some((picture.mime_type, sandbox.inner.store.file(&picture.file).ok()?))) {
        Some((mime_type, bytes)) => ([(header::CONTENT_TYPE, mime_type)], bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
