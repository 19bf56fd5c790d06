//! What the WhatsApp Business app brings.

use super::*;

on_both_engines!(
    contacts_and_chats_are_asked_for_at_once,
    refused_contacts_do_not_keep_chats_back,
    declined_history_is_told_apart,
    the_deadline_counts_down,
    what_a_later_look_switches_on_is_asked_for_as_well,
);

async fn what_a_later_look_switches_on_is_asked_for_as_well(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Harbour Bakery").await;
    let attempt = browser.begin().await;
    let signup = world.meta.signup(&["coexistence"]).await;
    // Meta refuses the subscription: the account is connected without it.
    world.meta.fault("graph_down", None, Some("subscribed_apps")).await;
    attempt.bring_all(&signup).await;
    world.meta.called("subscribed_apps").await;
    world.advance(6 * 60);
    attempt.ends("failed", "meta_unavailable").await;
    let connection = world.column("SELECT id FROM connections", "id").await.unwrap();
    let page = format!("/connections/{connection}/numbers/{}", id(&signup, "phone_number_ids", 0));
    says(&browser.get(&page).await, &["From the WhatsApp Business app", "Not asked for yet", "Ask again"]);
    assert_eq!(calls(&world, "/smb_app_data"), 0);
    world.meta.mend().await;
    browser.post(&format!("/connections/{connection}/permissions"), &[]).await;
    eventually("both to be asked for", || async { (calls(&world, "/smb_app_data") == 2).then_some(()) }).await;
}

async fn contacts_and_chats_are_asked_for_at_once(db: Database) {
    let world = World::start(db).await;
    let (browser, page, _, _) = connected(&world, &["coexistence"]).await;
    let shown = eventually("all of it to come", || async {
        let shown = browser.get(&page).await;
        let words = shown.words();
        (words.contains("4 contacts have come.") && words.contains("All earlier chats have come.")).then_some(shown)
    })
    .await;
    says(&shown, &["Up to 20 messages a second", "Request ID, contacts"]);
    let asked: Vec<String> = world
        .meta
        .calls()
        .iter()
        .filter(|call| call.path.ends_with("/smb_app_data"))
        .map(|call| call.body.clone())
        .collect();
    assert_eq!(asked.len(), 2, "once each: {asked:?}");
    assert!(asked[0].contains("smb_app_state_sync") && asked[1].contains("history"), "{asked:?}");
}

async fn refused_contacts_do_not_keep_chats_back(db: Database) {
    let world = World::start(db).await;
    let (browser, page, _, _) = connected(&world, &["coexistence"]).await;
    eventually("both to be asked for", || async { (calls(&world, "/smb_app_data") == 2).then_some(()) }).await;
    let asked = "SELECT count(*) AS n FROM number_syncs WHERE history_asked_at IS NOT NULL";
    eventually("both to be taken", || async { (world.number(asked, "n").await == Some(1)).then_some(()) }).await;
    // As if the answers had been lost: Meta takes each request once.
    let mut tx = world.portal.store.write().await.unwrap();
    let lost = "UPDATE number_syncs SET contacts_asked_at = NULL, history_asked_at = NULL";
    doorway::store::query(lost).execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    browser.post(&format!("{page}/sync"), &[]).await;
    eventually("both to be asked for again", || async { (calls(&world, "/smb_app_data") == 4).then_some(()) }).await;
    eventually("the refusal to be told", || async {
        browser.get(&page).await.words().contains("Not everything was asked for").then_some(())
    })
    .await;
}

async fn declined_history_is_told_apart(db: Database) {
    let world = World::start(db).await;
    let (browser, page, _, _) = connected(&world, &["history_declined"]).await;
    eventually("the word that chats are not shared", || async {
        browser.get(&page).await.words().contains("You chose in the app not to share earlier chats.").then_some(())
    })
    .await;
    assert_eq!(world.column("SELECT failure FROM number_syncs", "failure").await, None);
}

async fn the_deadline_counts_down(db: Database) {
    let world = World::start(db).await;
    world.meta.fault("graph_500", None, Some("smb_app_data")).await;
    let (browser, page, _, _) = connected(&world, &["coexistence"]).await;
    let shown = eventually("the deadline", || async {
        let shown = browser.get(&page).await;
        shown.words().contains("Time is left until").then_some(shown)
    })
    .await;
    says(&shown, &["Not asked for yet"]);
    world.advance(25 * 3_600);
    says(&browser.get(&page).await, &["The 24 hours are over"]);
}
