//! What webhooks tell changes our state at once: numbers, accounts, templates, connections.

use super::{
    fixtures::{Theirs, connected},
    *,
};
use doorway::store::query;

on_both_engines!(
    numbers_are_told_of,
    a_reading_that_is_overtaken_undoes_nothing,
    templates_are_told_of,
    accounts_are_told_of,
    numbers_are_found_however_they_are_named,
    limits_settings_and_flows_are_told_of,
    the_end_of_access_is_looked_into,
    nobody_changes_anothers_state,
);

async fn tell(world: &World, waba: &str, field: &str, value: Value, at: i64) {
    let body = json!({"object": "whatsapp_business_account", "entry": [
        {"id": waba, "time": at, "changes": [{"field": field, "value": value}]}]});
    assert_eq!(post(&world.anonymous(), body.to_string()).await, 200);
    all_read(world).await;
}

/// A column of the row that the statement finds for this ID.
async fn look(world: &World, sql: &'static str, id: &str, column: &'static str) -> String {
    let mut db = world.portal.store.read().await.unwrap();
    let value = query(sql).bind(id).optional(&mut db, |row| row.opt_text(column)).await.unwrap();
    value.flatten().unwrap_or_default()
}

/// A while ago, so that what follows it is not ahead of the clock.
fn now(world: &World) -> i64 {
    world.clock.now().unix_timestamp() - 100
}

async fn numbers_are_told_of(db: Database) {
    let world = World::start(db).await;
    let theirs = connected(&world, "Acme").await;
    let at = now(&world);
    let number = async |column| {
        look(&world, "SELECT * FROM phone_numbers WHERE phone_number_id = $1", &theirs.number, column).await
    };
    let review = |decision: &str, name: &str| json!({"display_phone_number": theirs.written, "decision": decision, "requested_verified_name": name});
    let name = number("verified_name").await;
    tell(&world, &theirs.waba, "phone_number_name_update", review("REJECTED", "Something Else"), at).await;
    assert_eq!(number("verified_name").await, name, "the name that stands goes on");
    assert_ne!(number("name_status").await, "DECLINED");
    tell(&world, &theirs.waba, "phone_number_name_update", review("APPROVED", "Better Name"), at + 2).await;
    assert_eq!(
        (number("verified_name").await.as_str(), number("name_status").await.as_str()),
        ("Better Name", "APPROVED")
    );
    tell(&world, &theirs.waba, "phone_number_name_update", review("REJECTED", "Better Name"), at + 1).await;
    assert_eq!(number("name_status").await, "APPROVED", "late news");
    tell(&world, &theirs.waba, "phone_number_name_update", review("REJECTED", "Better Name"), at - 86_400).await;
    assert_eq!(number("name_status").await, "APPROVED", "it was read since");

    let limit = |event: &str, limit: &str| json!({"display_phone_number": theirs.written, "event": event, "current_limit": limit});
    let quality = number("quality_rating").await;
    tell(&world, &theirs.waba, "phone_number_quality_update", limit("UPGRADE", "TIER_2K"), at).await;
    assert_eq!(number("messaging_limit").await, "TIER_2K");
    tell(&world, &theirs.waba, "phone_number_quality_update", limit("THROUGHPUT_UPGRADE", "TIER_UNLIMITED"), at + 1)
        .await;
    assert_eq!(
        (number("messaging_limit").await.as_str(), number("throughput_level").await.as_str()),
        ("TIER_2K", "HIGH")
    );
    assert_eq!(number("quality_rating").await, quality, "it does not tell of quality");
    let capability = json!({"max_daily_conversations_per_business": 10_000, "max_phone_numbers_per_waba": 25});
    tell(&world, &theirs.waba, "business_capability_update", capability, at + 3).await;
    assert_eq!(number("messaging_limit").await, "TIER_10K");
    tell(&world, &theirs.waba, "phone_number_quality_update", limit("DOWNGRADE", "TIER_250"), at + 2).await;
    assert_eq!(number("messaging_limit").await, "TIER_10K", "late news");
}

