//! SIGTERM: status 0 within two seconds, whatever is open.

use super::*;
use std::time::{Duration, Instant};

on_both_engines!(told_to_end_with_an_open_stream_and_a_hanging_call, a_stream_tells_each_change_and_ends);

async fn told_to_end_with_an_open_stream_and_a_hanging_call(db: Database) {
    let mut process = Process::start(db).await;
    let browser = process.customer("Harbour Bakery").await;
    let attempt = browser.begin().await;
    let mut stream = browser.request(Method::GET, &format!("{}/stream", attempt.url)).send().await.unwrap();
    assert_eq!(stream.status(), 200);
    assert!(stream.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
    let first = stream.chunk().await.unwrap().unwrap();
    assert!(first.starts_with(b"event: change"), "{first:?}");
    process.meta.hold(Method::GET, "debug_token");
    let signup = process.meta.signup(&[]).await;
    attempt.code(&signup).await;
    process.meta.called("debug_token").await;
    let began = Instant::now();
    let status = process.terminate().await;
    let took = began.elapsed();
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(2), "{took:?}");
    while let Ok(Some(_)) = stream.chunk().await {}
    process.meta.abandon();
    process.launch().await;
    attempt.is_done().await;
    let began = Instant::now();
    assert_eq!(process.terminate().await.code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(2), "nothing was open: {:?}", began.elapsed());
}

async fn a_stream_tells_each_change_and_ends(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let attempt = browser.begin().await;
    let mut stream = browser.request(Method::GET, &format!("{}/stream", attempt.url)).send().await.unwrap();
    let signup = world.meta.signup(&[]).await;
    attempt.bring_all(&signup).await;
    let mut text = String::new();
    let read = async {
        while let Some(chunk) = stream.chunk().await.unwrap() {
            text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    };
    tokio::time::timeout(PATIENCE, read).await.expect("the stream ends when all is done");
    let versions: Vec<i64> =
        text.lines().filter_map(|line| line.strip_prefix("data: ")).map(|version| version.parse().unwrap()).collect();
    assert!(versions.len() > 2 && versions.is_sorted(), "{text}");
    let last = attempt.is_done().await.attribute("data-version").unwrap();
    assert_eq!(versions.last().unwrap().to_string(), last, "the page is as new as the last change told");
}
