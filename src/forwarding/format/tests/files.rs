//! Files take memory: not more than there is for them.

use super::*;
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// How large each file is.
const SIZE: usize = 300_000;

/// Hands out large files for any ID, and counts how many.
#[derive(Default)]
struct LargeFiles(AtomicUsize);

impl Files for LargeFiles {
    fn fetch<'a>(&'a self, _: ConnectionId, _: &'a str, room: &'a mut Room) -> BoxFuture<'a, Fetched> {
        Box::pin(async move {
            room.take(cost(SIZE)).await;
            self.0.fetch_add(1, Ordering::Relaxed);
            Fetched::File { mime_type: "video/mp4".to_owned(), bytes: vec![7; SIZE] }
        })
    }
}

/// Waits until nothing moves any more.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}

#[tokio::test]
async fn files_wait_for_room_and_hanging_receivers_leave_some_to_others() {
    let files = Arc::new(LargeFiles::default());
    let fetched = || files.0.load(Ordering::Relaxed);
    // Room for two and a bit at an endpoint, three at a customer and four in all.
    let memory = Memory::new(4 * cost(SIZE), 3 * cost(SIZE), 2 * cost(SIZE) + SIZE);
    let formats = Formats { clock: Clock::system(), files: files.clone(), memory };
    let video = message("video", &json!({ "id": "1", "mime_type": "video/mp4" }));
    let body: &'static str = messages(&json!([video])).leak();
    // The call is made, then the receiver hangs until it is aborted.
    let begin = |endpoint: &Endpoint| {
        let (formats, endpoint) = (formats.clone(), endpoint.clone());
        tokio::spawn(async move {
            let routed = routed(body);
            let event = event(&routed);
            let delivery = delivery(&endpoint, Some(event.id), Some(0), Cause::Event);
            let made = call(&formats, &endpoint, &delivery, Some((&event, &routed.change))).await.unwrap();
            assert!(made.body.len() > SIZE * 4 / 3);
            std::future::pending::<()>().await;
            drop(made);
        })
    };
    let mut first = endpoint(Format::MoDlr);
    let second = Endpoint { id: EndpointId::new(), ..first.clone() };
    let stranger = endpoint(Format::MoDlr);
    let mut hanging: Vec<_> = (0..40).map(|_| begin(&first)).collect();
    settle().await;
    assert_eq!(fetched(), 2, "an endpoint's part");
    hanging.extend((0..40).map(|_| begin(&second)));
    settle().await;
    assert_eq!(fetched(), 3, "the customer's part");
    let others = begin(&stranger);
    settle().await;
    assert_eq!(fetched(), 4, "somebody else's file comes through all the same");
    hanging.remove(0).abort();
    settle().await;
    assert_eq!(fetched(), 5, "whoever waits gets the room of a call that is over");
    others.abort();
    hanging.into_iter().for_each(|call| call.abort());
    settle().await;
    // A file is smaller than itself and its base64: what an endpoint outside of this process need not hold is free.
    first.url = Some("https://example.org/".parse().unwrap());
    let before = fetched();
    let calls: Vec<_> = (0..40).map(|_| begin(&first)).collect();
    settle().await;
    assert_eq!(fetched() - before, 3);
    drop(calls);
}

#[tokio::test]
async fn a_file_is_written_into_the_body_once() {
    let files = Arc::new(LargeFiles::default());
    let formats = Formats { clock: Clock::system(), files, memory: Memory::default() };
    let video = message("video", &json!({ "id": "1", "mime_type": "video/mp4", "caption": "c" }));
    let body = messages(&json!([video]));
    let (routed, endpoint) = (routed(&body), endpoint(Format::MoDlr));
    let event = event(&routed);
    let delivery = delivery(&endpoint, Some(event.id), Some(0), Cause::Event);
    let made = call(&formats, &endpoint, &delivery, Some((&event, &routed.change))).await.unwrap();
    assert!(made.body.capacity() < cost(SIZE) - SIZE, "it has not grown by doubling: {}", made.body.capacity());
    let told: Value = serde_json::from_slice(&made.body).unwrap();
    let video = &told["content"]["video"];
    assert_eq!((&video["encoding"], &video["caption"]), (&json!("base64"), &json!("c")));
    assert!(video["data"].as_str().unwrap().len() == SIZE / 3 * 4 && told["content"]["identity"]["waId"].is_string());
}
