//! What comes again within 8 days is no event, unless something in it is new.

use super::*;

on_both_engines!(what_came_before_is_no_event, a_stolen_signature_is_counted);

async fn what_came_before_is_no_event(db: Database) {
    let world = World::start(db).await;
    let (meta, store) = (world.anonymous(), world.portal.store.clone());
    let sends = async |body: Value, events: i64, duplicates: i64, why: &str| {
        assert_eq!(post(&meta, body.to_string()).await, 200);
        routed(&store).await;
        let seen = (number_in(&store, EVENTS).await, number_in(&store, DUPLICATES).await);
        assert_eq!(seen, (events, duplicates), "{why}");
    };
    sends(statuses("1", &[("A", "sent")]), 1, 0, "new").await;
    sends(statuses("1", &[("A", "sent")]), 1, 1, "again").await;
    sends(statuses("1", &[("A", "delivered")]), 2, 1, "another status").await;
    sends(statuses("1", &[("A", "sent")]), 2, 2, "the first again").await;
    sends(statuses("2", &[("A", "sent")]), 3, 2, "another number").await;
    sends(message("102290129340398", "1", "A"), 4, 2, "the other direction: two customers may write to each other")
        .await;
    sends(message("102290129340398", "1", "A"), 4, 3, "the message again").await;
    sends(statuses("1", &[("B", "sent"), ("B", "sent")]), 5, 3, "twice in one body").await;
    let stale = "SELECT stale AS n FROM events ORDER BY id DESC LIMIT 1";
    assert_eq!(world.column(stale, "n").await.as_deref(), Some("[1]"));
    sends(statuses("1", &[("B", "sent"), ("C", "sent")]), 6, 3, "one of two is new").await;
    assert_eq!(world.column(stale, "n").await.as_deref(), Some("[0]"));
    sends(statuses("1", &[("A", "warped")]), 7, 3, "a status that nobody knows yet").await;
    sends(statuses("1", &[("A", "folded")]), 8, 3, "another one").await;
    sends(statuses("1", &[("A", "warped")]), 8, 4, "the first of them again").await;
    let of_group = |who: &str| {
        let mut body = statuses("1", &[("G", "read")]);
        let status = &mut body["entry"][0]["changes"][0]["value"]["statuses"][0];
        status["recipient_type"] = "group".into();
        status["recipient_participant_id"] = who.into();
        body
    };
    sends(of_group("16505551234"), 9, 4, "one of a group read it").await;
    sends(of_group("16505551235"), 10, 4, "another one did").await;
    sends(of_group("16505551234"), 10, 5, "the first again").await;
    let review = change_of("102290129340398", "account_review_update", json!({"decision": "APPROVED"}));
    sends(review.clone(), 11, 5, "a change without messages").await;
    sends(review.clone(), 11, 6, "again").await;
    world.advance(7 * 86_400);
    sends(statuses("1", &[("A", "sent")]), 11, 7, "a week later").await;
    world.advance(7 * 86_400);
    sends(statuses("1", &[("A", "sent")]), 11, 8, "a week after it came last").await;
    world.advance(9 * 86_400);
    sends(statuses("1", &[("A", "sent")]), 12, 8, "Meta gave up long ago: it is new").await;
}

async fn a_stolen_signature_is_counted(db: Database) {
    let world = World::start(db).await;
    let meta = world.anonymous();
    for _ in 0..3 {
        assert_eq!(post_signed(&meta, b"{}".to_vec(), "sha256=00").await, 401);
    }
    let counted = "SELECT CAST(sum(n) AS BIGINT) AS n FROM event_minutes WHERE kind = 'refused' AND customer_id = ''";
    eventually("the count", || async { (world.number(counted, "n").await == Some(3)).then_some(()) }).await;
    assert_eq!(world.number("SELECT count(*) AS n FROM intake", "n").await, Some(0));
}
