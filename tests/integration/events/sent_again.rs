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

on_both_engines!(a_failing_endpoint_is_seen_and_gets_it_again, all_since_a_time_is_asked_about_first);

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
    assert_eq!(ids(&bakery.get("/events?outcome=waiting").await), [id.clone()]);

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
    assert_eq!(ids(&bakery.get("/events?kind=messages&outcome=delivered").await), [id.clone()], "the last one counts");
    let before = receiver.got.load(Ordering::SeqCst);
    let selection = bakery.post("/events/again", &[("event", &id), ("query", "kind=messages")]).await;
    assert_eq!(selection.location(), "/events?kind=messages");
    eventually("the second", || async { (receiver.got.load(Ordering::SeqCst) > before).then_some(()) }).await;
    // Nothing selected is said, not done.
    bakery.post("/events/again", &[]).await;
    says(&bakery.get("/events").await, &["Select the events first"]);
    assert_eq!(bakery.get("/events/again").await.location(), "/events");
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