async fn a_reading_that_is_overtaken_undoes_nothing(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Acme").await;
    let (connection, signup) = world.connect(&browser, &[]).await;
    let (waba, id) = (id(&signup, "waba_ids", 0), id(&signup, "phone_number_ids", 0));
    let number =
        async |column| look(&world, "SELECT * FROM phone_numbers WHERE phone_number_id = $1", &id, column).await;
    let display = number("display_phone_number").await;
    let overtaken = async |path: String, held: &str, at: i64, limit: &str| {
        world.meta.forget_calls();
        world.meta.hold(Method::GET, held);
        let reading = browser.post(&path, &[]);
        let telling = async {
            world.meta.called(held).await;
            let value = json!({"display_phone_number": display, "event": "UPGRADE", "current_limit": limit});
            tell(&world, &waba, "phone_number_quality_update", value, at).await;
            world.meta.release();
        };
        let (answer, ()) = tokio::join!(reading, telling);
        assert_eq!(answer.status, 303, "{}", answer.words());
        assert_eq!(number("messaging_limit").await, limit);
    };
    // Meta's answer is the one from before the news: the sandbox knows nothing of them.
    let soon = world.clock.now().unix_timestamp() + 30;
    overtaken(format!("{connection}/numbers/{id}/refresh"), &id, soon, "TIER_2K").await;
    overtaken(format!("{connection}/permissions"), "phone_numbers", soon + 30, "TIER_10K").await;
    // What is read later counts again.
    world.advance(90);
    assert_eq!(browser.post(&format!("{connection}/numbers/{id}/refresh"), &[]).await.status, 303);
    assert_eq!(number("messaging_limit").await, "TIER_250");
}

async fn templates_are_told_of(db: Database) {
    let world = World::start(db).await;
    let theirs = connected(&world, "Acme").await;
    let at = now(&world) - 1_000;
    let template =
        async |column| look(&world, "SELECT * FROM message_templates WHERE template_id = $1", "77", column).await;
    let status = |event: &str, reason: Value| {
        json!({"event": event, "message_template_id": 77, "message_template_name": "order", "message_template_language": "en-US",
            "reason": reason, "message_template_category": "UTILITY",
            "rejection_info": {"reason": "Side by side.", "recommendation": "Put words between."}})
    };
    tell(&world, &theirs.waba, "message_template_status_update", status("REJECTED", json!("INVALID_FORMAT")), at).await;
    assert_eq!((template("language").await.as_str(), template("status").await.as_str()), ("en_US", "REJECTED"));
    assert_eq!(template("reason").await, "INVALID_FORMAT");
    assert_eq!(template("explained").await, "Side by side.");
    assert_eq!(template("recommended").await, "Put words between.");
    tell(&world, &theirs.waba, "message_template_status_update", status("APPROVED", json!("NONE")), at + 10).await;
    tell(&world, &theirs.waba, "message_template_status_update", status("PENDING", json!("NONE")), at + 5).await;
    assert_eq!((template("status").await.as_str(), template("reason").await.as_str()), ("APPROVED", ""));
    let category = |new: &str| {
        json!({"message_template_id": "77", "message_template_name": "order", "message_template_language": "en_US",
        "new_category": new, "previous_category": "UTILITY"})
    };
    let mut announced = category("UTILITY");
    announced["correct_category"] = json!("MARKETING");
    announced["category_update_timestamp"] = json!(at + 86_400);
    tell(&world, &theirs.waba, "template_category_update", announced, at + 20).await;
    assert_eq!(
        (template("category").await.as_str(), template("next_category").await.as_str()),
        ("UTILITY", "MARKETING")
    );
    tell(&world, &theirs.waba, "template_category_update", category("MARKETING"), at + 30).await;
    assert_eq!((template("category").await.as_str(), template("next_category").await.as_str()), ("MARKETING", ""));
    tell(&world, &theirs.waba, "message_template_status_update", status("FLAGGED", json!(null)), at + 25).await;
    assert_eq!((template("status").await.as_str(), template("category").await.as_str()), ("FLAGGED", "MARKETING"));
    let quality =
        |score: &str| json!({"new_quality_score": score, "message_template_id": 77, "message_template_name": "order"});
    tell(&world, &theirs.waba, "message_template_quality_update", quality("RED"), at + 40).await;
    tell(&world, &theirs.waba, "message_template_quality_update", quality("GREEN"), at + 35).await;
    assert_eq!(template("quality").await, "RED");
    assert_eq!(
        world.number("SELECT count(*) AS n FROM message_templates", "n").await,
        Some(1),
        "en-US and en_US are one"
    );
}

