//! The people that an admin oversees.

use super::*;
use doorway::{accounts::PeopleError, base::ids::UserId};

on_both_engines!(
    staff_and_members_are_listed_and_found,
    ten_thousand_people_are_paged_through,
    a_role_is_changed_by_another_admin_alone,
    one_admin_is_always_left,
    staff_who_leave_are_removed_by_another_admin,
    invites_and_links_for_passwords_are_made_from_the_lists,
    somebody_is_signed_out_everywhere,
    a_lost_second_step_is_turned_off_by_another_admin,
    when_somebody_was_here_last_is_known_to_a_quarter_of_an_hour,
);

async fn user_of(world: &World, email: &str) -> UserId {
    world.portal.accounts.search_people(email, "", 1).await.unwrap().remove(0).id
}

async fn staff_and_members_are_listed_and_found(db: Database) {
    let world = World::start(db).await;
    world.customer("Harbour Bakery").await;
    let support = create(&world.portal.accounts, Role::Support, "").await;
    let admin = world.staff(Role::Admin).await;
    run(&world, "UPDATE users SET totp_sealed = 'x', totp_since = 1700000000000 WHERE role = 'admin'").await;
    let page = admin.get("/backoffice/people").await;
    says(&page, &["Staff", "Admin", "Support", &support, "(you)", "Member of Harbour Bakery", "On", "Off", "Never"]);
    for (query, found, not) in
        [("harbour", "Harbour Bakery", "Support"), (&support, &support, "Harbour"), ("maria", "Member of", "Nobody")]
    {
        let page = admin.get(&format!("/backoffice/people?q={query}")).await;
        says(&page, &["People found", found]);
        let main = page.text.split("People found").nth(1).unwrap();
        assert!(!main.contains(not), "{query}");
    }
    says(&admin.get("/backoffice/people?q=100%25").await, &["Nobody fits “100%”"]);
    let member = user_of(&world, "harbour").await;
    let page = admin.get(&format!("/backoffice/people/{member}")).await;
    says(&page, &["Maria Test", "Member of Harbour Bakery", "In 1 place", "What was done to this account"]);
    assert!(!page.text.contains("Change role"), "a member has no role to change");
    for odd in ["0", "x", "01900000-0000-7000-8000-000000000000"] {
        assert_eq!(admin.get(&format!("/backoffice/people/{odd}")).await.status, 404, "{odd}");
        assert_eq!(admin.post(&format!("/backoffice/people/{odd}/sessions/end"), &[]).await.status, 404, "{odd}");
    }
}

async fn ten_thousand_people_are_paged_through(db: Database) {
    let world = World::start(db).await;
    let admin = world.staff(Role::Admin).await;
    run(
        &world,
        "INSERT INTO customers (id, name, created_at) VALUES ('01900000-0000-7000-8000-000000000001', 'Many Hands', 1)",
    )
    .await;
    run(
        &world,
        "INSERT INTO users (id, email, name, password_hash, role, customer_id, created_at) \
         WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < 10000) \
         SELECT '01900000-0000-7000-8000-' || CAST(100000000000 + i AS TEXT), \
         'hand-' || CAST(100000 + i AS TEXT) || '@many.example', 'Hand ' || CAST(i AS TEXT), 'x', 'customer', \
         '01900000-0000-7000-8000-000000000001', 1 FROM n",
    )
    .await;
    let mut address = "/backoffice/people?q=hand-1000".to_owned();
    let mut seen = std::collections::BTreeSet::new();
    loop {
        let page = admin.get(&address).await;
        for link in links(&page, "/backoffice/people/") {
            assert!(seen.insert(link.clone()), "{link} twice");
        }
        match links(&page, "/backoffice/people?").into_iter().find(|link| link.contains("after=") && *link != address) {
            Some(next) => address = next,
            None => break,
        }
    }
    assert_eq!(seen.len(), 99, "100001 to 100099");
    let accounts = &world.portal.accounts;
    let took = shortest(|| async { accounts.search_people("hand-109999", "", 50).await.unwrap() }).await;
    assert!(took < AT_ONCE, "the last of them took {took:?}");
}

