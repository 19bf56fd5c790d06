//! What becomes of calls that fail.

use super::*;
use doorway::{base::clock, forwarding::EndpointState};
use std::time::Duration;

on_both_engines!(
    attempts_follow_the_schedule_and_end_after_seven_days,
    an_endpoint_that_asks_for_time_gets_it,
    whoever_answers_410_is_not_called_again,
    calls_under_way_at_a_410_are_not_tried_again,
    odd_answers_are_told_apart,
    a_hanging_call_ends_after_fifteen_seconds,
);

/// Waits until the delivery of this number had so many attempts, and gives it.
async fn attempted(world: &World, endpoint: EndpointId, number: i64, n: i64) -> Delivery {
    eventually(&format!("attempt {n}"), || async {
        deliveries(world, endpoint).await.into_iter().find(|d| d.number == number && d.attempts == n)
    })
    .await
}

async fn calls_under_way_at_a_410_are_not_tried_again(db: Database) {
    let world = World::start(db).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    // The others fail when all that waits has been cancelled.
    let slow = Duration::from_millis(2_500);
    let receiver = Receiver::answering(move |got| match got.message.as_str() {
        "gone" => Answer::After(Duration::from_millis(500), 410),
        "good" => Answer::After(slow, 200),
        _ => Answer::After(slow, 500),
    })
    .await;
    let endpoint = bakery.endpoint(&world, &receiver.url, Format::Meta).await;
    for (at, id) in ["gone", "good", "bad"].into_iter().enumerate() {
        bakery.hears(&world, &format!("491511000000{at}"), id).await;
    }
    receiver.calls(3).await;
    let all = eventually("all have ended", || async {
        let all = deliveries(&world, endpoint).await;
        all.iter().all(|delivery| delivery.attempts == 1).then_some(all)
    })
    .await;
    let states: Vec<DeliveryState> = receiver
        .got()
        .iter()
        .map(|got| all.iter().find(|delivery| delivery.number == got.number).unwrap().state)
        .collect();
    let of = |message: &str| states[receiver.got().iter().position(|got| got.message == message).unwrap()];
    assert_eq!(of("gone"), DeliveryState::Failed);
    assert_eq!(of("good"), DeliveryState::Delivered, "what was taken was taken");
    assert_eq!(of("bad"), DeliveryState::Cancelled);
    assert!(all.iter().all(|delivery| delivery.next_at.is_none() && delivery.done_at.is_some()));
    assert_eq!(world.portal.forwarding.attempts_of(endpoint, all[2].number).await.unwrap().len(), 1);
}

async fn attempts_follow_the_schedule_and_end_after_seven_days(db: Database) {
    let world = World::start(db).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    let receiver = Receiver::answering(|_| Answer::Status(500)).await;
    let endpoint = bakery.endpoint(&world, &receiver.url, Format::Meta).await;
    // It answers other events, so it is not paused.
    let healthy = |got: &Got| Answer::Status(if got.message.starts_with("good") { 200 } else { 500 });
    receiver.answer(healthy);
    bakery.hears(&world, "4915110000001", "bad").await;
    attempted(&world, endpoint, 1, 1).await;
    const HOUR: i64 = 3_600;
    let pauses = [5, 295, 1_500, 5_400, 3 * HOUR, 5 * HOUR, 14 * HOUR];
    let days = std::iter::repeat_n(24 * HOUR, 6);
    for (at, pause) in pauses.into_iter().chain(days).enumerate() {
        let made = at as i64 + 1;
        let delivery = attempted(&world, endpoint, 1, made).await;
        let attempts = world.portal.forwarding.attempts_of(endpoint, 1).await.unwrap();
        let last = attempts.last().unwrap();
        let wait = (delivery.next_at.unwrap() - last.at).as_seconds_f64();
        let (least, most) = (pause as f64 * 0.8 - 1.0, pause as f64 * 1.2 + 1.0);
        let until_end = attempts[0].at + time::Duration::days(7) - last.at;
        // The last is made when the seven days end, however short its pause is then.
        let most = most.min(until_end.as_seconds_f64() + 1.0);
        let least = least.min(most - 2.0);
        assert!((least..=most).contains(&wait), "after {made}: {wait} is not in {least}..{most}");
        // Something arrives before each: failures of one event alone pause nobody.
        bakery.hears(&world, "4915110000002", &format!("good{at}")).await;
        all_in(&world, endpoint, at + 1, DeliveryState::Delivered).await;
        let now = world.clock.now();
        world.clock.advance(delivery.next_at.unwrap() - now + time::Duration::milliseconds(20));
    }
    let done = eventually("it is given up", || async {
        deliveries(&world, endpoint).await.into_iter().find(|delivery| delivery.state == DeliveryState::Failed)
    })
    .await;
    assert_eq!((done.number, done.attempts, done.next_at), (1, 14, None));
    let attempts = world.portal.forwarding.attempts_of(endpoint, 1).await.unwrap();
    let all = attempts.last().unwrap().at - attempts[0].at;
    assert!(all > time::Duration::days(5) && all <= time::Duration::days(7) + time::Duration::minutes(1), "{all}");
    let calls = receiver.got();
    let tried: Vec<i64> = calls.iter().filter(|got| got.message == "bad").map(|got| got.attempt).collect();
    assert_eq!(tried, (1..=14).collect::<Vec<_>>());
}

