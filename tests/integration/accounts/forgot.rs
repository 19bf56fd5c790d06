//! Forgotten passwords: nobody learns who is here, and a new password ends what was before.

use super::{
    invites::{dead_mail, link},
    *,
};
on_both_engines!(
    a_new_password_ends_what_was_before,
    a_second_step_stays_one,
    a_changed_password_ends_links_to_change_it,
    staff_make_links_for_those_they_may,
    the_answer_is_the_same_for_everybody,
    without_a_mail_server_one_is_told_whom_to_ask,
);

const NEW: &str = "saddle orbit marzipan";

async fn user(world: &World, email: &str) -> String {
    let sql = "SELECT id FROM users WHERE email = $1";
    let mut db = world.portal.store.read().await.unwrap();
    doorway::store::query(sql).bind(email).one(&mut db, |row| row.text("id")).await.unwrap()
}

async fn email(world: &World, role: &str) -> String {
    let mut db = world.portal.store.read().await.unwrap();
    let found = doorway::store::query("SELECT email FROM users WHERE role = $1 ORDER BY created_at LIMIT 1").bind(role);
    found.one(&mut db, |row| row.text("email")).await.unwrap()
}

async fn a_new_password_ends_what_was_before(db: Database) {
    let world = World::start(db).await;
    let member = world.customer("Harbour Bakery").await;
    let email = email(&world, "customer").await;
    let staff = world.staff(Role::Support).await;
    let path = format!("/people/{}/reset-link", user(&world, &email).await);
    let first = staff.post(&path, &[]).await.location().to_owned();
    let first = link(&staff.get(&first).await);
    let second = staff.post(&path, &[]).await.location().to_owned();
    let page = staff.get(&second).await;
    says(&page, &["New password for Maria Test", "Copy this link and send it yourself"]);
    let second = link(&page);
    let browser = world.anonymous();
    let replaced = browser.get(&first).await;
    assert_eq!(replaced.status, 410);
    says(&replaced, &["This link was taken back", "Ask for a new link"]);
    for _ in 0..3 {
        assert_eq!(browser.get(&second).await.status, 200);
    }
    assert!(member.is_signed_in().await);
    let weak = browser.post(&second, &[("password", "short")]).await;
    assert_eq!(weak.status, 422);
    says(&weak, &["at least 12 characters", &email]);
    assert_eq!(browser.post(&second, &[("password", NEW)]).await.location(), "/connect");
    assert!(browser.is_signed_in().await);
    assert!(!member.is_signed_in().await, "all other devices are signed out");
    let again = world.anonymous();
    let used = again.get(&second).await;
    assert_eq!(used.status, 410);
    says(&used, &["This link was used already", "Forgot your password?"]);
    again.get("/signin").await;
    assert_eq!(again.post(&second, &[("password", PASSWORD)]).await.status, 410);
    assert_eq!(world.anonymous().sign_in(&email, PASSWORD).await.status, 422);
    assert_eq!(world.anonymous().sign_in(&email, NEW).await.status, 303);
    for action in ["user.password_reset", "user.reset_link_made"] {
        let mut db = world.portal.store.read().await.unwrap();
        let seen = doorway::store::query("SELECT count(*) AS n FROM audit_log WHERE action = $1").bind(action);
        assert!(seen.one(&mut db, |row| row.int("n")).await.unwrap() > 0, "{action}");
    }
    // The browser in which it was set is known from then on: others' guesses do not keep it out.
    browser.post("/signout", &[]).await;
    for _ in 0..6 {
        world.anonymous().sign_in(&email, PASSWORD).await;
    }
    assert_eq!(world.anonymous().sign_in(&email, NEW).await.status, 429);
    assert_eq!(browser.sign_in(&email, NEW).await.status, 303);
    // One that is not used in time.
    let third = staff.post(&path, &[]).await.location().to_owned();
    let third = link(&staff.get(&third).await);
    world.advance(2 * 3_600 + 1);
    let late = again.get(&third).await;
    assert_eq!(late.status, 410);
    says(&late, &["This link has expired", "2 hours"]);
}

async fn a_second_step_stays_one(db: Database) {
    let world = World::start(db).await;
    let member = world.customer("Harbour Bakery").await;
    let (app, _) = enrol(&world, &member).await;
    let path = format!("/people/{}/reset-link", user(&world, &email(&world, "customer").await).await);
    let staff = world.staff(Role::Support).await;
    let made = staff.post(&path, &[]).await.location().to_owned();
    let link = link(&staff.get(&made).await);
    let browser = world.anonymous();
    browser.get(&link).await;
    assert_eq!(browser.post(&link, &[("password", NEW)]).await.location(), "/signin/code");
    assert!(!browser.is_signed_in().await, "a mailbox alone is not enough");
    browser.get("/signin/code").await;
    let code = app.next_code(&world);
    assert_eq!(browser.post("/signin/code", &[("code", &code)]).await.location(), "/connect");
    assert!(browser.is_signed_in().await);
}

