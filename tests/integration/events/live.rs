//! The open list hears of new events, also of those that another process took in.

use super::*;
use futures_util::StreamExt;
use std::time::Duration;

on_both_engines!(
    an_open_list_gets_new_lines,
    a_stream_keeps_to_its_own,
    nothing_is_looked_at_twice,
    five_lists_are_open_at_most,
    a_stream_ends_with_the_session,
);

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

async fn nothing_is_looked_at_twice(db: Database) {
    let world = World::start(db).await;
    let bakery = world.customer("Harbour Bakery").await;
    let number = Number::of(&world.connect(&bakery, &[]).await.1);
    settled(&world).await;
    let (nobody, store) = (world.anonymous(), &world.portal.store);
    let text = |id: &str, words: &str| number.entry(&[number.text(id, "Ana", "16505551234", words)]).to_string();
    let said = hears(&bakery, "/events/stream?text=needle", "Ben", async {
        post(&nobody, &text("m1", "hay")).await;
        routed(store).await;
        // A look a second: it has been looked at, and did not fit.
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        let mut tx = store.write().await.unwrap();
        query("UPDATE intake SET body = replace(body, 'hay', 'needle1')").execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        post(&nobody, &number.entry(&[number.text("needle2", "Ben", "16505559999", "ho")]).to_string()).await;
    });
    // Lines show who wrote: Ben, and not Ana, whose event is not read again.
    let said = said.await;
    assert!(said.contains("Ben") && !said.contains("Ana"), "{said}");
}

/// An open stream.
async fn opened(browser: &Browser) -> reqwest::Response {
    let request = browser.request(Method::GET, "/events/stream").header("accept", "text/event-stream");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    response
}

/// What a stream says until it ends.
async fn all(stream: reqwest::Response) -> String {
    let mut said = String::new();
    let mut pieces = stream.bytes_stream();
    while let Some(Ok(piece)) = pieces.next().await {
        said.push_str(std::str::from_utf8(&piece).unwrap());
    }
    said
}

/// The same, where it is to end soon.
async fn ends(stream: reqwest::Response) -> String {
    tokio::time::timeout(Duration::from_secs(12), all(stream)).await.expect("it ends")
}

async fn five_lists_are_open_at_most(db: Database) {
    let world = World::start(db).await;
    let (bakery, shop) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    let mut open = Vec::new();
    for _ in 0..5 {
        open.push(opened(&bakery).await);
    }
    let said = ends(opened(&bakery).await).await;
    assert!(said.contains("event: full") && said.contains("5 lists of events open already"), "{said}");
    open.push(opened(&shop).await);
    // Whoever closes one may open another.
    open.remove(0);
    eventually("a place is free", || async {
        let stream = all(opened(&bakery).await);
        tokio::time::timeout(Duration::from_millis(300), stream).await.is_err().then_some(())
    })
    .await;
}

async fn a_stream_ends_with_the_session(db: Database) {
    let world = World::start(db).await;
    let (bakery, shop) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    let (first, second) = (opened(&bakery).await, opened(&shop).await);
    bakery.get("/events").await;
    assert!(bakery.post("/signout", &[]).await.status.is_redirection());
    assert_eq!(ends(first).await.matches("event:").count(), 0);
    // Of a company that is shut out too.
    let mut tx = world.portal.store.write().await.unwrap();
    let shut = "UPDATE customers SET suspended_at = 1 WHERE name = 'Corner Shop'";
    query(shut).execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    ends(second).await;
}