async fn an_endpoint_that_asks_for_time_gets_it(db: Database) {
    let world = World::start(db).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    let receiver = Receiver::start().await;
    let endpoint = bakery.endpoint(&world, &receiver.url, Format::Meta).await;
    let date = |seconds: i64| {
        let at = world.clock.now() + time::Duration::seconds(seconds);
        let form = time::macros::format_description!(
            "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
        );
        at.format(form).unwrap()
    };
    // What it asks for, and how long it gets: 5 seconds are due anyway, and a day is the most.
    let asked = [("120".to_owned(), 120), (date(300), 300), ("1".to_owned(), 4), ("900000".to_owned(), 86_400)];
    for (at, (asked, seconds)) in asked.into_iter().enumerate() {
        let status = if at % 2 == 0 { 429 } else { 503 };
        receiver.answer(move |_| Answer::With(status, vec![("retry-after", asked.clone())]));
        bakery.hears(&world, "4915110000001", &format!("{at}")).await;
        let delivery = attempted(&world, endpoint, at as i64 + 1, 1).await;
        let attempt = world.portal.forwarding.attempts_of(endpoint, delivery.number).await.unwrap().remove(0);
        assert_eq!(attempt.status, Some(status.into()));
        let wait = (delivery.next_at.unwrap() - attempt.at).as_seconds_f64();
        assert!(wait >= seconds as f64 - 1.5 && wait <= seconds as f64 * 1.25 + 2.0, "{at}: {wait} for {seconds}");
    }
}

async fn whoever_answers_410_is_not_called_again(db: Database) {
    let world = World::start(db).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    let receiver = Receiver::answering(|_| Answer::Status(500)).await;
    let endpoint = bakery.endpoint(&world, &receiver.url, Format::Meta).await;
    bakery.hears(&world, "4915110000001", "first").await;
    attempted(&world, endpoint, 1, 1).await;
    receiver.answer(|_| Answer::Status(410));
    bakery.hears(&world, "4915110000002", "second").await;
    all_in(&world, endpoint, 1, DeliveryState::Failed).await;
    let all = all_in(&world, endpoint, 1, DeliveryState::Cancelled).await;
    assert!(all.iter().all(|delivery| delivery.next_at.is_none() && delivery.done_at.is_some()));
    let forwarding = &world.portal.forwarding;
    let told = forwarding.endpoint(bakery.id, endpoint).await.unwrap();
    assert_eq!((told.state, told.state_reason.as_deref()), (EndpointState::Disabled, Some("gone")));
    let called = receiver.len();
    bakery.hears(&world, "4915110000003", "third").await;
    world.advance(7_200);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!((receiver.len(), deliveries(&world, endpoint).await.len()), (called, 2), "nothing is kept for it");
    let log = "SELECT count(*) AS n FROM audit_log WHERE action = 'endpoint.disabled'";
    assert_eq!(world.number(log, "n").await, Some(1));
    receiver.answer(|_| Answer::Status(200));
    forwarding.resume(&bakery.user, bakery.id, endpoint).await.unwrap();
    bakery.hears(&world, "4915110000003", "fourth").await;
    let all = all_in(&world, endpoint, 1, DeliveryState::Delivered).await;
    gapless(&all);
}

