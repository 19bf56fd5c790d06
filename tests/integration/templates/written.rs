//! Templates that somebody writes: made, reviewed, edited, copied, deleted.

use super::*;

on_both_engines!(
    one_is_made_rejected_edited_and_approved,
    an_approved_one_is_edited_once_a_day,
    one_language_or_all_are_deleted,
    buttons_come_and_go_without_a_script,
    a_code_has_metas_text,
    a_code_keeps_what_it_had,
    nothing_typed_is_lost_when_meta_does_not_answer,
);

pub(super) const ORDER: [(&str, &str); 10] = [
    ("action", "send"),
    ("name", "order_ready"),
    ("category", "UTILITY"),
    ("language", "en_US"),
    ("header", "text"),
    ("header_text", "Your order"),
    ("body", "Hello {{1}}, your order {{2}} waits for you at our shop."),
    ("footer", "Harbour Bakery"),
    ("sample_key", "body:1"),
    ("sample_value", "Pablo"),
];

/// A form with other values.
pub(super) fn form<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields: Vec<(&str, &str)> =
        ORDER.into_iter().filter(|(key, _)| !changes.iter().any(|(other, _)| other == key)).collect();
    if !changes.iter().any(|(key, _)| *key == "sample_key") {
        fields.extend([("sample_key", "body:2"), ("sample_value", "860198")]);
    }
    fields.extend_from_slice(changes);
    fields
}

/// Waits until a template's page says so.
async fn becomes(browser: &Browser, at: &str, status: &str) -> Page {
    eventually(status, || async {
        let page = browser.get(at).await;
        (page.attribute("data-status").as_deref() == Some(status)).then_some(page)
    })
    .await
}

async fn one_is_made_rejected_edited_and_approved(db: Database) {
    let world = World::start(db).await;
    let (browser, list, _) = connected(&world).await;
    browser.get(&format!("{list}/new")).await;
    let body = "Hello {{1}}, please answer with your card number for order {{2}}.";
    let made = browser.post(&format!("{list}/new"), &form(&[("body", body)])).await;
    assert_eq!(made.status, 303, "{}", made.words());
    let template = made.location().to_owned();
    let pending = browser.get(&template).await;
    assert_eq!(pending.attribute("data-status").as_deref(), Some("PENDING"), "{}", pending.words());
    let rejected = becomes(&browser, &template, "REJECTED").await;
    assert!(rejected.words().contains("attempt at fraud"), "{}", rejected.words());
    let edit = format!("{template}/edit");
    let shown = browser.get(&edit).await;
    assert!(shown.text.contains("please answer with your card number"), "{}", shown.words());
    assert!(shown.text.contains("value=\"860198\""), "examples are there");
    let edited = browser.post(&edit, &form(&[])).await;
    assert_eq!(edited.status, 303, "{}", edited.words());
    let approved = becomes(&browser, &template, "APPROVED").await;
    assert!(approved.words().contains("waits for you at our shop"), "{}", approved.words());
    assert!(!approved.words().contains("attempt at fraud"));
    // Who did it is on the audit log.
    let acts = "SELECT count(*) AS n FROM audit_log WHERE action IN ('template.created', 'template.edited')";
    assert_eq!(world.number(acts, "n").await, Some(2));
}

async fn an_approved_one_is_edited_once_a_day(db: Database) {
    let world = World::start(db).await;
    let (browser, list, _) = connected(&world).await;
    browser.get(&format!("{list}/new")).await;
    let made = browser.post(&format!("{list}/new"), &form(&[])).await;
    let template = made.location().to_owned();
    assert!(browser.get(&template).await.words().contains("Meta lets only approved, rejected and paused"));
    becomes(&browser, &template, "APPROVED").await;
    let edit = format!("{template}/edit");
    assert!(browser.get(&edit).await.words().contains("It is approved as a utility template"));
    // The category of an approved one stays, whatever a form says.
    let words = "Hello {{1}}, your order {{2}} is ready, and our shop is open until six.";
    let edited = browser.post(&edit, &form(&[("body", words), ("category", "MARKETING")])).await;
    assert_eq!(edited.status, 303, "{}", edited.words());
    let approved = becomes(&browser, &template, "APPROVED").await;
    assert!(
        approved.words().contains("open until six") && approved.words().contains("Utility"),
        "{}",
        approved.words()
    );
    assert!(approved.words().contains("can be edited once in 24 hours"), "{}", approved.words());
    // Opened, it leads to the page that says so; from a tab that was open, what was typed stays.
    assert_eq!(browser.get(&edit).await.location(), template);
    let early =
        browser.post(&edit, &form(&[("body", "Hello {{1}}, your order {{2}} is ready, and all is well.")])).await;
    assert_eq!(early.status, 422);
    says(&early, &["can be edited once in 24 hours", "and all is well"]);
    world.advance(25 * 3_600);
    assert_eq!(browser.get(&edit).await.status, 200);
}

