//! Registering: each thing that can stand in between.

use super::*;
use doorway::store::query;

on_both_engines!(
    a_number_is_registered_once_with_a_pin_that_was_kept_before,
    a_wrong_pin_has_three_ways_out,
    a_name_under_review_is_waited_for_without_a_try,
    a_declined_name_needs_another,
    too_many_guesses_are_waited_for,
    a_pin_that_came_too_fast_is_not_called_wrong,
    a_deletion_elsewhere_is_waited_for,
    what_came_off_in_part_comes_off_first,
    a_wrong_pin_does_not_end_registering_again,
    silence_does_not_use_up_the_tries,
    a_lock_of_metas_is_of_one_kind,
    ten_tries_are_counted_and_shown,
    an_answer_that_never_came_is_read,
    messages_can_be_kept_in_a_country,
    a_country_that_came_to_nothing_is_taken_back,
    a_number_in_the_app_is_never_registered,
);

async fn a_number_is_registered_once_with_a_pin_that_was_kept_before(db: Database) {
    let world = World::start(db).await;
    let (browser, page, id, _) = connected(&world, &[]).await;
    says(
        &browser.get(&page).await,
        &["Not registered yet", "Register the number", "The phone number is not registered with Cloud API."],
    );
    world.meta.hold(Method::POST, "/register");
    assert_eq!(ask(&browser, &page, "made", "").await.location(), format!("{page}/register"));
    world.meta.called("/register").await;
    let state = world.column("SELECT state FROM number_pins", "state").await;
    assert_eq!(state.as_deref(), Some("sent"), "the PIN is kept before Meta answers");
    assert_eq!(world.number("SELECT count(*) AS n FROM number_tries", "n").await, Some(1), "and the try counted");
    says(&browser.get(&format!("{page}/register")).await, &["Registering the number"]);
    world.meta.release();
    wizard_says(&browser, &page, "The number is registered").await;
    assert_eq!(world.column("SELECT state FROM number_pins", "state").await.as_deref(), Some("right"));
    assert_eq!(world.meta.phone(&id).await["registered"], true);
    says(&browser.get(&page).await, &["Ready", "Messages can be sent", "in its own country"]);
    ask(&browser, &page, "kept", "").await;
    wizard_says(&browser, &page, "It was registered already").await;
    assert_eq!(calls(&world, "/register"), 1, "what is registered is not registered again");
    let sent = world.meta.called("/register").await.body;
    let pin: Value = serde_json::from_str(&sent).unwrap();
    let sealed = world.column("SELECT pin_sealed FROM number_pins", "pin_sealed").await.unwrap();
    assert!(!sealed.contains(pin["pin"].as_str().unwrap()));
}

async fn a_wrong_pin_has_three_ways_out(db: Database) {
    let world = World::start(db).await;
    let (browser, page, id, _) = connected(&world, &["pin_set"]).await;
    let odd = ask(&browser, &page, "typed", "12345").await;
    assert_eq!(odd.status, 422);
    says(&odd, &["A PIN has six digits."]);
    assert_eq!(calls(&world, "/register"), 0);
    ask(&browser, &page, "typed", "111 111").await;
    let wizard = wizard_says(&browser, &page, "This is not the number’s PIN").await;
    says(
        &wizard,
        &["1. You know the PIN", "2. Set a new PIN", "3. Switch the PIN off at Meta", "1 of 10 tries", "Code 133005"],
    );
    assert_eq!(world.number("SELECT count(*) AS n FROM number_pins", "n").await, Some(0), "a wrong one is not kept");
    let set = browser.post(&format!("{page}/set-pin"), &[("how", "made"), ("then", "register")]).await;
    assert_eq!(set.location(), format!("{page}/register"));
    wizard_says(&browser, &page, "The number is registered").await;
    assert_eq!(world.meta.phone(&id).await["registered"], true);
    assert_eq!(world.column("SELECT state FROM number_pins", "state").await.as_deref(), Some("right"));
}

