//! Deleting: everything of the customer is gone, and nothing of anybody else's.

use super::*;
use std::time::Duration;

on_both_engines!(
    it_asks_for_the_name_and_then_everything_is_gone,
    others_keep_what_is_theirs,
    meta_is_waited_for_but_not_for_ever,
    killed_in_between_it_goes_on,
);

async fn is_gone(world: &World, admin: &Browser, page: &str) {
    eventually("the end of the customer", || async {
        world.advance(2);
        (admin.get(page).await.status == 404).then_some(())
    })
    .await;
}

/// A webhook as Meta sends it, with entries of these WABAs.
async fn webhook(world: &World, wabas: &[&str], text: &str) {
    let entry = |waba: &&str| {
        let value = json!({"messages": [{"from": "15551234567", "text": {"body": format!("{text} to {waba}")}}]});
        json!({"id": waba, "changes": [{"field": "messages", "value": value}]})
    };
    let body = json!({"object": "whatsapp_business_account", "entry": wabas.iter().map(entry).collect::<Vec<_>>()});
    keep(world, &body).await;
}

async fn keep(world: &World, body: &Value) {
    post(world, body.to_string()).await;
}

async fn post(world: &World, body: String) {
    let nobody = world.anonymous();
    let request = nobody.request(http::Method::POST, "/webhooks/whatsapp");
    let request = request.header("x-hub-signature-256", signature(&body)).header("content-type", "application/json");
    assert_eq!(nobody.send(request.body(body)).await.status, 200);
}

