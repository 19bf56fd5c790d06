//! The funnel: what is counted, and the lists behind the numbers.

use super::*;
use doorway::signup::{End, Which};

on_both_engines!(
    every_end_is_counted_where_it_belongs,
    a_half_that_comes_late_changes_the_end,
    days_are_told_apart,
    a_hundred_thousand_attempts_are_counted_at_once,
);

/// How often each end was counted.
fn counted(page: &Page) -> Vec<(String, i64)> {
    let rows = page.text.split("<th role=\"rowheader\" scope=\"row\">").skip(1);
    rows.filter_map(|row| {
        let title = row.split('<').next()?.trim().to_owned();
        let (_, rest) = row.split_once("data-label=\"Attempts\"><span class=\"nums\">")?;
        Some((title, rest.split(' ').next()?.parse().ok()?))
    })
    .collect()
}

async fn every_end_is_counted_where_it_belongs(db: Database) {
    let world = World::start(db).await;
    let (bakery, shop) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    world.connect(&bakery, &[]).await;
    for (scenario, state, reason) in [
        ("cancel:PERMISSIONS", "failed", "cancelled"),
        ("cancel:PERMISSIONS", "failed", "cancelled"),
        ("cancel:PHONE_NUMBER_SETUP", "failed", "cancelled"),
        ("close:PERMISSIONS", "failed", "cancelled"),
        ("error_reported", "failed", "facebook_error"),
        ("cant_onboard", "failed", "cancelled"),
        ("code_expired_now", "failed", "code_expired"),
        ("several_wabas", "choose", "choosing"),
    ] {
        let attempt = shop.begin().await;
        attempt.bring_all(&world.meta.signup(&[scenario]).await).await;
        attempt.ends(state, reason).await;
    }
    let admin = world.staff(Role::Admin).await;
    let page = admin.get("/backoffice/funnel?days=7").await;
    says(&page, &["Attempts launched 9", "Got a code 3 33 %", "Connected 1 11 %", "2 / 1 50 %"]);
    says(&page, &["PERMISSIONS", "PHONE_NUMBER_SETUP", "code_expired", "Days are counted in UTC", "Not ended yet"]);
    let expected: Vec<(String, i64)> = [
        ("Reviewing the permissions", 3),
        ("Adding the phone number", 1),
        ("Facebook reported an error", 1),
        ("Closed the window, not said where", 1),
        ("The code ran out before we could use it", 1),
        ("Not ended yet", 1),
    ]
    .map(|(title, count)| (title.to_owned(), count))
    .to_vec();
    let mut seen = counted(&page);
    assert_eq!(seen[0], expected[0], "the most frequent first");
    seen.sort();
    let mut sorted = expected;
    sorted.sort();
    assert_eq!(seen, sorted);

    // Behind each number stands its list, and together they are all.
    let mut behind = 0;
    let of = links(&page, "/backoffice/funnel/list?");
    for link in of.iter().filter(|link| link.contains("end=")) {
        let list = admin.get(link).await;
        assert_eq!(list.status, 200, "{link}");
        let customers = links(&list, "/backoffice/customers/0").len();
        assert!(customers > 0, "{link} is empty");
        behind += customers;
    }
    assert_eq!(behind, 9);
    let list = admin.get("/backoffice/funnel/list?days=7&end=screen:PERMISSIONS").await;
    says(&list, &["Reviewing the permissions", "Corner Shop"]);
    assert!(!list.words().contains("Harbour Bakery"));
    says(&admin.get("/backoffice/funnel/list?days=7").await, &["All attempts", "Harbour Bakery", "Corner Shop"]);
    says(&admin.get("/backoffice/funnel/list?end=%3Cb%3E&after=x.y").await, &["None"]);
}

async fn a_half_that_comes_late_changes_the_end(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let end = || world.column("SELECT ended_as FROM signup_attempts", "ended_as");
    let attempt = browser.begin().await;
    assert_eq!(end().await, None);
    let signup = world.meta.signup(&[]).await;
    attempt.closed().await;
    world.advance(10);
    attempt.ends("failed", "cancelled").await;
    assert_eq!(end().await.as_deref(), Some("closed"));
    attempt.code(&signup).await;
    attempt.is_done().await;
    assert_eq!(end().await.as_deref(), Some("connected"));
    // And one of which nothing is ever heard.
    let silent = browser.begin().await;
    world.advance(3_700);
    silent.ends("failed", "cancelled").await;
    let last = "SELECT ended_as FROM signup_attempts ORDER BY created_at DESC LIMIT 1";
    assert_eq!(world.column(last, "ended_as").await.as_deref(), Some("silent"));
}

