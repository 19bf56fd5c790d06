//! What goes to Graph: how many round trips, and where the secrets stand.

use super::*;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::time::Duration;

on_both_engines!(
    four_round_trips_from_code_to_subscribed,
    secrets_stand_in_headers_and_bodies_alone,
    the_code_of_the_sdk_is_exchanged_as_documented,
);

/// A finished signup with one number; the calls it took, in order.
async fn calls(world: &World, scenarios: &[&str]) -> Vec<Call> {
    let browser = world.customer("Harbour Bakery").await;
    let attempt = browser.begin().await;
    let signup = world.meta.signup(scenarios).await;
    attempt.code(&signup).await;
    attempt.event(&signup).await;
    attempt.is_done().await;
    world.meta.calls()
}

async fn four_round_trips_from_code_to_subscribed(db: Database) {
    let world = World::start(db).await;
    // So that calls made side by side are seen to overlap.
    world.meta.slow_down(Duration::from_millis(120));
    let all = calls(&world, &[]).await;
    let ends = all.iter().position(|call| call.path.ends_with("/subscribed_apps")).unwrap();
    let until_subscribed = &all[..=ends];
    assert!(sequential(until_subscribed) <= 4, "{until_subscribed:#?}");
    let number = world.column("SELECT phone_number_id FROM phone_numbers", "phone_number_id").await.unwrap();
    let waba = world.column("SELECT waba_id FROM wabas", "waba_id").await.unwrap();
    let paths: Vec<String> =
        all.iter().map(|call| format!("{} {}", call.method, &call.path["/v25.0/".len()..])).collect();
    assert_eq!(paths[0], "POST oauth/access_token");
    assert_eq!(paths[1], "GET debug_token");
    assert_eq!(both(&paths[2..4]), both(&[format!("GET {waba}"), format!("GET {waba}/phone_numbers")]));
    assert_eq!(paths[4], format!("POST {waba}/subscribed_apps"));
    assert_eq!(both(&paths[5..]), both(&[format!("GET {number}"), format!("GET {waba}/phone_numbers")]));
    assert_eq!(sequential(&all[5..]), 1, "numbers and health are read side by side");
    let seen = world.meta.control(http::Method::GET, "requests", json!({})).await;
    let seen = seen["requests"].as_array().unwrap();
    assert_eq!(seen.len(), all.len());
    assert!(seen.iter().all(|call| call["status"] == 200), "no call is made in vain: {seen:?}");
}

/// Two that are made side by side come in either order.
fn both(paths: &[String]) -> std::collections::BTreeSet<String> {
    assert_eq!(paths.len(), 2, "{paths:?}");
    paths.iter().cloned().collect()
}

async fn secrets_stand_in_headers_and_bodies_alone(db: Database) {
    let world = World::start(db).await;
    let all = calls(&world, &["several_numbers"]).await;
    let exchange = &all[0];
    let answer: Value = serde_json::from_str(&exchange.answer).unwrap();
    let token = answer["access_token"].as_str().unwrap();
    let code = exchange.in_form("code").unwrap();
    assert!(all.len() > 5);
    for call in &all {
        let url = format!("{}?{}", call.path, call.query);
        for secret in [APP_SECRET, SYSTEM_TOKEN, code.as_str()] {
            assert!(!url.contains(secret), "{url}");
        }
        let excepted = call.in_query("input_token").as_deref() == Some(token) && call.path.ends_with("/debug_token");
        assert!(excepted || !url.contains(token), "{url}");
        if call.path.ends_with("/oauth/access_token") {
            continue;
        }
        let bearer = call.authorization.as_deref().unwrap().strip_prefix("Bearer ").unwrap();
        assert!(call.in_query("access_token").is_none());
        let mut mac = Hmac::<Sha256>::new_from_slice(APP_SECRET.as_bytes()).unwrap();
        mac.update(bearer.as_bytes());
        let proof = hex::encode(mac.finalize().into_bytes());
        let given = call.in_query("appsecret_proof").or_else(|| call.in_form("appsecret_proof"));
        assert_eq!(given.as_deref(), Some(proof.as_str()), "{} {}", call.method, call.path);
    }
}

/// Meta: the exchange of a code from the SDK has no `redirect_uri`.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/implementation>
async fn the_code_of_the_sdk_is_exchanged_as_documented(db: Database) {
    let world = World::start(db).await;
    let all = calls(&world, &[]).await;
    let exchange = &all[0];
    assert_eq!((exchange.method.as_str(), exchange.query.as_str()), ("POST", ""));
    assert!(exchange.content_type.starts_with("application/x-www-form-urlencoded"));
    assert!(exchange.authorization.is_none());
    assert_eq!(exchange.in_form("client_secret").as_deref(), Some(APP_SECRET));
    assert!(exchange.in_form("client_id").is_some() && exchange.in_form("code").is_some());
    assert_eq!(exchange.in_form("redirect_uri"), None);
}
