//! What people and Meta do, told by webhooks as Meta tells it: a person writes, a message fares, a template is
//! reviewed, a limit changes.
//!
//! Meta: webhooks/reference/messages and the other pages there.

use super::{
    Sandbox, ids,
    media::{self, MAX_BYTES},
    state::State,
    templates::{self, News},
};
use crate::sandbox::assets::{Phone, digits};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// A picture of one dot.
const DOT: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
/// A page without anything on it.
const PAGE: &[u8] =
    b"%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj \
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";

/// A call of `POST /_sandbox/webhooks` beside `raw` and the partner kinds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    pub kind: String,
    pub waba_id: Option<String>,
    pub phone_id: Option<String>,
    /// Who writes: a number in digits; empty: one that hides it.
    pub from: Option<String>,
    pub name: Option<String>,
    pub user_id: Option<String>,
    #[serde(rename = "type")]
    pub message_type: Option<String>,
    pub text: Option<String>,
    /// The type's content, instead of one made up.
    pub content: Option<Value>,
    pub mime_type: Option<String>,
    pub filename: Option<String>,
    /// A file's bytes, in base64.
    pub data: Option<String>,
    pub message_id: Option<String>,
    pub status: Option<String>,
    pub errors: Option<Value>,
    pub biz_opaque_callback_data: Option<String>,
    /// The webhook's field and value, for the kind `field`, and members to add to what the others make.
    pub field: Option<String>,
    pub value: Option<Map<String, Value>>,
}

/// The kinds of [`make`].
pub(super) const KINDS: [&str; 8] =
    ["message", "status", "template_status", "template_quality", "template_category", "quality", "alert", "field"];

/// A webhook's body, and what it made up.
pub(super) struct Made {
    pub body: Value,
    pub message_id: Option<String>,
    pub media_id: Option<String>,
}

/// Makes the webhook that was asked for. Files are kept.
///
/// # Errors
/// What is wrong with what was asked.
pub(super) fn make(sandbox: &Sandbox, asked: &Asked) -> Result<Made, String> {
    match asked.kind.as_str() {
        "message" => message(sandbox, asked),
        "status" => status(sandbox, asked),
        "template_status" | "template_quality" | "template_category" => template(sandbox, asked),
        "quality" => limit(sandbox, asked),
        _ => sandbox.read(|state| account(state, asked, sandbox.now_ms())),
    }
    .map(|(body, message_id, media_id)| Made { body, message_id, media_id })
}

type Parts = (Value, Option<String>, Option<String>);

fn phone<'a>(state: &'a State, asked: &Asked) -> Result<&'a Phone, String> {
    let id = asked.phone_id.as_deref().ok_or("phone_id is needed")?;
    state.phone(id).ok_or_else(|| "there is no such number".to_owned())
}

/// The field `messages` of a number.
fn about(phone: &Phone, mut value: Value, more: Option<&Map<String, Value>>) -> Value {
    value["messaging_product"] = json!("whatsapp");
    value["metadata"] = json!({"display_phone_number": digits(&phone.display), "phone_number_id": phone.id});
    for (key, member) in more.into_iter().flatten() {
        value[key] = member.clone();
    }
    json!({"object": "whatsapp_business_account", "entry": [
        {"id": phone.waba_id, "changes": [{"value": value, "field": "messages"}]}]})
}

