//! Webhooks that come before their account is connected become its customer's.

use super::*;

on_both_engines!(what_came_before_the_connection_is_its_customers);

async fn what_came_before_the_connection_is_its_customers(db: Database) {
    let world = World::start(db).await;
    let (meta, store) = (world.anonymous(), world.portal.store.clone());
    let browser = world.customer("Harbour Bakery").await;
    let attempt = browser.begin().await;
    let signup = world.meta.signup(&[]).await;
    let (waba, number) = (id(&signup, "waba_ids", 0), id(&signup, "phone_number_ids", 0));
    for at in 0..3 {
        assert_eq!(post(&meta, message(&waba, &number, &format!("early {at}")).to_string()).await, 200);
    }
    assert_eq!(post(&meta, message("1", "2", "of somebody else").to_string()).await, 200);
    routed(&store).await;
    let theirs = "SELECT count(*) AS n FROM events e JOIN event_routes r ON r.id = e.route_id \
                  JOIN wabas w ON w.customer_id = r.customer_id AND w.connection_id = r.connection_id \
                  AND w.waba_id = r.waba_id WHERE e.kind = 'message.received'";
    assert_eq!(number_in(&store, theirs).await, 0);
    attempt.bring_all(&signup).await;
    attempt.connection().await;
    eventually("the link", || async { (number_in(&store, theirs).await == 3).then_some(()) }).await;
    let behind = "SELECT count(*) AS n FROM event_routes WHERE backlog_until IS NOT NULL";
    eventually("the backlog", || async { (number_in(&store, behind).await == 0).then_some(()) }).await;
    assert_eq!(post(&meta, message(&waba, &number, "later").to_string()).await, 200);
    routed(&store).await;
    assert_eq!(number_in(&store, theirs).await, 4);
    let nobodys = "SELECT count(*) AS n FROM events e JOIN event_routes r ON r.id = e.route_id \
                   WHERE r.customer_id IS NULL AND e.kind = 'message.received'";
    assert_eq!(number_in(&store, nobodys).await, 1, "the other's stay nobody's");
}
