//! Webhooks to the app's callback: signed, queued in the state, retried.
//!
//! Meta: webhooks/create-webhook-endpoint (handshake, signature), webhooks/reference/account_update,
//! webhooks/override.

use super::{Sandbox, ids, state::State};
use crate::base::http::read_capped;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;
use std::{sync::PoisonError, time::Duration};
use url::Url;

/// How long after the cause a webhook is sent.
const DELAY_MS: i64 = 500;
/// How often one is tried; the pauses between double, from one second.
const TRIES: u32 = 6;

/// A webhook that waits to be delivered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Delivery {
    pub id: String,
    pub due_ms: i64,
    pub body: Value,
    /// The customer's own app that it is of; `None`: the operator's.
    #[serde(default)]
    pub own_app: Option<String>,
}

impl Delivery {
    pub fn new(body: Value, now_ms: i64) -> Self {
        Self { id: ids::alphanumeric(16), due_ms: now_ms + DELAY_MS, body, own_app: None }
    }

    /// The same for an app of a customer's.
    pub fn of_own_app(body: Value, app: &str, now_ms: i64) -> Self {
        Self { own_app: Some(app.to_owned()), ..Self::new(body, now_ms) }
    }

    /// Where it goes, and the secret that signs it.
    fn to(&self, state: &State) -> Option<(Url, String)> {
        match &self.own_app {
            None => Some((destination(state, &self.body)?, state.app.secret.clone())),
            Some(id) => {
                let app = state.own_app(id)?;
                Some((app.subscription.as_ref()?.callback_url.parse().ok()?, app.secret.clone()))
            }
        }
    }
}

/// An `account_update` about a partner: its entry is the operator's business, the account stands in `waba_info`.
pub(super) fn partner(state: &State, event: &str, waba_id: &str, owner: &str, now_ms: i64) -> Value {
    let mut info = json!({"waba_id": waba_id, "owner_business_id": owner});
    if event.starts_with("PARTNER_APP_") {
        info["partner_app_id"] = json!(state.app.id);
    }
    json!({
        "object": "whatsapp_business_account",
        "entry": [{
            "id": state.app.business_id,
            "time": now_ms / 1000,
            "changes": [{"field": "account_update", "value": {"event": event, "waba_info": info}}],
        }],
    })
}

/// Where a webhook goes: to the WABA's own callback for messages, else to the app's; nowhere where the
/// app is not subscribed to the field.
pub(super) fn destination(state: &State, body: &Value) -> Option<Url> {
    let entry = &body["entry"][0];
    let field = entry["changes"][0]["field"].as_str()?;
    let subscription = state.app.subscription.as_ref()?;
    if !subscription.fields.iter().any(|have| have == field) {
        return None;
    }
    let waba = entry["id"].as_str().and_then(|id| state.waba(id)).filter(|_| field == "messages");
    let own = waba.and_then(|waba| waba.subscribed.as_ref()).and_then(|sub| sub.override_callback_uri.as_deref());
    own.unwrap_or(&subscription.callback_url).parse().ok()
}

/// Begins the delivery of what is queued and not yet on its way: each in a task of its own.
pub(super) fn send(sandbox: &Sandbox, deliveries: Vec<Delivery>) {
    let mut sending = sandbox.inner.sending.lock().unwrap_or_else(PoisonError::into_inner);
    for delivery in deliveries {
        if !sending.insert(delivery.id.clone()) {
            continue;
        }
        let sandbox = sandbox.clone();
        tokio::spawn(async move { deliver(&sandbox, delivery).await });
    }
}

/// Queues a webhook and begins its delivery; false where it goes nowhere.
pub(super) fn queue(sandbox: &Sandbox, body: Value) -> std::io::Result<bool> {
    let now_ms = sandbox.now_ms();
    let deliveries = sandbox.read(|state| {
        let own = subscribed_own_apps(state, &body);
        let only_own = !own.is_empty() && !is_operators(state, &body);
        let mut all: Vec<Delivery> = own.iter().map(|app| Delivery::of_own_app(body.clone(), app, now_ms)).collect();
        if !only_own {
            all.push(Delivery::new(body, now_ms));
        }
        all
    });
    deliver_all(sandbox, deliveries)
}

/// Queues a webhook that a customer's own app signs, whatever it says; false where it goes nowhere.
pub(super) fn queue_of(sandbox: &Sandbox, body: Value, app: &str) -> std::io::Result<bool> {
    let delivery = Delivery::of_own_app(body, app, sandbox.now_ms());
    deliver_all(sandbox, vec![delivery])
}

