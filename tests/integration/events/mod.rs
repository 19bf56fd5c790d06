//! Event pages, the export on the command line, and how long things are kept.

mod charted;
mod exported;
mod kept;
mod live;
mod messages;
mod pages;
mod sent_again;

use crate::support::*;
use doorway::{accounts::Role, store::query};
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use serde_json::{Value, json};

fn signature(body: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(APP_SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// Posts a body as Meta does.
async fn post(nobody: &Browser, body: &str) {
    let request = nobody.request(Method::POST, "/webhooks/whatsapp").header("content-type", "application/json");
    let request = request.header("x-hub-signature-256", signature(body)).body(body.to_owned());
    assert_eq!(nobody.send(request).await.status, 200);
}

/// The ends of a connected number.
struct Number {
    waba: String,
    id: String,
}

impl Number {
    fn of(signup: &Value) -> Self {
        Self { waba: id(signup, "waba_ids", 0), id: id(signup, "phone_number_ids", 0) }
    }

    fn entry(&self, changes: &[Value]) -> Value {
        json!({"object": "whatsapp_business_account", "entry": [{"id": self.waba, "changes": changes}]})
    }

    fn change(&self, mut value: Value) -> Value {
        value["messaging_product"] = json!("whatsapp");
        value["metadata"] = json!({"display_phone_number": "15550001234", "phone_number_id": self.id});
        json!({"value": value, "field": "messages"})
    }

    /// A text from this person.
    fn text(&self, message: &str, name: &str, from: &str, text: &str) -> Value {
        self.change(json!({
            "contacts": [{"profile": {"name": name}, "wa_id": from}],
            "messages": [{"from": from, "id": message, "timestamp": "1700000000", "type": "text", "text": {"body": text}}],
        }))
    }

    /// That a message has this status.
    fn status(&self, message: &str, status: &str, to: &str) -> Value {
        let mut one = json!({"id": message, "status": status, "timestamp": "1700000000", "recipient_id": to});
        if status == "failed" {
            one["errors"] = json!([{"code": 131_026, "title": "Message undeliverable"}]);
        }
        self.change(json!({"statuses": [one]}))
    }
}

/// Everything that was taken in has become events.
async fn routed(store: &doorway::store::Store) {
    eventually("the webhooks to be routed", || async {
        let open = "SELECT (SELECT value FROM counters WHERE name = 'intake') \
                    - (SELECT value FROM counters WHERE name = 'routed') AS n";
        let n = query(open).one(&mut store.read().await.unwrap(), |row| row.int("n")).await.unwrap();
        (n == 0).then_some(())
    })
    .await;
}

/// The events' IDs on a page, in order.
fn ids(page: &Page) -> Vec<String> {
    page.text.split("data-event=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// Meta's own word about what was connected comes half a second later, and would come between.
async fn settled(world: &World) {
    eventually("Meta's webhooks about what was shared", || async {
        let state = world.meta.control(Method::GET, "state", json!({})).await;
        (state["webhooks_waiting"] == 0).then_some(())
    })
    .await;
    routed(&world.portal.store).await;
}
