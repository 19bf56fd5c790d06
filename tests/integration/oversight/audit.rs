//! What is written into the audit log, and that it is found fast.

use super::*;
use doorway::accounts::{Actor, Filter};

on_both_engines!(
    what_people_do_is_recorded_with_who_and_from_where,
    the_address_is_the_one_that_a_trusted_proxy_tells,
    two_hundred_thousand_entries_are_searched_at_once,
);

/// Every entry: action, whether somebody did it, from where.
async fn entries(world: &World) -> Vec<(String, bool, Option<String>)> {
    let sql = "SELECT a.action, a.actor_user_id, o.address FROM audit_log a LEFT JOIN origins o ON o.id = a.origin_id \
               ORDER BY a.at, a.id";
    let mut db = world.portal.store.read().await.unwrap();
    let read = |row: &doorway::store::Row| {
        Ok((row.text("action")?, row.opt_text("actor_user_id")?.is_some(), row.opt_text("address")?))
    };
    query(sql).all(&mut db, read).await.unwrap()
}

async fn what_people_do_is_recorded_with_who_and_from_where(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, signup) = world.connect(&browser, &[]).await;
    browser.post(&format!("{connection}/rename"), &[("name", "The shop by the sea")]).await;
    browser.post("/settings/account", &[("name", "Maria Lopes")]).await;
    let attempt = browser.begin().await;
    let several = world.meta.signup(&["several_wabas"]).await;
    attempt.bring_all(&several).await;
    attempt.ends("choose", "choosing").await;
    browser.post(&format!("{}/choose", attempt.url), &[("waba", &id(&several, "waba_ids", 1))]).await;
    attempt.is_done().await;
    let staff = world.staff(Role::Support).await;
    staff.post(&format!("/support/wabas/{}/release", id(&signup, "waba_ids", 0)), &[]).await;
    browser.post("/settings/sessions/end", &[]).await;

    let entries = entries(&world).await;
    let of = |action: &str| {
        let found: Vec<_> = entries.iter().filter(|entry| entry.0 == action).collect();
        assert!(!found.is_empty(), "{action} is not in {entries:?}");
        found
    };
    let here = Some("127.0.0.1".to_owned());
    for action in [
        "attempt.begun",
        "attempt.accounts_chosen",
        "connection.renamed",
        "user.renamed",
        "user.signed_out_everywhere",
        "waba.released",
    ] {
        for (_, by_somebody, from) in of(action) {
            assert!(*by_somebody, "{action} says who");
            assert_eq!(*from, here, "{action} says from where");
        }
    }
    // A job finishes what the person began: they did it, but nobody is there whose address it could be.
    for (_, by_somebody, from) in of("connection.created") {
        assert!(by_somebody & from.is_none());
    }
    assert!(of("user.created").iter().all(|(_, by_somebody, from)| !by_somebody && from.is_none()), "the command line");
    let customers = "SELECT count(*) AS n FROM audit_log WHERE action LIKE 'attempt.%' AND customer_id IS NULL";
    assert_eq!(world.number(customers, "n").await, Some(0));
    // One row for each person and address, however often they come.
    let origins = world.number("SELECT count(*) AS n FROM origins", "n").await;
    assert_eq!(origins, Some(2));
}

async fn the_address_is_the_one_that_a_trusted_proxy_tells(db: Database) {
    let world = World::with(db, |config| config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()]).await;
    let browser = world.customer("Harbour Bakery").await;
    let request = browser.own(browser.request(http::Method::POST, "/settings/account"));
    let csrf = browser.csrf();
    let form = [("csrf", csrf.as_str()), ("name", "Maria Lopes")];
    browser.send(request.header("x-forwarded-for", "198.51.100.7").form(&form)).await;
    let renamed = entries(&world).await.into_iter().find(|entry| entry.0 == "user.renamed").unwrap();
    assert_eq!(renamed.2.as_deref(), Some("198.51.100.7"));
}

/// Two hundred thousand entries: by 500 customers and 1,000 people, one of whom did half of it.
const MANY: &str = "INSERT INTO audit_log (id, at, actor_user_id, customer_id, action, subject) \
    WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < 200000) \
    SELECT '01900000-0000-7000-9000-' || CAST(100000000000 + i AS TEXT), 1700000000000 + i * 1000, \
    '01900000-0000-7000-8000-' || CAST(100000000000 + (CASE WHEN i % 2 = 0 THEN 0 ELSE i % 1000 END) AS TEXT), \
    '01900000-0000-7000-8000-' || CAST(200000000000 + i % 500 AS TEXT), \
    CASE WHEN i % 20000 = 7 THEN 'waba.released' WHEN i % 3 = 0 THEN 'attempt.begun' ELSE 'connection.renamed' END, \
    CAST(i AS TEXT) FROM n";

async fn two_hundred_thousand_entries_are_searched_at_once(db: Database) {
    let world = World::start(db).await;
    run(&world, MANY).await;
    let accounts = &world.portal.accounts;
    let person = |number: i64| format!("01900000-0000-7000-8000-{}", 100_000_000_000 + number).parse().unwrap();
    let customer = "01900000-0000-7000-8000-200000000007".parse().unwrap();
    let all = Filter::default;
    let day = doorway::base::clock::from_ms(1_700_100_000_000);
    let filters = [
        ("everything", all(), 50),
        ("a customer", Filter { customer: Some(customer), ..all() }, 50),
        ("a busy person", Filter { actor: Some(Actor::Person(person(0))), ..all() }, 50),
        ("a person", Filter { actor: Some(Actor::Person(person(7))), ..all() }, 50),
        ("a rare action", Filter { action: Some("waba.released".to_owned()), ..all() }, 10),
        ("a subject", Filter { subject: Some("4711".to_owned()), ..all() }, 1),
        ("long ago", Filter { to: Some(day), ..all() }, 50),
        ("Doorway itself", Filter { actor: Some(Actor::Doorway), from: Some(day), ..all() }, 0),
        (
            "a customer and an action",
            Filter { customer: Some(customer), action: Some("waba.released".to_owned()), ..all() },
            10,
        ),
    ];
    for (what, filter, expected) in &filters {
        let found = accounts.audit_log(filter, None, 50).await.unwrap();
        assert_eq!(found.len(), *expected, "{what}");
        assert!(found.windows(2).all(|two| two[0].at > two[1].at), "{what}: the newest first");
        let took = shortest(|| async { accounts.audit_log(filter, None, 50).await.unwrap() }).await;
        assert!(took < AT_ONCE, "{what} took {took:?}");
    }
    let mut cursor = None;
    for _ in 0..5 {
        let page = accounts.audit_log(&all(), cursor.as_ref(), 10_000).await.unwrap();
        cursor = page.last().map(doorway::accounts::LogLine::cursor);
    }
    let deep = shortest(|| async { accounts.audit_log(&all(), cursor.as_ref(), 50).await.unwrap() }).await;
    assert!(deep < AT_ONCE, "a page far down took {deep:?}");
    let kinds = shortest(|| async { accounts.audit_actions().await.unwrap() }).await;
    assert!(kinds < AT_ONCE, "the kinds took {kinds:?}");
    assert_eq!(accounts.audit_actions().await.unwrap(), ["attempt.begun", "connection.renamed", "waba.released"]);
}
