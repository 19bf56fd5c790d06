//! A database that takes nothing: Meta is told to come again, and what was not refused is kept.

use super::*;

on_both_engines!(when_too_much_waits_meta_must_come_again);

async fn when_too_much_waits_meta_must_come_again(db: Database) {
    let world = World::start(db).await;
    let store = world.portal.store.clone();
    // So that all that writes at the start is over.
    assert_eq!(post(&world.anonymous(), "{}").await, 200);
    routed(&store).await;
    let mut blocking = store.write().await.unwrap();
    query("UPDATE counters SET value = value WHERE name = 'intake'").execute(&mut blocking).await.unwrap();
    let body = |at: usize| format!("{{\"entry\":[],\"pad\":\"{at}{}\"}}", "x".repeat(3 * 1024 * 1024 - 100));
    let posts: Vec<_> = (0..30)
        .map(|at| {
            let (meta, body) = (world.anonymous(), body(at));
            tokio::spawn(async move { post(&meta, body).await })
        })
        .collect();
    eventually("refusals", || async { (posts.iter().filter(|post| post.is_finished()).count() >= 5).then_some(()) })
        .await;
    blocking.commit().await.unwrap();
    let (mut kept, mut refused) = (0, 0);
    for post in posts {
        match post.await.unwrap() {
            200 => kept += 1,
            503 => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert!(kept >= 15 && refused >= 5, "{kept} kept, {refused} refused");
    assert_eq!(number_in(&store, "SELECT count(*) AS n FROM intake").await, kept + 1);
    assert_eq!(post(&world.anonymous(), body(99)).await, 200, "there is room again");
}
