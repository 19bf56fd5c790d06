//! Staff need a second step where the configuration says so.

use super::*;

on_both_engines!(
    staff_set_it_up_before_anything_else,
    customers_need_none,
    an_admin_resets_it,
    the_command_line_resets_it,
);

async fn required(db: Database) -> World {
    World::with(db, |config| config.staff_totp = true).await
}

async fn staff_set_it_up_before_anything_else(db: Database) {
    let world = required(db).await;
    for role in [Role::Support, Role::Admin] {
        let staff = world.staff(role).await;
        let paths = ["/support", "/backoffice", "/settings", "/", "/nope", "/settings/two-stepping"];
        for path in paths {
            assert_eq!(staff.get(path).await.location(), "/settings/two-step", "{path}");
        }
        assert_eq!(staff.post("/settings/account", &[("name", "X")]).await.location(), "/settings/two-step");
        let script = staff.send(staff.script("/connect/attempts", &json!({}))).await;
        assert_eq!(script.status, 403);
        assert!(script.json()["error"]["title"].as_str().unwrap().contains("Two-step"));
        assert_eq!(staff.get("/support?q=harbour").await.location(), "/settings/two-step");
        let page = staff.get("/settings/two-step").await;
        assert_eq!(page.status, 200);
        says(&page, &["Set this up first", "a password alone is not enough for you"]);
        let app = scan(&staff).await;
        let done = staff.post("/settings/two-step/confirm", &[("code", &app.code(&world, 0))]).await;
        assert!(done.text.contains("href=\"/support?q=harbour\""), "on to where they wanted to be");
        assert_eq!(staff.get("/support?q=harbour").await.status, 200);
        // And they can't be without it.
        says(&staff.get("/settings/two-step").await, &["Staff need two-step sign-in, so it can’t be switched off"]);
        let off = staff.post("/settings/two-step/off", &[("proof", PASSWORD)]).await;
        assert_eq!(off.status, 409);
        assert_eq!(staff.get("/support").await.status, 200);
    }
    let leaving = world.staff(Role::Support).await;
    leaving.get("/settings/two-step").await;
    assert_eq!(leaving.post("/signout", &[]).await.location(), "/");
}

async fn customers_need_none(db: Database) {
    let world = required(db).await;
    let browser = world.customer("Harbour Bakery").await;
    assert_eq!(browser.get("/connections").await.status, 200);
    says(&browser.get("/settings").await, &["Set up two-step sign-in"]);
}

async fn an_admin_resets_it(db: Database) {
    let world = World::start(db).await;
    let admin = world.staff(Role::Admin).await;
    let admin_email = only_email(&world).await;
    let browser = world.customer("Harbour Bakery").await;
    let email = world.column("SELECT email FROM users WHERE role = 'customer'", "email").await.unwrap();
    enrol(&world, &browser).await;
    let waiting = first_step(&world, &email).await;
    let find = |email: String| {
        let accounts = world.portal.accounts.clone();
        async move { accounts.user_by_email(&email.parse().unwrap()).await.unwrap().unwrap() }
    };
    let (actor, person) = (find(admin_email).await, find(email.clone()).await);
    world.portal.two_step.reset(&actor, &person).await.unwrap();
    assert!(!browser.is_signed_in().await, "who has the phone is signed out");
    assert!(admin.is_signed_in().await);
    assert_eq!(waiting.post("/signin/code", &[("code", "000000")]).await.status, 422);
    assert!(world.signed_in(&email).await.is_signed_in().await, "the password alone is enough again");
    assert_eq!(world.number("SELECT count(*) AS n FROM recovery_codes", "n").await, Some(0));
    let sql = "SELECT actor_user_id FROM audit_log WHERE action = 'user.two_step_reset'";
    assert_eq!(world.column(sql, "actor_user_id").await.unwrap(), actor.id.to_string());
}

async fn the_command_line_resets_it(db: Database) {
    let process = Process::start(db).await;
    let created = process.run(&["user", "create", "ada@example.org", "--role", "admin"], PASSWORD).await;
    assert!(created.status.success());
    let browser = Browser::new(&process.url);
    assert_eq!(browser.sign_in("ada@example.org", PASSWORD).await.status, 303);
    browser.get("/settings/two-step").await;
    browser.post("/settings/two-step/begin", &[]).await;
    let key = browser.get("/settings/two-step").await.attribute("data-copy").unwrap();
    let app = App(Builder::new().with_secret(Secret::try_from_base32(key).unwrap()).build().unwrap());
    let now = u64::try_from(doorway::base::clock::Clock::system().now().unix_timestamp()).unwrap();
    let code = app.0.generate(now).to_string();
    assert_eq!(browser.post("/settings/two-step/confirm", &[("code", &code)]).await.status, 200);
    assert_eq!(Browser::new(&process.url).sign_in("ada@example.org", PASSWORD).await.location(), "/signin/code");
    let member = ["user", "create", "mia@example.org", "--role", "customer", "--company", "Harbour Bakery"];
    assert!(process.run(&member, PASSWORD).await.status.success());
    let reset = process.run(&["user", "reset-two-step", "mia@example.org"], "").await;
    assert!(reset.status.success(), "a member's too: {}", reset.stderr);
    let unknown = process.run(&["user", "reset-two-step", "eve@example.org"], "").await;
    assert!(!unknown.status.success());
    assert!(unknown.stderr.contains("nobody signs in with this address"), "{}", unknown.stderr);
    let reset = process.run(&["user", "reset-two-step", "Ada@Example.org"], "").await;
    assert!(reset.status.success(), "{}", reset.stderr);
    assert_eq!(reset.stdout, "ada@example.org signs in with the password alone now, and is signed out everywhere.\n");
    assert!(!browser.is_signed_in().await);
    let again = Browser::new(&process.url);
    assert_eq!(again.sign_in("ada@example.org", PASSWORD).await.location(), "/support");
    assert_eq!(again.get("/support").await.location(), "/settings/two-step", "and is asked to set it up anew");
}
