//! The audit log's page and its file.

use super::*;
use std::collections::BTreeSet;

on_both_engines!(
    the_log_says_who_did_what_to_whom_from_where,
    filters_stand_in_the_address,
    every_entry_is_on_one_page,
    the_file_holds_what_fits_and_no_formula,
);

async fn the_log_says_who_did_what_to_whom_from_where(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let (connection, _) = world.connect(&browser, &[]).await;
    let admin = world.staff(Role::Admin).await;
    let page = admin.get("/backoffice/audit").await;
    let connection_id = connection.rsplit('/').next().unwrap();
    says(&page, &["Maria Test", "Began to connect WhatsApp", "attempt.begun", "Harbour Bakery", "127.0.0.1"]);
    says(&page, &["Connected WhatsApp", connection_id, "Created a person", "Doorway"]);
    assert!(links(&page, "/backoffice/people/").len() >= 2 && !links(&page, "/backoffice/customers/0").is_empty());

    // An action without words is shown as it is.
    run(&world, "INSERT INTO audit_log (id, at, action) VALUES ('x', 1, 'thing.happened')").await;
    says(&admin.get("/backoffice/audit").await, &["thing.happened"]);

    // A person is erased: their name and where they came from are gone, the log is whole.
    let user = world.column("SELECT id FROM users WHERE role = 'customer'", "id").await.unwrap();
    let before = world.number("SELECT count(*) AS n FROM audit_log", "n").await;
    run(
        &world,
        "UPDATE users SET name = '', email = 'removed-1@removed.invalid', removed_at = 1 WHERE role = 'customer'",
    )
    .await;
    run(&world, "DELETE FROM origins").await;
    let page = admin.get("/backoffice/audit").await;
    says(&page, &["Removed person", &user, "Began to connect WhatsApp", "Not known"]);
    assert!(!page.words().contains("Maria Test began") && !page.words().contains("127.0.0.1"));
    assert_eq!(world.number("SELECT count(*) AS n FROM audit_log", "n").await, before);
    says(&admin.get(&format!("/backoffice/audit?person={user}")).await, &["Removed person", "Began to connect"]);
    assert_eq!(admin.get(&format!("/backoffice/people/{user}")).await.status, 404);

    // And a customer whose row is gone.
    run(&world, "INSERT INTO audit_log (id, at, customer_id, action) VALUES ('y', 2, '01900000-0000-7000-8000-000000000001', 'customer.deleted')").await;
    let page = admin.get("/backoffice/audit?customer=01900000-0000-7000-8000-000000000001").await;
    says(&page, &["Deleted customer", "01900000-0000-7000-8000-000000000001"]);
}

async fn filters_stand_in_the_address(db: Database) {
    let world = World::start(db).await;
    let (bakery, shop) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    bakery.post("/settings/account", &[("name", "Maria Lopes")]).await;
    shop.post("/settings/account", &[("name", "Tomás Reis")]).await;
    let admin = world.staff(Role::Admin).await;
    world.advance(86_400 * 2);
    bakery.begin().await;
    let actions = |page: &Page| -> Vec<String> {
        let all = page.text.split("data-action=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
        all.filter(|action| action != "user.signed_in").collect()
    };
    let at = |query: &'static str| {
        let admin = admin.clone();
        async move { admin.get(&format!("/backoffice/audit?{query}")).await }
    };
    assert_eq!(actions(&at("customer=harbour+bakery").await), ["attempt.begun", "user.renamed", "user.created"]);
    assert_eq!(actions(&at("customer=corner").await), ["user.renamed", "user.created"]);
    assert_eq!(actions(&at("person=Maria+Lopes").await), ["attempt.begun", "user.renamed"]);
    assert_eq!(actions(&at("action=user.renamed").await), ["user.renamed", "user.renamed"]);
    assert_eq!(actions(&at("action=user.renamed&person=tom").await), ["user.renamed"]);
    assert!(actions(&at("person=doorway").await).iter().all(|action| action == "user.created"));
    let today = world.clock.now().date();
    let before = today.previous_day().unwrap();
    let page = admin.get(&format!("/backoffice/audit?customer=harbour&from={today}")).await;
    assert_eq!(actions(&page), ["attempt.begun"]);
    let page = admin.get(&format!("/backoffice/audit?customer=harbour&to={before}")).await;
    assert_eq!(actions(&page), ["user.renamed", "user.created"]);
    says(&page, &["Only: Customer Harbour Bakery", "Show everything"]);
    says(&at("action=waba.released").await, &["Nothing fits these filters"]);

    for (query, words) in [
        ("customer=nobody+at+all", "Nothing fits “nobody at all”"),
        ("customer=r", "Several fit “r”"),
        ("person=example.org", "Several fit “example.org”"),
        ("from=yesterday", "Enter a day like"),
        ("to=2026-02-31", "Enter a day like"),
    ] {
        let page = at(query).await;
        assert_eq!(page.status, 422, "{query}");
        says(&page, &[words]);
        assert!(page.text.contains("<title>Problem: "), "{query}");
        assert!(actions(&page).is_empty(), "{query}: a filter that makes no sense shows nothing");
        assert_eq!(admin.get(&format!("/backoffice/audit.csv?{query}")).await.status, 400);
    }
    // What is typed is shown as text.
    let page = at("customer=%3Cscript%3Ealert(1)%3C/script%3E&after=nonsense").await;
    assert!(!page.text.contains("<script>alert"));
}

