//! The list and the page of one event: who sees what, filters, paging.

use super::*;

on_both_engines!(
    members_see_their_own_and_staff_see_all,
    the_list_is_filtered_and_paged,
    one_event_shows_what_meta_sent,
    nobodys_events_are_staffs,
);

async fn members_see_their_own_and_staff_see_all(db: Database) {
    let world = World::start(db).await;
    let support = world.staff(Role::Support).await;
    let (bakery, shop) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    says(&bakery.get("/events").await, &["No events yet", "Connect WhatsApp"]);
    let first = Number::of(&world.connect(&bakery, &[]).await.1);
    let second = Number::of(&world.connect(&shop, &[]).await.1);
    settled(&world).await;
    let nobody = world.anonymous();
    // One body holds changes of both.
    let (ours, theirs) = (first.text("m1", "Ana", "16505551234", "hi"), second.text("m2", "Ben", "16505559999", "ho"));
    let mut both = first.entry(&[ours]);
    both["entry"].as_array_mut().unwrap().push(second.entry(&[theirs])["entry"][0].clone());
    post(&nobody, &both.to_string()).await;
    routed(&world.portal.store).await;

    let page = bakery.get("/events?kind=messages").await;
    says(&page, &["Message received", "Text", "Ana", "+1 650-555-1234", "No endpoint"]);
    assert!(!page.text.contains("Ben") && !page.text.contains("Corner Shop"), "{}", page.words());
    let own = ids(&page);
    assert_eq!(own.len(), 1);
    let page = shop.get("/events?kind=messages").await;
    says(&page, &["Ben"]);
    let others = ids(&page);
    for path in ["", "/raw", "/again"] {
        assert_eq!(bakery.get(&format!("/events/{}{path}", others[0])).await.status, 404, "{path}");
    }
    bakery.get("/events").await;
    let again = bakery.post(&format!("/events/{}/again", others[0]), &[]).await;
    assert_eq!(again.status, 404);
    let again = bakery.post("/events/again", &[("event", &own[0]), ("event", &others[0])]).await;
    assert_eq!(again.status, 404, "a selection with another's event");
    // A member's customer filter is no filter.
    let other = world.column("SELECT id FROM customers WHERE name = 'Corner Shop'", "id").await.unwrap();
    assert_eq!(ids(&bakery.get(&format!("/events?kind=messages&customer={other}")).await), own);

    let page = support.get("/events?kind=messages").await;
    says(&page, &["Ana", "Ben", "Harbour Bakery", "Corner Shop"]);
    let page = support.get("/events?kind=messages&customer=corner+shop").await;
    assert_eq!(ids(&page), others);
    says(&support.get(&format!("/events/{}", own[0])).await, &["Harbour Bakery", "Ana"]);
    let wrong = support.get("/events?customer=Nowhere").await;
    assert_eq!(wrong.status, 422);
    says(&wrong, &["Problem: ", "No customer fits “Nowhere”."]);
}

