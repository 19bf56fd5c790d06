//! Disconnecting: asks first, undoes it at Meta, forgets the token.

use super::*;

on_both_engines!(
    it_asks_first_and_then_undoes_everything,
    numbers_are_deregistered_only_if_asked,
    a_number_in_the_app_is_never_deregistered,
    trouble_at_meta_is_waited_out,
    trouble_does_not_use_up_the_tries_of_a_number,
    meta_does_not_keep_the_token_here_for_ever,
    a_revoked_token_is_no_obstacle,
);

/// A finished signup of a number that is registered.
async fn registered(world: &World, browser: &Browser, scenario: &[&str]) -> (String, String, String) {
    let attempt = browser.begin().await;
    let signup = world.meta.signup(scenario).await;
    let (waba, phone) = (id(&signup, "waba_ids", 0), id(&signup, "phone_number_ids", 0));
    world.meta.control(http::Method::POST, "phones", json!({"phone_id": phone, "registered": true})).await;
    attempt.bring_all(&signup).await;
    (attempt.connection().await, waba, phone)
}

async fn is_gone(world: &World, browser: &Browser, connection: &str) {
    eventually("the end of the connection", || async { (browser.get(connection).await.status == 404).then_some(()) })
        .await;
    let row = "SELECT count(*) AS n FROM connections WHERE state = 'disconnected' AND token_sealed IS NULL";
    assert_eq!(world.number(row, "n").await, Some(1), "the token is gone from the row");
    let rest = "SELECT (SELECT count(*) FROM wabas) + (SELECT count(*) FROM phone_numbers) AS n";
    assert_eq!(world.number(rest, "n").await, Some(0));
    says(&browser.get("/connections").await, &["Connect"]);
}

fn calls_of(world: &World, end: &str) -> usize {
    world.meta.calls().iter().filter(|call| call.path.ends_with(end) && call.method != "GET").count()
}

async fn it_asks_first_and_then_undoes_everything(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, waba, _) = registered(&world, &browser, &[]).await;
    let page = browser.get(&connection).await;
    assert!(page.text.contains(&format!("{connection}/disconnect")));
    let path = format!("{connection}/disconnect");
    let ask = browser.get(&path).await;
    says(
        &ask,
        &["Disconnect Sandbox Shop 1?", "no longer receives messages", "permission that Facebook gave us is deleted"],
    );
    says(&ask, &["Also deregister the number", "Keep it", "+1 202-555-0100"]);
    assert!(!ask.tag_with("id=\"deregister\"").unwrap().contains("checked"));
    assert_eq!(world.meta.waba(&waba).await["subscribed"], true, "asking does nothing");
    world.meta.forget_calls();
    // A double click.
    let (first, second) = tokio::join!(browser.post(&path, &[]), browser.post(&path, &[]));
    for answer in [first, second] {
        assert!(answer.status == 303 || answer.status == 404, "{}", answer.status);
    }
    is_gone(&world, &browser, &connection).await;
    assert_eq!(world.meta.waba(&waba).await["subscribed"], false);
    assert_eq!((calls_of(&world, "/subscribed_apps"), calls_of(&world, "/deregister")), (1, 0));
    let token = world.meta.calls()[0].authorization.clone().unwrap();
    assert!(token.starts_with("Bearer EAA") && !token.contains(SYSTEM_TOKEN), "with the customer's own token");
    let audit =
        "SELECT count(*) AS n FROM audit_log WHERE action = 'connection.disconnected' AND actor_user_id IS NOT NULL";
    assert_eq!(world.number(audit, "n").await, Some(1));
    assert_eq!(browser.post(&path, &[]).await.status, 404);
}

async fn numbers_are_deregistered_only_if_asked(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    for asked in [false, true] {
        let (connection, _, phone) = registered(&world, &browser, &[]).await;
        says(&browser.get(&connection).await, &["Ready"]);
        // As of a number that was kept by a Doorway from before it had files.
        let mut tx = world.portal.store.write().await.unwrap();
        doorway::store::query("DELETE FROM number_files").execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        let fields: &[(&str, &str)] = if asked { &[("deregister", "yes")] } else { &[] };
        browser.post(&format!("{connection}/disconnect"), fields).await;
        eventually("the end", || async { (browser.get(&connection).await.status == 404).then_some(()) }).await;
        assert_eq!(world.meta.phone(&phone).await["registered"], !asked);
    }
    assert_eq!(calls_of(&world, "/deregister"), 1);
}

