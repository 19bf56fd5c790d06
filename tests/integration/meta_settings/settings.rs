//! Settings: saved, kept, fixed by the environment, counting at once and everywhere.

use super::*;
use doorway::{config::Config, store::query};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::net::TcpListener;

on_both_engines!(
    what_is_saved_counts_at_once,
    what_the_environment_sets_wins,
    the_old_secret_is_taken_for_a_while,
    a_check_of_what_no_longer_counts_is_not_kept,
    another_process_learns_of_it,
    two_admins_do_not_overwrite_each_other,
    what_is_wrong_is_told_beside_its_field,
    support_and_customers_do_not_see_it,
);

/// Posts a webhook that is signed with this secret.
async fn webhook(portal: &Browser, secret: &str) -> u16 {
    let body = json!({"object": "whatsapp_business_account", "entry": []}).to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    let request = portal.request(Method::POST, "/webhooks/whatsapp").header("x-hub-signature-256", signature);
    portal.send(request.header("content-type", "application/json").body(body)).await.status.as_u16()
}

async fn what_is_saved_counts_at_once(db: Database) {
    let world = empty(db).await;
    let (admin, customer) = (world.staff(Role::Admin).await, world.customer("Harbour Bakery").await);
    says(&customer.get("/connect").await, &["Connecting is not possible yet"]);
    let unconfigured = admin.get("/connect").await;
    assert!(unconfigured.text.contains("href=\"/backoffice/settings\""), "{}", unconfigured.words());
    assert_eq!(webhook(&customer, APP_SECRET).await, 401);

    let before = admin.get(PATH).await;
    says(
        &before,
        &["Not checked yet", "Valid OAuth redirect URI", "/auth/whatsapp/callback", "ends in …", "plain OAuth"],
    );
    let token =
        before.text.split("data-copy=\"").map(|rest| rest.split('"').next().unwrap()).last().unwrap().to_owned();
    assert_eq!(token.len(), 43, "a verify token is proposed, to copy: {token}");
    let saved = save(&admin, &right()).await;
    assert_eq!(saved.location(), "/backoffice/settings#check");
    let after = admin.get(PATH).await;
    says(&after, &["Saved. The check:", "Kept, ends in …cdef", "Kept, ends in …6789"]);
    for page in admin.pages() {
        assert!(!page.contains(APP_SECRET) && !page.contains(SYSTEM_TOKEN), "a secret is never shown");
    }
    assert_eq!(line(&after, "app.credentials").0, "green");
    assert_eq!(webhook(&customer, APP_SECRET).await, 200);
    world.connect(&customer, &[]).await;
    assert_eq!(line(&check(&admin).await, "es_config").0, "green", "a customer has come through it");

    // Left empty, secrets stay; nothing changed is told.
    let mut same: Vec<_> = right();
    same.retain(|(name, _)| !["app_secret", "system_token"].contains(name));
    assert_eq!(save(&admin, &same).await.location(), PATH);
    says(&admin.get(PATH).await, &["Nothing was changed"]);
    same.push(("remove_system_token", "yes".to_owned()));
    save(&admin, &same).await;
    let page = admin.get(PATH).await;
    assert_eq!(line(&page, "token").0, "amber");
    assert_eq!(line(&page, "app.credentials").0, "green");

    let sealed = world.column("SELECT app_secret_sealed FROM meta_settings", "app_secret_sealed").await.unwrap();
    assert!(sealed.starts_with("v1.") && !sealed.contains(APP_SECRET));
    let detail = "SELECT detail FROM audit_log WHERE action = 'meta.settings_changed' ORDER BY id LIMIT 1";
    let detail = world.column(detail, "detail").await.unwrap();
    assert_eq!(detail, "app_id es_config_id business_id app_secret system_token");
    assert_eq!(audit_count(&world, "meta.settings_changed").await, 2);
    assert_eq!(audit_count(&world, "meta.check_run").await, 1, "only what was asked for");
}