fn deliver_all(sandbox: &Sandbox, deliveries: Vec<Delivery>) -> std::io::Result<bool> {
    let sent = sandbox.read(|state| deliveries.iter().any(|delivery| delivery.to(state).is_some()));
    sandbox.change(|state| state.outbox.extend(deliveries.iter().cloned()))?;
    send(sandbox, deliveries);
    Ok(sent)
}

fn waba_in<'a>(state: &'a State, body: &Value) -> Option<&'a super::assets::Waba> {
    body["entry"][0]["id"].as_str().and_then(|id| state.waba(id))
}

/// The customers' own apps that get this: subscribed to the account, and to the field.
fn subscribed_own_apps(state: &State, body: &Value) -> Vec<String> {
    let field = body["entry"][0]["changes"][0]["field"].as_str().unwrap_or_default();
    let has_field = |id: &&String| {
        let fields = state.own_app(id).and_then(|app| app.subscription.as_ref()).map(|sub| &sub.fields);
        fields.is_some_and(|fields| fields.iter().any(|have| have == field))
    };
    waba_in(state, body).map(|waba| waba.own_subscribed.iter().filter(has_field).cloned().collect()).unwrap_or_default()
}

/// Whether the operator's app has to do with the account.
fn is_operators(state: &State, body: &Value) -> bool {
    waba_in(state, body).is_none_or(|waba| waba.shared || waba.subscribed.is_some())
}

/// Takes up what a former process left. Without a runtime there is nothing to send with.
pub(super) fn resume(sandbox: &Sandbox) {
    if tokio::runtime::Handle::try_current().is_ok() {
        send(sandbox, sandbox.read(|state| state.outbox.clone()));
    }
}

async fn deliver(sandbox: &Sandbox, delivery: Delivery) {
    let wait = u64::try_from(delivery.due_ms - sandbox.now_ms()).unwrap_or(0);
    tokio::time::sleep(Duration::from_millis(wait.min(2 * DELAY_MS.unsigned_abs()))).await;
    let body = delivery.body.to_string();
    for attempt in 0..TRIES {
        let Some((url, secret)) = sandbox.read(|state| delivery.to(state)) else { break };
        if post(sandbox, url, &secret, &body).await {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1 << attempt)).await;
    }
    let done = sandbox.change(|state| state.outbox.retain(|other| other.id != delivery.id));
    if let Err(error) = done {
        tracing::error!(%error, "the sandbox's state could not be written");
    }
}

async fn post(sandbox: &Sandbox, url: Url, secret: &str, body: &str) -> bool {
    let signature = sign(secret, body.as_bytes());
    let Ok(request) = sandbox.inner.outbound.request(http::Method::POST, url) else { return false };
    let request = request
        .header("content-type", "application/json")
        .header("x-hub-signature-256", format!("sha256={signature}"))
        .body(body.to_owned());
    match request.send().await {
        Ok(response) => response.status() == 200,
        Err(error) => {
            tracing::warn!(error = %error.without_url(), "a webhook of the sandbox was not taken");
            false
        }
    }
}

/// HMAC-SHA256 in hexadecimal.
pub(super) fn sign(key: &str, message: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(message);
    hex::encode(mac.finalize().into_bytes())
}

/// The handshake: the callback must answer the challenge.
///
/// # Errors
/// What went wrong, in words for the error's message.
pub(super) async fn handshake(sandbox: &Sandbox, callback: &str, verify_token: &str) -> Result<(), String> {
    let mut url: Url = callback.parse().map_err(|_| "the callback is not a URL".to_owned())?;
    let challenge = rand::random_range(1_000_000_000_u64..10_000_000_000).to_string();
    url.query_pairs_mut()
        .append_pair("hub.mode", "subscribe")
        .append_pair("hub.challenge", &challenge)
        .append_pair("hub.verify_token", verify_token);
    let request = sandbox.inner.outbound.request(http::Method::GET, url).map_err(|refused| refused.to_string())?;
    let response = request.send().await.map_err(|error| format!("{}", error.without_url()))?;
    if response.status() != 200 {
        return Err(format!("HTTP Status Code = {}", response.status().as_u16()));
    }
    let body = read_capped(response).await.map_err(|error| error.to_string())?;
    if body == challenge.as_bytes() { Ok(()) } else { Err("the answer is not the challenge".to_owned()) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn signs_as_documented() {
        // RFC 4231, test case 2.
        assert_eq!(
            super::sign("Jefe", b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
