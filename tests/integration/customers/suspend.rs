//! Suspending: nobody of theirs is in from the next request on, and everything is as it was afterwards.

use super::*;

on_both_engines!(its_people_are_out_at_once_and_in_again_later, attempts_wait_meanwhile);

async fn its_people_are_out_at_once_and_in_again_later(db: Database) {
    let world = World::start(db).await;
    let admin = world.staff(Role::Admin).await;
    let (bakery, shop) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    let (connection, signup) = world.connect(&bakery, &[]).await;
    let waba = id(&signup, "waba_ids", 0);
    let email = world.column("SELECT email FROM users WHERE email LIKE 'harbour%'", "email").await.unwrap();
    let page = page_of(&world, "Harbour Bakery").await;
    admin.get(&page).await;
    assert_eq!(admin.post(&format!("{page}/suspend"), &[]).await.location(), page);
    says(&admin.get(&page).await, &["Suspended", "Nobody of Harbour Bakery can sign in", "End suspension"]);
    says(&admin.get("/backoffice/customers?filter=suspended").await, &["Harbour Bakery", "1 customer, suspended"]);

    assert_eq!(bakery.get(&connection).await.location(), format!("/signin?next={}", connection.replace('/', "%2F")));
    let script = bakery.send(bakery.script("/connect/attempts", &json!({"coexistence": false}))).await;
    assert!(script.status == 401 || script.status == 403, "{}", script.status);
    assert!(shop.is_signed_in().await);
    // Told only to whoever knows the password.
    let wrong = world.anonymous().sign_in(&email, "not the password at all").await;
    assert_eq!(wrong.status, 422);
    assert!(!wrong.words().contains("closed"));
    let refused = world.anonymous();
    let told = refused.sign_in(&email, PASSWORD).await;
    assert_eq!(told.status, 403);
    says(&told, &["Your company’s access is closed", "Harbour Bakery", "help@operator.example"]);
    assert!(!refused.is_signed_in().await);
    // A session that came to be all the same is worth nothing.
    let rows = "SELECT count(*) AS n FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.email LIKE 'harbour%'";
    assert_eq!(world.number(rows, "n").await, Some(0));

    // What is connected stays, and Meta is still listened to.
    assert_eq!(world.meta.waba(&waba).await["subscribed"], true);
    let kept = "SELECT count(*) AS n FROM connections WHERE state = 'active' AND token_sealed IS NOT NULL";
    assert_eq!(world.number(kept, "n").await, Some(1));
    // A second click changes nothing; once is written down.
    admin.post(&format!("{page}/suspend"), &[]).await;
    assert_eq!(noted(&world, id_in(&page), "customer.suspended").await, 1);

    assert_eq!(admin.post(&format!("{page}/unsuspend"), &[]).await.location(), page);
    assert_eq!(noted(&world, id_in(&page), "customer.unsuspended").await, 1);
    let back = world.signed_in(&email).await;
    says(&back.get(&connection).await, &["Connected"]);
}

async fn attempts_wait_meanwhile(db: Database) {
    let world = World::start(db).await;
    let admin = world.staff(Role::Admin).await;
    let bakery = world.customer("Harbour Bakery").await;
    let email = world.column("SELECT email FROM users WHERE role = 'customer'", "email").await.unwrap();
    let page = page_of(&world, "Harbour Bakery").await;
    admin.get(&page).await;
    let attempt = bakery.begin().await;
    let signup = world.meta.signup(&[]).await;
    let waba = id(&signup, "waba_ids", 0);
    // It stands before its subscription when the customer is suspended.
    world.meta.hold(http::Method::GET, &format!("{waba}/phone_numbers"));
    attempt.bring_all(&signup).await;
    world.meta.called(&format!("{waba}/phone_numbers")).await;
    admin.post(&format!("{page}/suspend"), &[]).await;
    world.meta.release();
    let step = "SELECT step FROM signup_attempts";
    eventually("the step under way to end", || async {
        (world.column(step, "step").await.unwrap() != "token_inspected").then_some(())
    })
    .await;
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    assert_eq!(world.number("SELECT count(*) AS n FROM connections", "n").await, Some(0), "nothing new begins");
    assert_eq!(world.column(step, "step").await.unwrap(), "chosen");

    admin.post(&format!("{page}/unsuspend"), &[]).await;
    let back = world.signed_in(&email).await;
    back.attempt_at(&attempt.url).is_done().await;
    assert_eq!(world.meta.waba(&waba).await["subscribed"], true);
}
