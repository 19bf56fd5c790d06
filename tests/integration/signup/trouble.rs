//! Meta is in trouble: waited out where that helps, and told where it does not.

use super::*;

on_both_engines!(
    short_trouble_is_waited_out,
    each_call_may_fail_once,
    long_trouble_stops_and_goes_on_without_the_window,
    trouble_during_the_exchange_ends_with_the_code,
    a_refused_subscription_can_be_taken_up_again,
    what_the_customer_waits_for_can_be_hurried,
);

async fn begun(world: &World) -> (Browser, Attempt, Value) {
    let browser = world.customer("Harbour Bakery").await;
    let attempt = browser.begin().await;
    let signup = world.meta.signup(&[]).await;
    (browser, attempt, signup)
}

/// The pause before the next try passes at once; no more than it, as the code lives 30 seconds.
async fn done_in_time(world: &World, attempt: &Attempt) {
    eventually("the first failure, or the end", || async {
        let page = attempt.page().await;
        (page.attempt().0 != "working" || page.text.contains("Trying again")).then_some(())
    })
    .await;
    world.advance(3);
    attempt.is_done().await;
}

async fn short_trouble_is_waited_out(db: Database) {
    let world = World::start(db).await;
    for kind in ["graph_500", "graph_rate_limited", "graph_down"] {
        let (_, attempt, signup) = begun(&world).await;
        world.meta.fault(kind, Some(2), None).await;
        attempt.bring_all(&signup).await;
        eventually("the first failure", || async {
            let page = attempt.page().await;
            page.text.contains("Facebook answers slowly. Trying again").then_some(())
        })
        .await;
        attempt.is_done().await;
    }
}

async fn each_call_may_fail_once(db: Database) {
    let world = World::start(db).await;
    for path in ["access_token", "debug_token", "phone_numbers", "subscribed_apps"] {
        let (_, attempt, signup) = begun(&world).await;
        world.meta.fault("graph_500", Some(1), Some(path)).await;
        attempt.bring_all(&signup).await;
        done_in_time(&world, &attempt).await;
    }
    // A number's health is no part of being connected.
    let (_, attempt, signup) = begun(&world).await;
    world.meta.fault("graph_500", None, Some(&id(&signup, "phone_number_ids", 0))).await;
    attempt.bring_all(&signup).await;
    attempt.is_done().await;
}

async fn long_trouble_stops_and_goes_on_without_the_window(db: Database) {
    let world = World::start(db).await;
    for path in ["debug_token", "phone_numbers", "subscribed_apps"] {
        let (browser, attempt, signup) = begun(&world).await;
        world.meta.fault("graph_down", None, Some(path)).await;
        attempt.bring_all(&signup).await;
        world.meta.called(path).await;
        world.advance(6 * 60);
        let page = attempt.ends("failed", "meta_unavailable").await;
        says(&page, &["Facebook does not answer right now", "Go on"]);
        assert!(!page.text.contains("data-continue"), "the window is not needed");
        // Still down: it stops again, and nothing is lost.
        browser.post(&format!("{}/retry", attempt.url), &[]).await;
        assert_eq!(attempt.page().await.attempt().0, "working");
        world.advance(6 * 60);
        attempt.ends("failed", "meta_unavailable").await;
        world.meta.mend().await;
        let exchanges = || world.meta.calls().iter().filter(|call| call.path.ends_with("access_token")).count();
        let before = exchanges();
        assert_eq!(browser.post(&format!("{}/retry", attempt.url), &[]).await.location(), attempt.url);
        attempt.is_done().await;
        assert_eq!(exchanges(), before);
        world.meta.forget_calls();
    }
}

/// Without a token there is nothing to go on with; the code lives 30 seconds.
async fn trouble_during_the_exchange_ends_with_the_code(db: Database) {
    let world = World::start(db).await;
    let (browser, attempt, signup) = begun(&world).await;
    world.meta.fault("graph_500", None, Some("access_token")).await;
    attempt.bring_all(&signup).await;
    world.meta.called("access_token").await;
    world.advance(40);
    let page = attempt.ends("failed", "meta_unavailable").await;
    says(&page, &["Continue with Facebook"]);
    assert!(!page.text.contains(">Go on<"));
    browser.post(&format!("{}/retry", attempt.url), &[]).await;
    attempt.ends("failed", "meta_unavailable").await;
}

async fn a_refused_subscription_can_be_taken_up_again(db: Database) {
    let world = World::start(db).await;
    let (browser, attempt, signup) = begun(&world).await;
    world.meta.hold(http::Method::POST, "subscribed_apps");
    attempt.bring_all(&signup).await;
    world.meta.called("subscribed_apps").await;
    // Removed on Facebook while we work: the token is refused from now on.
    world.meta.control(http::Method::POST, "tokens/revoke", json!({})).await;
    world.meta.release();
    attempt.ends("failed", "token_revoked").await;
    let connection = world.number("SELECT count(*) AS n FROM connections", "n").await;
    assert_eq!(connection, Some(1), "it was saved before");
    let page = browser.get("/connections").await;
    says(&page, &["Sandbox Shop"]);
    // Agreeing once more mends it.
    let again = world.meta.signup_of(json!({"waba_id": signup["waba_ids"][0]})).await;
    let attempt = browser.begin().await;
    attempt.bring_all(&again).await;
    attempt.is_done().await;
    assert_eq!(world.number("SELECT count(*) AS n FROM connections", "n").await, Some(1));
}

async fn what_the_customer_waits_for_can_be_hurried(db: Database) {
    let world = World::start(db).await;
    let (browser, attempt, signup) = begun(&world).await;
    world.meta.fault("graph_500", Some(4), Some("debug_token")).await;
    attempt.bring_all(&signup).await;
    for tries in 1..4 {
        eventually("the next failure", || async {
            let calls = world.meta.calls();
            (calls.iter().filter(|call| call.path.ends_with("debug_token")).count() >= tries).then_some(())
        })
        .await;
        browser.post(&format!("{}/retry", attempt.url), &[]).await;
    }
    attempt.is_done().await;
}
