//! One customer's endpoints are nobody else's.

use super::*;
use doorway::accounts::Role;

on_both_engines!(an_endpoint_is_its_customers_alone, staff_pause_and_resume);

async fn an_endpoint_is_its_customers_alone(db: Database) {
    let world = World::start(db).await;
    let owner = world.customer("Harbour Bakery").await;
    let (_, signup) = world.connect(&owner, &[]).await;
    let page = with_receiver(&owner, "Shop", "events").await;
    let other = world.customer("Corner Shop").await;
    says(&other.get("/settings/endpoints").await, &["No endpoint yet"]);
    for path in ["", "/edit", "/rotate", "/delete", "/received", "/stream"] {
        assert_eq!(other.get(&format!("{page}{path}")).await.status, 404, "{path}");
    }
    for path in [
        "/edit",
        "/pause",
        "/resume",
        "/test",
        "/secret",
        "/rotate",
        "/end-overlap",
        "/delete",
        "/received",
        "/received/forget",
    ] {
        let fields = [("name", "Mine"), ("to", "receiver"), ("how", "overlap"), ("answers", "500")];
        assert_eq!(other.post(&format!("{page}{path}"), &fields).await.status, 404, "{path}");
    }
    assert_eq!(owner.get(&page).await.heading(), "Shop");
    // Another's number is no choice.
    let number = id(&signup, "phone_number_ids", 0);
    assert!(!other.get(NEW).await.text.contains(&number));
    let fields = [
        ("name", "A"),
        ("to", "receiver"),
        ("format", "events"),
        ("which_numbers", "some"),
        ("numbers", number.as_str()),
    ];
    assert_eq!(other.post(NEW, &fields).await.status, 422);
}

async fn staff_pause_and_resume(db: Database) {
    let world = World::start(db).await;
    let owner = world.customer("Harbour Bakery").await;
    let page = with_receiver(&owner, "Shop", "events").await;
    let endpoint = page.rsplit('/').next().unwrap();
    let customer = world.column("SELECT customer_id FROM endpoints", "customer_id").await.unwrap();
    let list = format!("/support/customers/{customer}/endpoints");
    let support = world.staff(Role::Support).await;
    says(&support.get(&format!("/support/customers/{customer}")).await, &["Endpoints"]);
    says(&support.get(&list).await, &["Shop", "Active"]);
    assert_eq!(support.post(&format!("{list}/{endpoint}/pause"), &[]).await.location(), list);
    says(&support.get(&list).await, &["Shop is paused.", "Paused"]);
    says(&owner.get(&page).await, &["This endpoint is not called"]);
    assert_eq!(support.post(&format!("{list}/{endpoint}/resume"), &[]).await.location(), list);
    says(&owner.get(&page).await, &["Active"]);
    // An endpoint under another customer's name is not there.
    world.customer("Corner Shop").await;
    let other = world.column("SELECT max(id) AS id FROM customers", "id").await.unwrap();
    let other = if other == customer {
        world.column("SELECT min(id) AS id FROM customers", "id").await.unwrap()
    } else {
        other
    };
    assert_eq!(support.post(&format!("/support/customers/{other}/endpoints/{endpoint}/pause"), &[]).await.status, 404);
    assert_eq!(owner.get(&list).await.status, 404, "members see no staff page");
}
