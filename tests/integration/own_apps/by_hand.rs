//! A connection is made by hand: what is brought is proven, kept, and works like any other.

use super::*;

on_both_engines!(
    a_customer_adds_one_and_its_messages_come_in,
    staff_add_one_for_a_customer,
    without_the_secret_it_works_and_says_what_can_not_be,
    each_wrong_thing_is_told_at_its_field,
    an_account_belongs_to_one_customer,
);

async fn a_customer_adds_one_and_its_messages_come_in(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Corner Shop").await;
    says(&browser.get("/connections").await, &["I have my own Meta app"]);
    let app = app(&world).await;
    world.meta.control(Method::POST, "apps", json!({"app_id": app["app_id"], "waba_id": app["waba_id"]})).await;
    let (page, callback) = add(&browser, &app).await;
    let shown = browser.get(&page).await;
    says(&shown, &["One step is left at Meta", "Meta has not checked this address yet", "Verify token"]);
    assert_eq!(world.meta.waba(text(&app, "waba_id")).await["own_subscribed"], json!([app["app_id"]]));
    let word = shown.text.split("data-copy=\"").nth(2).unwrap().split('"').next().unwrap().to_owned();
    let url = world.portal.url.join(&callback).unwrap();
    let saved = json!({"app_id": app["app_id"], "callback_url": url, "verify_token": word});
    world.meta.control(Method::POST, "apps/callback", saved).await;
    says(&browser.get(&page).await, &["Meta checked this address"]);
    let connection = browser.get(page.trim_end_matches("/own-app")).await.words();
    assert!(!connection.contains("Save the callback") && !connection.contains("Nothing comes in"), "{connection}");
    // A person writes: Meta sends it to the app's own address, and not to the operator's.
    let phone = &app["phone_number_ids"][0];
    let sent = json!({"kind": "message", "phone_id": phone, "from": "491701234567", "text": "Hello", "type": "text"});
    assert_eq!(world.meta.control(Method::POST, "webhooks", sent).await["sent"], true);
    eventually("the message", || async { (events_of(&world, "Corner Shop").await == 1).then_some(()) }).await;
    // Calls are proven with that app's secret, and never with ours.
    let token = text(&app, "token");
    let of_token = format!("Bearer {token}");
    let calls: Vec<Call> =
        world.meta.calls().into_iter().filter(|call| call.authorization.as_ref() == Some(&of_token)).collect();
    let proof = signature(text(&app, "app_secret"), token).replace("sha256=", "");
    assert!(calls.len() >= 4 && calls.iter().all(|call| call.in_query("appsecret_proof") == Some(proof.clone())));
    // No secret is anywhere to be read.
    let secrets = [token, text(&app, "app_secret")];
    assert!(!dump(&world.portal.store, &[]).await.iter().any(|row| secrets.iter().any(|secret| row.contains(secret))));
    assert!(!browser.pages().iter().any(|page| secrets.iter().any(|secret| page.contains(secret))));
    let logged = "SELECT count(*) AS n FROM audit_log WHERE action = 'connection.added_by_hand'";
    assert_eq!(world.number(logged, "n").await, Some(1));
}

