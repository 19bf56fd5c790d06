//! Making, changing, pausing and removing endpoints through their forms.

use super::*;

on_both_engines!(
    an_endpoint_gets_what_was_chosen,
    it_is_paused_resumed_and_deleted_by_its_members,
    what_is_wrong_is_told_beside_its_field,
);

async fn an_endpoint_gets_what_was_chosen(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let empty = browser.get("/settings/endpoints").await;
    says(&empty, &["No endpoint yet", "An endpoint is an address of yours."]);
    let (_, signup) = world.connect(&browser, &[]).await;
    let number = world.column("SELECT min(phone_number_id) AS id FROM phone_numbers", "id").await.unwrap();
    let waba = id(&signup, "waba_ids", 0);
    let form = browser.get(NEW).await;
    assert!(form.text.contains(&format!("value=\"{number}\"")), "numbers are there to choose from");
    let fields = [
        ("name", "CRM <1>"),
        ("to", "url"),
        ("url", "http://shop.example:8080/in"),
        ("format", "mo_dlr"),
        ("which_kinds", "some"),
        ("kinds", "message.received"),
        ("kinds", "message.status"),
        ("which_wabas", "some"),
        ("wabas", &waba),
        ("which_numbers", "some"),
        ("numbers", &number),
        // Somebody else's, or nobody's: nothing of it is kept.
        ("numbers", "999999"),
    ];
    let page = made(&browser, &fields).await;
    let row = "SELECT kinds, waba_ids, phone_number_ids, format FROM endpoints";
    assert_eq!(world.column(row, "kinds").await.unwrap(), r#"["message.received","message.status"]"#);
    assert_eq!(world.column(row, "waba_ids").await.unwrap(), format!("[\"{waba}\"]"));
    assert_eq!(world.column(row, "phone_number_ids").await.unwrap(), format!("[\"{number}\"]"));
    let shown = browser.get(&page).await;
    assert_eq!(shown.heading(), "CRM <1>");
    says(&shown, &["MO/DLR", "http://shop.example:8080/in", "Message received, Message status"]);
    // Its numbers are told as people write them.
    assert!(!shown.words().contains(&number), "{}", shown.words());

    // The form shows what is kept; the format stays.
    let edit = browser.get(&format!("{page}/edit")).await;
    for ticked in [number.as_str(), waba.as_str(), "message.status"] {
        assert!(edit.tag_with(&format!("value=\"{ticked}\"")).unwrap().contains(" checked"), "{ticked}");
    }
    assert!(!edit.tag_with("value=\"template.status_changed\"").unwrap().contains(" checked"));
    let saved = browser.post(&format!("{page}/edit"), &[("name", "All"), ("to", "receiver"), ("format", "meta")]).await;
    assert_eq!(saved.location(), page);
    assert_eq!(world.column(row, "kinds").await, None);
    assert_eq!(world.column(row, "format").await.unwrap(), "mo_dlr");
    says(&browser.get("/settings/endpoints").await, &["All", "Built-in receiver", "Active"]);
    let log = "SELECT count(*) AS n FROM audit_log WHERE action IN ('endpoint.created', 'endpoint.changed') AND subject IS NOT NULL";
    assert_eq!(world.number(log, "n").await, Some(2));
}

async fn it_is_paused_resumed_and_deleted_by_its_members(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let page = with_receiver(&browser, "Shop", "events").await;
    assert_eq!(browser.post(&format!("{page}/pause"), &[]).await.location(), page);
    // A second click finds it paused already.
    assert_eq!(browser.post(&format!("{page}/pause"), &[]).await.location(), page);
    says(&browser.get(&page).await, &["Paused", "Resume it first."]);
    assert_eq!(browser.post(&format!("{page}/test"), &[]).await.status, 409);
    browser.post(&format!("{page}/resume"), &[]).await;
    says(&browser.get(&page).await, &["Active", "Send test event"]);
    for path in ["pause", "resume", "test", "secret", "end-overlap"] {
        assert_eq!(browser.get(&format!("{page}/{path}")).await.location(), page, "{path}");
    }
    assert_eq!(browser.get(&format!("{page}/delete")).await.heading(), "Delete Shop?");
    assert_eq!(browser.post(&format!("{page}/delete"), &[]).await.location(), "/settings/endpoints");
    says(&browser.get("/settings/endpoints").await, &["The endpoint Shop is deleted.", "No endpoint yet"]);
    assert_eq!(browser.get(&page).await.status, 404);
}

async fn what_is_wrong_is_told_beside_its_field(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let page = with_receiver(&browser, "Shop", "events").await;
    for path in [NEW.to_owned(), format!("{page}/edit")] {
        for (field, fields) in [
            ("name", vec![("name", "  "), ("to", "receiver"), ("format", "events")]),
            ("url", vec![("name", "A"), ("to", "url"), ("url", "nonsense"), ("format", "events")]),
        ] {
            let answer = browser.post(&path, &fields).await;
            assert_eq!(answer.status, 422, "{path} {field}");
            assert!(answer.text.contains("<title>Problem: "));
            assert!(
                answer.tag_with(&format!("name=\"{field}\"")).unwrap().contains("aria-invalid=\"true\""),
                "{field}"
            );
        }
        let answer = browser
            .post(&path, &[("name", "A"), ("to", "receiver"), ("format", "events"), ("which_kinds", "some")])
            .await;
        assert_eq!(answer.status, 422);
        says(&answer, &["Choose at least one, or everything."]);
    }
    let long = "x".repeat(81);
    let answer = browser.post(NEW, &[("name", &long), ("to", "receiver"), ("format", "events")]).await;
    assert!(answer.status == 422 && answer.tag_with("name=\"name\"").unwrap().contains("aria-invalid"));
    let odd = browser.post(NEW, &[("name", "A"), ("to", "receiver"), ("format", "xml")]).await;
    assert_eq!(odd.status, 422);
    assert_eq!(world.number("SELECT count(*) AS n FROM endpoints", "n").await, Some(1));
}