async fn one_language_or_all_are_deleted(db: Database) {
    let world = World::start(db).await;
    let (browser, list, _) = connected(&world).await;
    browser.get(&format!("{list}/new")).await;
    let made = browser.post(&format!("{list}/new"), &form(&[])).await;
    let english = made.location().to_owned();
    becomes(&browser, &english, "APPROVED").await;
    // Another language begins with the words of the first.
    let id = english.rsplit('/').next().unwrap().to_owned();
    let copy = browser.get(&format!("{list}/new?from={id}&to=language")).await;
    assert!(copy.text.contains("order_ready") && copy.text.contains("waits for you"), "{}", copy.words());
    let same = browser.post(&format!("{list}/new"), &form(&[])).await;
    assert!(same.status == 422 && same.words().contains("in this language already"), "{}", same.words());
    let words = "Hallo {{1}}, Ihre Bestellung {{2}} liegt in unserem Laden bereit.";
    for language in ["de", "fr"] {
        let made = browser.post(&format!("{list}/new"), &form(&[("language", language), ("body", words)])).await;
        assert_eq!(made.status, 303, "{}", made.words());
    }
    let names = "SELECT count(*) AS n FROM message_templates WHERE name = 'order_ready'";
    assert_eq!(world.number(names, "n").await, Some(3));
    let asked = browser.get(&format!("{english}/delete")).await;
    assert!(asked.words().contains("All 3 languages") && asked.words().contains("30 days"), "{}", asked.words());
    let deleted = browser.post(&format!("{english}/delete"), &[("which", "one")]).await;
    assert_eq!(deleted.status, 303, "{}", deleted.words());
    assert_eq!(world.number(names, "n").await, Some(2));
    let german = "SELECT template_id AS id FROM message_templates WHERE language = 'de'";
    let german = format!("{list}/{}", world.column(german, "id").await.unwrap());
    becomes(&browser, &german, "APPROVED").await;
    browser.get(&format!("{german}/delete")).await;
    let deleted = browser.post(&format!("{german}/delete"), &[("which", "all")]).await;
    assert_eq!(deleted.status, 303, "{}", deleted.words());
    assert_eq!(world.number(names, "n").await, Some(0));
    browser.get(&format!("{list}/new")).await;
    let again = browser.post(&format!("{list}/new"), &form(&[])).await;
    assert!(again.status == 422 && again.words().contains("blocked for 30 more days"), "{}", again.words());
}

async fn buttons_come_and_go_without_a_script(db: Database) {
    let world = World::start(db).await;
    let (browser, list, _) = connected(&world).await;
    browser.get(&format!("{list}/new")).await;
    let new = format!("{list}/new");
    let added = browser.post(&new, &form(&[("action", "add:URL")])).await;
    assert_eq!(added.status, 200);
    assert!(added.text.contains("name=\"button_kind\" value=\"URL\"") && added.text.contains("waits for you"));
    let url = [
        ("button_kind", "URL"),
        ("button_text", "Track"),
        ("button_value", "https://shop.example/{{1}}"),
        ("button_sample", ""),
    ];
    let reply =
        [("button_kind", "QUICK_REPLY"), ("button_text", "Thanks"), ("button_value", ""), ("button_sample", "")];
    let rows = [url, reply].concat();
    let missing = browser.post(&new, &form(&rows)).await;
    assert!(
        missing.status == 422 && missing.words().contains("an example of what stands for {{1}}"),
        "{}",
        missing.words()
    );
    let mut up = rows.clone();
    up.push(("action", "up:1"));
    let moved = browser.post(&new, &form(&up)).await;
    let at = |text: &str| moved.text.find(text).unwrap();
    assert!(at("value=\"Thanks\"") < at("value=\"Track\""), "{}", moved.words());
    let mut complete = rows;
    complete[3].1 = "42";
    let made = browser.post(&new, &form(&complete)).await;
    assert_eq!(made.status, 303, "{}", made.words());
    assert!(browser.get(made.location()).await.words().contains("Track"));
}

