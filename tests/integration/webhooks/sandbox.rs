//! What the sandbox sends as Meta does: people write, files can be fetched, statuses and news of accounts come.

use super::{fixtures::connected, *};
use doorway::{
    base::http::{Outbound, Reach},
    graph::{Client, ErrorClass},
    store::query,
};
use std::time::Duration;

on_both_engines!(people_write_and_their_files_are_there, messages_fare_and_accounts_have_news, pages_tell_the_news);

async fn send(world: &World, body: Value) -> Value {
    let answer = world.meta.control(Method::POST, "webhooks", body).await;
    assert_eq!(answer["sent"], true);
    answer
}

/// What was told last, once so many events came of this kind.
async fn event(world: &World, kind: &str, detail: &str) -> Value {
    let body = eventually(&format!("{kind} {detail}"), || async {
        let mut db = world.portal.store.read().await.unwrap();
        query("SELECT i.body FROM events e JOIN intake i ON i.seq = e.id / 1048576 WHERE e.kind = $1 AND e.detail = $2 ORDER BY e.id DESC LIMIT 1")
            .bind(kind)
            .bind(detail)
            .optional(&mut db, |row| row.text("body"))
            .await
            .unwrap()
    })
    .await;
    serde_json::from_str(&body).unwrap()
}

async fn people_write_and_their_files_are_there(db: Database) {
    let world = World::start(db).await;
    let (acme, globex) = (connected(&world, "Acme").await, connected(&world, "Globex").await);
    let told = json!({"kind": "message", "phone_id": acme.number, "from": "+49 170 1234567", "name": "Petra", "text": "Hallo"});
    let answer = send(&world, told).await;
    let body = event(&world, "message.received", "text").await;
    let message = &body["entry"][0]["changes"][0]["value"]["messages"][0];
    assert_eq!((&message["from"], &message["text"]["body"]), (&json!("491701234567"), &json!("Hallo")));
    assert_eq!(message["id"], answer["message_id"]);

    let file = b"\x89PNG not really".repeat(100);
    let data = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &file);
    let sent = send(
        &world,
        json!({"kind": "message", "phone_id": acme.number, "type": "image", "text": "Look",
        "data": data, "mime_type": "image/png"}),
    )
    .await;
    let body = event(&world, "message.received", "image").await;
    let image = &body["entry"][0]["changes"][0]["value"]["messages"][0]["image"];
    assert_eq!((&image["id"], &image["caption"]), (&sent["media_id"], &json!("Look")));
    let id = sent["media_id"].as_str().unwrap();
    let client = Client::new(
        Outbound::new(Reach::Operator, Duration::from_secs(20)),
        world.meta.url.clone(),
        "v25.0".to_owned(),
    );
    let access = async |connection: &str| {
        world.portal.connections.access(connection.parse().unwrap(), &APP_SECRET.into()).await.unwrap()
    };
    let theirs = access(&acme.connection).await;
    let media = client.media(&theirs, id).await.unwrap();
    assert_eq!((media.mime_type.as_str(), media.file_size), ("image/png", Some(file.len() as u64)));
    assert_eq!(media.sha256.as_deref().map(str::len), Some(64));
    assert_eq!(client.download(&theirs, &media.url, file.len()).await.unwrap().as_deref(), Some(file.as_slice()));
    assert_eq!(client.download(&theirs, &media.url, file.len() - 1).await.unwrap(), None, "larger than wanted");
    // Nobody else's token opens it, and none that is not there.
    let others = access(&globex.connection).await;
    assert!(client.media(&others, id).await.is_err());
    assert!(client.download(&others, &media.url, 1 << 20).await.is_err());
    assert!(client.media(&theirs, "1/../me").await.is_err());
    let elsewhere = "https://files.example/x".parse().unwrap();
    assert!(client.download(&theirs, &elsewhere, 1 << 20).await.is_err(), "the token goes to Meta alone");
    world.advance(301);
    let late = client.download(&theirs, &media.url, 1 << 20).await.unwrap_err();
    assert_ne!(late.class(), ErrorClass::Authorization, "an address lives five minutes, which ends no connection");
    assert!(client.media(&theirs, id).await.is_ok(), "the ID lives on");
    world.advance(7 * 86_400);
    assert!(client.media(&theirs, id).await.is_err(), "for seven days");
}