async fn a_number_in_the_app_is_never_deregistered(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, _, phone) = registered(&world, &browser, &["coexistence"]).await;
    let path = format!("{connection}/disconnect");
    let ask = browser.get(&path).await;
    assert!(!ask.text.contains("name=\"deregister\""));
    says(&ask, &["stays there as it is"]);
    browser.post(&path, &[("deregister", "yes")]).await;
    is_gone(&world, &browser, &connection).await;
    assert_eq!(calls_of(&world, "/deregister"), 0);
    assert_eq!(world.meta.phone(&phone).await["registered"], true);
}

async fn trouble_at_meta_is_waited_out(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, waba, _) = registered(&world, &browser, &[]).await;
    world.meta.fault("graph_down", None, None).await;
    browser.post(&format!("{connection}/disconnect"), &[]).await;
    eventually("two tries", || async {
        world.advance(5);
        (calls_of(&world, "/subscribed_apps") >= 3).then_some(())
    })
    .await;
    let page = browser.get(&connection).await;
    says(&page, &["Being disconnected"]);
    assert!(!page.text.contains(&format!("{connection}/disconnect\"")), "it can't be asked for twice");
    world.meta.mend().await;
    world.advance(30);
    is_gone(&world, &browser, &connection).await;
    assert_eq!(world.meta.waba(&waba).await["subscribed"], false);
}

async fn trouble_does_not_use_up_the_tries_of_a_number(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, _, phone) = registered(&world, &browser, &[]).await;
    // One number comes off at once, and then the account does not: the number is not asked for again.
    world.meta.fault("graph_500", None, Some("subscribed_apps")).await;
    browser.post(&format!("{connection}/disconnect"), &[("deregister", "yes")]).await;
    let passes = async |count: usize| {
        eventually(&format!("{count} passes"), || async {
            let tells = |call: &&Call| call.path.ends_with("/subscribed_apps") && call.method == "DELETE";
            let waits = "SELECT count(*) AS n FROM jobs WHERE kind = 'connections.disconnect' AND lease_owner IS NULL";
            let is_over = world.number(waits, "n").await == Some(1);
            (is_over && world.meta.calls().iter().filter(tells).count() == count).then_some(())
        })
        .await;
        world.advance(21);
    };
    for count in 1..=5 {
        passes(count).await;
    }
    assert_eq!(calls_of(&world, "/deregister"), 1);
    world.meta.mend().await;
    is_gone(&world, &browser, &connection).await;
    assert_eq!(world.meta.phone(&phone).await["registered"], false);
    // Where Meta says nothing, three calls are made, and counted.
    let (connection, _, _) = registered(&world, &browser, &[]).await;
    world.meta.forget_calls();
    world.meta.fault("graph_500", None, Some("subscribed_apps")).await;
    world.meta.fault("graph_500", None, Some("deregister")).await;
    browser.post(&format!("{connection}/disconnect"), &[("deregister", "yes")]).await;
    for count in 1..=5 {
        passes(count).await;
    }
    assert_eq!(calls_of(&world, "/deregister"), 3);
    let tries = "SELECT count(*) AS n FROM number_tries WHERE kind = 'deregister' AND outcome IS NULL";
    assert_eq!(world.number(tries, "n").await, Some(3));
}

async fn meta_does_not_keep_the_token_here_for_ever(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, _, _) = registered(&world, &browser, &[]).await;
    world.meta.fault("graph_500", None, None).await;
    browser.post(&format!("{connection}/disconnect"), &[]).await;
    world.meta.called("subscribed_apps").await;
    world.advance(31 * 60);
    is_gone(&world, &browser, &connection).await;
}

async fn a_revoked_token_is_no_obstacle(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, _, _) = registered(&world, &browser, &[]).await;
    world.meta.control(http::Method::POST, "tokens/revoke", json!({})).await;
    browser.post(&format!("{connection}/disconnect"), &[("deregister", "yes")]).await;
    is_gone(&world, &browser, &connection).await;
}
