//! What a finished window may have brought, besides the usual: each scenario of the sandbox.

use super::*;
use doorway::base::clock::from_ms;

on_both_engines!(
    no_number,
    an_unverified_number,
    a_number_that_stays_in_the_app,
    a_name_that_is_under_review,
    several_numbers,
    permissions_that_did_not_come,
    granular_scopes_without_targets,
    a_code_that_is_expired_already,
    a_token_that_is_revoked_at_once,
    a_token_that_ends_soon,
);

async fn connected(world: &World, scenario: &str) -> (Page, Value) {
    let browser = world.customer("Harbour Bakery").await;
    let (connection, signup) = world.connect(&browser, &[scenario]).await;
    (browser.get(&connection).await, signup)
}

async fn failed(world: &World, scenario: &str, reason: &str) -> Page {
    let browser = world.customer("Harbour Bakery").await;
    let attempt = browser.begin().await;
    let signup = world.meta.signup(&[scenario]).await;
    attempt.bring_all(&signup).await;
    let page = attempt.ends("failed", reason).await;
    assert_eq!(world.number("SELECT count(*) AS n FROM connections", "n").await, Some(0));
    let kept = "SELECT count(*) AS n FROM signup_attempts WHERE code_sealed IS NOT NULL OR token_sealed IS NOT NULL";
    assert_eq!(world.number(kept, "n").await, Some(0), "what can't go on keeps no secret");
    page
}

async fn no_number(db: Database) {
    let world = World::start(db).await;
    let (page, signup) = connected(&world, "no_number").await;
    assert_eq!(signup["phone_number_ids"], json!([]));
    says(&page, &["This account has no number yet", "Add a number to"]);
    assert_eq!(world.meta.waba(&id(&signup, "waba_ids", 0)).await["subscribed"], true);
}

async fn an_unverified_number(db: Database) {
    let world = World::start(db).await;
    let (page, _) = connected(&world, "unverified_number").await;
    says(&page, &["Not confirmed by code"]);
}

async fn a_number_that_stays_in_the_app(db: Database) {
    let world = World::start(db).await;
    let (page, signup) = connected(&world, "coexistence").await;
    assert_eq!(signup["event"]["event"], "FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING");
    says(&page, &["Ready, shared with the app"]);
}

async fn a_name_that_is_under_review(db: Database) {
    let world = World::start(db).await;
    let (page, _) = connected(&world, "display_name_pending").await;
    says(&page, &["Meta is checking the name"]);
}

async fn several_numbers(db: Database) {
    let world = World::start(db).await;
    let (page, signup) = connected(&world, "several_numbers").await;
    assert_eq!(page.text.matches("<li class=\"card\">").count(), 3);
    for number in signup["phone_number_ids"].as_array().unwrap() {
        assert!(page.text.contains(number.as_str().unwrap()));
    }
}

async fn permissions_that_did_not_come(db: Database) {
    let world = World::start(db).await;
    for scenario in ["permissions_declined", "stale_grant"] {
        let page = failed(&world, scenario, "no_whatsapp_permission").await;
        // The token does not tell which cause it is, so all are named, with the way to mend each.
        says(&page, &["Business integrations", "switch", "you have no WhatsApp account", "Continue with Facebook"]);
        assert!(page.text.contains("https://www.facebook.com/settings"));
        says(&page, &["missing: whatsapp_business_management, whatsapp_business_messaging"]);
    }
}

async fn granular_scopes_without_targets(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    // The event says which account it is.
    let (_, signup) = world.connect(&browser, &["granular_without_targets"]).await;
    assert_eq!(world.meta.waba(&id(&signup, "waba_ids", 0)).await["subscribed"], true);
    // Without one, Meta's webhook does, or the business that the token names.
    let other = world.customer("Corner Shop").await;
    let (_, signup) = world.connect(&other, &["granular_without_targets", "event_lost"]).await;
    assert_eq!(world.meta.waba(&id(&signup, "waba_ids", 0)).await["subscribed"], true);
}

async fn a_code_that_is_expired_already(db: Database) {
    let world = World::start(db).await;
    let page = failed(&world, "code_expired_now", "code_expired").await;
    says(&page, &["100", "subcode 36007", "fbtrace_id"]);
}

async fn a_token_that_is_revoked_at_once(db: Database) {
    let world = World::start(db).await;
    let page = failed(&world, "token_revoked", "token_revoked").await;
    says(&page, &["The access ended while we worked"]);
}

async fn a_token_that_ends_soon(db: Database) {
    let world = World::start(db).await;
    connected(&world, "token_expiring_soon").await;
    let days = |ms: Option<i64>| (from_ms(ms.unwrap()) - world.clock.now()).whole_hours() / 24;
    let end = || world.number("SELECT token_expires_at FROM connections", "token_expires_at");
    eventually("the renewal", || async { (days(end().await) == 59).then_some(()) }).await;
    let data = world.number("SELECT data_access_expires_at FROM connections", "data_access_expires_at").await;
    assert_eq!(days(data), 89, "the two ends are kept apart");
}