async fn messages_fare_and_accounts_have_news(db: Database) {
    let world = World::start(db).await;
    let theirs = connected(&world, "Acme").await;
    for status in ["sent", "delivered", "read", "failed"] {
        send(&world, json!({"kind": "status", "phone_id": theirs.number, "message_id": "wamid.X", "status": status}))
            .await;
        let body = event(&world, "message.status", status).await;
        assert_eq!(body["entry"][0]["changes"][0]["value"]["statuses"][0]["id"], "wamid.X");
    }
    send(&world, json!({"kind": "quality", "phone_id": theirs.number, "status": "TIER_10K"})).await;
    send(&world, json!({"kind": "template_status", "waba_id": theirs.waba, "name": "order", "status": "PAUSED"})).await;
    send(&world, json!({"kind": "template_quality", "waba_id": theirs.waba, "name": "order", "status": "RED"})).await;
    send(&world, json!({"kind": "template_category", "waba_id": theirs.waba, "name": "order", "status": "MARKETING"}))
        .await;
    send(&world, json!({"kind": "alert", "phone_id": theirs.number, "text": "Look here."})).await;
    send(&world, json!({"kind": "field", "waba_id": theirs.waba, "field": "account_review_update", "value": {"decision": "APPROVED"}})).await;
    event(&world, "account.reviewed", "APPROVED").await;
    event(&world, "account.alert", "INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED").await;
    eventually("the state follows", || async {
        let limit = world.column("SELECT messaging_limit FROM phone_numbers", "messaging_limit").await;
        let template = "SELECT status, quality, category FROM message_templates UNION ALL SELECT '', '', '' WHERE NOT EXISTS (SELECT 1 FROM message_templates)";
        let template = [world.column(template, "status").await, world.column(template, "quality").await, world.column(template, "category").await];
        let want = ["PAUSED", "RED", "MARKETING"].map(|word| Some(word.to_owned()));
        (limit.as_deref() == Some("TIER_10K") && template == want).then_some(())
    })
    .await;
}

async fn pages_tell_the_news(db: Database) {
    let world = World::start(db).await;
    let customer = world.customer("Acme").await;
    let (address, signup) = world.connect(&customer, &[]).await;
    let (waba, number) = (id(&signup, "waba_ids", 0), id(&signup, "phone_number_ids", 0));
    assert!(!customer.get(&address).await.words().contains("Meta has limited"));
    let end = world.clock.now().unix_timestamp() + 86_400;
    let limited = json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": [
        {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": end}]});
    send(&world, json!({"kind": "field", "waba_id": waba, "field": "account_update", "value": limited})).await;
    send(
        &world,
        json!({"kind": "template_status", "waba_id": waba, "name": "order", "status": "REJECTED",
        "value": {"reason": "INVALID_FORMAT"}}),
    )
    .await;
    send(&world, json!({"kind": "alert", "phone_id": number, "text": "<b>Look</b> here."})).await;
    event(&world, "template.status_changed", "REJECTED").await;
    event(&world, "account.updated", "ACCOUNT_RESTRICTION").await;
    event(&world, "account.alert", "INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED").await;
    let support = world.staff(doorway::accounts::Role::Support).await;
    let at = world.column("SELECT customer_id FROM wabas", "customer_id").await.unwrap();
    for page in [customer.get(&address).await, support.get(&format!("/support/customers/{at}")).await] {
        says(
            &page,
            &[
                "Meta has limited this account",
                "You can't write to people first until",
                "Template order (en_US) was rejected",
                "Something about its form is not right",
                "<b>Look</b> here.",
            ],
        );
    }
    // What to do is done here, by the customer; staff have pages of their own.
    let template = world.column("SELECT template_id FROM message_templates WHERE name = 'order'", "template_id").await;
    let mend = format!("{address}/templates/{}", template.unwrap());
    assert!(customer.get(&address).await.text.contains(&format!("href=\"{mend}\"")));
    assert_eq!(customer.get(&mend).await.status, 200);
    assert!(!support.get(&format!("/support/customers/{at}")).await.text.contains(&mend));
    let display = world.column("SELECT display_phone_number FROM phone_numbers", "display_phone_number").await;
    let review =
        json!({"display_phone_number": display, "decision": "REJECTED", "requested_verified_name": "Best Shop"});
    let told = json!({"kind": "field", "waba_id": waba, "field": "phone_number_name_update", "value": review});
    send(&world, told).await;
    event(&world, "number.name_reviewed", "REJECTED").await;
    says(&customer.get(&address).await, &["A display name was declined", "Choose another name"]);
    assert!(customer.get(&address).await.text.contains(&format!("href=\"{address}/numbers/{number}/name\"")));
    let other = world.customer("Globex").await;
    assert_eq!(other.get(&address).await.status, 404);
    world.advance(2 * 86_400);
    let page = customer.get(&address).await;
    assert!(!page.words().contains("Meta has limited"), "the limit is over");
}