async fn odd_answers_are_told_apart(db: Database) {
    let world = World::start(db).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    let elsewhere = Receiver::start().await;
    let receiver = Receiver::start().await;
    let endpoint = bakery.endpoint(&world, &receiver.url, Format::Meta).await;
    let to = elsewhere.url.to_string();
    let cases: Vec<(Answer, Option<i64>, Option<&str>, DeliveryState)> = vec![
        (Answer::With(302, vec![("location", to.clone())]), Some(302), Some("redirect"), DeliveryState::Pending),
        (Answer::With(307, vec![("location", to)]), Some(307), Some("redirect"), DeliveryState::Pending),
        (Answer::Reset, None, Some("broken_off"), DeliveryState::Pending),
        // The status is there: it was taken, or not, whatever follows.
        (Answer::BreakOff(200), Some(200), None, DeliveryState::Delivered),
        (Answer::BreakOff(500), Some(500), None, DeliveryState::Pending),
        (Answer::Huge(200), Some(200), None, DeliveryState::Delivered),
        (Answer::Huge(500), Some(500), None, DeliveryState::Pending),
        (Answer::Status(404), Some(404), None, DeliveryState::Pending),
        (Answer::Status(201), Some(201), None, DeliveryState::Delivered),
    ];
    for (at, (answer, status, error, state)) in cases.into_iter().enumerate() {
        let what = format!("{answer:?}");
        receiver.answer(move |_| answer.clone());
        let began = std::time::Instant::now();
        bakery.hears(&world, &format!("491511000000{at}"), &format!("case{at}")).await;
        let delivery = eventually(&what, || async {
            deliveries(&world, endpoint).await.into_iter().nth(at).filter(|delivery| delivery.attempts == 1)
        })
        .await;
        let attempt = world.portal.forwarding.attempts_of(endpoint, delivery.number).await.unwrap().remove(0);
        assert_eq!((attempt.status, attempt.error.as_deref(), delivery.state), (status, error, state), "{what}");
        assert!(attempt.answer.is_none_or(|answer| answer.len() <= 500), "{what}");
        assert!(began.elapsed() < Duration::from_secs(8), "{what}");
    }
    assert_eq!(elsewhere.len(), 0, "redirects are not followed");
    // Nobody listens there any more.
    let nobody: Url = format!("http://127.0.0.1:{}/", free_port()).parse().unwrap();
    let dead = bakery.endpoint(&world, &nobody, Format::Meta).await;
    bakery.hears(&world, "4915110000099", "nobody").await;
    attempted(&world, dead, 1, 1).await;
    let attempt = world.portal.forwarding.attempts_of(dead, 1).await.unwrap().remove(0);
    assert_eq!((attempt.status, attempt.error.as_deref()), (None, Some("connect")));
    let minutes = "SELECT CAST(sum(delivered) AS BIGINT) AS n FROM delivery_minutes";
    // One of those that failed may have been tried again by now.
    assert!(world.number(minutes, "n").await.unwrap() >= 3);
}

async fn a_hanging_call_ends_after_fifteen_seconds(db: Database) {
    let world = World::start(db).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    let receiver = Receiver::answering(|_| Answer::Hang).await;
    let endpoint = bakery.endpoint(&world, &receiver.url, Format::Meta).await;
    bakery.hears(&world, "4915110000001", "hangs").await;
    attempted(&world, endpoint, 1, 1).await;
    let attempt = world.portal.forwarding.attempts_of(endpoint, 1).await.unwrap().remove(0);
    assert_eq!((attempt.status, attempt.error.as_deref()), (None, Some("timeout")));
    assert!((14_900..17_000).contains(&attempt.duration_ms), "{}", attempt.duration_ms);
    let since = world.portal.forwarding.endpoint(bakery.id, endpoint).await.unwrap().failing_since;
    assert_eq!(since.map(clock::to_ms), Some(clock::to_ms(attempt.at)));
}
