//! A code after the password.

use super::*;

on_both_engines!(
    setting_up_and_signing_in,
    nothing_is_open_before_the_code,
    a_code_is_good_once,
    of_two_at_once_one_gets_in,
    a_step_early_or_late_is_fine,
    wrong_codes_are_limited,
    recovery_codes_are_good_once,
    the_first_step_does_not_last,
    switching_off_wants_a_proof,
    moving_to_another_phone,
    a_move_is_finished_where_it_was_begun,
    secrets_are_sealed_and_rotate,
);

async fn code_page(browser: &Browser, code: &str) -> Page {
    browser.post("/signin/code", &[("code", code)]).await
}

async fn setting_up_and_signing_in(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let email = only_email(&world).await;
    let app = scan(&browser).await;
    let page = browser.get("/settings/two-step").await;
    assert!(page.text.contains("<svg class=\"qr\"") && !page.text.contains("style="));
    // Until it is confirmed nothing changes.
    assert_eq!(world.signed_in(&email).await.get("/settings").await.status, 200);
    let wrong = browser.post("/settings/two-step/confirm", &[("code", &app.wrong_code(&world))]).await;
    assert_eq!(wrong.status, 422);
    says(&wrong, &["This code is not right", "Enter the code that it shows"]);
    assert!(wrong.text.contains(&page.attribute("data-copy").unwrap()), "the same secret goes on");
    let before = browser.session().unwrap();
    let code = app.code(&world, 0);
    let done = browser.post("/settings/two-step/confirm", &[("code", &format!("{} {}", &code[..3], &code[3..]))]).await;
    says(&done, &["Two-step sign-in is on", "they are not shown again"]);
    recovery_codes(&done);
    assert_ne!(browser.session().unwrap(), before, "the session's ID is renewed");
    assert!(browser.is_signed_in().await);
    says(&browser.get("/settings").await, &["On Switched on", "10 recovery codes are left"]);
    let again = browser.post("/settings/two-step/confirm", &[("code", &app.code(&world, 1))]).await;
    assert_eq!(again.location(), "/settings/two-step", "a reload of the codes' page does nothing");

    let other = first_step(&world, &email).await;
    let page = code_page(&other, &app.next_code(&world)).await;
    assert_eq!(page.location(), "/connections");
    assert!(other.is_signed_in().await);
    let log = actions(&world).await;
    assert_eq!(log[2..], ["user.signed_in", "user.two_step_enabled", "user.signed_in"], "{log:?}");
}

async fn nothing_is_open_before_the_code(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let email = only_email(&world).await;
    let (app, _) = enrol(&world, &browser).await;
    let waiting = world.anonymous();
    waiting.get("/signin?next=/connect").await;
    let fields = [("email", email.as_str()), ("password", PASSWORD), ("next", "/connect?x=1")];
    let before = waiting.session().unwrap();
    assert_eq!(waiting.post("/signin", &fields).await.location(), "/signin/code");
    assert_ne!(waiting.session().unwrap(), before);
    for path in ["/settings", "/connections", "/settings/two-step", "/connect"] {
        assert!(waiting.get(path).await.location().starts_with("/signin?next="), "{path}");
    }
    waiting.get("/signin/code").await;
    let first = waiting.session().unwrap();
    assert_eq!(code_page(&waiting, &app.next_code(&world)).await.location(), "/connect?x=1", "where one wanted to be");
    assert_ne!(waiting.session().unwrap(), first);
    assert_eq!(waiting.get("/signin/code").await.location(), "/signin");
    // Without the first step there is no second.
    let nobody = world.anonymous();
    nobody.get("/signin").await;
    assert_eq!(nobody.get("/signin/code").await.location(), "/signin");
    assert_eq!(code_page(&nobody, &app.next_code(&world)).await.location(), "/signin");
    assert!(!nobody.is_signed_in().await);
}

async fn a_code_is_good_once(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let email = only_email(&world).await;
    let (app, _) = enrol(&world, &browser).await;
    // The one that confirmed it counts as used.
    let replayed = code_page(&first_step(&world, &email).await, &app.code(&world, 0)).await;
    assert_eq!(replayed.status, 422);
    says(&replayed, &["This code was used already. Wait for the next one"]);
    let code = app.next_code(&world);
    assert_eq!(code_page(&first_step(&world, &email).await, &code).await.status, 303);
    let second = first_step(&world, &email).await;
    let replayed = code_page(&second, &code).await;
    assert_eq!(replayed.status, 422);
    says(&replayed, &["used already"]);
    assert!(!second.is_signed_in().await);
    assert_eq!(code_page(&second, &app.next_code(&world)).await.status, 303, "nothing is lost");
}

