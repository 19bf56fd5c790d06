//! The go-live list.

use super::*;

on_both_engines!(ticks_by_hand_and_by_the_check);

fn item(page: &Page, id: &str) -> String {
    let (_, rest) = page.text.split_once(&format!("data-item=\"{id}\"")).unwrap();
    Page { text: format!("<li {}", rest.split("</li>").next().unwrap()), ..page.clone() }.words()
}

async fn ticks_by_hand_and_by_the_check(db: Database) {
    let world = empty(db).await;
    let admin = world.staff(Role::Admin).await;
    let empty = admin.get("/backoffice/go-live").await;
    says(&empty, &["0 of 22 done", "not checked yet", "60 days or never", "Live mode"]);
    save(&admin, &right()).await;
    let checked = admin.get("/backoffice/go-live").await;
    // Privacy, terms, icon, category, domain, verification, webhooks and both permissions.
    says(&checked, &["9 of 22 done"]);
    assert!(item(&checked, "privacy").contains("Seen by the check."));
    assert!(item(&checked, "live").contains("Open."));
    for name in ["live", "tech_provider", "icon"] {
        let ticked = admin.post("/backoffice/go-live/tick", &[("item", name)]).await;
        assert_eq!(ticked.location(), format!("/backoffice/go-live#{name}"));
    }
    let page = admin.get("/backoffice/go-live").await;
    says(&page, &["11 of 22 done"]);
    assert!(item(&page, "live").contains("Ticked by Maria Test , just now"), "{}", item(&page, "live"));
    // The check says otherwise of what was ticked.
    world.meta.control(Method::POST, "dashboard", json!({"icon_url": ""})).await;
    check(&admin).await;
    let page = admin.get("/backoffice/go-live").await;
    assert!(
        item(&page, "icon").contains("The check says otherwise: the app’s icon is missing"),
        "{}",
        item(&page, "icon")
    );
    for _ in 0..2 {
        admin.post("/backoffice/go-live/untick", &[("item", "live")]).await;
        admin.post("/backoffice/go-live/tick", &[("item", "tech_provider")]).await;
    }
    assert!(item(&admin.get("/backoffice/go-live").await, "live").contains("Open."));
    assert_eq!(admin.post("/backoffice/go-live/tick", &[("item", "nonsense")]).await.status, 404);
    assert_eq!((audit_count(&world, "go_live.ticked").await, audit_count(&world, "go_live.unticked").await), (3, 1));
    assert_eq!(admin.get("/backoffice/go-live/tick").await.location(), "/backoffice/go-live");
}
