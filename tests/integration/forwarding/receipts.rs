//! Messages whose delivery is never told.

use super::*;
use doorway::forwarding::{AWAITED_FOR, Cause};

on_both_engines!(
    a_message_that_is_never_delivered_expires_once,
    a_groups_message_has_arrived_with_the_first_who_got_it
);

/// Bodies and events are gone long before a message's time is over.
fn short(config: &mut doorway::config::Config) {
    let week = time::Duration::days(8);
    config.retention.bodies = week;
    config.retention.events = week;
    config.retention.deliveries = time::Duration::days(60);
}

async fn a_message_that_is_never_delivered_expires_once(db: Database) {
    let world = World::with(db, short).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    let receiver = Receiver::start().await;
    let endpoint = bakery.endpoint(&world, &receiver.url, Format::MoDlr).await;
    let meta = world.anonymous();
    let tell = async |id: &str, what: &str| {
        assert_eq!(post(&meta, &status(&bakery.waba, &bakery.number, "4915110000001", id, what)).await, 200);
    };
    let sent = json!({"id": "wamid.lost", "status": "sent", "timestamp": "1750000000", "recipient_id": "4915110000001",
        "biz_opaque_callback_data": "order 7"});
    let body = change(&bakery.waba, &bakery.number, &json!({"statuses": [sent]}));
    assert_eq!(post(&meta, &body).await, 200);
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
    let now = world.clock.now();
    world.portal.webhooks.prune(now, now, now).await.unwrap();
    let kept = "SELECT (SELECT count(*) FROM intake) + (SELECT count(*) FROM events) AS n";
    assert_eq!(world.number(kept, "n").await, Some(0));
    world.advance(2 * 3_600);
    let got = receiver.calls(8).await;
    let told: Value = serde_json::from_str(&got[7].body).unwrap();
    assert_eq!(told, json!({"id": "wamid.lost", "status": "expired", "reference": "order 7"}));
    let all = all_in(&world, endpoint, 8, DeliveryState::Delivered).await;
    gapless(&all);
    assert_eq!(all[7].cause, Cause::Expired);
    eventually("nothing is awaited", || async {
        (world.number("SELECT count(*) AS n FROM awaited_receipts", "n").await == Some(0)).then_some(())
    })
    .await;
}

/// Statuses of a group's message as Meta sends them: `sent` names the group alone, the others each participant.
async fn a_groups_message_has_arrived_with_the_first_who_got_it(db: Database) {
    let world = World::start(db).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    let receiver = Receiver::start().await;
    bakery.endpoint(&world, &receiver.url, Format::MoDlr).await;
    let tell = async |what: &str, participant: Option<&str>| {
        let mut status = json!({"id": "wamid.group", "status": what, "timestamp": "1750000000",
            "recipient_id": "Y2FwaV9ncm91cDox", "recipient_type": "group"});
        if let Some(participant) = participant {
            status["recipient_participant_id"] = participant.into();
        }
        let body = change(&bakery.waba, &bakery.number, &json!({"statuses": [status]}));
        assert_eq!(post(&world.anonymous(), &body).await, 200);
    };
    tell("sent", None).await;
    receiver.calls(1).await;
    let waiting = "SELECT count(*) AS n FROM awaited_receipts WHERE event_id <> 0";
    assert_eq!(world.number(waiting, "n").await, Some(1));
    tell("delivered", Some("4915110000001")).await;
    tell("delivered", Some("4915110000002")).await;
    receiver.calls(3).await;
    assert_eq!(world.number(waiting, "n").await, Some(0));
}
