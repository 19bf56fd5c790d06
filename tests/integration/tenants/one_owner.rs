//! One WABA, one customer.

use super::*;
use doorway::accounts::Role;
use secrecy::SecretString;

on_both_engines!(
    a_second_customer_is_refused_until_staff_release_it,
    meta_in_trouble_holds_no_release_up,
    two_customers_at_the_same_moment,
    the_same_customer_again_renews_the_connection,
    the_same_customer_twice_at_the_same_moment,
);

async fn a_second_customer_is_refused_until_staff_release_it(db: Database) {
    let world = World::start(db).await;
    let (first, second) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    let (connection, signup) = world.connect(&first, &[]).await;
    let waba = id(&signup, "waba_ids", 0);
    let again = || world.meta.signup_of(json!({ "waba_id": waba }));
    let attempt = second.begin().await;
    attempt.bring_all(&again().await).await;
    let page = attempt.ends("failed", "claimed").await;
    says(&page, &["connected by another company", "write to Test Operator", &waba]);
    assert!(!page.words().contains("Harbour Bakery"), "nor is it told whose it is");
    assert_eq!(second.get("/connections").await.text.matches("/connections/0").count(), 0);
    let kept = "SELECT count(*) AS n FROM signup_attempts WHERE token_sealed IS NOT NULL";
    assert_eq!(world.number(kept, "n").await, Some(0));

    let staff = world.staff(Role::Support).await;
    let release = format!("/support/wabas/{waba}/release");
    says(&staff.get(&release).await, &["belongs to Harbour Bakery", "Another customer can then connect it"]);
    assert_eq!(world.meta.waba(&waba).await["subscribed"], true);
    let back = staff.post(&release, &[]).await;
    says(&staff.get(back.location()).await, &["is released"]);
    assert_eq!(world.meta.waba(&waba).await["subscribed"], false, "Meta sends no more of it");
    assert_eq!(staff.get(&release).await.status, 404, "nobody holds it now");
    assert_eq!(first.get(&connection).await.status, 404, "it was the connection's last account");
    let token = "SELECT token_sealed FROM connections";
    assert_eq!(world.column(token, "token_sealed").await, None, "and its token is gone");

    let attempt = second.begin().await;
    attempt.bring_all(&again().await).await;
    attempt.is_done().await;
    let owner = "SELECT c.name FROM wabas w JOIN customers c ON c.id = w.customer_id";
    assert_eq!(world.column(owner, "name").await.as_deref(), Some("Corner Shop"));
}

async fn meta_in_trouble_holds_no_release_up(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (_, signup) = world.connect(&browser, &[]).await;
    world.meta.fault("graph_500", None, Some("subscribed_apps")).await;
    let staff = world.staff(Role::Support).await;
    staff.get("/support").await;
    let release = format!("/support/wabas/{}/release", id(&signup, "waba_ids", 0));
    assert_eq!(staff.post(&release, &[]).await.status, 303);
    assert_eq!(world.number("SELECT count(*) AS n FROM wabas", "n").await, Some(0));
    let noted = world.column("SELECT detail FROM audit_log WHERE action = 'waba.released'", "detail").await;
    assert_eq!(noted.as_deref(), Some("Meta may go on sending its webhooks"));
}

async fn two_customers_at_the_same_moment(db: Database) {
    let world = World::start(db).await;
    let (first, second) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    let shared = world.meta.signup(&[]).await;
    for _ in 0..3 {
        let (one, two) = (first.begin().await, second.begin().await);
        let again = || world.meta.signup_of(json!({"waba_id": shared["waba_ids"][0]}));
        let (a, b) = (again().await, again().await);
        // Both stand before the proof, and are let go at once.
        world.meta.hold(http::Method::GET, "phone_numbers");
        tokio::join!(one.code(&a), two.code(&b));
        eventually("both proofs", || async {
            let calls = world.meta.calls();
            (calls.iter().filter(|call| call.path.ends_with("phone_numbers")).count() == 2).then_some(())
        })
        .await;
        world.meta.release();
        let ends = [one.settled().await.attempt(), two.settled().await.attempt()];
        let won = ends.iter().filter(|(state, _)| state == "done").count();
        let refused = ends.iter().filter(|(_, reason)| reason == "claimed").count();
        assert_eq!((won, refused), (1, 1), "{ends:?}");
        assert_eq!(world.number("SELECT count(*) AS n FROM wabas", "n").await, Some(1));
        let tokens = "SELECT count(*) AS n FROM connections WHERE token_sealed IS NOT NULL";
        assert_eq!(world.number(tokens, "n").await, Some(1), "who lost keeps nothing");
        let staff = world.staff(Role::Admin).await;
        staff.get("/settings").await;
        staff.post(&format!("/support/wabas/{}/release", id(&shared, "waba_ids", 0)), &[]).await;
        world.meta.forget_calls();
    }
}

async fn the_same_customer_again_renews_the_connection(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, signup) = world.connect(&browser, &["token_expiring_soon"]).await;
    let renamed = browser.post(&format!("{connection}/rename"), &[("name", "The shop by the sea")]).await;
    assert_eq!(renamed.location(), connection);
    let token = || world.column("SELECT token_sealed FROM connections", "token_sealed");
    let end = || world.number("SELECT token_expires_at FROM connections", "token_expires_at");
    let (token_before, end_before) = (token().await, end().await);
    world.advance(3_600);
    let attempt = browser.begin().await;
    let again = world.meta.signup_of(json!({"waba_id": signup["waba_ids"][0]})).await;
    attempt.bring_all(&again).await;
    assert_eq!(attempt.connection().await, connection);
    says(&browser.get(&connection).await, &["The shop by the sea"]);
    assert_ne!(token().await, token_before);
    assert!(end().await > end_before, "the new token lives longer");
    assert_eq!(world.number("SELECT count(*) AS n FROM connections", "n").await, Some(1));
}

/// Two tabs, or a double click: the second waits for the first and finds its connection.
async fn the_same_customer_twice_at_the_same_moment(db: Database) {
    let world = World::start(db).await;
    world.customer("Harbour Bakery").await;
    let customer = world.portal.accounts.search_customers("Harbour", 1).await.unwrap().remove(0).id;
    let waba: doorway::graph::Waba = serde_json::from_value(json!({
        "id": "104996122399160", "name": "Shop", "owner_business_info": {"id": "2729063490586005", "name": "Shop"}
    }))
    .unwrap();
    let grant = doorway::connections::Grant {
        into: None,
        instead: false,
        customer,
        by: world.portal.accounts.members(customer).await.unwrap().remove(0).id,
        token: SecretString::from("EAAtest"),
        token_expires_at: None,
        data_access_expires_at: None,
        scopes: Vec::new(),
        wabas: vec![(waba, Vec::new())],
    };
    let mut first = world.portal.store.write().await.unwrap();
    let saved = world.portal.connections.save(&mut first, &grant).await.unwrap();
    let (store, connections, copy) = (world.portal.store.clone(), world.portal.connections.clone(), grant.clone());
    let second = tokio::spawn(async move {
        let mut tx = store.write().await.unwrap();
        let saved = connections.save(&mut tx, &copy).await.unwrap();
        tx.commit().await.unwrap();
        saved
    });
    // Time for the second to come as far as it can while the first is not committed.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    first.commit().await.unwrap();
    assert_eq!(second.await.unwrap(), saved, "one connection, not a second one without an account");
    assert_eq!(world.number("SELECT count(*) AS n FROM connections", "n").await, Some(1));
}
