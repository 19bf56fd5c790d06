//! Permissions kept fresh: looked at on demand and in the background, before and after, tokens renewed, and what never
//! ends an access.

use super::*;
use doorway::{accounts::Role, connections::Cause};
use http::Method;

on_both_engines!(
    before_and_after_are_shown_and_kept,
    nothing_is_compared_where_nothing_good_is_known,
    the_background_check_finds_a_revoked_token,
    trouble_at_meta_ends_nothing,
    a_dropped_permission_and_a_closed_account_are_told,
    a_lost_subscription_is_made_again,
    near_the_limits_background_work_waits,
    tokens_are_renewed_well_before_they_end,
    a_renewal_that_fails_is_tried_again,
    staff_look_for_customers,
    calls_are_recorded_without_secrets,
    doubt_that_lasts_becomes_the_schedules,
    each_page_tells_that_the_access_ended,
);

async fn doubt_that_lasts_becomes_the_schedules(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (_, signup) = world.connect(&browser, &[]).await;
    world.meta.fault("graph_500", None, Some("phone_numbers")).await;
    let waba = id(&signup, "waba_ids", 0);
    let told = json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": ["DISABLE"]}});
    control(&world, "webhooks", json!({"kind": "field", "waba_id": waba, "field": "account_update", "value": told}))
        .await;
    // One look right away, the next in a minute, and from then on those of the schedule, which are further apart.
    let soon = "SELECT count(*) AS n FROM jobs WHERE kind = 'connections.recheck' AND run_at < $1";
    eventually("the next look to be planned", || async {
        let mut db = world.portal.store.read().await.unwrap();
        let at = world.clock.now() + time::Duration::minutes(2);
        let planned = doorway::store::query(soon).bind(at).one(&mut db, |row| row.int("n")).await.unwrap();
        let left = count(&world, "SELECT count(*) AS n FROM jobs WHERE kind = 'connections.check_access'").await;
        (planned == 1 && left == 0).then_some(())
    })
    .await;
    world.advance(70);
    let later =
        "SELECT count(*) AS n FROM jobs WHERE kind = 'connections.recheck' AND run_at > $1 AND lease_owner IS NULL";
    eventually("the one after it to be far", || async {
        let mut db = world.portal.store.read().await.unwrap();
        let at = world.clock.now() + time::Duration::minutes(10);
        (doorway::store::query(later).bind(at).one(&mut db, |row| row.int("n")).await.unwrap() == 1).then_some(())
    })
    .await;
    assert_eq!(state(&world).await, "active");
}

async fn each_page_tells_that_the_access_ended(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, signup) = world.connect(&browser, &[]).await;
    let number = format!("{connection}/numbers/{}", id(&signup, "phone_number_ids", 0));
    let pages = [number.clone(), format!("{number}/profile"), format!("{connection}/templates")];
    for page in &pages {
        assert!(!browser.get(page).await.words().contains("Facebook ended our access"), "{page}");
    }
    control(&world, "tokens/revoke", json!({"waba_id": id(&signup, "waba_ids", 0)})).await;
    look(&world, &browser, &connection).await;
    for page in &pages {
        let shown = browser.get(page).await;
        says(&shown, &["Facebook ended our access", "Connect again"]);
        assert!(shown.text.contains(&format!("{connection}/reconnect")), "{page}");
        assert!(
            !shown.words().contains("Messages can be sent") && !shown.words().contains("In step with Meta"),
            "{page}"
        );
    }
}

async fn state(world: &World) -> String {
    world.column("SELECT state FROM connections", "state").await.unwrap()
}

async fn count(world: &World, sql: &'static str) -> i64 {
    world.number(sql, "n").await.unwrap()
}

async fn control(world: &World, path: &str, body: serde_json::Value) {
    world.meta.control(Method::POST, path, body).await;
}

/// Presses the button; the page of what was found.
async fn look(world: &World, browser: &Browser, connection: &str) -> Page {
    // A second click within seconds would show what the first found.
    world.advance(11);
    let found = browser.post(&format!("{connection}/permissions"), &[]).await;
    assert_eq!(found.status, 303, "{}", found.words());
    browser.get(found.location()).await
}

/// A day goes by, so that the look in the background is due.
async fn a_day_later(world: &World) {
    let seen = world.number("SELECT coalesce(checked_at, 0) AS n FROM connections", "n").await;
    world.advance(86_400);
    eventually("the look in the background", || async {
        (world.number("SELECT coalesce(checked_at, 0) AS n FROM connections", "n").await > seen).then_some(())
    })
    .await;
}

