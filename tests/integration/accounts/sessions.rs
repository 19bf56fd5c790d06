//! Sessions: renewed at sign-in, ended at sign-out, and never readable from the database.

use super::*;
use doorway::store::query;

on_both_engines!(
    signing_in_renews_the_session,
    signing_out_ends_it,
    signing_out_everywhere,
    a_new_password_ends_the_other_sessions,
    the_database_holds_no_cookie,
    a_session_ends_when_it_is_not_used,
);

/// What a stolen copy of a cookie is worth.
async fn lets_in(world: &World, session: &str) -> bool {
    let thief = world.anonymous();
    thief.set_session(session);
    thief.is_signed_in().await
}

async fn email(world: &World) -> String {
    world.column("SELECT email FROM users", "email").await.unwrap()
}

async fn signing_in_renews_the_session(db: Database) {
    let world = World::start(db).await;
    world.customer("Harbour Bakery").await;
    let browser = world.anonymous();
    browser.get("/signin").await;
    let (planted, token) = (browser.session().unwrap(), browser.csrf());
    browser.sign_in(&email(&world).await, PASSWORD).await;
    let own = browser.session().unwrap();
    assert_ne!(own, planted);
    assert_ne!(browser.csrf(), token, "nor does the form token outlive it");
    assert!(lets_in(&world, &own).await && !lets_in(&world, &planted).await);
    let cookie = {
        let other = world.anonymous();
        other.get("/signin").await.headers["set-cookie"].to_str().unwrap().to_owned()
    };
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "doorway_session="] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "on http for localhost alone");
}

async fn signing_out_ends_it(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let session = browser.session().unwrap();
    assert_eq!(browser.post("/signout", &[]).await.location(), "/");
    assert!(!browser.is_signed_in().await);
    assert!(!lets_in(&world, &session).await, "the cookie is worth nothing any more");
    assert_eq!(world.number("SELECT count(*) AS n FROM sessions WHERE user_id IS NOT NULL", "n").await, Some(0));
}

async fn signing_out_everywhere(db: Database) {
    let world = World::start(db).await;
    let first = world.customer("Harbour Bakery").await;
    let second = world.signed_in(&email(&world).await).await;
    let stranger = world.customer("Corner Shop").await;
    says(&first.get("/settings").await, &["Where you are signed in", "Sign out all other devices"]);
    assert_eq!(first.post("/settings/sessions/end", &[]).await.location(), "/signin");
    assert!(!first.is_signed_in().await && !second.is_signed_in().await);
    assert!(stranger.is_signed_in().await);
}

async fn a_new_password_ends_the_other_sessions(db: Database) {
    let world = World::start(db).await;
    let first = world.customer("Harbour Bakery").await;
    let email = email(&world).await;
    let second = world.signed_in(&email).await;
    let before = first.session().unwrap();
    let change = |present: &'static str, new: &'static str| {
        let first = first.clone();
        async move { first.post("/settings/password", &[("present", present), ("new", new)]).await }
    };
    let wrong = change("not my password", "a brand new password").await;
    assert_eq!(wrong.status, 422);
    says(&wrong, &["This is not your present password."]);
    let short = change(PASSWORD, "too short").await;
    assert_eq!(short.status, 422);
    says(&short, &["at least 12 characters"]);
    assert!(second.is_signed_in().await);
    assert_eq!(change(PASSWORD, "a brand new password").await.location(), "/settings");
    assert!(first.is_signed_in().await && !second.is_signed_in().await);
    assert_ne!(first.session().unwrap(), before);
    assert!(!lets_in(&world, &before).await);
    assert_eq!(world.anonymous().sign_in(&email, PASSWORD).await.status, 422);
    assert_eq!(world.anonymous().sign_in(&email, "a brand new password").await.status, 303);
}

async fn the_database_holds_no_cookie(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let mut db = world.portal.store.read().await.unwrap();
    let rows =
        query("SELECT id, data FROM sessions").all(&mut db, |row| Ok((row.text("id")?, row.text("data")?))).await;
    let rows = rows.unwrap();
    assert!(!rows.is_empty());
    for cookie in browser.all_cookies() {
        for (id, data) in &rows {
            assert!(!id.contains(&cookie) && !data.contains(&cookie));
        }
    }
    // Nor is what stands there a cookie that lets anybody in.
    for (id, _) in &rows {
        assert!(!lets_in(&world, id).await);
    }
}

/// A visit prolongs it, at most every quarter of an hour.
async fn a_session_ends_when_it_is_not_used(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let end = || world.number("SELECT expires_at FROM sessions WHERE user_id IS NOT NULL", "expires_at");
    let full = end().await.unwrap();
    let data = world.column("SELECT data FROM sessions WHERE user_id IS NOT NULL", "data").await.unwrap();
    let mut seen: serde_json::Value = serde_json::from_str(&data).unwrap();
    seen["visit"]["seen"] = json!(seen["visit"]["seen"].as_i64().unwrap() - 86_400_000);
    let mut tx = world.portal.store.write().await.unwrap();
    let sql = "UPDATE sessions SET expires_at = $1, data = $2 WHERE user_id IS NOT NULL";
    query(sql).bind(full - 86_400_000).bind(seen.to_string()).execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    assert!(browser.is_signed_in().await);
    assert!(end().await.unwrap() >= full, "last seen yesterday: prolonged");
    world.advance(13 * 86_400);
    assert!(browser.is_signed_in().await);
    world.advance(86_400 + 60);
    assert!(!browser.is_signed_in().await);
    eventually("what has expired is tidied away", || async {
        world.advance(3_600);
        let left = world.number("SELECT count(*) AS n FROM sessions WHERE user_id IS NOT NULL", "n").await;
        (left == Some(0)).then_some(())
    })
    .await;
}
