//! Support's list of what needs attention, and its search by number in any notation.

use super::*;
use serde_json::json;

on_both_engines!(
    what_needs_attention_is_listed_worst_first,
    templates_of_an_account_are_one_line_below_its_numbers,
    who_is_stuck_while_connecting_is_listed,
    since_when_is_known,
    a_number_is_found_however_it_is_written
);

async fn what_needs_attention_is_listed_worst_first(db: Database) {
    let world = World::start(db).await;
    let support = world.staff(Role::Support).await;
    says(&support.get("/support").await, &["Needs attention", "All is well"]);
    let (bakery, shop) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    let (connection, _) = world.connect(&bakery, &[]).await;
    world.connect(&shop, &[]).await;
    // Registered since, as far as is known, so that only what follows is the matter.
    run(&world, "UPDATE phone_numbers SET status = 'CONNECTED', health = NULL").await;
    says(&support.get("/support").await, &["All is well"]);
    run(
        &world,
        "INSERT INTO message_templates (template_id, waba_id, name, language, status, reason, updated_at) \
         SELECT '77', waba_id, 'spring_offer', 'en_US', 'REJECTED', 'PROMOTIONAL', 1700000000000 FROM wabas \
         WHERE customer_id IN (SELECT id FROM customers WHERE name = 'Corner Shop')",
    )
    .await;
    run(
        &world,
        "UPDATE phone_numbers SET quality_rating = 'RED' WHERE waba_id IN (SELECT waba_id FROM wabas WHERE customer_id \
         IN (SELECT id FROM customers WHERE name = 'Corner Shop'))",
    )
    .await;
    let id = connection.rsplit('/').next().unwrap();
    world.portal.connections.mark_stale(id.parse().unwrap()).await.unwrap();
    let page = support.get("/support").await;
    let words = page.words();
    let place = |text: &str| words.find(text).unwrap_or_else(|| panic!("{text:?} is not in {words}"));
    let ended = place("Meta does not take the token any more");
    assert!(ended < place("The quality of"), "{words}");
    assert!(place("The quality of") < place("Template spring_offer (en_US): rejected"), "{words}");
    says(
        &page,
        &["An admin of the business must connect again", "something that WhatsApp does not allow", "Since just now"],
    );
    // A number that is not ready comes last; a blocked one right after the ended access.
    run(&world, "UPDATE phone_numbers SET status = 'BANNED' WHERE quality_rating = 'RED'").await;
    let words = support.get("/support").await.words();
    let place = |text: &str| words.find(text).unwrap_or_else(|| panic!("{text:?} is not in {words}"));
    assert!(
        place("Meta does not take") < place("Meta has blocked") && place("Meta has blocked") < place("The quality of")
    );
    // A customer's page begins with its own, and has nothing of others.
    let customer = world.column("SELECT id FROM customers WHERE name = 'Harbour Bakery'", "id").await.unwrap();
    let own = support.get(&format!("/support/customers/{customer}")).await.words();
    assert!(own.find("What is wrong, and what to do").unwrap() < own.find("Connections").unwrap(), "{own}");
    assert!(own.contains("Meta does not take") && !own.contains("spring_offer") && !own.contains("blocked"), "{own}");
    // Who is shut out is not on the list of all.
    run(&world, "UPDATE customers SET suspended_at = 1700000000000 WHERE name = 'Corner Shop'").await;
    assert!(!support.get("/support").await.words().contains("spring_offer"));
    // Connected again, it is over.
    world.connect(&bakery, &[]).await;
    run(&world, "UPDATE connections SET state = 'active', stale_since = NULL").await;
    run(&world, "UPDATE phone_numbers SET status = 'CONNECTED', health = NULL").await;
    says(&support.get("/support").await, &["All is well"]);
}

