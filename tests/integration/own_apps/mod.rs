//! Connections through Meta apps of the customers' own.

mod by_hand;
mod changes;
mod isolation;

use crate::support::*;
use doorway::accounts::Role;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use serde_json::{Value, json};
use sha2::Sha256;

/// The value of `X-Hub-Signature-256`.
fn signature(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// As an app that signs with this secret posts it to this address.
async fn post(portal: &Browser, path: &str, secret: &str, body: &Value) -> u16 {
    let body = body.to_string();
    let request = portal.request(Method::POST, path).header("x-hub-signature-256", signature(secret, &body)).body(body);
    portal.send(request).await.status.as_u16()
}

/// A number in an app's answer of the sandbox, a text anywhere in it.
fn text<'a>(app: &'a Value, name: &str) -> &'a str {
    app[name].as_str().unwrap_or_else(|| panic!("no {name} in {app}"))
}

/// A customer's app at Meta, with an account of theirs.
async fn app(world: &World) -> Value {
    world.meta.control(Method::POST, "apps", json!({})).await
}

/// What is typed to add a connection through an app; without ID and secret for `false`.
fn fields(app: &Value, with_secret: bool) -> Vec<(&str, &str)> {
    let mut fields = vec![("waba_id", text(app, "waba_id")), ("token", text(app, "token"))];
    if with_secret {
        fields.extend([("app_id", text(app, "app_id")), ("app_secret", text(app, "app_secret"))]);
    }
    fields
}

/// Adds a connection through an app: the page of it, and the path of its callback.
async fn add(browser: &Browser, app: &Value) -> (String, String) {
    browser.get("/connections/own-app").await;
    let added = browser.post("/connections/own-app", &fields(app, true)).await;
    let page = added.location().to_owned();
    let callback = callback_in(&browser.get(&page).await);
    (page, callback)
}

/// The path of the callback that a page shows.
fn callback_in(page: &Page) -> String {
    let (_, rest) = page.text.split_once("/webhooks/whatsapp/").unwrap_or_else(|| panic!("{}", page.words()));
    let key: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
    format!("/webhooks/whatsapp/{key}")
}

/// A message to a number, as Meta tells it.
fn message(waba: &str, phone: &str, id: &str) -> Value {
    let message =
        json!({"from": "491701234567", "id": id, "timestamp": "1790000000", "type": "text", "text": {"body": "Hello"}});
    let value = json!({"messaging_product": "whatsapp", "metadata": {"phone_number_id": phone},
        "contacts": [{"profile": {"name": "Ann"}, "wa_id": "491701234567"}], "messages": [message]});
    json!({"id": waba, "changes": [{"field": "messages", "value": value}]})
}

fn body(entries: &[Value]) -> Value {
    json!({"object": "whatsapp_business_account", "entry": entries})
}

/// All that was taken in is events.
async fn all_read(world: &World) {
    eventually("all webhooks read", || async {
        let left = "SELECT (SELECT value FROM counters WHERE name = 'intake') - (SELECT value FROM counters WHERE name = 'routed') AS n";
        (world.number(left, "n").await == Some(0)).then_some(())
    })
    .await;
}

/// How many events a company has.
async fn events_of(world: &World, company: &'static str) -> i64 {
    let mut db = world.portal.store.read().await.unwrap();
    doorway::store::query(
        "SELECT count(*) AS n FROM events e JOIN event_routes r ON r.id = e.route_id \
         JOIN customers c ON c.id = r.customer_id WHERE c.name = $1",
    )
    .bind(company)
    .one(&mut db, |row| row.int("n"))
    .await
    .unwrap()
}
