//! The charts of latency and failures, and staff's sums of all customers.

use super::*;

on_both_engines!(latency_and_failures_are_drawn, sums_of_all_go_on);

const MINUTE: &str = "INSERT INTO delivery_minutes (minute, endpoint_id, delivered, failed, latency_ms_sum, latency_ms_max) \
                      SELECT CAST($1 AS BIGINT), id, 3, 2, 4500, 2750 FROM endpoints";

async fn with_receiver(browser: &Browser, name: &str) {
    browser.get("/settings/endpoints/new").await;
    let fields = [("name", name), ("to", "receiver"), ("format", "events")];
    assert_eq!(browser.post("/settings/endpoints/new", &fields).await.status, 303);
}

async fn fill(world: &World, sql: &'static str, minute: i64) {
    let mut tx = world.portal.store.write().await.unwrap();
    query(sql).bind(minute).execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
}

fn minute(world: &World) -> i64 {
    world.clock.now().unix_timestamp() / 60
}

/// The words of a chart's table.
fn table(page: &Page, head: &str) -> Vec<String> {
    let words = page.words();
    let (_, rest) = words.split_once(head).unwrap_or_else(|| panic!("{head}: {words}"));
    rest.split_whitespace().take(5).map(str::to_owned).collect()
}

async fn latency_and_failures_are_drawn(db: Database) {
    let world = World::start(db).await;
    let (bakery, shop) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    says(
        &bakery.get("/events?range=hour").await,
        &["Last hour: 0 events, 0 delivered, 0 failed", "Nothing in this time."],
    );
    for (browser, name) in [(&bakery, "Till"), (&bakery, "Stock"), (&shop, "Desk")] {
        with_receiver(browser, name).await;
    }
    fill(&world, MINUTE, minute(&world) - 2).await;
    // Two endpoints of the bakery: the sums add up, the longest is the longest of both.
    let page = bakery.get("/events?range=hour").await;
    says(&page, &["Last hour: 0 events, 6 delivered, 4 failed"]);
    assert_eq!(table(&page, "UTC Longest On average")[1..], ["2.7", "s", "1.5", "s"]);
    assert_eq!(table(&page, "UTC Delivered Failed")[1..3], ["6", "4"]);
    // What is more than an hour ago is in the day's alone.
    fill(&world, MINUTE, minute(&world) - 90).await;
    says(&bakery.get("/events?range=hour").await, &["6 delivered, 4 failed"]);
    says(&bakery.get("/events?range=day").await, &["Last day: 0 events, 12 delivered, 8 failed"]);
    says(&shop.get("/events?range=day").await, &["6 delivered, 4 failed"]);
}

async fn sums_of_all_go_on(db: Database) {
    let world = World::start(db).await;
    let (bakery, shop) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    let staff = world.staff(Role::Support).await;
    for (browser, name) in [(&bakery, "Till"), (&shop, "Desk")] {
        with_receiver(browser, name).await;
    }
    let came = "INSERT INTO event_minutes (minute, customer_id, kind, n) \
                SELECT CAST($1 AS BIGINT), id, 'message.received', 5 FROM customers WHERE name <> ''";
    fill(&world, came, minute(&world) - 300).await;
    fill(&world, MINUTE, minute(&world) - 300).await;
    says(&staff.get("/events?range=day").await, &["Last day: 10 events, 6 delivered, 4 failed"]);
    // What comes later is added, and the minute that goes on is read again.
    for _ in 0..2 {
        fill(&world, "DELETE FROM event_minutes WHERE minute > $1", minute(&world) - 200).await;
        fill(&world, came, minute(&world) - 1).await;
        says(&staff.get("/events?range=day").await, &["Last day: 20 events, 6 delivered, 4 failed"]);
    }
    fill(&world, "UPDATE event_minutes SET n = 6 WHERE minute > $1", minute(&world) - 200).await;
    fill(&world, MINUTE, minute(&world)).await;
    says(&staff.get("/events?range=day").await, &["Last day: 22 events, 12 delivered, 8 failed"]);
    says(&staff.get("/events?range=hour").await, &["Last hour: 12 events, 6 delivered, 4 failed"]);
    says(&staff.get("/events?range=day&customer=Corner+Shop").await, &["Last day: 11 events, 6 delivered, 4 failed"]);
}
