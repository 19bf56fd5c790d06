//! `/{phone}/smb_app_data`: the WhatsApp Business app brings its contacts and chats, by webhooks.
//!
//! Meta: embedded-signup/onboarding-business-app-users: within 24 hours of onboarding, once each; 2593109 where the
//! person does not share the chats. What Meta answers to a second call or a late one it does not say.

use super::{
    super::{
        Sandbox,
        assets::{Phone, digits},
        ids, names,
        tokens::DAY_MS,
        webhooks::{self, Delivery},
    },
    auth::Caller,
    call::Call,
    error::GraphError,
};
use serde_json::{Value, json};

/// The people in the app's contact book, made up (555-01xx is kept for fiction).
const PEOPLE: [(&str, &str); 4] = [
    ("Petra Sommer", "12025550171"),
    ("Pablo Morales", "12125550172"),
    ("Ines Rahn", "13055550173"),
    ("Jo Park", "14155550174"),
];

pub(super) fn sync(sandbox: &Sandbox, call: &Call, caller: &Caller, id: &str) -> Result<Value, GraphError> {
    sandbox.read(|state| caller.phone(state, call, id).map(|_| ()))?;
    let is_history = match call.text("sync_type").as_deref() {
        Some("smb_app_state_sync") => false,
        Some("history") => true,
        _ => return Err(GraphError::parameter("Param sync_type must be one of {smb_app_state_sync, history}")),
    };
    let now_ms = sandbox.now_ms();
    let told = sandbox.change(|state| {
        let phone = state.phone_mut(id).ok_or_else(|| GraphError::unsupported(&call.method, id))?;
        if !phone.on_biz_app {
            return Err(GraphError::parameter("This number is not in use with the WhatsApp Business app."));
        }
        if phone.created_ms + DAY_MS < now_ms {
            return Err(GraphError::parameter("The 24 hours for synchronizing the WhatsApp Business app are over."));
        }
        let more = &mut phone.more;
        let asked = if is_history { &mut more.history_asked_ms } else { &mut more.contacts_asked_ms };
        if asked.replace(now_ms).is_some() {
            return Err(GraphError::parameter("This synchronization was initiated already."));
        }
        let bodies = if is_history { history(phone, now_ms) } else { vec![contacts(phone, now_ms)] };
        let told: Vec<Delivery> = bodies.into_iter().map(|body| Delivery::new(body, now_ms)).collect();
        state.outbox.extend(told.iter().cloned());
        Ok(told)
    })??;
    webhooks::send(sandbox, told);
    Ok(json!({"messaging_product": "whatsapp", "request_id": ids::alphanumeric(32)}))
}

fn metadata(phone: &Phone) -> Value {
    json!({"display_phone_number": digits(&phone.display), "phone_number_id": phone.id})
}

fn contacts(phone: &Phone, now_ms: i64) -> Value {
    let people = PEOPLE.map(|(name, number)| {
        let first = name.split(' ').next();
        json!({
            "type": "contact", "action": "add",
            "contact": {"full_name": name, "first_name": first, "phone_number": number},
            "metadata": {"timestamp": (now_ms / 1000).to_string()},
        })
    });
    let value = json!({"messaging_product": "whatsapp", "metadata": metadata(phone), "state_sync": people});
    names::about(phone, "smb_app_state_sync", value, now_ms)
}

fn history(phone: &Phone, now_ms: i64) -> Vec<Value> {
    let tell = |history: Value| {
        let value = json!({"messaging_product": "whatsapp", "metadata": metadata(phone), "history": [history]});
        names::about(phone, "history", value, now_ms)
    };
    if phone.more.history_declined {
        let text = "History sync is turned off by the business from the WhatsApp Business App";
        return vec![tell(json!({"errors": [{
            "code": 2_593_109, "title": text, "message": text,
            "error_data": {"details": "History sharing is turned off by the business"},
        }]}))];
    }
    let business = digits(&phone.display);
    let part = |(phase, (_, number)): (usize, (&str, &str))| {
        let days = [1, 30, 120][phase];
        let at = ((now_ms - days * DAY_MS) / 1000).to_string();
        let message = |from: &str, text: &str| {
            json!({
                "from": from, "id": format!("wamid.{}", ids::alphanumeric(48)), "timestamp": at, "type": "text",
                "text": {"body": text}, "history_context": {"status": "READ"},
            })
        };
        let progress = [40, 80, 100][phase];
        tell(json!({
            "metadata": {"phase": phase, "chunk_order": 1, "progress": progress},
            "threads": [{"id": number, "messages": [message(number, "Are you open today?"), message(&business, "Until six!")]}],
        }))
    };
    PEOPLE.into_iter().take(3).enumerate().map(part).collect()
}