async fn a_name_under_review_is_waited_for_without_a_try(db: Database) {
    let world = World::start(db).await;
    let (browser, page, id, _) = connected(&world, &["display_name_pending"]).await;
    ask(&browser, &page, "made", "").await;
    wizard_says(&browser, &page, "Meta is checking the display name").await;
    world.advance(30);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(calls(&world, "/register"), 0, "no try is used up");
    change_at_meta(&world, &id, json!({"name_status": "APPROVED"})).await;
    // Looked at again by itself, further and further apart.
    world.advance(7_300);
    wizard_says(&browser, &page, "The number is registered").await;
    assert_eq!(calls(&world, "/register"), 1);
}

async fn a_declined_name_needs_another(db: Database) {
    let world = World::start(db).await;
    let (browser, page, id, _) = connected(&world, &["display_name_pending"]).await;
    ask(&browser, &page, "made", "").await;
    wizard_says(&browser, &page, "Meta is checking the display name").await;
    change_at_meta(&world, &id, json!({"name_status": "DECLINED"})).await;
    world.advance(60);
    let wizard = wizard_says(&browser, &page, "Meta has declined the display name").await;
    says(&wizard, &["Choose another name"]);
    assert_eq!(calls(&world, "/register"), 0);
    // Nor do other pages ask for what can't be done yet.
    browser.post(&format!("{page}/stop"), &[]).await;
    let number = browser.get(&page).await;
    says(&number, &["Meta has declined the name", "Choose another name", "Display name declined"]);
    assert!(!number.words().contains("Register the number"));
    says(&browser.get(page.split("/numbers").next().unwrap()).await, &["Choose another display name"]);
}

async fn too_many_guesses_are_waited_for(db: Database) {
    let world = World::start(db).await;
    let (browser, page, _, _) = connected(&world, &["pin_set"]).await;
    for (pin, words) in [
        ("111111", "This is not the number’s PIN"),
        ("222222", "This is not the number’s PIN"),
        ("333333", "This is not the number’s PIN"),
        ("246810", "Too many wrong PINs"),
    ] {
        world.advance(5);
        ask(&browser, &page, "typed", pin).await;
        wizard_says(&browser, &page, words).await;
        eventually("the try to end", || async {
            (world.column("SELECT stage FROM number_files", "stage").await.as_deref() == Some("failed")).then_some(())
        })
        .await;
    }
    let wizard = browser.get(&format!("{page}/register")).await;
    says(&wizard, &["It can be tried again", "minutes"]);
    assert!(wizard.tag_with("disabled").is_some(), "nothing is tried before the time has come");
    world.advance(700);
    ask(&browser, &page, "typed", "246810").await;
    wizard_says(&browser, &page, "The number is registered").await;
}

async fn a_pin_that_came_too_fast_is_not_called_wrong(db: Database) {
    let world = World::start(db).await;
    let (browser, page, _, _) = connected(&world, &["pin_set"]).await;
    ask(&browser, &page, "typed", "111111").await;
    wizard_says(&browser, &page, "This is not the number’s PIN").await;
    ask(&browser, &page, "typed", "222222").await;
    let wizard = wizard_says(&browser, &page, "That was too fast for Meta").await;
    says(&wizard, &["It has not looked at the last one", "It can be tried again", "Code 133009", "2 of 10 tries"]);
    assert!(wizard.tag_with("disabled").is_some(), "nothing is tried before the time has come");
    world.advance(61);
    ask(&browser, &page, "typed", "246810").await;
    wizard_says(&browser, &page, "The number is registered").await;
}

async fn a_deletion_elsewhere_is_waited_for(db: Database) {
    let world = World::start(db).await;
    let (browser, page, _, _) = connected(&world, &["number_deleted"]).await;
    ask(&browser, &page, "made", "").await;
    let wizard = wizard_says(&browser, &page, "still being deleted where it was before").await;
    says(&wizard, &["Waiting for Meta", "We try again by ourselves", "We look again"]);
    world.advance(400);
    wizard_says(&browser, &page, "The number is registered").await;
    assert_eq!(calls(&world, "/register"), 2);
}

