//! Contacts: one person is one contact, however they are named, and of one customer alone.

use super::{
    fixtures::{Theirs, connected},
    *,
};
use doorway::{base::ids::ContactId, store::query};

on_both_engines!(
    one_person_is_one_contact,
    two_turn_out_to_be_one,
    a_person_goes_on_under_another_number,
    a_window_is_open_for_a_day,
    each_customer_has_contacts_of_their_own,
    history_and_contact_book_make_contacts,
);

fn now(world: &World) -> i64 {
    world.clock.now().unix_timestamp()
}

/// A text; `from` and `user` as they stand in it, empty: left out.
fn text(theirs: &Theirs, from: &str, user: &str, name: &str, at: i64) -> Value {
    let mut contact = json!({"profile": {"name": name}});
    let message_id = doorway::base::ids::random_token();
    let mut message = json!({"id": message_id, "timestamp": at.to_string(), "type": "text", "text": {"body": "x"}});
    if !from.is_empty() {
        (contact["wa_id"], message["from"]) = (json!(from), json!(from));
    }
    if !user.is_empty() {
        (contact["user_id"], message["from_user_id"]) = (json!(user), json!(user));
    }
    of_messages(theirs, json!({"contacts": [contact], "messages": [message]}))
}

fn of_messages(theirs: &Theirs, mut value: Value) -> Value {
    value["messaging_product"] = json!("whatsapp");
    value["metadata"] = json!({"display_phone_number": theirs.written, "phone_number_id": theirs.number});
    json!({"object": "whatsapp_business_account", "entry": [
        {"id": theirs.waba, "changes": [{"field": "messages", "value": value}]}]})
}

async fn send(world: &World, bodies: &[Value]) {
    let meta = world.anonymous();
    for body in bodies {
        assert_eq!(post(&meta, body.to_string()).await, 200);
    }
    all_read(world).await;
}

/// Name, phone, WhatsApp ID and user ID of a customer's contacts, the oldest first.
async fn contacts(world: &World, theirs: &Theirs) -> Vec<[String; 4]> {
    let mut db = world.portal.store.read().await.unwrap();
    query("SELECT * FROM contacts WHERE customer_id = $1 ORDER BY id")
        .bind(&theirs.customer)
        .all(&mut db, |row| {
            let text = |column: &str| row.opt_text(column).map(Option::unwrap_or_default);
            Ok([text("profile_name")?, text("phone")?, text("wa_id")?, text("user_id")?])
        })
        .await
        .unwrap()
}

async fn window(world: &World, theirs: &Theirs) -> Option<i64> {
    let mut db = world.portal.store.read().await.unwrap();
    let contact: ContactId = query("SELECT id FROM contacts WHERE customer_id = $1")
        .bind(&theirs.customer)
        .one(&mut db, |row| row.parse("id"))
        .await
        .unwrap();
    drop(db);
    let (customer, number) = (theirs.customer.parse().unwrap(), theirs.number.parse().unwrap());
    let until = world.portal.messaging.window(customer, &number, contact).await.unwrap();
    until.map(time::OffsetDateTime::unix_timestamp)
}

async fn one_person_is_one_contact(db: Database) {
    let world = World::start(db).await;
    let theirs = connected(&world, "Acme").await;
    let at = now(&world);
    // As Meta's IDs and E.164 write the same number.
    for (id, e164, name) in [
        ("551187654321", "5511987654321", "João"),
        ("5215512345678", "525512345678", "Lupe"),
        ("541123456789", "5491123456789", "Ana"),
    ] {
        send(&world, &[text(&theirs, id, "", name, at), text(&theirs, e164, "", &format!("{name} 2"), at)]).await;
        let last = contacts(&world, &theirs).await.pop().unwrap();
        assert_eq!(last[..3], [format!("{name} 2"), e164.to_owned(), e164.to_owned()]);
    }
    assert_eq!(contacts(&world, &theirs).await.len(), 3);
    // Many in one change, and what is nobody's.
    let message = |id: &str, from: &str| json!({"id": id, "from": from, "timestamp": "1", "type": "text"});
    let many: Vec<Value> = (0..90).map(|n| message(&format!("m{n}"), &format!("4915110000{:02}", n % 45))).collect();
    send(&world, &[of_messages(&theirs, json!({ "messages": many }))]).await;
    assert_eq!(contacts(&world, &theirs).await.len(), 48);
    let identities = "SELECT count(*) AS n FROM contact_identities";
    assert_eq!(world.number(identities, "n").await, Some(48));
    // Half a character hides nobody.
    let half = text(&theirs, "4915119999999", "", "Ana HALF", at).to_string().replace("HALF", "\\ud83d");
    assert_eq!(post(&world.anonymous(), half).await, 200);
    all_read(&world).await;
    assert_eq!(contacts(&world, &theirs).await.pop().unwrap()[0], "Ana \u{fffd}");
}

