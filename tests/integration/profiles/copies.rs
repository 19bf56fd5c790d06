//! The same profile for several numbers.

use super::*;

on_both_engines!(
    the_same_profile_for_several_numbers_and_what_became_of_each,
    also_for_numbers_of_another_connection_and_nobody_elses,
    metas_trouble_is_waited_out_and_what_stays_refused_is_said,
);

async fn settled(stage: &Stage) -> Page {
    eventually("the copies to be done", || async {
        let waiting = "SELECT count(*) AS n FROM profile_copies WHERE state = 'waiting'";
        (stage.world.number(waiting, "n").await == Some(0)).then_some(())
    })
    .await;
    stage.show().await
}

async fn the_same_profile_for_several_numbers_and_what_became_of_each(db: Database) {
    let stage = Stage::new(db, &["several_numbers"]).await;
    assert_eq!(stage.numbers.len(), 3);
    stage.phone(0, json!({"about": "Bread", "vertical": "GROCERY", "picture": base64(&png(500, 500))})).await;
    stage.phone(1, json!({"about": "Old", "address": "Gone", "vertical": "OTHER"})).await;
    let page = stage.show().await;
    says(&page, &["Same profile for other numbers", "What stands there now is replaced"]);
    let changes = [("description", "Fresh"), ("also", &stage.numbers[1]), ("also", &stage.numbers[2]), ("also", "123")];
    let saved = stage.save(&page, &changes).await;
    assert_eq!(saved.status, 303, "{}", saved.words());
    let page = settled(&stage).await;
    says(&page, &["What became of the other numbers", "Saved"]);
    let own = stage.phone(0, json!({})).await;
    for number in [1, 2] {
        let now = stage.phone(number, json!({})).await;
        for field in ["about", "address", "description", "email", "websites", "vertical"] {
            assert_eq!(now[field], own[field], "{field} of {number}");
        }
        // With the photo, which was at Meta already.
        assert!(now["picture"]["file"].is_string(), "{now}");
    }
    let entries = "SELECT count(*) AS n FROM audit_log WHERE action = 'profile.changed'";
    assert_eq!(stage.world.number(entries, "n").await, Some(3));
}

async fn metas_trouble_is_waited_out_and_what_stays_refused_is_said(db: Database) {
    let stage = Stage::new(db, &["several_numbers"]).await;
    let page = stage.show().await;
    let path = format!("{}/whatsapp_business_profile", stage.numbers[1]);
    stage.world.meta.control(Method::POST, "faults", json!({"fault": "graph_500", "times": 1, "path": path})).await;
    let saved = stage.save(&page, &[("about", "Bread"), ("also", &stage.numbers[1])]).await;
    assert_eq!(saved.status, 303, "{}", saved.words());
    eventually("the first try", || async {
        let tries = "SELECT tries FROM profile_copies";
        (stage.world.number(tries, "tries").await == Some(1)).then_some(())
    })
    .await;
    says(&stage.show().await, &["Being saved"]);
    stage.world.advance(60);
    settled(&stage).await;
    assert_eq!(stage.phone(1, json!({})).await["about"], "Bread");
    // The number goes away meanwhile: said, and nothing is written.
    stage.world.meta.control(Method::POST, "tokens/revoke", json!({})).await;
    let mut tx = stage.world.portal.store.write().await.unwrap();
    doorway::store::query("UPDATE profile_copies SET state = 'waiting'").execute(&mut tx).await.unwrap();
    doorway::store::query(
        "INSERT INTO jobs (id, kind, subject, run_at, created_at) \
         SELECT 'again', 'business_profile.copy', phone_number_id, 0, 0 FROM profile_copies",
    )
    .execute(&mut tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let page = settled(&stage).await;
    says(&page, &["Not saved"]);
}

async fn also_for_numbers_of_another_connection_and_nobody_elses(db: Database) {
    let stage = Stage::new(db, &[]).await;
    let (second, signup) = stage.world.connect(&stage.browser, &[]).await;
    let own = id(&signup, "phone_number_ids", 0);
    let other = stage.world.customer("Corner Shop").await;
    let (_, signup) = stage.world.connect(&other, &[]).await;
    let foreign = id(&signup, "phone_number_ids", 0);
    let page = stage.show().await;
    assert!(page.text.contains(&own) && !page.text.contains(&foreign));
    let saved = stage.save(&page, &[("about", "Bread"), ("also", &own), ("also", &foreign)]).await;
    assert_eq!(saved.status, 303, "{}", saved.words());
    let page = settled(&stage).await;
    assert!(page.text.contains(&format!("{second}/numbers/{own}/profile")), "where it is");
    let about = async |number: &str| {
        let body = json!({"phone_id": number});
        stage.world.meta.control(Method::POST, "profiles", body).await["profile"]["about"].clone()
    };
    assert_eq!(about(&own).await, "Bread");
    assert_ne!(about(&foreign).await, "Bread");
    let copies = "SELECT count(*) AS n FROM profile_copies";
    assert_eq!(stage.world.number(copies, "n").await, Some(1));
}
