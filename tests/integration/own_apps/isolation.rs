//! The gravest trap: a customer can sign with its own app's secret whatever it likes. Nothing of what it signs may reach
//! another customer, now or later, in any shape.

use super::*;

on_both_engines!(
    a_body_may_name_anybody_and_reaches_only_its_own,
    a_template_that_it_names_stays_the_owners,
    a_number_that_was_anothers_is_not_its_own,
    what_it_signs_is_no_duplicate_of_what_meta_tells_others,
    what_it_named_before_is_nobodys_when_the_account_is_connected,
    partner_events_of_it_are_nothing,
    only_its_own_secret_counts,
    erasing_takes_out_what_its_app_sent_and_nothing_else,
    what_is_not_routed_yet_is_exported_as_nobodys,
);

const COUNT: &str = "SELECT count(*) AS n FROM events";

/// Two companies: the owner goes through the operator's app, the other brings its own.
struct Two {
    world: World,
    owner: Browser,
    other: Browser,
    waba: String,
    phone: String,
    app: Value,
    callback: String,
}

impl Two {
    async fn new(db: Database) -> Self {
        let world = World::start(db).await;
        let owner = world.customer("Harbour Bakery").await;
        let (_, signup) = world.connect(&owner, &[]).await;
        let other = world.customer("Corner Shop").await;
        let app = app(&world).await;
        let (_, callback) = add(&other, &app).await;
        // Meta's word that the account was shared comes a moment later.
        eventually("the partner event", || async { (events_of(&world, "Harbour Bakery").await == 1).then_some(()) })
            .await;
        let (waba, phone) = (id(&signup, "waba_ids", 0), id(&signup, "phone_number_ids", 0));
        Self { world, owner, other, waba, phone, app, callback }
    }

    fn own(&self) -> (&str, &str) {
        (text(&self.app, "waba_id"), self.app["phone_number_ids"][0].as_str().unwrap())
    }

    /// Signed by the other's app, to the other's address.
    async fn told(&self, entries: &[Value]) {
        let status = post(&self.other, &self.callback, text(&self.app, "app_secret"), &body(entries)).await;
        assert_eq!(status, 200);
        all_read(&self.world).await;
    }
}

async fn a_body_may_name_anybody_and_reaches_only_its_own(db: Database) {
    let two = Two::new(db).await;
    let (waba, phone) = two.own();
    let before = events_of(&two.world, "Harbour Bakery").await;
    let account = |id: &str, info: Value| {
        let mut value = json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": ["DISABLE"]}});
        if !info.is_null() {
            value["waba_info"] = info;
        }
        json!({"id": id, "time": 1_790_000_000, "changes": [{"field": "account_update", "value": value}]})
    };
    let template = json!({"event": "REJECTED", "message_template_id": 77, "message_template_name": "hello",
        "message_template_language": "en_US", "reason": "SCAM"});
    let alert = json!({"entity_type": "PHONE_NUMBER", "entity_id": two.phone, "alert_severity": "CRITICAL"});
    let forged = [
        message(&two.waba, &two.phone, "wamid.forged-1"),
        // Its own account around another's number, and the reverse.
        message(waba, &two.phone, "wamid.forged-2"),
        message("", &two.phone, "wamid.forged-3"),
        account(&two.waba, Value::Null),
        account(waba, json!({"waba_id": two.waba})),
        account(BUSINESS_ID, json!({"waba_id": two.waba})),
        json!({"id": two.waba, "changes": [{"field": "message_template_status_update", "value": template}]}),
        json!({"id": waba, "changes": [{"field": "account_alerts", "value": alert}]}),
        json!({"id": waba, "changes": [{"field": "account_alerts",
            "value": {"entity_type": "WABA", "entity_id": two.waba, "alert_severity": "CRITICAL"}}]}),
    ];
    // Alone, and among what is its own.
    for one in &forged {
        two.told(std::slice::from_ref(one)).await;
    }
    let mut mixed = forged.to_vec();
    mixed.insert(2, message(waba, phone, "wamid.own"));
    two.told(&mixed).await;
    assert_eq!(events_of(&two.world, "Harbour Bakery").await, before);
    assert_eq!(events_of(&two.world, "Corner Shop").await, 1);
    assert_eq!(two.world.number(COUNT, "n").await, Some(before + 1), "nothing is left as nobody's");
    let kept = "SELECT count(*) AS n FROM intake WHERE body LIKE '%wamid.forged%'";
    assert_eq!(two.world.number(kept, "n").await, Some(0), "nor in the bodies");
    let own = "SELECT count(*) AS n FROM intake WHERE body LIKE '%wamid.own%' AND own_connection_id IS NOT NULL";
    assert_eq!(two.world.number(own, "n").await, Some(1), "what is its own stays as it came");
    for table in ["SELECT count(*) AS n FROM account_notices", "SELECT count(*) AS n FROM message_templates"] {
        assert_eq!(two.world.number(table, "n").await, Some(0), "{table}");
    }
    let people =
        "SELECT count(*) AS n FROM contacts c JOIN customers k ON k.id = c.customer_id WHERE k.name = 'Harbour Bakery'";
    assert_eq!(two.world.number(people, "n").await, Some(0));
    // The routes are those of before and its own one.
    let routes = "SELECT count(*) AS n FROM event_routes WHERE customer_id IS NULL";
    assert_eq!(two.world.number(routes, "n").await, Some(0));
    assert!(!two.owner.get("/events").await.text.contains("forged"));
    // The other is told that something was left out.
    let left_out = "SELECT count(*) AS n FROM own_apps WHERE left_out_at IS NOT NULL";
    assert_eq!(two.world.number(left_out, "n").await, Some(1));
}

