//! The code got lost: the event alone proves nothing, Meta's webhook and our own system token do.

use super::*;
use doorway::config::Config;

on_both_engines!(
    is_recovered_by_the_webhook_and_the_system_token,
    is_not_recovered_without_a_system_token,
    is_not_recovered_while_another_customer_is_at_it,
    is_not_recovered_while_another_customer_chooses,
    is_not_recovered_where_the_business_is_another_customers,
    is_not_recovered_for_another_business,
    is_not_recovered_without_a_webhook,
    is_not_recovered_by_a_webhook_from_before,
    is_not_recovered_by_a_guess_that_is_repeated,
    the_code_may_still_come_late,
);

/// The event came, the code did not, and the window is closed.
async fn event_only(world: &World, browser: &Browser) -> (Attempt, Value) {
    let attempt = browser.begin().await;
    let signup = world.meta.signup(&["code_lost"]).await;
    assert!(signup["code"].is_null());
    attempt.event(&signup).await;
    attempt.closed().await;
    (attempt, signup)
}

/// The webhook has come and was read, and still nobody has got anything.
async fn webhook_was_read(world: &World) {
    let waiting = "SELECT (SELECT value FROM counters WHERE name = 'intake') - (SELECT value FROM counters WHERE name = 'routed') AS n";
    eventually("the webhooks", || async {
        let sent = world.meta.control(http::Method::GET, "state", json!({})).await["webhooks_waiting"] == 0;
        let read = world.number(waiting, "n").await == Some(0);
        let kept = world.number("SELECT count(*) AS n FROM partner_events", "n").await > Some(0);
        (sent && read && kept).then_some(())
    })
    .await;
}

async fn stays_lost(world: &World, attempt: &Attempt) {
    // Looked at once more after the webhook, and then for as long as it is waited for.
    world.advance(2);
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    assert_eq!(attempt.page().await.attempt().0, "working");
    world.advance(30);
    attempt.ends("failed", "code_missing").await;
    assert!(!world.meta.calls().iter().any(|call| call.path.contains("system_user_access_tokens")));
    assert_eq!(world.number("SELECT count(*) AS n FROM connections", "n").await, Some(0));
}

fn without_system_token(config: &mut Config) {
    config.meta.system_token = None;
}

/// Somebody who knows the IDs says them long before Meta does, and again, with others in between, when Meta does.
async fn is_not_recovered_by_a_guess_that_is_repeated(db: Database) {
    let world = World::start(db).await;
    let known = world.meta.signup(&["code_lost"]).await;
    webhook_was_read(&world).await;
    world.advance(60);
    let browser = world.customer("Harbour Bakery").await;
    let attempt = browser.begin().await;
    attempt.event(&known).await;
    world.advance(600);
    let again = json!({"kind": "partner_added", "waba_id": known["waba_ids"][0]});
    world.meta.control(http::Method::POST, "webhooks", again).await;
    eventually("the second webhook", || async {
        (world.number("SELECT count(*) AS n FROM partner_events", "n").await == Some(2)).then_some(())
    })
    .await;
    let mut other = known.clone();
    other["event"]["data"]["waba_id"] = json!("123456789012345");
    attempt.event(&other).await;
    attempt.event(&known).await;
    attempt.closed().await;
    world.advance(30);
    attempt.ends("failed", "code_missing").await;
    assert!(!world.meta.calls().iter().any(|call| call.path.contains("system_user_access_tokens")));
}

async fn is_recovered_by_the_webhook_and_the_system_token(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (attempt, signup) = event_only(&world, &browser).await;
    attempt.is_done().await;
    let fetched = world.meta.called("system_user_access_tokens").await;
    assert_eq!(fetched.path, format!("/v25.0/{}/system_user_access_tokens", signup["business_id"].as_str().unwrap()));
    assert_eq!(fetched.authorization, Some(format!("Bearer {SYSTEM_TOKEN}")));
    assert!(!fetched.query.contains("EAA") && fetched.in_form("fetch_only").as_deref() == Some("true"));
    assert_eq!(world.meta.waba(&id(&signup, "waba_ids", 0)).await["subscribed"], true);
}

