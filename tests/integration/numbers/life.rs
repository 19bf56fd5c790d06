//! Codes, PINs, names, readings, and a number that moves.

use super::*;

on_both_engines!(
    a_code_proves_the_number,
    the_pin_is_shown_to_whoever_gives_their_password,
    a_pin_that_was_changed_at_meta_is_stale,
    a_new_name_brings_its_registration,
    a_new_name_wants_a_pin_first,
    of_two_pins_at_once_one_is_set,
    a_refresh_says_what_changed,
    a_number_that_moves_keeps_its_history,
    a_number_is_added_to_an_account,
    nobody_sees_anothers_number,
);

async fn a_code_proves_the_number(db: Database) {
    let world = World::start(db).await;
    let (browser, page, id, _) = connected(&world, &["unverified_number"]).await;
    says(&browser.get(&page).await, &["Not confirmed by code", "Confirm by code"]);
    ask(&browser, &page, "made", "").await;
    wizard_says(&browser, &page, "Confirm the number first").await;
    assert_eq!(calls(&world, "/register"), 0);
    let sent = browser.post(&format!("{page}/send-code"), &[("method", "voice"), ("language", "de")]).await;
    assert_eq!(sent.location(), format!("{page}/verify"));
    let asked: Value = serde_json::from_str(&world.meta.called("/request_code").await.body).unwrap();
    assert_eq!(asked, json!({"code_method": "VOICE", "language": "de"}));
    let code = world.meta.phone(&id).await["code"].as_str().unwrap().to_owned();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let odd = browser.post(&format!("{page}/verify"), &[("code", wrong)]).await;
    assert_eq!(odd.status, 422);
    says(&odd, &["Meta did not take this code."]);
    let right = format!("{}-{}", &code[..3], &code[3..]);
    let done = browser.post(&format!("{page}/verify"), &[("code", &right)]).await;
    assert_eq!(done.location(), format!("{page}/register"));
    ask(&browser, &page, "made", "").await;
    wizard_says(&browser, &page, "The number is registered").await;
}

async fn the_pin_is_shown_to_whoever_gives_their_password(db: Database) {
    let world = World::start(db).await;
    let (browser, page, _, _) = connected(&world, &[]).await;
    ask(&browser, &page, "typed", "918273").await;
    wizard_says(&browser, &page, "The number is registered").await;
    let address = format!("{page}/pin");
    assert!(!browser.get(&address).await.text.contains("918273"));
    let wrong = browser.post(&address, &[("password", "not my password")]).await;
    assert_eq!(wrong.status, 422);
    assert!(!wrong.text.contains("918273"));
    let shown = browser.post(&address, &[("password", PASSWORD)]).await;
    assert_eq!(shown.status, 200);
    says(&shown, &["918273"]);
    assert_eq!(shown.headers["cache-control"], "no-store");
    let looked = world.number("SELECT count(*) AS n FROM audit_log WHERE action = 'number.pin_shown'", "n").await;
    assert_eq!(looked, Some(1));
    for _ in 0..8 {
        browser.post(&address, &[("password", "not my password")]).await;
    }
    let late = browser.post(&address, &[("password", PASSWORD)]).await;
    assert_eq!(late.status, 429, "guesses are limited, and then the right one is not looked at");
}

async fn a_pin_that_was_changed_at_meta_is_stale(db: Database) {
    let world = World::start(db).await;
    let (browser, page, id, _) = connected(&world, &[]).await;
    ask(&browser, &page, "made", "").await;
    wizard_says(&browser, &page, "The number is registered").await;
    change_at_meta(&world, &id, json!({"pin": "135790"})).await;
    eventually("the PIN to be stale", || async {
        (world.column("SELECT state FROM number_pins", "state").await.as_deref() == Some("stale")).then_some(())
    })
    .await;
    says(&browser.get(&format!("{page}/pin")).await, &["It was changed at Meta since"]);
    let set = browser.post(&format!("{page}/set-pin"), &[("how", "typed"), ("pin", "112233")]).await;
    assert_eq!(set.location(), format!("{page}/pin"));
    assert_eq!(world.column("SELECT state FROM number_pins", "state").await.as_deref(), Some("right"));
}

