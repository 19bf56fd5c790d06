//! New passwords that somebody would guess.

use super::*;

on_both_engines!(a_new_password_must_not_be_guessable, so_on_the_command_line);

async fn a_new_password_must_not_be_guessable(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    browser.get("/settings").await;
    for (new, words) in [
        ("password1234", "Many people use this"),
        ("123456789012", "in their order are easy to guess"),
        ("qwertyuiop12", "Take three or more unrelated words"),
        ("harbourbakery", "names in it that others know of you"),
        ("maria.test.2026", "names in it that others know of you"),
        ("testoperator1", "names in it that others know of you"),
        ("elevenchars", "at least 12 characters"),
    ] {
        let page = browser.post("/settings/password", &[("present", PASSWORD), ("new", new)]).await;
        assert_eq!(page.status, 422, "{new}");
        says(&page, &[words]);
        assert!(page.tag_with("id=\"new\"").unwrap().contains("aria-invalid=\"true\""));
        assert!(!page.text.contains(new) || new == "harbourbakery", "{new} is in the page");
    }
    let new = "anchovy ladder velvet";
    assert_eq!(browser.post("/settings/password", &[("present", PASSWORD), ("new", new)]).await.status, 303);
    let email = only_email(&world).await;
    assert_eq!(world.anonymous().sign_in(&email, new).await.status, 303);
}

async fn so_on_the_command_line(db: Database) {
    let process = Process::new(db).await;
    let create = ["user", "create", "nina@harbour.example", "--role", "customer", "--company", "Harbour Bakery"];
    for password in ["password1234", "harbourbakery1"] {
        let refused = process.run(&create, password).await;
        assert!(!refused.status.success());
        assert!(refused.stderr.contains("Take three or more unrelated words"), "{}", refused.stderr);
    }
    assert!(process.run(&create, PASSWORD).await.status.success());
}
