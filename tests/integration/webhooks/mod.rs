//! Meta's webhooks: the handshake, the signature, and that what was answered is kept.

mod fixtures;
mod intake;
mod killed;
mod people;
mod sandbox;
mod state;

use crate::support::*;
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
