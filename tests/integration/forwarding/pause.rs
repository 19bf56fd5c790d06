//! Endpoints that have failed for days.

use super::*;
use doorway::forwarding::{Endpoint, EndpointState};

on_both_engines!(
    after_days_of_failure_it_is_paused_until_somebody_resumes_it,
    one_success_begins_anew,
    a_pause_does_not_count,
    members_are_told_by_mail,
    members_are_told_by_mail_after_days_of_failure
);

async fn members_are_told_by_mail_after_days_of_failure(db: Database) {
    let (smtp, mails) = mail_server().await;
    let world = World::with(db, |config| mails_to(config, &smtp)).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    let receiver = Receiver::answering(|_| Answer::Status(500)).await;
    let endpoint = bakery.endpoint(&world, &receiver.url, Format::Meta).await;
    bakery.hears(&world, "4915110000001", "first").await;
    receiver.calls(1).await;
    until_paused(&world, &bakery, endpoint).await;
    let mail = eventually("a mail", || async { mails.lock().unwrap().first().cloned() }).await;
    let plain = mail.replace("=\n", "");
    assert!(plain.contains(&format!("settings/endpoints/{endpoint}")), "{mail}");
    assert!(plain.contains("three days") && plain.contains("is kept for it"), "{mail}");
    assert!(mail.contains(bakery.user.email.as_str()), "{mail}");
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(mails.lock().unwrap().len(), 1, "one mail");
}

async fn members_are_told_by_mail(db: Database) {
    let (smtp, mails) = mail_server().await;
    let world = World::with(db, |config| mails_to(config, &smtp)).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    let stranger = Customer::new(&world, "Corner Shop").await;
    let receiver = Receiver::answering(|_| Answer::Status(410)).await;
    let endpoint = bakery.endpoint(&world, &receiver.url, Format::Meta).await;
    bakery.hears(&world, "4915110000001", "gone").await;
    let mail = eventually("a mail", || async { mails.lock().unwrap().first().cloned() }).await;
    let plain = mail.replace("=\n", "");
    assert!(plain.contains(&format!("settings/endpoints/{endpoint}")), "{mail}");
    assert!(plain.contains("Server") && plain.contains("410"), "{mail}");
    assert!(mail.contains(bakery.user.email.as_str()) && !mail.contains(stranger.user.email.as_str()), "{mail}");
}

/// Moves the clock on until the next attempts have been made.
async fn next_attempts(world: &World, endpoint: EndpointId) {
    let before: i64 = deliveries(world, endpoint).await.iter().map(|delivery| delivery.attempts).sum();
    let next = deliveries(world, endpoint).await.iter().filter_map(|delivery| delivery.next_at).max().unwrap();
    let wait = next - world.clock.now() + time::Duration::seconds(1);
    world.clock.advance(wait.max(time::Duration::ZERO));
    eventually("the next attempts", || async {
        let after: i64 = deliveries(world, endpoint).await.iter().map(|delivery| delivery.attempts).sum();
        (after > before).then_some(())
    })
    .await;
}

/// Moves the clock on from attempt to attempt until it is not called any more.
async fn until_paused(world: &World, bakery: &Customer, endpoint: EndpointId) -> Endpoint {
    loop {
        let told = world.portal.forwarding.endpoint(bakery.id, endpoint).await.unwrap();
        if told.state != EndpointState::Active {
            return told;
        }
        eventually("an attempt is kept", || async {
            deliveries(world, endpoint).await.iter().all(|delivery| delivery.attempts > 0).then_some(())
        })
        .await;
        next_attempts(world, endpoint).await;
    }
}

