//! Nobody gets what is another's.

use super::*;

on_both_engines!(events_reach_their_customer_alone, a_waba_that_changes_hands_goes_on_with_its_new_owner);

async fn events_reach_their_customer_alone(db: Database) {
    let world = World::start(db).await;
    let (bakery, shop) = (Customer::new(&world, "Harbour Bakery").await, Customer::new(&world, "Corner Shop").await);
    let (ours, theirs) = (Receiver::start().await, Receiver::start().await);
    bakery.endpoint(&world, &ours.url, Format::Meta).await;
    let theirs_id = shop.endpoint(&world, &theirs.url, Format::Events).await;
    // One body for both.
    let mut body = message(&bakery.waba, &bakery.number, "4915110000001", "ours");
    let other = message(&shop.waba, &shop.number, "4915110000001", "theirs");
    body["entry"].as_array_mut().unwrap().push(other["entry"][0].clone());
    assert_eq!(post(&world.anonymous(), &body).await, 200);
    assert_eq!(messages(&ours.calls(1).await), ["ours"]);
    let got = theirs.calls(1).await;
    assert!(got[0].body.contains("wamid.theirs") && !got[0].body.contains("wamid.ours"));
    assert!(!ours.got()[0].body.contains(&shop.number) && !got[0].body.contains(&bakery.number));
    let forwarding = &world.portal.forwarding;
    assert!(forwarding.endpoint(bakery.id, theirs_id).await.is_err());
    assert!(forwarding.pause(&bakery.user, bakery.id, theirs_id).await.is_err());
    assert!(forwarding.delete(&bakery.user, bakery.id, theirs_id).await.is_err());
    assert!(forwarding.send_test(&bakery.user, bakery.id, theirs_id).await.is_err());
    assert!(forwarding.rotate_secret(&bakery.user, bakery.id, theirs_id).await.is_err());
}

async fn a_waba_that_changes_hands_goes_on_with_its_new_owner(db: Database) {
    let world = World::start(db).await;
    let (bakery, shop) = (Customer::new(&world, "Harbour Bakery").await, Customer::new(&world, "Corner Shop").await);
    let (ours, theirs) = (Receiver::start().await, Receiver::start().await);
    let first = bakery.endpoint(&world, &ours.url, Format::Meta).await;
    let second = shop.endpoint(&world, &theirs.url, Format::Meta).await;
    bakery.hears(&world, "4915110000001", "before").await;
    ours.calls(1).await;
    let staff = world.staff(Role::Support).await;
    let release = format!("/support/wabas/{}/release", bakery.waba);
    staff.get(&release).await;
    assert_eq!(staff.post(&release, &[]).await.status, 303);
    bakery.hears(&world, "4915110000001", "between").await;
    let attempt = shop.browser.begin().await;
    attempt.bring_all(&world.meta.signup_of(json!({"waba_id": bakery.waba})).await).await;
    attempt.is_done().await;
    bakery.hears(&world, "4915110000001", "after").await;
    eventually("the new owner hears", || async { messages(&theirs.got()).contains(&"after".to_owned()).then_some(()) })
        .await;
    assert_eq!(messages(&ours.got()), ["before"]);
    assert!(!messages(&theirs.got()).contains(&"before".to_owned()), "what was before stays with whom it was");
    // Asked for again, too.
    let events: Vec<_> = deliveries(&world, first).await.iter().map(|delivery| delivery.event.unwrap()).collect();
    let replay = doorway::forwarding::Replay::To { endpoint: second, events };
    let planned = world.portal.forwarding.replay(&world.portal.webhooks, &shop.user, shop.id, replay).await.unwrap();
    assert_eq!(planned, doorway::forwarding::Replayed::Planned(0));
}
