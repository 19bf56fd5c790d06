//! The list of connections and a connection's page answer whether WhatsApp works: what is worst comes first.

use super::*;
use doorway::store::query;

on_both_engines!(
    the_list_shows_what_is_worst,
    an_ended_access_comes_first_and_nothing_looks_well,
    a_declined_name_leads_to_another_one,
    news_of_templates_are_in_plain_words,
);

async fn run(world: &World, sql: &'static str) {
    let mut tx = world.portal.store.write().await.unwrap();
    query(sql).execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
}

/// A customer with a connection whose number is registered and well.
async fn well(world: &World) -> (Browser, String) {
    let browser = world.customer("Harbour Bakery").await;
    let (connection, _) = world.connect(&browser, &[]).await;
    run(world, "UPDATE phone_numbers SET status = 'CONNECTED', name_status = 'APPROVED', health = NULL").await;
    (browser, connection)
}

async fn the_list_shows_what_is_worst(db: Database) {
    let world = World::start(db).await;
    let (browser, connection) = well(&world).await;
    let badges = async || {
        let list = browser.get("/connections").await.text.split_once("<tbody").unwrap().1.to_owned();
        let own = browser.get(&connection).await.text;
        let (_, own) = own.split_once("<h1>").unwrap();
        let looks = |html: &str| -> Vec<String> {
            let rest = html.split("badge badge-").skip(1);
            rest.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
        };
        let head = own.split_once("</p>").unwrap().0;
        assert_eq!(looks(&list), looks(head), "the list and the page say the same");
        (looks(&list), Page { text: list, ..browser.get("/connections").await }.words())
    };
    let (looks, _) = badges().await;
    assert_eq!(looks, ["good"]);
    for (sql, look, words) in [
        ("UPDATE phone_numbers SET quality_rating = 'RED'", "attention", "Quality low"),
        (
            "UPDATE phone_numbers SET health = '{\"can_send_message\": \"BLOCKED\", \"entities\": []}'",
            "problem",
            "No messages can be sent",
        ),
        ("UPDATE phone_numbers SET status = 'PENDING'", "attention", "Not registered yet"),
        ("UPDATE phone_numbers SET code_verification_status = 'NOT_VERIFIED'", "attention", "Not confirmed by code"),
        ("UPDATE phone_numbers SET status = 'BANNED'", "problem", "Blocked by Meta"),
        ("UPDATE wabas SET subscribed_at = NULL", "attention", "Messages not switched on"),
    ] {
        run(&world, sql).await;
        let (looks, said) = badges().await;
        assert_eq!(looks, ["neutral", look], "{sql}");
        assert!(said.contains(words) && said.contains("Connected"), "{sql}: {said}");
    }
}

async fn an_ended_access_comes_first_and_nothing_looks_well(db: Database) {
    let world = World::start(db).await;
    let (browser, connection) = well(&world).await;
    run(
        &world,
        "INSERT INTO message_templates (template_id, waba_id, name, language, status, updated_at) \
         SELECT '77', waba_id, 'spring_offer', 'en_US', 'REJECTED', 1700000000000 FROM wabas",
    )
    .await;
    let page = browser.get(&connection).await;
    assert!(page.text.contains("badge-good") && !page.words().contains("Facebook ended our access"));
    let id = connection.rsplit('/').next().unwrap().parse().unwrap();
    world.portal.connections.mark_stale(id).await.unwrap();
    let page = browser.get(&connection).await;
    let words = page.words();
    let place = |text: &str| words.find(text).unwrap_or_else(|| panic!("{text:?} is not in {words}"));
    assert!(place("Facebook ended our access") < place("Template spring_offer"), "{words}");
    assert!(place("Connect again") < place("Template spring_offer"), "{words}");
    let numbers = page.text.split_once("<ul class=\"cards\">").unwrap().1.split_once("</ul>").unwrap().0;
    assert!(!numbers.contains("badge-good") && numbers.contains("as of"), "{numbers}");
    assert!(numbers.contains("Ready"), "{numbers}");
    says(&browser.get("/connections").await, &["Access ended"]);
}

async fn a_declined_name_leads_to_another_one(db: Database) {
    let world = World::start(db).await;
    let (browser, connection) = well(&world).await;
    run(
        &world,
        "UPDATE phone_numbers SET status = 'PENDING', code_verification_status = 'VERIFIED', name_status = 'DECLINED'",
    )
    .await;
    let number = world.column("SELECT phone_number_id AS id FROM phone_numbers", "id").await.unwrap();
    let page = browser.get(&connection).await;
    says(&page, &["Choose another display name for +1 202-555-0100", "Meta has declined", "Choose another name"]);
    assert!(page.text.contains(&format!("href=\"{connection}/numbers/{number}/name\"")), "{}", page.text);
    assert!(!page.words().contains("This takes some seconds"), "it can’t be registered: {}", page.words());
    says(&browser.get("/connections").await, &["Display name declined"]);
}

async fn news_of_templates_are_in_plain_words(db: Database) {
    let world = World::start(db).await;
    let (browser, connection) = well(&world).await;
    run(
        &world,
        "INSERT INTO message_templates (template_id, waba_id, name, language, status, reason, updated_at) \
         SELECT '77', waba_id, 'feedback', 'ar', 'REJECTED', 'TAG_CONTENT_MISMATCH', 1700000000000 FROM wabas",
    )
    .await;
    let page = browser.get(&connection).await;
    says(&page, &["Template feedback (ar) was rejected", "Its words do not fit its category."]);
    assert!(!page.words().to_lowercase().contains("tag content"), "{}", page.words());
}