async fn of_two_at_once_one_gets_in(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let email = only_email(&world).await;
    let (app, recovery) = enrol(&world, &browser).await;
    for code in [app.next_code(&world), recovery[0].clone()] {
        let (a, b) = (first_step(&world, &email).await, first_step(&world, &email).await);
        let (first, second) = tokio::join!(code_page(&a, &code), code_page(&b, &code));
        let mut statuses = [first.status.as_u16(), second.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 422], "{code}");
    }
}

async fn a_step_early_or_late_is_fine(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let email = only_email(&world).await;
    let (app, _) = enrol(&world, &browser).await;
    world.advance(300);
    for (steps, status) in [(-3, 422), (3, 422), (-1, 303), (1, 303)] {
        let page = code_page(&first_step(&world, &email).await, &app.code(&world, steps)).await;
        assert_eq!(page.status.as_u16(), status, "{steps} steps");
    }
    // After one of the future, those before it are used.
    let earlier = code_page(&first_step(&world, &email).await, &app.code(&world, 0)).await;
    assert_eq!(earlier.status, 422);
}

async fn wrong_codes_are_limited(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let email = only_email(&world).await;
    let (app, recovery) = enrol(&world, &browser).await;
    for _ in 0..5 {
        // The right password in between clears nothing.
        let waiting = first_step(&world, &email).await;
        assert_eq!(code_page(&waiting, &app.wrong_code(&world)).await.status, 422);
    }
    let waiting = first_step(&world, &email).await;
    for code in [app.next_code(&world), recovery[0].clone()] {
        let page = code_page(&waiting, &code).await;
        assert_eq!(page.status, 429, "even a right one");
        says(&page, &["Too many tries. Wait 1 minute"]);
    }
    world.advance(61);
    assert_eq!(code_page(&waiting, &app.next_code(&world)).await.status, 303);
    assert_eq!(actions(&world).await.iter().filter(|action| *action == "user.sign_in_failed").count(), 5);
}

async fn recovery_codes_are_good_once(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let email = only_email(&world).await;
    let (app, recovery) = enrol(&world, &browser).await;
    let waiting = first_step(&world, &email).await;
    let page = waiting.post("/signin/code?recovery", &[("code", "AAAAA-BBBBB-CCCCC")]).await;
    assert_eq!(page.status, 422);
    says(&page, &["This is none of your recovery codes"]);
    let typed = recovery[3].to_lowercase().replace('-', "");
    assert_eq!(waiting.post("/signin/code?recovery", &[("code", &typed)]).await.status, 303);
    let again = first_step(&world, &email).await;
    assert_eq!(code_page(&again, &recovery[3]).await.status, 422);
    assert_eq!(code_page(&again, &recovery[4]).await.status, 303, "in the app's field too");
    says(&browser.get("/settings/two-step").await, &["8 of 10 are left"]);
    assert_eq!(actions(&world).await.iter().filter(|action| *action == "user.recovery_code_used").count(), 2);
    // A new set makes the old one worthless, and wants a proof.
    let refused = browser.post("/settings/two-step/recovery", &[("proof", "not my password")]).await;
    assert_eq!(refused.status, 422);
    let new = browser.post("/settings/two-step/recovery", &[("proof", &app.next_code(&world))]).await;
    let new = recovery_codes(&new);
    let waiting = first_step(&world, &email).await;
    assert_eq!(code_page(&waiting, &recovery[5]).await.status, 422);
    assert_eq!(code_page(&waiting, &new[0]).await.status, 303);
    // They are kept as hashes.
    let kept = world.column("SELECT min(code_hash) AS hash FROM recovery_codes", "hash").await.unwrap();
    assert_eq!(kept.len(), 64);
}

async fn the_first_step_does_not_last(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let email = only_email(&world).await;
    let (app, _) = enrol(&world, &browser).await;
    let late = first_step(&world, &email).await;
    world.advance(601);
    assert_eq!(code_page(&late, &app.code(&world, 0)).await.location(), "/signin");
    // A new password ends what began with the old one.
    let waiting = first_step(&world, &email).await;
    browser.get("/settings").await;
    let fields = [("present", PASSWORD), ("new", "anchovy ladder velvet")];
    assert_eq!(browser.post("/settings/password", &fields).await.location(), "/settings");
    assert_eq!(code_page(&waiting, &app.code(&world, 0)).await.location(), "/signin");
    assert!(!waiting.is_signed_in().await);
}

