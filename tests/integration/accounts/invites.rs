//! Invites: who may make them, what opening a link does (nothing), and that it works once.

use super::*;
use doorway::config::Config;
use http::Method;

on_both_engines!(
    opening_a_link_uses_nothing_up,
    two_posts_at_once_make_one_account,
    a_link_is_good_for_three_days,
    what_is_taken_back_or_replaced_opens_nothing,
    who_may_invite_whom,
    anothers_invite_is_not_there,
    what_is_wrong_stands_beside_its_field,
    somebody_else_who_is_signed_in_is_told,
    the_business_fills_in_facebooks_screens,
    a_mail_server_that_is_down_is_waited_for,
);

pub(super) const NEW: &str = "lantern quarry violin";

/// The link that an invite's page shows, without the origin.
pub(super) fn link(page: &Page) -> String {
    let link = page.attribute("data-copy").unwrap_or_else(|| panic!("no link: {}", page.words()));
    url::Url::parse(&link).unwrap().path().to_owned()
}

/// Invites through the form; the invite's page and its path.
pub(super) async fn invite(browser: &Browser, fields: &[(&str, &str)]) -> (Page, String) {
    let made = browser.post("/invites", fields).await;
    assert_eq!(made.status, 303, "{}", made.words());
    let path = made.location().to_owned();
    (browser.get(&path).await, path)
}

pub(super) async fn bakery(world: &World) -> (Browser, Page, String) {
    let staff = world.staff(Role::Support).await;
    let fields = [("email", " Nina@Harbour.example "), ("name", "Nina Bäcker"), ("company", "Harbour Bakery")];
    let (page, path) = invite(&staff, &fields).await;
    (staff, page, path)
}

pub(super) async fn accept(browser: &Browser, link: &str, name: &str, password: &str) -> Page {
    browser.get(link).await;
    browser.post(link, &[("name", name), ("password", password)]).await
}

async fn opening_a_link_uses_nothing_up(db: Database) {
    let world = World::start(db).await;
    let (staff, page, path) = bakery(&world).await;
    says(&page, &["Invite for Nina Bäcker", "Copy this link and send it yourself", "Member of Harbour Bakery", "Open"]);
    let link = link(&page);
    for method in [Method::GET, Method::HEAD].iter().cycle().take(20) {
        let scanner = world.anonymous();
        let answer = scanner.send(scanner.request(method.clone(), &link)).await;
        assert_eq!(answer.status, 200);
        let of = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
        assert_eq!((of("referrer-policy"), of("x-robots-tag")), ("no-referrer".to_owned(), "noindex".to_owned()));
        assert_eq!(of("cache-control"), "no-store");
    }
    let nina = world.anonymous();
    let opened = nina.get(&link).await;
    says(&opened, &["Welcome to Test Operator", "Harbour Bakery", "nina@harbour.example"]);
    assert_eq!(opened.tag_with("name=\"name\"").unwrap().matches("Nina Bäcker").count(), 1);
    let weak = nina.post(&link, &[("name", "Nina"), ("password", "short")]).await;
    assert_eq!(weak.status, 422);
    says(&weak, &["at least 12 characters"]);
    let nameless = nina.post(&link, &[("name", " "), ("password", NEW)]).await;
    assert_eq!(nameless.status, 422);
    let used = nina.post(&link, &[("name", "Nina"), ("password", NEW)]).await;
    assert_eq!(used.location(), "/connect");
    assert_eq!(nina.get("/connect").await.status, 200);
    says(&nina.get("/settings/company").await, &["Harbour Bakery", "nina@harbour.example", "No open invite"]);
    // Whoever comes second is told, also on the page of the invite.
    let second = world.anonymous();
    let gone = second.get(&link).await;
    assert_eq!(gone.status, 410);
    says(&gone, &["This link was used already", "Sign in"]);
    assert_eq!(second.post(&link, &[("name", "Eve"), ("password", NEW)]).await.status, 403, "without a form's token");
    second.get("/signin").await;
    assert_eq!(second.post(&link, &[("name", "Eve"), ("password", NEW)]).await.status, 410);
    says(&staff.get(&path).await, &["Used", "nina@harbour.example made their account with it"]);
    assert_eq!(world.number("SELECT count(*) AS n FROM users WHERE role = 'customer'", "n").await, Some(1));
    let sealed = world.column("SELECT token_sealed FROM invites", "token_sealed").await;
    assert_eq!(sealed, None, "a used link's secret is forgotten");
    for action in ["customer.created", "invite.created", "invite.used", "user.created"] {
        let mut db = world.portal.store.read().await.unwrap();
        let seen =
            query("SELECT count(*) AS n FROM audit_log WHERE action = $1 AND customer_id IS NOT NULL").bind(action);
        assert_eq!(seen.one(&mut db, |row| row.int("n")).await.unwrap(), 1, "{action}");
    }
    nina.post("/signout", &[]).await;
    assert_eq!(world.anonymous().sign_in("nina@harbour.example", NEW).await.location(), "/connections");
}