async fn what_came_off_in_part_comes_off_first(db: Database) {
    let world = World::start(db).await;
    let (browser, page, id, _) = connected(&world, &["half_deregistered"]).await;
    ask(&browser, &page, "made", "").await;
    let wizard = wizard_says(&browser, &page, "The number was not deregistered properly before").await;
    says(&wizard, &["Deregister it once more", "Code 133000"]);
    browser.post(&format!("{page}/deregister"), &[]).await;
    wizard_says(&browser, &page, "The number is deregistered").await;
    assert_eq!(calls(&world, "/deregister"), 1, "although Meta lists it as not registered");
    ask(&browser, &page, "kept", "").await;
    wizard_says(&browser, &page, "The number is registered").await;
    assert_eq!(world.meta.phone(&id).await["registered"], true);
}

async fn a_wrong_pin_does_not_end_registering_again(db: Database) {
    let world = World::start(db).await;
    let (browser, page, _, _) = connected(&world, &[]).await;
    ask(&browser, &page, "made", "").await;
    wizard_says(&browser, &page, "The number is registered").await;
    let again = [("task", "again"), ("how", "typed"), ("pin", "111111")];
    browser.post(&format!("{page}/register"), &again).await;
    let wizard = wizard_says(&browser, &page, "This is not the number’s PIN").await;
    assert_eq!(wizard.text.matches("name=\"task\" value=\"again\"").count(), 3, "on each of the three ways");
    let set = [("how", "made"), ("then", "register"), ("task", "again")];
    browser.post(&format!("{page}/set-pin"), &set).await;
    wizard_says(&browser, &page, "The number is registered again").await;
    assert_eq!(calls(&world, "/register"), 3);
}

/// Three calls without an answer, each after the pause before it.
async fn silently(world: &World, edge: &str) {
    for tries in 1..=3 {
        eventually(&format!("try {tries} of {edge}"), || async {
            let waits =
                "SELECT polls FROM number_files WHERE stage = 'waiting' UNION ALL SELECT 0 ORDER BY 1 DESC LIMIT 1";
            let polls = world.number(waits, "polls").await;
            (calls(world, edge) == tries && polls == i64::try_from(tries).ok()).then_some(())
        })
        .await;
        world.advance(150);
    }
}

async fn silence_does_not_use_up_the_tries(db: Database) {
    let world = World::start(db).await;
    let (browser, page, _, _) = connected(&world, &[]).await;
    world.meta.fault("graph_500", Some(20), Some("/register")).await;
    ask(&browser, &page, "made", "").await;
    silently(&world, "/register").await;
    let wizard = wizard_says(&browser, &page, "It can be tried again").await;
    says(&wizard, &["3 of 10 tries", "Meta has trouble"]);
    assert_eq!(calls(&world, "/register"), 3);
    world.meta.mend().await;
    world.advance(3_700);
    ask(&browser, &page, "kept", "").await;
    wizard_says(&browser, &page, "The number is registered").await;
    // The same of taking it off.
    world.meta.fault("graph_500", Some(20), Some("/deregister")).await;
    browser.post(&format!("{page}/deregister"), &[]).await;
    silently(&world, "/deregister").await;
    wizard_says(&browser, &page, "It can be tried again").await;
    assert_eq!(calls(&world, "/deregister"), 3);
}