async fn a_pause_does_not_count(db: Database) {
    let world = World::start(db).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    let receiver = Receiver::answering(|_| Answer::Status(500)).await;
    let endpoint = bakery.endpoint(&world, &receiver.url, Format::Meta).await;
    let forwarding = &world.portal.forwarding;
    let attempted = async |n: i64| {
        let told = async || deliveries(&world, endpoint).await.into_iter().find(|delivery| delivery.attempts == n);
        eventually(&format!("attempt {n}"), told).await
    };
    bakery.hears(&world, "4915110000001", "first").await;
    attempted(1).await;
    next_attempts(&world, endpoint).await;
    next_attempts(&world, endpoint).await;
    attempted(3).await;
    forwarding.pause(&bakery.user, bakery.id, endpoint).await.unwrap();
    world.advance(10 * 86_400);
    forwarding.resume(&bakery.user, bakery.id, endpoint).await.unwrap();
    let hiccup = attempted(4).await;
    let wait = hiccup.next_at.map(|at| (at - world.clock.now()).as_seconds_f64());
    assert_eq!(hiccup.state, DeliveryState::Pending, "it is not given up");
    assert!(wait.is_some_and(|wait| wait < 7.0), "the schedule begins anew: {wait:?}");
    next_attempts(&world, endpoint).await;
    let wait = attempted(5).await.next_at.map(|at| (at - world.clock.now()).as_seconds_f64());
    assert!(wait.is_some_and(|wait| (200.0..400.0).contains(&wait)), "and goes on: {wait:?}");
    receiver.answer(|_| Answer::Status(200));
    next_attempts(&world, endpoint).await;
    all_in(&world, endpoint, 1, DeliveryState::Delivered).await;
}

async fn after_days_of_failure_it_is_paused_until_somebody_resumes_it(db: Database) {
    let world = World::start(db).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    let receiver = Receiver::answering(|_| Answer::Status(500)).await;
    let endpoint = bakery.endpoint(&world, &receiver.url, Format::Meta).await;
    let forwarding = &world.portal.forwarding;
    bakery.hears(&world, "4915110000001", "first").await;
    receiver.calls(1).await;
    let began = world.clock.now();
    let paused = until_paused(&world, &bakery, endpoint).await;
    assert_eq!((paused.state, paused.state_reason.as_deref()), (EndpointState::Paused, Some("failing")));
    let after = paused.state_since - began;
    assert!(after >= time::Duration::hours(71) && after < time::Duration::days(5), "{after}");
    let called = receiver.len();
    assert!((8..=12).contains(&called), "{called}");
    bakery.hears(&world, "4915110000001", "second").await;
    world.advance(2 * 86_400);
    eventually("what comes is kept", || async { (deliveries(&world, endpoint).await.len() == 2).then_some(()) }).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    assert_eq!(receiver.len(), called, "it is not called");
    let log = "SELECT count(*) AS n FROM audit_log WHERE action = 'endpoint.failing' AND actor_user_id IS NULL";
    assert_eq!(world.number(log, "n").await, Some(1));
    receiver.answer(|_| Answer::Status(200));
    forwarding.resume(&bakery.user, bakery.id, endpoint).await.unwrap();
    let all = all_in(&world, endpoint, 2, DeliveryState::Delivered).await;
    gapless(&all);
    assert_eq!(messages(&receiver.got()[called..]), ["first", "second"]);
    let told = forwarding.endpoint(bakery.id, endpoint).await.unwrap();
    assert_eq!((told.state, told.state_reason, told.failing_since), (EndpointState::Active, None, None));
}

async fn one_success_begins_anew(db: Database) {
    let world = World::start(db).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    let receiver = Receiver::answering(|got| Answer::Status(if got.message == "good" { 200 } else { 500 })).await;
    let endpoint = bakery.endpoint(&world, &receiver.url, Format::Meta).await;
    let forwarding = &world.portal.forwarding;
    let since = async || forwarding.endpoint(bakery.id, endpoint).await.unwrap().failing_since;
    bakery.hears(&world, "4915110000001", "bad").await;
    let first = eventually("it fails", || async { since().await }).await;
    bakery.hears(&world, "4915110000002", "good").await;
    eventually("it answers", || async { since().await.is_none().then_some(()) }).await;
    next_attempts(&world, endpoint).await;
    let second = eventually("it fails again", || async { since().await }).await;
    assert!(second > first);
}
