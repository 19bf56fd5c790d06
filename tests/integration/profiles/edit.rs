//! One number's profile: read, edited, and changed meanwhile.

use super::*;

on_both_engines!(
    a_profile_is_read_edited_and_its_history_kept,
    a_photo_is_checked_uploaded_and_shown_through_us,
    what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost,
    what_the_phone_changed_meanwhile_is_not_run_over,
    what_meta_refuses_is_said_where_it_belongs,
    without_access_what_was_read_last_is_shown,
    a_photo_that_meta_shows_late_is_ours,
    what_was_saved_is_noted_where_a_newer_reading_is_kept,
    another_customer_sees_nothing_of_it,
    it_is_handed_out_and_erased_with_its_customer,
);

async fn a_profile_is_read_edited_and_its_history_kept(db: Database) {
    let stage = Stage::new(db, &[]).await;
    stage.phone(0, json!({"about": "Bread since 1921", "vertical": "GROCERY", "email": "", "websites": []})).await;
    let page = stage.show().await;
    says(&page, &["Business profile", "16 of 139 characters", "Food and Grocery"]);
    let saved = stage
        .save(&page, &[("about", "Bread & cakes"), ("website_1", "bakery.example"), ("vertical", "RESTAURANT")])
        .await;
    assert_eq!(saved.status, 303, "{}", saved.words());
    let now = stage.phone(0, json!({})).await;
    assert_eq!((&now["about"], &now["vertical"]), (&json!("Bread & cakes"), &json!("RESTAURANT")));
    assert_eq!(now["websites"], json!(["https://bakery.example/"]));
    let page = stage.show().await;
    says(
        &page,
        &["The profile is saved", "Maria Test", "Bread since 1921 → Bread & cakes", "Food and Grocery → Restaurant"],
    );
    // Only what changed was sent.
    let calls = stage.world.meta.calls();
    let sent = calls.iter().rev().find(|call| call.method == Method::POST && call.path.ends_with("business_profile"));
    let sent: Value = serde_json::from_str(&sent.unwrap().body).unwrap();
    let keys: Vec<&String> = sent.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["about", "messaging_product", "vertical", "websites"]);
    let entry = "SELECT detail FROM audit_log WHERE action = 'profile.changed'";
    assert_eq!(stage.world.column(entry, "detail").await.unwrap(), "about, vertical, websites");
    // Again the same: nothing to do, and nothing said twice.
    let same = stage.save(&page, &[]).await;
    assert_eq!(same.status, 303);
    says(&stage.show().await, &["Nothing was changed"]);
    // Meanwhile on the phone: asked for, it is told.
    stage.phone(0, json!({"about": "On holiday"})).await;
    let read = stage.browser.post(&format!("{}/sync", stage.path), &[]).await;
    assert_eq!(read.status, 303);
    says(&stage.show().await, &["Changed at WhatsApp meanwhile: about.", "Changed on the phone or at Meta"]);
}

