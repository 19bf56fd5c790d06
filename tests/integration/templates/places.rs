//! Where templates may go: any account of the customer's, and nobody else's.

use super::{written::form, *};

on_both_engines!(
    a_copy_goes_to_any_account_of_the_customers,
    a_new_connection_is_read,
    a_sample_must_have_been_uploaded,
    a_name_deleted_at_meta_is_blocked,
    what_was_read_first_is_explained_by_its_webhook,
    a_name_approved_once_is_blocked_as_well,
);

async fn a_copy_goes_to_any_account_of_the_customers(db: Database) {
    let world = World::start(db).await;
    let (browser, list, waba) = connected(&world).await;
    let app = world.meta.control(Method::POST, "apps", json!({})).await;
    let own = app["waba_id"].as_str().unwrap();
    let fields = ["waba_id", "token", "app_id", "app_secret"].map(|name| (name, app[name].as_str().unwrap()));
    browser.get("/connections/own-app").await;
    let second = browser.post("/connections/own-app", &fields).await.location().to_owned();
    let stranger = world.customer("Corner Shop").await;
    let (_, signup) = world.connect(&stranger, &[]).await;
    let theirs = id(&signup, "waba_ids", 0);

    browser.get(&format!("{list}/new")).await;
    let made = browser.post(&format!("{list}/new"), &form(&[("waba", &waba)])).await;
    assert_eq!(made.status, 303, "{}", made.words());
    let template = made.location().rsplit('/').next().unwrap().to_owned();
    let copy = browser.get(&format!("{list}/new?from={template}&to=waba")).await;
    assert!(copy.text.contains(&format!("value=\"{own}\" selected")), "the other account is proposed");
    // Accounts of one name are told apart by a number.
    let numbers = world.meta.control(Method::GET, "state", json!({})).await["phones"].clone();
    for id in [own, waba.as_str()] {
        let number = numbers.as_array().unwrap().iter().find(|phone| phone["waba_id"] == id).unwrap();
        let number = number["display"].as_str().or(number["display_phone_number"].as_str()).unwrap();
        let option = copy.text.split(&format!("value=\"{id}\"")).nth(1).unwrap().split("</option>").next().unwrap();
        assert!(option.contains(number), "{option}");
    }
    assert!(copy.text.contains(&format!("value=\"{waba}\"")) && !copy.text.contains(&theirs), "{}", copy.words());
    assert!(copy.text.contains("waits for you") && copy.text.contains("value=\"860198\""), "{}", copy.words());
    // Another customer's account is none.
    let taken = browser.post(&format!("{list}/new"), &form(&[("waba", &theirs)])).await;
    assert_eq!(taken.status, 404);
    assert_eq!(browser.get(&format!("{list}/new?waba={theirs}")).await.status, 404);
    // From the first connection's page to the second's account, with the second's token.
    world.meta.forget_calls();
    let copied = browser.post(&format!("{list}/new"), &form(&[("waba", own)])).await;
    assert_eq!(copied.status, 303, "{}", copied.words());
    let second: Vec<&str> = second.split('/').take(3).collect();
    assert!(copied.location().starts_with(&format!("{}/templates/", second.join("/"))), "{}", copied.location());
    assert!(browser.get(copied.location()).await.words().contains("waits for you"));
    let of_both = "SELECT count(DISTINCT waba_id) AS n FROM message_templates WHERE name = 'order_ready'";
    assert_eq!(world.number(of_both, "n").await, Some(2));
    assert_eq!(stranger.get(copied.location()).await.status, 404);
}

async fn a_new_connection_is_read(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let app = world.meta.control(Method::POST, "apps", json!({})).await;
    control(&world, json!({"waba_id": app["waba_id"], "make": 3})).await;
    let fields = ["waba_id", "token", "app_id", "app_secret"].map(|name| (name, app[name].as_str().unwrap()));
    browser.get("/connections/own-app").await;
    assert_eq!(browser.post("/connections/own-app", &fields).await.status, 303);
    world.connect(&browser, &[]).await;
    world.advance(10);
    // Nobody looked at a list.
    eventually("both accounts are read", || async {
        let done = "SELECT count(*) AS n FROM template_syncs WHERE state = 'done'";
        (world.number(done, "n").await == Some(2)).then_some(())
    })
    .await;
    assert_eq!(world.number("SELECT count(*) AS n FROM message_templates", "n").await, Some(3));
}

