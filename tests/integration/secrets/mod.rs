//! No secret where none belongs: in logs, pages, and the database's file.

use crate::support::*;
use http::Method;
use serde_json::{Value, json};

on_both_engines!(no_secret_leaves_its_place);

/// Everything that must be nowhere, with a name for the message.
fn secrets(process: &Process, browsers: &[&Browser]) -> Vec<(String, String)> {
    let mut all = vec![
        ("the app secret".to_owned(), APP_SECRET.to_owned()),
        ("the system token".to_owned(), SYSTEM_TOKEN.to_owned()),
        ("the verify token".to_owned(), VERIFY_TOKEN.to_owned()),
        ("the verify token in a URL".to_owned(), VERIFY_TOKEN.replace(' ', "+")),
        ("the verify token in a URL".to_owned(), VERIFY_TOKEN.replace(' ', "%20")),
        ("the secret key".to_owned(), process.settings["DOORWAY_SECRET_KEY"].clone()),
        ("a password".to_owned(), PASSWORD.to_owned()),
        ("a mistyped password".to_owned(), MISTYPED.to_owned()),
    ];
    for call in process.meta.calls() {
        all.extend(call.in_form("code").map(|code| ("a code".to_owned(), code)));
        let answer: Value = serde_json::from_str(&call.answer).unwrap_or_default();
        all.extend(answer["access_token"].as_str().map(|token| ("a business token".to_owned(), token.to_owned())));
        let proof = call.in_query("appsecret_proof").or_else(|| call.in_form("appsecret_proof"));
        all.extend(proof.map(|proof| ("a proof".to_owned(), proof)));
    }
    for browser in browsers {
        all.extend(browser.all_cookies().into_iter().map(|cookie| ("a cookie".to_owned(), cookie)));
    }
    all
}

const MISTYPED: &str = "a mistyped password of somebody";

/// A signup with this scenario, to its end.
async fn sign_up(process: &Process, browser: &Browser, scenarios: &[&str]) -> Attempt {
    let attempt = browser.begin().await;
    let signup = process.meta.signup(scenarios).await;
    attempt.bring_all(&signup).await;
    attempt.settled().await;
    attempt
}

/// Two invites, one of them used: the secret parts of their links.
async fn invites(browser: &Browser) -> (String, String) {
    let mut secrets = Vec::new();
    for email in ["colleague@harbour.example", "another@harbour.example"] {
        let made = browser.post("/invites", &[("email", email)]).await;
        let link = browser.get(made.location()).await.attribute("data-copy").unwrap();
        secrets.push(link.rsplit('/').next().unwrap().to_owned());
    }
    let colleague = Browser::new(&browser.url);
    let path = format!("/invite/{}", secrets[0]);
    assert_eq!(colleague.get(&path).await.status, 200);
    assert_eq!(colleague.post(&path, &[("name", "Colleague"), ("password", PASSWORD)]).await.status, 303);
    assert_eq!(colleague.get(&path).await.status, 410);
    colleague.get(&format!("/reset/{}", secrets[1])).await;
    (secrets[0].clone(), secrets[1].clone())
}

/// The plain OAuth flow, back from the dialog with a code in the address.
async fn plain(process: &Process, browser: &Browser) -> String {
    let dialog: url::Url = browser.post("/connect/oauth", &[]).await.location().parse().unwrap();
    let param = |name: &str| dialog.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    let asked = json!({"plain": true, "redirect_uri": param("redirect_uri"), "scope": param("scope")});
    let code = process.meta.signup_of(asked).await["code"].as_str().unwrap().to_owned();
    let state = param("state");
    let back = browser.get(&format!("/auth/whatsapp/callback?code={code}&state={state}")).await;
    browser.attempt_at(back.location()).settled().await;
    state
}