async fn two_posts_at_once_make_one_account(db: Database) {
    let world = World::start(db).await;
    let (_, page, _) = bakery(&world).await;
    let link = link(&page);
    let browsers = [world.anonymous(), world.anonymous(), world.anonymous()];
    for browser in &browsers {
        browser.get(&link).await;
    }
    let [a, b, c] =
        browsers.each_ref().map(|browser| async { browser.post(&link, &[("name", "Nina"), ("password", NEW)]).await });
    let (a, b, c) = tokio::join!(a, b, c);
    let mut answers = [&a, &b, &c].map(|page| page.status.as_u16());
    answers.sort_unstable();
    assert_eq!(answers, [303, 410, 410]);
    for lost in [&a, &b, &c].into_iter().filter(|page| page.status == 410) {
        says(lost, &["This link was used already"]);
    }
    assert_eq!(world.number("SELECT count(*) AS n FROM users WHERE role = 'customer'", "n").await, Some(1));
}

async fn a_link_is_good_for_three_days(db: Database) {
    let world = World::start(db).await;
    let (staff, page, path) = bakery(&world).await;
    let link = link(&page);
    world.advance(72 * 3_600 - 60);
    let nina = world.anonymous();
    assert_eq!(nina.get(&link).await.status, 200);
    world.advance(61);
    // A session in which nobody is signed in would be over as well.
    let late = staff.post(&link, &[("name", "Nina"), ("password", NEW)]).await;
    assert_eq!(late.status, 410);
    says(&late, &["This link has expired", "3 days", "help@operator.example"]);
    assert_eq!(nina.get(&link).await.status, 410);
    assert_eq!(world.number("SELECT count(*) AS n FROM users WHERE role = 'customer'", "n").await, Some(0));
    says(&staff.get(&path).await, &["Expired", "Invite again"]);
    let id = path.rsplit('/').next().unwrap();
    let again = staff.get(&format!("/invites/new?again={id}")).await;
    says(&again, &["Harbour Bakery"]);
    assert!(again.text.contains("nina@harbour.example"));
    world.portal.invites.prune().await.unwrap();
    assert_eq!(world.column("SELECT token_sealed FROM invites", "token_sealed").await, None);
    // Unknown and cut off links are told apart from those that were good once.
    for odd in ["/invite/x", &link[..link.len() - 3]] {
        let unknown = nina.get(odd).await;
        assert_eq!(unknown.status, 404);
        says(&unknown, &["This link is not known"]);
    }
    assert_eq!(nina.get(&link.replace("/invite/", "/reset/")).await.status, 404, "an invite sets no password");
}

