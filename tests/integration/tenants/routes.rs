//! Every route with another's IDs, of another role, and of nobody.

use super::*;
use doorway::accounts::Role;
use http::Method;

on_both_engines!(
    what_belongs_to_another_customer_is_not_there,
    staff_pages_are_not_there_for_customers,
    customers_pages_are_not_for_staff,
    whoever_is_not_signed_in_is_sent_to_the_sign_in,
    staff_see_every_customer,
);

async fn what_belongs_to_another_customer_is_not_there(db: Database) {
    let world = World::start(db).await;
    let (owner, other) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    let (connection, signup) = world.connect(&owner, &[]).await;
    let attempt = owner.begin().await;
    let several = world.meta.signup(&["several_wabas"]).await;
    attempt.bring_all(&several).await;
    attempt.ends("choose", "choosing").await;
    let url = attempt.url.clone();
    for path in [connection.clone(), format!("{connection}/disconnect"), url.clone()] {
        assert_eq!(owner.get(&path).await.status, 200, "{path}");
        assert_eq!(other.get(&path).await.status, 404, "{path}");
    }
    assert_eq!(other.get(&format!("{url}/stream")).await.status, 404);
    let waba = id(&several, "waba_ids", 0);
    let forms = [
        (format!("{connection}/rename"), ("name", "Mine")),
        (format!("{connection}/disconnect"), ("deregister", "yes")),
        (format!("{url}/choose"), ("waba", waba.as_str())),
        (format!("{url}/waba"), ("waba_id", waba.as_str())),
        (format!("{url}/retry"), ("x", "y")),
    ];
    for (path, field) in &forms {
        assert_eq!(other.post(path, &[*field]).await.status, 404, "{path}");
    }
    let scripts = [("event", signup["event"].clone()), ("code", json!({"code": "AQx"})), ("closed", json!({}))];
    for (what, body) in scripts {
        let answer = other.send(other.script(&format!("{url}/{what}"), &body)).await;
        assert_eq!(answer.status, 404, "{what}");
        assert!(answer.json()["error"]["title"].is_string());
    }
    attempt.ends("choose", "choosing").await;
    says(&owner.get(&connection).await, &["Connected"]);
    assert!(!owner.get("/connections").await.words().contains("Mine"));
    // Malformed and unknown IDs are as little there as another's.
    for odd in ["0", "x", "01900000-0000-7000-8000-000000000000", "..%2f..%2fsettings"] {
        for path in [format!("/connections/{odd}"), format!("/connect/attempts/{odd}")] {
            assert_eq!(owner.get(&path).await.status, 404, "{path}");
        }
    }
}

fn staff_paths(customer: &str, waba: &str) -> [String; 3] {
    ["/support".to_owned(), format!("/support/customers/{customer}"), format!("/support/wabas/{waba}/release")]
}

async fn staff_pages_are_not_there_for_customers(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (_, signup) = world.connect(&browser, &[]).await;
    let customer = world.column("SELECT id FROM customers", "id").await.unwrap();
    let waba = id(&signup, "waba_ids", 0);
    for path in staff_paths(&customer, &waba) {
        assert_eq!(browser.get(&path).await.status, 404, "{path}");
    }
    assert_eq!(browser.post(&format!("/support/wabas/{waba}/release"), &[]).await.status, 404);
    assert_eq!(world.number("SELECT count(*) AS n FROM wabas", "n").await, Some(1));
}

async fn customers_pages_are_not_for_staff(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, _) = world.connect(&browser, &[]).await;
    for role in [Role::Support, Role::Admin] {
        let staff = world.staff(role).await;
        for path in ["/connect", "/connections", connection.as_str()] {
            assert_eq!(staff.get(path).await.status, 403, "{path}");
        }
        assert_eq!(staff.send(staff.script("/connect/attempts", &json!({}))).await.status, 403);
        assert_eq!(staff.post("/connect/oauth", &[]).await.status, 403);
    }
    assert_eq!(world.number("SELECT count(*) AS n FROM signup_attempts", "n").await, Some(1));
}

async fn whoever_is_not_signed_in_is_sent_to_the_sign_in(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, _) = world.connect(&browser, &[]).await;
    let attempt = browser.begin().await;
    let nobody = world.anonymous();
    let pages = ["/connect", "/connections", "/settings", "/support", connection.as_str(), attempt.url.as_str()];
    for path in pages {
        let next: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
        assert_eq!(nobody.get(path).await.location(), format!("/signin?next={next}"));
    }
    // After signing in one is where one wanted to be.
    let email = world.column("SELECT email FROM users", "email").await.unwrap();
    let page = nobody.get("/connect?from=mail").await;
    let form = nobody.get(page.location()).await;
    assert_eq!(form.tag_with("name=\"next\"").unwrap().matches("/connect?from=mail").count(), 1);
    let fields = [("email", email.as_str()), ("password", PASSWORD), ("next", "/connect?from=mail")];
    assert_eq!(nobody.post("/signin", &fields).await.location(), "/connect?from=mail");
    // Scripts are told in JSON.
    let stranger = world.anonymous();
    let stream = stranger.get(&format!("{}/stream", attempt.url)).await;
    assert_eq!(stream.status, 401);
    assert_eq!(stream.json()["error"]["title"], "Please sign in");
    for path in ["/connect/attempts".to_owned(), format!("{}/code", attempt.url), format!("{}/closed", attempt.url)] {
        let answer = stranger.send(stranger.script(&path, &json!({"code": "AQx"}))).await;
        assert_eq!(answer.status, 401, "{path}: {}", answer.text);
    }
    for suffix in ["rename", "disconnect"] {
        let answer =
            stranger.send(stranger.own(stranger.request(Method::POST, &format!("{connection}/{suffix}")))).await;
        assert_eq!(answer.location(), "/signin?next=%2F");
    }
    assert_eq!(stranger.get("/nowhere").await.status, 404);
}

async fn staff_see_every_customer(db: Database) {
    let world = World::start(db).await;
    let (bakery, shop) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    let (_, signup) = world.connect(&bakery, &[]).await;
    let attempt = shop.begin().await;
    attempt.bring_all(&world.meta.signup(&["code_expired_now"]).await).await;
    attempt.ends("failed", "code_expired").await;
    let staff = world.staff(Role::Support).await;
    let overview = staff.get("/support").await;
    says(&overview, &["Harbour Bakery", "Corner Shop", &attempt.id, "code_expired", "36007"]);
    let found = staff.get("/support?q=harb").await;
    says(&found, &["Harbour Bakery"]);
    assert!(!found.words().contains("Corner Shop"));
    let of = "SELECT id FROM customers WHERE name = 'Harbour Bakery'";
    let customer = world.column(of, "id").await.unwrap();
    says(&staff.get(&format!("/support/customers/{customer}")).await, &["Harbour Bakery", &id(&signup, "waba_ids", 0)]);
}