async fn staff_make_links_for_those_they_may(db: Database) {
    let world = World::start(db).await;
    let member = world.customer("Harbour Bakery").await;
    let (support, admin) = (world.staff(Role::Support).await, world.staff(Role::Admin).await);
    let mut paths = std::collections::BTreeMap::new();
    for role in ["customer", "support", "admin"] {
        paths.insert(role, format!("/people/{}/reset-link", user(&world, &email(&world, role).await).await));
    }
    for (browser, role, status) in [
        (&member, "customer", 404),
        (&support, "customer", 303),
        (&support, "support", 404),
        (&support, "admin", 404),
        (&admin, "customer", 303),
        (&admin, "support", 303),
        (&admin, "admin", 303),
    ] {
        assert_eq!(browser.post(&paths[role], &[]).await.status, status, "{role}");
    }
    let made = admin.post(&paths["admin"], &[]).await.location().to_owned();
    assert_eq!(support.get(&made).await.status, 404, "nor may support read what an admin made for an admin");
    assert_eq!(member.get(&made).await.status, 404);
    let odd = "/people/01900000-0000-7000-8000-000000000000/reset-link";
    assert_eq!(admin.post(odd, &[]).await.status, 404);
}

async fn the_answer_is_the_same_for_everybody(db: Database) {
    let world = World::with(db, dead_mail).await;
    let member = world.customer("Harbour Bakery").await;
    let known = email(&world, "customer").await;
    let mut answers = Vec::new();
    for email in [known.as_str(), "nobody@harbour.example"] {
        let browser = world.anonymous();
        says(&browser.get("/signin").await, &["Forgot your password?"]);
        browser.get("/forgot").await;
        let answer = browser.post("/forgot", &[("email", email)]).await;
        let sent = browser.get(answer.location()).await;
        answers.push((answer.status, answer.location().to_owned(), sent.words()));
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].2.contains("If there is an account with that address"), "{}", answers[0].2);
    // What was kept for nobody is gone; what is somebody's is nobody else's to see.
    eventually("one link", || async {
        let left = world.number("SELECT count(*) AS n FROM invites", "n").await;
        (left == Some(1)).then_some(())
    })
    .await;
    let id = world.column("SELECT id FROM invites WHERE user_id IS NOT NULL", "id").await.unwrap();
    let admin = world.staff(Role::Admin).await;
    assert_eq!(admin.get(&format!("/invites/{id}")).await.status, 404);
    assert!(member.is_signed_in().await, "asking alone changes nothing");
    assert_eq!(world.anonymous().sign_in(&known, PASSWORD).await.status, 303);
    // Asking again and again is slowed down, for known and unknown alike.
    for email in [known.as_str(), "nobody@harbour.example"] {
        let browser = world.anonymous();
        browser.get("/forgot").await;
        let mut statuses = Vec::new();
        for _ in 0..8 {
            statuses.push(browser.post("/forgot", &[("email", email)]).await.status.as_u16());
        }
        assert!(statuses.contains(&429), "{email}: {statuses:?}");
        answers.push((http::StatusCode::OK, format!("{statuses:?}"), String::new()));
    }
    assert_eq!(answers[2], answers[3]);
    let browser = world.anonymous();
    browser.get("/forgot").await;
    assert_eq!(browser.post("/forgot", &[("email", "no address")]).await.status, 422);
}

async fn without_a_mail_server_one_is_told_whom_to_ask(db: Database) {
    let world = World::start(db).await;
    world.customer("Harbour Bakery").await;
    let browser = world.anonymous();
    let page = browser.get("/forgot").await;
    says(&page, &["Write to help@operator.example"]);
    assert!(!page.text.contains("<form"));
    browser.get("/signin").await;
    assert_eq!(browser.post("/forgot", &[("email", "a@example.org")]).await.status, 404);
}

/// Whoever got hold of a link must not come back with it after the person has changed the password themselves.
async fn a_changed_password_ends_links_to_change_it(db: Database) {
    let world = World::start(db).await;
    let member = world.customer("Harbour Bakery").await;
    let staff = world.staff(Role::Support).await;
    let path = format!("/people/{}/reset-link", user(&world, &email(&world, "customer").await).await);
    let made = staff.post(&path, &[]).await.location().to_owned();
    let link = link(&staff.get(&made).await);
    let changed = member.post("/settings/password", &[("present", PASSWORD), ("new", NEW)]).await;
    assert_eq!(changed.status, 303, "{}", changed.words());
    let browser = world.anonymous();
    let over = browser.get(&link).await;
    assert_eq!(over.status, 410);
    says(&over, &["This link was taken back"]);
}
