//! How long things are kept, and how many may be.

use super::*;
use doorway::{
    config::Retention,
    webhooks::{EventId, Of},
};
use std::time::Instant;

on_both_engines!(
    what_is_old_goes_and_the_rest_stays,
    a_body_that_is_not_routed_stays,
    a_customers_list_does_not_mind_how_many_others_have,
);

/// So that nothing goes by itself.
fn for_ever() -> Retention {
    let ever = time::Duration::days(100_000);
    Retention { bodies: ever, events: ever, deliveries: ever, charts: ever }
}

async fn count(store: &doorway::store::Store, sql: &'static str) -> i64 {
    query(sql).one(&mut store.read().await.unwrap(), |row| row.int("n")).await.unwrap()
}

async fn what_is_old_goes_and_the_rest_stays(db: Database) {
    let world = World::with(db, |config| config.retention = for_ever()).await;
    let bakery = world.customer("Harbour Bakery").await;
    let number = Number::of(&world.connect(&bakery, &[]).await.1);
    settled(&world).await;
    let nobody = world.anonymous();
    let body = |message: &str| number.entry(&[number.text(message, "Ana", "16505551234", "hi")]).to_string();
    post(&nobody, &body("old")).await;
    let store = &world.portal.store;
    routed(store).await;
    let old = ids(&bakery.get("/events?kind=messages").await).remove(0);
    // All of it came 40 days ago, beside more than one step holds.
    let now = world.clock.now();
    let mut tx = store.write().await.unwrap();
    let many = "INSERT INTO event_marks (digest, seen, event_id, day) \
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4300) \
                SELECT i, 1, 1, CASE WHEN i % 2 = 0 THEN 5 ELSE 99999 END FROM n";
    query(many).execute(&mut tx).await.unwrap();
    for age in ["UPDATE intake SET received_at = $1", "UPDATE events SET received_at = $1"] {
        query(age).bind(now - time::Duration::days(40)).execute(&mut tx).await.unwrap();
    }
    query("UPDATE event_minutes SET minute = minute - 40 * 1440").execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    post(&nobody, &body("young")).await;
    routed(store).await;
    let (month, quarter) = (now - time::Duration::days(30), now - time::Duration::days(90));
    // The event is kept longer than what it says.
    world.portal.webhooks.prune(month, quarter, quarter).await.unwrap();
    world.portal.webhooks.prune_marks().await.unwrap();
    assert_eq!(count(store, "SELECT count(*) AS n FROM event_marks WHERE day = 5").await, 0);
    assert_eq!(count(store, "SELECT count(*) AS n FROM event_marks WHERE day = 99999").await, 2150);
    let bodies = count(store, "SELECT count(*) AS n FROM intake").await;
    assert_eq!(bodies, 1, "what came later stays");
    let page = bakery.get("/events?kind=messages").await;
    assert_eq!(ids(&page).len(), 2);
    says(&page, &["Its content is not kept any more"]);
    let page = bakery.get(&format!("/events/{old}")).await;
    says(&page, &["It is not kept any more", "can’t be sent again"]);
    assert_eq!(bakery.get(&format!("/events/{old}/raw")).await.status, 404);

    let minutes = "SELECT count(*) AS n FROM event_minutes";
    let counted = count(store, minutes).await;
    world.portal.webhooks.prune(month, month, month).await.unwrap();
    assert_eq!(ids(&bakery.get("/events?kind=messages").await).len(), 1);
    assert_eq!(bakery.get(&format!("/events/{old}")).await.status, 404);
    let left = count(store, minutes).await;
    assert!(left > 0 && left < counted, "{left} of {counted}");
}

async fn a_body_that_is_not_routed_stays(db: Database) {
    // A portal that does not run: nobody routes.
    let url = "http://localhost:1".parse().unwrap();
    let clock = doorway::base::clock::Clock::system();
    let meta = Meta::start(&url, db.dir.path(), clock.clone()).await;
    let store = db.store().await;
    store.migrate().await.unwrap();
    let config = configuration(&db, ([127, 0, 0, 1], 1).into(), &url, &meta);
    let app = doorway::app::App::build(&config, store.clone(), clock.clone()).unwrap();
    for _ in 0..3 {
        app.webhooks.keep("{}".to_owned()).await.unwrap();
    }
    let mut tx = store.write().await.unwrap();
    query("UPDATE intake SET received_at = 1").execute(&mut tx).await.unwrap();
    query("UPDATE counters SET value = 1 WHERE name = 'routed'").execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    let now = clock.now();
    app.webhooks.prune(now, now, now).await.unwrap();
    assert_eq!(count(&store, "SELECT count(*) AS n FROM intake").await, 2, "however old they are");
    store.close().await;
}

async fn a_customers_list_does_not_mind_how_many_others_have(db: Database) {
    let world = World::with(db, |config| config.retention = for_ever()).await;
    let (store, webhooks) = (&world.portal.store, &world.portal.webhooks);
    let mut tx = store.write().await.unwrap();
    let customer = doorway::base::ids::CustomerId::new();
    for (id, owner) in [(1_001, None), (1_002, Some(customer.to_string())), (1_003, Some(customer.to_string()))] {
        query(
            "INSERT INTO event_routes (id, waba_id, phone_number_id, customer_id, connection_id, created_at) \
             VALUES ($1, '1', '2', $2, $2, 1)",
        )
        .bind(id)
        .bind(owner)
        .execute(&mut tx)
        .await
        .unwrap();
    }
    // 300,000 of others, and among them 2,000 of the customer, the last of them long ago.
    let many = "INSERT INTO events (id, received_at, route_id, kind, detail) \
                WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < 302000) \
                SELECT i * 1048576, i, CASE WHEN i % 20 = 0 AND i < 40001 THEN 1002 + i % 40 / 20 ELSE 1001 END, \
                'message.status', 'sent' FROM n";
    query(many).execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    let routes = webhooks.routes_of(customer).await.unwrap();
    assert_eq!(routes.len(), 2);
    let of = Of::Routes(routes);
    let mut took = Vec::new();
    let mut before = None;
    for _ in 0..5 {
        let began = Instant::now();
        let mut events = webhooks.newest(&of, before);
        let mut page: Vec<EventId> = Vec::new();
        while page.len() < 50 {
            page.push(events.next().await.unwrap().unwrap().id);
        }
        took.push(began.elapsed());
        assert!(page.is_sorted_by(|a, b| a > b), "the routes are merged, the newest first");
        before = page.last().copied();
    }
    took.sort();
    assert!(took[2].as_millis() < 50, "pages took {took:?}");
    if store.is_sqlite() {
        // What `webhooks/list.rs` asks of one route.
        let plan = "EXPLAIN QUERY PLAN SELECT id, received_at, kind, detail, stale FROM events \
                    WHERE route_id = 1002 AND id < 9000000000 ORDER BY id DESC LIMIT 51";
        let mut db = store.read().await.unwrap();
        let plan = query(plan).all(&mut db, |row| row.text("detail")).await.unwrap().join("; ");
        assert!(plan.contains("USING INDEX events_by_route (route_id=? AND id<?)"), "{plan}");
        assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{plan}");
    }
    let first = webhooks.next_event(&of, EventId(0)).await.unwrap().unwrap();
    assert_eq!(first, EventId(20 * 1_048_576));
    assert!(webhooks.newest(&of, Some(first)).next().await.unwrap().is_none());
}