async fn a_photo_is_checked_uploaded_and_shown_through_us(db: Database) {
    let stage = Stage::new(db, &[]).await;
    let page = stage.show().await;
    assert_eq!(stage.browser.get(&format!("{}/photo", stage.path)).await.status, 404);
    for (bytes, words) in [(png(640, 480), "640 × 480"), (b"GIF89a".to_vec(), "no JPEG or PNG")] {
        let refused = stage.send(&page, &[("about", "Kept")], Some(&bytes)).await;
        assert_eq!(refused.status, 422);
        says(&refused, &[words, "Problem"]);
        assert!(refused.text.contains("value=\"Kept\""));
    }
    // One other thing is wrong: the photo is kept for the next time.
    let photo = png(640, 640);
    let wrong = stage.send(&page, &[("email", "nobody")], Some(&photo)).await;
    assert_eq!(wrong.status, 422);
    says(&wrong, &["The one you chose is kept"]);
    let saved = stage.save(&wrong, &[("email", "us@bakery.example")]).await;
    assert_eq!(saved.status, 303, "{}", saved.words());
    assert!(stage.phone(0, json!({})).await["picture"]["file"].is_string());
    let page = stage.show().await;
    says(&page, &["Photo: empty → another photo"]);
    assert!(!page.text.contains("/v/t61/"), "never from Meta's address");
    let request = stage.browser.request(Method::GET, &format!("{}/photo", stage.path));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "image/png");
    assert_eq!(doorway::base::http::read_capped(answer).await.unwrap(), photo);
    let uploads: Vec<_> = stage.world.meta.calls().into_iter().filter(|call| call.path.contains("upload")).collect();
    assert_eq!(uploads.len(), 2, "a session and its bytes");
    assert!(uploads[1].authorization.as_ref().unwrap().starts_with("OAuth "));
    // Its bytes are a call like any other, on the record of the connection.
    let recorded = "SELECT count(*) AS n FROM graph_calls WHERE path = 'upload' AND method = 'POST' \
                    AND status = 200 AND connection_id IS NOT NULL";
    eventually("the upload is recorded", || async {
        (stage.world.number(recorded, "n").await == Some(1)).then_some(())
    })
    .await;
    // A JPEG goes without what tells where it was taken.
    stage.world.meta.forget_calls();
    let jpeg = [
        &[0xff, 0xd8, 0xff, 0xe1, 0, 12][..],
        b"Exif\0\0HERE",
        &[0xff, 0xc2, 0, 11, 8, 2, 128, 2, 128, 1, 1, 0x11, 0, 0xff, 0xda, 0, 3, 1, 7, 0xff, 0xd9],
    ];
    let saved = stage.send(&page, &[], Some(&jpeg.concat())).await;
    assert_eq!(saved.status, 303, "{}", saved.words());
    let calls = stage.world.meta.calls();
    let sent = calls.iter().find(|call| call.path.contains("upload:")).unwrap();
    assert!(!sent.body.contains("Exif") && !sent.body.contains("HERE"), "{}", sent.body);
    let page = stage.show().await;
    // Where the customer's token lacks a role on the app, the operator's own goes.
    stage.world.meta.control(Method::POST, "dashboard", json!({"uploads_need_role": true})).await;
    let saved = stage.send(&page, &[], Some(&png(800, 800))).await;
    assert_eq!(saved.status, 303, "{}", saved.words());
}

async fn what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(db: Database) {
    let stage = Stage::new(db, &[]).await;
    stage.phone(0, json!({"about": "Bread", "vertical": "GROCERY"})).await;
    let page = stage.show().await;
    let long = "🥐".repeat(513);
    let wrong =
        [("about", ""), ("description", &long), ("email", "x"), ("website_1", "ftp://a.example"), ("vertical", "")];
    let refused = stage.save(&page, &wrong).await;
    assert_eq!(refused.status, 422);
    says(
        &refused,
        &[
            "Enter at least one character",
            "Shorten this by 1 character",
            "Enter an address such as",
            "Choose a category",
        ],
    );
    says(&refused, &["“ftp://a.example” is no address of a website", "1 too many: at most 512 characters"]);
    assert!(refused.text.contains(&long));
    let before = stage
        .world
        .meta
        .calls()
        .iter()
        .filter(|call| call.method == Method::POST && call.path.contains("business_profile"))
        .count();
    assert_eq!(before, 0, "nothing went to Meta");
    // What can't be read at all is no fault of ours.
    let empty = stage.browser.post(&stage.path, &[("about", "x")]).await;
    assert_eq!(empty.status, 400);
}

async fn what_the_phone_changed_meanwhile_is_not_run_over(db: Database) {
    let stage = Stage::new(db, &[]).await;
    stage.phone(0, json!({"about": "Bread", "address": "Pier 1"})).await;
    let page = stage.show().await;
    stage.phone(0, json!({"about": "Bread and fish", "address": "Pier 2"})).await;
    let asked = stage.save(&page, &[("about", "Bread and cakes"), ("description", "Fresh each day")]).await;
    assert_eq!(asked.status, 409);
    says(&asked, &["Somebody changed the profile meanwhile", "Bread and cakes", "Bread and fish", "Pier 1", "Pier 2"]);
    assert_eq!(stage.phone(0, json!({})).await["description"], "", "nothing is written yet");
    // Ours for the one; the other, which we did not touch, stands as the phone left it.
    let choices = fields(&asked.text);
    assert!(choices.contains(&("choose_about".to_owned(), "mine".to_owned())), "{choices:?}");
    assert!(choices.contains(&("choose_address".to_owned(), "theirs".to_owned())), "{choices:?}");
    // And again somebody is quicker: that is found too.
    stage.phone(0, json!({"about": "Closed today"})).await;
    let again = stage.save(&asked, &[]).await;
    assert_eq!(again.status, 409);
    says(&again, &["Closed today"]);
    let saved = stage.save(&again, &[]).await;
    assert_eq!(saved.status, 303, "{}", saved.words());
    let now = stage.phone(0, json!({})).await;
    assert_eq!((&now["about"], &now["address"]), (&json!("Bread and cakes"), &json!("Pier 2")));
    assert_eq!(now["description"], "Fresh each day");
    // A photo that was changed on both sides.
    let page = stage.show().await;
    stage.phone(0, json!({"picture": base64(&png(300, 300))})).await;
    let asked = stage.send(&page, &[], Some(&png(640, 640))).await;
    assert_eq!(asked.status, 409, "{}", asked.words());
    let theirs = stage.phone(0, json!({})).await["picture"]["file"].clone();
    let kept = stage.save(&asked, &[("choose_picture", "theirs")]).await;
    assert_eq!(kept.status, 303);
    assert_eq!(stage.phone(0, json!({})).await["picture"]["file"], theirs);
    let saved = stage.save(&asked, &[]).await;
    assert_eq!(saved.status, 303, "{}", saved.words());
    assert_ne!(stage.phone(0, json!({})).await["picture"]["file"], theirs);
}