async fn a_lock_of_metas_is_of_one_kind(db: Database) {
    let world = World::start(db).await;
    let (browser, page, _, _) = connected(&world, &[]).await;
    ask(&browser, &page, "made", "").await;
    wizard_says(&browser, &page, "The number is registered").await;
    // Others had used up the tries that Meta counts.
    let mut tx = world.portal.store.write().await.unwrap();
    query("INSERT INTO number_tries (id, file_id, kind, at, outcome) SELECT 'locked', id, 'register', $1, '133016' FROM number_files")
        .bind(world.clock.now())
        .execute(&mut tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    browser.post(&format!("{page}/deregister"), &[]).await;
    wizard_says(&browser, &page, "The number is deregistered").await;
    ask(&browser, &page, "kept", "").await;
    let wizard = wizard_says(&browser, &page, "All tries are used up").await;
    says(&wizard, &["in 3 days"]);
    assert_eq!(calls(&world, "/register"), 1);
    world.advance(73 * 3_600);
    ask(&browser, &page, "kept", "").await;
    wizard_says(&browser, &page, "The number is registered").await;
}

async fn ten_tries_are_counted_and_shown(db: Database) {
    let world = World::start(db).await;
    let (browser, page, _, _) = connected(&world, &["pin_set"]).await;
    let mut tx = world.portal.store.write().await.unwrap();
    for n in 0..9 {
        query("INSERT INTO number_tries (id, file_id, kind, at, outcome) SELECT $1, id, 'register', $2, '133005' FROM number_files")
            .bind(format!("try-{n}"))
            .bind(world.clock.now() - time::Duration::hours(10))
            .execute(&mut tx)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let wizard = browser.get(&format!("{page}/register")).await;
    says(&wizard, &["9 of 10 tries", "One is left"]);
    ask(&browser, &page, "typed", "111111").await;
    wizard_says(&browser, &page, "This is not the number’s PIN").await;
    assert_eq!(calls(&world, "/register"), 1);
    says(&browser.get(&format!("{page}/register")).await, &["No try is left for now", "in 3 days"]);
    ask(&browser, &page, "typed", "246810").await;
    wizard_says(&browser, &page, "All tries are used up").await;
    assert_eq!(calls(&world, "/register"), 1, "Meta is not asked, as it would lock the number");
    world.advance(63 * 3_600);
    ask(&browser, &page, "typed", "246810").await;
    wizard_says(&browser, &page, "The number is registered").await;
}

async fn an_answer_that_never_came_is_read(db: Database) {
    let world = World::start(db).await;
    let (browser, page, id, _) = connected(&world, &[]).await;
    // Carried out, and the answer lost.
    world.meta.fault("graph_down", Some(1), Some("/register")).await;
    change_at_meta(&world, &id, json!({"registered": false})).await;
    ask(&browser, &page, "made", "").await;
    wizard_says(&browser, &page, "Waiting for Meta").await;
    change_at_meta(&world, &id, json!({"registered": true})).await;
    world.advance(60);
    wizard_says(&browser, &page, "The number is registered").await;
    assert_eq!(calls(&world, "/register"), 1, "the number is read before it is tried again");
    assert_eq!(world.column("SELECT state FROM number_pins", "state").await.as_deref(), Some("right"));
}

async fn messages_can_be_kept_in_a_country(db: Database) {
    let world = World::start(db).await;
    let (browser, page, id, _) = connected(&world, &[]).await;
    browser.post(&format!("{page}/register"), &[("how", "made"), ("region", "DE")]).await;
    wizard_says(&browser, &page, "The number is registered").await;
    assert_eq!(world.meta.phone(&id).await["storage_region"], "DE");
    says(&browser.get(&page).await, &["Messages are kept in", "EU (Germany)"]);
    let settings = world.meta.called("/settings").await;
    assert!(settings.body.contains("IN_COUNTRY_STORAGE_ENABLED"), "{}", settings.body);
    let gone = browser.post(&format!("{page}/deregister"), &[]).await;
    assert_eq!(gone.location(), format!("{page}/register"));
    wizard_says(&browser, &page, "The number is deregistered").await;
    assert_eq!(world.meta.phone(&id).await["registered"], false);
    let off = browser.get(&page).await;
    says(&off, &["Not registered yet"]);
    assert!(!off.words().contains("Messages are kept in"));
}

async fn a_country_that_came_to_nothing_is_taken_back(db: Database) {
    let world = World::start(db).await;
    let (browser, page, id, _) = connected(&world, &["pin_set"]).await;
    browser.post(&format!("{page}/register"), &[("how", "typed"), ("pin", "111111"), ("region", "IN")]).await;
    wizard_says(&browser, &page, "This is not the number’s PIN").await;
    assert_eq!(world.meta.phone(&id).await["storage_region"], "IN");
    ask(&browser, &page, "typed", "246810").await;
    wizard_says(&browser, &page, "The number is registered").await;
    assert_eq!(world.meta.phone(&id).await["storage_region"], Value::Null);
}

async fn a_number_in_the_app_is_never_registered(db: Database) {
    let world = World::start(db).await;
    let (browser, page, _, _) = connected(&world, &["coexistence"]).await;
    says(&browser.get(&format!("{page}/register")).await, &["it must never be registered"]);
    ask(&browser, &page, "made", "").await;
    browser.post(&format!("{page}/deregister"), &[]).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(calls(&world, "register"), 0);
}
