//! What every answer says to browsers, and that nothing about anybody is kept on the way.

use super::*;

on_both_engines!(
    every_page_has_its_security_headers,
    https_is_insisted_on_where_it_is_used,
    health_and_readiness,
    a_form_with_a_fault_is_there_for_going_back
);

async fn a_form_with_a_fault_is_there_for_going_back(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, _) = world.connect(&browser, &[]).await;
    let kept = |page: &Page| page.headers["cache-control"].to_str().unwrap().to_owned();
    assert_eq!(kept(&browser.get(&connection).await), "no-store");
    assert_eq!(kept(&browser.get("/connections/nothing").await), "no-store");
    browser.get("/connections/own-app").await;
    let odd = browser.post("/connections/own-app", &[("waba_id", "x"), ("token", "y")]).await;
    assert_eq!((odd.status.as_u16(), kept(&odd).as_str()), (422, "private, no-cache"));
    let out = browser.post("/signout", &[]).await;
    assert_eq!(out.status, 303);
    assert_eq!(out.headers["clear-site-data"], "\"cache\"");
}

async fn every_page_has_its_security_headers(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, _) = world.connect(&browser, &[]).await;
    let attempt = browser.begin().await;
    let sandbox = world.meta.url.origin().ascii_serialization();
    let pages = ["/", "/connect", "/connections", "/settings", "/nowhere", connection.as_str(), attempt.url.as_str()];
    let mut nonces = std::collections::BTreeSet::new();
    for path in pages {
        let page = browser.get(path).await;
        let of = |name: &str| page.headers[name].to_str().unwrap().to_owned();
        let policy = of("content-security-policy");
        let opens_facebook = path == "/connect" || path == attempt.url;
        assert_eq!(policy.contains(&sandbox), opens_facebook, "{path}: {policy}");
        let opener = if opens_facebook { "same-origin-allow-popups" } else { "same-origin" };
        assert_eq!(of("cross-origin-opener-policy"), opener, "{path}");
        for part in ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe-inline") && !policy.contains("unsafe-eval"));
        nonces.insert(policy.split_once("'nonce-").unwrap().1.split('\'').next().unwrap().to_owned());
        assert_eq!((of("x-content-type-options"), of("x-frame-options")), ("nosniff".to_owned(), "DENY".to_owned()));
        assert!(!of("x-request-id").is_empty());
        assert!(!page.headers.contains_key("strict-transport-security"));
        assert!(!page.text.contains(" style=\"") && !page.text.contains(" onclick="), "{path}");
    }
    assert_eq!(nonces.len(), pages.len(), "a nonce for each answer");
}

async fn https_is_insisted_on_where_it_is_used(db: Database) {
    let world = World::with(db, |config| config.public_url = "https://connect.example.org".parse().unwrap()).await;
    // The portal stands behind a proxy that ends TLS.
    let url = world.portal.url.clone();
    assert_eq!(url.scheme(), "https");
    support_person(&world).await;
    let browser = Browser::new(&world.listening);
    let page = browser.get("/signin").await;
    assert!(page.headers["strict-transport-security"].to_str().unwrap().contains("max-age="));
    let cookie = page.headers["set-cookie"].to_str().unwrap().to_owned();
    for part in ["__Host-doorway_session=", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
}

/// Somebody is there, so the first run is over.
async fn support_person(world: &World) {
    let email = "sam@example.org".parse().unwrap();
    world.portal.accounts.create_user(&email, "Sam", PASSWORD.into(), Role::Support, None).await.unwrap();
}

async fn health_and_readiness(db: Database) {
    let world = World::start(db).await;
    let browser = world.anonymous();
    for path in ["/healthz", "/readyz"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, 200);
        assert!(!page.headers.contains_key("set-cookie"));
    }
    // A migration is missing: alive, but not ready.
    let mut tx = world.portal.store.write().await.unwrap();
    doorway::store::query("DELETE FROM _sqlx_migrations").execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(browser.get("/readyz").await.status, 503);
    world.portal.store.close().await;
    assert_eq!(browser.get("/readyz").await.status, 503);
    assert_eq!(browser.get("/healthz").await.status, 200);
    let failed = browser.get("/signin").await;
    assert_eq!(failed.status, 500);
    assert!(!failed.text.to_lowercase().contains("pool"), "what went wrong inside is not shown: {}", failed.words());
}
