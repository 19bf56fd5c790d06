//! Finding and creating customers.

use super::*;

on_both_engines!(
    searching_filtering_and_sorting,
    paging_goes_there_and_back,
    a_name_may_be_taken_twice_after_a_warning,
    renaming_keeps_it_findable,
    a_removed_member_leaves_no_trace_but_an_id,
    support_sees_and_creates_but_does_not_delete,
    who_was_here_before_the_list_is_found_too,
);

fn names(page: &Page) -> Vec<String> {
    let rows = page.text.split("<th role=\"rowheader\" scope=\"row\"><a href=\"").skip(1);
    rows.map(|row| row.split('>').nth(1).unwrap().split('<').next().unwrap().to_owned()).collect()
}

async fn new_customer(staff: &Browser, name: &str) -> String {
    staff.get("/backoffice/customers/new").await;
    staff.post("/backoffice/customers/new", &[("name", name), ("same", name)]).await.location().to_owned()
}

async fn searching_filtering_and_sorting(db: Database) {
    let world = World::start(db).await;
    let staff = world.staff(Role::Admin).await;
    let list = "/backoffice/customers";
    says(&staff.get(list).await, &["0 customers", "No customer yet"]);
    let browser = world.customer("Harbour Bakery").await;
    let (_, signup) = world.connect(&browser, &[]).await;
    let attempt = browser.begin().await;
    let stale = world.customer("Żółw 100%").await;
    world.connect(&stale, &[]).await;
    let mark =
        query("SELECT c.id FROM connections c JOIN customers u ON u.id = c.customer_id WHERE u.name LIKE '%100%'");
    let id = mark.one(&mut world.portal.store.read().await.unwrap(), |row| row.parse("id")).await.unwrap();
    world.portal.connections.mark_stale(id).await.unwrap();
    new_customer(&staff, "Corner_Shop").await;

    let find = async |query: &str| names(&staff.get(&format!("{list}?{query}")).await);
    assert_eq!(find("").await, ["Corner_Shop", "Żółw 100%", "Harbour Bakery"]);
    assert_eq!(find("sort=name").await, ["Corner_Shop", "Harbour Bakery", "Żółw 100%"]);
    assert_eq!(find("sort=name&q=r+b").await, ["Harbour Bakery"]);
    assert_eq!(find("q=BAKERY").await, ["Harbour Bakery"]);
    assert_eq!(find("q=%C5%BB%C3%93%C5%81W").await, ["Żółw 100%"], "capitals beyond ASCII");
    assert_eq!(find("q=100%25").await, ["Żółw 100%"]);
    assert_eq!(find("q=%25").await, ["Żółw 100%"], "a percent sign is a percent sign");
    assert_eq!(find("q=_").await, ["Corner_Shop"]);
    assert_eq!(find("q=maria").await, ["Żółw 100%", "Harbour Bakery"], "by a member's name");
    assert_eq!(find("q=harbour-bakery-").await, ["Harbour Bakery"], "and address");
    assert_eq!(find(&format!("q={}", id_of(&signup))).await, ["Harbour Bakery"], "by WABA");
    assert_eq!(find(&format!("q=Attempt+{}", attempt.id)).await, ["Harbour Bakery"], "by attempt");
    assert_eq!(find("filter=unconnected").await, ["Corner_Shop"]);
    assert_eq!(find("filter=needs_reconnect").await, ["Żółw 100%"]);
    assert_eq!(find("filter=suspended").await, Vec::<String>::new());
    assert_eq!(find("filter=nonsense&sort=nonsense&after=nonsense").await.len(), 3);
    let page = staff.get(list).await;
    says(&page, &["3 customers", "Connected", "Access ended", "Not connected"]);
    says(&staff.get(&format!("{list}?q=nothing+like+it")).await, &["No customer fits", "Show all"]);
    assert_eq!(staff.get(&format!("{list}?q={}", "x".repeat(60_000))).await.status.as_u16() / 100, 2);
}

fn id_of(signup: &Value) -> String {
    id(signup, "waba_ids", 0)
}

async fn paging_goes_there_and_back(db: Database) {
    let world = World::start(db).await;
    let staff = world.staff(Role::Support).await;
    // The same name and the same moment often: the ID decides.
    for number in 0..120 {
        let name = format!("Company {}", number / 10);
        world.portal.accounts.create_customer(&someone(&world).await, &name).await.unwrap();
    }
    for sort in ["newest", "name"] {
        let mut path = format!("/backoffice/customers?sort={sort}");
        let (mut seen, mut pages) = (Vec::new(), Vec::new());
        loop {
            let page = staff.get(&path).await;
            let found = hrefs(&page);
            seen.extend(found.clone());
            pages.push(found);
            match link(&page, "next") {
                Some(next) => path = next,
                None => break,
            }
        }
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [50, 50, 20]);
        let mut once = seen.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), 120, "each once");
        // And back, page by page.
        let mut back = vec![hrefs(&staff.get(&path).await)];
        while let Some(before) = link(&staff.get(&path).await, "prev") {
            path = before;
            back.insert(0, hrefs(&staff.get(&path).await));
        }
        assert_eq!(back, pages);
    }
}