async fn two_turn_out_to_be_one(db: Database) {
    let world = World::start(db).await;
    let theirs = connected(&world, "Acme").await;
    let at = now(&world);
    send(&world, &[text(&theirs, "491701234567", "", "Petra", at - 50)]).await;
    send(&world, &[text(&theirs, "", "DE.1", "Petra S.", at - 40)]).await;
    assert_eq!(contacts(&world, &theirs).await.len(), 2, "nothing says yet that they are one");
    // A status tells who belongs together, and makes nobody a contact.
    let status = |id: &str, contacts: Value| {
        let status =
            json!({"id": id, "status": "delivered", "timestamp": at.to_string(), "recipient_id": "491701234567"});
        of_messages(&theirs, json!({"contacts": contacts, "statuses": [status]}))
    };
    let stranger = json!([{"wa_id": "491700000000", "user_id": "DE.7"}]);
    send(&world, &[status("a", stranger)]).await;
    assert_eq!(contacts(&world, &theirs).await.len(), 2);
    send(&world, &[status("b", json!([{"wa_id": "491701234567", "user_id": "DE.1"}]))]).await;
    let known = contacts(&world, &theirs).await;
    assert_eq!(known, [["Petra", "491701234567", "491701234567", "DE.1"].map(str::to_owned)], "the older one stays");
    let windows = "SELECT count(*) AS n FROM contact_windows";
    assert_eq!(world.number(windows, "n").await, Some(1));
    assert_eq!(window(&world, &theirs).await, Some(at - 40 + 86_400), "the later message counts");
    // Whoever comes by either is known; another portfolio's ID for the same person too.
    send(&world, &[text(&theirs, "", "DE.1", "Petra", at), text(&theirs, "491701234567", "DE.2", "Petra", at)]).await;
    send(&world, &[text(&theirs, "", "DE.1", "P", at), text(&theirs, "", "DE.2", "P", at)]).await;
    assert_eq!(contacts(&world, &theirs).await.len(), 1);
    // In one batch: first apart, then together.
    send(&world, &[text(&theirs, "491702222222", "", "Q", at)]).await;
    let one = |id: &str, from: &str, user: &str| json!({"id": id, "from": from, "from_user_id": user, "timestamp": at.to_string(), "type": "text"});
    let both = json!([
        one("x", "", "DE.9"),
        one("y", "491702222222", "DE.9"),
        one("z", "491703333333", "DE.8"),
        one("w", "", "DE.8")
    ]);
    send(&world, &[of_messages(&theirs, json!({ "messages": both }))]).await;
    assert_eq!(contacts(&world, &theirs).await.len(), 3);
}

