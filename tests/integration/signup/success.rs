//! Both halves come, in either order, or the code alone.

use super::*;

on_both_engines!(
    code_then_event,
    event_then_code,
    code_alone,
    a_repeated_request_changes_nothing,
    the_page_keeps_its_address_and_tells_each_step,
    no_app_id_is_told_kindly_and_exactly,
);

/// What must be so after every success.
async fn is_connected(world: &World, browser: &Browser, attempt: &Attempt, signup: &Value) {
    let connection = browser.get(&attempt.connection().await).await;
    assert_eq!(connection.status, 200);
    let phone = world.meta.phone(&id(signup, "phone_number_ids", 0)).await;
    says(&connection, &["Connected", phone["verified_name"].as_str().unwrap(), "Not registered yet"]);
    let waba = world.meta.waba(&id(signup, "waba_ids", 0)).await;
    assert_eq!(waba["subscribed"], true, "Meta must send us its webhooks: {waba}");
    let left = "SELECT count(*) AS n FROM signup_attempts WHERE code_sealed IS NOT NULL OR token_sealed IS NOT NULL";
    assert_eq!(world.number(left, "n").await, Some(0), "the attempt keeps no secret");
    let subscribed = world.number("SELECT subscribed_at FROM wabas", "subscribed_at").await;
    assert!(subscribed.is_some());
    let health = world.column("SELECT health FROM phone_numbers", "health").await;
    assert!(health.unwrap().contains("can_send_message"), "the number's health is read");
}

async fn code_then_event(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let attempt = browser.begin().await;
    let signup = world.meta.signup(&[]).await;
    attempt.code(&signup).await;
    attempt.event(&signup).await;
    is_connected(&world, &browser, &attempt, &signup).await;
}

async fn event_then_code(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let attempt = browser.begin().await;
    assert_eq!(attempt.page().await.attempt(), ("working".to_owned(), "waiting_for_facebook".to_owned()));
    let signup = world.meta.signup(&[]).await;
    attempt.event(&signup).await;
    assert_eq!(attempt.page().await.heading(), "Waiting for Facebook");
    attempt.code(&signup).await;
    is_connected(&world, &browser, &attempt, &signup).await;
}

async fn code_alone(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let attempt = browser.begin().await;
    let signup = world.meta.signup(&["event_lost"]).await;
    assert!(signup["event"].is_null());
    attempt.code(&signup).await;
    is_connected(&world, &browser, &attempt, &signup).await;
}

/// The script tries again where the network broke after the request was carried out.
async fn a_repeated_request_changes_nothing(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let attempt = browser.begin().await;
    let signup = world.meta.signup(&[]).await;
    for _ in 0..3 {
        attempt.code(&signup).await;
        attempt.event(&signup).await;
    }
    is_connected(&world, &browser, &attempt, &signup).await;
    attempt.code(&signup).await;
    attempt.event(&signup).await;
    attempt.closed().await;
    attempt.is_done().await;
    let exchanges = world.meta.calls().iter().filter(|call| call.path.ends_with("/oauth/access_token")).count();
    assert_eq!(exchanges, 1, "a code works once");
    assert_eq!(world.number("SELECT count(*) AS n FROM connections", "n").await, Some(1));
}

async fn the_page_keeps_its_address_and_tells_each_step(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let attempt = browser.begin().await;
    let page = attempt.page().await;
    assert_eq!(page.attribute("data-id").as_deref(), Some(attempt.id.as_str()));
    assert!(page.tag_with("data-step=\"code\"").unwrap().contains("data-status=\"working\""));
    let signup = world.meta.signup(&[]).await;
    world.meta.hold(http::Method::POST, "subscribed_apps");
    attempt.code(&signup).await;
    world.meta.called("subscribed_apps").await;
    let page = attempt.page().await;
    assert_eq!(page.attempt(), ("working".to_owned(), "saved".to_owned()));
    for (step, status) in [("code", "done"), ("saved", "done"), ("subscribed", "working"), ("numbers", "waiting")] {
        let line = page.tag_with(&format!("data-step=\"{step}\"")).unwrap();
        assert!(line.contains(&format!("data-status=\"{status}\"")), "{line}");
    }
    assert!(page.text.contains("http-equiv=\"refresh\""), "it goes on without the script too");
    world.meta.release();
    let done = attempt.is_done().await;
    assert!(!done.text.contains("http-equiv=\"refresh\""));
}

async fn no_app_id_is_told_kindly_and_exactly(db: Database) {
    let world = World::with(db, |config| config.meta.app_id = None).await;
    let customer = world.customer("Harbour Bakery").await;
    let page = customer.get("/connect").await;
    says(&page, &["Connecting is not possible yet", "WhatsApp Embedded Signup is not configured"]);
    assert!(!page.text.contains("Meta settings"), "that is nothing for customers");
    let refused = customer.send(customer.script("/connect/attempts", &json!({}))).await;
    assert_eq!(refused.status, 409);
    let staff = world.staff(doorway::accounts::Role::Support).await;
    let page = staff.get("/connect").await;
    says(
        &page,
        &["WhatsApp Embedded Signup is not configured", "App ID and App Secret : missing", "Backoffice, Meta settings"],
    );
    let admin = world.staff(doorway::accounts::Role::Admin).await;
    assert!(admin.get("/connect").await.text.contains("href=\"/backoffice/settings\""));
}