async fn a_new_name_brings_its_registration(db: Database) {
    let world = World::start(db).await;
    let (browser, page, id, _) = connected(&world, &[]).await;
    ask(&browser, &page, "made", "").await;
    wizard_says(&browser, &page, "The number is registered").await;
    let address = format!("{page}/name");
    assert_eq!(browser.post(&address, &[("name", "x")]).await.status, 422);
    assert_eq!(browser.post(&address, &[("name", "Harbour Bakery and Café")]).await.location(), page);
    says(&browser.get(&page).await, &["Meta is checking the new name", "Harbour Bakery and Café"]);
    assert_eq!(calls(&world, "/register"), 1);
    world.advance(10);
    wizard_says(&browser, &page, "The number is registered again").await;
    assert_eq!(calls(&world, "/register"), 2);
    assert_eq!(world.meta.phone(&id).await["verified_name"], "Harbour Bakery and Café");
    assert_eq!(browser.post(&address, &[("name", "My WhatsApp")]).await.location(), page);
    world.advance(10);
    wizard_says(&browser, &page, "Meta has declined the new name").await;
    assert_eq!(calls(&world, "/register"), 2);
    says(&browser.get(&page).await, &["Ready"]);
}

async fn a_refresh_says_what_changed(db: Database) {
    let world = World::start(db).await;
    let (browser, page, id, _) = connected(&world, &[]).await;
    let refresh = || async {
        let answer = browser.post(&format!("{page}/refresh"), &[]).await;
        browser.get(answer.location()).await
    };
    refresh().await;
    says(&refresh().await, &["Read again: nothing has changed."]);
    change_at_meta(&world, &id, json!({"quality": "RED", "limit": "TIER_2K", "registered": true})).await;
    let words = ["Quality: was “Not rated yet”, is “Low”.", "was “250 people”, is “2,000 people”", "How it went"];
    says(&refresh().await, &words);
    world.meta.fault("graph_500", Some(1), Some(&id)).await;
    says(&refresh().await, &["It could not be read"]);
    let readings = "SELECT count(*) AS n FROM number_readings";
    let before = world.number(readings, "n").await.unwrap();
    change_at_meta(&world, &id, json!({"quality": "YELLOW"})).await;
    world.advance(23 * 3_600);
    eventually("the quality to be read by itself", || async {
        (world.number(readings, "n").await.unwrap() > before).then_some(())
    })
    .await;
    says(&browser.get(&page).await, &["Medium", "Some people block or report your messages."]);
}

async fn a_number_that_moves_keeps_its_history(db: Database) {
    let world = World::start(db).await;
    let (browser, page, id, _) = connected(&world, &[]).await;
    let (connection, signup) = world.connect(&browser, &[]).await;
    ask(&browser, &page, "typed", "918273").await;
    wizard_says(&browser, &page, "The number is registered").await;
    let file = world.column("SELECT file_id FROM number_pins", "file_id").await;
    let target = super::id(&signup, "waba_ids", 0);
    let new = change_at_meta(&world, &id, json!({"move_to": target})).await["phone_id"].as_str().unwrap().to_owned();
    // Both accounts are read anew by themselves.
    world.advance(23 * 3_600);
    let moved = format!("{connection}/numbers/{new}");
    let shown = eventually("the number to be there", || async {
        let page = browser.get(&moved).await;
        (page.status == 200).then_some(page)
    })
    .await;
    says(&shown, &["It came from another account", "How it went"]);
    says(&browser.post(&format!("{moved}/pin"), &[("password", PASSWORD)]).await, &["918273"]);
    assert_eq!(world.column("SELECT file_id FROM number_pins", "file_id").await, file);
    assert_eq!(world.number("SELECT count(*) AS n FROM number_tries", "n").await, Some(1));
}