async fn what_is_taken_back_or_replaced_opens_nothing(db: Database) {
    let world = World::start(db).await;
    let (staff, page, path) = bakery(&world).await;
    let first = link(&page);
    let customer = world.column("SELECT id FROM customers", "id").await.unwrap();
    let (second, _) = invite(&staff, &[("email", "nina@harbour.example"), ("customer", &customer)]).await;
    let second_link = link(&second);
    let nina = world.anonymous();
    assert_eq!(nina.get(&first).await.status, 410);
    says(&nina.get(&first).await, &["This link was taken back", "There may be a newer one"]);
    assert_eq!(nina.get(&second_link).await.status, 200);
    // Somebody else's stays.
    let (_, other) = invite(&staff, &[("email", "omar@harbour.example"), ("customer", &customer)]).await;
    assert_eq!(staff.post(&format!("{other}/revoke"), &[]).await.location(), other);
    says(&staff.get(&other).await, &["Taken back", "Nobody used it"]);
    assert_eq!(staff.post(&format!("{other}/revoke"), &[]).await.location(), other, "twice does no harm");
    assert_eq!(nina.get(&second_link).await.status, 200);
    assert_eq!(nina.post(&first, &[("name", "Nina"), ("password", NEW)]).await.status, 410);
    assert_eq!(accept(&nina, &second_link, "Nina", NEW).await.location(), "/connect");
    // What is used can't be taken back any more, nor sent.
    let used = world.column("SELECT id FROM invites WHERE used_at IS NOT NULL", "id").await.unwrap();
    staff.post(&format!("/invites/{used}/revoke"), &[]).await;
    let revoked = "SELECT count(*) AS n FROM invites WHERE used_at IS NOT NULL AND revoked_at IS NOT NULL";
    assert_eq!(world.number(revoked, "n").await, Some(0));
    says(&staff.get(&path).await, &["Taken back"]);
    for (form, back) in [(format!("{path}/send"), path.as_str()), ("/invites".to_owned(), "/invites/new")] {
        assert_eq!(staff.get(&form).await.location(), back);
    }
}

async fn who_may_invite_whom(db: Database) {
    let world = World::start(db).await;
    let (admin, support) = (world.staff(Role::Admin).await, world.staff(Role::Support).await);
    let member = world.customer("Harbour Bakery").await;
    // Admins: also staff.
    for (role, home) in [("support", "/support"), ("admin", "/backoffice")] {
        let email = format!("new-{role}@operator.example");
        let (page, _) = invite(&admin, &[("email", &email), ("role", role)]).await;
        let new = world.anonymous();
        assert_eq!(accept(&new, &link(&page), "New", NEW).await.location(), home);
        assert_eq!(new.get(home).await.status, 200);
    }
    let mixed = [("email", "x@operator.example"), ("role", "admin"), ("company", "Acme")];
    let refused = admin.post("/invites", &mixed).await;
    assert_eq!(refused.status, 422);
    says(&refused, &["belong to no company"]);
    // Support asks for an admin and gets a member all the same.
    let (_, path) = invite(&support, &[("email", "a@x.example"), ("role", "admin"), ("company", "X Ltd")]).await;
    assert_eq!(
        world.column("SELECT role FROM invites WHERE email = 'a@x.example'", "role").await.as_deref(),
        Some("customer")
    );
    assert_eq!(support.get(&path).await.status, 200);
    assert!(!support.get("/invites/new").await.text.contains("name=\"role\""));
    // A member invites into their own company, whatever the form says.
    let other = world.column("SELECT id FROM customers WHERE name = 'X Ltd'", "id").await.unwrap();
    let fields = [
        ("email", "colleague@harbour.example"),
        ("customer", other.as_str()),
        ("role", "admin"),
        ("company", "Mine"),
        ("city", "Rome"),
    ];
    let (page, _) = invite(&member, &fields).await;
    says(&page, &["Member of Harbour Bakery"]);
    let colleague = world.anonymous();
    assert_eq!(accept(&colleague, &link(&page), "Colleague", NEW).await.location(), "/connect");
    says(&member.get("/settings/company").await, &["Harbour Bakery", "colleague@harbour.example", "(you)"]);
    assert_eq!(world.number("SELECT count(*) AS n FROM customers", "n").await, Some(2));
    assert_eq!(world.number("SELECT count(*) AS n FROM customers WHERE details IS NOT NULL", "n").await, Some(0));
    assert_eq!(support.get("/settings/company").await.status, 403);
    assert_eq!(admin.get(&format!("/invites/new?customer={}", "0".repeat(8))).await.status, 404);
}

