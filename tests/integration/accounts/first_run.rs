//! An empty database: one page, one code, one admin.

use super::*;
use secrecy::ExposeSecret;

on_both_engines!(
    people_are_led_to_the_one_page_and_machines_are_not,
    the_code_makes_one_admin,
    what_is_wrong_is_said_beside_its_field,
    two_at_once_make_one_admin,
    guesses_at_the_code_are_limited,
    somebody_made_elsewhere_ends_it,
    the_log_says_how_to_begin,
);

async fn code(world: &World) -> String {
    world.portal.first_run.code().await.unwrap().expose_secret().to_owned()
}

fn fields<'a>(code: &'a str, email: &'a str, password: &'a str) -> [(&'static str, &'a str); 4] {
    [("code", code), ("email", email), ("name", "Ada Admin"), ("password", password)]
}

async fn people_are_led_to_the_one_page_and_machines_are_not(db: Database) {
    let world = World::start(db).await;
    let browser = world.anonymous();
    for path in ["/", "/signin", "/settings", "/backoffice", "/connect", "/nope"] {
        assert_eq!(browser.get(path).await.location(), "/setup", "{path}");
    }
    assert_eq!(browser.post("/signin", &[("email", "a@b.example"), ("password", PASSWORD)]).await.location(), "/setup");
    let script = browser.send(browser.script("/connect/attempts", &json!({}))).await;
    assert_eq!(
        (script.status.as_u16(), script.json()["error"]["title"].as_str().unwrap().contains("not set up")),
        (503, true)
    );
    for path in ["/healthz", "/readyz"] {
        assert_eq!(browser.get(path).await.status, 200, "{path}");
    }
    let handshake = format!("/webhooks/whatsapp?hub.mode=subscribe&hub.challenge=17&hub.verify_token={VERIFY_TOKEN}");
    assert_eq!(browser.get(&handshake).await.text, "17");
    let page = browser.get("/setup").await;
    assert_eq!(page.status, 200);
    let css = page.tag_with("app.css").unwrap().split("href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(browser.get(&css).await.status, 200);
}

async fn the_code_makes_one_admin(db: Database) {
    let world = World::start(db).await;
    let secret = code(&world).await;
    assert_eq!(code(&world).await, secret, "the same for every process and restart");
    let sealed = world.column("SELECT code_sealed FROM setup_codes", "code_sealed").await.unwrap();
    assert!(!sealed.contains(&secret));
    let browser = world.anonymous();
    browser.get("/setup").await;
    // As people type it.
    let typed = secret.to_lowercase().replace('-', " ");
    let made = browser.post("/setup", &fields(&typed, "Ada@Example.org", PASSWORD)).await;
    assert_eq!(made.location(), "/backoffice/settings");
    assert!(browser.is_signed_in().await);
    assert_eq!(world.column("SELECT role FROM users", "role").await.as_deref(), Some("admin"));
    assert_eq!(world.number("SELECT count(*) AS n FROM setup_codes", "n").await, Some(0));
    assert_eq!(actions(&world).await, ["user.created", "user.signed_in"]);
    // And never again.
    let stranger = world.anonymous();
    assert_eq!(stranger.get("/setup").await.status, 404);
    assert_eq!(stranger.get("/signin").await.status, 200);
    let again = stranger.post("/setup", &fields(&secret, "eve@example.org", PASSWORD)).await;
    assert_eq!(again.status, 409);
    says(&again, &["Doorway is set up already", "The code is worth nothing now"]);
    assert_eq!(world.number("SELECT count(*) AS n FROM users", "n").await, Some(1));
}

async fn what_is_wrong_is_said_beside_its_field(db: Database) {
    let world = World::start(db).await;
    let secret = code(&world).await;
    let browser = world.anonymous();
    browser.get("/setup").await;
    for (code, email, password, field, words) in [
        ("WRONG-WRONG-WRONG", "ada@example.org", PASSWORD, "code", "not the set-up code"),
        ("", "ada@example.org", PASSWORD, "code", "not the set-up code"),
        (&*secret, "ada", PASSWORD, "email", "not an e-mail address"),
        (&*secret, "ada@example.org", "password1234", "password", "Many people use this"),
        (&*secret, "ada@example.org", "short", "password", "at least 12 characters"),
        (&*secret, "ada@example.org", "testoperator", "password", "others know of you"),
    ] {
        let page = browser.post("/setup", &fields(code, email, password)).await;
        assert_eq!(page.status, 422, "{}", page.words());
        says(&page, &[words]);
        assert!(page.tag_with(&format!("id=\"{field}\"")).unwrap().contains("aria-invalid=\"true\""), "{field}");
        assert!(
            page.tag_with("id=\"email\"").unwrap().contains(&format!("value=\"{email}\"")),
            "what was typed is kept"
        );
        assert!(page.text.contains("<title>Problem: "));
    }
    assert_eq!(world.number("SELECT count(*) AS n FROM users", "n").await, Some(0));
    assert_eq!(browser.post("/setup", &fields(&secret, "ada@example.org", PASSWORD)).await.status, 303);
}

async fn two_at_once_make_one_admin(db: Database) {
    let world = World::start(db).await;
    let secret = code(&world).await;
    let (first, second) = (world.anonymous(), world.anonymous());
    first.get("/setup").await;
    second.get("/setup").await;
    let (mine, other) = (fields(&secret, "ada@example.org", PASSWORD), fields(&secret, "eve@example.org", PASSWORD));
    let (a, b) = tokio::join!(first.post("/setup", &mine), second.post("/setup", &other));
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 409]);
    assert_eq!(world.number("SELECT count(*) AS n FROM users", "n").await, Some(1));
    // The second click of the same person, with the form's old token.
    let winner = if a.status == 303 { &first } else { &second };
    let click = winner.post("/setup", &mine).await;
    assert_eq!(click.status, 409);
    says(&click, &["with a second click"]);
}

