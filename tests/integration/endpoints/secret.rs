//! An endpoint's secret: where it is shown and where not, and the time in which two count.

use super::*;
use doorway::forwarding::format::{meta, standard_webhooks};
use server::{Handshake, WORD};

on_both_engines!(
    a_secret_is_on_no_page_but_the_one_that_was_asked_for_it,
    while_a_secret_is_changed_both_count_and_then_the_new_one_alone,
    metas_format_is_signed_with_the_old_secret_until_one_switches,
);

async fn a_secret_is_on_no_page_but_the_one_that_was_asked_for_it(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let page = with_receiver(&browser, "Shop", "events").await;
    let secret = secret(&browser, &page).await;
    assert!(secret.starts_with("whsec_") && secret.len() == 50, "{secret}");
    let shown = "SELECT count(*) AS n FROM audit_log WHERE action = 'endpoint.secret_shown'";
    assert_eq!(world.number(shown, "n").await, Some(1));
    // Sealed at rest.
    assert!(!world.column("SELECT secret_sealed AS s FROM endpoints", "s").await.unwrap().contains(&secret[6..]));
    browser.post(&format!("{page}/test"), &[]).await;
    eventually("the test arrives", || async {
        browser.get(&format!("{page}/received")).await.words().contains("Answered 200").then_some(())
    })
    .await;
    for path in ["", "/edit", "/rotate", "/delete", "/received"] {
        assert!(!browser.get(&format!("{page}{path}")).await.text.contains(&secret[6..]), "{path}");
    }
    let staff = world.staff(doorway::accounts::Role::Admin).await;
    let customer = world.column("SELECT customer_id FROM endpoints", "customer_id").await.unwrap();
    let seen = staff.get(&format!("/support/customers/{customer}/endpoints")).await;
    says(&seen, &["Shop", "Built-in receiver"]);
    assert!(!seen.text.contains("whsec_"));
    assert_eq!(staff.post(&format!("{page}/secret"), &[]).await.status, 403, "staff see no customer's secret");
}

/// Sends a test to a server and gives what came.
async fn tested(browser: &Browser, page: &str, server: &Server) -> (http::HeaderMap, axum::body::Bytes) {
    let before = server.calls.lock().unwrap().len();
    assert_eq!(browser.post(&format!("{page}/test"), &[]).await.status, 303);
    eventually("the test arrives", || async { server.calls.lock().unwrap().get(before).cloned() }).await
}

async fn while_a_secret_is_changed_both_count_and_then_the_new_one_alone(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let server = Server::start(Handshake::Status(500)).await;
    let page = made(&browser, &[("name", "CRM"), ("to", "url"), ("url", &server.url), ("format", "events")]).await;
    let old = secret(&browser, &page).await;
    let believes = |secret: &str, (headers, body): &(http::HeaderMap, axum::body::Bytes)| {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        standard_webhooks::verify(&secret.to_owned().into(), header, body, world.clock.now()).is_ok()
    };
    let call = tested(&browser, &page, &server).await;
    assert!(believes(&old, &call));
    assert_eq!(call.0["doorway-cause"], "test");
    says(&browser.post(&format!("{page}/rotate"), &[]).await, &["Choose one of the two."]);
    browser.post(&format!("{page}/rotate"), &[("how", "overlap")]).await;
    says(&browser.get(&page).await, &["Two secrets count"]);
    let new = secret(&browser, &page).await;
    assert_ne!(old, new);
    let call = tested(&browser, &page, &server).await;
    assert!(believes(&old, &call) && believes(&new, &call));
    // By hand, before its time.
    browser.post(&format!("{page}/end-overlap"), &[]).await;
    assert!(!browser.get(&page).await.words().contains("Two secrets count"));
    let call = tested(&browser, &page, &server).await;
    assert!(!believes(&old, &call) && believes(&new, &call));
    assert_eq!(world.column("SELECT old_secret_sealed AS s FROM endpoints", "s").await, None);
    // By time.
    browser.post(&format!("{page}/rotate"), &[("how", "overlap")]).await;
    world.advance(24 * 3_600 + 60);
    assert!(!browser.get(&page).await.words().contains("Two secrets count"));
    let call = tested(&browser, &page, &server).await;
    assert!(!believes(&new, &call) && believes(&secret(&browser, &page).await, &call));
    // At once, for a secret that somebody else has.
    let stolen = secret(&browser, &page).await;
    browser.post(&format!("{page}/rotate"), &[("how", "at_once")]).await;
    let call = tested(&browser, &page, &server).await;
    assert!(!believes(&stolen, &call) && believes(&secret(&browser, &page).await, &call));
}

async fn metas_format_is_signed_with_the_old_secret_until_one_switches(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let server = Server::start(Handshake::Answered).await;
    let fields = [("name", "Bot"), ("to", "url"), ("url", &server.url), ("format", "meta"), ("verify_token", WORD)];
    let page = made(&browser, &fields).await;
    let old = secret(&browser, &page).await;
    let of = |call: &(http::HeaderMap, axum::body::Bytes), secret: &str, name: &str| {
        let given = call.0.get(name).map(|value| value.to_str().unwrap().to_owned());
        given.is_some_and(|given| meta::verify(&secret.to_owned().into(), &given, &call.1))
    };
    let call = tested(&browser, &page, &server).await;
    assert!(of(&call, &old, meta::HEADER) && !call.0.contains_key(meta::NEXT_HEADER));
    let told: serde_json::Value = serde_json::from_slice(&call.1).unwrap();
    assert_eq!(
        (&told["object"], &told["entry"][0]["changes"][0]["field"]),
        (&"whatsapp_business_account".into(), &"messages".into())
    );
    browser.post(&format!("{page}/rotate"), &[("how", "overlap")]).await;
    let new = secret(&browser, &page).await;
    let call = tested(&browser, &page, &server).await;
    assert!(of(&call, &old, meta::HEADER) && of(&call, &new, meta::NEXT_HEADER));
    says(&browser.get(&page).await, &["Switch to the new secret now"]);
    browser.post(&format!("{page}/end-overlap"), &[]).await;
    let call = tested(&browser, &page, &server).await;
    assert!(of(&call, &new, meta::HEADER) && !call.0.contains_key(meta::NEXT_HEADER));
}