async fn anothers_invite_is_not_there(db: Database) {
    let world = World::start(db).await;
    let (bakery, shop) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    let (_, own) = invite(&bakery, &[("email", "colleague@harbour.example")]).await;
    let admin = world.staff(Role::Admin).await;
    let (_, staffs) = invite(&admin, &[("email", "new@operator.example"), ("role", "support")]).await;
    let support = world.staff(Role::Support).await;
    for (browser, path) in [(&shop, &own), (&shop, &staffs), (&bakery, &staffs), (&support, &staffs)] {
        assert_eq!(browser.get(path).await.status, 404);
        assert_eq!(browser.post(&format!("{path}/revoke"), &[]).await.status, 404);
        assert_eq!(browser.post(&format!("{path}/send"), &[]).await.status, 404);
        let id = path.rsplit('/').next().unwrap();
        assert_eq!(browser.get(&format!("/invites/new?again={id}")).await.status, 404);
    }
    assert_eq!(world.number("SELECT count(*) AS n FROM invites WHERE revoked_at IS NULL", "n").await, Some(2));
    assert!(!shop.get("/settings/company").await.text.contains("colleague@"));
    for browser in [&bakery, &support, &admin] {
        assert_eq!(browser.get(&own).await.status, 200);
    }
    assert_eq!(world.anonymous().get(&own).await.status, 303);
}

async fn what_is_wrong_stands_beside_its_field(db: Database) {
    let world = World::start(db).await;
    world.customer("Harbour Bakery").await;
    let known = world.column("SELECT email FROM users", "email").await.unwrap();
    let staff = world.staff(Role::Support).await;
    for (fields, words) in [
        (vec![("email", "nobody"), ("company", "New Ltd")], "This is not an e-mail address"),
        (vec![("email", known.as_str()), ("company", "New Ltd")], "has an account here already"),
        (vec![("email", "a@b.example"), ("company", " ")], "Enter the company’s name"),
        (vec![("email", "a@b.example"), ("company", "Harbour Bakery")], "A customer of this name is here already"),
        (vec![("email", "a@b.example"), ("company", "New Ltd"), ("name", "a\nb")], "Enter a name"),
        (vec![("email", "a@b.example"), ("company", "New Ltd"), ("business_phone", "123")], "country code"),
        (vec![("email", "a@b.example"), ("company", "New Ltd"), ("country", "XX")], "Choose one from the list"),
    ] {
        let page = staff.post("/invites", &fields).await;
        assert_eq!(page.status, 422, "{words}");
        says(&page, &[words]);
        assert!(page.text.contains("<title>Problem: "));
        for (_, typed) in fields {
            assert!(typed.trim().is_empty() || typed.contains('\n') || typed == "XX" || page.text.contains(typed));
        }
    }
    assert_eq!(world.number("SELECT count(*) AS n FROM invites", "n").await, Some(0));
    assert_eq!(world.number("SELECT count(*) AS n FROM customers", "n").await, Some(1), "nothing half done stays");
    // They got an account in another way meanwhile.
    let (page, _) = invite(&staff, &[("email", "late@b.example"), ("company", "New Ltd")]).await;
    let accounts = &world.portal.accounts;
    let email = "late@b.example".parse().unwrap();
    accounts.create_user(&email, "Late", PASSWORD.into(), Role::Customer, Some("New Ltd")).await.unwrap();
    let browser = world.anonymous();
    let taken = accept(&browser, &link(&page), "Late", NEW).await;
    assert_eq!(taken.status, 409);
    says(&taken, &["You have an account already"]);
    assert_eq!(world.number("SELECT count(*) AS n FROM invites WHERE used_at IS NOT NULL", "n").await, Some(0));
}