async fn staff_add_one_for_a_customer(db: Database) {
    let world = World::start(db).await;
    let (browser, support) = (world.customer("Corner Shop").await, world.staff(Role::Support).await);
    let customer = world.column("SELECT id FROM customers", "id").await.unwrap();
    let app = app(&world).await;
    let path = format!("/support/customers/{customer}");
    says(&support.get(&path).await, &["the customer’s own Meta app"]);
    says(&support.get(&format!("{path}/own-app")).await, &["For Corner Shop"]);
    let added = support.post(&format!("{path}/own-app"), &fields(&app, true)).await;
    says(&support.get(added.location()).await, &["Webhooks", "Replace the token"]);
    says(&support.get(&path).await, &["through the customer’s own Meta app"]);
    // It is the customer's, and there is a way to its page from there.
    let list = browser.get("/connections").await;
    let connection = list.text.split("href=\"/connections/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    says(&browser.get(&format!("/connections/{connection}")).await, &["This connection goes through an app of yours"]);
    // Nobody else finds it.
    let other = world.customer("Harbour Bakery").await;
    assert_eq!(other.get(&format!("/connections/{connection}/own-app")).await.status, 404);
    let foreign = world.column("SELECT id FROM customers WHERE name = 'Harbour Bakery'", "id").await.unwrap();
    let crossed = format!("/support/customers/{foreign}/own-app/{connection}");
    assert_eq!(support.get(&crossed).await.status, 404, "it is not that customer's");
}

async fn without_the_secret_it_works_and_says_what_can_not_be(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Corner Shop").await;
    let app = app(&world).await;
    browser.get("/connections/own-app").await;
    let added = browser.post("/connections/own-app", &fields(&app, false)).await;
    let page = browser.get(added.location()).await;
    says(&page, &["Nothing can come in without the App Secret", "can’t be seen without the App Secret"]);
    says(&page, &["The account is connected. Next comes the App Secret."]);
    // The secret comes first; what to do at Meta is folded until it is there.
    let (form, steps) = (page.text.find("name=\"app_secret\"").unwrap(), page.text.find("Callback URL").unwrap());
    assert!(form < steps && page.text[form..steps].contains("<details"), "{}", page.words());
    let connection = added.location().trim_end_matches("/own-app").to_owned();
    let told = async |todo: &str, badge: &str| {
        says(&browser.get(&connection).await, &[todo, badge]);
        says(&browser.get("/connections").await, &[badge]);
    };
    told("Enter the App Secret, or no message comes in", "Nothing comes in").await;
    assert!(world.meta.calls().iter().all(|call| call.in_query("appsecret_proof").is_none()), "no proof with ours");
    let callback = callback_in(&page);
    let (waba, phone) = (text(&app, "waba_id"), app["phone_number_ids"][0].as_str().unwrap());
    let sent = body(&[message(waba, phone, "wamid.1")]);
    assert_eq!(post(&browser, &callback, text(&app, "app_secret"), &sent).await, 401);
    assert_eq!(post(&browser, &callback, "", &sent).await, 401, "nor with an empty one");
    // Once the secret is given, it can.
    let path = added.location().to_owned();
    let wrong = [("app_id", text(&app, "app_id")), ("app_secret", "0123456789abcdef0123456789abcdef")];
    let refused = browser.post(&format!("{path}/secret"), &wrong).await;
    assert_eq!(refused.status, 422);
    says(&refused, &["This is not the secret of that app"]);
    let right = [("app_id", text(&app, "app_id")), ("app_secret", text(&app, "app_secret"))];
    assert_eq!(browser.post(&format!("{path}/secret"), &right).await.location(), path);
    told("Save the callback at Meta", "Nothing comes in yet").await;
    let shown = browser.get(&path).await;
    let (steps, form) = (shown.text.find("Callback URL").unwrap(), shown.text.find("name=\"app_secret\"").unwrap());
    assert!(steps < form, "the next step first: {}", shown.words());
    assert_eq!(post(&browser, &callback, text(&app, "app_secret"), &sent).await, 200);
    all_read(&world).await;
    assert_eq!(events_of(&world, "Corner Shop").await, 1);
}

async fn each_wrong_thing_is_told_at_its_field(db: Database) {
    let world = World::start(db).await;
    let browser = world.customer("Corner Shop").await;
    let (own, other) = (app(&world).await, app(&world).await);
    let strict = world.meta.control(Method::POST, "apps", json!({"require_app_secret": true})).await;
    let half = world.meta.control(Method::POST, "apps", json!({"scopes": ["whatsapp_business_management"]})).await;
    let (waba, token, id, secret) =
        (text(&own, "waba_id"), text(&own, "token"), text(&own, "app_id"), text(&own, "app_secret"));
    let (others_id, others_secret, others_waba) =
        (text(&other, "app_id"), text(&other, "app_secret"), text(&other, "waba_id"));
    let cases: &[([&str; 4], &str, &str)] = &[
        (["", token, "", ""], "waba", "Enter the WhatsApp Business account ID"),
        ([waba, "", "", ""], "token", "Enter the token"),
        ([waba, "EAA with spaces", "", ""], "token", "This is no token"),
        ([waba, "EAAnotATokenOfAnybodyAtAllButLongEnough", "", ""], "token", "Meta does not take this token"),
        ([others_waba, token, "", ""], "waba", "opens no account with this ID"),
        ([waba, token, "", secret], "app", "Enter the App ID as well"),
        ([waba, token, "number", secret], "app", "An App ID is a number"),
        ([waba, token, "1234567", secret], "app", "Meta knows no app"),
        ([waba, token, id, others_secret], "secret", "not the secret of that app"),
        ([waba, token, others_id, others_secret], "app", "belongs to another app"),
        ([waba, token, APP_ID, APP_SECRET], "app", "our own app"),
        ([text(&strict, "waba_id"), text(&strict, "token"), "", ""], "secret", "takes calls only with its secret"),
        (
            [text(&half, "waba_id"), text(&half, "token"), text(&half, "app_id"), text(&half, "app_secret")],
            "token",
            "lacks a permission: whatsapp_business_messaging",
        ),
    ];
    browser.get("/connections/own-app").await;
    for ([waba, token, id, secret], field, words) in cases {
        let typed = [("waba_id", *waba), ("token", *token), ("app_id", *id), ("app_secret", *secret)];
        let page = browser.post("/connections/own-app", &typed).await;
        assert_eq!(page.status, 422, "{words}: {}", page.words());
        says(&page, &[words]);
        let tag =
            page.tag_with(&format!("id=\"{field}-error\"")).unwrap_or_else(|| panic!("{field}: {}", page.words()));
        assert!(tag.contains("field-error"), "{tag}");
        assert!(page.text.contains("<title>Problem: "), "{words}");
        // What is no secret stays; what is one does not come back.
        assert!(waba.is_empty() || page.text.contains(&format!("value=\"{waba}\"")), "{words}");
        assert!([token, secret].iter().all(|secret| secret.is_empty() || !page.text.contains(**secret)), "{words}");
    }
    world.meta.fault("graph_500", None, None).await;
    let page = browser.post("/connections/own-app", &fields(&own, true)).await;
    assert_eq!(page.status, 422);
    says(&page, &["Meta could not be asked", "Nothing was changed"]);
    world.meta.mend().await;
    assert_eq!(world.number("SELECT count(*) AS n FROM connections", "n").await, Some(0));
    // Where only the webhooks can't be switched on it is made, and says so.
    world.meta.fault("graph_500", Some(3), Some("subscribed_apps")).await;
    let added = browser.post("/connections/own-app", &fields(&own, true)).await;
    let path = added.location().to_owned();
    says(&browser.get(&path).await, &["does not get this account’s messages yet"]);
    world.meta.mend().await;
    browser.post(&format!("{path}/subscribe"), &[]).await;
    assert!(!browser.get(&path).await.words().contains("messages yet"));
}

async fn an_account_belongs_to_one_customer(db: Database) {
    let world = World::start(db).await;
    let (owner, other) = (world.customer("Harbour Bakery").await, world.customer("Corner Shop").await);
    let (_, signup) = world.connect(&owner, &[]).await;
    let waba = id(&signup, "waba_ids", 0);
    // A token of another app that opens the same account.
    let app = world.meta.control(Method::POST, "apps", json!({ "waba_id": waba })).await;
    other.get("/connections/own-app").await;
    let refused = other.post("/connections/own-app", &fields(&app, true)).await;
    assert_eq!(refused.status, 422);
    says(&refused, &["connected by another company"]);
    assert!(!refused.text.contains("Harbour"));
    let twice = owner.post("/connections/own-app", &fields(&app, true)).await;
    says(&twice, &["connected here already"]);
    assert_eq!(world.number("SELECT count(*) AS n FROM connections", "n").await, Some(1));
    assert_eq!(world.number("SELECT count(*) AS n FROM own_apps", "n").await, Some(0));
    // And the other way round: what came by hand is not taken by a signup.
    let own = super::app(&world).await;
    add(&other, &own).await;
    let attempt = owner.begin().await;
    let signup = world.meta.signup_of(json!({"waba_id": own["waba_id"]})).await;
    attempt.bring_all(&signup).await;
    attempt.ends("failed", "claimed").await;
}
