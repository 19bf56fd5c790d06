//! A customer's message templates: read from Meta, made, rejected, edited, approved, deleted.

use crate::support::*;
use http::Method;
use serde_json::{Value, json};

mod places;
mod readings;
mod rules;
mod written;

on_both_engines!(
    thousands_are_read_page_by_page,
    what_changed_at_meta_is_counted,
    a_cursor_that_expired_begins_again,
    what_nobody_knows_is_kept_and_shown,
    webhooks_move_the_status,
    a_lock_whose_end_was_not_told_ends_all_the_same,
    a_category_that_is_to_change_is_shown,
    near_metas_limits_reading_waits,
);

/// A customer with one connected account: browser, the templates' address, WABA.
async fn connected(world: &World) -> (Browser, String, String) {
    let browser = world.customer("Harbour Bakery").await;
    let (connection, signup) = world.connect(&browser, &[]).await;
    (browser, format!("{connection}/templates"), id(&signup, "waba_ids", 0))
}

async fn control(world: &World, body: Value) -> Value {
    world.meta.control(Method::POST, "templates", body).await
}

/// Reads all again and waits for its end.
async fn read_all(world: &World, browser: &Browser, list: &str) -> Page {
    let before = finished(world).await;
    let asked = browser.post(&format!("{list}/sync"), &[]).await;
    assert_eq!(asked.status, 303, "{}", asked.words());
    eventually("the templates are read", || async {
        (finished(world).await > before && states(world).await == Some(0)).then_some(())
    })
    .await;
    browser.get(list).await
}

async fn finished(world: &World) -> Option<i64> {
    world.number("SELECT max(finished_at) AS at FROM template_syncs", "at").await
}

async fn states(world: &World) -> Option<i64> {
    world.number("SELECT count(*) AS n FROM template_syncs WHERE state IN ('queued', 'reading')", "n").await
}

async fn thousands_are_read_page_by_page(db: Database) {
    let world = World::start(db).await;
    let (browser, list, waba) = connected(&world).await;
    control(&world, json!({"waba_id": waba, "make": 450})).await;
    world.meta.forget_calls();
    let page = read_all(&world, &browser, &list).await;
    assert!(page.words().contains("450 templates; 450 new, 0 changed, 0 gone"), "{}", page.words());
    let pages = world.meta.calls().iter().filter(|call| call.path.ends_with("/message_templates")).count();
    assert!(pages >= 5, "{pages}");
    assert!(
        page.words().contains("450 templates, 113 names") && page.words().contains("Page 1 of 5"),
        "{}",
        page.words()
    );
    let rejected = browser.get(&format!("{list}?status=REJECTED&language=de")).await;
    assert!(rejected.words().contains("variables that stand next to each other"), "{}", rejected.words());
    let statuses = |page: &Page, word: &str| page.text.matches(&format!("</svg>{word}</span>")).count();
    assert!(statuses(&rejected, "Rejected") > 0 && statuses(&rejected, "Approved") == 0, "only what is asked for");
    let found = browser.get(&format!("{list}?q=feedback_0006")).await;
    assert!(found.words().contains("4 of 450 templates, 1 name"), "{}", found.words());
    let odd = browser.get(&format!("{list}?q=100%25_")).await;
    assert!(odd.words().contains("Nothing fits"), "{}", odd.words());
    // Another customer sees nothing of it, by any address.
    let other = world.customer("Corner Shop").await;
    assert_eq!(other.get(&list).await.status, 404);
    let template = world.column("SELECT min(template_id) AS id FROM message_templates", "id").await.unwrap();
    assert_eq!(other.get(&format!("{list}/{template}")).await.status, 404);
    let (own, _) = world.connect(&other, &[]).await;
    assert_eq!(other.get(&format!("{own}/templates/{template}")).await.status, 404);
}

async fn what_changed_at_meta_is_counted(db: Database) {
    let world = World::start(db).await;
    let (browser, list, waba) = connected(&world).await;
    control(&world, json!({"waba_id": waba, "make": 12})).await;
    read_all(&world, &browser, &list).await;
    let again = read_all(&world, &browser, &list).await;
    assert!(again.words().contains("0 new, 0 changed, 0 gone"), "{}", again.words());
    control(&world, json!({"waba_id": waba, "make": 2, "told": false})).await;
    control(&world, json!({"name": "order_confirmation_0001", "status": "PAUSED", "told": false})).await;
    control(&world, json!({"name": "order_shipped_0002", "status": "DELETED", "told": false})).await;
    let changed = read_all(&world, &browser, &list).await;
    assert!(changed.words().contains("13 templates; 2 new, 1 changed, 1 gone"), "{}", changed.words());
    assert!(changed.words().contains("Paused"), "{}", changed.words());
}