async fn templates_of_an_account_are_one_line_below_its_numbers(db: Database) {
    let world = World::start(db).await;
    let support = world.staff(Role::Support).await;
    let bakery = world.customer("Harbour Bakery").await;
    let (_, signup) = world.connect(&bakery, &[]).await;
    let (phone, waba) = (id(&signup, "phone_number_ids", 0), id(&signup, "waba_ids", 0));
    run(&world, "UPDATE phone_numbers SET status = 'CONNECTED', quality_rating = 'GREEN', health = NULL").await;
    run(
        &world,
        "INSERT INTO message_templates (template_id, waba_id, name, language, status, quality, updated_at) \
         SELECT '1', waba_id, 'feedback', 'ar', 'APPROVED', 'RED', 1700000000000 FROM wabas",
    )
    .await;
    let customer = world.column("SELECT id FROM customers", "id").await.unwrap();
    let customer = format!("/support/customers/{customer}");
    // One alone is named, by what is the matter: it can be sent still.
    let page = support.get("/support").await;
    says(&page, &["Template feedback (ar): low quality", "Recipients block or report it"]);
    let looks = format!("{customer}#templates-{waba}");
    assert_eq!(links(&page, &looks), [looks.as_str()]);
    // Many are one line, after the number that can't send.
    for n in 2..19 {
        let mut tx = world.portal.store.write().await.unwrap();
        query(
            "INSERT INTO message_templates (template_id, waba_id, name, language, status, reason, updated_at) \
             SELECT $1, waba_id, $1, 'de', 'REJECTED', 'INVALID_FORMAT', 1700000000000 FROM wabas",
        )
        .bind(format!("offer_{n:02}"))
        .execute(&mut tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
    }
    run(
        &world,
        "UPDATE phone_numbers SET status = 'PENDING', code_verification_status = 'VERIFIED', name_status = 'DECLINED'",
    )
    .await;
    let page = support.get("/support").await;
    let words = page.words();
    let place = |text: &str| words.find(text).unwrap_or_else(|| panic!("{text:?} is not in {words}"));
    assert!(place("Meta has declined its display name") < place("18 templates need a look"), "{words}");
    assert_eq!(words.matches("rejected").count(), 2, "two of them beside the newest told of: {words}");
    let number = format!("{customer}#number-{phone}");
    for (look, what) in [(&looks, "templates"), (&number, "number")] {
        assert_eq!(links(&page, look).len(), 1, "{what}: {}", page.text);
    }
    // What the links lead to is there, with all of the templates, and Meta's words in ours.
    let own = support.get(&customer).await;
    for place in [format!("id=\"templates-{waba}\""), format!("id=\"number-{phone}\"")] {
        assert_eq!(own.text.matches(&place).count(), 1, "{place}");
    }
    says(
        &own,
        &["offer_02 (de) : rejected", "offer_18 (de) : rejected", "feedback (ar) : low quality", "15 more templates"],
    );
    assert!(!own.words().contains("invalid format"), "{}", own.words());
    // What is less urgent is folded, so that it does not hide the rest.
    for n in 0..6 {
        let mut tx = world.portal.store.write().await.unwrap();
        query(
            "INSERT INTO phone_numbers (phone_number_id, waba_id, display_phone_number, verified_name, status, read_at) \
             SELECT $1, waba_id, $2, 'Shop', 'BANNED', 1700000000000 FROM wabas",
        )
        .bind(format!("99000{n}"))
        .bind(format!("+1 202-555-011{n}"))
        .execute(&mut tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
    }
    let own = support.get(&customer).await.text;
    let open = own.split_once("id=\"attention\"").unwrap().1.split_once("<details").unwrap().0;
    assert_eq!(open.matches("Meta has blocked").count() - open.matches(": Meta has blocked").count(), 4, "{open}");
    assert!(own.contains("4 more, less urgent or newer"), "{own}");
    let all = support.get("/support").await;
    assert!(
        !all.text.split_once("id=\"attention\"").unwrap().1.split_once("</section>").unwrap().0.contains("<details")
    );
}

async fn who_is_stuck_while_connecting_is_listed(db: Database) {
    let world = World::start(db).await;
    let support = world.staff(Role::Support).await;
    let (bakery, shop) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    // One fails, one never comes back from Facebook.
    let attempt = bakery.begin().await;
    attempt.bring_all(&world.meta.signup(&["code_expired_now"]).await).await;
    eventually("the failure", || async { (attempt.page().await.attempt().0 == "failed").then_some(()) }).await;
    shop.begin().await;
    let list = |page: &Page| page.words().split("Attempts that did not end well").next().unwrap().to_owned();
    let now = list(&support.get("/support").await);
    assert!(
        now.contains("Connecting WhatsApp:") && now.contains("Harbour Bakery") && now.contains("Tell them:"),
        "{now}"
    );
    assert!(!now.contains("Corner Shop"), "the window has just been opened: {now}");
    world.advance(20 * 60);
    let later = list(&support.get("/support").await);
    let place = |text: &str| later.find(text).unwrap_or_else(|| panic!("{text:?} is not in {later}"));
    assert!(place("Harbour Bakery") < place("Corner Shop"), "the worst first: {later}");
    assert!(place("nothing came back") > 0);
    assert!(later.contains("Since 20 minutes ago"), "{later}");
    // Not their own attempt on others' pages; and over once it works.
    let customer = world.column("SELECT id FROM customers WHERE name = 'Corner Shop'", "id").await.unwrap();
    let own = support.get(&format!("/support/customers/{customer}")).await.words();
    assert!(own.contains("nothing came back") && !own.contains("Harbour Bakery"), "{own}");
    world.connect(&bakery, &[]).await;
    run(&world, "UPDATE phone_numbers SET status = 'CONNECTED', health = NULL").await;
    let over = list(&support.get("/support").await);
    assert!(!over.contains("Harbour Bakery"), "{over}");
    world.advance(40 * 86_400);
    let given_up = list(&support.get("/support").await);
    assert!(!given_up.contains("Corner Shop"), "who has not come back for so long has given up: {given_up}");
}

async fn since_when_is_known(db: Database) {
    let world = World::start(db).await;
    let support = world.staff(Role::Support).await;
    let bakery = world.customer("Harbour Bakery").await;
    let (connection, signup) = world.connect(&bakery, &[]).await;
    let (phone, waba) = (id(&signup, "phone_number_ids", 0), id(&signup, "waba_ids", 0));
    let refresh = async || {
        let read = bakery.post(&format!("{connection}/numbers/{phone}/refresh"), &[]).await;
        assert_eq!(read.status, 303, "{}", read.words());
    };
    let change = async |change: serde_json::Value| {
        world.meta.control(http::Method::POST, "phones", change).await;
    };
    change(json!({"phone_id": phone, "registered": true, "quality": "GREEN"})).await;
    refresh().await;
    world.advance(3_600);
    change(json!({"phone_id": phone, "quality": "RED"})).await;
    refresh().await;
    world.advance(7_200);
    refresh().await;
    let since = async |what: &str| {
        let words = support.get("/support").await.words();
        let rest = words.split_once(what).unwrap_or_else(|| panic!("{what:?} is not in {words}")).1;
        rest.split_once("Since ").unwrap().1.split_once(" .").unwrap().0.to_owned()
    };
    assert_eq!(since("The quality of").await, "2 hours ago", "not when it was read last");
    // A template: since it was rejected, not since something else was told of it.
    let list = format!("{connection}/templates");
    let templates = async |body: serde_json::Value| {
        world.meta.control(http::Method::POST, "templates", body).await;
    };
    templates(json!({"waba_id": waba, "make": 1})).await;
    bakery.post(&format!("{list}/sync"), &[]).await;
    let name = "SELECT min(name) AS name FROM message_templates WHERE status IS NOT NULL";
    let name = eventually("the template", || async { world.column(name, "name").await }).await;
    templates(json!({"name": name, "status": "REJECTED", "reason": "PROMOTIONAL"})).await;
    let rejected = "SELECT count(*) AS n FROM template_decisions WHERE value = 'REJECTED'";
    eventually("the decision", || async { (world.number(rejected, "n").await == Some(1)).then_some(()) }).await;
    world.advance(3 * 3_600);
    run(&world, "UPDATE message_templates SET updated_at = updated_at + 10800000").await;
    assert_eq!(since(&format!("Template {name}")).await, "3 hours ago");
    // The webhooks: since that was found.
    run(
        &world,
        "UPDATE wabas SET subscribed_at = NULL, updated_at = 1700000000000, \
         unsubscribed_at = (SELECT max(at) FROM template_decisions)",
    )
    .await;
    assert_eq!(since("does not send the webhooks").await, "3 hours ago");
    run(&world, "UPDATE wabas SET closed_at = (SELECT max(at) FROM template_decisions) - 3600000").await;
    assert_eq!(since("does not open to us").await, "4 hours ago");
    assert!(!support.get("/support").await.words().contains("does not send the webhooks"), "one cause, one line");
}

async fn a_number_is_found_however_it_is_written(db: Database) {
    let world = World::start(db).await;
    let support = world.staff(Role::Support).await;
    let bakery = world.customer("Harbour Bakery").await;
    let (connection, signup) = world.connect(&bakery, &[]).await;
    world.customer("Corner Shop").await;
    run(&world, "UPDATE phone_numbers SET display_phone_number = '+44 20 7946-0958'").await;
    let phone = id(&signup, "phone_number_ids", 0);
    let waba = id(&signup, "waba_ids", 0);
    let found = async |text: &str| {
        let query: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let page = support.get(&format!("/support?q={query}")).await;
        assert!(!page.words().contains("Corner Shop"), "{text}");
        page.words().contains("Harbour Bakery")
    };
    for text in [
        "+44 20 7946 0958",
        "442079460958",
        "0044 (20) 7946-0958",
        "+44 (0)20 7946 0958",
        "020 7946 0958",
        "79460958",
        &phone,
        &waba,
    ] {
        assert!(found(text).await, "{text}");
    }
    // What fits is named, with the way to it.
    let customer = world.column("SELECT id FROM customers WHERE name = 'Harbour Bakery'", "id").await.unwrap();
    let name = world.column("SELECT name FROM connections", "name").await.unwrap();
    let in_connection = format!("in {name}");
    for text in ["%2B44 (0)20 7946 0958", &phone] {
        let page = support.get(&format!("/support?q={text}")).await;
        says(&page, &["+44 20 7946 0958", &in_connection]);
        assert_eq!(links(&page, &format!("/support/customers/{customer}#number-{phone}")).len(), 1, "{text}");
    }
    let page = support.get(&format!("/support?q={waba}")).await;
    assert_eq!(links(&page, &format!("/support/customers/{customer}#waba-{waba}")).len(), 1);
    let page = support.get("/support?q=harbour").await;
    assert!(!page.words().contains(&in_connection), "the name is what fits: {}", page.words());
    // Written so that it is found in no address either.
    for text in ["+44 20 7946 0959", "9-58", "49 20 7946 0958", "1112223334445"] {
        assert!(!found(text).await, "{text}");
    }
    run(&world, "UPDATE phone_numbers SET display_phone_number = '+55 11 98765-4321'").await;
    assert!(found("551187654321").await, "as WhatsApp writes it");
    // Who had a number is found by it too.
    bakery.post(&format!("{connection}/disconnect"), &[]).await;
    let left = "SELECT count(*) AS n FROM phone_numbers";
    eventually("the end of the connection", || async { (world.number(left, "n").await == Some(0)).then_some(()) })
        .await;
    for text in ["+1 202-555-0100", "(202) 555-0100", &phone] {
        assert!(found(text).await, "{text}");
    }
    says(&support.get(&format!("/support?q={phone}")).await, &["A number that they had"]);
}
