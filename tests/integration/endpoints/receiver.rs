//! The built-in receiver.

use super::*;
use doorway::forwarding::format::standard_webhooks;
use http::Method;

on_both_engines!(
    what_arrives_is_shown_and_failures_are_tried_again,
    nobody_else_puts_anything_there,
    who_can_not_have_signed_is_refused_before_the_body,
    many_calls_at_once_are_all_kept,
    each_format_reaches_it,
);

async fn what_arrives_is_shown_and_failures_are_tried_again(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let page = with_receiver(&browser, "Shop", "events").await;
    let received = format!("{page}/received");
    says(&browser.get(&received).await, &["Nothing yet"]);
    assert_eq!(browser.post(&received, &[("answers", "418")]).await.status, 422);
    assert_eq!(browser.post(&received, &[("answers", "500")]).await.location(), received);
    let tested = browser.post(&format!("{page}/test"), &[]).await.location().to_owned();
    assert!(tested.starts_with(&format!("{page}?test=1")), "{tested}");
    let words = ["Failed, is tried again", "Attempt 1", "500", "set to fail", "Next attempt", "Calls fail"];
    shows(&browser, &tested, &words).await;
    says(
        &browser.get(&received).await,
        &["Delivery 1, attempt 1", "Answered 500", "Signature is right", "This is a test"],
    );
    browser.post(&received, &[("answers", "200")]).await;
    world.advance(60);
    shows(&browser, &tested, &["Delivered", "Attempt 2", "Active"]).await;
    says(&browser.get(&received).await, &["Delivery 1, attempt 2", "Answered 200"]);
    // 410 switches it off, until it is resumed.
    browser.post(&received, &[("answers", "410")]).await;
    browser.post(&format!("{page}/test"), &[]).await;
    eventually("it is disabled", || async { browser.get(&page).await.words().contains("Disabled").then_some(()) })
        .await;
    assert_eq!(browser.post(&format!("{received}/forget"), &[]).await.location(), received);
    says(&browser.get(&received).await, &["Nothing yet"]);
}

/// Waits until a page has all of these words: it is read while the dispatcher writes.
async fn shows(browser: &Browser, path: &str, words: &[&str]) {
    eventually(&format!("{words:?} on {path}"), || async {
        let text = browser.get(path).await.words();
        words.iter().all(|word| text.contains(word)).then_some(())
    })
    .await;
}

async fn nobody_else_puts_anything_there(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let page = with_receiver(&browser, "Shop", "events").await;
    let secret = secret(&browser, &page).await;
    let address = page.replace("/settings/endpoints/", "/receive/");
    let stranger = world.anonymous();
    let call = |secret: &str, body: &str, seconds: i64| {
        let at = world.clock.now().unix_timestamp() + seconds;
        let signed =
            doorway::forwarding::format::standard_webhooks::sign(&secret.to_owned().into(), "m", at, body.as_bytes());
        stranger
            .request(Method::POST, &address)
            .header("webhook-id", "m")
            .header("webhook-timestamp", at.to_string())
            .header("webhook-signature", signed)
            .body(body.to_owned())
    };
    let other = standard_webhooks::new_secret();
    let other = secrecy::ExposeSecret::expose_secret(&other).to_owned();
    assert_eq!(stranger.send(stranger.request(Method::POST, &address).body("{}")).await.status, 401);
    assert_eq!(stranger.send(call(&other, "{}", 0)).await.status, 401);
    assert_eq!(stranger.send(call(&secret, "{}", -600)).await.status, 401, "an old call, played again");
    says(&browser.get(&format!("{page}/received")).await, &["Nothing yet"]);
    // What is no JSON is shown as it is, and the oldest give way.
    for n in 0..52 {
        assert_eq!(stranger.send(call(&secret, &format!("<b>call {n}.</b>"), 0)).await.status, 200);
    }
    let shown = browser.get(&format!("{page}/received")).await;
    assert!(!shown.text.contains("<b>call"), "escaped");
    says(&shown, &["call 51.", "call 2."]);
    assert!(!shown.words().contains("call 1."), "the last fifty are kept");
    // One with a server of its own has none.
    let own =
        made(&browser, &[("name", "CRM"), ("to", "url"), ("url", "http://shop.example/in"), ("format", "events")])
            .await;
    assert_eq!(browser.get(&format!("{own}/received")).await.status, 404);
    let none = own.replace("/settings/endpoints/", "/receive/");
    assert_eq!(stranger.send(stranger.request(Method::POST, &none).body("{}")).await.status, 404);
}