async fn is_not_recovered_without_a_system_token(db: Database) {
    let world = World::with(db, without_system_token).await;
    let browser = world.customer("Harbour Bakery").await;
    let (attempt, _) = event_only(&world, &browser).await;
    webhook_was_read(&world).await;
    stays_lost(&world, &attempt).await;
}

/// It could be theirs: somebody may have read the event over their shoulder.
async fn is_not_recovered_while_another_customer_is_at_it(db: Database) {
    let world = World::start(db).await;
    let (browser, other) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    other.begin().await;
    let (attempt, _) = event_only(&world, &browser).await;
    webhook_was_read(&world).await;
    stays_lost(&world, &attempt).await;
}

/// The account is another customer's, who has only not chosen yet.
async fn is_not_recovered_while_another_customer_chooses(db: Database) {
    let world = World::start(db).await;
    let (victim, thief) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    let planted = thief.begin().await;
    let attempt = victim.begin().await;
    let signup = world.meta.signup(&["several_wabas"]).await;
    attempt.bring_all(&signup).await;
    attempt.ends("choose", "choosing").await;
    webhook_was_read(&world).await;
    // Not the one that the victim's own event named.
    let mut event = signup.clone();
    event["event"]["data"]["waba_id"] = signup["waba_ids"][1].clone();
    planted.event(&event).await;
    planted.closed().await;
    stays_lost(&world, &planted).await;
    attempt.ends("choose", "choosing").await;
}

/// One account of the business is connected by another customer; the token would open that one too.
async fn is_not_recovered_where_the_business_is_another_customers(db: Database) {
    let world = World::start(db).await;
    let (victim, thief) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    let planted = thief.begin().await;
    let attempt = victim.begin().await;
    let signup = world.meta.signup(&["several_wabas"]).await;
    attempt.bring_all(&signup).await;
    attempt.ends("choose", "choosing").await;
    victim.post(&format!("{}/choose", attempt.url), &[("waba", &id(&signup, "waba_ids", 0))]).await;
    attempt.is_done().await;
    webhook_was_read(&world).await;
    let mut event = signup.clone();
    event["event"]["data"]["waba_id"] = signup["waba_ids"][1].clone();
    planted.event(&event).await;
    planted.closed().await;
    world.advance(30);
    planted.ends("failed", "code_missing").await;
    assert!(!world.meta.calls().iter().any(|call| call.path.contains("system_user_access_tokens")));
}

async fn is_not_recovered_for_another_business(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let attempt = browser.begin().await;
    let mut signup = world.meta.signup(&["code_lost"]).await;
    let other = world.meta.signup(&[]).await;
    signup["event"]["data"]["business_id"] = other["business_id"].clone();
    attempt.event(&signup).await;
    attempt.closed().await;
    webhook_was_read(&world).await;
    stays_lost(&world, &attempt).await;
}

async fn is_not_recovered_without_a_webhook(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    // Nothing was shared: permissions declined means no webhook.
    let attempt = browser.begin().await;
    let signup = world.meta.signup(&["code_lost", "permissions_declined"]).await;
    attempt.event(&signup).await;
    attempt.closed().await;
    stays_lost(&world, &attempt).await;
    assert_eq!(world.number("SELECT count(*) AS n FROM partner_events", "n").await, Some(0));
}

/// The account was shared before this attempt began: whoever did that is somebody else.
async fn is_not_recovered_by_a_webhook_from_before(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let signup = world.meta.signup(&["code_lost"]).await;
    webhook_was_read(&world).await;
    // By more than two clocks may differ.
    world.advance(15);
    let attempt = browser.begin().await;
    attempt.event(&signup).await;
    attempt.closed().await;
    stays_lost(&world, &attempt).await;
}

async fn the_code_may_still_come_late(db: Database) {
    let world = World::with(db, without_system_token).await;
    let browser = world.customer("Harbour Bakery").await;
    let (attempt, _) = event_only(&world, &browser).await;
    world.advance(30);
    attempt.ends("failed", "code_missing").await;
    let late = world.meta.signup(&[]).await;
    attempt.code(&late).await;
    attempt.is_done().await;
}
