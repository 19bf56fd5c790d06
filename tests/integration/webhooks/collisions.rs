//! 64 bits of a digest may be the same for two messages: the event that a mark names tells which it is.

use super::*;

on_both_engines!(a_collision_loses_nothing);

async fn a_collision_loses_nothing(db: Database) {
    let world = World::start(db).await;
    let (meta, store) = (world.anonymous(), world.portal.store.clone());
    let send = async |id: &str| {
        assert_eq!(post(&meta, statuses("1", &[(id, "sent")]).to_string()).await, 200);
        routed(&store).await;
        number_in(&store, EVENTS).await
    };
    let run = async |sql: &'static str| {
        let mut tx = store.write().await.unwrap();
        query(sql).execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
    };
    assert_eq!((send("A").await, send("B").await), (1, 2));
    let places = "SELECT count(*) AS n FROM event_marks";
    eventually("both marks to be at their places", || async { (number_in(&store, places).await == 2).then_some(()) })
        .await;
    let waiting = "SELECT count(*) AS n FROM young_marks";
    eventually("none to wait", || async { (number_in(&store, waiting).await == 0).then_some(()) }).await;
    // As if A's and B's digests were the same, and A had come last.
    run("UPDATE event_marks SET event_id = (SELECT min(id) FROM events) WHERE event_id = (SELECT max(id) FROM events)")
        .await;
    assert_eq!(send("B").await, 3, "what is found is not of this message");
    assert_eq!(send("B").await, 3, "now it is");
    assert_eq!(send("A").await, 3);
    // Where the JSON is not kept any more, the digest decides.
    run("DELETE FROM intake").await;
    assert_eq!(send("B").await, 3);
}
