//! Readings that others overtake, and what counts as a change.

use super::{written::form, *};
use doorway::store::query;
use futures_util::join;

on_both_engines!(
    a_samples_address_tells_of_no_change,
    a_page_from_before_an_edit_undoes_nothing,
    a_page_from_before_a_deletion_brings_nothing_back,
    what_is_made_while_all_is_read_stays,
    what_is_deleted_is_no_template_of_its_name,
    a_deletion_that_is_told_brings_nothing_back,
    all_languages_take_the_name_of_an_approved_one_along,
);

const LEFT: &str = "SELECT count(*) AS n FROM message_templates";

/// Begins to read all, up to a page that stands still on its way here.
async fn page_on_its_way(world: &World, browser: &Browser, list: &str) {
    world.meta.forget_calls();
    world.meta.hold_answers(Method::GET, "/message_templates");
    assert_eq!(browser.post(&format!("{list}/sync"), &[]).await.status, 303);
    world.meta.answered(&Method::GET, "/message_templates").await;
}

/// Lets it come, and waits until all is read.
async fn page_arrives(world: &World, before: Option<i64>) {
    world.meta.release();
    eventually("all is read", || async {
        (finished(world).await > before && states(world).await == Some(0)).then_some(())
    })
    .await;
}

async fn only(world: &World) -> String {
    world.column("SELECT template_id FROM message_templates", "template_id").await.unwrap()
}

/// One that was approved, and how it was called.
async fn an_approved_one(world: &World, browser: &Browser, list: &str, waba: &str) -> String {
    control(world, json!({"waba_id": waba, "make": 1})).await;
    control(world, json!({"name": "order_confirmation_0001", "status": "APPROVED", "told": false})).await;
    read_all(world, browser, list).await;
    only(world).await
}

async fn a_samples_address_tells_of_no_change(db: Database) {
    let world = World::start(db).await;
    let (browser, list, waba) = connected(&world).await;
    an_approved_one(&world, &browser, &list, &waba).await;
    let header = json!({"type": "HEADER", "format": "IMAGE",
        "example": {"header_handle": ["https://scontent.whatsapp.net/v/1"]}});
    let card = json!({"components": [header, {"type": "BODY", "text": "Fresh bread, each day."}]});
    let components =
        json!([header, {"type": "BODY", "text": "See what we have."}, {"type": "CAROUSEL", "cards": [card]}]);
    let change = json!({"name": "order_confirmation_0001", "components": components, "told": false});
    control(&world, change).await;
    let kept = "SELECT components FROM message_templates";
    let read = read_all(&world, &browser, &list).await;
    assert!(read.words().contains("0 new, 1 changed, 0 gone"), "{}", read.words());
    let first = world.column(kept, "components").await;
    let again = read_all(&world, &browser, &list).await;
    assert!(again.words().contains("0 new, 0 changed, 0 gone"), "{}", again.words());
    assert_ne!(world.column(kept, "components").await, first, "the address is another one each time");
}

async fn a_page_from_before_an_edit_undoes_nothing(db: Database) {
    let world = World::start(db).await;
    let (browser, list, waba) = connected(&world).await;
    let template = format!("{list}/{}", an_approved_one(&world, &browser, &list, &waba).await);
    control(&world, json!({"review_ms": 3_600_000})).await;
    browser.get(&format!("{template}/edit")).await;
    let before = finished(&world).await;
    page_on_its_way(&world, &browser, &list).await;
    let edited = browser.post(&format!("{template}/edit"), &form(&[])).await;
    assert_eq!(edited.status, 303, "{}", edited.words());
    page_arrives(&world, before).await;
    let now = browser.get(&template).await;
    assert_eq!(now.attribute("data-status").as_deref(), Some("PENDING"), "{}", now.words());
    assert!(now.words().contains("waits for you at our shop"), "{}", now.words());
}

async fn a_page_from_before_a_deletion_brings_nothing_back(db: Database) {
    let world = World::start(db).await;
    let (browser, list, waba) = connected(&world).await;
    // Four languages of one name.
    control(&world, json!({"waba_id": waba, "make": 4})).await;
    read_all(&world, &browser, &list).await;
    assert_eq!(world.number("SELECT count(DISTINCT name) AS n FROM message_templates", "n").await, Some(1));
    for (which, left) in [("one", 3), ("all", 0)] {
        let id = world.column("SELECT min(template_id) AS id FROM message_templates", "id").await.unwrap();
        let page = format!("{list}/{id}/delete");
        browser.get(&page).await;
        let before = finished(&world).await;
        page_on_its_way(&world, &browser, &list).await;
        let deleted = browser.post(&page, &[("which", which)]).await;
        assert_eq!(deleted.status, 303, "{}", deleted.words());
        page_arrives(&world, before).await;
        assert_eq!(world.number(LEFT, "n").await, Some(left), "{which}");
    }
}