async fn a_role_is_changed_by_another_admin_alone(db: Database) {
    let world = World::start(db).await;
    let email = create(&world.portal.accounts, Role::Support, "").await;
    let other = user_of(&world, &email).await;
    let support = world.signed_in(&email).await;
    let admin = world.staff(Role::Admin).await;
    let own = world.column("SELECT id FROM users WHERE role = 'admin'", "id").await.unwrap();
    let role = |id: &str| format!("/backoffice/people/{id}/role");
    let other = other.to_string();

    assert_eq!(support.post(&role(&other), &[("role", "admin")]).await.status, 404);
    let page = admin.post(&role(&own), &[("role", "support")]).await;
    assert_eq!(page.status, 422);
    let page = admin.post(&role(&other), &[("role", "owner")]).await;
    assert_eq!(page.status, 422);
    says(&page, &["Choose a role"]);
    let page = admin.post(&role(&other), &[("role", "customer")]).await;
    assert_eq!(page.status, 422);
    assert_eq!(support.get("/backoffice/people").await.status, 404);

    let back = admin.post(&role(&other), &[("role", "admin")]).await;
    says(&admin.get(back.location()).await, &["is an admin now", "Changed somebody’s role", "support to admin"]);
    assert_eq!(support.get("/backoffice/people").await.status, 200, "from the next page on");
    admin.post(&role(&other), &[("role", "support")]).await;
    assert_eq!(support.get("/backoffice/people").await.status, 404);
    let entry = "SELECT count(*) AS n FROM audit_log WHERE action = 'user.role_changed' AND actor_user_id IS NOT NULL";
    assert_eq!(world.number(entry, "n").await, Some(2));
    assert_eq!(admin.get(&role(&other)).await.location(), format!("/backoffice/people/{other}"));
}

/// Two admins who take each other's role at the same moment.
async fn one_admin_is_always_left(db: Database) {
    let world = World::start(db).await;
    let accounts = &world.portal.accounts;
    let mut both = Vec::new();
    for _ in 0..2 {
        let email = create(accounts, Role::Admin, "").await;
        both.push(user_of(&world, &email).await);
    }
    for _ in 0..5 {
        let (a, b) = (accounts.user(both[0]).await.unwrap().unwrap(), accounts.user(both[1]).await.unwrap().unwrap());
        let (one, two) =
            tokio::join!(accounts.set_role(&a, b.id, Role::Support), accounts.set_role(&b, a.id, Role::Support));
        let refused = [&one, &two].into_iter().filter(|end| matches!(end, Err(PeopleError::LastAdmin))).count();
        assert_eq!((one.is_ok() || two.is_ok(), refused), (true, 1), "{one:?} {two:?}");
        assert_eq!(world.number("SELECT count(*) AS n FROM users WHERE role = 'admin'", "n").await, Some(1));
        run(&world, "UPDATE users SET role = 'admin'").await;
    }
}

async fn somebody_is_signed_out_everywhere(db: Database) {
    let world = World::start(db).await;
    let email = create(&world.portal.accounts, Role::Customer, "Harbour Bakery").await;
    let (here, there) = (world.signed_in(&email).await, world.signed_in(&email).await);
    let other = world.customer("Corner Shop").await;
    let admin = world.staff(Role::Admin).await;
    let id = user_of(&world, &email).await;
    says(&admin.get(&format!("/backoffice/people/{id}")).await, &["In 2 places"]);
    let back = admin.post(&format!("/backoffice/people/{id}/sessions/end"), &[]).await;
    says(&admin.get(back.location()).await, &["is signed out everywhere", "Nowhere", "Signed somebody out everywhere"]);
    assert!(!here.is_signed_in().await && !there.is_signed_in().await);
    assert!(other.is_signed_in().await && admin.is_signed_in().await, "nobody else is");
    let own = user_of(&world, "admin-").await;
    assert_eq!(admin.post(&format!("/backoffice/people/{own}/sessions/end"), &[]).await.location(), "/signin");
    assert!(!admin.is_signed_in().await);
}

async fn when_somebody_was_here_last_is_known_to_a_quarter_of_an_hour(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let seen = || world.number("SELECT seen_at FROM users", "seen_at");
    let first = seen().await.unwrap();
    world.advance(10 * 60);
    browser.get("/connections").await;
    assert_eq!(seen().await, Some(first), "not with every page");
    world.advance(10 * 60);
    browser.get("/connections").await;
    let second = seen().await.unwrap();
    assert!(second - first >= 20 * 60 * 1_000 && second - first < 30 * 60 * 1_000);
    world.advance(86_400);
    world.anonymous().get("/").await;
    assert_eq!(seen().await, Some(second), "somebody else is not them");
}