async fn a_person_goes_on_under_another_number(db: Database) {
    let world = World::start(db).await;
    let theirs = connected(&world, "Acme").await;
    let at = now(&world);
    send(&world, &[text(&theirs, "491701234567", "DE.1", "Petra", at)]).await;
    let moved = json!({"id": "s", "from": "491701234567", "from_user_id": "DE.1", "timestamp": at.to_string(), "type": "system",
        "system": {"body": "moved", "wa_id": "491709999999", "user_id": "DE.2", "type": "user_changed_number"}});
    send(&world, &[of_messages(&theirs, json!({ "messages": [moved] }))]).await;
    let known = contacts(&world, &theirs).await;
    assert_eq!(known, [["Petra", "491709999999", "491709999999", "DE.2"].map(str::to_owned)]);
    assert_eq!(window(&world, &theirs).await, Some(at + 86_400), "the window goes with the person");
    // Whoever has the old number now is somebody else.
    send(&world, &[text(&theirs, "491701234567", "DE.5", "Another", at), text(&theirs, "", "DE.2", "Petra", at)]).await;
    let known = contacts(&world, &theirs).await;
    assert_eq!(known.len(), 2);
    assert_eq!(
        (known[0][0].as_str(), known[1][0].as_str(), known[1][1].as_str()),
        ("Petra", "Another", "491701234567")
    );
}

async fn a_window_is_open_for_a_day(db: Database) {
    let world = World::start(db).await;
    let theirs = connected(&world, "Acme").await;
    let at = now(&world);
    send(&world, &[text(&theirs, "491701234567", "", "Petra", at - 3_600)]).await;
    assert_eq!(window(&world, &theirs).await, Some(at - 3_600 + 86_400));
    // What comes late, is none of theirs, or lies ahead, moves nothing.
    let other = |kind: &str, id: &str| json!({"id": id, "from": "491701234567", "timestamp": at.to_string(), "type": kind, "group_id": if kind == "text" { "G" } else { "" }});
    let none = json!([other("system", "1"), other("reaction", "2"), other("revoke", "3"), other("text", "4")]);
    send(
        &world,
        &[text(&theirs, "491701234567", "", "Petra", at - 7_200), of_messages(&theirs, json!({ "messages": none }))],
    )
    .await;
    assert_eq!(window(&world, &theirs).await, Some(at - 3_600 + 86_400));
    send(&world, &[text(&theirs, "491701234567", "", "Petra", at + 90_000)]).await;
    let until = window(&world, &theirs).await.unwrap();
    assert!((at + 86_400..at + 86_400 + 60).contains(&until), "never longer than a day from now");
    world.advance(86_460);
    assert_eq!(window(&world, &theirs).await, None);
}

async fn each_customer_has_contacts_of_their_own(db: Database) {
    let world = World::start(db).await;
    let (acme, globex) = (connected(&world, "Acme").await, connected(&world, "Globex").await);
    let at = now(&world);
    send(
        &world,
        &[text(&acme, "491701234567", "DE.1", "Of Acme", at), text(&globex, "491701234567", "DE.1", "Of Globex", at)],
    )
    .await;
    // The number counts: another's account in the entry makes no difference.
    let mut mixed = text(&globex, "491701234567", "", "Globex again", at);
    mixed["entry"][0]["id"] = json!(acme.waba);
    send(&world, &[mixed]).await;
    assert_eq!(contacts(&world, &acme).await[0][0], "Of Acme");
    assert_eq!(contacts(&world, &globex).await[0][0], "Globex again");
    let mut db = world.portal.store.read().await.unwrap();
    let theirs: ContactId = query("SELECT id FROM contacts WHERE customer_id = $1")
        .bind(&acme.customer)
        .one(&mut db, |row| row.parse("id"))
        .await
        .unwrap();
    drop(db);
    let open = async |customer: &str, number: &str| {
        let (customer, number) = (customer.parse().unwrap(), number.parse().unwrap());
        world.portal.messaging.window(customer, &number, theirs).await.unwrap()
    };
    // SQL keeps them apart, not the caller's good will.
    assert!(open(&acme.customer, &acme.number).await.is_some());
    assert!(open(&globex.customer, &acme.number).await.is_none());
    assert!(open(&acme.customer, &globex.number).await.is_none());
    let mut tx = world.portal.store.write().await.unwrap();
    world.portal.messaging.erase(&mut tx, acme.customer.parse().unwrap()).await.unwrap();
    tx.commit().await.unwrap();
    assert!(contacts(&world, &acme).await.is_empty());
    assert_eq!(contacts(&world, &globex).await.len(), 1);
    assert_eq!(world.number("SELECT count(*) AS n FROM contact_windows", "n").await, Some(1));
}