async fn what_the_environment_sets_wins(db: Database) {
    let world = World::start(db).await;
    let admin = world.staff(Role::Admin).await;
    let page = admin.get(PATH).await;
    for name in ["META_APP_ID", "META_APP_SECRET", "META_ES_CONFIG_ID", "META_VERIFY_TOKEN", "META_SYSTEM_TOKEN"] {
        says(&page, &[&format!("DOORWAY_{name}")]);
    }
    assert!(!page.text.contains(APP_SECRET));
    assert_eq!(page.words().matches(VERIFY_TOKEN).count(), 1, "to paste at Meta, and nowhere else");
    let mut other = and(with("app_id", "999"), "app_secret", "ffffffffffffffffffffffffffffffff");
    other.retain(|(name, _)| *name != "business_id");
    assert_eq!(save(&admin, &other).await.location(), PATH);
    says(&admin.get(PATH).await, &["Nothing was changed"]);
    assert_eq!(webhook(&admin, APP_SECRET).await, 200);
    // What it does not set is the admin's.
    save(&admin, &[("business_id", BUSINESS_ID.to_owned())]).await;
    assert_eq!(line(&admin.get(PATH).await, "business").0, "green");
}

const NEW_SECRET: &str = "abcdefabcdefabcdefabcdefabcdefab";

async fn the_old_secret_is_taken_for_a_while(db: Database) {
    let world = empty(db).await;
    let admin = world.staff(Role::Admin).await;
    save(&admin, &right()).await;
    save(&admin, &with("app_secret", NEW_SECRET)).await;
    let page = admin.get(PATH).await;
    says(&page, &["The old App Secret is still taken for webhooks", "in 1 day"]);
    for (secret, status) in [(NEW_SECRET, 200), (APP_SECRET, 200), ("neither", 401)] {
        assert_eq!(webhook(&admin, secret).await, status, "{secret}");
    }
    world.advance(24 * 3_600 + 60);
    assert_eq!((webhook(&admin, NEW_SECRET).await, webhook(&admin, APP_SECRET).await), (200, 401));
    assert!(!admin.get(PATH).await.words().contains("The old App Secret is still taken"));

    // The check has found the new one wrong: it is not worth keeping.
    assert_eq!(save(&admin, &right()).await.status, 303);
    assert_eq!((webhook(&admin, APP_SECRET).await, webhook(&admin, NEW_SECRET).await), (200, 401));
    // For another time, and ended by hand.
    let mut form = with("app_secret", NEW_SECRET);
    form.push(("keep_old_hours", "168".to_owned()));
    save(&admin, &form).await;
    says(&admin.get(PATH).await, &["in 7 days"]);
    assert_eq!(webhook(&admin, APP_SECRET).await, 200);
    admin.post("/backoffice/settings/old-secret", &[]).await;
    assert_eq!(webhook(&admin, APP_SECRET).await, 401);
    let left = "SELECT count(*) AS n FROM meta_settings WHERE old_secret_sealed IS NOT NULL";
    assert_eq!(world.number(left, "n").await, Some(0));
    assert_eq!(audit_count(&world, "meta.old_secret_stopped").await, 1);
}

async fn a_check_of_what_no_longer_counts_is_not_kept(db: Database) {
    let world = empty(db).await;
    let admin = world.staff(Role::Admin).await;
    save(&admin, &with("app_secret", NEW_SECRET)).await;
    assert_eq!(line(&admin.get(PATH).await, "app.credentials").0, "red", "Meta has another");
    // It ends after the right secret was saved and checked.
    world.meta.fault("graph_slow_2s", Some(1), None).await;
    let before = world.meta.calls().len();
    let slow = async { admin.post("/backoffice/settings/check", &[]).await };
    let quick = async {
        eventually("the check to ask", || async { (world.meta.calls().len() > before).then_some(()) }).await;
        save(&admin, &right()).await
    };
    let (slow, saved) = tokio::join!(slow, quick);
    assert_eq!((slow.status, saved.status), (StatusCode::SEE_OTHER, StatusCode::SEE_OTHER));
    assert_eq!(line(&admin.get(PATH).await, "app.credentials").0, "green");
    // So this one is known to be right, and worth keeping.
    save(&admin, &with("app_secret", NEW_SECRET)).await;
    says(&admin.get(PATH).await, &["The old App Secret is still taken for webhooks"]);
}

