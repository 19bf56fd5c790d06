//! Connecting the same connection again, by a single-use link or without one.

use super::*;
use doorway::accounts::Role;
use http::Method;

on_both_engines!(
    a_link_leads_to_the_same_connection_once,
    a_link_goes_by_mail,
    a_link_is_good_for_72_hours_and_can_be_taken_back,
    another_account_replaces_nothing_by_itself,
    another_account_may_take_the_place,
    staff_may_decide,
    others_links_are_none,
);

async fn one(world: &World, sql: &'static str) -> i64 {
    world.number(sql, "n").await.unwrap()
}

/// A connection whose token was revoked and found so.
async fn ended(world: &World, browser: &Browser) -> (String, String) {
    let (connection, signup) = world.connect(browser, &[]).await;
    let waba = id(&signup, "waba_ids", 0);
    world.meta.control(Method::POST, "tokens/revoke", json!({"waba_id": waba})).await;
    browser.post(&format!("{connection}/permissions"), &[]).await;
    assert_eq!(world.column("SELECT state FROM connections", "state").await.as_deref(), Some("needs_reconnect"));
    (connection, waba)
}

/// Makes a link; its page, and the address in it.
async fn link(browser: &Browser, base: &str) -> (String, String) {
    let made = browser.post(&format!("{base}/links"), &[("way", "copy")]).await.location().to_owned();
    let page = browser.get(&made).await;
    let at = page.text.find("/reconnect/").expect("the link") + "/reconnect/".len();
    (made, format!("/reconnect/{}", &page.text[at..at + 43]))
}

/// The attempt that the page's script begins.
async fn begin(browser: &Browser, connection: &str, page: &Page) -> Attempt {
    let id = connection.rsplit('/').next().unwrap();
    assert!(page.text.contains(&format!("data-reconnect=\"{id}\"")), "{}", page.text);
    let link = page.text.split("data-link=\"").nth(1).and_then(|rest| rest.split('"').next());
    let body = json!({"coexistence": false, "reconnect": id, "link": link});
    let begun = browser.send(browser.script("/connect/attempts", &body)).await;
    assert_eq!(begun.status, 201, "{}", begun.text);
    let begun: serde_json::Value = serde_json::from_str(&begun.text).unwrap();
    browser.attempt_at(begun["url"].as_str().unwrap())
}

async fn a_link_leads_to_the_same_connection_once(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, waba) = ended(&world, &browser).await;
    browser.post(&format!("{connection}/rename"), &[("name", "Our Bakery")]).await;
    let support = world.staff(Role::Support).await;
    let (made, address) = link(&support, &format!("/support{connection}")).await;
    let sealed = world.column("SELECT token_sealed FROM reconnect_links", "token_sealed").await.unwrap();
    assert!(!address.contains(&sealed));
    // Who is not signed in signs in first, and comes back; opening it uses nothing up.
    let nobody = world.anonymous();
    assert!(nobody.get(&address).await.location().starts_with("/signin"));
    let page = browser.get(&address).await;
    says(&page, &["Connect Our Bakery again", "Choose the same account", "admin of the business", "+1 202-555-0100"]);
    says(&browser.get(&address).await, &["Connect Our Bakery again"]);
    let attempt = begin(&browser, &connection, &page).await;
    let signup = world.meta.signup_of(json!({"waba_id": waba})).await;
    attempt.bring_all(&signup).await;
    assert_eq!(attempt.connection().await, connection, "the same one");
    let row = "SELECT count(*) AS n FROM connections WHERE state = 'active' AND name = 'Our Bakery'";
    assert_eq!(one(&world, row).await, 1);
    assert_eq!(one(&world, "SELECT count(*) AS n FROM connections").await, 1);
    assert_eq!(
        one(&world, "SELECT count(*) AS n FROM reconnect_links WHERE used_at IS NOT NULL AND token_sealed IS NULL")
            .await,
        1
    );
    let over = browser.get(&address).await;
    assert_eq!(over.status, 410);
    says(&over, &["This link works no longer", "used already"]);
    says(&support.get(&made).await, &["was connected again with it", "Used"]);
    says(&browser.get(&format!("{connection}/permissions")).await, &["Connected again.", "The access ended."]);
    for action in ["connection.link_made", "connection.link_used", "connection.renewed", "connection.ended"] {
        let mut read = world.portal.store.read().await.unwrap();
        let noted = doorway::store::query("SELECT count(*) AS n FROM audit_log WHERE action = $1").bind(action);
        assert_eq!(noted.one(&mut read, |row| row.int("n")).await.unwrap(), 1, "{action}");
    }
}

async fn a_link_goes_by_mail(db: Database) {
    let (smtp, mails) = mail_server().await;
    let world = World::with(db, |config| mails_to(config, &smtp)).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, _) = ended(&world, &browser).await;
    let support = world.staff(Role::Support).await;
    let base = format!("/support{connection}");
    let permissions = support.get(&format!("{base}/permissions")).await;
    let member = world.column("SELECT email FROM users WHERE customer_id IS NOT NULL", "email").await.unwrap();
    says(&permissions, &["Send by e-mail", &member]);
    // Only to somebody of the company.
    let odd = support.post(&format!("{base}/links"), &[("way", "mail"), ("email", "stranger@example.org")]).await;
    assert_eq!(odd.status, 400);
    let made = support.post(&format!("{base}/links"), &[("way", "mail"), ("email", &member)]).await;
    let made = made.location().to_owned();
    let mail = eventually("the mail", || async { mails.lock().unwrap().first().cloned() }).await;
    let plain = mail.replace("=\n", "").replace("=3D", "=");
    let page = eventually("the word that it went", || async {
        let page = support.get(&made).await;
        page.text.contains("data-mail=\"sent\"").then_some(page)
    })
    .await;
    let at = page.text.find("/reconnect/").expect("the link");
    let address = &page.text[at..at + "/reconnect/".len() + 43];
    assert!(plain.contains(address), "{plain}");
    assert!(plain.contains("admin of the business") && mail.contains(&format!("<{member}>")), "{mail}");
    says(&browser.get(address).await, &["Connect", "again", "Choose the same account"]);
}

