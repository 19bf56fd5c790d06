//! A connection's name.

use super::*;

on_both_engines!(a_connection_has_a_name_of_its_own);

async fn a_connection_has_a_name_of_its_own(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (first, _) = world.connect(&browser, &[]).await;
    let (second, _) = world.connect(&browser, &["no_number"]).await;
    assert_ne!(first, second, "a customer has many");
    let rename = |name: &str| {
        let (browser, path, name) = (browser.clone(), format!("{first}/rename"), name.to_owned());
        async move { browser.post(&path, &[("name", &name)]).await }
    };
    assert_eq!(rename("  The shop <by> the sea ").await.location(), first);
    let page = browser.get(&first).await;
    assert_eq!(page.heading(), "The shop <by> the sea");
    says(&page, &["The name is saved."]);
    assert!(!page.text.contains("<by>"));
    for odd in ["   ".to_owned(), "x".repeat(81)] {
        let page = rename(&odd).await;
        assert_eq!(page.status, 422);
        let field = page.tag_with("aria-invalid=\"true\"").unwrap();
        assert!(field.contains(&format!("value=\"{odd}\"")), "what was typed stays: {field}");
        assert_eq!(page.heading(), "The shop <by> the sea");
    }
    assert_eq!(rename(&"ż".repeat(80)).await.status, 303, "characters count, not bytes");
    let list = browser.get("/connections").await;
    says(&list, &["ż", "Sandbox Shop 2"]);
}
