//! Plain OAuth: out to the full-page dialog and back, then the customer types the account's ID.

use super::*;
use url::Url;

on_both_engines!(
    the_dialog_gets_state_and_the_exact_redirect_uri,
    the_answer_counts_once_and_only_for_its_own_person,
    a_refusal_in_the_dialog,
    the_typed_id_is_proven_before_it_is_saved,
);

fn param(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Out to the dialog: its address.
async fn start(browser: &Browser) -> Url {
    let page = browser.get("/connect").await;
    says(&page, &["Continue with Facebook", "WhatsApp Business account ID"]);
    browser.post("/connect/oauth", &[]).await.location().parse().unwrap()
}

/// The customer agrees; where Facebook leads back to.
async fn agree(world: &World, dialog: &Url) -> (String, Value) {
    let body = json!({"plain": true, "redirect_uri": param(dialog, "redirect_uri"), "scope": param(dialog, "scope")});
    let signup = world.meta.signup_of(body).await;
    let state = param(dialog, "state").unwrap();
    (format!("/auth/whatsapp/callback?code={}&state={state}", signup["code"].as_str().unwrap()), signup)
}

async fn the_dialog_gets_state_and_the_exact_redirect_uri(db: Database) {
    let world = World::plain(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let dialog = start(&browser).await;
    assert_eq!(dialog.path(), "/v25.0/dialog/oauth");
    assert_eq!(dialog.origin(), world.meta.url.origin());
    assert_eq!(param(&dialog, "response_type").as_deref(), Some("code"));
    let callback = world.portal.url.join("/auth/whatsapp/callback").unwrap();
    assert_eq!(param(&dialog, "redirect_uri").as_deref(), Some(callback.as_str()));
    assert_eq!(
        param(&dialog, "scope").as_deref(),
        Some("whatsapp_business_management,whatsapp_business_messaging"),
        "with commas, and never business_management"
    );
    let (first, second) = (param(&dialog, "state").unwrap(), param(&start(&browser).await, "state").unwrap());
    assert!(first.len() >= 43 && first != second);
    let kept = world.column("SELECT min(state_hash) AS state FROM signup_attempts", "state").await.unwrap();
    assert!(kept != first && kept != second && kept.len() == 64, "only its hash is kept");
}

async fn the_answer_counts_once_and_only_for_its_own_person(db: Database) {
    let world = World::plain(db).await;
    let (browser, other) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    let (callback, _) = agree(&world, &start(&browser).await).await;
    // Sent to the victim, it would connect the attacker's account to the victim's company.
    let foreign = other.get(&callback).await;
    assert_eq!(foreign.status, 400);
    says(&foreign, &["belongs to another browser"]);
    assert_eq!(browser.get("/auth/whatsapp/callback?code=AQx&state=wrong").await.status, 400);
    assert_eq!(browser.get("/auth/whatsapp/callback?code=AQx").await.status, 400);
    let anonymous = world.anonymous().get(&callback).await;
    assert!(anonymous.location().starts_with("/signin?next="));
    let attempt = browser.attempt_at(browser.get(&callback).await.location());
    assert!(!attempt.url.contains("code"), "the code stays in no address");
    attempt.ends("choose", "waba_id_needed").await;
    assert_eq!(browser.get(&callback).await.status, 400, "used");
    let exchange = world.meta.called("access_token").await;
    let redirect = world.portal.url.join("/auth/whatsapp/callback").unwrap();
    assert_eq!(exchange.in_form("redirect_uri").as_deref(), Some(redirect.as_str()), "the dialog's, exactly");
}

async fn a_refusal_in_the_dialog(db: Database) {
    let world = World::plain(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let answers = [
        ("error=access_denied&error_description=Permissions+error", "denied", "You did not agree on Facebook"),
        (
            "error=invalid_scope&error_description=Invalid+Scopes%3A+x",
            "invalid_scopes",
            "refused Test Operator’s request",
        ),
        ("error=server_error&error_description=Try+%3Cb%3Elater", "facebook_error", "Try <b>later"),
        ("nothing=1", "code_missing", "Facebook’s answer did not arrive"),
    ];
    for (query, reason, words) in answers {
        let state = param(&start(&browser).await, "state").unwrap();
        let back = browser.get(&format!("/auth/whatsapp/callback?{query}&state={state}")).await;
        let page = browser.attempt_at(back.location()).ends("failed", reason).await;
        says(&page, &[words]);
        assert!(!page.text.contains("<b>later"), "what comes from outside is escaped");
    }
}

async fn the_typed_id_is_proven_before_it_is_saved(db: Database) {
    let world = World::plain(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let dialog = start(&browser).await;
    let (callback, signup) = agree(&world, &dialog).await;
    // Made after the grant, so the token does not open it.
    let foreign = id(&world.meta.signup(&[]).await, "waba_ids", 0);
    let attempt = browser.attempt_at(browser.get(&callback).await.location());
    says(&attempt.ends("choose", "waba_id_needed").await, &["Where to find it", "business.facebook.com"]);
    let url = format!("{}/waba", attempt.url);
    for malformed in ["12 34x", "", "1/../me"] {
        let page = browser.post(&url, &[("waba_id", malformed)]).await;
        assert_eq!(page.status, 422);
        says(&page, &["The ID has digits only"]);
        let field = page.tag_with("id=\"waba-id\"").unwrap();
        assert!(
            field.contains(&format!("value=\"{malformed}\"")) && field.contains("aria-invalid=\"true\""),
            "{field}"
        );
    }
    assert_eq!(browser.post(&url, &[("waba_id", &foreign)]).await.location(), attempt.url);
    let page = attempt.ends("choose", "waba_id_needed").await;
    says(&page, &["Facebook does not let us use this account"]);
    assert!(page.tag_with("id=\"waba-id\"").unwrap().contains(&format!("value=\"{foreign}\"")), "what was typed stays");
    assert_eq!(world.number("SELECT count(*) AS n FROM wabas", "n").await, Some(0));
    let right = id(&signup, "waba_ids", 0);
    browser.post(&url, &[("waba_id", &format!(" {right} "))]).await;
    attempt.is_done().await;
    assert_eq!(world.column("SELECT waba_id FROM wabas", "waba_id").await, Some(right));
}