fn message(sandbox: &Sandbox, asked: &Asked) -> Result<Parts, String> {
    let phone = sandbox.read(|state| phone(state, asked).cloned())?;
    let from = asked.from.as_deref().map_or_else(|| "491701234567".to_owned(), digits);
    let kind = asked.message_type.as_deref().unwrap_or("text");
    let id = asked.message_id.clone().unwrap_or_else(|| format!("wamid.{}", ids::alphanumeric(56)));
    let now_ms = sandbox.now_ms();
    let mut media_id = None;
    let content = match (&asked.content, kind) {
        (Some(content), _) => Some(content.clone()),
        (None, "text") => Some(json!({"body": asked.text.as_deref().unwrap_or("Hello!")})),
        (None, "image" | "video" | "audio" | "document" | "sticker") => {
            let content = file(sandbox, asked, &phone, kind)?;
            media_id = content["id"].as_str().map(str::to_owned);
            Some(content)
        }
        (None, "location") => Some(json!({"latitude": 52.516_27, "longitude": 13.377_7, "name": "Brandenburg Gate"})),
        (None, "reaction") => {
            Some(json!({"message_id": asked.message_id, "emoji": asked.text.as_deref().unwrap_or("👍")}))
        }
        (None, "unsupported") => Some(json!({"type": "poll_creation"})),
        (None, "request_welcome") => None,
        (None, other) => return Err(format!("content is needed for the type {other}")),
    };
    let mut one = json!({"from": from, "id": id, "timestamp": (now_ms / 1000).to_string(), "type": kind});
    let name = asked.name.clone().unwrap_or_else(|| "Sandy Person".to_owned());
    let mut contact = json!({"profile": {"name": name}, "wa_id": from});
    if let Some(user) = &asked.user_id {
        (one["from_user_id"], contact["user_id"]) = (json!(user), json!(user));
    }
    if let Some(content) = content {
        one[kind] = content;
    }
    if kind == "unsupported" {
        one["errors"] = json!([{"code": 131_051, "title": "Message type unknown", "message": "Message type unknown",
            "error_data": {"details": "Message type is currently not supported."}}]);
    }
    let value = json!({"contacts": [contact], "messages": [one]});
    Ok((about(&phone, value, asked.value.as_ref()), Some(id), media_id))
}

/// A file that was sent, kept and described.
fn file(sandbox: &Sandbox, asked: &Asked, phone: &Phone, kind: &str) -> Result<Value, String> {
    let bytes = match &asked.data {
        Some(data) => STANDARD.decode(data).map_err(|_| "data must be base64".to_owned())?,
        None if kind == "document" => PAGE.to_vec(),
        None => STANDARD.decode(DOT).unwrap_or_default(),
    };
    if bytes.len() > MAX_BYTES {
        return Err(format!("a file may have at most {MAX_BYTES} bytes"));
    }
    let mime = asked.mime_type.as_deref().unwrap_or(if kind == "document" { "application/pdf" } else { "image/png" });
    let media = media::keep(sandbox, &phone.id, mime, &bytes).map_err(|error| error.to_string())?;
    let origin = sandbox.origin();
    let kept = sandbox.change(|state| {
        state.media.push(media.clone());
        media::in_webhook(state, &origin, &media, media.created_ms)
    });
    let mut content = kept.map_err(|error| error.to_string())?;
    if let Some(caption) = &asked.text {
        content["caption"] = json!(caption);
    }
    if kind == "document" {
        content["filename"] = json!(asked.filename.as_deref().unwrap_or("page.pdf"));
    }
    Ok(content)
}

fn status(sandbox: &Sandbox, asked: &Asked) -> Result<Parts, String> {
    let phone = sandbox.read(|state| phone(state, asked).cloned())?;
    let id = asked.message_id.clone().ok_or("message_id is needed")?;
    let status = asked.status.as_deref().unwrap_or("delivered");
    let to = asked.from.as_deref().map_or_else(|| "491701234567".to_owned(), digits);
    let at = (sandbox.now_ms() / 1000).to_string();
    let mut one = json!({"id": id, "status": status, "timestamp": at, "recipient_id": to});
    if let Some(user) = &asked.user_id {
        one["recipient_user_id"] = json!(user);
    }
    if let Some(data) = &asked.biz_opaque_callback_data {
        one["biz_opaque_callback_data"] = json!(data);
    }
    if status == "failed" {
        one["errors"] = asked.errors.clone().unwrap_or_else(|| {
            json!([{"code": 131_026, "title": "Message undeliverable", "message": "Message undeliverable",
                "error_data": {"details": "Message Undeliverable."}}])
        });
    } else {
        one["pricing"] = json!({"billable": true, "pricing_model": "PMP", "type": "regular", "category": "utility"});
    }
    Ok((about(&phone, json!({ "statuses": [one] }), asked.value.as_ref()), Some(id), None))
}

