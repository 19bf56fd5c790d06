//! A failing endpoint, its recovery, and sending again.

use super::*;
use axum::{Router, extract::State, http::StatusCode, routing::post as on_post};
use doorway::{
    accounts::User,
    base::ids::CustomerId,
    forwarding::{Format, NewEndpoint},
};
use std::sync::{
    Arc,
    atomic::{AtomicU16, AtomicUsize, Ordering},
};
use tokio::net::TcpListener;

on_both_engines!(
    a_failing_endpoint_is_seen_and_gets_it_again,
    whoever_wants_a_part_of_it_may_have_it_again,
    all_since_a_time_is_asked_about_first,
    one_replay_at_a_time,
    a_long_history_is_not_counted_through,
);

/// A receiver that answers as it is told.
#[derive(Clone, Default)]
struct Receiver {
    answers: Arc<AtomicU16>,
    got: Arc<AtomicUsize>,
}

impl Receiver {
    async fn start(answers: u16) -> (Self, String) {
        let receiver = Self::default();
        receiver.answers.store(answers, Ordering::SeqCst);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let answer = |State(receiver): State<Receiver>| async move {
            receiver.got.fetch_add(1, Ordering::SeqCst);
            let status = StatusCode::from_u16(receiver.answers.load(Ordering::SeqCst)).unwrap();
            (status, "the shelf <is> full")
        };
        let router = Router::new().route("/hook", on_post(answer)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (receiver, url)
    }
}

async fn member(world: &World) -> (User, CustomerId) {
    let id = world.column("SELECT id FROM users WHERE role = 'customer'", "id").await.unwrap();
    let user = world.portal.accounts.user(id.parse().unwrap()).await.unwrap().unwrap();
    let customer = user.customer_id.unwrap();
    (user, customer)
}

async fn endpoint(world: &World, url: &str) -> String {
    let (user, customer) = member(world).await;
    let new = NewEndpoint {
        customer,
        name: "Till".to_owned(),
        url: Some(url.parse().unwrap()),
        format: Format::Events,
        kinds: None,
        wabas: None,
        numbers: None,
        secret: None,
        verify_token: None,
    };
    world.portal.forwarding.create(&user, new).await.unwrap().to_string()
}

/// The only event of this kind, once it stands so.
async fn outcome(browser: &Browser, words: &str) -> String {
    eventually(words, || async {
        let page = browser.get("/events?kind=messages").await;
        page.words().contains(words).then(|| ids(&page).remove(0))
    })
    .await
}

async fn a_failing_endpoint_is_seen_and_gets_it_again(db: Database) {
    let world = World::start(db).await;
    let bakery = world.customer("Harbour Bakery").await;
    let number = Number::of(&world.connect(&bakery, &[]).await.1);
    settled(&world).await;
    let (receiver, url) = Receiver::start(500).await;
    let till = endpoint(&world, &url).await;
    post(&world.anonymous(), &number.entry(&[number.text("m1", "Ana", "16505551234", "hi")]).to_string()).await;
    let id = outcome(&bakery, "Retrying").await;
    let page = bakery.get(&format!("/events/{id}")).await;
    says(&page, &["Till", "Retrying", "Status 500", "the shelf <is> full", "Next attempt"]);
    assert_eq!(ids(&bakery.get("/events?kind=messages&outcome=waiting").await), std::slice::from_ref(&id));

    receiver.answers.store(204, Ordering::SeqCst);
    let again = bakery.post(&format!("/events/{id}/again"), &[("endpoint", &till)]).await;
    assert_eq!(again.location(), format!("/events/{id}"));
    says(&bakery.get(&format!("/events/{id}")).await, &["It is being sent again."]);
    eventually("the delivery", || async {
        let page = bakery.get(&format!("/events/{id}")).await;
        page.words().contains("Status 204").then_some(())
    })
    .await;
    says(&bakery.get(&format!("/events/{id}")).await, &["Sent again", "Delivered"]);
    assert_eq!(
        ids(&bakery.get("/events?kind=messages&outcome=delivered").await),
        std::slice::from_ref(&id),
        "the last one counts"
    );
    let before = receiver.got.load(Ordering::SeqCst);
    let selection = bakery.post("/events/again", &[("event", &id), ("query", "kind=messages")]).await;
    assert_eq!(selection.location(), "/events?kind=messages");
    eventually("the second", || async { (receiver.got.load(Ordering::SeqCst) > before).then_some(()) }).await;
    // How the calls went is counted, and in the charts.
    let sums = "SELECT CAST(sum(failed) AS BIGINT) AS n FROM delivery_minutes";
    let failed = world.number(sums, "n").await.unwrap();
    assert!(failed >= 1);
    says(&bakery.get("/events?range=hour").await, &["delivered,", &format!(" {failed} failed")]);
    // Nothing selected is said, not done.
    bakery.post("/events/again", &[]).await;
    says(&bakery.get("/events").await, &["Select the events first"]);
    assert_eq!(bakery.get("/events/again").await.location(), "/events");
}

async fn whoever_wants_a_part_of_it_may_have_it_again(db: Database) {
    let world = World::start(db).await;
    let bakery = world.customer("Harbour Bakery").await;
    let number = Number::of(&world.connect(&bakery, &[]).await.1);
    settled(&world).await;
    let (receiver, url) = Receiver::start(200).await;
    let till = endpoint(&world, &url).await;
    let mut tx = world.portal.store.write().await.unwrap();
    query("UPDATE endpoints SET kinds = '[\"message.status\"]'").execute(&mut tx).await.unwrap();
    query("UPDATE counters SET value = value + 1 WHERE name = 'endpoints'").execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    // One change tells a message and what became of another.
    let mut both = number.text("m1", "Ana", "16505551234", "hi");
    both["value"]["statuses"] = number.status("m0", "sent", "16505551234")["value"]["statuses"].clone();
    post(&world.anonymous(), &number.entry(&[both]).to_string()).await;
    eventually("the call", || async { (receiver.got.load(Ordering::SeqCst) > 0).then_some(()) }).await;
    let id = eventually("the event", || async { ids(&bakery.get("/events?kind=messages").await).pop() }).await;
    let page = bakery.get(&format!("/events/{id}")).await;
    let tag = page.tag_with(&format!("value=\"{till}\""));
    assert!(tag.is_some_and(|tag| tag.starts_with("<option")), "it can be sent there again: {}", page.words());
    let before = receiver.got.load(Ordering::SeqCst);
    bakery.post(&format!("/events/{id}/again"), &[("endpoint", &till)]).await;
    eventually("it again", || async { (receiver.got.load(Ordering::SeqCst) > before).then_some(()) }).await;
}

async fn all_since_a_time_is_asked_about_first(db: Database) {
    let world = World::start(db).await;
    let bakery = world.customer("Harbour Bakery").await;
    let number = Number::of(&world.connect(&bakery, &[]).await.1);
    settled(&world).await;
    let nobody = world.anonymous();
    let texts = ["m1", "m2", "m3"].map(|message| number.text(message, "Ana", "16505551234", "hi"));
    world.advance(3_600);
    post(&nobody, &number.entry(&texts).to_string()).await;
    routed(&world.portal.store).await;
    let (receiver, url) = Receiver::start(200).await;
    says(&bakery.get("/events/since").await, &["There is no endpoint yet"]);
    let till = endpoint(&world, &url).await;
    says(&bakery.get("/events/since").await, &["Send all since", "Till"]);
    let since = doorway::base::clock::rfc3339(world.clock.now() - time::Duration::minutes(5));
    let ask = |since: &str| format!("/events/since?endpoint={till}&since={since}");
    let asked = bakery.get(&ask(&since)).await;
    says(&asked, &["Send 3 events again to Till?"]);
    assert_eq!(receiver.got.load(Ordering::SeqCst), 0, "nothing is sent before it is confirmed");
    let wrong = bakery.get(&ask("yesterday")).await;
    assert_eq!(wrong.status, 422);
    says(&wrong, &["Problem: ", "Enter a day and time in the past."]);
    let sent = bakery.post("/events/since", &[("endpoint", &till), ("since", &since)]).await;
    assert_eq!(sent.location(), "/events");
    eventually("all three", || async { (receiver.got.load(Ordering::SeqCst) == 3).then_some(()) }).await;
    // Another company's endpoint is not there.
    let shop = world.customer("Corner Shop").await;
    shop.get("/events").await;
    assert_eq!(shop.post("/events/since", &[("endpoint", &till), ("since", &since)]).await.status, 404);
}

async fn one_replay_at_a_time(db: Database) {
    let world = World::start(db).await;
    let bakery = world.customer("Harbour Bakery").await;
    let number = Number::of(&world.connect(&bakery, &[]).await.1);
    settled(&world).await;
    let body = number.entry(&[number.text("m1", "Ana", "16505551234", "hi")]).to_string();
    world.advance(3_600);
    post(&world.anonymous(), &body).await;
    routed(&world.portal.store).await;
    let (receiver, url) = Receiver::start(200).await;
    let (till, other) = (endpoint(&world, &url).await, endpoint(&world, &url).await);
    let (_, customer) = member(&world).await;
    // One that began before, and is not through yet.
    let progress =
        format!(r#"{{"customer":"{customer}","endpoint":"{till}","from":0,"before":1,"route":0,"at":0,"begun":1}}"#);
    let mut tx = world.portal.store.write().await.unwrap();
    query("INSERT INTO jobs (id, kind, subject, run_at, created_at) VALUES ('one', 'forwarding.replay', $1, $2, 0)")
        .bind(progress)
        .bind(world.clock.now() + time::Duration::days(1))
        .execute(&mut tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let since = doorway::base::clock::rfc3339(world.clock.now() - time::Duration::minutes(5));
    let refused = bakery.post("/events/since", &[("endpoint", &till), ("since", &since)]).await;
    assert_eq!(refused.status, 422);
    let words = "Events since a time are being sent again to this endpoint already. Wait until that is done.";
    says(&refused, &["Problem: ", words]);
    assert!(refused.text.contains(&format!("value=\"{}", &since[..16])), "what was typed stays");
    let asked = bakery.get(&format!("/events/since?endpoint={till}&since={since}")).await;
    assert_eq!(asked.status, 422);
    says(&asked, &[words]);
    assert_eq!(world.number("SELECT count(*) AS n FROM jobs WHERE kind = 'forwarding.replay'", "n").await, Some(1));
    // Another endpoint has nothing to do with it.
    let sent = bakery.post("/events/since", &[("endpoint", &other), ("since", &since)]).await;
    assert_eq!(sent.location(), "/events");
    eventually("it", || async { (receiver.got.load(Ordering::SeqCst) == 1).then_some(()) }).await;
    let mut tx = world.portal.store.write().await.unwrap();
    query("DELETE FROM jobs WHERE id = 'one'").execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    let sent = bakery.post("/events/since", &[("endpoint", &till), ("since", &since)]).await;
    assert_eq!(sent.location(), "/events");
}

async fn a_long_history_is_not_counted_through(db: Database) {
    let world = World::start(db).await;
    let bakery = world.customer("Harbour Bakery").await;
    let number = Number::of(&world.connect(&bakery, &[]).await.1);
    settled(&world).await;
    let nobody = world.anonymous();
    post(&nobody, &number.entry(&[number.text("m1", "Ana", "16505551234", "hi")]).to_string()).await;
    routed(&world.portal.store).await;
    let (_, customer) = member(&world).await;
    let kinds = Some(vec![doorway::webhooks::Kind::MessageReceived]);
    let new = NewEndpoint {
        customer,
        name: "Till".to_owned(),
        url: Some("http://localhost:9/".parse().unwrap()),
        format: Format::Events,
        kinds,
        wabas: None,
        numbers: None,
        secret: None,
        verify_token: None,
    };
    let (user, _) = member(&world).await;
    let till = world.portal.forwarding.create(&user, new).await.unwrap();
    // Twenty thousand statuses, which it does not want, came after the one message that it does.
    let mut tx = world.portal.store.write().await.unwrap();
    query(
        "INSERT INTO events (id, received_at, route_id, kind, detail) \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) \
         SELECT e.id + i, e.received_at, e.route_id, 'message.status', 'sent' \
         FROM n, (SELECT id, received_at, route_id FROM events WHERE kind = 'message.received') e",
    )
    .execute(&mut tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let since = doorway::base::clock::rfc3339(world.clock.now() - time::Duration::minutes(5));
    let ask = format!("/events/since?endpoint={till}&since={since}");
    says(&bakery.get(&ask).await, &["Send all events that it wants again to Till?"]);
}