async fn no_secret_leaves_its_place(db: Database) {
    let mut process = Process::start(db).await;
    let browser = process.customer("Harbour Bakery").await;
    let other = process.customer("Corner Shop").await;
    let stranger = Browser::new(&process.url);
    stranger.sign_in("nobody@example.org", MISTYPED).await;
    let connection = sign_up(&process, &browser, &[]).await.connection().await;
    browser.get(&connection).await;
    for scenarios in [
        &["token_revoked"][..],
        &["code_expired_now"],
        &["permissions_declined"],
        &["graph_500"],
        &["code_lost"],
        &["several_wabas"],
        &["error_reported"],
    ] {
        let attempt = sign_up(&process, &other, scenarios).await;
        attempt.page().await;
    }
    let state = plain(&process, &other).await;
    let (used, open) = invites(&browser).await;
    let token: String = url::form_urlencoded::byte_serialize(VERIFY_TOKEN.as_bytes()).collect();
    let handshake = format!("/webhooks/whatsapp?hub.mode=subscribe&hub.challenge=1&hub.verify_token={token}");
    assert_eq!(Browser::new(&process.url).get(&handshake).await.status, 200);
    browser.post(&format!("{connection}/disconnect"), &[("deregister", "yes")]).await;
    eventually("the end of the connection", || async { (browser.get(&connection).await.status == 404).then_some(()) })
        .await;
    browser.post("/settings/password", &[("present", PASSWORD), ("new", MISTYPED)]).await;
    browser.post("/signout", &[]).await;
    // Trouble on the way: a database that is gone makes errors talk.
    process.meta.fault("graph_down", Some(3), None).await;
    sign_up(&process, &other, &[]).await;

    let mut all = secrets(&process, &[&browser, &other, &stranger]);
    all.push(("a state".to_owned(), state.clone()));
    // Who invites must see the link, so that they can copy it: it is looked for in all but pages.
    let links = [("a used link".to_owned(), used), ("an open link".to_owned(), open)];
    for kind in ["a code", "a business token", "a cookie", "a proof"] {
        assert!(all.iter().filter(|(name, _)| name == kind).count() > 3, "nothing was seen of {kind}");
    }
    let log = process.log();
    assert!(log.contains("DEBUG") && log.contains("/auth/whatsapp/callback") && log.contains("oauth/access_token"));
    let pages = [browser.pages(), other.pages(), stranger.pages()].concat().join("\n");
    assert_eq!(process.terminate().await.code(), Some(0));
    let kept = kept(&process).await;
    assert!(contains(&kept, b"Harbour Bakery") && contains(&kept, b"code_expired"), "what is kept was read");
    assert!(pages.contains("Your WhatsApp is connected"));
    for (name, secret) in &all {
        assert!(secret.len() >= 16, "{name} {secret}");
        assert!(!log.contains(secret.as_str()), "{name} is in the log: {}", line_with(&log, secret));
        assert!(!pages.contains(secret.as_str()), "{name} is in a page: {}", line_with(&pages, secret));
        assert!(!contains(&kept, secret.as_bytes()), "{name} is in the database");
    }
    for (name, secret) in &links {
        assert!(secret.len() == 43 && pages.contains(secret.as_str()), "{name}");
        assert!(!log.contains(secret.as_str()), "{name} is in the log: {}", line_with(&log, secret));
        assert!(!contains(&kept, secret.as_bytes()), "{name} is in the database");
    }
    assert!(log.contains("path=/invite/ ") || log.contains("path=\"/invite/\""), "its requests are logged");
    assert!(contains(&kept, b"colleague@harbour.example"), "invites are kept");
    assert_eq!(process.meta.calls().iter().filter(|call| call.method == Method::DELETE).count(), 1);
}

/// All that the database holds: SQLite's files as they are, or every row of PostgreSQL's tables.
async fn kept(process: &Process) -> Vec<u8> {
    if process.db.is_sqlite() {
        let dir = std::fs::read_dir(process.db.dir.path()).unwrap().map(|entry| entry.unwrap().path());
        let files = dir.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("portal.db"));
        return files.flat_map(|path| std::fs::read(path).unwrap()).collect();
    }
    let store = process.db.store().await;
    let mut db = store.read().await.unwrap();
    let mut text = String::new();
    for sql in [
        "SELECT t::text AS row FROM customers t",
        "SELECT t::text AS row FROM users t",
        "SELECT t::text AS row FROM sessions t",
        "SELECT t::text AS row FROM jobs t",
        "SELECT t::text AS row FROM connections t",
        "SELECT t::text AS row FROM wabas t",
        "SELECT t::text AS row FROM phone_numbers t",
        "SELECT t::text AS row FROM signup_attempts t",
        "SELECT t::text AS row FROM partner_events t",
        "SELECT t::text AS row FROM intake t",
        "SELECT t::text AS row FROM audit_log t",
        "SELECT t::text AS row FROM invites t",
        "SELECT t::text AS row FROM guesses t",
        "SELECT t::text AS row FROM origins t",
    ] {
        text.extend(doorway::store::query(sql).all(&mut db, |row| row.text("row")).await.unwrap());
    }
    drop(db);
    store.close().await;
    text.into_bytes()
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

fn line_with<'a>(text: &'a str, secret: &str) -> &'a str {
    text.lines().find(|line| line.contains(secret)).unwrap_or_default()
}
