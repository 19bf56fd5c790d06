//! A half does not come, or the window ends without one.

use super::*;

on_both_engines!(
    a_window_that_closes_without_a_word_is_a_cancel,
    an_event_after_the_close_turns_it_around,
    an_attempt_that_is_left_alone_ends_by_itself,
    an_odd_event_is_refused_or_does_no_harm,
    an_ancient_code_is_expired,
);

async fn a_window_that_closes_without_a_word_is_a_cancel(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    // What Meta shows then ends without any event.
    for scenario in ["cant_onboard", "invalid_scopes"] {
        let attempt = browser.begin().await;
        let signup = world.meta.signup(&[scenario]).await;
        assert!(signup["code"].is_null() && signup["event"].is_null());
        attempt.closed().await;
        assert_eq!(attempt.page().await.attempt().0, "working", "the other half may still come");
        world.advance(4);
        let page = attempt.ends("failed", "cancelled").await;
        says(&page, &["You closed the Facebook window", "Test Operator", "Continue with Facebook"]);
    }
}

async fn an_event_after_the_close_turns_it_around(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let attempt = browser.begin().await;
    attempt.closed().await;
    world.advance(4);
    attempt.ends("failed", "cancelled").await;
    let signup = world.meta.signup(&[]).await;
    attempt.event(&signup).await;
    assert_eq!(attempt.page().await.attempt().0, "working");
    attempt.code(&signup).await;
    attempt.is_done().await;
}

async fn an_attempt_that_is_left_alone_ends_by_itself(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let attempt = browser.begin().await;
    world.advance(59 * 60);
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    assert_eq!(attempt.page().await.attempt().1, "waiting_for_facebook");
    world.advance(2 * 60);
    attempt.ends("failed", "cancelled").await;
}

async fn an_odd_event_is_refused_or_does_no_harm(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let attempt = browser.begin().await;
    let event = |body: Value| {
        let (browser, url) = (browser.clone(), attempt.url.clone());
        async move { browser.send(browser.script(&format!("{url}/event"), &body)).await.status.as_u16() }
    };
    for odd in [json!("FINISH"), json!({"type": "OTHER", "event": "FINISH"}), json!({"type": "WA_EMBEDDED_SIGNUP"})] {
        assert_eq!(event(odd).await, 400);
    }
    let nested = json!({"type": "WA_EMBEDDED_SIGNUP", "event": "NEWS\u{0}", "data": {"waba_id": ["1"], "current_step": "\u{0}<b>"}});
    assert_eq!(event(nested).await, 204);
    assert_eq!(attempt.page().await.attempt().0, "working");
    assert_eq!(event(json!({"type": "WA_EMBEDDED_SIGNUP", "event": "FINISH", "data": "x".repeat(40_000)})).await, 413);
    let signup = world.meta.signup(&[]).await;
    attempt.code(&signup).await;
    attempt.is_done().await;
    let code = |code: String| {
        let (browser, url) = (browser.clone(), attempt.url.clone());
        async move { browser.send(browser.script(&format!("{url}/code"), &json!({ "code": code }))).await.status.as_u16() }
    };
    assert_eq!((code(String::new()).await, code("x".repeat(5_000)).await), (400, 400));
}

async fn an_ancient_code_is_expired(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let attempt = browser.begin().await;
    let signup = world.meta.signup(&[]).await;
    world.advance(31);
    attempt.bring_all(&signup).await;
    let page = attempt.ends("failed", "code_expired").await;
    says(&page, &["That took a little too long", "Continue with Facebook"]);
}
