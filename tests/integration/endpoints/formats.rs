//! What people write reaches a customer's servers, in each format, files and all.

use super::*;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::Method;
use serde_json::{Value, json};
use server::{Handshake, WORD};

on_both_engines!(
    what_people_write_arrives_in_each_format,
    a_file_comes_along_and_one_that_is_not_to_be_had_loses_no_message
);

async fn endpoint(browser: &Browser, format: &str) -> Server {
    let server = Server::start(Handshake::Answered).await;
    let fields = [("name", format), ("to", "url"), ("url", &server.url), ("format", format), ("verify_token", WORD)];
    made(browser, &fields).await;
    server
}

/// The bodies that came, once there are so many.
async fn came(server: &Server, number: usize) -> Vec<Value> {
    eventually("the calls", || async {
        let calls = server.calls.lock().unwrap();
        (calls.len() >= number).then(|| calls.iter().map(|(_, body)| serde_json::from_slice(body).unwrap()).collect())
    })
    .await
}

async fn send(world: &World, body: Value) -> Value {
    world.meta.control(Method::POST, "webhooks", body).await
}

/// What Meta told of the signup itself has come and is the customer's: endpoints that are made now don't hear of it.
async fn signup_was_told(world: &World) {
    eventually("what Meta tells of the signup", || async {
        let waiting = world.meta.control(Method::GET, "state", json!({})).await["webhooks_waiting"].as_i64();
        let unrouted = "SELECT (SELECT value FROM counters WHERE name = 'intake') \
                        - (SELECT value FROM counters WHERE name = 'routed') AS n";
        let nobodys = "SELECT count(*) AS n FROM event_routes WHERE customer_id IS NULL OR backlog_until IS NOT NULL";
        let left = (waiting, world.number(unrouted, "n").await, world.number(nobodys, "n").await);
        (left == (Some(0), Some(0), Some(0))).then_some(())
    })
    .await;
}

async fn what_people_write_arrives_in_each_format(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (_, signup) = world.connect(&browser, &[]).await;
    signup_was_told(&world).await;
    let (waba, number) = (id(&signup, "waba_ids", 0), id(&signup, "phone_number_ids", 0));
    let (meta, events, mo_dlr) =
        (endpoint(&browser, "meta").await, endpoint(&browser, "events").await, endpoint(&browser, "mo_dlr").await);
    let other = world.customer("Corner Shop").await;
    let stranger = endpoint(&other, "events").await;
    let told = json!({"kind": "message", "phone_id": number, "from": "491701234567", "name": "Petra", "text": "Hallo"});
    let sent = send(&world, told).await;
    let one = &came(&mo_dlr, 1).await[0];
    assert_eq!((&one["id"], &one["source"]), (&sent["message_id"], &json!("491701234567")));
    assert_eq!((&one["content"]["text"], &one["content"]["identity"]["name"]), (&json!("Hallo"), &json!("Petra")));
    let one = &came(&events, 1).await[0];
    assert_eq!((&one["type"], &one["data"]["wabaId"]), (&json!("message.received"), &json!(waba)));
    assert_eq!(one["data"]["text"]["body"], "Hallo");
    // Byte for byte: the change in the body that Meta posted stands in the body that the server got.
    came(&meta, 1).await;
    let intake = world.column("SELECT body FROM intake WHERE body LIKE '%Hallo%'", "body").await.unwrap();
    let got = String::from_utf8(meta.calls.lock().unwrap()[0].1.to_vec()).unwrap();
    let start = got.find(r#""changes":["#).unwrap() + 11;
    assert!(intake.contains(&got[start..got.len() - 4]), "{got}\n{intake}");

    let status = json!({"kind": "status", "phone_id": number, "message_id": "wamid.X", "status": "delivered", "biz_opaque_callback_data": "order-1"});
    send(&world, status).await;
    assert_eq!(came(&mo_dlr, 2).await[1], json!({"id": "wamid.X", "status": "received", "reference": "order-1"}));
    assert_eq!(came(&events, 2).await[1]["data"]["callbackData"], "order-1");
    send(&world, json!({"kind": "quality", "phone_id": number, "status": "TIER_10K"})).await;
    assert_eq!(came(&events, 3).await[2]["type"], "number.quality_changed");
    came(&meta, 3).await;
    assert_eq!(mo_dlr.calls.lock().unwrap().len(), 2, "a limit is neither message nor report");
    assert!(stranger.calls.lock().unwrap().is_empty(), "another customer's server hears nothing");
}

async fn a_file_comes_along_and_one_that_is_not_to_be_had_loses_no_message(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (_, signup) = world.connect(&browser, &[]).await;
    let number = id(&signup, "phone_number_ids", 0);
    let server = endpoint(&browser, "mo_dlr").await;
    let file = b"%PDF not really".repeat(1_000);
    let data = STANDARD.encode(&file);
    let bill = json!({"kind": "message", "phone_id": number, "type": "document", "data": data, "mime_type": "application/pdf", "filename": "bill.pdf"});
    send(&world, bill).await;
    let document = &came(&server, 1).await[0]["content"]["document"];
    assert_eq!((&document["encoding"], &document["mimeType"]), (&json!("base64"), &json!("application/pdf")));
    assert_eq!((&document["fileName"], document["data"].as_str()), (&json!("bill.pdf"), Some(data.as_str())));
    // One that Meta does not know (any more).
    let content = json!({"id": "4711", "mime_type": "image/png", "caption": "Look"});
    send(&world, json!({"kind": "message", "phone_id": number, "type": "image", "content": content})).await;
    let image = &came(&server, 2).await[1]["content"]["image"];
    assert_eq!((&image["encoding"], &image["error"]), (&json!("none"), &json!("gone")));
    assert_eq!((&image["id"], &image["caption"]), (&json!("4711"), &json!("Look")));
}