async fn before_and_after_are_shown_and_kept(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, signup) = world.connect(&browser, &[]).await;
    let page = look(&world, &browser, &connection).await;
    says(&page, &["All permissions are in place", "Send and receive messages", "Allowed", "Messages reach us", "On"]);
    says(&page, &["+1 202-555-0100", "Checked", "by Maria Test"]);
    assert!(!page.words().contains("Connect again"));
    // Otherwise the background may meet the end of the access first.
    let reading = "SELECT count(*) AS n FROM template_syncs WHERE state IN ('queued', 'reading')";
    eventually("the templates to be read", || async { (world.number(reading, "n").await == Some(0)).then_some(()) })
        .await;
    control(&world, "tokens/revoke", json!({"waba_id": id(&signup, "waba_ids", 0)})).await;
    let page = look(&world, &browser, &connection).await;
    says(&page, &["The access has ended: connect again", "Meta says that a password was changed", "Works", "Ended"]);
    says(&page, &["admin of the business", "The grant was removed", "Names, settings and history stay"]);
    assert!(page.text.contains(&format!("{connection}/reconnect")));
    assert_eq!(state(&world).await, "needs_reconnect");
    let list = browser.get(&format!("{connection}/permissions")).await;
    says(&list, &["The access ended.", "Nothing had changed."]);
    let action = "SELECT count(*) AS n FROM audit_log WHERE action = 'connection.permissions_checked'";
    assert_eq!(count(&world, action).await, 2);
    // Known before somebody looks: what was lost shows against how it was.
    let page = look(&world, &browser, &connection).await;
    says(&page, &["The access has ended: connect again", "how it stood while it worked", "Works", "Allowed"]);
    assert!(page.text.contains("data-changed"), "{}", page.words());
    // Of another customer nobody looks at it.
    let other = world.customer("Corner Shop").await;
    let address = format!("{connection}/permissions");
    assert_eq!(other.post(&address, &[]).await.status, 404);
    assert_eq!(other.get(&address).await.status, 404);
}

async fn nothing_is_compared_where_nothing_good_is_known(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, signup) = world.connect(&browser, &[]).await;
    control(&world, "tokens/revoke", json!({"waba_id": id(&signup, "waba_ids", 0)})).await;
    world.portal.connections.mark_stale(id_of(&connection).parse().unwrap()).await.unwrap();
    // What the background may have found meanwhile is no part of this.
    let mut tx = world.portal.store.write().await.unwrap();
    doorway::store::query("DELETE FROM permission_checks").execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    let page = look(&world, &browser, &connection).await;
    says(&page, &["The access has ended: connect again", "Why an access ends"]);
    assert!(!page.text.contains("<table"), "{}", page.words());
}

async fn the_background_check_finds_a_revoked_token(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, signup) = world.connect(&browser, &[]).await;
    a_day_later(&world).await;
    assert_eq!(state(&world).await, "active");
    assert_eq!(count(&world, "SELECT count(*) AS n FROM permission_checks").await, 0, "no change, nothing to keep");
    control(&world, "tokens/revoke", json!({"waba_id": id(&signup, "waba_ids", 0)})).await;
    a_day_later(&world).await;
    assert_eq!(state(&world).await, "needs_reconnect");
    says(&browser.get(&connection).await, &["Access ended", "Connect again"]);
    says(&browser.get(&format!("{connection}/permissions")).await, &["The access ended.", "by Doorway"]);
    let cause = world.column("SELECT cause FROM permission_checks", "cause").await.unwrap();
    // Reading the templates is due about then, too: where it is refused first, that is why it was looked into.
    assert!(matches!(cause.parse::<Cause>().unwrap(), Cause::Schedule | Cause::Doubt), "{cause}");
    // Looked at again each day: it may come back, as when an admin's rights do.
    a_day_later(&world).await;
    assert_eq!(count(&world, "SELECT count(*) AS n FROM permission_checks").await, 1);
}

async fn trouble_at_meta_ends_nothing(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, _) = world.connect(&browser, &[]).await;
    for fault in ["graph_500", "graph_rate_limited", "graph_down"] {
        world.meta.fault(fault, None, None).await;
        let page = look(&world, &browser, &connection).await;
        says(&page, &["Meta could not answer now", "Nothing has changed here"]);
        assert_eq!(state(&world).await, "active", "{fault}");
        world.meta.control(Method::DELETE, "faults", json!({})).await;
    }
    // The operator's own fault is no word about the customer's access either.
    let numbers = "SELECT count(*) AS n FROM phone_numbers";
    assert_eq!(count(&world, numbers).await, 1);
    assert_eq!(count(&world, "SELECT count(*) AS n FROM wabas WHERE subscribed_at IS NOT NULL").await, 1);
    world.advance(3_700);
    says(&look(&world, &browser, &connection).await, &["All permissions are in place"]);
}