async fn the_list_is_filtered_and_paged(db: Database) {
    let world = World::start(db).await;
    let bakery = world.customer("Harbour Bakery").await;
    let number = Number::of(&world.connect(&bakery, &[]).await.1);
    settled(&world).await;
    let nobody = world.anonymous();
    let from = |at: usize| format!("1650555{at:04}");
    let texts: Vec<Value> = (0..110).map(|at| number.text(&format!("m{at:03}x"), "Ana", &from(at), "hi")).collect();
    post(&nobody, &number.entry(&texts).to_string()).await;
    let statuses = [number.status("out1", "delivered", "16505550001"), number.status("out2", "failed", "16505550002")];
    post(&nobody, &number.entry(&statuses).to_string()).await;
    // The same again is no event.
    post(&nobody, &number.entry(&statuses).to_string()).await;
    routed(&world.portal.store).await;

    let page = bakery.get("/events?kind=statuses").await;
    says(&page, &["Delivered", "Failed", "Message undeliverable (131026)"]);
    assert_eq!(ids(&page).len(), 2);
    let mut seen = Vec::new();
    let mut path = "/events?kind=messages".to_owned();
    for pages in 1.. {
        let page = bakery.get(&path).await;
        let some = ids(&page);
        assert!(some.len() == 50 || pages == 3, "{}", some.len());
        seen.extend(some);
        let Some(older) = page.text.split("rel=\"next\"").next().filter(|_| page.text.contains("rel=\"next\"")) else {
            break;
        };
        path = older
            .rsplit("href=\"")
            .next()
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .replace("&#38;", "&")
            .replace("&amp;", "&");
    }
    assert_eq!(seen.len(), 110);
    let numbers: Vec<i64> = seen.iter().map(|id| id.parse().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a > b), "the newest first, each once");

    let page = bakery.get("/events?text=m042x").await;
    assert_eq!(ids(&page).len(), 1);
    says(&page, &["+1 650-555-0042"]);
    assert_eq!(ids(&bakery.get("/events?text=%2B1+650-555-0042").await).len(), 1, "a number as people write it");
    let none = bakery.get("/events?text=nothing-like-it").await;
    says(&none, &["Nothing fits these filters"]);
    assert_eq!(ids(&bakery.get("/events?kind=statuses&outcome=none").await).len(), 2);
    assert_eq!(ids(&bakery.get("/events?kind=statuses&outcome=delivered").await).len(), 0);
    assert_eq!(ids(&bakery.get(&format!("/events?kind=statuses&number={}", number.id)).await).len(), 2);
    let wrong = bakery.get("/events?number=12345").await;
    assert_eq!(wrong.status, 422);
    says(&wrong, &["12345 is none of the connected numbers."]);
    // What came is in the charts, and what came twice only there for staff.
    says(&bakery.get("/events?range=hour").await, &["Last hour: 112 events", "Message statuses"]);
    let admin = world.staff(Role::Admin).await;
    says(&admin.get("/events?range=day").await, &["Had come before"]);
}

async fn one_event_shows_what_meta_sent(db: Database) {
    let world = World::start(db).await;
    let bakery = world.customer("Harbour Bakery").await;
    let number = Number::of(&world.connect(&bakery, &[]).await.1);
    settled(&world).await;
    let raw = format!(
        r#"{{"value" : {{"metadata":{{"phone_number_id":"{}"}},"odd":1.0e2,"messages":[{{"from":"16505551234","id":"m1","type":"unsupported","errors":[{{"code":131051,"title":"Message type unknown"}}],"text":"<b>\u00e9"}}]}},"field":"messages"}}"#,
        number.id
    );
    let body = format!(r#"{{"entry":[{{"id":"{}","changes":[{raw}]}}]}}"#, number.waba);
    post(&world.anonymous(), &body).await;
    routed(&world.portal.store).await;
    let id = ids(&bakery.get("/events?kind=messages").await).remove(0);
    let page = bakery.get(&format!("/events/{id}")).await;
    says(
        &page,
        &["Message received: A type that Meta’s API does not support", "Meta says: Message type unknown (131051)"],
    );
    says(&page, &["None: no endpoint wanted it when it came.", "1.0e2", r"<b>\u00e9"]);
    assert!(!page.text.contains("<b>\\u"), "it is shown as text");
    let answer = bakery.get(&format!("/events/{id}/raw")).await;
    assert_eq!(answer.text, raw, "byte for byte");
    assert_eq!(bakery.get(&format!("/events/{id}/again")).await.location(), format!("/events/{id}"));
    assert_eq!(bakery.get("/events/123").await.status, 404);
    assert_eq!(bakery.get("/events/nonsense").await.status, 404);
}

async fn nobodys_events_are_staffs(db: Database) {
    let world = World::start(db).await;
    let support = world.staff(Role::Support).await;
    let bakery = world.customer("Harbour Bakery").await;
    let stranger = Number { waba: "700700".to_owned(), id: "800800".to_owned() };
    post(&world.anonymous(), &stranger.entry(&[stranger.text("m1", "Zoe", "16505551234", "hi")]).to_string()).await;
    post(&world.anonymous(), "no JSON at all").await;
    routed(&world.portal.store).await;
    let page = support.get("/events?customer=nobody").await;
    says(&page, &["Zoe", "Something new"]);
    let all = ids(&page);
    assert_eq!(all.len(), 2);
    assert_eq!(ids(&bakery.get("/events").await), Vec::<String>::new());
    for id in &all {
        assert_eq!(support.get(&format!("/events/{id}")).await.status, 200);
        assert_eq!(bakery.get(&format!("/events/{id}")).await.status, 404);
        let again = support.post(&format!("/events/{id}/again"), &[]).await;
        assert_eq!(again.status, 409, "there is nobody to send it to");
    }
}