async fn someone(world: &World) -> doorway::accounts::User {
    let id = world.column("SELECT id FROM users LIMIT 1", "id").await.unwrap();
    world.portal.accounts.user(id.parse().unwrap()).await.unwrap().unwrap()
}

fn hrefs(page: &Page) -> Vec<String> {
    let rows = page.text.split("<th role=\"rowheader\" scope=\"row\"><a href=\"").skip(1);
    rows.map(|row| row.split('"').next().unwrap().to_owned()).collect()
}

fn link(page: &Page, rel: &str) -> Option<String> {
    let tag = page.tag_with(&format!("rel=\"{rel}\""))?;
    let (_, rest) = tag.split_once("href=\"")?;
    Some(rest.split_once('"')?.0.replace("&#38;", "&").replace("&amp;", "&"))
}

async fn a_name_may_be_taken_twice_after_a_warning(db: Database) {
    let world = World::start(db).await;
    let staff = world.staff(Role::Support).await;
    let path = "/backoffice/customers/new";
    staff.get(path).await;
    for bad in ["", "   ", &"x".repeat(101)] {
        let page = staff.post(path, &[("name", bad)]).await;
        assert_eq!(page.status, 422);
        says(&page, &["Problem: ", "1 to 100 characters"]);
    }
    let first = staff.post(path, &[("name", " Harbour Bakery "), ("country", "PT")]).await;
    says(&staff.get(first.location()).await, &["Harbour Bakery is created", "Not connected", "Nobody yet"]);
    assert!(staff.get(&format!("{}/details", first.location())).await.text.contains("value=\"PT\" selected"));
    let again = staff.post(path, &[("name", "harbour bakery"), ("city", "Lisbon")]).await;
    assert_eq!(again.status, 422);
    says(&again, &["A customer of this name is here already", "Create all the same"]);
    assert!(again.text.contains(first.location()) && again.text.contains("value=\"Lisbon\""), "nothing typed is lost");
    let second = staff.post(path, &[("name", "harbour bakery"), ("same", "harbour bakery")]).await;
    assert_ne!(second.location(), first.location());
    let bad = staff.post(path, &[("name", "Corner Shop"), ("website", "no address at all")]).await;
    assert_eq!(bad.status, 422);
    assert_eq!(world.number("SELECT count(*) AS n FROM customers", "n").await, Some(2));
    assert_eq!(noted(&world, id_in(first.location()), "customer.created").await, 1);
}

async fn renaming_keeps_it_findable(db: Database) {
    let world = World::start(db).await;
    let staff = world.staff(Role::Support).await;
    let browser = world.customer("Harbour Bakery").await;
    let page = page_of(&world, "Harbour Bakery").await;
    staff.get(&page).await;
    let wrong = staff.post(&format!("{page}/rename"), &[("name", " ")]).await;
    assert_eq!(wrong.status, 422);
    says(&wrong, &["1 to 100 characters"]);
    assert_eq!(staff.post(&format!("{page}/rename"), &[("name", "Łódź Bakery <b>")]).await.location(), page);
    assert_eq!(staff.get(&page).await.heading(), "Łódź Bakery <b>");
    let found = staff.get("/backoffice/customers?q=%C5%82%C3%B3d%C5%BA").await;
    assert_eq!(hrefs(&found), std::slice::from_ref(&page));
    assert!(hrefs(&staff.get("/backoffice/customers?q=harbour+b").await).is_empty());
    assert_eq!(browser.post("/settings/account", &[("name", "Zoë Ünal")]).await.status, 303);
    assert_eq!(hrefs(&staff.get("/backoffice/customers?q=ZO%C3%8B+%C3%9C").await), std::slice::from_ref(&page));
    assert_eq!(noted(&world, id_in(&page), "customer.renamed").await, 1);
    // More members than an index entry holds.
    for number in 0..60 {
        let email = format!("colleague-number-{number}@a-rather-long-domain.example.org");
        let email = email.parse().unwrap();
        let made =
            world.portal.accounts.create_user(&email, "Ana", PASSWORD.into(), Role::Customer, Some("Łódź Bakery <b>"));
        made.await.unwrap();
    }
    for q in ["colleague-number-0%40", "colleague-number-59%40", "%C5%82%C3%B3d%C5%BA+bak"] {
        for sort in ["name", "newest"] {
            assert_eq!(
                hrefs(&staff.get(&format!("/backoffice/customers?q={q}&sort={sort}")).await),
                std::slice::from_ref(&page),
                "{q}"
            );
        }
    }
}