async fn a_link_is_good_for_72_hours_and_can_be_taken_back(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, _) = ended(&world, &browser).await;
    let (made, address) = link(&browser, &connection).await;
    assert_eq!(browser.post(&format!("{made}/revoke"), &[]).await.location(), format!("{connection}/permissions"));
    says(&browser.get(&address).await, &["This link works no longer", "taken back"]);
    let (_, address) = link(&browser, &connection).await;
    world.advance(72 * 3_600 - 60);
    assert_eq!(browser.get(&address).await.status, 200);
    world.advance(120);
    let over = browser.get(&address).await;
    assert_eq!(over.status, 410);
    says(&over, &["72 hours are over", "You are signed in, so you need no link"]);
}

async fn another_account_replaces_nothing_by_itself(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, waba) = ended(&world, &browser).await;
    let sealed = world.column("SELECT token_sealed FROM connections", "token_sealed").await;
    let page = browser.get(&format!("{connection}/reconnect")).await;
    let attempt = begin(&browser, &connection, &page).await;
    let other = world.meta.signup(&[]).await;
    attempt.bring_all(&other).await;
    let page = attempt.ends("choose", "choosing").await;
    says(&page, &["Another account came back", "is as it was before", "Choose the same account"]);
    assert_eq!(world.column("SELECT token_sealed FROM connections", "token_sealed").await, sealed);
    // The customer takes it as a further one.
    let fields = [("waba", id(&other, "waba_ids", 0)), ("placing", "beside".to_owned())];
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.post(&format!("{}/choose", attempt.url), &fields).await;
    let further = attempt.connection().await;
    assert_ne!(further, connection);
    let still = "SELECT count(*) AS n FROM connections WHERE state = 'needs_reconnect'";
    assert_eq!(one(&world, still).await, 1);
    let owner = world.portal.connections.owner(&waba.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(owner.connection.to_string(), connection.rsplit('/').next().unwrap());
}

async fn another_account_may_take_the_place(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, waba) = ended(&world, &browser).await;
    browser.post(&format!("{connection}/rename"), &[("name", "Our Bakery")]).await;
    let page = browser.get(&format!("{connection}/reconnect")).await;
    let attempt = begin(&browser, &connection, &page).await;
    let other = world.meta.signup(&[]).await;
    attempt.bring_all(&other).await;
    attempt.ends("choose", "choosing").await;
    let fields = [("waba", id(&other, "waba_ids", 0)), ("placing", "instead".to_owned())];
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.post(&format!("{}/choose", attempt.url), &fields).await;
    assert_eq!(attempt.connection().await, connection);
    says(&browser.get(&connection).await, &["Our Bakery", "Connected"]);
    assert!(world.portal.connections.owner(&waba.parse().unwrap()).await.unwrap().is_none());
    assert_eq!(one(&world, "SELECT count(*) AS n FROM connections").await, 1);
}

async fn staff_may_decide(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, _) = ended(&world, &browser).await;
    let page = browser.get(&format!("{connection}/reconnect")).await;
    let attempt = begin(&browser, &connection, &page).await;
    let other = world.meta.signup(&[]).await;
    attempt.bring_all(&other).await;
    attempt.ends("choose", "choosing").await;
    let support = world.staff(Role::Support).await;
    let address = format!("/support/attempts/{}/decide", attempt.id);
    let customer = world.column("SELECT id FROM customers", "id").await.unwrap();
    assert!(support.get(&format!("/support/customers/{customer}")).await.text.contains(&address));
    says(&support.get(&address).await, &["Another account came back", "Which account is it?"]);
    let none = support.post(&address, &[("placing", "instead")]).await;
    assert_eq!(none.status, 422);
    says(&none, &["Problem: ", "Choose at least one account."]);
    let waba = id(&other, "waba_ids", 0);
    support.post(&address, &[("waba", &waba), ("placing", "instead")]).await;
    assert_eq!(attempt.connection().await, connection);
    // Nothing is left to decide.
    assert_eq!(support.get(&address).await.location(), format!("/support/customers/{customer}"));
}

async fn others_links_are_none(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, _) = ended(&world, &browser).await;
    let (_, address) = link(&browser, &connection).await;
    let other = world.customer("Corner Shop").await;
    let page = other.get(&address).await;
    assert_eq!(page.status, 404);
    assert!(!page.words().contains("Sandbox Shop"), "nothing is given away");
    // Nor can another's connection be named when an attempt begins.
    let body = json!({"reconnect": connection.rsplit('/').next().unwrap()});
    assert_eq!(other.send(other.script("/connect/attempts", &body)).await.status, 404);
}