async fn what_meta_refuses_is_said_where_it_belongs(db: Database) {
    let stage = Stage::new(db, &[]).await;
    let page = stage.show().await;
    stage
        .world
        .meta
        .control(Method::POST, "faults", json!({"fault": "graph_500", "times": 4, "path": "business_profile"}))
        .await;
    let late = stage.save(&page, &[("about", "Typed")]).await;
    assert_eq!(late.status, 422);
    says(&late, &["WhatsApp did not answer", "Details for support"]);
    assert!(late.text.contains("value=\"Typed\""));
    stage.world.meta.control(Method::DELETE, "faults", json!({})).await;
    let saved = stage.save(&late, &[]).await;
    assert_eq!(saved.status, 303, "{}", saved.words());
    // Nobody's token may upload: it stands with the photo, and the rest is kept.
    let board = json!({"uploads_need_role": true, "system_token_revoked": true});
    stage.world.meta.control(Method::POST, "dashboard", board).await;
    let refused = stage.send(&stage.show().await, &[("about", "Typed again")], Some(&png(640, 640))).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("id=\"photo-error\"") && refused.text.contains("value=\"Typed again\""));
}

async fn without_access_what_was_read_last_is_shown(db: Database) {
    let stage = Stage::new(db, &[]).await;
    stage.phone(0, json!({"about": "Bread since 1921"})).await;
    stage.show().await;
    stage.world.meta.control(Method::POST, "tokens/revoke", json!({})).await;
    stage.world.advance(600);
    let page = stage.show().await;
    says(&page, &["WhatsApp refused the access", "Connect again"]);
    assert!(page.text.contains("Bread since 1921"));
    // The connection was looked at because of it.
    eventually("the connection to be found stale", || async {
        let state = stage.world.column("SELECT state FROM connections", "state").await;
        (state.as_deref() == Some("needs_reconnect")).then_some(())
    })
    .await;
    says(&stage.show().await, &["Facebook ended our access"]);
}

async fn a_photo_that_meta_shows_late_is_ours(db: Database) {
    let stage = Stage::new(db, &[]).await;
    let foreign = "SELECT count(*) AS n FROM profile_changes WHERE user_id IS NULL";
    let own = "SELECT count(*) AS n FROM profile_changes WHERE user_id IS NOT NULL";
    stage.phone(0, json!({"picture": base64(&png(300, 300))})).await;
    let page = stage.show().await;
    // It is written, and what stands there then can't be read.
    let url = "SELECT picture_url FROM business_profiles";
    // Without the signature, which is another one each time.
    let address = async || {
        let url = stage.world.column(url, "picture_url").await;
        url.and_then(|url| Some(url.split_once('?')?.0.to_owned()))
    };
    let before = address().await;
    assert!(before.is_some());
    stage.world.meta.hold(Method::POST, "business_profile");
    let photo = png(640, 640);
    let saving = stage.send(&page, &[], Some(&photo));
    let failing = async {
        eventually("it is written", || async {
            let calls = stage.world.meta.calls();
            let is_write =
                |call: &Call| call.method == Method::POST && call.path.ends_with("whatsapp_business_profile");
            calls.iter().any(is_write).then_some(())
        })
        .await;
        stage.world.meta.hold(Method::GET, "business_profile");
        stage.world.meta.forget_calls();
        stage.world.meta.release_only(&Method::POST);
        stage.world.meta.called("business_profile").await;
        stage.world.meta.abandon();
    };
    let (saved, ()) = futures_util::join!(saving, failing);
    assert_eq!(saved.status, 303, "{}", saved.words());
    assert_eq!(address().await, before, "the photo that we have stays");
    assert_eq!(stage.world.number(own, "n").await, Some(1), "and it is told who changed it");
    let open = stage.show().await;
    // Later its name at Meta is read: nobody else changed it.
    let read = stage.browser.post(&format!("{}/sync", stage.path), &[]).await;
    assert_eq!(read.status, 303);
    says(&stage.show().await, &["Nothing has changed at WhatsApp."]);
    assert_eq!(stage.world.number(foreign, "n").await, Some(0));
    // Nor is that in the way of a form that was opened before.
    let saved = stage.send(&open, &[], Some(&png(800, 800))).await;
    assert_eq!(saved.status, 303, "{}", saved.words());
    // One from before our photo is.
    let asked = stage.send(&page, &[], Some(&png(900, 900))).await;
    assert_eq!(asked.status, 409, "{}", asked.words());
}

