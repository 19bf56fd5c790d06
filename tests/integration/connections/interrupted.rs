//! The customer connects again while the connection is being undone.

use super::*;

on_both_engines!(
    connecting_again_while_meta_is_down,
    connecting_again_while_it_is_being_undone,
    what_could_not_be_switched_on_again_is_told,
);

async fn connecting_again_while_meta_is_down(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, signup) = world.connect(&browser, &[]).await;
    world.meta.fault("graph_500", Some(1), Some("subscribed_apps")).await;
    browser.post(&format!("{connection}/disconnect"), &[]).await;
    let job = "SELECT count(*) AS n FROM jobs WHERE kind = 'connections.disconnect' AND lease_owner IS NULL";
    eventually("the first try", || async {
        let failed = world.meta.control(http::Method::GET, "state", json!({})).await["faults"] == json!([]);
        (failed && world.number(job, "n").await == Some(1)).then_some(())
    })
    .await;
    let attempt = browser.begin().await;
    attempt.bring_all(&world.meta.signup_of(json!({"waba_id": signup["waba_ids"][0]})).await).await;
    assert_eq!(attempt.connection().await, connection);
    world.advance(60);
    job_ended(&world).await;
    says(&browser.get(&connection).await, &["Connected"]);
    assert_eq!(world.meta.waba(&id(&signup, "waba_ids", 0)).await["subscribed"], true);
}

/// Meta is being told that the connection ends; meanwhile the customer connects the same account anew.
async fn caught_in_between(world: &World, browser: &Browser) -> (String, String) {
    let (connection, signup) = world.connect(browser, &[]).await;
    world.meta.hold(http::Method::DELETE, "subscribed_apps");
    world.meta.forget_calls();
    browser.post(&format!("{connection}/disconnect"), &[]).await;
    world.meta.called("subscribed_apps").await;
    let attempt = browser.begin().await;
    attempt.bring_all(&world.meta.signup_of(json!({"waba_id": signup["waba_ids"][0]})).await).await;
    assert_eq!(attempt.connection().await, connection);
    (connection, id(&signup, "waba_ids", 0))
}

async fn job_ended(world: &World) {
    let left = "SELECT count(*) AS n FROM jobs WHERE kind = 'connections.disconnect'";
    eventually("the job's end", || async { (world.number(left, "n").await == Some(0)).then_some(()) }).await;
}

async fn connecting_again_while_it_is_being_undone(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, waba) = caught_in_between(&world, &browser).await;
    world.meta.release();
    job_ended(&world).await;
    let page = browser.get(&connection).await;
    says(&page, &["Connected", "+1 202-555-0100"]);
    let token = "SELECT count(*) AS n FROM connections WHERE token_sealed IS NOT NULL AND state = 'active'";
    assert_eq!(world.number(token, "n").await, Some(1), "the new token is not thrown away with the old one");
    assert_eq!(world.meta.waba(&waba).await["subscribed"], true, "nor does Meta stop sending us its webhooks");
}

async fn what_could_not_be_switched_on_again_is_told(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, waba) = caught_in_between(&world, &browser).await;
    world.meta.forget_calls();
    world.meta.hold(http::Method::POST, "subscribed_apps");
    world.meta.release_only(&http::Method::DELETE);
    world.meta.called("subscribed_apps").await;
    world.meta.abandon();
    job_ended(&world).await;
    assert_eq!(world.meta.waba(&waba).await["subscribed"], false);
    says(&browser.get(&connection).await, &["Connected", "Messages are not switched on yet"]);
}