async fn what_is_made_while_all_is_read_stays(db: Database) {
    let world = World::start(db).await;
    let (browser, list, _) = connected(&world).await;
    eventually("the first reading is over", || async { (states(&world).await == Some(0)).then_some(()) }).await;
    control(&world, json!({"review_ms": 3_600_000})).await;
    browser.get(&format!("{list}/new")).await;
    let before = finished(&world).await;
    world.meta.forget_calls();
    world.meta.hold(Method::POST, "/message_templates");
    let (new, fields) = (format!("{list}/new"), form(&[]));
    let making = browser.post(&new, &fields);
    let reading = async {
        world.meta.called("/message_templates").await;
        // The page does not have it, and comes after it was made.
        world.meta.hold_answers(Method::GET, "/message_templates");
        assert_eq!(browser.post(&format!("{list}/sync"), &[]).await.status, 303);
        world.meta.answered(&Method::GET, "/message_templates").await;
        world.meta.release_only(&Method::POST);
    };
    let (made, ()) = join!(making, reading);
    assert_eq!(made.status, 303, "{}", made.words());
    page_arrives(&world, before).await;
    assert_eq!(world.number(LEFT, "n").await, Some(1));
    assert_eq!(browser.get(made.location()).await.status, 200);
}

async fn what_is_deleted_is_no_template_of_its_name(db: Database) {
    let world = World::start(db).await;
    let (browser, list, waba) = connected(&world).await;
    an_approved_one(&world, &browser, &list, &waba).await;
    for status in ["PENDING_DELETION", "DELETED"] {
        control(&world, json!({"name": "order_confirmation_0001", "status": status})).await;
        eventually(status, || async {
            let now = world.column("SELECT status FROM message_templates", "status").await;
            (now.as_deref() == Some(status)).then_some(())
        })
        .await;
        browser.get(&format!("{list}/new")).await;
        let again = browser.post(&format!("{list}/new"), &form(&[("name", "order_confirmation_0001")])).await;
        assert_eq!(again.status, 422);
        assert!(again.words().contains("blocked for 30 more days"), "{status}: {}", again.words());
        assert!(!again.words().contains("in this language already"), "{status}");
        world.advance(2);
    }
}

async fn a_deletion_that_is_told_brings_nothing_back(db: Database) {
    let is_sqlite = db.is_sqlite();
    let world = World::start(db).await;
    let (browser, list, waba) = connected(&world).await;
    let id = an_approved_one(&world, &browser, &list, &waba).await;
    let come = "SELECT value AS n FROM counters WHERE name = 'intake'";
    let before = world.number(come, "n").await;
    // A reading takes the row away, and is not through with it when the webhook looks for it.
    let mut reading = world.portal.store.write().await.unwrap();
    query("DELETE FROM message_templates").execute(&mut reading).await.unwrap();
    control(&world, json!({"name": "order_confirmation_0001", "status": "DELETED"})).await;
    if !is_sqlite {
        let waits = "SELECT count(*) AS n FROM pg_stat_activity \
                     WHERE datname = current_database() AND wait_event_type = 'Lock'";
        eventually("the webhook waits for it", || async { (world.number(waits, "n").await > Some(0)).then_some(()) })
            .await;
    }
    reading.commit().await.unwrap();
    eventually("the webhook is read", || async {
        let left = "SELECT (SELECT value FROM counters WHERE name = 'intake') \
                    - (SELECT value FROM counters WHERE name = 'routed') AS n";
        (world.number(come, "n").await > before && world.number(left, "n").await == Some(0)).then_some(())
    })
    .await;
    assert_eq!(world.number(LEFT, "n").await, Some(0), "{id} is back");
}

async fn all_languages_take_the_name_of_an_approved_one_along(db: Database) {
    let world = World::start(db).await;
    let (browser, list, waba) = connected(&world).await;
    // One of two languages was approved, and it is the other from whose page all are deleted.
    control(&world, json!({"waba_id": waba, "make": 1})).await;
    control(&world, json!({"name": "order_confirmation_0001", "status": "APPROVED", "told": false})).await;
    control(&world, json!({"review_ms": 3_600_000})).await;
    browser.get(&format!("{list}/new")).await;
    let german = form(&[("name", "order_confirmation_0001"), ("language", "de")]);
    let made = browser.post(&format!("{list}/new"), &german).await;
    assert_eq!(made.status, 303, "{}", made.words());
    read_all(&world, &browser, &list).await;
    assert_eq!(world.number(LEFT, "n").await, Some(2));
    let page = format!("{}/delete", made.location());
    browser.get(&page).await;
    let deleted = browser.post(&page, &[("which", "all")]).await;
    assert_eq!(deleted.status, 303, "{}", deleted.words());
    browser.get(&format!("{list}/new")).await;
    let again = browser.post(&format!("{list}/new"), &german).await;
    assert!(again.status == 422 && again.words().contains("blocked for 30 more days"), "{}", again.words());
}
