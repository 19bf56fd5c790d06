//! Nobody gets what is another's.

use super::*;

on_both_engines!(
    events_reach_their_customer_alone,
    a_waba_that_changes_hands_goes_on_with_its_new_owner,
    what_came_between_two_customers_is_of_neither_but_the_first,
    what_came_early_is_delivered_with_all_that_follows,
);

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

async fn release(world: &World, staff: &Browser, waba: &str) {
    let release = format!("/support/wabas/{waba}/release");
    staff.get(&release).await;
    assert_eq!(staff.post(&release, &[]).await.status, 303);
    assert_eq!(world.meta.waba(waba).await["subscribed"], false, "Meta is told to send no more");
}

async fn connects(world: &World, browser: &Browser, waba: &str) {
    let attempt = browser.begin().await;
    attempt.bring_all(&world.meta.signup_of(json!({"waba_id": waba})).await).await;
    attempt.is_done().await;
}

async fn heard(receiver: &Receiver, id: &str) {
    eventually(id, || async { messages(&receiver.got()).contains(&id.to_owned()).then_some(()) }).await;
}

/// Meta may go on sending what was released or disconnected.
async fn what_came_between_two_customers_is_of_neither_but_the_first(db: Database) {
    let world = World::start(db).await;
    let (bakery, shop) = (Customer::new(&world, "Harbour Bakery").await, Customer::new(&world, "Corner Shop").await);
    let (ours, theirs) = (Receiver::start().await, Receiver::start().await);
    bakery.endpoint(&world, &ours.url, Format::Meta).await;
    shop.endpoint(&world, &theirs.url, Format::Meta).await;
    bakery.hears(&world, "4915110000001", "before").await;
    ours.calls(1).await;
    let staff = world.staff(Role::Support).await;
    release(&world, &staff, &bakery.waba).await;
    bakery.hears(&world, "4915110000001", "between").await;
    // What comes after it is looked at after it: once this is linked, that was looked at.
    let marker = world.meta.signup(&[]).await;
    let (fresh, number) = (id(&marker, "waba_ids", 0), id(&marker, "phone_number_ids", 0));
    assert_eq!(post(&world.anonymous(), &message(&fresh, &number, "4915110000001", "early")).await, 200);
    connects(&world, &shop.browser, &bakery.waba).await;
    let attempt = shop.browser.begin().await;
    attempt.bring_all(&marker).await;
    attempt.is_done().await;
    heard(&theirs, "early").await;
    bakery.hears(&world, "4915110000001", "of the shop").await;
    heard(&theirs, "of the shop").await;
    assert!(!messages(&theirs.got()).contains(&"between".to_owned()), "{:?}", messages(&theirs.got()));
    let file = staff_export(&world, "Corner Shop").await;
    assert!(file.contains("of the shop") && !file.contains("wamid.between") && !file.contains("wamid.before"));
    // The one before comes back: what came while nobody had it is theirs, what came since is not.
    release(&world, &staff, &bakery.waba).await;
    bakery.hears(&world, "4915110000001", "between again").await;
    connects(&world, &bakery.browser, &bakery.waba).await;
    heard(&ours, "between").await;
    bakery.hears(&world, "4915110000001", "back").await;
    heard(&ours, "back").await;
    assert_eq!(messages(&ours.got()), ["before", "between", "back"]);
    let kept = "SELECT count(*) AS n FROM events e JOIN event_routes r ON r.id = e.route_id \
                WHERE r.customer_id IS NULL AND e.kind = 'message.received'";
    assert_eq!(world.number(kept, "n").await, Some(1), "that stays for support");
}

async fn staff_export(world: &World, company: &str) -> String {
    let admin = world.staff(Role::Admin).await;
    let customer = world.portal.accounts.search_customers(company, 1).await.unwrap().remove(0).id;
    let page = format!("/backoffice/customers/{customer}");
    admin.get(&page).await;
    admin.post(&format!("{page}/export"), &[]).await.text
}

async fn what_came_early_is_delivered_with_all_that_follows(db: Database) {
    let world = World::start(db).await;
    let bakery = Customer::new(&world, "Harbour Bakery").await;
    let ours = Receiver::start().await;
    bakery.endpoint(&world, &ours.url, Format::Meta).await;
    let signup = world.meta.signup(&[]).await;
    let (waba, number) = (id(&signup, "waba_ids", 0), id(&signup, "phone_number_ids", 0));
    let meta = world.anonymous();
    let mut early = message(&waba, &number, "4915110000001", "early");
    let at = world.clock.now().unix_timestamp();
    *early.pointer_mut("/entry/0/changes/0/value/messages/0/timestamp").unwrap() = json!(at.to_string());
    let info = json!({"waba_id": waba, "owner_business_id": "77"});
    let added = json!({"object": "whatsapp_business_account", "entry": [{"id": "2949482758682047", "time": at, "changes":
        [{"field": "account_update", "value": {"event": "PARTNER_ADDED", "waba_info": info}}]}]});
    assert_eq!((post(&meta, &early).await, post(&meta, &added).await), (200, 200));
    let told = "SELECT count(*) AS n FROM partner_events WHERE business_id = '77'";
    eventually("the partner event", || async { (world.number(told, "n").await == Some(1)).then_some(()) }).await;
    assert_eq!(world.number("SELECT count(*) AS n FROM contacts", "n").await, Some(0));
    let attempt = bakery.browser.begin().await;
    attempt.bring_all(&signup).await;
    attempt.is_done().await;
    heard(&ours, "early").await;
    let behind = "SELECT count(*) AS n FROM event_routes WHERE backlog_until IS NOT NULL";
    eventually("the backlog", || async { (world.number(behind, "n").await == Some(0)).then_some(()) }).await;
    assert_eq!(messages(&ours.got()), ["early"], "once");
    let contact = world.column("SELECT id FROM contacts WHERE phone = '4915110000001'", "id").await.unwrap();
    let (number, contact) = (number.parse().unwrap(), contact.parse().unwrap());
    let open = world.portal.messaging.window(bakery.id, &number, contact).await.unwrap();
    assert_eq!(open.map(time::OffsetDateTime::unix_timestamp), Some(at + 86_400));
    assert_eq!(world.number(told, "n").await, Some(1), "what was kept when it came is not kept again");
}