async fn days_are_told_apart(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let admin = world.staff(Role::Admin).await;
    let first = world.clock.now().date();
    browser.begin().await;
    world.advance(86_400 * 8);
    browser.begin().await;
    let last = world.clock.now().date();
    says(&admin.get("/backoffice/funnel?days=7").await, &["Attempts launched 1", "Customers tried / connected 1 / 0"]);
    says(&admin.get("/backoffice/funnel?days=30").await, &["Attempts launched 2"]);
    says(&admin.get("/backoffice/funnel?days=4000").await, &["Attempts launched 2"]);
    let funnel = world.portal.signup.funnel(first, last).await.unwrap();
    let launched: Vec<i64> = funnel.days.iter().map(|day| day.launched).collect();
    assert_eq!(launched, [1, 0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!((funnel.days[0].date, funnel.days[8].date), (first, last));
    let empty = world.portal.signup.funnel(last.next_day().unwrap(), last.next_day().unwrap()).await.unwrap();
    assert_eq!((empty.sum(), empty.tried), ((0, 0, 0), 0));
}

/// A hundred thousand attempts over 90 days, of ten thousand customers: a third connected, the rest left.
const MANY: &str = "INSERT INTO signup_attempts (id, customer_id, user_id, flow, step, step_since, code_received_at, \
    candidates, created_at, updated_at, ended_as) \
    WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < 100000) \
    SELECT '01900000-0000-7000-9000-' || CAST(100000000000 + i AS TEXT), \
    '01900000-0000-7000-8000-' || CAST(200000000000 + i % 10000 AS TEXT), (SELECT min(id) FROM users), 'embedded', \
    CASE WHEN i % 3 = 0 THEN 'done' ELSE 'failed' END, 1700000000000, CASE WHEN i % 2 = 0 THEN 1 END, \
    '[\"a WABA with its numbers, some hundred characters of JSON, as an attempt has them when it has come so far\"]', \
    1704067200000 + i * 77000, 1700000000000, \
    CASE WHEN i % 3 = 0 THEN 'connected' WHEN i % 3 = 1 THEN 'screen:PERMISSIONS' ELSE 'closed' END FROM n";

async fn a_hundred_thousand_attempts_are_counted_at_once(db: Database) {
    let world = World::start(db).await;
    world.staff(Role::Support).await;
    run(
        &world,
        "INSERT INTO customers (id, name, created_at) \
         WITH RECURSIVE n (i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < 9999) \
         SELECT '01900000-0000-7000-8000-' || CAST(200000000000 + i AS TEXT), 'Customer', 1 FROM n",
    )
    .await;
    run(&world, MANY).await;
    let signup = &world.portal.signup;
    let days = (time::macros::date!(2024 - 01 - 01), time::macros::date!(2024 - 03 - 30));
    let funnel = signup.funnel(days.0, days.1).await.unwrap();
    assert_eq!(funnel.days.len(), 90);
    assert_eq!(
        funnel.sum(),
        (100_000, 66_667, 33_333),
        "half got a code, and every connected one counts as having got it"
    );
    assert_eq!((funnel.tried, funnel.connected), (10_000, 10_000));
    let ends: Vec<(String, i64)> =
        funnel.ends.iter().map(|one| (one.end.as_ref().unwrap().as_word(), one.attempts)).collect();
    assert_eq!(ends[2], ("connected".to_owned(), 33_333).clone(), "{ends:?}");
    let took = shortest(|| async { signup.funnel(days.0, days.1).await.unwrap() }).await;
    assert!(took < Duration::from_secs(8), "the funnel took {took:?}");
    let which = Which::Ended(End::Closed);
    let list = || async { signup.funnel_list(days, &which, None, 50).await.unwrap() };
    assert_eq!(list().await.len(), 50);
    let took = shortest(list).await;
    assert!(took < AT_ONCE, "the list took {took:?}");
}