async fn a_cursor_that_expired_begins_again(db: Database) {
    let world = World::start(db).await;
    let (browser, list, waba) = connected(&world).await;
    control(&world, json!({"waba_id": waba, "make": 250})).await;
    // The template at the cursor goes while the second page is asked for: the cursor is good no more.
    read_all(&world, &browser, &list).await;
    world.meta.slow_down(std::time::Duration::from_secs(2));
    world.meta.forget_calls();
    browser.post(&format!("{list}/sync"), &[]).await;
    eventually("the second page is asked for", || async {
        world.meta.calls().iter().any(|call| call.query.contains("after=")).then_some(())
    })
    .await;
    let first: Value = serde_json::from_str(&world.meta.calls()[0].answer).unwrap();
    let last = first["data"].as_array().unwrap().last().unwrap()["id"].clone();
    control(&world, json!({"template_id": last, "status": "DELETED", "told": false})).await;
    world.meta.slow_down(std::time::Duration::ZERO);
    eventually("it was read from the beginning", || async {
        let done = "SELECT count(*) AS n FROM template_syncs WHERE state = 'done' AND read_count = 249 AND gone = 1";
        (world.number(done, "n").await == Some(1)).then_some(())
    })
    .await;
    let answers: Vec<String> = world.meta.calls().into_iter().map(|call| call.answer).collect();
    assert!(answers.iter().any(|answer| answer.contains("131059")), "the cursor was refused once");
}

async fn what_nobody_knows_is_kept_and_shown(db: Database) {
    let world = World::start(db).await;
    let (browser, list, waba) = connected(&world).await;
    control(&world, json!({"waba_id": waba, "make": 1})).await;
    let components = json!([{"type": "BODY", "text": "Hello there, friend."}, {"type": "HOLOGRAM", "depth": 3},
        {"type": "BUTTONS", "buttons": [{"type": "TELEPORT", "text": "Beam me"}]}]);
    let change = json!({"name": "order_confirmation_0001", "status": "SUSPENDED_BY_MOON", "components": components, "told": false});
    control(&world, change).await;
    let page = read_all(&world, &browser, &list).await;
    assert!(page.words().contains("Suspended by moon"), "{}", page.words());
    let template = world.column("SELECT template_id FROM message_templates", "template_id").await.unwrap();
    let one = browser.get(&format!("{list}/{template}")).await;
    for shown in ["HOLOGRAM", "TELEPORT", "Beam me", "SUSPENDED_BY_MOON"] {
        assert!(one.words().contains(shown), "{shown}: {}", one.words());
    }
    // Approved or not, it can't be edited here without losing what is not known.
    control(&world, json!({"name": "order_confirmation_0001", "status": "APPROVED", "told": false})).await;
    read_all(&world, &browser, &list).await;
    let edit = browser.get(&format!("{list}/{template}/edit")).await;
    assert!(edit.status == 409 && edit.words().contains("WhatsApp Manager"), "{}", edit.words());
}

