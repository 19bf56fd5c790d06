//! What changes later: the token, the secret, the end.

use super::*;

on_both_engines!(
    a_revoked_token_is_replaced_by_hand,
    a_new_secret_counts_and_the_old_one_for_a_day,
    ending_it_leaves_nothing_that_opens_anything,
    connecting_with_facebook_makes_it_one_of_ours,
);

async fn a_revoked_token_is_replaced_by_hand(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Corner Shop").await;
    let app = app(&world).await;
    let (page, callback) = add(&browser, &app).await;
    let waba = text(&app, "waba_id");
    world.meta.control(Method::POST, "tokens/revoke", json!({ "waba_id": waba })).await;
    // Its own app may say so; Meta is asked, with its own token and secret.
    let value = json!({"event": "ACCOUNT_DELETED"});
    let told = body(&[json!({"id": waba, "changes": [{"field": "account_update", "value": value}]})]);
    assert_eq!(post(&browser, &callback, text(&app, "app_secret"), &told).await, 200);
    eventually("that it is noticed", || async {
        let stale = "SELECT count(*) AS n FROM connections WHERE state = 'needs_reconnect'";
        (world.number(stale, "n").await == Some(1)).then_some(())
    })
    .await;
    says(&browser.get(&page).await, &["The token does not work any more"]);
    let connection = page.trim_end_matches("/own-app");
    says(&browser.get(connection).await, &["Replace the token", "Enter a new token"]);
    // One that opens another account does not do.
    let other = super::app(&world).await;
    let path = format!("{page}/token");
    let refused = browser.post(&path, &[("token", text(&other, "token"))]).await;
    assert_eq!(refused.status, 422);
    says(&refused, &["belongs to another app"]);
    assert_eq!(browser.get(&path).await.location(), page);
    let again = json!({"app_id": app["app_id"], "waba_id": waba});
    let renewed = world.meta.control(Method::POST, "apps", again).await;
    assert_eq!(browser.post(&path, &[("token", text(&renewed, "token"))]).await.location(), page);
    says(&browser.get(connection).await, &["Connected"]);
    assert_eq!(callback_in(&browser.get(&page).await), callback, "the address stays");
    let logged = "SELECT count(*) AS n FROM audit_log WHERE action = 'connection.token_replaced'";
    assert_eq!(world.number(logged, "n").await, Some(1));
}

async fn a_new_secret_counts_and_the_old_one_for_a_day(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Corner Shop").await;
    let app = app(&world).await;
    let (page, callback) = add(&browser, &app).await;
    let (waba, phone) = (text(&app, "waba_id"), app["phone_number_ids"][0].as_str().unwrap());
    let reset = world.meta.control(Method::POST, "apps/secret", json!({"app_id": app["app_id"]})).await;
    let new = text(&reset, "app_secret");
    let told = |id: &str| body(&[message(waba, phone, id)]);
    assert_eq!(post(&browser, &callback, new, &told("wamid.1")).await, 401);
    says(&browser.get(&page).await, &["Something was refused"]);
    let path = format!("{page}/secret");
    assert_eq!(browser.post(&path, &[("app_id", text(&app, "app_id")), ("app_secret", new)]).await.location(), page);
    assert!(!browser.get(&page).await.words().contains("Something was refused"));
    let old = text(&app, "app_secret");
    assert_eq!(post(&browser, &callback, new, &told("wamid.2")).await, 200);
    assert_eq!(post(&browser, &callback, old, &told("wamid.3")).await, 200);
    world.advance(25 * 3_600);
    assert_eq!(post(&browser, &callback, old, &told("wamid.4")).await, 401);
    assert_eq!(post(&browser, &callback, new, &told("wamid.5")).await, 200);
    world.portal.connections.prune_own_apps().await.unwrap();
    let kept = "SELECT count(*) AS n FROM own_apps WHERE old_secret_sealed IS NOT NULL";
    assert_eq!(world.number(kept, "n").await, Some(0));
}

async fn ending_it_leaves_nothing_that_opens_anything(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Corner Shop").await;
    // One whose app was subscribed before, by the customer's own software; and one where that was begun here.
    let (before, here) = (app(&world).await, app(&world).await);
    let http = doorway::base::http::Outbound::new(doorway::base::http::Reach::Operator, PATIENCE);
    let url = world.meta.url.join(&format!("/v25.0/{}/subscribed_apps", text(&before, "waba_id"))).unwrap();
    let subscribed = http.request(Method::POST, url).unwrap().bearer_auth(text(&before, "token")).send().await.unwrap();
    assert_eq!(subscribed.status(), 200);
    for app in [&before, &here] {
        let (page, callback) = add(&browser, app).await;
        let connection = page.trim_end_matches("/own-app").to_owned();
        browser.get(&format!("{connection}/disconnect")).await;
        browser.post(&format!("{connection}/disconnect"), &[]).await;
        eventually("its end", || async {
            let left = "SELECT count(*) AS n FROM connections WHERE state <> 'disconnected'";
            (world.number(left, "n").await == Some(0)).then_some(())
        })
        .await;
        assert_eq!(world.number("SELECT count(*) AS n FROM own_apps", "n").await, Some(0));
        let tokens = "SELECT count(*) AS n FROM connections WHERE token_sealed IS NOT NULL";
        assert_eq!(world.number(tokens, "n").await, Some(0));
        assert_eq!(post(&browser, &callback, text(app, "app_secret"), &body(&[])).await, 404);
        assert_eq!(browser.get(&page).await.status, 404);
    }
    let subscribed = async |app: &Value| world.meta.waba(text(app, "waba_id")).await["own_subscribed"].clone();
    assert_eq!(subscribed(&here).await, json!([]));
    assert_eq!(subscribed(&before).await, json!([before["app_id"]]), "what the customer's software needs stays");
    // Another customer may connect the account now.
    let other = world.customer("Harbour Bakery").await;
    add(&other, &here).await;
}

async fn connecting_with_facebook_makes_it_one_of_ours(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Corner Shop").await;
    let app = app(&world).await;
    let (page, callback) = add(&browser, &app).await;
    assert_eq!(world.portal.connections.onboarded_since(world.clock.now() - time::Duration::days(7)).await.unwrap(), 0);
    let attempt = browser.begin().await;
    let signup = world.meta.signup_of(json!({"waba_id": app["waba_id"]})).await;
    attempt.bring_all(&signup).await;
    let connection = attempt.connection().await;
    assert_eq!(connection, page.trim_end_matches("/own-app"), "name, settings and history stay");
    assert_eq!(browser.get(&page).await.status, 404);
    assert_eq!(post(&browser, &callback, text(&app, "app_secret"), &body(&[])).await, 404);
    // Its calls are proven with our secret again.
    let id = connection.rsplit('/').next().unwrap().parse().unwrap();
    let access = world.portal.connections.access_with(id, Some(&APP_SECRET.into())).await.unwrap();
    use secrecy::ExposeSecret;
    assert_eq!(access.app_secret.unwrap().expose_secret(), APP_SECRET);
    assert_eq!(world.number("SELECT count(*) AS n FROM own_apps", "n").await, Some(0));
}