async fn a_lost_second_step_is_turned_off_by_another_admin(db: Database) {
    let world = World::start(db).await;
    let email = create(&world.portal.accounts, Role::Customer, "Harbour Bakery").await;
    let lost = world.signed_in(&email).await;
    let admin = world.staff(Role::Admin).await;
    run(&world, "UPDATE users SET totp_sealed = 'x', totp_since = 1700000000000 WHERE role = 'customer'").await;
    let id = user_of(&world, &email).await;
    says(&admin.get(&format!("/backoffice/people/{id}")).await, &["Turn off two-step sign-in of Maria Test"]);
    let back = admin.post(&format!("/backoffice/people/{id}/two-step/reset"), &[]).await;
    says(&admin.get(back.location()).await, &["is off", "Turned off somebody’s two-step sign-in", "Off"]);
    assert_eq!(world.column("SELECT totp_sealed FROM users WHERE role = 'customer'", "totp_sealed").await, None);
    assert!(!lost.is_signed_in().await);
    let own = user_of(&world, "admin-").await;
    assert_eq!(admin.post(&format!("/backoffice/people/{own}/two-step/reset"), &[]).await.status, 409);
}

async fn invites_and_links_for_passwords_are_made_from_the_lists(db: Database) {
    let world = World::start(db).await;
    world.customer("Harbour Bakery").await;
    let admin = world.staff(Role::Admin).await;
    assert!(!admin.get("/backoffice/people").await.words().contains("Open invites"));
    let fields = [("email", "new.colleague@operator.example"), ("name", "New Colleague"), ("role", "support")];
    let made = admin.post("/invites", &fields).await;
    assert!(made.status.is_redirection(), "{}", made.words());
    let page = admin.get("/backoffice/people").await;
    says(&page, &["Open invites to the staff", "new.colleague@operator.example", "Invite somebody"]);
    let id = user_of(&world, "harbour").await;
    let page = admin.get(&format!("/backoffice/people/{id}")).await;
    assert!(page.text.contains(&format!("action=\"/people/{id}/reset-link\"")));
    let link = admin.post(&format!("/people/{id}/reset-link"), &[]).await;
    assert_eq!(admin.get(link.location()).await.status, 200);
    says(&admin.get(&format!("/backoffice/people/{id}")).await, &["Made a link for somebody’s new password"]);
}

/// Without that, who leaves keeps an account that sees every customer.
async fn staff_who_leave_are_removed_by_another_admin(db: Database) {
    let world = World::start(db).await;
    let email = create(&world.portal.accounts, Role::Support, "").await;
    let leaver = world.signed_in(&email).await;
    let id = user_of(&world, &email).await;
    let admin = world.staff(Role::Admin).await;
    let own = user_of(&world, "admin-").await;
    let remove = |id: UserId| format!("/backoffice/people/{id}/remove");
    assert_eq!(leaver.get(&remove(id)).await.status, 404);
    assert_eq!(leaver.post(&remove(own), &[]).await.status, 404);
    let page = admin.get(&format!("/backoffice/people/{id}")).await;
    assert_eq!(links(&page, &remove(id)).len(), 1);
    says(&admin.get(&remove(id)).await, &["Remove Maria Test?", &email, "works for Test Operator"]);
    let made = leaver.post("/invites", &[("email", "me@elsewhere.example"), ("company", "Corner Shop")]).await;
    let link = leaver.get(made.location()).await.attribute("data-copy").unwrap();
    let link = url::Url::parse(&link).unwrap().path().to_owned();
    assert_eq!(world.anonymous().get(&link).await.status, 200);

    let back = admin.post(&remove(id), &[]).await;
    assert_eq!(back.location(), "/backoffice/people");
    says(&admin.get(back.location()).await, &["Maria Test is removed"]);
    assert!(!leaver.is_signed_in().await);
    assert_eq!(world.anonymous().sign_in(&email, PASSWORD).await.status, 422);
    assert_eq!(world.anonymous().get(&link).await.status, 410, "nor by a link of their own making");
    assert_eq!(admin.get(&remove(id)).await.status, 404, "once");
    assert_eq!(admin.post(&remove(id), &[]).await.status, 404);
    // Nobody removes themselves.
    assert_eq!(admin.post(&remove(own), &[]).await.status, 409);
    assert!(links(&admin.get(&format!("/backoffice/people/{own}")).await, &remove(own)).is_empty());
    let noted = "SELECT count(*) AS n FROM audit_log WHERE action = 'user.removed' AND actor_user_id IS NOT NULL";
    assert_eq!(world.number(noted, "n").await, Some(1));
}
