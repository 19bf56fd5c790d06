//! The button that registers callback and fields.

use super::*;
use doorway::backoffice::{NEEDED_FIELDS, RECOMMENDED_FIELDS};

on_both_engines!(fresh_and_again, a_callback_that_meta_cannot_reach);

async fn subscription(world: &World) -> Value {
    world.meta.control(Method::GET, "state", json!({})).await["app"]["subscription"].clone()
}

fn has(subscription: &Value, field: &str) -> bool {
    subscription["fields"].as_array().is_some_and(|all| all.iter().any(|one| one == field))
}

async fn fresh_and_again(db: Database) {
    let world = empty(db).await;
    let admin = world.staff(Role::Admin).await;
    let refused = admin.post("/backoffice/settings/webhooks", &[]).await;
    says(&refused, &["App ID, App Secret and verify token come first"]);
    world.meta.control(Method::POST, "dashboard", json!({"subscribed": false})).await;
    save(&admin, &right()).await;
    assert_eq!(line(&admin.get(PATH).await, "webhooks.callback").0, "red");
    assert_eq!(admin.post("/backoffice/settings/webhooks", &[]).await.location(), "/backoffice/settings#check");
    let page = admin.get(PATH).await;
    says(&page, &["Callback and fields are registered at Meta."]);
    for id in ["webhooks.callback", "webhooks.fields", "webhooks.recommended"] {
        assert_eq!(line(&page, id).0, "green", "{id}");
    }
    let made = subscription(&world).await;
    assert_eq!(made["callback_url"], world.listening.join("/webhooks/whatsapp").unwrap().as_str());
    for field in NEEDED_FIELDS.iter().chain(&RECOMMENDED_FIELDS) {
        assert!(has(&made, field), "{field}");
    }
    // What somebody subscribed by hand stays, whether Meta adds to the list or replaces it.
    let http = Browser::new(&world.meta.url);
    let (path, token) = (format!("/v25.0/{APP_ID}/subscriptions"), format!("{APP_ID}|{APP_SECRET}"));
    let word = world.listening.join("/webhooks/whatsapp").unwrap();
    let token_of_ours = page.text.split("data-copy=\"").map(|rest| rest.split('"').next().unwrap()).last().unwrap();
    let form = [
        ("object", "whatsapp_business_account"),
        ("callback_url", word.as_str()),
        ("verify_token", token_of_ours),
        ("fields", "calls"),
    ];
    let by_hand = http.send(http.request(Method::POST, &path).bearer_auth(&token).form(&form)).await;
    assert_eq!(by_hand.status, 200, "{}", by_hand.text);
    for replaces in [false, true] {
        world.meta.control(Method::POST, "dashboard", json!({ "replaces_fields": replaces })).await;
        assert_eq!(admin.post("/backoffice/settings/webhooks", &[]).await.status, 303);
        let now = subscription(&world).await;
        assert!(has(&now, "calls") && has(&now, "messages"), "{now}");
    }
    // A field that this app may not have is named, and the others are there.
    let knobs = json!({"subscribed": false, "refused_fields": ["history"], "replaces_fields": false});
    world.meta.control(Method::POST, "dashboard", knobs).await;
    assert_eq!(admin.post("/backoffice/settings/webhooks", &[]).await.status, 303);
    says(&admin.get(PATH).await, &["registered at Meta, except history"]);
    let now = subscription(&world).await;
    assert!(has(&now, "security") && has(&now, "messages") && !has(&now, "history"), "{now}");
    assert_eq!(audit_count(&world, "meta.webhooks_registered").await, 4);
}

async fn a_callback_that_meta_cannot_reach(db: Database) {
    let world = World::with(db, |config| {
        config.public_url = format!("http://localhost:{}", free_port()).parse().unwrap();
    })
    .await;
    let email = "ada@operator.example";
    let accounts = &world.portal.accounts;
    accounts.create_user(&email.parse().unwrap(), "Ada", PASSWORD.into(), Role::Admin, None).await.unwrap();
    let admin = Browser::new(&world.listening);
    assert_eq!(admin.sign_in(email, PASSWORD).await.status, 303);
    let refused = admin.post("/backoffice/settings/webhooks", &[]).await;
    assert_eq!(refused.status, 422);
    says(
        &refused,
        &[
            "The webhooks are not registered",
            "Meta could not reach the callback address",
            "code 2200",
            "Verify and save",
        ],
    );
    assert_eq!(audit_count(&world, "meta.webhooks_registered").await, 0);
    assert_eq!(line(&refused, "webhooks.callback").0, "red", "it was checked again");
}
