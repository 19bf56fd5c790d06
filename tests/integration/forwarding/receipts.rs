//! Messages whose delivery is never told.

use super::*;
use doorway::forwarding::{AWAITED_FOR, Cause};

on_both_engines!(a_message_that_is_never_delivered_expires_once);

async fn a_message_that_is_never_delivered_expires_once(db: Database) {
    let world = World::start(db).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    let receiver = Receiver::start().await;
    let endpoint = bakery.endpoint(&world, &receiver.url, Format::MoDlr).await;
    let meta = world.anonymous();
    let tell = async |id: &str, what: &str| {
        assert_eq!(post(&meta, &status(&bakery.waba, &bakery.number, "4915110000001", id, what)).await, 200);
    };
    tell("lost", "sent").await;
    tell("arrived", "sent").await;
    tell("arrived", "delivered").await;
    // Meta gives no order.
    tell("late", "delivered").await;
    tell("late", "sent").await;
    tell("failed", "sent").await;
    tell("failed", "failed").await;
    receiver.calls(7).await;
    all_in(&world, endpoint, 7, DeliveryState::Delivered).await;
    let waiting = "SELECT count(*) AS n FROM awaited_receipts WHERE event_id <> 0";
    assert_eq!(world.number(waiting, "n").await, Some(1));
    world.clock.advance(AWAITED_FOR - time::Duration::hours(1));
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(receiver.len(), 7);
    world.advance(2 * 3_600);
    let got = receiver.calls(8).await;
    let told: Value = serde_json::from_str(&got[7].body).unwrap();
    assert!(got[7].body.contains("wamid.lost"), "{told}");
    assert_eq!(told["status"], "expired", "{told}");
    let all = all_in(&world, endpoint, 8, DeliveryState::Delivered).await;
    gapless(&all);
    assert_eq!(all[7].cause, Cause::Expired);
    eventually("nothing is awaited", || async {
        (world.number("SELECT count(*) AS n FROM awaited_receipts", "n").await == Some(0)).then_some(())
    })
    .await;
}
