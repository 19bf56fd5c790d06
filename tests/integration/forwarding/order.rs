//! Order and numbers.

use super::*;
use std::{collections::BTreeMap, time::Duration};

on_both_engines!(
    first_attempts_of_a_conversation_come_in_order,
    an_event_in_retry_holds_nobody_up,
    a_paused_endpoint_gets_in_order_what_came_meanwhile
);

async fn first_attempts_of_a_conversation_come_in_order(db: Database) {
    let world = World::start(db).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    // The slower a call, the more would come out of order were several of a conversation begun at once.
    let receiver =
        Receiver::answering(|got| Answer::After(Duration::from_millis(got.number as u64 * 7 % 40), 200)).await;
    let endpoint = bakery.endpoint(&world, &receiver.url, Format::Meta).await;
    let people = ["4915110000001", "4915110000002", "4915110000003"];
    for at in 0..20 {
        for person in people {
            bakery.hears(&world, person, &format!("{person}.{at:02}")).await;
        }
    }
    receiver.calls(60).await;
    let got = eventually("all are answered", || async {
        Some(receiver.got()).filter(|all| all.iter().all(|got| got.answered.is_some()))
    })
    .await;
    let mut by_person: BTreeMap<String, Vec<&Got>> = BTreeMap::new();
    for one in &got {
        by_person.entry(one.message.split('.').next().unwrap().to_owned()).or_default().push(one);
    }
    for (person, got) in by_person {
        let told = got.iter().map(|got| got.message.clone()).collect::<Vec<_>>();
        assert_eq!(told, (0..20).map(|at| format!("{person}.{at:02}")).collect::<Vec<_>>());
        assert!(got.windows(2).all(|two| two[0].number < two[1].number), "the numbers tell the order");
        for two in got.windows(2) {
            let ended = two[0].answered.unwrap();
            assert!(two[1].at >= ended, "the next begins when the one before has ended");
        }
    }
    let overlap = got.iter().filter(|one| got.iter().any(|two| two.at > one.at && two.at < one.answered.unwrap()));
    assert!(overlap.count() > 5, "conversations are called side by side");
    let all = all_in(&world, endpoint, 60, DeliveryState::Delivered).await;
    gapless(&all);
    assert!(all.iter().all(|delivery| delivery.attempts == 1));
}

async fn an_event_in_retry_holds_nobody_up(db: Database) {
    let world = World::start(db).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    let receiver = Receiver::answering(|got| Answer::Status(if got.message == "b" { 500 } else { 200 })).await;
    let endpoint = bakery.endpoint(&world, &receiver.url, Format::Meta).await;
    for id in ["a", "b", "c", "d"] {
        bakery.hears(&world, "4915110000001", id).await;
    }
    let got = receiver.calls(4).await;
    assert_eq!(messages(&got[..4]), ["a", "b", "c", "d"], "the next of the same conversation follows all the same");
    all_in(&world, endpoint, 3, DeliveryState::Delivered).await;
    receiver.answer(|_| Answer::Status(204));
    world.advance(10);
    let all = all_in(&world, endpoint, 4, DeliveryState::Delivered).await;
    assert_eq!(all[1].attempts, 2);
    let again = receiver.got().pop().unwrap();
    assert_eq!((again.message.as_str(), again.number, again.attempt), ("b", 2, 2));
    let first = receiver.got().swap_remove(1);
    assert_eq!((&again.body, &again.event), (&first.body, &first.event), "the same is sent");
    assert!(
        !again.event.is_empty() && again.headers["doorway-sequence"] == "2" && again.headers["doorway-attempt"] == "2"
    );
    assert!(again.headers.contains_key("x-hub-signature-256") && again.headers["content-type"] == "application/json");
    let attempts = world.portal.forwarding.attempts_of(endpoint, 2).await.unwrap();
    let told: Vec<_> = attempts.iter().map(|a| (a.attempt, a.status, a.answer.as_deref())).collect();
    assert_eq!(told, [(1, Some(500), Some("said 500")), (2, Some(204), None)]);
    assert!(attempts.iter().all(|attempt| attempt.duration_ms < 5_000));
}

async fn a_paused_endpoint_gets_in_order_what_came_meanwhile(db: Database) {
    let world = World::start(db).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    let receiver = Receiver::answering(|_| Answer::Status(503)).await;
    let endpoint = bakery.endpoint(&world, &receiver.url, Format::Meta).await;
    bakery.hears(&world, "4915110000001", "01").await;
    receiver.calls(1).await;
    all_in(&world, endpoint, 1, DeliveryState::Pending).await;
    eventually("the attempt is kept", || async { (deliveries(&world, endpoint).await[0].attempts == 1).then_some(()) })
        .await;
    let forwarding = &world.portal.forwarding;
    forwarding.pause(&bakery.user, bakery.id, endpoint).await.unwrap();
    assert!(forwarding.pause(&bakery.user, bakery.id, endpoint).await.is_err(), "once");
    let called = receiver.len();
    receiver.answer(|_| Answer::Status(200));
    for at in 2..=12 {
        bakery.hears(&world, "4915110000001", &format!("{at:02}")).await;
    }
    let all = eventually("all planned", || async {
        let all = deliveries(&world, endpoint).await;
        (all.len() == 12).then_some(all)
    })
    .await;
    gapless(&all);
    world.advance(3_600);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(receiver.len(), called, "nothing is sent while it is paused");
    assert!(forwarding.send_test(&bakery.user, bakery.id, endpoint).await.is_err(), "no test either");
    forwarding.resume(&bakery.user, bakery.id, endpoint).await.unwrap();
    all_in(&world, endpoint, 12, DeliveryState::Delivered).await;
    let told = messages(&receiver.got()[called..]);
    assert_eq!(told, (1..=12).map(|at| format!("{at:02}")).collect::<Vec<_>>());
}