/// A template that the account has changes, and the app is told; where there is none of this name, it gets one: Meta
/// tells of nothing that it does not list.
fn template(sandbox: &Sandbox, asked: &Asked) -> Result<Parts, String> {
    let waba = asked.waba_id.as_deref().ok_or("waba_id is needed")?;
    let mut news = News { name: asked.name.as_deref().unwrap_or("order_confirmation"), ..News::default() };
    let word = asked.status.as_deref();
    match asked.kind.as_str() {
        "template_status" => news.status = Some(word.unwrap_or("APPROVED")),
        "template_quality" => news.quality = Some(word.unwrap_or("YELLOW")),
        _ => news.category = Some(word.unwrap_or("MARKETING")),
    }
    news.reason = asked.value.as_ref().and_then(|value| value.get("reason")).and_then(Value::as_str);
    let now_ms = sandbox.now_ms();
    let told =
        sandbox.change(|state| templates::tell(state, waba, &news, now_ms)).map_err(|error| error.to_string())?;
    let mut body = told?;
    for (key, member) in asked.value.iter().flatten() {
        body["entry"][0]["changes"][0]["value"][key] = member.clone();
    }
    Ok((body, None, None))
}

/// A number's limit changes, and the app is told.
fn limit(sandbox: &Sandbox, asked: &Asked) -> Result<Parts, String> {
    let limit = asked.status.as_deref().unwrap_or("TIER_2K");
    let id = asked.phone_id.as_deref().ok_or("phone_id is needed")?;
    let changed = sandbox.change(|state| match state.phone_mut(id) {
        Some(phone) => {
            phone.more.limit = Some(limit.to_owned());
            Ok(())
        }
        None => Err("there is no such number".to_owned()),
    });
    changed.map_err(|error| error.to_string())??;
    sandbox.read(|state| account(state, asked, sandbox.now_ms()))
}

/// Fields of accounts and numbers.
fn account(state: &State, asked: &Asked, now_ms: i64) -> Result<Parts, String> {
    let phone = asked.phone_id.as_deref().map(|id| state.phone(id).ok_or("there is no such number")).transpose()?;
    let waba = asked.waba_id.clone().or_else(|| phone.map(|phone| phone.waba_id.clone()));
    let waba = waba.ok_or("waba_id or phone_id is needed")?;
    state.waba(&waba).ok_or("there is no such account")?;
    let display = phone.map(|phone| digits(&phone.display)).unwrap_or_default();
    let status = asked.status.as_deref();
    let (field, mut value) = match asked.kind.as_str() {
        "quality" => {
            let limit = status.unwrap_or("TIER_2K");
            let value = json!({"display_phone_number": display, "event": "UPGRADE", "current_limit": limit,
                "max_daily_conversations_per_business": limit});
            ("phone_number_quality_update", value)
        }
        "alert" => {
            let info = json!({"alert_severity": "WARNING", "alert_status": "ACTIVE",
                "alert_type": status.unwrap_or("INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED"),
                "alert_description": asked.text.as_deref().unwrap_or("Limits cannot be increased yet.")});
            let (kind, id) = phone.map_or(("BUSINESS", ""), |phone| ("PHONE_NUMBER", phone.id.as_str()));
            ("account_alerts", json!({"entity_type": kind, "entity_id": id, "alert_info": info}))
        }
        "field" => (asked.field.as_deref().ok_or("field is needed")?, json!({})),
        _ => return Err("there is no such kind of webhook".to_owned()),
    };
    for (key, member) in asked.value.iter().flatten() {
        value[key] = member.clone();
    }
    let body = json!({"object": "whatsapp_business_account", "entry": [
        {"id": waba, "time": now_ms / 1000, "changes": [{"field": field, "value": value}]}]});
    Ok((body, None, None))
}