async fn a_template_that_it_names_stays_the_owners(db: Database) {
    let two = Two::new(db).await;
    let (own, _) = two.own();
    let told = |waba: &str, event: &str| {
        let name = if waba == two.waba { "new_oven" } else { "hello" };
        let value = json!({"event": event, "message_template_id": 77, "message_template_name": name,
            "message_template_language": "en_US", "reason": "SCAM"});
        json!({"id": waba, "time": 1_790_000_000, "changes": [{"field": "message_template_status_update", "value": value}]})
    };
    // It names another's template as its own before that one was ever heard of, and again after.
    two.told(&[told(own, "REJECTED")]).await;
    let genuine = body(&[told(&two.waba, "APPROVED")]);
    assert_eq!(post(&two.owner, "/webhooks/whatsapp", APP_SECRET, &genuine).await, 200);
    all_read(&two.world).await;
    two.told(&[told(own, "DISABLED")]).await;
    let status = async |waba: &str| {
        let mut db = two.world.portal.store.read().await.unwrap();
        doorway::store::query("SELECT status FROM message_templates WHERE waba_id = $1 AND template_id = '77'")
            .bind(waba)
            .optional(&mut db, |row| row.text("status"))
            .await
            .unwrap()
    };
    assert_eq!(status(&two.waba).await.as_deref(), Some("APPROVED"));
    assert_eq!(status(own).await.as_deref(), Some("DISABLED"));
    // Nor do the words of one reach what is kept of the other.
    let mixed = "SELECT count(*) AS n FROM template_decisions d JOIN message_templates t ON t.waba_id = d.waba_id \
                 AND t.template_id = d.template_id WHERE t.name <> d.name";
    assert_eq!(two.world.number(mixed, "n").await, Some(0));
    let names = "SELECT count(DISTINCT name) AS n FROM template_decisions";
    assert_eq!(two.world.number(names, "n").await, Some(2));
    let owners = "SELECT w.connection_id AS id FROM wabas w JOIN connections c ON c.id = w.connection_id JOIN customers k \
                  ON k.id = c.customer_id WHERE k.name = 'Harbour Bakery'";
    let connection = two.world.column(owners, "id").await.unwrap();
    let page = two.owner.get(&format!("/connections/{connection}/templates/77")).await;
    assert_eq!(page.attribute("data-status").as_deref(), Some("APPROVED"), "{}", page.words());
}