async fn every_entry_is_on_one_page(db: Database) {
    let world = World::start(db).await;
    let admin = world.staff(Role::Admin).await;
    // All at the same moment: only the ID tells them apart.
    run(
        &world,
        "INSERT INTO audit_log (id, at, action, subject) \
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 130) \
         SELECT 'same-' || CAST(i AS TEXT), 1700000000000, 'waba.released', CAST(i AS TEXT) FROM n",
    )
    .await;
    let (mut address, mut seen, mut pages) = ("/backoffice/audit?action=waba.released".to_owned(), BTreeSet::new(), 0);
    loop {
        let page = admin.get(&address).await;
        assert_eq!(page.status, 200);
        let ids = page.text.split("Entry <code>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned());
        for id in ids {
            assert!(seen.insert(id.clone()), "{id} is on two pages");
        }
        pages += 1;
        match links(&page, "/backoffice/audit?").into_iter().find(|link| link.contains("after=") && *link != address) {
            Some(older) => address = older,
            None => break,
        }
    }
    assert_eq!((seen.len(), pages), (130, 3));
}

async fn the_file_holds_what_fits_and_no_formula(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("=cmd|'/C calc'!A1").await;
    browser.post("/settings/account", &[("name", "=HYPERLINK(\"https://evil.example\",\"me\")")]).await;
    browser.begin().await;
    run(
        &world,
        "INSERT INTO audit_log (id, at, action, subject) \
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) \
         SELECT 'row-' || CAST(i AS TEXT), 1700000000000 + i / 7, 'waba.released', CAST(i AS TEXT) FROM n",
    )
    .await;
    let admin = world.staff(Role::Admin).await;
    let file = admin.get("/backoffice/audit.csv?action=waba.released").await;
    assert!(file.headers["content-type"].to_str().unwrap().starts_with("text/csv"));
    assert!(file.headers["content-disposition"].to_str().unwrap().contains("audit-log.csv"));
    let lines: Vec<&str> = file.text.split("\r\n").filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), 2_501, "every entry once, over several pieces");
    assert_eq!(lines.iter().collect::<BTreeSet<_>>().len(), 2_501);
    assert!(lines[0].starts_with("time,person_id,person,action"));
    let file = admin.get("/backoffice/audit.csv?action=attempt.begun").await;
    let row = file.text.lines().nth(1).unwrap();
    assert!(row.contains(",\"'=HYPERLINK(\"\"https://evil.example\"\",\"\"me\"\")\",attempt.begun,"), "{row}");
    assert!(row.contains(",'=cmd|'/C calc'!A1,"), "{row}");
    assert!(row.ends_with(",127.0.0.1"), "{row}");
}