async fn switching_off_wants_a_proof(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let email = only_email(&world).await;
    let (app, _) = enrol(&world, &browser).await;
    for proof in ["", "wrong horse battery", &app.wrong_code(&world)] {
        let page = browser.post("/settings/two-step/off", &[("proof", proof)]).await;
        assert_eq!(page.status, 422, "{proof}");
    }
    let off = browser.post("/settings/two-step/off", &[("proof", PASSWORD)]).await;
    assert_eq!(off.location(), "/settings");
    says(&browser.get("/settings").await, &["Two-step sign-in is off", "Set up two-step sign-in"]);
    assert!(world.signed_in(&email).await.is_signed_in().await);
    assert_eq!(world.number("SELECT count(*) AS n FROM recovery_codes", "n").await, Some(0));
    assert!(actions(&world).await.contains(&"user.two_step_disabled".to_owned()));
}

async fn moving_to_another_phone(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let email = only_email(&world).await;
    let (old, _) = enrol(&world, &browser).await;
    assert_eq!(browser.post("/settings/two-step/begin", &[("proof", "")]).await.status, 422);
    let begun = browser.post("/settings/two-step/begin", &[("proof", PASSWORD)]).await;
    assert_eq!(begun.location(), "/settings/two-step");
    let new = app_of(&browser.get("/settings/two-step").await);
    let waiting = first_step(&world, &email).await;
    assert_eq!(code_page(&waiting, &old.next_code(&world)).await.status, 303, "the old one counts until then");
    world.advance(31);
    let done = browser.post("/settings/two-step/confirm", &[("code", &new.code(&world, 0))]).await;
    recovery_codes(&done);
    let waiting = first_step(&world, &email).await;
    assert_eq!(code_page(&waiting, &old.next_code(&world)).await.status, 422);
    assert_eq!(code_page(&waiting, &new.code(&world, 0)).await.status, 303);
}

async fn secrets_are_sealed_and_rotate(db: Database) {
    let mut process = Process::start(db).await;
    let browser = process.customer("Harbour Bakery").await;
    browser.get("/settings/two-step").await;
    browser.post("/settings/two-step/begin", &[]).await;
    let key = browser.get("/settings/two-step").await.attribute("data-copy").unwrap();
    let old = process.settings["DOORWAY_SECRET_KEY"].clone();
    process.terminate().await;
    process.set("SECRET_KEYS_OLD", &old);
    process.set("SECRET_KEY", &doorway::base::sealed::KeyRing::generate());
    let rotated = process.run(&["rotate-keys"], "").await;
    assert!(rotated.stdout.starts_with("1 secrets sealed anew"), "{rotated:?}");
    process.unset("SECRET_KEYS_OLD");
    process.launch().await;
    assert_eq!(browser.get("/settings/two-step").await.attribute("data-copy").unwrap(), key);
    let store = process.db.store().await;
    let mut db = store.read().await.unwrap();
    let kept = query("SELECT totp_pending_sealed FROM users").one(&mut db, |row| row.text("totp_pending_sealed")).await;
    assert!(!kept.unwrap().contains(&key));
}

/// Who has a session and neither password nor code must not see the new secret, nor make it count.
async fn a_move_is_finished_where_it_was_begun(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let email = only_email(&world).await;
    let (app, _) = enrol(&world, &browser).await;
    let stolen = first_step(&world, &email).await;
    assert_eq!(code_page(&stolen, &app.next_code(&world)).await.status, 303);
    assert_eq!(browser.post("/settings/two-step/begin", &[("proof", PASSWORD)]).await.status, 303);
    let shown = browser.get("/settings/two-step").await;
    let new = app_of(&shown);
    let secret = shown.attribute("data-copy").unwrap();
    let page = stolen.get("/settings/two-step").await;
    assert!(!page.text.contains(&secret), "another session is shown the secret");
    let confirmed = stolen.post("/settings/two-step/confirm", &[("code", &new.code(&world, 0))]).await;
    assert_eq!(confirmed.location(), "/settings/two-step");
    // Left lying, it is over after a while here too.
    world.advance(31 * 60);
    let late = browser.post("/settings/two-step/confirm", &[("code", &new.code(&world, 0))]).await;
    assert_eq!(late.location(), "/settings/two-step");
    assert!(!browser.get("/settings/two-step").await.text.contains(&secret));
    let other = first_step(&world, &email).await;
    assert_eq!(code_page(&other, &app.next_code(&world)).await.status, 303, "the app from before goes on");
}