fn signature(body: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(APP_SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// What Meta sends when a WABA is shared with us: in an entry of the operator's business.
fn partner_added(wabas: &[&str]) -> Value {
    let change = |waba: &&str| {
        let value = json!({"event": "PARTNER_ADDED", "waba_info": {"waba_id": waba, "owner_business_id": "77"}});
        json!({"field": "account_update", "value": value})
    };
    let changes: Vec<Value> = wabas.iter().map(change).collect();
    json!({"object": "whatsapp_business_account", "entry": [{"id": "2949482758682047", "changes": changes}]})
}

async fn delete(admin: &Browser, page: &str, name: &str) {
    says(&admin.get(&format!("{page}/delete")).await, &[&format!("Delete {name}?"), "This can’t be undone"]);
    assert_eq!(admin.post(&format!("{page}/delete"), &[("name", name)]).await.location(), page);
}

async fn it_asks_for_the_name_and_then_everything_is_gone(db: Database) {
    let world = World::start(db).await;
    let admin = world.staff(Role::Admin).await;
    let bakery = world.customer("Harbour Bakery").await;
    let email = world.column("SELECT email FROM users WHERE role = 'customer'", "email").await.unwrap();
    let user = world.column("SELECT id FROM users WHERE role = 'customer'", "id").await.unwrap();
    let (connection, signup) = world.connect(&bakery, &[]).await;
    let waba = id(&signup, "waba_ids", 0);
    let phone = id(&signup, "phone_number_ids", 0);
    let token = world.column("SELECT token_sealed FROM connections", "token_sealed").await.unwrap();
    let attempt = bakery.begin().await;
    webhook(&world, &[&waba], "a secret recipe").await;
    keep(&world, &partner_added(&[&waba])).await;
    processed(&world).await;
    let page = page_of(&world, "Harbour Bakery").await;
    let customer = id_in(&page).to_owned();
    let needles = [
        email.as_str(),
        "Harbour Bakery",
        "harbour bakery",
        &customer,
        &user,
        &waba,
        &phone,
        &token,
        &attempt.id,
        "a secret recipe",
        id_in(&connection),
    ];
    // Templates are to be read hours later: Meta's limits are near.
    let late = "INSERT INTO jobs (id, kind, subject, run_at, created_at) VALUES ('late', 'templates.sync', $1, $2, 0) \
                ON CONFLICT (kind, subject) DO UPDATE SET run_at = excluded.run_at";
    let mut tx = world.portal.store.write().await.unwrap();
    let at = world.clock.now() + time::Duration::hours(5);
    doorway::store::query(late).bind(&waba).bind(at).execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    let before = everything(&world).await;
    for needle in &needles {
        assert!(before.iter().any(|(_, row)| row.contains(needle)), "the scan does not see {needle}");
    }
    assert_eq!(world.meta.waba(&waba).await["subscribed"], true);

    admin.get(&format!("{page}/delete")).await;
    let wrong = admin.post(&format!("{page}/delete"), &[("name", "Harbour")]).await;
    assert_eq!(wrong.status, 422);
    says(&wrong, &["Problem: ", "This is not the company’s name"]);
    assert!(bakery.is_signed_in().await);
    world.meta.hold(http::Method::DELETE, "subscribed_apps");
    delete(&admin, &page, "Harbour Bakery").await;
    // While Meta is being told, nobody is in, and the pages say what is going on.
    assert!(!bakery.is_signed_in().await);
    assert_eq!(world.anonymous().sign_in(&email, PASSWORD).await.status, 403);
    says(&admin.get(&page).await, &["Being deleted"]);
    says(&admin.get("/backoffice/customers").await, &["Harbour Bakery", "Being deleted"]);
    assert_eq!(admin.get(&format!("{page}/delete")).await.location(), page);
    world.meta.called("subscribed_apps").await;
    world.meta.release();
    is_gone(&world, &admin, &page).await;

    assert_eq!(world.meta.waba(&waba).await["subscribed"], false);
    for (table, row) in everything(&world).await {
        // The job that did it ends a moment later; the log holds IDs for good.
        if table == "audit_log" || row.contains("backoffice.erase_customer") {
            for needle in [email.as_str(), "Harbour", &token, "recipe"] {
                assert!(!row.contains(needle), "{table}: {row}");
            }
            continue;
        }
        for needle in &needles {
            assert!(!row.contains(needle), "{needle} is left in {table}: {row}");
        }
    }
    for action in
        ["user.created", "connection.created", "customer.deletion_begun", "connection.disconnected", "customer.deleted"]
    {
        assert_eq!(noted(&world, &customer, action).await, 1, "{action}");
    }
    assert_eq!(world.anonymous().sign_in(&email, PASSWORD).await.status, 422);
    // The account is free, and so is the address. That it was somebody's is known, but not whose.
    let anybody = doorway::base::ids::CustomerId::new();
    let own = waba.parse().unwrap();
    let mut db = world.portal.store.read().await.unwrap();
    let was = doorway::connections::was_anothers(&mut db, anybody, [Some(&own), None], None, world.clock.now());
    assert!(was.await.unwrap(), "what may still come of it is nobody else's");
    drop(db);
    let shop = world.customer("Corner Shop").await;
    let attempt = shop.begin().await;
    attempt.bring_all(&world.meta.signup_of(json!({"waba_id": waba})).await).await;
    attempt.connection().await;
    let address = email.parse().unwrap();
    let again = world.portal.accounts.create_user(&address, "Maria", PASSWORD.into(), Role::Customer, Some("Anew"));
    again.await.unwrap();
}

async fn others_keep_what_is_theirs(db: Database) {
    let world = World::start(db).await;
    let admin = world.staff(Role::Admin).await;
    let (bakery, shop) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    let (_, first) = world.connect(&bakery, &[]).await;
    let (connection, second) = world.connect(&shop, &[]).await;
    // One that the bakery had, released, and that the shop has now: what comes from it is the shop's.
    let attempt = bakery.begin().await;
    let third = world.meta.signup(&[]).await;
    attempt.bring_all(&third).await;
    attempt.connection().await;
    let moved = id(&third, "waba_ids", 0);
    admin.get("/support").await;
    assert_eq!(admin.post(&format!("/support/wabas/{moved}/release"), &[]).await.status, 303);
    let attempt = shop.begin().await;
    attempt.bring_all(&world.meta.signup_of(json!({"waba_id": moved})).await).await;
    attempt.connection().await;
    let (own, others) = (id(&first, "waba_ids", 0), id(&second, "waba_ids", 0));
    webhook(&world, &[&own], "only").await;
    webhook(&world, &[&own, &others, &moved], "both").await;
    webhook(&world, &[&others], "other").await;
    keep(&world, &partner_added(&[&own, &others])).await;
    // As nobody would write it, to see that it stays so.
    let odd = format!(
        r#"{{ "id": "{others}","changes" :[{{"value":{{"n":1.50e1,"text":"\u00e9"}}, "field":"messages"}}] }}"#
    );
    let mine = format!(r#"{{"id":"{own}","changes":[{{"field":"messages","value":{{"text":"mine"}}}}]}}"#);
    post(&world, format!(r#"{{"entry":[{mine},  {odd},{mine}] }}"#)).await;
    // Meta's own come half a second after each signup: one that came after the end would be kept.
    eventually("Meta's webhooks about what was shared", || async {
        let state = world.meta.control(http::Method::GET, "state", json!({})).await;
        (state["webhooks_waiting"] == 0).then_some(())
    })
    .await;
    processed(&world).await;
    let told = "SELECT count(*) AS n FROM partner_events WHERE business_id = '77'";
    assert_eq!(world.number(told, "n").await, Some(2));

    let page = page_of(&world, "Harbour Bakery").await;
    delete(&admin, &page, "Harbour Bakery").await;
    is_gone(&world, &admin, &page).await;
    let mut db = world.portal.store.read().await.unwrap();
    let bodies = query("SELECT body FROM intake ORDER BY seq").all(&mut db, |row| row.text("body")).await.unwrap();
    let all = bodies.join("\n");
    assert!(!all.contains(&own), "{all}");
    assert!(all.contains(&odd), "byte for byte: {odd} in {all}");
    let shops = world.column("SELECT id FROM customers WHERE name = 'Corner Shop'", "id").await.unwrap();
    let readable = world.portal.webhooks.routes_of(shops.parse().unwrap()).await.unwrap();
    let mut events = world.portal.webhooks.newest(&doorway::webhooks::Of::Routes(readable), None);
    while let Some(event) = events.next().await.unwrap() {
        let says = world.portal.webhooks.change(event.id, |change| change.raw.to_owned()).await.unwrap();
        assert!(says.is_some(), "{event:?} lost what it says");
    }
    let left = "SELECT count(*) AS n FROM events e LEFT JOIN event_routes r ON r.id = e.route_id WHERE r.id IS NULL";
    assert_eq!(world.number(left, "n").await, Some(0));
    for kept in [format!("both to {others}"), format!("both to {moved}"), format!("other to {others}")] {
        assert!(all.contains(&kept), "{kept} in {all}");
    }
    assert!(bodies.iter().any(|body| body.contains("PARTNER_ADDED") && body.contains(&others)));
    assert_eq!(world.number(told, "n").await, Some(1), "what was told of the bakery's account is gone");
    let left = "SELECT count(*) AS n FROM wabas";
    assert_eq!(world.number(left, "n").await, Some(2));
    says(&shop.get(&connection).await, &["Connected"]);
    assert_eq!(world.meta.waba(&others).await["subscribed"], true);
    assert_eq!(world.meta.waba(&moved).await["subscribed"], true);
    assert_eq!(world.meta.waba(&own).await["subscribed"], false);
}

async fn meta_is_waited_for_but_not_for_ever(db: Database) {
    let world = World::start(db).await;
    let admin = world.staff(Role::Admin).await;
    let bakery = world.customer("Harbour Bakery").await;
    world.connect(&bakery, &[]).await;
    let page = page_of(&world, "Harbour Bakery").await;
    world.meta.fault("graph_down", None, None).await;
    delete(&admin, &page, "Harbour Bakery").await;
    world.meta.called("subscribed_apps").await;
    world.advance(25 * 60);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    says(&admin.get(&page).await, &["Being deleted"]);
    world.advance(6 * 60);
    is_gone(&world, &admin, &page).await;
    assert_eq!(noted(&world, id_in(&page), "connection.left_unconfirmed").await, 1);
    assert_eq!(noted(&world, id_in(&page), "customer.deleted").await, 1);
    assert_eq!(world.number("SELECT count(*) AS n FROM connections", "n").await, Some(0));
}

async fn killed_in_between_it_goes_on(db: Database) {
    let mut process = Process::new(db).await;
    process.set("STAFF_TOTP", "false");
    process.launch().await;
    let bakery = process.customer("Harbour Bakery").await;
    let attempt = bakery.begin().await;
    let signup = process.meta.signup(&[]).await;
    let waba = id(&signup, "waba_ids", 0);
    attempt.bring_all(&signup).await;
    attempt.connection().await;
    let admin = process.staff(Role::Admin).await;
    let store = process.db.store().await;
    let count =
        async |sql: &'static str| query(sql).one(&mut store.read().await.unwrap(), |row| row.int("n")).await.unwrap();
    let id =
        query("SELECT id FROM customers").one(&mut store.read().await.unwrap(), |row| row.text("id")).await.unwrap();
    let page = format!("/backoffice/customers/{id}");
    process.meta.hold(http::Method::DELETE, "subscribed_apps");
    delete(&admin, &page, "Harbour Bakery").await;
    process.meta.called("subscribed_apps").await;
    process.kill();
    assert_eq!(count("SELECT count(*) AS n FROM customers WHERE deleting_at IS NOT NULL").await, 1);
    assert_eq!(count("SELECT count(*) AS n FROM signup_attempts").await, 1, "all of it is still there");
    process.meta.abandon();
    process.launch().await;
    assert!(!bakery.is_signed_in().await);
    eventually("the end of the customer", || async {
        (count("SELECT count(*) AS n FROM customers").await == 0).then_some(())
    })
    .await;
    let rest = "SELECT (SELECT count(*) FROM connections) + (SELECT count(*) FROM signup_attempts) \
                + (SELECT count(*) FROM users WHERE role = 'customer') AS n";
    assert_eq!(count(rest).await, 0, "all of it is gone together");
    assert_eq!(process.meta.waba(&waba).await["subscribed"], false);
    store.close().await;
}
