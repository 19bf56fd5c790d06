//! Too many guesses: the same for those who exist and those who don't, and by network address.

use super::*;
use http::Method;

on_both_engines!(
    known_and_unknown_accounts_are_blocked_alike,
    waits_grow_and_are_forgotten,
    guesses_at_once_are_counted_each,
    an_address_is_limited_too,
    forwarded_addresses_count_of_trusted_proxies_only,
    trusted_proxies_tell_the_address,
    a_browser_that_is_known_is_not_kept_out,
    the_present_password_is_limited_as_well,
    old_rows_are_pruned,
);

const WRONG: &str = "wrong horse battery";

async fn known_and_unknown_accounts_are_blocked_alike(db: Database) {
    let world = World::start(db).await;
    world.customer("Harbour Bakery").await;
    let known = only_email(&world).await;
    let mut seen = Vec::new();
    for email in [known.as_str(), "nobody@example.org"] {
        let browser = world.anonymous();
        let mut answers = Vec::new();
        for _ in 0..7 {
            let page = browser.sign_in(email, WRONG).await;
            answers.push((page.status, page.words()));
        }
        seen.push(answers);
    }
    assert_eq!(seen[0], seen[1]);
    let statuses: Vec<u16> = seen[0].iter().map(|(status, _)| status.as_u16()).collect();
    assert_eq!(statuses, [422, 422, 422, 422, 422, 429, 429]);
    assert!(seen[0][5].1.contains("Too many tries Wait 1 minute, or set a new password"), "{}", seen[0][5].1);
    // Even the right password, in another spelling of the address.
    let right = world.anonymous().sign_in(&known.to_uppercase(), PASSWORD).await;
    assert_eq!(right.status, 429);
    world.advance(61);
    assert_eq!(world.anonymous().sign_in(&known, PASSWORD).await.status, 303);
    // That cleared the account.
    for _ in 0..5 {
        assert_eq!(world.anonymous().sign_in(&known, WRONG).await.status, 422);
    }
    // Who exists has it in the log, and nobody's address is there.
    let noted = eventually("the failures in the log", || async {
        let noted = actions(&world).await.iter().filter(|action| *action == "user.sign_in_failed").count();
        (noted == 10).then_some(noted)
    });
    assert_eq!(noted.await, 10);
    let typed = world.number("SELECT count(*) AS n FROM guesses WHERE subject LIKE '%@%'", "n").await;
    assert_eq!(typed, Some(0), "what was typed is not kept");
}

async fn waits_grow_and_are_forgotten(db: Database) {
    let world = World::start(db).await;
    world.customer("Harbour Bakery").await;
    let email = only_email(&world).await;
    let fail = || async { world.anonymous().sign_in(&email, WRONG).await };
    for _ in 0..5 {
        assert_eq!(fail().await.status, 422);
    }
    for (wait, words) in
        [(60, "1 minute"), (120, "2 minutes"), (300, "5 minutes"), (900, "15 minutes"), (3_600, "1 hour")]
    {
        let page = fail().await;
        assert_eq!(page.status, 429);
        says(&page, &[&format!("Wait {words},")]);
        world.advance(wait - 5);
        assert_eq!(fail().await.status, 429, "{words} are not over");
        world.advance(6);
        assert_eq!(fail().await.status, 422, "{words} are over");
    }
    // One an hour is forgotten; by hand, since the form's own session would not last.
    let mut tx = world.portal.store.write().await.unwrap();
    let sql = "UPDATE guesses SET forgotten_at = forgotten_at - 86400000, blocked_until = blocked_until - 86400000";
    query(sql).execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    for _ in 0..5 {
        assert_eq!(fail().await.status, 422, "a day later all is forgotten");
    }
}

async fn guesses_at_once_are_counted_each(db: Database) {
    let world = World::start(db).await;
    world.customer("Harbour Bakery").await;
    let email = only_email(&world).await;
    let browsers: Vec<Browser> = (0..12).map(|_| world.anonymous()).collect();
    for browser in &browsers {
        browser.get("/signin").await;
    }
    let fields = [("email", email.as_str()), ("password", WRONG)];
    let pages = futures_util::future::join_all(browsers.iter().map(|browser| browser.post("/signin", &fields))).await;
    let looked_at = pages.iter().filter(|page| page.status == 422).count();
    assert_eq!(looked_at, 5, "{:?}", pages.iter().map(|page| page.status).collect::<Vec<_>>());
}

/// A wrong guess at an account of its own, from wherever the header says.
async fn guess_from(world: &World, account: usize, forwarded: &str) -> u16 {
    let browser = world.anonymous();
    browser.get("/signin").await;
    let csrf = browser.csrf();
    let (email, csrf) = (format!("nobody{account}@example.org"), csrf.as_str());
    let form = [("csrf", csrf), ("email", email.as_str()), ("password", WRONG)];
    let request = browser.own(browser.request(Method::POST, "/signin")).header("x-forwarded-for", forwarded);
    browser.send(request.form(&form)).await.status.as_u16()
}