async fn a_number_that_was_anothers_is_not_its_own(db: Database) {
    let world = World::start(db).await;
    let owner = world.customer("Harbour Bakery").await;
    let (connection, signup) = world.connect(&owner, &["coexistence"]).await;
    let phone = id(&signup, "phone_number_ids", 0);
    let came = "SELECT max(contacts_count) AS n FROM number_syncs";
    eventually("the contacts", || async { (world.number(came, "n").await == Some(4)).then_some(()) }).await;
    // What is kept of a number outlives its connection.
    owner.post(&format!("{connection}/disconnect"), &[]).await;
    let left = "SELECT count(*) AS n FROM phone_numbers";
    eventually("the end of the connection", || async { (world.number(left, "n").await == Some(0)).then_some(()) })
        .await;
    let other = world.customer("Corner Shop").await;
    let app = app(&world).await;
    let (_, callback) = add(&other, &app).await;
    let one =
        json!({"type": "contact", "action": "add", "contact": {"full_name": "Ann", "phone_number": "12025550199"}});
    let told = |phone: &str| {
        let value =
            json!({"messaging_product": "whatsapp", "metadata": {"phone_number_id": phone}, "state_sync": [one]});
        let change = json!({"field": "smb_app_state_sync", "value": value});
        body(&[json!({"id": text(&app, "waba_id"), "time": 1_790_000_000, "changes": [change]})])
    };
    assert_eq!(post(&other, &callback, text(&app, "app_secret"), &told(&phone)).await, 200);
    all_read(&world).await;
    assert_eq!(world.number(came, "n").await, Some(4));
}

async fn what_it_signs_is_no_duplicate_of_what_meta_tells_others(db: Database) {
    let two = Two::new(db).await;
    let genuine = message(&two.waba, &two.phone, "wamid.to-come");
    two.told(std::slice::from_ref(&genuine)).await;
    let before = events_of(&two.world, "Harbour Bakery").await;
    let status = post(&two.owner, "/webhooks/whatsapp", APP_SECRET, &body(&[genuine])).await;
    assert_eq!(status, 200);
    all_read(&two.world).await;
    assert_eq!(events_of(&two.world, "Harbour Bakery").await, before + 1, "it is not taken for a duplicate");
    let double = "SELECT count(*) AS n FROM event_minutes WHERE kind = 'duplicate'";
    assert_eq!(two.world.number(double, "n").await, Some(0));
    // Of its own it is: both apps may be subscribed to one account.
    let (waba, phone) = two.own();
    let own = message(waba, phone, "wamid.twice");
    two.told(std::slice::from_ref(&own)).await;
    assert_eq!(post(&two.owner, "/webhooks/whatsapp", APP_SECRET, &body(&[own])).await, 200);
    all_read(&two.world).await;
    assert_eq!(events_of(&two.world, "Corner Shop").await, 1);
}

async fn what_it_named_before_is_nobodys_when_the_account_is_connected(db: Database) {
    let two = Two::new(db).await;
    // An account at Meta that nobody has connected yet.
    let signup = two.world.meta.signup(&[]).await;
    let (waba, phone) = (id(&signup, "waba_ids", 0), id(&signup, "phone_number_ids", 0));
    two.told(&[message(&waba, &phone, "wamid.forged-early")]).await;
    let later = two.world.customer("Late Florist").await;
    let attempt = later.begin().await;
    attempt.bring_all(&signup).await;
    attempt.is_done().await;
    // What Meta itself told before comes to them; nothing else does.
    eventually("the linking", || async {
        let linked = "SELECT count(*) AS n FROM event_routes WHERE customer_id IS NULL";
        (two.world.number(linked, "n").await == Some(0)).then_some(())
    })
    .await;
    assert!(!later.get("/events").await.text.contains("forged"));
    let messages = "SELECT count(*) AS n FROM events WHERE kind = 'message.received'";
    assert_eq!(two.world.number(messages, "n").await, Some(0));
}