async fn guesses_at_the_code_are_limited(db: Database) {
    let world = World::start(db).await;
    let secret = code(&world).await;
    let browser = world.anonymous();
    browser.get("/setup").await;
    for _ in 0..5 {
        let page = browser.post("/setup", &fields("WRONG-WRONG-WRONG", "ada@example.org", PASSWORD)).await;
        assert_eq!(page.status, 422);
    }
    let page = browser.post("/setup", &fields(&secret, "ada@example.org", PASSWORD)).await;
    assert_eq!(page.status, 429, "even the right one");
    says(&page, &["Too many tries. Wait 1 minute"]);
    world.advance(61);
    assert_eq!(browser.post("/setup", &fields(&secret, "ada@example.org", PASSWORD)).await.status, 303);
}

async fn somebody_made_elsewhere_ends_it(db: Database) {
    let world = World::start(db).await;
    let secret = code(&world).await;
    let browser = world.anonymous();
    assert_eq!(browser.get("/").await.location(), "/setup");
    browser.get("/setup").await;
    // As `doorway user create` does, in a process of its own.
    let accounts = doorway::accounts::Accounts::new(world.portal.store.clone(), world.clock.clone()).unwrap();
    let email = "ada@example.org".parse().unwrap();
    accounts.create_user(&email, "Ada", PASSWORD.into(), Role::Admin, None).await.unwrap();
    assert_eq!(browser.get("/").await.status, 200);
    assert_eq!(browser.get("/setup").await.status, 404);
    assert_eq!(browser.post("/setup", &fields(&secret, "eve@example.org", PASSWORD)).await.status, 409);
    assert_eq!(world.number("SELECT count(*) AS n FROM setup_codes", "n").await, Some(0));
}

async fn the_log_says_how_to_begin(db: Database) {
    let mut process = Process::start(db).await;
    let line =
        |log: &str| log.lines().filter(|line| line.contains("set-up code ")).map(str::to_owned).collect::<Vec<_>>();
    let told = line(&process.log());
    assert_eq!(told.len(), 1, "{}", process.log());
    assert!(told[0].contains(&format!("{}setup", process.url)), "{}", told[0]);
    let secret = told[0].rsplit(' ').next().unwrap().to_owned();
    assert_eq!(process.terminate().await.code(), Some(0));
    process.launch().await;
    let again = line(&process.log());
    assert!(again.len() == 2 && again[1].ends_with(&secret), "a restart shows the same code");
    let browser = Browser::new(&process.url);
    browser.get("/setup").await;
    assert_eq!(browser.post("/setup", &fields(&secret, "ada@example.org", PASSWORD)).await.status, 303);
    // Staff need their second step before anything else, and come to the settings afterwards.
    assert_eq!(browser.get("/backoffice/settings").await.location(), "/settings/two-step");
    assert_eq!(process.terminate().await.code(), Some(0));
    process.launch().await;
    assert_eq!(line(&process.log()).len(), 2, "and none where somebody is there");
}
