//! One customer's timeline, how their accounts stand on staff's page, and that nothing of others or secret is in either.

use super::*;
use http::Method;
use serde_json::{Value, json};

on_both_engines!(
    each_kind_of_entry_is_told,
    pages_go_on_where_the_one_before_ended,
    staff_see_how_everything_stands,
    staff_find_a_customer_by_whatever_they_are_told,
    a_number_is_as_fast_for_staff_as_for_its_owner,
);

const PIN: &str = "918273";

/// The ID of the customer of this name.
async fn customer_of(world: &World, name: &str) -> String {
    let mut db = world.portal.store.read().await.unwrap();
    let id = query("SELECT id FROM customers WHERE name = $1").bind(name);
    id.one(&mut db, |row| row.text("id")).await.unwrap()
}

/// Waits until the page says this.
async fn until(browser: &Browser, address: &str, words: &str) -> Page {
    eventually(&format!("{address} to say {words:?}"), || async {
        let page = browser.get(address).await;
        page.words().contains(words).then_some(page)
    })
    .await
}

async fn templates(world: &World, body: Value) {
    world.meta.control(Method::POST, "templates", body).await;
}

/// The kinds of the rows, in order.
fn kinds(page: &Page) -> Vec<String> {
    let rows = page.text.split("data-kind=\"").skip(1).filter_map(|rest| rest.split('"').next());
    rows.map(str::to_owned).collect()
}

/// The words of all pages, from the newest to the oldest, and how many pages they are.
async fn all_pages(browser: &Browser, timeline: &str, query: &str) -> (String, usize) {
    let (mut address, mut seen, mut pages) = (format!("{timeline}{query}"), String::new(), 0);
    loop {
        let page = browser.get(&address).await;
        assert_eq!(page.status, 200);
        assert!(kinds(&page).len() <= 40);
        seen.push_str(&page.words());
        pages += 1;
        match links(&page, timeline).into_iter().find(|href| href.contains("after=")) {
            Some(older) => address = older,
            None => return (seen, pages),
        }
    }
}