async fn a_dropped_permission_and_a_closed_account_are_told(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let attempt = browser.begin().await;
    let signup = world.meta.signup(&["several_wabas"]).await;
    attempt.bring_all(&signup).await;
    let page = attempt.ends("choose", "choosing").await;
    assert!(!page.text.is_empty());
    let (first, second) = (id(&signup, "waba_ids", 0), id(&signup, "waba_ids", 1));
    browser.post(&format!("{}/choose", attempt.url), &[("waba", &first), ("waba", &second)]).await;
    let connection = attempt.connection().await;
    control(&world, "accounts", json!({"waba_id": second, "closed": true})).await;
    a_day_later(&world).await;
    assert_eq!(state(&world).await, "active", "the other one works");
    says(&browser.get(&connection).await, &["An account is closed to us", "Connect again"]);
    let page = look(&world, &browser, &connection).await;
    says(&page, &["Not all accounts are open to us", "Closed to us"]);
    control(&world, "accounts", json!({"waba_id": second, "closed": false})).await;
    says(&look(&world, &browser, &connection).await, &["is open to us again"]);
    control(&world, "tokens/change", json!({"drop_scope": "whatsapp_business_messaging"})).await;
    let page = look(&world, &browser, &connection).await;
    says(&page, &["connect again", "Not allowed any more: send and receive messages", "Not allowed"]);
    assert_eq!(state(&world).await, "needs_reconnect", "it can't send");
}

async fn a_lost_subscription_is_made_again(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, signup) = world.connect(&browser, &[]).await;
    let waba = id(&signup, "waba_ids", 0);
    control(&world, "accounts", json!({"waba_id": waba, "subscribed": false})).await;
    a_day_later(&world).await;
    assert_eq!(world.meta.waba(&waba).await["subscribed"], true);
    says(&browser.get(&connection).await, &["Messages were switched off at Meta", "it does again"]);
    assert_eq!(state(&world).await, "active");
}

async fn near_the_limits_background_work_waits(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, signup) = world.connect(&browser, &[]).await;
    let waba = id(&signup, "waba_ids", 0);
    let used = json!({"accounts": {waba.as_str(): {"percent": 96, "regain_minutes": 30}}});
    control(&world, "usage", used).await;
    // Just before the daily look is due, somebody looks: so Meta's word is fresh when it is.
    let due = world.number("SELECT run_at AS n FROM jobs WHERE kind = 'connections.recheck'", "n").await.unwrap();
    let now = doorway::base::clock::to_ms(world.clock.now());
    world.advance((due - now) / 1_000 - 60);
    look(&world, &browser, &connection).await;
    world.meta.forget_calls();
    world.advance(120);
    eventually("the look to be put off", || async {
        let run_at = world.number("SELECT run_at AS n FROM jobs WHERE kind = 'connections.recheck'", "n").await;
        run_at.is_some_and(|at| at > due + 20 * 60_000 && at < due + 60 * 60_000).then_some(())
    })
    .await;
    // What reading the templates had asked before Meta told of its limits may still come.
    let ours = |path: &String| path.contains(&waba) && !path.ends_with("/message_templates");
    let asked: Vec<_> = world.meta.calls().into_iter().map(|call| call.path).filter(ours).collect();
    assert!(asked.is_empty(), "nothing was asked: {asked:?}");
    // People's own requests go on, and once the time is over the look follows.
    says(&look(&world, &browser, &connection).await, &["All permissions are in place"]);
    control(&world, "usage", json!({})).await;
    look(&world, &browser, &connection).await;
    world.meta.forget_calls();
    world.advance(45 * 60);
    world.meta.called("debug_token").await;
}

async fn tokens_are_renewed_well_before_they_end(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    world.connect(&browser, &[]).await;
    let end = || world.number("SELECT token_expires_at AS n FROM connections", "n");
    let (before, sealed) =
        (end().await.unwrap(), world.column("SELECT token_sealed FROM connections", "token_sealed").await);
    world.advance(30 * 86_400);
    assert_eq!(count(&world, "SELECT count(*) AS n FROM audit_log WHERE action = 'connection.token_renewed'").await, 0);
    world.advance(12 * 86_400);
    eventually("the renewal", || async { (end().await.unwrap() > before + 30 * 86_400_000).then_some(()) }).await;
    assert_ne!(world.column("SELECT token_sealed FROM connections", "token_sealed").await, sealed);
    assert_eq!(count(&world, "SELECT count(*) AS n FROM audit_log WHERE action = 'connection.token_renewed'").await, 1);
    let call = world.meta.calls().into_iter().find(|call| call.body.contains("fb_exchange_token")).unwrap();
    assert!(call.method == Method::POST && !call.query.contains("token"), "no secret stands in an address");
    assert_eq!(call.in_form("set_token_expires_in_60_days").as_deref(), Some("true"));
    // The next one is planned.
    let job = "SELECT run_at AS n FROM jobs WHERE kind = 'connections.renew_token'";
    eventually("the next renewal", || async { (world.number(job, "n").await? > before).then_some(()) }).await;
}

