//! Support's list of what needs attention, and its search by number in any notation.

use super::*;

on_both_engines!(what_needs_attention_is_listed_worst_first, a_number_is_found_however_it_is_written);

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
    says(&page, &["An admin of the business must connect again", "Meta says: promotional", "Since just now"]);
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

async fn a_number_is_found_however_it_is_written(db: Database) {
    let world = World::start(db).await;
    let support = world.staff(Role::Support).await;
    let bakery = world.customer("Harbour Bakery").await;
    let (_, signup) = world.connect(&bakery, &[]).await;
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
    for text in ["+44 20 7946 0958", "442079460958", "0044 (20) 7946-0958", "020 7946 0958", "79460958", &phone, &waba]
    {
        assert!(found(text).await, "{text}");
    }
    for text in ["+44 20 7946 0959", "958", "49 20 7946 0958", "1112223334445"] {
        assert!(!found(text).await, "{text}");
    }
    run(&world, "UPDATE phone_numbers SET display_phone_number = '+55 11 98765-4321'").await;
    assert!(found("551187654321").await, "as WhatsApp writes it");
}