async fn somebody_else_who_is_signed_in_is_told(db: Database) {
    let world = World::start(db).await;
    let (staff, page, _) = bakery(&world).await;
    let opened = staff.get(&link(&page)).await;
    says(&opened, &["On this browser support-", "is signed in", "This link is for nina@harbour.example"]);
    let before = staff.session().unwrap();
    let used = staff.post(&link(&page), &[("name", "Nina"), ("password", NEW)]).await;
    assert_eq!(used.location(), "/connect");
    assert_ne!(staff.session().unwrap(), before);
    says(&staff.get("/settings").await, &["nina@harbour.example"]);
    assert_eq!(staff.get("/support").await.status, 404);
}

async fn the_business_fills_in_facebooks_screens(db: Database) {
    let world = World::start(db).await;
    let staff = world.staff(Role::Support).await;
    let fields = [
        ("email", "nina@harbour.example"),
        ("company", "Harbour Bakery"),
        ("website", "harbour.example"),
        ("business_phone", "+49 30 901820"),
        ("city", "Berlin"),
        ("country", "DE"),
        ("time_zone", "UTC+01:00"),
    ];
    let (page, _) = invite(&staff, &fields).await;
    let nina = world.anonymous();
    accept(&nina, &link(&page), "Nina", NEW).await;
    let setup: serde_json::Value =
        serde_json::from_str(&nina.get("/connect").await.attribute("data-setup").unwrap()).unwrap();
    let expected = json!({"business": {
        "name": "Harbour Bakery", "email": "nina@harbour.example", "website": "https://harbour.example/",
        "phone": {"code": 49, "number": "30901820"}, "timezone": "UTC+01:00",
        "address": {"city": "Berlin", "country": "DE"},
    }});
    assert_eq!(setup, expected);
    // The next invite's form shows what is known, and may change it.
    let customer = world.column("SELECT id FROM customers", "id").await.unwrap();
    let form = staff.get(&format!("/invites/new?customer={customer}")).await;
    assert!(form.tag_with("name=\"website\"").unwrap().contains("https://harbour.example/"));
    invite(&staff, &[("email", "omar@harbour.example"), ("customer", &customer), ("city", "Rome")]).await;
    let details = world.column("SELECT details FROM customers", "details").await.unwrap();
    assert_eq!(details, r#"{"city":"Rome"}"#);
}

/// A mail server that is not there.
pub(super) fn dead_mail(config: &mut Config) {
    config.smtp_url = Some(format!("smtp://127.0.0.1:{}", free_port()).into());
    config.mail_from = Some("Test Operator <portal@operator.example>".to_owned());
}

async fn a_mail_server_that_is_down_is_waited_for(db: Database) {
    let world = World::with(db, dead_mail).await;
    let (staff, _, path) = bakery(&world).await;
    let shows = |state: &'static str| {
        let (staff, path) = (staff.clone(), path.clone());
        async move {
            eventually(state, || async {
                Some(staff.get(&path).await).filter(|page| page.attribute("data-mail").as_deref() == Some(state))
            })
            .await
        }
    };
    let delayed = shows("delayed").await;
    says(&delayed, &["is delayed", "can’t be reached", "We try again by ourselves", "Send again"]);
    assert!(link(&delayed).starts_with("/invite/"), "the link can be copied meanwhile");
    world.advance(6 * 3_600 + 60);
    let failed = shows("failed").await;
    says(&failed, &["did not go out", "Given up after 6 hours", "Mail failed"]);
    let noted = "SELECT count(*) AS n FROM audit_log WHERE action = 'invite.mail_failed'";
    assert_eq!(world.number(noted, "n").await, Some(1));
    eventually("the end of the job", || async {
        let jobs = world.number("SELECT count(*) AS n FROM jobs WHERE kind = 'accounts.send_mail'", "n").await;
        (jobs == Some(0)).then_some(())
    })
    .await;
    assert_eq!(staff.post(&format!("{path}/send"), &[]).await.location(), path);
    shows("delayed").await;
    // One that is taken back is mailed no more.
    staff.post(&format!("{path}/revoke"), &[]).await;
    world.advance(600);
    eventually("the end of the mail", || async {
        let state = world.column("SELECT mail_state FROM invites", "mail_state").await;
        state.is_none().then_some(())
    })
    .await;
}