async fn partner_events_of_it_are_nothing(db: Database) {
    let two = Two::new(db).await;
    let (waba, _) = two.own();
    let before = two.world.number("SELECT count(*) AS n FROM partner_events", "n").await;
    // Two keys of one name: whoever reads them, the last or the first may count.
    let info = |id: &str| format!(r#""waba_info":{{"waba_id":"{id}","owner_business_id":"2729063490586005"}}"#);
    for (first, last) in [(waba, two.waba.as_str()), (two.waba.as_str(), waba), (waba, waba)] {
        let value = format!(r#"{{"event":"PARTNER_ADDED",{},{}}}"#, info(first), info(last));
        let body =
            format!(r#"{{"entry":[{{"id":"{waba}","changes":[{{"field":"account_update","value":{value}}}]}}]}}"#);
        let secret = text(&two.app, "app_secret");
        let request = two.other.request(Method::POST, &two.callback);
        let request = request.header("x-hub-signature-256", signature(secret, &body)).body(body);
        assert_eq!(two.other.send(request).await.status, 200);
    }
    all_read(&two.world).await;
    assert_eq!(two.world.number("SELECT count(*) AS n FROM partner_events", "n").await, before);
}

async fn only_its_own_secret_counts(db: Database) {
    let two = Two::new(db).await;
    let (waba, phone) = two.own();
    let own = body(&[message(waba, phone, "wamid.one")]);
    let secret = text(&two.app, "app_secret");
    for (path, secret) in [
        (two.callback.as_str(), APP_SECRET),
        (two.callback.as_str(), ""),
        ("/webhooks/whatsapp", secret),
        (two.callback.as_str(), "another"),
    ] {
        assert_eq!(post(&two.other, path, secret, &own).await, 401, "{path}");
    }
    assert_eq!(post(&two.other, "/webhooks/whatsapp/unknown", secret, &own).await, 404);
    let unsigned = two.other.request(Method::POST, &two.callback).body(own.to_string());
    assert_eq!(two.other.send(unsigned).await.status, 401);
    let refused = "SELECT count(*) AS n FROM own_apps WHERE refused_at IS NOT NULL";
    assert_eq!(two.world.number(refused, "n").await, Some(1));
    // The words of the handshake are each its own.
    let ask = async |path: &str, word: &str| {
        let query = format!("{path}?hub.mode=subscribe&hub.challenge=42&hub.verify_token={}", word.replace(' ', "+"));
        two.other.send(two.other.request(Method::GET, &query)).await
    };
    assert_eq!(ask(&two.callback, VERIFY_TOKEN).await.status, 403);
    assert_eq!(ask(&two.callback, "").await.status, 403);
    // A second app of the same customer is another one too.
    let second = app(&two.world).await;
    let (page, callback) = add(&two.other, &second).await;
    assert_ne!(callback, two.callback);
    let word =
        two.other.get(&page).await.text.split("data-copy=\"").nth(2).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(ask(&two.callback, &word).await.status, 403);
    let answer = ask(&callback, &word).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "42"));
    assert_eq!(post(&two.other, &callback, secret, &own).await, 401);
    // Signed rightly, but for the account of the other connection: it is left out there as well.
    assert_eq!(post(&two.other, &callback, text(&second, "app_secret"), &own).await, 200);
    all_read(&two.world).await;
    assert_eq!(events_of(&two.world, "Corner Shop").await, 0);
}

async fn erasing_takes_out_what_its_app_sent_and_nothing_else(db: Database) {
    let two = Two::new(db).await;
    let (waba, phone) = two.own();
    let own_before = message(waba, phone, "wamid.own-kept");
    two.told(&[own_before]).await;
    assert_eq!(
        post(&two.owner, "/webhooks/whatsapp", APP_SECRET, &body(&[message(&two.waba, &two.phone, "wamid.owners")]))
            .await,
        200
    );
    all_read(&two.world).await;
    let admin = two.world.staff(Role::Admin).await;
    let mut db = two.world.portal.store.read().await.unwrap();
    let customer = doorway::store::query("SELECT id FROM customers WHERE name = 'Corner Shop'")
        .one(&mut db, |row| row.text("id"))
        .await
        .unwrap();
    drop(db);
    let page = format!("/backoffice/customers/{customer}");
    let export = admin.get(&page).await;
    assert_eq!(export.status, 200);
    let file = admin.post(&format!("{page}/export"), &[]).await;
    assert!(file.text.contains("own_meta_apps") && file.text.contains(text(&two.app, "app_id")), "{}", file.text);
    assert!(!file.text.contains(text(&two.app, "app_secret")) && !file.text.contains("sealed"));
    admin.get(&format!("{page}/delete")).await;
    let deleted = admin.post(&format!("{page}/delete"), &[("name", "Corner Shop")]).await;
    assert!(deleted.status.is_redirection(), "{}", deleted.words());
    eventually("the customer is gone", || async {
        let left = "SELECT count(*) AS n FROM customers WHERE name = 'Corner Shop'";
        (two.world.number(left, "n").await == Some(0)).then_some(())
    })
    .await;
    for left in [
        "SELECT count(*) AS n FROM own_apps",
        "SELECT count(*) AS n FROM intake WHERE own_customer_id IS NOT NULL",
        "SELECT count(*) AS n FROM intake WHERE body LIKE '%wamid.own-kept%'",
    ] {
        assert_eq!(two.world.number(left, "n").await, Some(0), "{left}");
    }
    let others = "SELECT count(*) AS n FROM intake WHERE body LIKE '%wamid.owners%'";
    assert_eq!(two.world.number(others, "n").await, Some(1));
    assert_eq!(post(&two.other, &two.callback, text(&two.app, "app_secret"), &body(&[])).await, 404);
    // What was subscribed for this connection is undone at Meta.
    assert_eq!(two.world.meta.waba(waba).await["own_subscribed"], json!([]));
}

async fn what_is_not_routed_yet_is_exported_as_nobodys(db: Database) {
    let store = db.store().await;
    let (customer, connection) = (doorway::base::ids::CustomerId::new(), doorway::base::ids::ConnectionId::new());
    let now = doorway::base::clock::Clock::system().now();
    let mut tx = store.write().await.unwrap();
    use doorway::store::query;
    query("INSERT INTO customers (id, name, created_at) VALUES ($1, 'Harbour Bakery', $2)")
        .bind(customer)
        .bind(now)
        .execute(&mut tx)
        .await
        .unwrap();
    query(
        "INSERT INTO connections (id, customer_id, name, state, scopes, created_at, connected_at) \
         VALUES ($1, $2, 'x', 'active', '[]', $3, $3)",
    )
    .bind(connection)
    .bind(customer)
    .bind(now)
    .execute(&mut tx)
    .await
    .unwrap();
    query(
        "INSERT INTO wabas (waba_id, connection_id, customer_id, name, created_at, updated_at) \
         VALUES ('77', $1, $2, 'x', $3, $3)",
    )
    .bind(connection)
    .bind(customer)
    .bind(now)
    .execute(&mut tx)
    .await
    .unwrap();
    let forged = body(&[json!({"id": "77", "changes": [{"field": "account_update", "value": {"event": "FORGED"}}]})]);
    doorway::store::query(
        "INSERT INTO intake (seq, received_at, body, own_customer_id, own_connection_id) VALUES (1, $1, $2, $3, $4)",
    )
    .bind(now)
    .bind(forged.to_string())
    .bind(doorway::base::ids::CustomerId::new())
    .bind(doorway::base::ids::ConnectionId::new())
    .execute(&mut tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let export = async |wanted: Option<doorway::base::ids::CustomerId>| {
        let (mut out, places) = (Vec::new(), doorway::app::EventPlaces);
        let wanted = doorway::webhooks::Wanted { since: None, customer: wanted };
        doorway::webhooks::export(&store, &places, wanted, &mut out).await.unwrap();
        String::from_utf8(out).unwrap()
    };
    assert_eq!(export(Some(customer)).await, "");
    let all: Value = serde_json::from_str(&export(None).await).unwrap();
    assert_eq!(all["customer"], Value::Null);
    store.close().await;
}
