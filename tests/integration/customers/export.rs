//! What is handed out: everything that is stored about the customer, and no secret.

use super::*;

on_both_engines!(everything_is_in_it_and_no_secret);

async fn everything_is_in_it_and_no_secret(db: Database) {
    let world = World::start(db).await;
    let admin = world.staff(Role::Admin).await;
    let (bakery, shop) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    let (connection, signup) = world.connect(&bakery, &[]).await;
    let (_, others) = world.connect(&shop, &[]).await;
    let (waba, phone) = (id(&signup, "waba_ids", 0), id(&signup, "phone_number_ids", 0));
    let token = world.meta.calls().iter().find_map(|call| call.authorization.clone()).unwrap();
    let attempt = bakery.begin().await;
    let invite = "INSERT INTO invites (id, kind, token_hash, token_sealed, email, role, customer_id, created_at, expires_at) \
                  SELECT 'i1', 'invite', 'the hash', 'the seal', 'ana@example.org', 'customer', id, 1, 2 FROM customers \
                  WHERE name = 'Harbour Bakery'";
    let next = "UPDATE counters SET value = value + 1 WHERE name = 'intake'";
    let kept = "INSERT INTO intake (seq, received_at, body) SELECT value, 1700000000000, $1 FROM counters WHERE name = 'intake'";
    let entry =
        |waba: &str, text: &str| json!({"id": waba, "changes": [{"field": "messages", "value": {"text": text}}]});
    let body = json!({"entry": [entry(&waba, "hello bakery"), entry(&id(&others, "waba_ids", 0), "hello shop")]});
    let event = "INSERT INTO partner_events (id, event, waba_id, told_at, received_at) VALUES ('p1', 'PARTNER_ADDED', $1, 5, 6)";
    let mut tx = world.portal.store.write().await.unwrap();
    query(invite).execute(&mut tx).await.unwrap();
    query(next).execute(&mut tx).await.unwrap();
    query(kept).bind(body.to_string()).execute(&mut tx).await.unwrap();
    query(event).bind(&waba).execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    processed(&world).await;
    // Something that is on the log with an address.
    bakery.post("/settings/password", &[("present", PASSWORD), ("new", "a brand new password here")]).await;
    let page = page_of(&world, "Harbour Bakery").await;

    admin.get(&page).await;
    let file = admin.post(&format!("{page}/export"), &[]).await;
    assert_eq!(file.status, 200);
    let text = |name: &str| file.headers[name].to_str().unwrap().to_owned();
    assert_eq!(text("content-disposition"), format!("attachment; filename=\"customer-{}.json\"", id_in(&page)));
    assert!(text("content-type").starts_with("application/json"));
    let told = file.json();
    assert_eq!(told["customer"]["name"], "Harbour Bakery");
    assert!(told["customer"]["created_at"].as_str().unwrap().ends_with('Z'), "{}", told["customer"]);
    assert_eq!(told["members"][0]["name"], "Maria Test");
    assert!(told["members"][0]["email"].as_str().unwrap().starts_with("harbour-bakery-"));
    assert_eq!(told["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(told["invites"][0]["email"], "ana@example.org");
    assert_eq!(told["network_addresses"][0]["address"], "127.0.0.1");
    assert_eq!(told["connections"][0]["id"], id_in(&connection));
    assert!(told["connections"][0]["scopes"].is_array());
    assert_eq!(told["whatsapp_business_accounts"][0]["waba_id"], waba);
    assert_eq!(told["phone_numbers"][0]["phone_number_id"], phone);
    let attempts = told["signup_attempts"].as_array().unwrap();
    assert!(attempts.iter().any(|one| one["id"] == attempt.id));
    assert!(attempts.iter().any(|one| one["candidates"][0]["waba"]["id"] == waba), "{attempts:?}");
    assert!(attempts.iter().all(|one| one["coexistence"] == false), "yes and no are no numbers");
    assert!(told["partner_events"].as_array().unwrap().iter().any(|event| event["id"] == "p1"));
    let events = told["events"].as_array().unwrap();
    let hello = events.iter().find(|one| one["change"]["value"]["text"] == "hello bakery").unwrap();
    assert_eq!((&hello["received_at"], &hello["waba_id"]), (&json!("2023-11-14T22:13:20Z"), &json!(waba)));
    assert_eq!(hello["change"]["value"]["text"], "hello bakery");
    let log = told["audit_log"].as_array().unwrap();
    let changed = log.iter().find(|entry| entry["action"] == "user.password_changed").unwrap();
    assert_eq!(changed["address"], "127.0.0.1");
    let exported = log.iter().find(|entry| entry["action"] == "customer.exported").unwrap();
    assert!(exported["address"].is_null(), "from where the operator's people come is not the customer's: {exported}");
    assert_eq!(noted(&world, id_in(&page), "customer.exported").await, 1);

    let token = token.trim_start_matches("Bearer ");
    for secret in ["argon2", "the hash", "the seal", "hello shop", "Corner Shop", token, "csrf", "_sealed", "_hash"] {
        assert!(!file.text.contains(secret), "{secret} is in it: {}", file.text);
    }
    // An address that only takes the form leads back.
    assert_eq!(admin.get(&format!("{page}/export")).await.location(), page);
}
