//! Callbacks out: planned exactly once, delivered at least once, in order, until they arrive.

mod chosen;
mod killed;
mod order;
mod pause;
mod processes;
mod receipts;
mod receiver;
mod replay;
mod retries;
mod slow;
mod ssrf;
mod tenants;
mod upkeep;

use crate::support::*;
use doorway::{
    accounts::{Role, User},
    base::ids::{CustomerId, EndpointId},
    forwarding::{Delivery, DeliveryState, Format, NewEndpoint},
    store::query,
    webhooks::Kind,
};
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use receiver::{Answer, Got, Receiver};
use serde_json::{Value, json};
use sha2::Sha256;
use url::Url;

/// As Meta posts it.
async fn post(portal: &Browser, body: &Value) -> u16 {
    let body = body.to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(APP_SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    let request = portal.request(Method::POST, "/webhooks/whatsapp").header("content-type", "application/json");
    let answer = portal.try_send(request.header("x-hub-signature-256", signature).body(body)).await;
    answer.map_or(0, |page| page.status.as_u16())
}

/// A message from this person, in a body of its own.
fn message(waba: &str, number: &str, from: &str, id: &str) -> Value {
    let message = json!({"from": from, "id": format!("wamid.{id}"), "timestamp": "1750000000", "type": "text", "text": {"body": "hello"}});
    change(waba, number, &json!({"messages": [message]}))
}

/// A status of a message.
fn status(waba: &str, number: &str, to: &str, id: &str, status: &str) -> Value {
    let status = json!({"id": format!("wamid.{id}"), "status": status, "timestamp": "1750000000", "recipient_id": to});
    change(waba, number, &json!({"statuses": [status]}))
}

fn change(waba: &str, number: &str, told: &Value) -> Value {
    let mut value = json!({"messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550783881", "phone_number_id": number}});
    value.as_object_mut().unwrap().extend(told.as_object().unwrap().clone());
    json!({
        "object": "whatsapp_business_account",
        "entry": [{"id": waba, "changes": [{"field": "messages", "value": value}]}],
    })
}

/// A customer with a connected number.
struct Customer {
    id: CustomerId,
    user: User,
    browser: Browser,
    waba: String,
    number: String,
}

impl Customer {
    async fn new(world: &World, company: &str) -> Self {
        let email = create(&world.portal.accounts, Role::Customer, company).await;
        let browser = world.signed_in(&email).await;
        let (_, signup) = world.connect(&browser, &[]).await;
        let user = world.portal.accounts.user_by_email(&email.parse().unwrap()).await.unwrap().unwrap();
        Self {
            id: user.customer_id.unwrap(),
            user,
            browser,
            waba: id(&signup, "waba_ids", 0),
            number: id(&signup, "phone_number_ids", 0),
        }
    }

    /// An endpoint for messages and statuses.
    async fn endpoint(&self, world: &World, url: &Url, format: Format) -> EndpointId {
        let kinds = Some(vec![Kind::MessageReceived, Kind::MessageStatus]);
        self.endpoint_for(world, Some(url.clone()), format, kinds).await
    }

    async fn endpoint_for(
        &self,
        world: &World,
        url: Option<Url>,
        format: Format,
        kinds: Option<Vec<Kind>>,
    ) -> EndpointId {
        let new = NewEndpoint {
            customer: self.id,
            name: "Server".to_owned(),
            url,
            format,
            kinds,
            wabas: None,
            numbers: None,
            secret: None,
            verify_token: Some("word".into()),
        };
        world.portal.forwarding.create(&self.user, new).await.unwrap()
    }

    /// Somebody writes to it.
    async fn hears(&self, world: &World, from: &str, id: &str) {
        let body = message(&self.waba, &self.number, from, id);
        assert_eq!(post(&world.anonymous(), &body).await, 200);
    }
}

/// All deliveries of an endpoint, by number.
async fn deliveries(world: &World, endpoint: EndpointId) -> Vec<Delivery> {
    let mut all = world.portal.forwarding.latest(endpoint, i64::MAX, 100_000).await.unwrap();
    all.reverse();
    all
}

/// They have the numbers from 1 on, without a gap.
fn gapless(all: &[Delivery]) {
    let numbers: Vec<i64> = all.iter().map(|delivery| delivery.number).collect();
    assert_eq!(numbers, (1..=all.len() as i64).collect::<Vec<_>>());
}

/// Waits until these deliveries are in this state.
async fn all_in(world: &World, endpoint: EndpointId, n: usize, state: DeliveryState) -> Vec<Delivery> {
    let began = std::time::Instant::now();
    loop {
        let all = deliveries(world, endpoint).await;
        if all.iter().filter(|delivery| delivery.state == state).count() == n {
            return all;
        }
        if began.elapsed() > PATIENCE {
            let others: Vec<&Delivery> = all.iter().filter(|delivery| delivery.state != state).collect();
            let some = &others[..others.len().min(3)];
            panic!("{} of {} are not {state:?}, not in {PATIENCE:?}: {some:#?}", others.len(), all.len());
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
}

/// The messages that calls tell, in the order in which they came.
fn messages(got: &[Got]) -> Vec<String> {
    got.iter().map(|got| got.message.clone()).collect()
}
