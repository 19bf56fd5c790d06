//! Sending again on request.

use super::*;
use doorway::{
    forwarding::{Cause, Replay, Replayed},
    webhooks::EventId,
};

on_both_engines!(
    one_event_a_selection_or_all_since_a_time_are_sent_again,
    a_large_replay_is_done_once_each,
    a_long_replay_gives_way,
);

async fn one_event_a_selection_or_all_since_a_time_are_sent_again(db: Database) {
    let world = World::start(db).await;
    let (bakery, shop) = (Customer::new(&world, "Harbour Bakery").await, Customer::new(&world, "Corner Shop").await);
    let (receiver, second, theirs) = (Receiver::start().await, Receiver::start().await, Receiver::start().await);
    let endpoint = bakery.endpoint(&world, &receiver.url, Format::Meta).await;
    let others = shop.endpoint(&world, &theirs.url, Format::Meta).await;
    for id in ["a", "b", "c"] {
        bakery.hears(&world, "4915110000001", id).await;
    }
    shop.hears(&world, "4915110000001", "x").await;
    receiver.calls(3).await;
    theirs.calls(1).await;
    let events: Vec<EventId> = deliveries(&world, endpoint).await.iter().map(|d| d.event.unwrap()).collect();
    let foreign = deliveries(&world, others).await[0].event.unwrap();
    let forwarding = &world.portal.forwarding;
    let again = async |replay| forwarding.replay(&world.portal.webhooks, &bakery.user, bakery.id, replay).await;

    assert_eq!(again(Replay::Events(vec![events[1]])).await.unwrap(), Replayed::Planned(1));
    assert_eq!(messages(&receiver.calls(4).await[3..]), ["b"]);
    // In their order; what is another customer's, and what is not there, is left out.
    let chosen = vec![events[2], foreign, events[0], EventId(7)];
    assert_eq!(again(Replay::Events(chosen.clone())).await.unwrap(), Replayed::Planned(2));
    assert_eq!(messages(&receiver.calls(6).await[4..]), ["a", "c"]);
    let to = bakery.endpoint(&world, &second.url, Format::Meta).await;
    assert_eq!(again(Replay::To { endpoint: to, events: chosen.clone() }).await.unwrap(), Replayed::Planned(2));
    assert_eq!(messages(&second.calls(2).await), ["a", "c"]);
    assert!(again(Replay::To { endpoint: others, events: chosen }).await.is_err(), "another customer's endpoint");
    assert!(again(Replay::Since { endpoint: Some(others), time: world.clock.now() }).await.is_err());

    let time = world.clock.now();
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    bakery.hears(&world, "4915110000001", "d").await;
    receiver.calls(7).await;
    second.calls(3).await;
    assert_eq!(again(Replay::Since { endpoint: Some(endpoint), time }).await.unwrap(), Replayed::Begun);
    assert_eq!(messages(&receiver.calls(8).await[7..]), ["d"]);
    let long_ago = time - time::Duration::days(1);
    assert_eq!(again(Replay::Since { endpoint: Some(to), time: long_ago }).await.unwrap(), Replayed::Begun);
    assert_eq!(messages(&second.calls(7).await[3..]), ["a", "b", "c", "d"]);
    let all = all_in(&world, endpoint, 8, DeliveryState::Delivered).await;
    gapless(&all);
    let causes: Vec<Cause> = all.iter().map(|delivery| delivery.cause).collect();
    assert_eq!(causes.iter().filter(|cause| **cause == Cause::Replay).count(), 4);
    assert_eq!((theirs.len(), forwarding.deliveries_of(events[0], Some(shop.id)).await.unwrap().len()), (1, 0));
    let log = "SELECT count(*) AS n FROM audit_log WHERE action = 'endpoint.replayed'";
    assert_eq!(world.number(log, "n").await, Some(5));
    eventually("the jobs end", || async {
        let left = "SELECT count(*) AS n FROM jobs WHERE kind = 'forwarding.replay'";
        (world.number(left, "n").await == Some(0)).then_some(())
    })
    .await;
}

/// Fifteen hundred statuses of a customer's messages, as events.
async fn many(world: &World, bakery: &Customer) {
    let statuses: Vec<Value> = (0..1_500)
        .map(|at| {
            let id = format!("wamid.{at}");
            let told =
                json!({"id": id, "status": "sent", "timestamp": "1750000000", "recipient_id": format!("49151{at}")});
            change(&bakery.waba, &bakery.number, &json!({"statuses": [told]}))["entry"][0].clone()
        })
        .collect();
    let body = json!({"object": "whatsapp_business_account", "entry": statuses});
    assert_eq!(post(&world.anonymous(), &body).await, 200);
    let routed = "SELECT count(*) AS n FROM events WHERE kind = 'message.status'";
    eventually("all events", || async { (world.number(routed, "n").await == Some(1_500)).then_some(()) }).await;
}

async fn a_long_replay_gives_way(db: Database) {
    let world = World::start(db).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    many(&world, &bakery).await;
    let receiver = Receiver::start().await;
    let endpoint = bakery.endpoint(&world, &receiver.url, Format::Meta).await;
    world.portal.forwarding.pause(&bakery.user, bakery.id, endpoint).await.unwrap();
    // The worker's part, done here: the handler comes back before it is through, and what is left is due at once.
    let portal = &world.portal;
    let handlers = doorway::forwarding::handlers(&portal.forwarding, &portal.webhooks, &portal.invites);
    let customer = bakery.id;
    let before = i64::MAX;
    let subject = format!(
        r#"{{"customer":"{customer}","endpoint":"{endpoint}","from":0,"before":{before},"route":0,"at":0,"begun":1}}"#
    );
    handlers["forwarding.replay"](subject).await.unwrap();
    let planned = deliveries(&world, endpoint).await.len();
    assert!((100..1_500).contains(&planned), "{planned}");
    let all = all_in(&world, endpoint, 1_500, DeliveryState::Pending).await;
    gapless(&all);
    eventually("it is over", || async {
        let on = world.portal.forwarding.is_replaying(customer, Some(endpoint)).await.unwrap();
        (!on).then_some(())
    })
    .await;
}

async fn a_large_replay_is_done_once_each(db: Database) {
    let world = World::start(db).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    many(&world, &bakery).await;
    let receiver = Receiver::start().await;
    let endpoint = bakery.endpoint(&world, &receiver.url, Format::Meta).await;
    let time = world.clock.now() - time::Duration::hours(1);
    let replay = Replay::Since { endpoint: None, time };
    world.portal.forwarding.replay(&world.portal.webhooks, &bakery.user, bakery.id, replay).await.unwrap();
    let all = all_in(&world, endpoint, 1_500, DeliveryState::Delivered).await;
    gapless(&all);
    let mut told = messages(&receiver.got());
    told.sort();
    told.dedup();
    assert_eq!((told.len(), receiver.len()), (1_500, 1_500), "each once");
}