/// A change of this field for their number.
fn of_app(theirs: &Theirs, field: &str, mut value: Value) -> Value {
    value["messaging_product"] = json!("whatsapp");
    value["metadata"] = json!({"display_phone_number": theirs.written, "phone_number_id": theirs.number});
    change_of(&theirs.waba, field, value)
}

async fn history_and_contact_book_make_contacts(db: Database) {
    let world = World::start(db).await;
    let theirs = connected(&world, "Acme").await;
    let at = now(&world);
    let written = |from: &str, ago: i64| {
        json!({"from": from, "id": format!("{from}-{ago}"), "timestamp": (at - ago).to_string(), "type": "text",
            "text": {"body": "x"}, "history_context": {"status": "READ"}})
    };
    let (old, young, ours) = ("4915110000001", "4915110000002", theirs.written.as_str());
    let threads = json!([
        {"id": old, "messages": [written(old, 90_000), written(ours, 60)]},
        {"id": young, "context": {"wa_id": young, "user_id": "DE.2", "username": "petra"},
            "messages": [written(young, 7_200), written(young, 3_600), written(ours, 60)]},
        {"id": "", "context": {"wa_id": "", "user_id": "DE.3"}, "messages": [written(ours, 50)]},
        {"id": "", "messages": [7, {}]},
    ]);
    let history =
        json!({"history": [{"metadata": {"phase": 0, "chunk_order": 1, "progress": 55}, "threads": threads}]});
    send(&world, &[of_app(&theirs, "history", history)]).await;
    let known = contacts(&world, &theirs).await;
    let known: Vec<_> = known.iter().map(|one| (one[1].as_str(), one[3].as_str())).collect();
    assert_eq!(known, [(old, ""), (young, "DE.2"), ("", "DE.3")]);
    let windows = "SELECT count(*) AS n FROM contact_windows";
    assert_eq!(world.number(windows, "n").await, Some(1), "an old message opens none, nor do ours");
    assert_eq!(world.number("SELECT last_message_at AS n FROM contact_windows", "n").await, Some((at - 3_600) * 1_000));
    // A picture on its own, and one that the business sent.
    let picture =
        |key: &str, who: &str| json!({key: who, "id": who, "timestamp": (at - 200_000).to_string(), "type": "image"});
    let media =
        json!({"messages": [picture("from", "4915110000004")], "message_echoes": [picture("to", "4915110000005")]});
    send(&world, &[of_app(&theirs, "history", media)]).await;
    assert_eq!(contacts(&world, &theirs).await.len(), 5);
    assert_eq!(world.number(windows, "n").await, Some(1));
    // The contact book: its names stand beside those that people have themselves.
    send(&world, &[text(&theirs, young, "", "Peti", at)]).await;
    let entry = |action: &str, phone: &str, name: &str| json!({"type": "contact", "action": action, "contact": {"full_name": name, "phone_number": phone}, "metadata": {"timestamp": at.to_string()}});
    let book = json!([
        entry("add", young, "Petra of the bank"),
        entry("add", "4915110000006", "New"),
        entry("remove", old, ""),
        entry("remove", "4915110000007", "")
    ]);
    send(&world, &[of_app(&theirs, "smb_app_state_sync", json!({ "state_sync": book }))]).await;
    let known = contacts(&world, &theirs).await;
    assert_eq!(known.len(), 6, "who is removed there stays, and becomes nobody new");
    assert_eq!((known[1][0].as_str(), known[5][0].as_str()), ("Peti", ""));
    let book = world.column("SELECT book_name FROM contacts WHERE phone = '4915110000002'", "book_name").await;
    assert_eq!(book.as_deref(), Some("Petra of the bank"));
    let new = world.column("SELECT book_name FROM contacts WHERE phone = '4915110000006'", "book_name").await;
    assert_eq!(new.as_deref(), Some("New"));
    assert_eq!(world.number(windows, "n").await, Some(1));
}