async fn a_removed_member_leaves_no_trace_but_an_id(db: Database) {
    let world = World::start(db).await;
    let (admin, support) = (world.staff(Role::Admin).await, world.staff(Role::Support).await);
    let browser = world.customer("Harbour Bakery").await;
    let (email, user) =
        ("SELECT email FROM users WHERE role = 'customer'", "SELECT id FROM users WHERE role = 'customer'");
    let (email, user) = (world.column(email, "email").await.unwrap(), world.column(user, "id").await.unwrap());
    let page = page_of(&world, "Harbour Bakery").await;
    says(&support.get(&page).await, &["Maria Test", &email, "Two-step sign-in"]);
    let remove = format!("/backoffice/people/{user}/remove");
    assert_eq!(support.get(&remove).await.status, 404);
    assert_eq!(support.post(&remove, &[]).await.status, 404);
    says(&admin.get(&remove).await, &["Remove Maria Test?", &email]);
    assert_eq!(admin.post(&remove, &[]).await.location(), page);
    assert!(!browser.is_signed_in().await);
    assert_eq!(world.anonymous().sign_in(&email, PASSWORD).await.status, 422);
    for (table, row) in everything(&world).await {
        assert!(!row.contains(&user) || !row.contains("Maria Test"), "{table}: {row}");
        assert!(!row.contains(&email), "{table}: {row}");
    }
    assert_eq!(noted(&world, id_in(&page), "user.removed").await, 1);
    assert!(hrefs(&admin.get("/backoffice/customers?q=maria").await).is_empty());
    assert_eq!(admin.get(&remove).await.status, 404, "once");
    // The address is free again.
    let address = email.parse().unwrap();
    let again =
        world.portal.accounts.create_user(&address, "Maria", PASSWORD.into(), Role::Customer, Some("Harbour Bakery"));
    again.await.unwrap();
    assert_eq!(world.anonymous().sign_in(&email, PASSWORD).await.status, 303);
}

async fn support_sees_and_creates_but_does_not_delete(db: Database) {
    let world = World::start(db).await;
    let support = world.staff(Role::Support).await;
    let browser = world.customer("Harbour Bakery").await;
    let page = page_of(&world, "Harbour Bakery").await;
    let shown = support.get(&page).await;
    assert!(!shown.text.contains("/delete") && !shown.text.contains("/suspend") && !shown.text.contains("/export"));
    assert!(shown.text.contains(&page.replace("/backoffice/", "/support/")));
    for what in ["suspend", "unsuspend", "export", "delete"] {
        assert_eq!(support.get(&format!("{page}/{what}")).await.status, 404, "{what}");
        assert_eq!(support.post(&format!("{page}/{what}"), &[("name", "Harbour Bakery")]).await.status, 404, "{what}");
    }
    for path in ["/backoffice/customers", "/backoffice/customers/new", &page] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
    }
    assert_eq!(browser.post("/backoffice/customers/new", &[("name", "Mine")]).await.status, 404);
    assert!(browser.is_signed_in().await);
    assert_eq!(world.number("SELECT count(*) AS n FROM customers WHERE deleting_at IS NULL", "n").await, Some(1));
}

async fn who_was_here_before_the_list_is_found_too(db: Database) {
    let store = db.store().await;
    let mut tx = store.write().await.unwrap();
    let customer = "01900000-0000-7000-8000-000000000001";
    query("INSERT INTO customers (id, name, created_at) VALUES ($1, 'ŻÓŁW', 5)")
        .bind(customer)
        .execute(&mut tx)
        .await
        .unwrap();
    let user = "INSERT INTO users (id, email, name, password_hash, role, customer_id, created_at) \
                VALUES ($1, 'old@example.org', 'Óscar', '!', 'customer', $1, 5)";
    query(user).bind(customer).execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    let world = World::start(db).await;
    let staff = world.staff(Role::Support).await;
    for q in ["%C5%BC%C3%B3%C5%82", "old%40example", "%C3%B3scar"] {
        assert_eq!(names(&staff.get(&format!("/backoffice/customers?q={q}")).await), ["ŻÓŁW"], "{q}");
    }
}