async fn a_renewal_that_fails_is_tried_again(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, _) = world.connect(&browser, &["token_expiring_soon"]).await;
    // Three days left: it is renewed at once.
    let renewed = "SELECT count(*) AS n FROM audit_log WHERE action = 'connection.token_renewed'";
    eventually("the renewal", || async { (count(&world, renewed).await == 1).then_some(()) }).await;
    world.meta.fault("graph_500", None, Some("access_token")).await;
    control(&world, "tokens/change", json!({"days": 10})).await;
    look(&world, &browser, &connection).await;
    let tries = "SELECT renewal_tries AS n FROM connections";
    eventually("a try", || async { (count(&world, tries).await >= 1).then_some(()) }).await;
    assert_eq!(state(&world).await, "active");
    says(&browser.get(&format!("{connection}/permissions")).await, &["It could not be renewed yet"]);
    world.meta.control(Method::DELETE, "faults", json!({})).await;
    world.advance(6 * 3_600);
    eventually("the renewal", || async { (count(&world, renewed).await == 2).then_some(()) }).await;
    assert_eq!(count(&world, tries).await, 0);
}

async fn staff_look_for_customers(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, signup) = world.connect(&browser, &[]).await;
    let support = world.staff(Role::Support).await;
    let customer = world.column("SELECT id FROM customers", "id").await.unwrap();
    let page = support.get(&format!("/support/customers/{customer}")).await;
    assert!(page.text.contains(&format!("/support{connection}/permissions")));
    world.meta.forget_calls();
    let page = look(&world, &support, &format!("/support{connection}")).await;
    says(&page, &["All permissions are in place", "Harbour Bakery", "Before and after"]);
    // All that is known of each number is read with it.
    let number = id(&signup, "phone_number_ids", 0);
    world.meta.called(&format!("/{number}")).await;
    says(&browser.get(&format!("{connection}/permissions")).await, &["Nothing had changed"]);
}

async fn calls_are_recorded_without_secrets(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, signup) = world.connect(&browser, &[]).await;
    control(&world, "tokens/revoke", json!({"waba_id": id(&signup, "waba_ids", 0)})).await;
    look(&world, &browser, &connection).await;
    let own = "SELECT count(*) AS n FROM graph_calls WHERE connection_id IS NOT NULL AND code = 190 AND status = 401 \
               AND fbtrace_id IS NOT NULL AND error IS NOT NULL AND customer_id IS NOT NULL";
    eventually("the record", || async { (count(&world, own).await >= 1).then_some(()) }).await;
    // Those of the signup, before there was a connection.
    let before = "SELECT count(*) AS n FROM graph_calls WHERE connection_id IS NULL AND customer_id IS NOT NULL";
    assert!(count(&world, before).await >= 2);
    let mut read = world.portal.store.read().await.unwrap();
    let rows = doorway::store::query("SELECT * FROM graph_calls").all(&mut read, doorway::store::Row::values);
    let text = format!("{:?}", rows.await.unwrap());
    // What Meta calls a trace is as random, and shorter.
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    assert_eq!(words.filter(|word| word.starts_with("EAA") && word.len() > 50).count(), 0, "a token is in the record");
    for secret in ["appsecret_proof", "input_token", APP_SECRET, "client_secret", "?"] {
        assert!(!text.contains(secret), "{secret} is in the record");
    }
    assert!(text.contains("debug_token") && text.contains("phone_numbers") && text.contains("oauth/access_token"));
    let connection = id_of(&connection).parse().unwrap();
    let calls = doorway::connections::calls_of(&mut read, connection, world.clock.now(), 100).await.unwrap();
    assert!(calls.iter().all(|call| call.connection == Some(connection)) && !calls.is_empty());
    drop(read);
    // They are kept for a month.
    world.advance(40 * 86_400);
    eventually("their end", || async {
        let old = "SELECT count(*) AS n FROM graph_calls WHERE code = 190 AND at < (SELECT max(at) - 2592000000 FROM graph_calls)";
        (count(&world, old).await == 0).then_some(())
    })
    .await;
}

fn id_of(connection: &str) -> &str {
    connection.rsplit('/').next().unwrap()
}
