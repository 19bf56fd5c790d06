//! `doorway doctor`: what is wrong, and how to mend it.

use super::*;
use doorway::base::sealed::KeyRing;

on_both_engines!(
    a_good_set_up,
    what_is_wrong_at_meta,
    what_an_admin_saved_is_checked,
    keys_that_do_not_open,
    a_wrong_configuration
);

fn has(finished: &Finished, lines: &[&str]) {
    for line in lines {
        assert!(finished.stdout.contains(line), "{line:?} is not in:\n{}", finished.stdout);
    }
    for secret in [APP_SECRET, SYSTEM_TOKEN, VERIFY_TOKEN] {
        assert!(!finished.stdout.contains(secret) && !finished.stderr.contains(secret), "{finished:?}");
    }
}

async fn a_good_set_up(db: Database) {
    let process = Process::new(db).await;
    let before = process.run(&["doctor"], "").await;
    has(&before, &["warning  the database is not migrated yet", "doorway migrate"]);
    process.run(&["migrate"], "").await;
    let good = process.run(&["doctor"], "").await;
    assert_eq!(good.status.code(), Some(0), "{}", good.stdout);
    assert!(!good.stdout.contains("WRONG") && !good.stdout.contains("warning"), "{}", good.stdout);
    has(
        &good,
        &[
            "ok       the configuration can be read",
            "App ID and App Secret belong together: Test Operator",
            CONFIG_ID,
            "ok       webhooks come to",
            "ok       the needed webhook fields are subscribed",
            "ok       a system token is set",
            "ok       the SDK's script is there",
            "ok       all 0 stored secrets open with the current key",
        ],
    );
}

async fn what_is_wrong_at_meta(db: Database) {
    let mut process = Process::new(db).await;
    process.run(&["migrate"], "").await;
    process.set("META_APP_SECRET", "ffffffffffffffffffffffffffffffff");
    let secret = process.run(&["doctor"], "").await;
    assert_eq!(secret.status.code(), Some(1));
    has(&secret, &["WRONG    Meta refuses App ID and App Secret", "copy both once more"]);
    process.set("META_APP_SECRET", APP_SECRET);

    let all = process.settings.clone();
    for name in ["META_ES_CONFIG_ID", "META_SYSTEM_TOKEN", "META_VERIFY_TOKEN"] {
        process.unset(name);
    }
    let less = process.run(&["doctor"], "").await;
    assert_eq!(less.status.code(), Some(0), "it works, but: {}", less.stdout);
    has(&less, &["warning  no Embedded Signup configuration is set", "warning  no system token is set"]);
    has(&less, &["warning  no verify token is set", "DOORWAY_META_VERIFY_TOKEN"]);
    process.settings = all;

    // Taken off in the App Dashboard.
    let app = process.settings["DOORWAY_META_APP_ID"].clone();
    let http = Browser::new(&process.meta.url);
    let path = format!("/v25.0/{app}/subscriptions?object=whatsapp_business_account");
    let token = format!("{app}|{APP_SECRET}");
    let taken = http.send(http.request(Method::DELETE, &path).bearer_auth(token)).await;
    assert_eq!(taken.status, 200, "{}", taken.text);
    let webhooks = process.run(&["doctor"], "").await;
    assert_eq!(webhooks.status.code(), Some(1));
    has(&webhooks, &["WRONG    the app has no webhook subscription", "/webhooks/whatsapp, your verify token"]);

    process.meta.fault("graph_500", None, None).await;
    has(&process.run(&["doctor"], "").await, &["WRONG    Meta does not answer", "try again"]);
    process.meta.mend().await;

    process.unset("META_APP_ID");
    let none = process.run(&["doctor"], "").await;
    assert_eq!(none.status.code(), Some(1));
    has(&none, &["WRONG    App ID and App Secret are not set: nobody can connect", "DOORWAY_META_APP_ID"]);
}

async fn what_an_admin_saved_is_checked(db: Database) {
    let mut process = Process::new(db).await;
    for name in ["APP_ID", "APP_SECRET", "ES_CONFIG_ID", "VERIFY_TOKEN", "SYSTEM_TOKEN"] {
        process.unset(&format!("META_{name}"));
    }
    process.launch().await;
    let created =
        process.run(&["user", "create", "ada@operator.example", "--role", "admin"], "a long enough password\n");
    assert_eq!(created.await.status.code(), Some(0));
    process.set("STAFF_TOTP", "false");
    let admin = Browser::new(&process.url);
    process.terminate().await;
    process.launch().await;
    assert_eq!(admin.sign_in("ada@operator.example", "a long enough password").await.status, 303);
    let page = admin.get("/backoffice/settings").await;
    let version = page.tag_with("name=\"version\"").unwrap().split('"').nth(5).unwrap().to_owned();
    let form = [("version", version.as_str()), ("app_id", APP_ID), ("app_secret", APP_SECRET)];
    assert_eq!(admin.post("/backoffice/settings", &form).await.status, 303);
    process.terminate().await;
    let doctor = process.run(&["doctor"], "").await;
    has(&doctor, &["ok       App ID and App Secret belong together: Test Operator", "ok       a verify token is set"]);
    has(&doctor, &["ok       all 2 stored secrets open with the current key"]);
}

async fn keys_that_do_not_open(db: Database) {
    let mut process = Process::start(db).await;
    let browser = process.customer("Harbour Bakery").await;
    let attempt = browser.begin().await;
    attempt.bring_all(&process.meta.signup(&[]).await).await;
    attempt.is_done().await;
    process.terminate().await;
    has(&process.run(&["doctor"], "").await, &["ok       all 1 stored secrets open with the current key"]);
    process.set("SECRET_KEY", &KeyRing::generate());
    let closed = process.run(&["doctor"], "").await;
    assert_eq!(closed.status.code(), Some(1));
    has(&closed, &["WRONG    a stored secret does not open", "DOORWAY_SECRET_KEYS_OLD"]);
    let rotated = process.run(&["rotate-keys"], "").await;
    assert_eq!(rotated.status.code(), Some(1), "{rotated:?}");
}

async fn a_wrong_configuration(db: Database) {
    let mut process = Process::new(db).await;
    process.set("SECRET_KEY", "short");
    process.set("LISTEN", "here");
    let wrong = process.run(&["doctor"], "").await;
    assert_eq!(wrong.status.code(), Some(1));
    has(&wrong, &["WRONG    DOORWAY_SECRET_KEY", "openssl rand -base64 32", "WRONG    DOORWAY_LISTEN"]);
    process.set("SECRET_KEY", &KeyRing::generate());
    process.set("LISTEN", "127.0.0.1:0");
    process.set("DATABASE_URL", &process.db.missing());
    let database = process.run(&["doctor"], "").await;
    assert_eq!(database.status.code(), Some(1));
    has(&database, &["WRONG    the database can't be reached: ", "check DOORWAY_DATABASE_URL"]);
}