async fn who_can_not_have_signed_is_refused_before_the_body(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let at = |page: &str| page.replace("/settings/endpoints/", "/receive/");
    let events = at(&with_receiver(&browser, "Shop", "events").await);
    let meta = made(&browser, &[("name", "Meta"), ("to", "receiver"), ("format", "meta")]).await;
    let meta = at(&meta);
    assert_eq!(world.answers_head("/receive/nonsense", &[]).await, 404);
    let unknown = format!("/receive/{}", doorway::base::ids::EndpointId::new());
    assert_eq!(world.answers_head(&unknown, &[]).await, 404);
    let (now, old) = (world.clock.now().unix_timestamp(), world.clock.now().unix_timestamp() - 900);
    let (now, old) = (now.to_string(), old.to_string());
    let signed = ("webhook-signature", "v1,AAAA");
    let cases: [&[(&str, &str)]; 5] = [
        &[],
        &[("webhook-id", "m"), ("webhook-timestamp", &now)],
        &[("webhook-id", "m"), signed],
        &[("webhook-id", "m"), ("webhook-timestamp", "9223372036854775807"), signed],
        &[("webhook-id", "m"), ("webhook-timestamp", &old), signed],
    ];
    for headers in cases {
        assert_eq!(world.answers_head(&events, headers).await, 401, "{headers:?}");
    }
    assert_eq!(world.answers_head(&meta, &[]).await, 401);
    assert_eq!(world.answers_head(&meta, &[("x-hub-signature-256", "sha256=00")]).await, 401);
}

async fn many_calls_at_once_are_all_kept(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let mut calls = Vec::new();
    for name in ["One", "Two"] {
        let page = with_receiver(&browser, name, "events").await;
        let secret = secret(&browser, &page).await;
        let address = page.replace("/settings/endpoints/", "/receive/");
        let at = world.clock.now().unix_timestamp();
        for n in 0..60 {
            let body = format!("{name} {n}");
            let signed = standard_webhooks::sign(&secret.clone().into(), "m", at, body.as_bytes());
            let stranger = world.anonymous();
            let call = stranger.request(Method::POST, &address).header("webhook-id", "m");
            let call = call.header("webhook-timestamp", at.to_string()).header("webhook-signature", signed).body(body);
            calls.push(async move { stranger.send(call).await.status.as_u16() });
        }
    }
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
    let kept = "SELECT count(*) AS n FROM received_calls";
    assert_eq!(world.number(kept, "n").await, Some(100), "the last 50 of each");
}

async fn each_format_reaches_it(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    for (format, says_so) in [
        ("meta", "\"object\": \"whatsapp_business_account\""),
        ("events", "\"type\": \"message.received\""),
        ("mo_dlr", "\"Destination\": \"15550783881\""),
    ] {
        let page = with_receiver(&browser, format, format).await;
        browser.post(&format!("{page}/test"), &[]).await;
        let received = eventually("the call", || async {
            let page = browser.get(&format!("{page}/received")).await;
            page.words().contains("Answered 200").then_some(page)
        })
        .await;
        says(&received, &[says_so, "Signature is right"]);
    }
    // What the page of the formats says is what is sent.
    says(
        &browser.get("/settings/endpoints/formats").await,
        &["\"Destination\": \"15550783881\"", "\"type\": \"message.status\""],
    );
}