/// As many failures as an address has free, without the work of each.
async fn exhaust(world: &World, address: &str) {
    let mut tx = world.portal.store.write().await.unwrap();
    query(
        "INSERT INTO guesses (subject, forgotten_at) VALUES ($1, $2) \
         ON CONFLICT (subject) DO UPDATE SET forgotten_at = excluded.forgotten_at",
    )
    .bind(format!("address:{address}"))
    .bind(world.clock.now() + time::Duration::minutes(2 * 49))
    .execute(&mut tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
}

async fn an_address_is_limited_too(db: Database) {
    let world = World::start(db).await;
    world.customer("Harbour Bakery").await;
    let email = only_email(&world).await;
    exhaust(&world, "127.0.0.1").await;
    assert_eq!(world.anonymous().sign_in(&email, PASSWORD).await.status, 303, "a right one is taken back");
    assert_eq!(guess_from(&world, 1, "").await, 422);
    assert_eq!(guess_from(&world, 2, "").await, 429, "any account");
    assert_eq!(world.anonymous().sign_in(&email, PASSWORD).await.status, 429);
    world.advance(61);
    assert_eq!(world.anonymous().sign_in(&email, PASSWORD).await.status, 303);
    assert_eq!(guess_from(&world, 3, "").await, 422);
    assert_eq!(guess_from(&world, 4, "").await, 429, "a right one does not clear the address");
}

async fn forwarded_addresses_count_of_trusted_proxies_only(db: Database) {
    let world = World::start(db).await;
    world.customer("Harbour Bakery").await;
    exhaust(&world, "127.0.0.1").await;
    assert_eq!(guess_from(&world, 1, "203.0.113.1").await, 422);
    assert_eq!(guess_from(&world, 2, "203.0.113.2").await, 429, "anybody can write a header");
}

async fn trusted_proxies_tell_the_address(db: Database) {
    let world = World::with(db, |config| config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()]).await;
    world.customer("Harbour Bakery").await;
    exhaust(&world, "203.0.113.1").await;
    exhaust(&world, "2001:db8:1:2::").await;
    assert_eq!(guess_from(&world, 1, "203.0.113.1").await, 422);
    assert_eq!(guess_from(&world, 2, "203.0.113.1").await, 429);
    assert_eq!(guess_from(&world, 3, "203.0.113.2").await, 422, "another address is another");
    assert_eq!(
        guess_from(&world, 4, "203.0.113.2, 203.0.113.1").await,
        429,
        "what the client itself wrote counts for nothing"
    );
    assert_eq!(guess_from(&world, 5, "2001:db8:1:2::77").await, 422);
    assert_eq!(guess_from(&world, 6, "2001:db8:1:2:ffff::1").await, 429, "an IPv6 network is one");
    assert_eq!(guess_from(&world, 7, "2001:db8:1:3::1").await, 422);
}

async fn a_browser_that_is_known_is_not_kept_out(db: Database) {
    let world = World::start(db).await;
    let usual = world.customer("Harbour Bakery").await;
    let known = only_email(&world).await;
    usual.post("/signout", &[]).await;
    for _ in 0..6 {
        world.anonymous().sign_in(&known, WRONG).await;
    }
    assert_eq!(world.anonymous().sign_in(&known, PASSWORD).await.status, 429, "somebody else's guesses block others");
    assert_eq!(usual.sign_in(&known, PASSWORD).await.status, 303, "but not the browser in which they were before");
    // It has a count of its own.
    usual.post("/signout", &[]).await;
    for _ in 0..5 {
        assert_eq!(usual.sign_in(&known, WRONG).await.status, 422);
    }
    assert_eq!(usual.sign_in(&known, PASSWORD).await.status, 429);
    // And it is known for one address only.
    assert_eq!(usual.sign_in("nobody@example.org", WRONG).await.status, 422);
}

async fn the_present_password_is_limited_as_well(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    browser.get("/settings").await;
    let change = |present: &'static str| {
        let browser = browser.clone();
        async move { browser.post("/settings/password", &[("present", present), ("new", "a brand new password")]).await }
    };
    for _ in 0..5 {
        assert_eq!(change(WRONG).await.status, 422);
    }
    let page = change(PASSWORD).await;
    assert_eq!(page.status, 429);
    says(&page, &["Too many tries. Wait 1 minute"]);
    world.advance(61);
    assert_eq!(change(PASSWORD).await.status, 303);
}

async fn old_rows_are_pruned(db: Database) {
    let world = World::start(db).await;
    world.customer("Harbour Bakery").await;
    world.anonymous().sign_in("nobody@example.org", WRONG).await;
    assert_eq!(world.number("SELECT count(*) AS n FROM guesses", "n").await, Some(2));
    eventually("old guesses are tidied away", || async {
        world.advance(3_600);
        (world.number("SELECT count(*) AS n FROM guesses", "n").await == Some(0)).then_some(())
    })
    .await;
}