async fn a_sample_must_have_been_uploaded(db: Database) {
    let world = World::start(db).await;
    let (browser, list, _) = connected(&world).await;
    browser.get(&format!("{list}/new")).await;
    let image = |handle: &'static str| form(&[("header", "image"), ("handle", handle), ("file", "offer.png")]);
    let none = browser.post(&format!("{list}/new"), &image("")).await;
    assert!(none.status == 422 && none.words().contains("Choose a sample file"), "{}", none.words());
    let refused = browser.post(&format!("{list}/new"), &image("4:b2ZmZXI=:aW1hZ2UvcG5n:ARZnever")).await;
    assert_eq!(refused.status, 422, "{}", refused.words());
    let error = refused.text.split("id=\"file-error\"").nth(1).expect("at the file").to_owned();
    assert!(error.contains("Meta has this file no more") && refused.words().contains("131009"), "{}", refused.words());
}

async fn a_name_approved_once_is_blocked_as_well(db: Database) {
    let world = World::start(db).await;
    let (browser, list, waba) = connected(&world).await;
    control(&world, json!({"waba_id": waba, "make": 1})).await;
    read_all(&world, &browser, &list).await;
    let becomes = async |status: &'static str| {
        control(&world, json!({"name": "order_confirmation_0001", "status": status})).await;
        eventually(status, || async {
            let now = world.column("SELECT status FROM message_templates", "status").await;
            (now.as_deref() == Some(status)).then_some(())
        })
        .await;
        world.advance(2);
    };
    becomes("REJECTED").await;
    read_all(&world, &browser, &list).await;
    // Announced, and carried out later: what blocks is the first word.
    becomes("PENDING_DELETION").await;
    world.advance(5 * 86_400);
    control(&world, json!({"name": "order_confirmation_0001", "status": "DELETED"})).await;
    let left = "SELECT count(*) AS n FROM message_templates";
    eventually("it is gone", || async {
        browser.post(&format!("{list}/sync"), &[]).await;
        (world.number(left, "n").await == Some(0)).then_some(())
    })
    .await;
    browser.get(&format!("{list}/new")).await;
    let taken = browser.post(&format!("{list}/new"), &form(&[("name", "order_confirmation_0001")])).await;
    assert!(taken.status == 422 && taken.words().contains("blocked for 25 more days"), "{}", taken.words());
}

async fn what_was_read_first_is_explained_by_its_webhook(db: Database) {
    let world = World::start(db).await;
    let (browser, list, waba) = connected(&world).await;
    control(&world, json!({"waba_id": waba, "make": 1})).await;
    read_all(&world, &browser, &list).await;
    let template = world.column("SELECT template_id FROM message_templates", "template_id").await.unwrap();
    let at = world.clock.now().unix_timestamp();
    let rejected = json!({"template_id": template, "status": "REJECTED", "reason": "INVALID_FORMAT", "told": false});
    control(&world, rejected).await;
    world.advance(3);
    read_all(&world, &browser, &list).await;
    let explained = "SELECT max(explained) AS why FROM template_decisions WHERE value = 'REJECTED'";
    assert_eq!(world.column(explained, "why").await, None);
    let value = json!({"event": "REJECTED", "reason": "INVALID_FORMAT", "message_template_id": template,
        "message_template_name": "order_confirmation_0001", "message_template_language": "en-US",
        "rejection_info": {"reason": "Side by side.", "recommendation": "Put words between."}});
    let change = json!({"object": "whatsapp_business_account", "entry": [{"id": waba, "time": at,
        "changes": [{"field": "message_template_status_update", "value": value}]}]});
    world.meta.control(Method::POST, "webhooks", json!({"raw": change})).await;
    eventually("the words of the webhook", || async {
        (world.column(explained, "why").await.as_deref() == Some("Side by side.")).then_some(())
    })
    .await;
    let all = "SELECT count(*) AS n FROM template_decisions WHERE value = 'REJECTED'";
    assert_eq!(world.number(all, "n").await, Some(1), "one decision");
}

async fn a_name_deleted_at_meta_is_blocked(db: Database) {
    let world = World::start(db).await;
    let (browser, list, waba) = connected(&world).await;
    control(&world, json!({"waba_id": waba, "make": 1})).await;
    read_all(&world, &browser, &list).await;
    control(&world, json!({"name": "order_confirmation_0001", "status": "DELETED"})).await;
    eventually("its deletion is told", || async {
        let deleted = "SELECT count(*) AS n FROM message_templates WHERE status = 'DELETED'";
        (world.number(deleted, "n").await == Some(1)).then_some(())
    })
    .await;
    read_all(&world, &browser, &list).await;
    browser.get(&format!("{list}/new")).await;
    let taken = browser.post(&format!("{list}/new"), &form(&[("name", "order_confirmation_0001")])).await;
    assert!(taken.status == 422 && taken.words().contains("blocked for 30 more days"), "{}", taken.words());
}