async fn another_process_learns_of_it(db: Database) {
    let mut kept: Option<Config> = None;
    let world = World::with(db, |config| {
        nothing_set(config);
        kept = Some(config.clone());
    })
    .await;
    let mut config = kept.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    config.public_url = format!("http://localhost:{}", listener.local_addr().unwrap().port()).parse().unwrap();
    let other = Portal::serve(&config, world.portal.store.clone(), world.clock.clone(), listener).await;
    let other = Browser::new(&other.url);
    assert_eq!(webhook(&other, APP_SECRET).await, 401);
    save(&world.staff(Role::Admin).await, &right()).await;
    eventually("the other process to take the new secret", || async {
        (webhook(&other, APP_SECRET).await == 200).then_some(())
    })
    .await;
}

async fn two_admins_do_not_overwrite_each_other(db: Database) {
    let world = empty(db).await;
    let (one, two) = (world.staff(Role::Admin).await, world.staff(Role::Admin).await);
    let old = version(&two.get(PATH).await);
    save(&one, &right()).await;
    let mut late = with("es_config_id", "777");
    late.push(("keep_old_hours", "24".to_owned()));
    let refused = send(&two, &old, &late).await;
    assert_eq!(refused.status, 422);
    says(
        &refused,
        &["Changed meanwhile", "enter those that you typed once more", &format!("Saved meanwhile: {CONFIG_ID}")],
    );
    assert!(refused.text.contains("value=\"777\"") && !refused.text.contains(APP_SECRET));
    assert!(refused.text.contains("<title>Problem: "));
    assert_eq!(
        world.column("SELECT es_config_id FROM meta_settings", "es_config_id").await.as_deref(),
        Some(CONFIG_ID)
    );
    let again = send(&two, &version(&refused), &late).await;
    assert_eq!(again.location(), "/backoffice/settings#check");
    assert_eq!(world.column("SELECT es_config_id FROM meta_settings", "es_config_id").await.as_deref(), Some("777"));
}

async fn what_is_wrong_is_told_beside_its_field(db: Database) {
    let world = empty(db).await;
    let admin = world.staff(Role::Admin).await;
    let form = and(with("app_id", APP_SECRET), "graph_version", "next");
    let refused = save(&admin, &form).await;
    assert_eq!(refused.status, 422);
    says(
        &refused,
        &["Nothing was saved yet", "This looks like the App Secret.", "enter those that you typed once more"],
    );
    assert!(refused.tag_with("id=\"app_id\"").unwrap().contains("aria-invalid=\"true\""));
    assert!(refused.text.contains(&format!("value=\"{CONFIG_ID}\"")), "what was typed is still there");
    assert_eq!(world.number("SELECT count(*) AS n FROM meta_settings WHERE app_id IS NOT NULL", "n").await, Some(0));
    // With a space around it, as it comes from the clipboard.
    assert_eq!(save(&admin, &with("app_id", &format!(" {APP_ID}\n"))).await.status, 303);
    assert_eq!(line(&admin.get(PATH).await, "app.credentials").0, "green");
    // A field that the form never sends is left as it is by nobody's mistake: the App ID can't be emptied.
    says(&save(&admin, &with("app_id", "")).await, &["Enter the App ID"]);
}

async fn support_and_customers_do_not_see_it(db: Database) {
    let world = empty(db).await;
    for browser in [world.staff(Role::Support).await, world.customer("Harbour Bakery").await] {
        for path in [PATH, "/backoffice", "/backoffice/go-live"] {
            assert_eq!(browser.get(path).await.status, 404, "{path}");
        }
        assert_eq!(browser.post(PATH, &[("app_id", "1")]).await.status, 404);
    }
    let mut tx = world.portal.store.write().await.unwrap();
    let rows = query("DELETE FROM meta_settings WHERE app_id IS NOT NULL").execute(&mut tx).await.unwrap();
    assert_eq!(rows, 0, "nothing was set");
}