async fn a_number_is_added_to_an_account(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, signup) = world.connect(&browser, &["no_number"]).await;
    says(&browser.get(&connection).await, &["Add a number"]);
    let waba = id(&signup, "waba_ids", 0);
    let address = format!("{connection}/numbers/new");
    let odd = browser.post(&address, &[("waba", &waba), ("number", "02079460958"), ("name", "Harbour")]).await;
    assert_eq!(odd.status, 422);
    says(&odd, &["Enter the number with + and its country code"]);
    let added = browser.post(&address, &[("waba", &waba), ("number", "+44 20 7946 0958"), ("name", "Harbour")]).await;
    let verify = added.location().to_owned();
    assert!(verify.ends_with("/verify"), "{verify}");
    let sent: Value = serde_json::from_str(
        &world
            .meta
            .calls()
            .iter()
            .rfind(|call| call.method == Method::POST && call.path.ends_with("/phone_numbers"))
            .unwrap()
            .body,
    )
    .unwrap();
    assert_eq!(sent, json!({"cc": "44", "phone_number": "442079460958", "verified_name": "Harbour"}));
    says(&browser.get(&verify).await, &["+44 20 7946 0958", "Send a text message"]);
    let twice = browser.post(&address, &[("waba", &waba), ("number", "+442079460958"), ("name", "Harbour")]).await;
    assert_eq!(twice.status, 422);
    says(&twice, &["This number is in your account already"]);
    // As many write it.
    let fields = [("waba", waba.as_str()), ("number", "0044 20 7946 0958"), ("name", "Harbour")];
    says(&browser.post(&address, &fields).await, &["This number is in your account already"]);
}

async fn nobody_sees_anothers_number(db: Database) {
    let world = World::start(db).await;
    let (_, page, id, _) = connected(&world, &[]).await;
    let (other, theirs, _, _) = {
        let browser = world.customer("Corner Shop").await;
        let (connection, signup) = world.connect(&browser, &[]).await;
        (browser, connection, signup, ())
    };
    assert_eq!(other.get(&page).await.status, 404);
    // Below one's own connection, too.
    assert_eq!(other.get(&format!("{theirs}/numbers/{id}")).await.status, 404);
    assert_eq!(other.post(&format!("{theirs}/numbers/{id}/register"), &[("how", "made")]).await.status, 404);
    assert_eq!(calls(&world, "/register"), 0);
}

async fn a_new_name_wants_a_pin_first(db: Database) {
    let world = World::start(db).await;
    let (browser, page, id, _) = connected(&world, &[]).await;
    // Registered before it came here.
    change_at_meta(&world, &id, json!({"registered": true, "pin": "246810"})).await;
    // What Meta tells of that, to the second, is of before what is set here, however late it comes.
    world.advance(3);
    browser.post(&format!("{page}/refresh"), &[]).await;
    let address = format!("{page}/name");
    says(&browser.get(&address).await, &["First set a PIN of this number"]);
    let asked = browser.post(&address, &[("name", "Harbour Bakery and Café")]).await;
    assert_eq!(asked.status, 422);
    says(&asked, &["Problem: ", "Set a PIN of this number first"]);
    browser.post(&format!("{page}/set-pin"), &[("how", "made")]).await;
    assert!(!browser.get(&address).await.words().contains("First set a PIN"));
    assert_eq!(browser.post(&address, &[("name", "Harbour Bakery and Café")]).await.location(), page);
    world.advance(10);
    wizard_says(&browser, &page, "The number is registered again").await;
}

async fn of_two_pins_at_once_one_is_set(db: Database) {
    let world = World::start(db).await;
    let (browser, page, id, _) = connected(&world, &[]).await;
    let address = format!("{page}/set-pin");
    world.meta.hold(Method::POST, &format!("/{id}"));
    let (first, second) = tokio::join!(browser.post(&address, &[("how", "made")]), async {
        let kept = "SELECT count(*) AS n FROM number_pins";
        eventually("the first to be kept", || async { (world.number(kept, "n").await == Some(1)).then_some(()) }).await;
        let second = browser.post(&address, &[("how", "made")]).await;
        world.meta.release();
        second
    });
    assert_eq!(first.location(), format!("{page}/pin"));
    assert_eq!(second.status, 422);
    says(&second, &["This is being done already"]);
    assert_eq!(world.number("SELECT count(*) AS n FROM number_pins", "n").await, Some(1));
    assert_eq!(world.column("SELECT state FROM number_pins", "state").await.as_deref(), Some("right"));
}
