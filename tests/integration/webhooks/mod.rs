//! Meta's webhooks: the handshake, the signature, and that what was answered is kept.

mod collisions;
mod duplicates;
mod fixtures;
mod full;
mod intake;
mod killed;
mod linking;
mod odd;
mod people;
mod sandbox;
mod shared;
mod state;

use crate::support::*;
use doorway::store::{Store, query};
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use serde_json::{Value, json};
use sha2::Sha256;

const PATH: &str = "/webhooks/whatsapp";

/// The value of `X-Hub-Signature-256`.
fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// As Meta posts it.
async fn post(portal: &Browser, body: impl Into<Vec<u8>>) -> u16 {
    let body = body.into();
    let signature = signature(APP_SECRET, &body);
    post_signed(portal, body, &signature).await
}

async fn post_signed(portal: &Browser, body: Vec<u8>, signature: &str) -> u16 {
    let mut request = portal.request(Method::POST, PATH).header("content-type", "application/json").body(body);
    if !signature.is_empty() {
        request = request.header("x-hub-signature-256", signature);
    }
    portal.send(request).await.status.as_u16()
}

/// All that was taken in is events.
async fn all_read(world: &World) {
    eventually("all webhooks read", || async {
        let left = "SELECT (SELECT value FROM counters WHERE name = 'intake') - (SELECT value FROM counters WHERE name = 'routed') AS n";
        (world.number(left, "n").await == Some(0)).then_some(())
    })
    .await;
}

/// Meta says that this account was shared with the operator.
fn partner_added(waba: &str) -> Value {
    let value =
        json!({"event": "PARTNER_ADDED", "waba_info": {"waba_id": waba, "owner_business_id": "2729063490586005"}});
    json!({
        "object": "whatsapp_business_account",
        "entry": [{"id": "2949482758682047", "time": 1, "changes": [{"field": "account_update", "value": value}]}],
    })
}

/// One change of a WABA.
fn change_of(waba: &str, field: &str, value: Value) -> Value {
    let changes = json!([{"field": field, "value": value}]);
    json!({"object": "whatsapp_business_account", "entry": [{"id": waba, "changes": changes}]})
}

/// Statuses of messages that a number sent: message and status.
fn statuses(number: &str, all: &[(&str, &str)]) -> Value {
    let all: Vec<Value> = all
        .iter()
        .map(|(id, status)| json!({"id": id, "status": status, "timestamp": "1750263773", "recipient_id": "16505551234"}))
        .collect();
    let metadata = json!({"display_phone_number": "15550783881", "phone_number_id": number});
    let value = json!({"messaging_product": "whatsapp", "metadata": metadata, "statuses": all});
    change_of("102290129340398", "messages", value)
}

/// A message that a number got.
fn message(waba: &str, number: &str, id: &str) -> Value {
    let text =
        json!({"from": "16505551234", "id": id, "timestamp": "1750263773", "type": "text", "text": {"body": "Hi"}});
    let metadata = json!({"display_phone_number": "15550783881", "phone_number_id": number});
    change_of(waba, "messages", json!({"messaging_product": "whatsapp", "metadata": metadata, "messages": [text]}))
}

/// A number of the only row that the statement gives.
async fn number_in(store: &Store, sql: &'static str) -> i64 {
    query(sql).one(&mut store.read().await.unwrap(), |row| row.int("n")).await.unwrap()
}

const UNROUTED: &str = "SELECT (SELECT value FROM counters WHERE name = 'intake') - \
                        (SELECT value FROM counters WHERE name = 'routed') AS n";

/// Waits until all that was kept is routed.
async fn routed(store: &Store) {
    eventually("all of them routed", || async { (number_in(store, UNROUTED).await == 0).then_some(()) }).await;
}

const EVENTS: &str = "SELECT count(*) AS n FROM events";
const DUPLICATES: &str = "SELECT CAST(coalesce(sum(n), 0) AS BIGINT) AS n FROM event_minutes WHERE kind = 'duplicate'";