async fn accounts_are_told_of(db: Database) {
    let world = World::start(db).await;
    let theirs = connected(&world, "Acme").await;
    let at = now(&world);
    let review = async || look(&world, "SELECT * FROM wabas WHERE waba_id = $1", &theirs.waba, "review_status").await;
    tell(&world, &theirs.waba, "account_review_update", json!({"decision": "REJECTED"}), at).await;
    tell(&world, &theirs.waba, "account_review_update", json!({"decision": "PENDING"}), at - 10).await;
    assert_eq!(review().await, "REJECTED");
    let limited = json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": [
        {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": at + 86_400}]});
    tell(&world, &theirs.waba, "account_update", limited, at).await;
    let pin = json!({"display_phone_number": theirs.written, "event": "PIN_CHANGED"});
    tell(&world, &theirs.waba, "security", pin, at + 1).await;
    let waba = theirs.waba.parse().unwrap();
    let notices = world.portal.connections.notices(&waba, 10).await.unwrap();
    let told: Vec<_> = notices.iter().map(|notice| (notice.event.as_str(), notice.phone_number.is_some())).collect();
    assert_eq!(told, [("PIN_CHANGED", true), ("ACCOUNT_RESTRICTION", false)]);
    assert_eq!(notices[1].detail["restriction_info"][0]["restriction_type"], "RESTRICTED_BIZ_INITIATED_MESSAGING");
}

/// Field, event and number of what is kept, the first first.
async fn notices(world: &World, theirs: &Theirs) -> Vec<(String, String, bool)> {
    let all = world.portal.connections.notices(&theirs.waba.parse().unwrap(), 20).await.unwrap();
    all.into_iter().rev().map(|one| (one.field, one.event, one.phone_number.is_some())).collect()
}

async fn numbers_are_found_however_they_are_named(db: Database) {
    let world = World::start(db).await;
    let theirs = connected(&world, "Acme").await;
    let at = now(&world);
    let mut tx = world.portal.store.write().await.unwrap();
    query("UPDATE phone_numbers SET display_phone_number = '+55 11 98765-4321'").execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    // As Meta's IDs have it, without the ninth digit.
    let pin = json!({"display_phone_number": "551187654321", "event": "PIN_CHANGED"});
    tell(&world, &theirs.waba, "security", pin, at).await;
    // Of a profile, and of what may be a business.
    let alert = |kind: &str, of: &str, id: &str| {
        json!({"entity_type": of, "entity_id": id,
        "alert_info": {"alert_type": kind, "alert_severity": "CRITICAL", "alert_status": "ACTIVE"}})
    };
    tell(&world, &theirs.waba, "account_alerts", alert("A", "CURRENT_STATUS_ID", &theirs.number), at + 1).await;
    tell(&world, &theirs.waba, "account_alerts", alert("B", "CURRENT_STATUS_ID", "508414307656631"), at + 2).await;
    let told = notices(&world, &theirs).await;
    let told: Vec<_> = told.iter().map(|(_, event, number)| (event.as_str(), *number)).collect();
    assert_eq!(told, [("PIN_CHANGED", true), ("A", true), ("B", false)]);
    let guessed = "SELECT count(*) AS n FROM event_routes WHERE phone_number_id = '508414307656631'";
    assert_eq!(world.number(guessed, "n").await, Some(0), "an ID that is no number's is taken for none");
}

async fn limits_settings_and_flows_are_told_of(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Acme").await;
    let (page, signup) = world.connect(&browser, &[]).await;
    let (waba, number) = (id(&signup, "waba_ids", 0), id(&signup, "phone_number_ids", 0));
    world.advance(200);
    let at = now(&world);
    let capability = json!({"max_daily_conversations_per_business": "TIER_10K", "max_phone_numbers_per_business": 20});
    tell(&world, &waba, "business_capability_update", capability, at).await;
    let calling = json!({"messaging_product": "whatsapp", "timestamp": (at + 1).to_string(), "type": "phone_number_settings",
        "phone_number_settings": {"phone_number_id": number, "calling": {"status": "DISABLED"}}});
    tell(&world, &waba, "account_settings_update", calling, at + 1).await;
    let flow = |id: &str, state: &str| json!({"event": "ENDPOINT_AVAILABILITY", "message": format!("Down: {id}"), "flow_id": id, "alert_state": state});
    for (id, state, at) in [("71", "ACTIVATED", at + 2), ("72", "ACTIVATED", at + 3), ("71", "DEACTIVATED", at + 4)] {
        tell(&world, &waba, "flows", flow(id, state), at).await;
    }
    let shown = browser.get(&page).await;
    says(
        &shown,
        &[
            "In 24 hours you can write first to up to 10000 people. Your business can have 20 numbers.",
            "Calls are off.",
            "Flow 72: Down: 72",
        ],
    );
    assert!(!shown.text.contains("Down: 71"), "it is up again");
    let limit =
        look(&world, "SELECT * FROM phone_numbers WHERE phone_number_id = $1", &number, "messaging_limit").await;
    assert_eq!(limit, "TIER_10K");
}

async fn state_of(world: &World, theirs: &Theirs) -> String {
    look(world, "SELECT * FROM connections WHERE id = $1", &theirs.connection, "state").await
}

async fn no_access_job(world: &World) {
    eventually("Meta was asked", || async {
        let jobs = "SELECT count(*) AS n FROM jobs WHERE kind = 'connections.check_access'";
        (world.number(jobs, "n").await == Some(0)).then_some(())
    })
    .await;
}

async fn the_end_of_access_is_looked_into(db: Database) {
    let world = World::start(db).await;
    let theirs = connected(&world, "Acme").await;
    let at = now(&world);
    let removed = json!({"phone_number": theirs.written, "event": "PARTNER_REMOVED"});
    // The word of a webhook alone, which may come late or again, ends nothing.
    tell(&world, &theirs.waba, "account_update", removed.clone(), at).await;
    no_access_job(&world).await;
    assert_eq!(state_of(&world, &theirs).await, "active");
    assert_eq!(world.number("SELECT count(*) AS n FROM phone_numbers", "n").await, Some(1));
    // Meta out of order ends nothing either.
    world.meta.fault("graph_500", Some(1), Some("phone_numbers")).await;
    tell(&world, &theirs.waba, "account_update", json!({"event": "ACCOUNT_DELETED"}), at + 1).await;
    // The next look is in a minute, and then in a day.
    let looks_within = async |minutes: i64, within: bool| {
        eventually("the next look to be planned", || async {
            let at = "SELECT CASE WHEN lease_owner IS NULL THEN run_at END AS at FROM jobs WHERE kind = 'connections.recheck'";
            let at = world.number(at, "at").await?;
            let by = doorway::base::clock::to_ms(world.clock.now()) + minutes * 60_000;
            ((at < by) == within).then_some(())
        })
        .await;
    };
    looks_within(2, true).await;
    no_access_job(&world).await;
    assert_eq!(state_of(&world, &theirs).await, "active");
    world.advance(61);
    looks_within(2, false).await;
    assert_eq!(state_of(&world, &theirs).await, "active");
    // That the token does not open the account any more is what counts.
    world.meta.control(Method::POST, "tokens/revoke", json!({"waba_id": theirs.waba})).await;
    let uninstalled =
        json!({"event": "PARTNER_APP_UNINSTALLED", "waba_info": {"waba_id": theirs.waba, "owner_business_id": "1"}});
    tell(&world, BUSINESS_ID, "account_update", uninstalled, at + 2).await;
    eventually("it must be connected again", || async {
        (state_of(&world, &theirs).await == "needs_reconnect").then_some(())
    })
    .await;
    assert_eq!(world.number("SELECT count(*) AS n FROM phone_numbers", "n").await, Some(1), "nothing is deleted");
    let standing = look(&world, "SELECT * FROM customers WHERE id = $1", &theirs.customer, "connection_state").await;
    assert_eq!(standing, "needs_reconnect");
}

async fn nobody_changes_anothers_state(db: Database) {
    let world = World::start(db).await;
    let (acme, globex) = (connected(&world, "Acme").await, connected(&world, "Globex").await);
    let at = now(&world);
    // Another's number beside an account of one's own finds nothing.
    let review =
        json!({"display_phone_number": globex.written, "decision": "APPROVED", "requested_verified_name": "Stolen"});
    tell(&world, &acme.waba, "phone_number_name_update", review, at + 1).await;
    let limit = json!({"display_phone_number": globex.written, "event": "THROUGHPUT_UPGRADE", "current_limit": "TIER_UNLIMITED"});
    tell(&world, &acme.waba, "phone_number_quality_update", limit, at + 1).await;
    let number = async |column| {
        look(&world, "SELECT * FROM phone_numbers WHERE phone_number_id = $1", &globex.number, column).await
    };
    assert_ne!(number("verified_name").await, "Stolen");
    assert_ne!(number("throughput_level").await, "HIGH");
    // A template stays with the account that it was told of first.
    let status = |event: &str, name: &str| json!({"event": event, "message_template_id": 5, "message_template_name": name, "message_template_language": "de"});
    tell(&world, &acme.waba, "message_template_status_update", status("APPROVED", "of acme"), at).await;
    tell(&world, &globex.waba, "message_template_status_update", status("DISABLED", "of globex"), at + 5).await;
    let template =
        async |column| look(&world, "SELECT * FROM message_templates WHERE template_id = $1", "5", column).await;
    assert_eq!((template("name").await.as_str(), template("status").await.as_str()), ("of acme", "APPROVED"));
    // What is told of an account that is nobody's leaves no trace beside the event.
    tell(&world, "998877", "message_template_status_update", status("APPROVED", "x"), at + 6).await;
    tell(&world, "998877", "account_update", json!({"event": "ACCOUNT_VIOLATION"}), at).await;
    tell(&world, &acme.waba, "account_update", json!({"event": "ACCOUNT_VIOLATION"}), at).await;
    assert_eq!(
        world.number("SELECT count(*) AS n FROM account_notices WHERE field = 'account_update'", "n").await,
        Some(1)
    );
    assert!(world.portal.connections.notices(&globex.waba.parse().unwrap(), 9).await.unwrap().is_empty());
}