async fn webhooks_move_the_status(db: Database) {
    let world = World::start(db).await;
    let (browser, list, waba) = connected(&world).await;
    control(&world, json!({"waba_id": waba, "make": 1})).await;
    read_all(&world, &browser, &list).await;
    let template = world.column("SELECT template_id FROM message_templates", "template_id").await.unwrap();
    let told = async |body: Value, shown: &str| {
        control(&world, body).await;
        eventually(shown, || async {
            let page = browser.get(&format!("{list}/{template}")).await;
            page.words().contains(shown).then_some(())
        })
        .await;
        // Each comes a second later, as Meta counts time in seconds.
        world.advance(2);
    };
    let of = |more: Value| {
        let mut body = json!({"name": "order_confirmation_0001"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    told(of(json!({"status": "FLAGGED"})), "Recipients complain about it").await;
    // Meta's list still says that it is approved: what the webhook told stays.
    read_all(&world, &browser, &list).await;
    assert!(browser.get(&format!("{list}/{template}")).await.words().contains("Flagged"));
    told(of(json!({"status": "REINSTATED"})), "Reinstated").await;
    told(of(json!({"status": "LOCKED"})), "It is locked").await;
    let rejection = ["Variables touch.", "Put words between them."];
    told(
        of(json!({"status": "REJECTED", "reason": "INVALID_FORMAT", "rejection": rejection})),
        "Variables touch. Put words between them.",
    )
    .await;
    told(of(json!({"quality": "RED"})), "Low quality").await;
    told(of(json!({"correct_category": "MARKETING"})), "Meta will make it a marketing template").await;
    told(of(json!({"category": "MARKETING"})), "Utility; Meta changed it").await;
    let components = json!([{"type": "BODY", "text": "Entirely new words, told by webhook."}]);
    told(of(json!({"components": components})), "Entirely new words, told by webhook.").await;
    told(of(json!({"status": "DELETED"})), "It was deleted").await;
    assert_eq!(
        world.column("SELECT language FROM message_templates", "language").await.as_deref(),
        Some("en_US"),
        "webhooks write en-US"
    );
}

async fn a_lock_whose_end_was_not_told_ends_all_the_same(db: Database) {
    let world = World::start(db).await;
    let (browser, list, waba) = connected(&world).await;
    control(&world, json!({"waba_id": waba, "make": 1})).await;
    read_all(&world, &browser, &list).await;
    let template = world.column("SELECT template_id FROM message_templates", "template_id").await.unwrap();
    let page = format!("{list}/{template}");
    control(&world, json!({"name": "order_confirmation_0001", "status": "LOCKED"})).await;
    eventually("the lock", || async { browser.get(&page).await.words().contains("It is locked").then_some(()) }).await;
    world.advance(2);
    read_all(&world, &browser, &list).await;
    assert!(browser.get(&page).await.words().contains("It is locked"), "Meta's list says nothing of it");
    world.advance(8 * 86_400);
    read_all(&world, &browser, &list).await;
    assert!(!browser.get(&page).await.words().contains("It is locked"));
}

async fn a_category_that_is_to_change_is_shown(db: Database) {
    let world = World::start(db).await;
    let (browser, list, waba) = connected(&world).await;
    control(&world, json!({"waba_id": waba, "make": 1})).await;
    read_all(&world, &browser, &list).await;
    let template = world.column("SELECT template_id FROM message_templates", "template_id").await.unwrap();
    let of = |correct: &str| json!({"name": "order_confirmation_0001", "correct_category": correct, "told": false});
    // No webhook told of it: the list does.
    control(&world, of("MARKETING")).await;
    let page = read_all(&world, &browser, &list).await;
    assert!(page.words().contains("0 new, 1 changed, 0 gone"), "{}", page.words());
    let shown = browser.get(&format!("{list}/{template}")).await;
    assert!(shown.words().contains("Meta will make it a marketing template"), "{}", shown.words());
    let at = world.number("SELECT next_category_at AS at FROM message_templates", "at").await.unwrap();
    let at = doorway::base::clock::from_ms(at);
    assert_eq!((at.day(), at.hour(), at > world.clock.now()), (1, 0, true), "the first of next month: {at}");
    // The same as the one it has: it is done, or was never to change.
    control(&world, of("UTILITY")).await;
    read_all(&world, &browser, &list).await;
    assert!(!browser.get(&format!("{list}/{template}")).await.words().contains("Meta will make it"));
}

async fn near_metas_limits_reading_waits(db: Database) {
    let world = World::start(db).await;
    let (browser, list, waba) = connected(&world).await;
    control(&world, json!({"waba_id": waba, "make": 250})).await;
    let used = json!({"accounts": {waba.as_str(): {"percent": 96, "regain_minutes": 30}}});
    world.meta.control(Method::POST, "usage", used).await;
    world.meta.forget_calls();
    browser.post(&format!("{list}/sync"), &[]).await;
    let waits = "SELECT count(*) AS n FROM template_syncs WHERE state = 'waiting'";
    eventually("it waits", || async { (world.number(waits, "n").await == Some(1)).then_some(()) }).await;
    let pages = || world.meta.calls().iter().filter(|call| call.path.ends_with("/message_templates")).count();
    assert_eq!(pages(), 1, "the first page told of the limit, and no other was asked for");
    let page = browser.get(&list).await;
    assert!(
        page.words().contains("Meta takes few calls") && page.words().contains("in 30 minutes"),
        "{}",
        page.words()
    );
    world.meta.control(Method::POST, "usage", json!({})).await;
    world.advance(31 * 60);
    eventually("it went on", || async {
        let done = "SELECT count(*) AS n FROM template_syncs WHERE state = 'done' AND read_count = 250";
        (world.number(done, "n").await == Some(1)).then_some(())
    })
    .await;
    // Each call stands in the record of the connection's calls.
    let recorded =
        "SELECT count(*) AS n FROM graph_calls WHERE path LIKE '%/message_templates' AND connection_id IS NOT NULL";
    eventually("the calls are recorded", || async { (world.number(recorded, "n").await >= Some(4)).then_some(()) })
        .await;
}
