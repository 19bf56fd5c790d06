//! The open list hears of new events, also of those that another process took in.

use super::*;
use futures_util::StreamExt;
use std::time::Duration;

on_both_engines!(an_open_list_gets_new_lines, a_stream_keeps_to_its_own);

/// Reads a stream until it has said this.
async fn hears(browser: &Browser, path: &str, words: &str, act: impl Future<Output = ()>) -> String {
    let request = browser.request(Method::GET, path).header("accept", "text/event-stream");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let mut pieces = response.bytes_stream();
    act.await;
    let mut said = String::new();
    let listening = async {
        while let Some(piece) = pieces.next().await {
            said.push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
            if said.contains(words) {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), listening).await.unwrap_or_else(|_| panic!("{words}: {said}"));
    said
}

async fn an_open_list_gets_new_lines(db: Database) {
    let world = World::start(db).await;
    let bakery = world.customer("Harbour Bakery").await;
    let number = Number::of(&world.connect(&bakery, &[]).await.1);
    settled(&world).await;
    let page = bakery.get("/events").await;
    let stream = page.text.split("data-stream=\"").nth(1).unwrap().split('"').next().unwrap();
    let stream = stream.replace("&#38;", "&").replace("&amp;", "&");
    let nobody = world.anonymous();
    let body = number.entry(&[number.text("m1", "Ana", "16505551234", "hi")]).to_string();
    let said = hears(&bakery, &stream, "Ana", async { post(&nobody, &body).await }).await;
    assert!(said.contains("event: rows") && said.contains("\nid: "), "{said}");
    let line = said.lines().find(|line| line.starts_with("id:")).unwrap();
    let id = line.trim_start_matches("id:").trim();
    // A browser that comes again says where it was, and does not get the same once more.
    let again = bakery.request(Method::GET, &stream).header("accept", "text/event-stream").header("last-event-id", id);
    let mut pieces = again.send().await.unwrap().bytes_stream();
    let silence = tokio::time::timeout(Duration::from_millis(2_500), async {
        let mut said = String::new();
        while let Some(piece) = pieces.next().await {
            said.push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
            assert!(!said.contains("Ana"), "{said}");
        }
    });
    assert!(silence.await.is_err(), "the stream goes on");
}

async fn a_stream_keeps_to_its_own(db: Database) {
    let world = World::start(db).await;
    let (bakery, shop) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    let first = Number::of(&world.connect(&bakery, &[]).await.1);
    let second = Number::of(&world.connect(&shop, &[]).await.1);
    settled(&world).await;
    let nobody = world.anonymous();
    let theirs = first.entry(&[first.text("m1", "Ana", "16505551234", "hi")]).to_string();
    let status = second.entry(&[second.status("o1", "sent", "16505557777")]).to_string();
    let ours = second.entry(&[second.text("m2", "Ben", "16505559999", "ho")]).to_string();
    let newest = "SELECT coalesce(max(id), 0) AS id FROM events";
    let newest = world.number(newest, "id").await.unwrap();
    let said = hears(&shop, &format!("/events/stream?kind=messages&after={newest}"), "Ben", async {
        for body in [&theirs, &status, &ours] {
            post(&nobody, body).await;
        }
    })
    .await;
    assert!(!said.contains("Ana") && !said.contains("555-7777"), "{said}");
}
