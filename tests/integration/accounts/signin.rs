//! The sign-in form.

use super::*;
use doorway::accounts::Role;

on_both_engines!(
    a_wrong_password_keeps_what_was_typed,
    each_role_comes_to_its_own_page,
    one_stays_on_this_site,
    a_name_can_be_changed,
);

async fn a_wrong_password_keeps_what_was_typed(db: Database) {
    let world = World::start(db).await;
    world.customer("Harbour Bakery").await;
    let email = world.column("SELECT email FROM users", "email").await.unwrap();
    let long = "x".repeat(1_001);
    for (typed, password) in [
        (email.as_str(), "wrong horse battery"),
        (email.as_str(), ""),
        (email.as_str(), long.as_str()),
        ("nobody@example.org", PASSWORD),
        ("\"><b>not an address", PASSWORD),
    ] {
        let browser = world.anonymous();
        let page = browser.sign_in(typed, password).await;
        assert_eq!(page.status, 422);
        says(&page, &["That e-mail and password do not go together"]);
        assert!(!page.text.contains("<b>not"), "what was typed is escaped");
        let field = page.tag_with("id=\"email\"").unwrap();
        assert!(field.contains(&typed.replace('"', "&#34;").replace('>', "&#62;").replace('<', "&#60;")), "{field}");
        assert!(!page.text.contains("wrong horse battery"));
        assert!(!browser.is_signed_in().await);
    }
    // Another spelling of the address is the same person.
    let browser = world.anonymous();
    assert_eq!(browser.sign_in(&format!(" {} ", email.to_uppercase()), PASSWORD).await.status, 303);
    assert!(browser.is_signed_in().await);
}

async fn each_role_comes_to_its_own_page(db: Database) {
    let world = World::start(db).await;
    for (browser, home) in [
        (world.customer("Harbour Bakery").await, "/connections"),
        (world.staff(Role::Support).await, "/support"),
        (world.staff(Role::Admin).await, "/support"),
    ] {
        assert_eq!(browser.get("/signin").await.location(), home, "who is signed in need not sign in");
        assert_eq!(browser.get(home).await.status, 200);
    }
}

async fn one_stays_on_this_site(db: Database) {
    let world = World::start(db).await;
    world.customer("Harbour Bakery").await;
    let email = world.column("SELECT email FROM users", "email").await.unwrap();
    for next in ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""] {
        let browser = world.anonymous();
        browser.get("/signin").await;
        let fields = [("email", email.as_str()), ("password", PASSWORD), ("next", next)];
        assert_eq!(browser.post("/signin", &fields).await.location(), "/connections", "{next}");
    }
}

async fn a_name_can_be_changed(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let long = "x".repeat(101);
    for odd in ["  ", long.as_str()] {
        let page = browser.post("/settings/account", &[("name", odd)]).await;
        assert_eq!(page.status, 422);
        assert!(page.tag_with("id=\"name\"").unwrap().contains("aria-invalid=\"true\""));
    }
    assert_eq!(browser.post("/settings/account", &[("name", " Zoë <b> ")]).await.location(), "/settings");
    let page = browser.get("/settings").await;
    says(&page, &["Your name is saved.", "Zoë <b>"]);
    assert!(!page.text.contains("<b> "), "a name is text");
    assert!(!browser.get("/settings").await.words().contains("Your name is saved."), "said once");
}
