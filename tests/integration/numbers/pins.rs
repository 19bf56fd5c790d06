//! Which PIN is the number's, whatever came in between.

use super::*;
use doorway::store::query;

on_both_engines!(
    of_two_pins_the_one_that_was_sent_is_right,
    a_number_that_was_registered_all_the_while_takes_no_pin,
    a_pin_that_may_have_arrived_is_not_forgotten,
    registering_waits_for_a_pin_that_is_being_set,
    a_change_without_an_answer_shows_both,
    a_pause_after_guesses_holds_whatever_is_done_meanwhile,
);

const REGISTERED: &str = "The number is registered";

async fn shown(browser: &Browser, page: &str) -> Page {
    let shown = browser.post(&format!("{page}/pin"), &[("password", PASSWORD)]).await;
    assert_eq!(shown.status, 200, "{}", shown.words());
    shown
}

async fn pins(world: &World) -> Option<i64> {
    world.number("SELECT count(*) AS n FROM number_pins", "n").await
}

async fn of_two_pins_the_one_that_was_sent_is_right(db: Database) {
    let world = World::start(db).await;
    let (browser, page, id, _) = connected(&world, &[]).await;
    // Carried out, and the answer lost.
    world.meta.fault("graph_down", Some(1), Some("/register")).await;
    ask(&browser, &page, "typed", "918273").await;
    wizard_says(&browser, &page, "Waiting for Meta").await;
    browser.post(&format!("{page}/stop"), &[]).await;
    change_at_meta(&world, &id, json!({"registered": true})).await;
    // Somebody begins anew with another one before we know.
    world.meta.hold(Method::GET, &id);
    ask(&browser, &page, "typed", "465768").await;
    world.meta.release();
    wizard_says(&browser, &page, REGISTERED).await;
    assert_eq!(calls(&world, "/register"), 1);
    let shown = shown(&browser, &page).await;
    assert!(shown.text.contains("918273") && !shown.text.contains("465768"), "{}", shown.words());
    assert_eq!(pins(&world).await, Some(1));
}

async fn a_number_that_was_registered_all_the_while_takes_no_pin(db: Database) {
    let world = World::start(db).await;
    let (browser, page, id, _) = connected(&world, &[]).await;
    change_at_meta(&world, &id, json!({"registered": true})).await;
    ask(&browser, &page, "made", "").await;
    wizard_says(&browser, &page, "This number is registered").await;
    assert_eq!(calls(&world, "/register"), 0);
    assert_eq!(pins(&world).await, Some(0), "one that was never sent is nobody's");
    says(&browser.get(&format!("{page}/pin")).await, &["None. It comes with registering the number"]);
}

async fn a_pin_that_may_have_arrived_is_not_forgotten(db: Database) {
    let world = World::start(db).await;
    let (browser, page, _, _) = connected(&world, &["number_deleted"]).await;
    // The first call gets no answer, the second a refusal that tells nothing of the PIN.
    world.meta.fault("graph_down", Some(1), Some("/register")).await;
    ask(&browser, &page, "typed", "918273").await;
    wizard_says(&browser, &page, "Waiting for Meta").await;
    world.advance(15);
    wizard_says(&browser, &page, "still being deleted where it was before").await;
    assert_eq!(calls(&world, "/register"), 2);
    browser.post(&format!("{page}/stop"), &[]).await;
    assert!(shown(&browser, &page).await.text.contains("918273"));
}

async fn registering_waits_for_a_pin_that_is_being_set(db: Database) {
    let world = World::start(db).await;
    let (browser, page, id, _) = connected(&world, &["pin_set"]).await;
    ask(&browser, &page, "typed", "111111").await;
    wizard_says(&browser, &page, "This is not the number’s PIN").await;
    world.meta.forget_calls();
    world.meta.hold(Method::POST, &format!("/{id}"));
    let address = format!("{page}/set-pin");
    let setting = browser.post(&address, &[("how", "typed"), ("pin", "918273")]);
    let meanwhile = async {
        world.meta.called(&format!("/{id}")).await;
        ask(&browser, &page, "kept", "").await;
        // It looks, and does not send what Meta may not have yet.
        eventually("the step to be put off", || async {
            let waits = "SELECT count(*) AS n FROM number_files WHERE stage = 'asked' AND next_at IS NOT NULL";
            (world.number(waits, "n").await == Some(1)).then_some(())
        })
        .await;
        assert_eq!(calls(&world, "/register"), 0);
        world.meta.release();
    };
    let (set, ()) = tokio::join!(setting, meanwhile);
    assert_eq!(set.status, 303, "{}", set.words());
    world.advance(10);
    wizard_says(&browser, &page, REGISTERED).await;
    assert_eq!(calls(&world, "/register"), 1);
    assert!(shown(&browser, &page).await.text.contains("918273"));
}

async fn a_change_without_an_answer_shows_both(db: Database) {
    let world = World::start(db).await;
    let (browser, page, id, _) = connected(&world, &[]).await;
    ask(&browser, &page, "typed", "918273").await;
    wizard_says(&browser, &page, REGISTERED).await;
    world.meta.fault("graph_down", None, Some(&format!("/{id}"))).await;
    let odd = browser.post(&format!("{page}/set-pin"), &[("how", "typed"), ("pin", "465768")]).await;
    assert_eq!(odd.status, 422);
    says(&odd, &["Meta did not answer as it should", "It may be the one from before", "Either the new or the old one"]);
    let both = shown(&browser, &page).await;
    says(&both, &["The new one 465768", "One from before 918273"]);
    // Changed once more there is one again.
    world.meta.mend().await;
    world.advance(61);
    browser.post(&format!("{page}/set-pin"), &[("how", "typed"), ("pin", "112358")]).await;
    let one = shown(&browser, &page).await;
    assert!(one.text.contains("112358") && !one.text.contains("918273"), "{}", one.words());
    assert!(!one.words().contains("It may be the one from before"));
}

async fn a_pause_after_guesses_holds_whatever_is_done_meanwhile(db: Database) {
    let world = World::start(db).await;
    let (browser, page, _, _) = connected(&world, &["pin_set"]).await;
    ask(&browser, &page, "typed", "111111").await;
    wizard_says(&browser, &page, "This is not the number’s PIN").await;
    let mut tx = world.portal.store.write().await.unwrap();
    query("UPDATE number_files SET pin_locked_until = $1")
        .bind(world.clock.now() + time::Duration::minutes(10))
        .execute(&mut tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    // A new PIN can be set; Meta is not asked to register before the time has come.
    let wizard = browser.get(&format!("{page}/register")).await;
    says(&wizard, &["Register with it once the time above has come"]);
    let set = browser.post(&format!("{page}/set-pin"), &[("how", "made"), ("then", "wait")]).await;
    assert_eq!(set.location(), format!("{page}/register"));
    ask(&browser, &page, "kept", "").await;
    let wizard = wizard_says(&browser, &page, "It can be tried again").await;
    says(&wizard, &["Register with the new PIN"]);
    assert_eq!(calls(&world, "/register"), 1);
    world.advance(11 * 60);
    ask(&browser, &page, "kept", "").await;
    wizard_says(&browser, &page, REGISTERED).await;
}
