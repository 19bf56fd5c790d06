//! Meta's handshake when an endpoint of Meta's format is saved.

use super::*;
use server::{Handshake, WORD};

on_both_engines!(
    an_endpoint_of_metas_format_answers_the_handshake_or_is_not_saved,
    an_address_in_a_private_network_is_refused_before_and_while_it_is_called,
);

async fn an_endpoint_of_metas_format_answers_the_handshake_or_is_not_saved(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    browser.get(NEW).await;
    let fields = |url: &str, word: &str| {
        let all = [("name", "Shop & Co"), ("to", "url"), ("url", url), ("format", "meta"), ("verify_token", word)];
        all.map(|(name, value)| (name, value.to_owned()))
    };
    let try_with = |url: String, word: &'static str| {
        let (browser, fields) = (browser.clone(), fields(&url, word));
        async move { browser.post(NEW, &fields.each_ref().map(|(name, value)| (*name, value.as_str()))).await }
    };
    for (does, word, says) in [
        (Handshake::OtherWord, WORD, "403"),
        (Handshake::Answered, "another word", "Check that it knows the verify token"),
        (Handshake::Blind, WORD, "not with the challenge"),
        (Handshake::Status(500), WORD, "500"),
        (Handshake::Status(302), WORD, "a redirect"),
    ] {
        let server = Server::start(does).await;
        let page = try_with(server.url.clone(), word).await;
        assert_eq!(page.status, 422, "{does:?}");
        assert!(page.text.contains("<title>Problem: "), "{does:?}");
        let field = page.tag_with("name=\"url\"").unwrap();
        assert!(
            field.contains("aria-invalid=\"true\"") && field.contains(&server.url),
            "what was typed stays: {field}"
        );
        assert!(page.tag_with("name=\"name\"").unwrap().contains("Shop &#38; Co"));
        assert!(page.tag_with("name=\"verify_token\"").unwrap().contains(word), "what was typed stays");
        crate::support::says(&page, &[says]);
        assert_eq!(server.handshakes.lock().unwrap().len(), 1);
    }
    // Where nobody listens.
    let page = try_with(format!("http://127.0.0.1:{}/in", free_port()), WORD).await;
    assert_eq!(page.status, 422);
    crate::support::says(&page, &["can’t be reached"]);
    assert_eq!(world.number("SELECT count(*) AS n FROM endpoints", "n").await, Some(0));

    let server = Server::start(Handshake::Answered).await;
    let page = try_with(server.url.clone(), WORD).await;
    assert_eq!(page.status, 303, "{}", page.words());
    let shop = page.location().to_owned();
    let asked = server.handshakes.lock().unwrap()[0].clone();
    assert_eq!(
        (asked["hub.mode"].as_str(), asked["hub.verify_token"].as_str(), asked["shop"].as_str()),
        ("subscribe", WORD, "7")
    );
    assert!(asked["hub.challenge"].len() >= 16);
    // The word is kept like a secret, and asked for again only with another address or word.
    let edit = format!("{shop}/edit");
    assert!(!browser.get(&edit).await.text.contains(WORD));
    let saved = browser.post(&edit, &[("name", "Shop"), ("to", "url"), ("url", &server.url)]).await;
    assert_eq!((saved.status.as_u16(), server.handshakes.lock().unwrap().len()), (303, 1));
    let elsewhere = Server::start(Handshake::Answered).await;
    let saved = browser.post(&edit, &[("name", "Shop"), ("to", "url"), ("url", &elsewhere.url)]).await;
    assert_eq!(
        (saved.status.as_u16(), elsewhere.handshakes.lock().unwrap().len()),
        (303, 1),
        "with the word that is stored"
    );
    let wrong =
        browser.post(&edit, &[("name", "Shop"), ("to", "url"), ("url", &elsewhere.url), ("verify_token", "x")]).await;
    assert_eq!(wrong.status, 422);

    // Other formats are not asked.
    let server = Server::start(Handshake::Status(500)).await;
    made(
        &browser,
        &[("name", "CRM"), ("to", "url"), ("url", &server.url), ("format", "events"), ("verify_token", "x")],
    )
    .await;
    assert!(server.handshakes.lock().unwrap().is_empty());
}

async fn an_address_in_a_private_network_is_refused_before_and_while_it_is_called(db: Database) {
    let world = World::with(db, |config| config.allow_private_endpoints = false).await;
    let browser = world.customer("Harbour Bakery").await;
    browser.get(NEW).await;
    for (url, says) in [
        ("https://127.0.0.1/in", "private network"),
        ("https://[::1]/in", "private network"),
        ("https://169.254.169.254/latest", "private network"),
        // A name that leads inside is found out when it is called.
        ("https://localhost/in", "private network"),
        ("http://shop.example/in", "https://"),
        ("ftp://shop.example/in", "https://"),
        ("https://me:secret@shop.example/in", "Leave name and password out"),
        ("shop.example", "This is no address"),
        ("https://", "This is no address"),
    ] {
        let fields = [("name", "Shop"), ("to", "url"), ("url", url), ("format", "meta"), ("verify_token", "x")];
        let page = browser.post(NEW, &fields).await;
        assert_eq!(page.status, 422, "{url}");
        crate::support::says(&page, &[says]);
        assert!(page.tag_with("name=\"url\"").unwrap().contains("aria-invalid"), "{url}");
    }
    assert_eq!(world.number("SELECT count(*) AS n FROM endpoints", "n").await, Some(0));
}