async fn each_kind_of_entry_is_told(db: Database) {
    let world = World::start(db).await;
    let support = world.staff(Role::Support).await;
    let bakery = world.customer("Harbour Bakery").await;
    let timeline = format!("/support/customers/{}/timeline", customer_of(&world, "Harbour Bakery").await);
    says(&support.get(&timeline).await, &["Timeline of Harbour Bakery"]);

    // An attempt that fails, and one that works.
    let attempt = bakery.begin().await;
    let signup = world.meta.signup(&["code_expired_now"]).await;
    attempt.bring_all(&signup).await;
    until(&support, &format!("{timeline}?kind=attempts"), "Failed").await;
    let (connection, signup) = world.connect(&bakery, &["pin_set"]).await;
    let (phone, waba) = (id(&signup, "phone_number_ids", 0), id(&signup, "waba_ids", 0));
    let number = format!("{connection}/numbers/{phone}");

    // A PIN that is wrong, then a new one.
    bakery.post(&format!("{number}/register"), &[("how", "typed"), ("pin", "111111")]).await;
    until(&bakery, &format!("{number}/register"), "This is not the number’s PIN").await;
    bakery.post(&format!("{number}/set-pin"), &[("how", "typed"), ("pin", PIN), ("then", "register")]).await;
    until(&bakery, &format!("{number}/register"), "The number is registered").await;

    // Its quality falls, and its webhooks go elsewhere.
    bakery.post(&format!("{number}/refresh"), &[]).await;
    world.advance(60);
    world.meta.control(Method::POST, "phones", json!({"phone_id": phone, "quality": "RED", "limit": "TIER_2K"})).await;
    bakery.post(&format!("{number}/refresh"), &[]).await;
    run(
        &world,
        "INSERT INTO number_readings (file_id, at, webhooks, is_change) SELECT file_id, max(at) + 10, \
         '{\"number\": \"https://hooks.example/in?key=hushhush\"}', TRUE FROM number_readings GROUP BY file_id",
    )
    .await;

    // A template is rejected, by webhook, and paused, as reading finds.
    templates(&world, json!({"waba_id": waba, "make": 6})).await;
    let list = format!("{connection}/templates");
    bakery.post(&format!("{list}/sync"), &[]).await;
    until(&bakery, &list, "6 templates; 6 new").await;
    let why = json!(["Two variables side by side.", "Put words between."]);
    let rejected =
        json!({"name": "order_confirmation_0001", "status": "REJECTED", "reason": "INVALID_FORMAT", "rejection": why});
    templates(&world, rejected).await;
    until(&support, &format!("{timeline}?kind=templates"), "was rejected").await;
    templates(&world, json!({"name": "order_shipped_0002", "status": "PAUSED", "told": false})).await;
    bakery.post(&format!("{list}/sync"), &[]).await;
    until(&support, &format!("{timeline}?kind=templates"), "was paused").await;

    // One is deleted: it is told which.
    let gone = "SELECT min(template_id) AS id FROM message_templates WHERE name = 'order_shipped_0002'";
    let gone = world.column(gone, "id").await.unwrap();
    let deleted = bakery.post(&format!("{list}/{gone}/delete"), &[("which", "one")]).await;
    assert_eq!(deleted.status, 303, "{}", deleted.words());
    says(
        &support.get(&format!("{timeline}?kind=templates")).await,
        &["Maria Test deleted a message template: order_shipped_0002"],
    );

    // Meta warns; the access ends; a link to connect again is made.
    let value = json!({"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "SCAM"}});
    let told = json!({"kind": "field", "waba_id": waba, "field": "account_update", "value": value});
    world.meta.control(Method::POST, "webhooks", told).await;
    until(&support, &format!("{timeline}?kind=quality"), "Meta found something against its rules").await;
    world.meta.control(Method::POST, "tokens/revoke", json!({"waba_id": waba})).await;
    world.advance(11);
    let of_staff = format!("/support/connections/{}", connection.rsplit('/').next().unwrap());
    assert_eq!(support.post(&format!("{of_staff}/permissions"), &[]).await.status, 303);
    let story = until(&support, &timeline, "Reading an account’s numbers: Meta refused").await;

    let words = story.words();
    says(
        &story,
        &[
            "Tried to connect WhatsApp by Facebook’s window: it worked.",
            "Tried to connect WhatsApp by Facebook’s window: “",
            "Permissions of ",
            "The access ended.",
            "Access ended",
            "Maria Test asked to register a number: +1 212-555-0100.",
            "Registering +1 212-555-0100: Meta refused: the PIN is not the number’s.",
            "Doorway set a number’s PIN at Meta: +1 212-555-0100.",
            "Doorway registered a number at Meta: +1 212-555-0100.",
            "quality high → low",
            "limit in 24 hours 250 people → 2,000 people",
            "webhooks to the app’s address → to the number’s own address hooks.example/in",
            "Template order_confirmation_0001",
            "was rejected: Two variables side by side.",
            "was paused.",
            "Meta: Meta found something against its rules.",
            "code 190",
            "fbtrace_id ",
            " ms",
            "code 133005",
        ],
    );
    assert!(!words.contains("Meta did it"), "calls that went well are left out of the story");
    assert!(!words.contains("Registering a number: Meta refused"), "once is enough");
    let place = |text: &str| words.find(text).unwrap_or_else(|| panic!("{text:?} is not in {words}"));
    assert!(place("The access ended.") < place("was paused") && place("was paused") < place("was rejected"));
    assert!(place("Doorway registered") < place("Registering +1") && place("Registering +1") < place("it worked"));

    // Each kind alone.
    for kind in ["attempts", "permissions", "numbers", "templates", "quality", "calls"] {
        let page = support.get(&format!("{timeline}?kind={kind}")).await;
        assert!(!kinds(&page).is_empty() && kinds(&page).iter().all(|one| one == kind), "{kind}: {:?}", kinds(&page));
    }
    let (calls, _) = all_pages(&support, &timeline, "?kind=calls").await;
    assert!(calls.contains("Meta did it") && calls.contains("POST /oauth/access_token"), "{calls}");
    assert!(all_pages(&support, &timeline, "?kind=everything").await.0.contains("Meta did it"));
    assert_eq!(support.get(&format!("{timeline}?kind=nonsense")).await.status, 404);
    assert_eq!(support.get(&format!("{timeline}?after=nonsense")).await.status, 404);

    // No secret in any of it; of nobody else; for nobody else.
    let shop = world.customer("Corner Shop").await;
    let (theirs, _) = world.connect(&shop, &[]).await;
    shop.post(&theirs, &[("name", "Somebody else’s")]).await;
    let customer = timeline.trim_end_matches("/timeline");
    for address in
        [timeline.as_str(), &format!("{timeline}?kind=everything"), &format!("{timeline}?kind=other"), customer]
    {
        let page = support.get(address).await;
        assert_eq!(page.status, 200);
        for secret in [PIN, "111111", "hushhush", APP_SECRET, "appsecret_proof", "Somebody else", "Corner Shop"] {
            assert!(!page.text.contains(secret), "{secret} is on {address}");
        }
        // A form's own token is as random, and shorter.
        let words = page.text.split(|c: char| !c.is_ascii_alphanumeric());
        let tokens = words.filter(|word| word.starts_with("EAA") && word.len() > 50);
        assert_eq!(tokens.count(), 0, "a token is on {address}");
        for stranger in [&bakery, &shop, &world.anonymous()] {
            let answer = stranger.get(address).await;
            assert!(answer.status == 404 || answer.status == 303, "{}: {address}", answer.status);
            assert!(!answer.text.contains("fbtrace_id"));
        }
    }
    let own = customer_of(&world, "Corner Shop").await;
    let page = support.get(&format!("/support/customers/{own}/timeline?kind=everything")).await;
    assert!(!page.words().contains("Harbour") && !page.words().contains("rejected"), "{}", page.words());

    // The newest on the customer's page.
    let page = support.get(customer).await;
    says(&page, &["What happened last", "The access ended.", "The whole timeline"]);
}

async fn pages_go_on_where_the_one_before_ended(db: Database) {
    let world = World::start(db).await;
    let support = world.staff(Role::Support).await;
    let bakery = world.customer("Harbour Bakery").await;
    world.connect(&bakery, &[]).await;
    let timeline = format!("/support/customers/{}/timeline", customer_of(&world, "Harbour Bakery").await);
    // Many at the same moment, of two sources.
    let mut tx = world.portal.store.write().await.unwrap();
    for n in 0..55 {
        query(
            "INSERT INTO graph_calls (id, at, customer_id, method, path, duration_ms, error) \
             SELECT $1, 1700000000000, id, 'GET', $2, 7, 'broken' FROM customers",
        )
        .bind(format!("call-{n:03}"))
        .bind(format!("call-{n:03}"))
        .execute(&mut tx)
        .await
        .unwrap();
        query(
            "INSERT INTO template_decisions (id, waba_id, template_id, name, language, at, what, value) \
             SELECT $1, waba_id, '7', $1, 'de', 1700000000000, 'status', 'APPROVED' FROM wabas",
        )
        .bind(format!("decision_{n:03}"))
        .execute(&mut tx)
        .await
        .unwrap();
    }
    tx.commit().await.unwrap();
    let (seen, pages) = all_pages(&support, &timeline, "").await;
    assert!(pages >= 3, "{pages}");
    for n in 0..55 {
        let (call, decision) =
            (format!("Calling GET call-{n:03}: "), format!("Template decision_{n:03} (de) was approved"));
        // Each sentence stands once for eyes, and once more for ears beside its details.
        assert_eq!(seen.matches(&call).count(), 2, "{call}");
        assert_eq!(seen.matches(&decision).count(), 2, "{decision}");
    }
    let filtered = support.get(&format!("{timeline}?kind=templates")).await;
    let older = links(&filtered, &timeline).into_iter().find(|href| href.contains("after=")).unwrap();
    assert!(older.contains("kind=templates"), "{older}");
    let rest = support.get(&older).await;
    assert_eq!((kinds(&filtered).len(), kinds(&rest).len()), (40, 15));
    says(&rest, &["Newest"]);
}

async fn staff_see_how_everything_stands(db: Database) {
    let world = World::start(db).await;
    let support = world.staff(Role::Support).await;
    let bakery = world.customer("Harbour Bakery").await;
    let (connection, signup) = world.connect(&bakery, &[]).await;
    let customer = format!("/support/customers/{}", customer_of(&world, "Harbour Bakery").await);
    let (phone, waba) = (id(&signup, "phone_number_ids", 0), id(&signup, "waba_ids", 0));
    world
        .meta
        .control(Method::POST, "phones", json!({"phone_id": phone, "quality": "YELLOW", "limit": "TIER_2K"}))
        .await;
    bakery.post(&format!("{connection}/numbers/{phone}/refresh"), &[]).await;
    templates(&world, json!({"waba_id": waba, "make": 12})).await;
    bakery.post(&format!("{connection}/templates/sync"), &[]).await;
    until(&bakery, &format!("{connection}/templates"), "12 templates; 12 new").await;
    run(&world, "UPDATE message_templates SET status = 'APPROVED', reason = NULL, quality = NULL").await;
    run(
        &world,
        "UPDATE message_templates SET status = 'REJECTED', reason = 'INVALID_FORMAT', explained = 'Side by side.', \
         recommended = 'Put words between.' WHERE name = 'order_confirmation_0001' AND language = 'en_US'",
    )
    .await;
    // Somebody opens the profile: then it is known.
    bakery.get(&format!("{connection}/numbers/{phone}/profile")).await;
    let page = support.get(&customer).await;
    says(
        &page,
        &[
            "+1 202-555-0100",
            "Not registered yet",
            "2,000 people",
            "Medium",
            "Last read",
            "The phone number is not registered with Cloud API.",
            "What Meta proposes:",
            "11 Approved",
            "1 Rejected",
            "order_confirmation_0001 (en_US): rejected",
            "Side by side. Put words between.",
            "All read just now",
            "Business profile",
            "Refresh permissions",
            "Permissions and reconnect link",
            &phone,
            &waba,
        ],
    );
}

async fn staff_find_a_customer_by_whatever_they_are_told(db: Database) {
    let world = World::start(db).await;
    let support = world.staff(Role::Support).await;
    let bakery = world.customer("Harbour Bakery").await;
    let (_, signup) = world.connect(&bakery, &[]).await;
    world.customer("Corner Shop").await;
    let email = world
        .column("SELECT u.email AS email FROM users u JOIN customers c ON c.id = u.customer_id WHERE c.name = 'Harbour Bakery'", "email")
        .await
        .unwrap();
    let attempt = world.column("SELECT id FROM signup_attempts", "id").await.unwrap();
    let (phone, waba) = (id(&signup, "phone_number_ids", 0), id(&signup, "waba_ids", 0));
    for text in [
        "harbour",
        "Harbour Bakery",
        &email,
        "+1 202-555-0100",
        "12025550100",
        "(202) 555 0100",
        &phone,
        &waba,
        &attempt,
    ] {
        let query: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let words = support.get(&format!("/support?q={query}")).await.words();
        assert!(words.contains("Harbour Bakery") && !words.contains("Corner Shop"), "{text}: {words}");
    }
}

async fn a_number_is_as_fast_for_staff_as_for_its_owner(db: Database) {
    let world = World::start(db).await;
    let support = world.staff(Role::Support).await;
    let bakery = world.customer("Harbour Bakery").await;
    let (connection, signup) = world.connect(&bakery, &["coexistence"]).await;
    // Meta's word is of the API alone.
    run(&world, "UPDATE phone_numbers SET throughput_level = 'STANDARD', is_on_biz_app = TRUE").await;
    let own = bakery.get(&format!("{connection}/numbers/{}", id(&signup, "phone_number_ids", 0))).await;
    let staffs = support.get(&format!("/support/customers/{}", customer_of(&world, "Harbour Bakery").await)).await;
    for page in [own, staffs] {
        says(&page, &["Up to 20 messages a second"]);
        assert!(!page.words().contains("80 messages"), "{}", page.words());
    }
}
