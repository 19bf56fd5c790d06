//! Left on a screen, or stopped by an error that Facebook showed.

use super::*;

on_both_engines!(each_abandoned_screen_has_words_of_its_own, errors_that_facebook_reports);

const SCREENS: [&str; 6] = [
    "BUSINESS_ACCOUNT_SELECTION",
    "WABA_PHONE_PROFILE_PICKER",
    "WHATSAPP_BUSINESS_PROFILE_SETUP",
    "PHONE_NUMBER_SETUP",
    "PHONE_NUMBER_VERIFICATION",
    "PERMISSIONS",
];

async fn each_abandoned_screen_has_words_of_its_own(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let mut headings = std::collections::BTreeSet::new();
    for screen in SCREENS {
        let attempt = browser.begin().await;
        let signup = world.meta.signup(&[&format!("cancel:{screen}")]).await;
        attempt.bring_all(&signup).await;
        let page = attempt.ends("failed", "cancelled").await;
        says(&page, &["What to do", "Continue with Facebook"]);
        assert!(page.heading().starts_with("You stopped before"), "{screen}: {}", page.heading());
        headings.insert(page.heading());
        assert!(!page.text.contains("{op}"));
    }
    assert_eq!(headings.len(), SCREENS.len(), "{headings:?}");
    // Trying again is one click: a new attempt, and nothing of the old ones is in its way.
    world.connect(&browser, &[]).await;
}

async fn errors_that_facebook_reports(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    for scenario in ["error_reported", "error_event"] {
        let attempt = browser.begin().await;
        let signup = world.meta.signup(&[scenario]).await;
        attempt.bring_all(&signup).await;
        let page = attempt.ends("failed", "facebook_error").await;
        let data = &signup["event"]["data"];
        // What the customer saw, and what Meta's support will ask for.
        says(&page, &["error_message", "error_id", "session_id"].map(|name| data[name].as_str().unwrap()));
    }
    let shown = [
        ("Acme can't onboard customers right now", "operator_not_verified", "can’t take on new customers right now"),
        ("Invalid Scopes: business_management", "invalid_scopes", "A setting at Test Operator does not fit"),
    ];
    for (text, reason, words) in shown {
        let attempt = browser.begin().await;
        let event =
            json!({"type": "WA_EMBEDDED_SIGNUP", "event": "CANCEL", "data": {"error_message": text}, "version": 3});
        attempt.event(&json!({ "event": event })).await;
        attempt.closed().await;
        let page = attempt.ends("failed", reason).await;
        says(&page, &[words]);
        assert!(page.text.contains("mailto:help@operator.example"), "only the operator can help");
    }
}