async fn what_was_saved_is_noted_where_a_newer_reading_is_kept(db: Database) {
    let stage = Stage::new(db, &[]).await;
    let page = stage.show().await;
    stage.world.meta.hold(Method::POST, "business_profile");
    let saving = stage.save(&page, &[("about", "Bread and cakes")]);
    let reading = async {
        eventually("it is written", || async {
            stage
                .world
                .meta
                .calls()
                .into_iter()
                .find(|call| call.method == Method::POST && call.path.ends_with("whatsapp_business_profile"))
        })
        .await;
        // Somebody else's reading is kept meanwhile.
        let mut tx = stage.world.portal.store.write().await.unwrap();
        let later = "UPDATE business_profiles SET read_at = read_at + 3600000";
        doorway::store::query(later).execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        stage.world.meta.release();
    };
    let (saved, ()) = futures_util::join!(saving, reading);
    assert_eq!(saved.status, 303, "{}", saved.words());
    let entries = "SELECT count(*) AS n FROM audit_log WHERE action = 'profile.changed'";
    assert_eq!(stage.world.number(entries, "n").await, Some(1));
    let lines = "SELECT count(*) AS n FROM profile_changes WHERE user_id IS NOT NULL";
    assert_eq!(stage.world.number(lines, "n").await, Some(1));
}

async fn another_customer_sees_nothing_of_it(db: Database) {
    let stage = Stage::new(db, &[]).await;
    let other = stage.world.customer("Corner Shop").await;
    let (own, _) = stage.world.connect(&other, &[]).await;
    // Neither by that connection, nor that number by their own.
    for path in [stage.path.clone(), format!("{own}/numbers/{}/profile", stage.numbers[0])] {
        assert_eq!(other.get(&path).await.status, 404, "{path}");
        assert_eq!(other.get(&format!("{path}/photo")).await.status, 404);
        assert_eq!(other.post(&format!("{path}/sync"), &[]).await.status, 404);
        assert_eq!(other.post(&path, &[("base", "{}"), ("about", "Ours now")]).await.status, 404);
    }
}

async fn it_is_handed_out_and_erased_with_its_customer(db: Database) {
    let stage = Stage::new(db, &[]).await;
    let page = stage.show().await;
    stage.send(&page, &[("address", "Pier 1, Harbour Town")], Some(&png(640, 640))).await;
    let admin = stage.world.staff(doorway::accounts::Role::Admin).await;
    let customer = stage.world.column("SELECT id FROM customers", "id").await.unwrap();
    admin.get(&format!("/backoffice/customers/{customer}")).await;
    let file = admin.post(&format!("/backoffice/customers/{customer}/export"), &[]).await.json();
    assert_eq!(file["business_profiles"][0]["profile"]["address"], "Pier 1, Harbour Town");
    assert_eq!(file["profile_changes"][0]["changes"].as_array().unwrap().len(), 2);
    assert_eq!(file["profile_pictures"].as_array().unwrap().len(), 1);
    assert_eq!(file["profile_copies"], json!([]));
    let delete = format!("/backoffice/customers/{customer}/delete");
    admin.get(&delete).await;
    let deleted = admin.post(&delete, &[("name", "Harbour Bakery")]).await;
    assert_eq!(deleted.status, 303, "{}", deleted.words());
    eventually("the profile to be erased", || async {
        let left = "SELECT (SELECT count(*) FROM business_profiles) + (SELECT count(*) FROM profile_changes) \
                    + (SELECT count(*) FROM profile_pictures) AS n";
        (stage.world.number(left, "n").await == Some(0)).then_some(())
    })
    .await;
}
