//! What is known of a message: found by its ID, however far back, and its course.

use super::*;

on_both_engines!(a_message_is_found_by_its_id, what_came_for_another_is_not_told);

/// A message's ID, as long as Meta's.
const ID: &str = "wamid.HBgLMTY1MDU1NTEyMzQVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA";

async fn a_message_is_found_by_its_id(db: Database) {
    let world = World::start(db).await;
    let (bakery, shop) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    let number = Number::of(&world.connect(&bakery, &[]).await.1);
    let others = Number::of(&world.connect(&shop, &[]).await.1);
    settled(&world).await;
    let (nobody, store) = (world.anonymous(), &world.portal.store);
    for status in ["sent", "delivered"] {
        post(&nobody, &number.entry(&[number.status(ID, status, "16505551234")]).to_string()).await;
    }
    // The other company got it: both name it by the same ID.
    post(&nobody, &others.entry(&[others.text(ID, "Harbour Bakery", "15550001111", "hi")]).to_string()).await;
    // A thousand events later, which is further back than one request looks.
    for body in 0..3 {
        let statuses: Vec<Value> =
            (0..400).map(|at| number.status(&format!("wamid.later-{body}-{at}"), "sent", "16505550000")).collect();
        post(&nobody, &number.entry(&statuses).to_string()).await;
    }
    routed(store).await;
    let page = bakery.get(&format!("/events?text={ID}")).await;
    let found = ids(&page);
    assert_eq!(found.len(), 1, "{}", page.words());
    says(&page, &["Delivered"]);
    let delivered = &found[0];
    let at_shop = ids(&shop.get(&format!("/events?text={ID}")).await);
    assert_eq!(at_shop.len(), 1);
    assert_ne!(&at_shop[0], delivered);
    let staff = world.staff(Role::Support).await;
    let all = ids(&staff.get(&format!("/events?text={ID}")).await);
    assert_eq!(all.len(), 2);
    assert!(all.contains(delivered) && all.contains(&at_shop[0]));
    assert_eq!(ids(&bakery.get(&format!("/events?text={ID}&kind=messages")).await).len(), 0, "other filters count too");

    // Its course is on the page of each of its events.
    let page = bakery.get(&format!("/events/{delivered}")).await;
    says(&page, &["The message Sent Delivered", ID, "This event told it last."]);
    let older = world.number("SELECT min(id) AS id FROM events WHERE detail = 'sent'", "id").await.unwrap();
    let page = bakery.get(&format!("/events/{older}")).await;
    says(&page, &["The message Sent Delivered", "the event that told it"]);
    let told = |event: &str| format!("<a href=\"/events/{event}\">the event that told it</a>");
    assert!(page.text.contains(&told(delivered)));
    post(&nobody, &number.entry(&[number.status(ID, "failed", "16505551234")]).to_string()).await;
    routed(store).await;
    let page = bakery.get(&format!("/events/{older}")).await;
    says(&page, &["The message Sent Delivered Failed"]);
    assert!(page.text.contains("the event that told it") && !page.text.contains(&told(delivered)));
    says(&shop.get(&format!("/events/{}", at_shop[0])).await, &["The message Received from the contact"]);
}

/// A number may have been another customer's before.
async fn what_came_for_another_is_not_told(db: Database) {
    let world = World::start(db).await;
    let (bakery, shop) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    let number = Number::of(&world.connect(&bakery, &[]).await.1);
    world.connect(&shop, &[]).await;
    settled(&world).await;
    let nobody = world.anonymous();
    post(&nobody, &number.entry(&[number.status(ID, "sent", "16505551234")]).to_string()).await;
    routed(&world.portal.store).await;
    let sent = ids(&bakery.get(&format!("/events?text={ID}")).await).remove(0);
    // What came until now was the other company's; what comes from now on is the bakery's.
    let mut tx = world.portal.store.write().await.unwrap();
    query(
        "UPDATE event_routes SET customer_id = (SELECT id FROM customers WHERE name = 'Corner Shop'), \
         connection_id = (SELECT c.id FROM connections c JOIN customers o ON o.id = c.customer_id WHERE o.name = 'Corner Shop') \
         WHERE id = (SELECT route_id FROM events WHERE kind = 'message.status')",
    )
    .execute(&mut tx)
    .await
    .unwrap();
    query("UPDATE counters SET value = value + 1 WHERE name = 'routing'").execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(bakery.get(&format!("/events/{sent}")).await.status, 404);
    assert_eq!(ids(&bakery.get(&format!("/events?text={ID}")).await).len(), 0);
    assert_eq!(ids(&shop.get(&format!("/events?text={ID}")).await), [sent]);
}
