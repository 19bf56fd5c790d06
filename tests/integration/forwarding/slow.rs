//! One endpoint that hangs slows no other down.

use super::*;
use std::time::{Duration, Instant};

on_both_engines!(one_hanging_endpoint_slows_no_other, the_intake_does_not_wait_for_deliveries);

async fn one_hanging_endpoint_slows_no_other(db: Database) {
    let world = World::start(db).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    let (dead, quick) = (Receiver::answering(|_| Answer::Hang).await, Receiver::start().await);
    let hanging = bakery.endpoint(&world, &dead.url, Format::Meta).await;
    for at in 0..40 {
        bakery.hears(&world, &format!("49151100000{at:02}"), &format!("before{at}")).await;
    }
    eventually("it hangs", || async { (dead.len() > 0).then_some(()) }).await;
    eventually("all are planned", || async { (deliveries(&world, hanging).await.len() == 40).then_some(()) }).await;
    let endpoint = bakery.endpoint(&world, &quick.url, Format::Meta).await;
    let mut worst = Duration::ZERO;
    for at in 0..30 {
        let began = Instant::now();
        bakery.hears(&world, &format!("49151100000{at:02}"), &format!("m{at}")).await;
        quick.calls(at + 1).await;
        worst = worst.max(began.elapsed());
    }
    assert!(worst < Duration::from_millis(1_500), "the slowest took {worst:?}");
    gapless(&all_in(&world, endpoint, 30, DeliveryState::Delivered).await);
    assert!(dead.len() <= 8, "a hanging endpoint gets few calls at once: {}", dead.len());
    let waiting = deliveries(&world, hanging).await;
    assert_eq!(waiting.len(), 70);
    assert!(waiting.iter().all(|delivery| delivery.state == DeliveryState::Pending));
    println!("beside a hanging endpoint the slowest of 30 took {worst:?}");
}

async fn the_intake_does_not_wait_for_deliveries(db: Database) {
    let world = World::start(db).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    let receiver = Receiver::start().await;
    let meta = world.anonymous();
    let measure = async |from: usize| {
        let mut took: Vec<Duration> = Vec::new();
        for at in from..from + 150 {
            let body = message(&bakery.waba, &bakery.number, &format!("491511{at:07}"), &format!("m{at}"));
            let began = Instant::now();
            assert_eq!(post(&meta, &body).await, 200);
            took.push(began.elapsed());
        }
        took.sort();
        took[took.len() * 9 / 10]
    };
    let alone = measure(0).await;
    let routed = "SELECT count(*) AS n FROM events WHERE kind = 'message.received'";
    eventually("all are routed", || async { (world.number(routed, "n").await == Some(150)).then_some(()) }).await;
    let endpoint = bakery.endpoint(&world, &receiver.url, Format::Meta).await;
    let beside = measure(1_000).await;
    all_in(&world, endpoint, 150, DeliveryState::Delivered).await;
    println!("nine of ten webhooks were answered within {alone:?} alone, within {beside:?} beside deliveries");
    assert!(beside < alone * 4 + Duration::from_millis(100), "{beside:?} beside deliveries, {alone:?} alone");
}
