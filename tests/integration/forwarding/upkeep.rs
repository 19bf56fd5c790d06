//! What is removed.

use super::*;
use doorway::forwarding::{EndpointState, Forwarding};

on_both_engines!(
    a_removed_endpoint_leaves_nothing,
    what_is_old_goes_whatever_became_of_it,
    what_the_receiver_got_goes_in_steps,
    a_customer_is_erased
);

const TABLES: [&str; 4] = [
    "SELECT count(*) AS n FROM endpoints",
    "SELECT count(*) AS n FROM deliveries",
    "SELECT count(*) AS n FROM delivery_attempts",
    "SELECT count(*) AS n FROM delivery_minutes",
];

async fn counts(world: &World) -> Vec<i64> {
    let mut all = Vec::new();
    for sql in TABLES {
        all.push(world.number(sql, "n").await.unwrap());
    }
    all
}

async fn a_removed_endpoint_leaves_nothing(db: Database) {
    let world = World::start(db).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    let receiver = Receiver::start().await;
    let endpoint = bakery.endpoint(&world, &receiver.url, Format::Meta).await;
    let kept = bakery.endpoint(&world, &receiver.url, Format::Meta).await;
    for at in 0..30 {
        bakery.hears(&world, "4915110000001", &format!("{at}")).await;
    }
    receiver.calls(60).await;
    all_in(&world, kept, 30, DeliveryState::Delivered).await;
    let forwarding = &world.portal.forwarding;
    forwarding.delete(&bakery.user, bakery.id, endpoint).await.unwrap();
    assert!(forwarding.endpoint(bakery.id, endpoint).await.is_err());
    assert_eq!(forwarding.endpoints(bakery.id).await.unwrap().len(), 1);
    eventually("its rows are gone", || async { (counts(&world).await[..3] == [1, 30, 30]).then_some(()) }).await;
    bakery.hears(&world, "4915110000001", "more").await;
    all_in(&world, kept, 31, DeliveryState::Delivered).await;
}

async fn what_is_old_goes_whatever_became_of_it(db: Database) {
    let world = World::start(db).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    let receiver = Receiver::start().await;
    let endpoint = bakery.endpoint(&world, &receiver.url, Format::Meta).await;
    let forwarding = &world.portal.forwarding;
    bakery.hears(&world, "4915110000001", "done").await;
    all_in(&world, endpoint, 1, DeliveryState::Delivered).await;
    forwarding.pause(&bakery.user, bakery.id, endpoint).await.unwrap();
    bakery.hears(&world, "4915110000001", "waits").await;
    all_in(&world, endpoint, 1, DeliveryState::Pending).await;
    let between = world.clock.now();
    world.advance(60);
    bakery.hears(&world, "4915110000001", "young").await;
    all_in(&world, endpoint, 2, DeliveryState::Pending).await;
    forwarding.prune(between, between).await.unwrap();
    let left: Vec<i64> = deliveries(&world, endpoint).await.iter().map(|delivery| delivery.number).collect();
    assert_eq!(left, [3]);
    assert_eq!(counts(&world).await[2], 0);
}

async fn what_the_receiver_got_goes_in_steps(db: Database) {
    let world = World::start(db).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    // Nothing is sent there meanwhile.
    bakery.endpoint_for(&world, None, Format::Events, Some(vec![Kind::MessageReceived])).await;
    let now = world.clock.now();
    let mut tx = world.portal.store.write().await.unwrap();
    query(
        "INSERT INTO received_calls (id, endpoint_id, at, headers, body, answered) \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 180) \
         SELECT 'call ' || i, e.id, CASE WHEN i > 170 THEN $1 ELSE 5 END, '[]', 'x', 200 FROM n, endpoints e",
    )
    .bind(now)
    .execute(&mut tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    world.portal.forwarding.prune(now - time::Duration::days(1), now - time::Duration::days(1)).await.unwrap();
    assert_eq!(world.number("SELECT count(*) AS n FROM received_calls", "n").await, Some(10), "more than one step");
}

async fn a_customer_is_erased(db: Database) {
    let world = World::start(db).await;
    let (bakery, shop) = (Customer::new(&world, "Harbour Bakery").await, Customer::new(&world, "Corner Shop").await);
    let receiver = Receiver::answering(|_| Answer::Status(500)).await;
    for customer in [&bakery, &shop] {
        customer.endpoint(&world, &receiver.url, Format::Meta).await;
        customer.hears(&world, "4915110000001", &format!("of{}", customer.number)).await;
    }
    eventually("both were tried", || async { (counts(&world).await[..3] == [2, 2, 2]).then_some(()) }).await;
    let forwarding: &Forwarding = &world.portal.forwarding;
    forwarding.clear(bakery.id).await.unwrap();
    assert_eq!(counts(&world).await[..3], [2, 1, 1]);
    assert!(forwarding.endpoints(bakery.id).await.unwrap().iter().all(|it| it.state == EndpointState::Disabled));
    let mut tx = world.portal.store.write().await.unwrap();
    forwarding.erase(&mut tx, bakery.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(counts(&world).await, [1, 1, 1, 1]);
}
