//! What an invite is not: a back door, a way to send mail to whom one likes, or a thing that outsiders can block.

use super::{
    invites::{NEW, accept, bakery, dead_mail, invite, link},
    *,
};

on_both_engines!(
    links_end_with_the_power_of_who_made_them,
    a_link_into_the_staff_needs_an_admin_behind_it,
    whose_company_is_suspended_gets_in_by_no_link,
    a_member_mails_no_crowd,
    nobody_outside_keeps_somebody_from_being_invited,
);

/// Who is an admin no longer, or a member, has the links that they made still in their pocket.
async fn links_end_with_the_power_of_who_made_them(db: Database) {
    let world = World::start(db).await;
    let (admin, other) = (world.staff(Role::Admin).await, world.staff(Role::Admin).await);
    let member = world.customer("Harbour Bakery").await;
    let customer = world.column("SELECT id FROM customers", "id").await.unwrap();
    let sql = "SELECT max(id) AS id FROM users WHERE role = 'admin'";
    let (last, first) = (
        world.column(sql, "id").await.unwrap(),
        world.column("SELECT min(id) AS id FROM users WHERE role = 'admin'", "id").await.unwrap(),
    );
    let (back_door, path) = invite(&other, &[("email", "me@elsewhere.example"), ("role", "admin")]).await;
    let (of_customer, _) = invite(&other, &[("email", "nina@harbour.example"), ("customer", &customer)]).await;
    let reset = other.post(&format!("/people/{first}/reset-link"), &[]).await.location().to_owned();
    let reset = link(&other.get(&reset).await);
    let (back_door, of_customer) = (link(&back_door), link(&of_customer));
    let anybody = world.anonymous();
    for good in [&back_door, &of_customer, &reset] {
        assert_eq!(anybody.get(good).await.status, 200);
    }
    let changed = admin.post(&format!("/backoffice/people/{last}/role"), &[("role", "support")]).await;
    assert_eq!(changed.status, 303, "{}", changed.words());
    assert_eq!(anybody.get(&back_door).await.status, 410, "support may not make admins");
    assert_eq!(anybody.get(&reset).await.status, 410, "nor set an admin's password");
    assert_eq!(anybody.get(&of_customer).await.status, 200, "support may invite members");
    says(&admin.get(&path).await, &["Taken back"]);
    let noted = "SELECT count(*) AS n FROM audit_log WHERE action = 'invite.revoked'";
    assert_eq!(world.number(noted, "n").await, Some(2));

    let (friend, _) = invite(&member, &[("email", "friend@elsewhere.example")]).await;
    let friend = link(&friend);
    assert_eq!(anybody.get(&friend).await.status, 200);
    let id = world.column("SELECT id FROM users WHERE role = 'customer'", "id").await.unwrap();
    let removed = admin.post(&format!("/backoffice/people/{id}/remove"), &[]).await;
    assert_eq!(removed.status, 303, "{}", removed.words());
    assert_eq!(anybody.get(&friend).await.status, 410);
    assert_eq!(anybody.get(&of_customer).await.status, 200, "what others made stays");
}

/// The portal is no way to send mail to whom one likes, nor to ask of many addresses who is here.
async fn a_member_mails_no_crowd(db: Database) {
    let world = World::start(db).await;
    let member = world.customer("Harbour Bakery").await;
    let mut statuses = Vec::new();
    for n in 0..30 {
        let email = format!("stranger-{n}@elsewhere.example");
        statuses.push(member.post("/invites", &[("email", &email)]).await.status.as_u16());
    }
    assert!(statuses[..15].iter().all(|status| *status == 303), "a team can be invited: {statuses:?}");
    assert_eq!(statuses[29], 409, "{statuses:?}");
    let told = member.post("/invites", &[("email", "stranger@elsewhere.example")]).await;
    says(&told, &["You invited many people of late. Wait"]);
    let staff = world.staff(Role::Support).await;
    invite(&staff, &[("email", "nina@harbour.example"), ("company", "Corner Shop")]).await;
    // The day after; by hand, since a form's session would not last.
    let sql = "UPDATE guesses SET forgotten_at = forgotten_at - 86400000, blocked_until = blocked_until - 86400000";
    let mut tx = world.portal.store.write().await.unwrap();
    query(sql).execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(member.post("/invites", &[("email", "late@elsewhere.example")]).await.status, 303);
}

async fn nobody_outside_keeps_somebody_from_being_invited(db: Database) {
    let world = World::with(db, dead_mail).await;
    world.customer("Corner Shop").await;
    let stranger = world.anonymous();
    stranger.get("/forgot").await;
    for _ in 0..8 {
        stranger.post("/forgot", &[("email", "nina@harbour.example")]).await;
    }
    assert_eq!(stranger.post("/forgot", &[("email", "nina@harbour.example")]).await.status, 429);
    bakery(&world).await;
}

/// An invite that was on its way while its maker's role was taken must not slip through.
async fn a_link_into_the_staff_needs_an_admin_behind_it(db: Database) {
    let world = World::start(db).await;
    let admin = world.staff(Role::Admin).await;
    let (page, _) = invite(&admin, &[("email", "me@elsewhere.example"), ("role", "admin")]).await;
    let mut tx = world.portal.store.write().await.unwrap();
    query("UPDATE users SET role = 'support'").execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    let browser = world.anonymous();
    let answer = accept(&browser, &link(&page), "Eve", NEW).await;
    assert_eq!(answer.status, 410, "{}", answer.words());
    assert_eq!(world.number("SELECT count(*) AS n FROM users", "n").await, Some(1));
}

async fn whose_company_is_suspended_gets_in_by_no_link(db: Database) {
    let world = World::start(db).await;
    let (_, page, _) = bakery(&world).await;
    let mut tx = world.portal.store.write().await.unwrap();
    query("UPDATE customers SET suspended_at = 1").execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    let nina = world.anonymous();
    let answer = accept(&nina, &link(&page), "Nina", NEW).await;
    assert_eq!(answer.status, 403, "{}", answer.words());
    says(&answer, &["Harbour Bakery"]);
    assert!(!nina.is_signed_in().await);
    let signed_in = "SELECT count(*) AS n FROM audit_log WHERE action = 'user.signed_in' AND customer_id IS NOT NULL";
    assert_eq!(world.number(signed_in, "n").await, Some(0), "nor does the log say so");
}
