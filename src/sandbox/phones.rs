//! `POST /_sandbox/phones`: changes a number as its owner or Meta would.
//!
//! | Member | What it does |
//! |---|---|
//! | `name_status`, `verified`, `registered`, `quality`, `limit` | sets it |
//! | `pin` | somebody changes the PIN in WhatsApp Manager: the `security` webhook tells of it |
//! | `pin_off` | somebody switches two-step verification off there, which takes a request first |
//! | `move_to` | the number comes to this account, under another ID, which is answered |

use super::{
    Sandbox,
    assets::{NameStatus, digits},
    control::{Answer, ok, read, refused, unsaved},
    ids, names,
    webhooks::{self, Delivery},
};
use axum::{body::Bytes, extract::State};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PhoneChange {
    phone_id: String,
    name_status: Option<NameStatus>,
    verified: Option<bool>,
    registered: Option<bool>,
    quality: Option<String>,
    limit: Option<String>,
    pin: Option<String>,
    #[serde(default)]
    pin_off: bool,
    move_to: Option<String>,
}

pub(super) async fn change(State(sandbox): State<Sandbox>, body: Bytes) -> Answer {
    let asked: PhoneChange = read(&body)?;
    let now_ms = sandbox.now_ms();
    let changed = sandbox.change(|state| {
        let target = asked.move_to.as_deref().filter(|id| state.waba(id).is_some()).map(str::to_owned);
        let phone = state.phone_mut(&asked.phone_id)?;
        phone.name_status = asked.name_status.unwrap_or(phone.name_status);
        phone.verified = asked.verified.unwrap_or(phone.verified);
        phone.registered = asked.registered.unwrap_or(phone.registered);
        phone.more.quality = asked.quality.clone().or(phone.more.quality.take());
        phone.more.limit = asked.limit.clone().or(phone.more.limit.take());
        // https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/security
        let mut events = Vec::new();
        if asked.pin_off {
            phone.pin = None;
            events.extend([("PIN_RESET_REQUEST", Some("61555822107539")), ("PIN_REQUEST_SUCCESS", None)]);
        }
        if let Some(pin) = &asked.pin {
            phone.pin = Some(pin.clone());
            events.push(("PIN_CHANGED", None));
        }
        if let Some(waba) = target {
            phone.id = ids::object();
            phone.waba_id = waba;
            phone.registered = false;
        }
        let id = phone.id.clone();
        let told = events.into_iter().map(|(event, requester)| {
            let mut value = json!({"display_phone_number": digits(&phone.display), "event": event});
            if let Some(requester) = requester {
                value["requester"] = json!(requester);
            }
            Delivery::new(names::about(phone, "security", value, now_ms), now_ms)
        });
        let told: Vec<Delivery> = told.collect();
        state.outbox.extend(told.iter().cloned());
        Some((id, told))
    });
    match changed.map_err(unsaved)? {
        Some((id, told)) => {
            webhooks::send(&sandbox, told);
            ok(json!({"success": true, "phone_id": id}))
        }
        None => Err(refused(StatusCode::NOT_FOUND, "there is no such number")),
    }
}