async fn a_code_has_metas_text(db: Database) {
    let world = World::start(db).await;
    let (browser, list, _) = connected(&world).await;
    browser.get(&format!("{list}/new")).await;
    let code = |minutes: &'static str| {
        form(&[("name", "sign_in"), ("category", "AUTHENTICATION"), ("warns", "yes"), ("minutes", minutes)])
    };
    let wrong = browser.post(&format!("{list}/new"), &code("99")).await;
    assert!(wrong.status == 422 && wrong.words().contains("from 1 to 90"), "{}", wrong.words());
    let mut app = code("10");
    app.extend([("package", "shop"), ("hash", "K8a/AINcGX7")]);
    let wrong = browser.post(&format!("{list}/new"), &app).await;
    assert!(wrong.status == 422 && wrong.words().contains("package name as Android knows it"), "{}", wrong.words());
    let made = browser.post(&format!("{list}/new"), &code("10")).await;
    assert_eq!(made.status, 303, "{}", made.words());
    let approved = becomes(&browser, made.location(), "APPROVED").await;
    assert!(approved.words().contains("verification code"), "{}", approved.words());
    eventually("its words are read", || async {
        let page = browser.get(made.location()).await;
        page.words().contains("This code expires in 10 minutes.").then_some(())
    })
    .await;
}

async fn a_code_keeps_what_it_had(db: Database) {
    let world = World::start(db).await;
    let (browser, list, waba) = connected(&world).await;
    control(&world, json!({"waba_id": waba, "make": 1})).await;
    let app = json!({"package_name": "com.example.shop", "signature_hash": "K8a/AINcGX7"});
    let listed = async |button: Value| {
        let components = json!([{"type": "BODY", "text": "您的验证码是 *{{1}}*。为了您的安全，请勿分享。"},
            {"type": "BUTTONS", "buttons": [button]}]);
        let change = json!({"name": "order_confirmation_0001", "category": "AUTHENTICATION", "status": "APPROVED",
            "components": components, "told": false});
        control(&world, change).await;
        read_all(&world, &browser, &list).await;
        let id = world.column("SELECT template_id FROM message_templates", "template_id").await.unwrap();
        format!("{list}/{id}")
    };
    // What the form can't say is not edited away.
    let zero = json!({"type": "OTP", "otp_type": "ZERO_TAP", "text": "复制", "supported_apps": [app]});
    let template = listed(zero).await;
    assert!(browser.get(&template).await.words().contains("It has parts that can’t be edited here"));
    let edit = format!("{template}/edit");
    assert_eq!(browser.get(&edit).await.status, 409);
    let one =
        json!({"type": "OTP", "otp_type": "ONE_TAP", "text": "复制", "autofill_text": "填入", "supported_apps": [app]});
    listed(one.clone()).await;
    let shown = browser.get(&edit).await;
    assert_eq!(shown.status, 200);
    let warns = shown.text.split("name=\"warns\"").nth(1).unwrap().split('>').next().unwrap();
    assert!(warns.contains("checked"), "the warning is there in any language: {warns}");
    world.meta.forget_calls();
    let fields = [("action", "send"), ("warns", "yes"), ("package", "com.example.shop"), ("hash", "K8a/AINcGX7")];
    let edited = browser.post(&edit, &fields).await;
    assert_eq!(edited.status, 303, "{}", edited.words());
    let calls = world.meta.calls();
    let sent = calls.iter().find(|call| call.method == Method::POST).unwrap();
    let sent: Value = serde_json::from_str(&sent.body).unwrap();
    let button = sent["components"].as_array().unwrap().last().unwrap()["buttons"][0].clone();
    assert_eq!(button, one, "{sent}");
}

async fn nothing_typed_is_lost_when_meta_does_not_answer(db: Database) {
    let world = World::start(db).await;
    let (browser, list, _) = connected(&world).await;
    eventually("the first reading is over", || async { (states(&world).await == Some(0)).then_some(()) }).await;
    browser.get(&format!("{list}/new")).await;
    world.meta.fault("graph_500", None, Some("message_templates")).await;
    let failed = browser.post(&format!("{list}/new"), &form(&[])).await;
    assert_eq!(failed.status, 422);
    assert!(failed.words().contains("Meta had trouble") && failed.text.contains("waits for you"), "{}", failed.words());
    world.meta.mend().await;
    assert_eq!(browser.post(&format!("{list}/new"), &form(&[])).await.status, 303);
}
