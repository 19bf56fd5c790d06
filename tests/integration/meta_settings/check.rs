//! Each line of the check, provoked, with its cure.

use super::*;
use doorway::{
    app::setup_without_database,
    backoffice::{Finding, Grade, Surroundings, examine_without_records},
    store::query,
};
use std::time::{Duration, Instant};

on_both_engines!(
    all_lines_are_green_or_grey,
    what_is_wrong_at_meta_is_told_with_its_cure,
    what_is_wrong_with_the_settings_is_told_with_its_cure,
    what_leads_elsewhere_is_told_with_its_cure,
    a_dead_graph_is_one_red_line,
    the_weeks_limit_comes_nearer,
    the_overview_shows_what_needs_somebody,
);

async fn configured(db: Database) -> (World, Browser) {
    let world = empty(db).await;
    let admin = world.staff(Role::Admin).await;
    assert_eq!(save(&admin, &right()).await.status, 303);
    (world, admin)
}

fn grades(page: &Page) -> Vec<(String, String)> {
    let ids = page.text.split("data-finding=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    ids.map(|id| (id.to_owned(), line(page, id).0)).collect()
}

async fn all_lines_are_green_or_grey(db: Database) {
    let (_world, admin) = configured(db).await;
    let page = admin.get(PATH).await;
    let all = grades(&page);
    assert_eq!(all.len(), 22, "{all:?}");
    let (green, grey): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, grade)| grade == "green");
    let grey: Vec<_> = grey.iter().map(|(id, grade)| (id.as_str(), grade.as_str())).collect();
    assert_eq!(grey, [("es_config", "grey"), ("public.url", "grey"), ("public.reach", "grey")]);
    assert_eq!(green.len(), 19);
    says(&page, &["19 good, 3 can’t be told", "is a local trial", "Test Operator"]);
    says(&admin.get("/backoffice").await, &["All is well", "0 of 10"]);
}

/// What is changed at Meta, the line that tells, its grade, and words of it and of its cure.
fn cases() -> Vec<(Value, &'static str, &'static str, [&'static str; 2])> {
    vec![
        (
            json!({"subscribed": false}),
            "webhooks.callback",
            "red",
            ["no webhook subscription", "press Register callback"],
        ),
        (
            json!({"subscription_active": false}),
            "webhooks.callback",
            "red",
            ["switched off", "WhatsApp > Configuration"],
        ),
        (
            json!({"approved_permissions": ["whatsapp_business_messaging"]}),
            "permission.management",
            "amber",
            ["not approved yet, or under review", "App Review > Requests"],
        ),
        (
            json!({"approved_permissions": ["whatsapp_business_management"]}),
            "permission.messaging",
            "amber",
            ["not approved yet", "screen recording"],
        ),
        (
            json!({"privacy_policy_url": ""}),
            "app.privacy",
            "amber",
            ["is missing", "App settings > Basic > Privacy policy URL"],
        ),
        (json!({"terms_of_service_url": ""}), "app.terms", "amber", ["is missing", "Terms of Service URL"]),
        (json!({"icon_url": ""}), "app.icon", "amber", ["is missing", "App icon"]),
        (json!({"category": ""}), "app.category", "amber", ["is missing", "Category"]),
        (
            json!({"business_verification": "not_verified"}),
            "business",
            "amber",
            ["not verified by Meta", "Start verification"],
        ),
        (json!({"system_token_revoked": true}), "token", "red", ["does not work", "System users"]),
        (json!({"system_token_days": 5}), "token", "amber", ["ends on", "make a new one"]),
        (json!({"system_token_days": -1}), "token", "red", ["does not work", "Generate token"]),
        (
            json!({"system_token_scopes": ["whatsapp_business_management"]}),
            "token.permissions",
            "red",
            ["lacks business_management", "Permissions and features"],
        ),
        (
            json!({"is_native": true}),
            "app.credentials",
            "red",
            ["the App Secret is right", "Native or desktop app must be off"],
        ),
    ]
}

async fn what_is_wrong_at_meta_is_told_with_its_cure(db: Database) {
    let (world, admin) = configured(db).await;
    let good = json!({
        "approved_permissions": ["whatsapp_business_management", "whatsapp_business_messaging"],
        "privacy_policy_url": "https://a.example", "terms_of_service_url": "https://a.example", "icon_url": "https://a.example",
        "category": "Business", "business_verification": "verified", "system_token_revoked": false, "system_token_days": 0,
        "system_token_scopes": ["business_management", "whatsapp_business_management"], "is_native": false,
        "subscription_active": true,
    });
    for (change, id, grade, words) in cases() {
        world.meta.control(Method::POST, "dashboard", change.clone()).await;
        let (found, text) = line(&check(&admin).await, id);
        assert_eq!(found, grade, "{change}: {text}");
        for word in words {
            assert!(text.to_lowercase().contains(&word.to_lowercase()), "{change}: {word:?} is not in: {text}");
        }
        assert!(text.contains("What to do:"), "{text}");
        world.meta.control(Method::POST, "dashboard", good.clone()).await;
        if change["subscribed"] == false {
            admin.post("/backoffice/settings/webhooks", &[]).await;
        }
    }
    // Fields that were taken off by hand, and a callback that leads elsewhere.
    let http = Browser::new(&world.meta.url);
    let graph = format!("/v25.0/{APP_ID}/subscriptions");
    let token = format!("{APP_ID}|{APP_SECRET}");
    let off = http.request(Method::DELETE, &format!("{graph}?fields=messages,history")).bearer_auth(&token);
    assert_eq!(http.send(off).await.status, 200);
    let page = check(&admin).await;
    assert_eq!(line(&page, "webhooks.fields").0, "red");
    says(&page, &["Webhook fields not subscribed: messages.", "Recommended webhook fields not subscribed: history."]);
    // The whole comes back green.
    admin.post("/backoffice/settings/webhooks", &[]).await;
    let left: Vec<_> =
        grades(&admin.get(PATH).await).into_iter().filter(|(_, grade)| grade == "red" || grade == "amber").collect();
    assert!(left.is_empty(), "{left:?}");
}

async fn what_is_wrong_with_the_settings_is_told_with_its_cure(db: Database) {
    let world = empty(db).await;
    let admin = world.staff(Role::Admin).await;
    let none = check(&admin).await;
    assert_eq!(line(&none, "app.credentials").0, "red");
    says(&none, &["App ID and App Secret are not set: nobody can connect", "App settings > Basic"]);
    let cases: [(&'static str, &str, &str, &str, [&str; 2]); 8] = [
        (
            "app_secret",
            "ffffffffffffffffffffffffffffffff",
            "app.credentials",
            "red",
            ["the secret is not this app’s", "press Show"],
        ),
        ("app_id", "123456789012345", "app.credentials", "red", ["there is no app with this ID", "Instagram"]),
        ("es_config_id", "", "es_config", "amber", ["must type their WABA ID", "Configurations"]),
        ("system_token", "EAAFOREIGN0123456789012345", "token", "red", ["belongs to another app", "choose this app"]),
        ("system_token", "EAAnobodyknowsthistokenatall0", "token", "red", ["does not work", "System users"]),
        ("business_id", "111111111111111", "business", "red", ["can’t be read", "Business info"]),
        // What ends soon is amber: a test of its own, with a day of its own (backoffice/check_reach.rs).
        ("graph_version", "v19.0", "graph.version", "red", ["is gone since 2026-05-21", "enter a newer one"]),
        ("business_id", "", "business", "grey", ["no business portfolio ID", "Business info"]),
    ];
    for (name, value, id, grade, words) in cases {
        let saved = save(&admin, &with(name, value)).await;
        assert_eq!(saved.status, 303, "{name}={value}: {}", saved.words());
        let page = admin.get(PATH).await;
        let (found, text) = line(&page, id);
        assert_eq!(found, grade, "{name}={value}: {text}");
        for word in words {
            assert!(text.to_lowercase().contains(&word.to_lowercase()), "{name}={value}: {word:?} is not in: {text}");
        }
        if id == "app.credentials" {
            assert_eq!(line(&page, "webhooks.fields").0, "grey", "nothing is told of what was not asked");
        }
    }
}

async fn what_leads_elsewhere_is_told_with_its_cure(db: Database) {
    let world = World::with(db, |config| {
        nothing_set(config);
        config.meta.sdk_url = config.meta.graph_url.join("/no/such/sdk.js").unwrap();
    })
    .await;
    let admin = world.staff(Role::Admin).await;
    assert_eq!(save(&admin, &right()).await.status, 303);
    // The app's webhooks go to another server, which answered Meta's handshake.
    let token = admin.get(PATH).await;
    let token = token.text.split("data-copy=\"").map(|rest| rest.split('"').next().unwrap());
    let token = token.filter(|value| value.len() == 43).last().unwrap().to_owned();
    let other = world.listening.join("/webhooks/whatsapp?to=another").unwrap();
    let http = Browser::new(&world.meta.url);
    let form = [
        ("object", "whatsapp_business_account"),
        ("callback_url", other.as_str()),
        ("verify_token", token.as_str()),
        ("fields", "messages,account_update"),
    ];
    let moved = http.request(Method::POST, &format!("/v25.0/{APP_ID}/subscriptions"));
    let moved = http.send(moved.bearer_auth(format!("{APP_ID}|{APP_SECRET}")).form(&form)).await;
    assert_eq!(moved.status, 200, "{}", moved.text);
    let page = check(&admin).await;
    let (grade, text) = line(&page, "webhooks.callback");
    assert_eq!(grade, "red", "{text}");
    assert!(text.contains("to=another") && text.contains("What to do:"), "{text}");
    let (grade, text) = line(&page, "sdk");
    assert_eq!(grade, "red", "{text}");
    assert!(text.contains("script answers 401") && text.contains("DOORWAY_META_SDK_URL"), "{text}");
    // The button brings the webhooks here.
    admin.post("/backoffice/settings/webhooks", &[]).await;
    assert_eq!(line(&admin.get(PATH).await, "webhooks.callback").0, "green");
}

async fn a_dead_graph_is_one_red_line(db: Database) {
    let (world, admin) = configured(db).await;
    world.meta.fault("graph_slow_40s", None, None).await;
    let began = Instant::now();
    let saved = save(&admin, &with("business_id", "555")).await;
    assert!(began.elapsed() < Duration::from_secs(11), "{:?}", began.elapsed());
    assert_eq!(saved.location(), "/backoffice/settings#check");
    world.meta.mend().await;
    world.meta.fault("graph_down", None, None).await;
    let page = check(&admin).await;
    let (grade, text) = line(&page, "graph");
    assert_eq!(grade, "red");
    assert!(text.contains("Meta does not answer") && text.contains("try again"), "{text}");
    for id in ["app.credentials", "app.icon", "permission.messaging", "webhooks.fields", "token", "business"] {
        let (grade, text) = line(&page, id);
        assert_eq!(grade, "grey", "{id}");
        assert!(text.contains("Meta does not answer"), "{text}");
    }
    assert_eq!(line(&page, "sdk").0, "green", "the SDK is another matter");
    assert!(page.text.contains("value=\"555\""), "what was typed is saved all the same");
    // The button says it too.
    let refused = admin.post("/backoffice/settings/webhooks", &[]).await;
    assert_eq!(refused.status, 422);
    says(&refused, &["Meta does not answer now", "try again"]);
    world.meta.mend().await;
    assert_eq!(line(&check(&admin).await, "graph").0, "green");
}

/// So many customers connected yesterday.
async fn connected(world: &World, count: usize, from: usize) {
    let mut tx = world.portal.store.write().await.unwrap();
    let at = world.clock.now_ms() - 86_400_000;
    for number in from..from + count {
        let id = format!("00000000-0000-7000-8000-{number:012}");
        let customer = query("INSERT INTO customers (id, name, created_at) VALUES ($1, 'Shop', $2)");
        customer.bind(id.clone()).bind(at).execute(&mut tx).await.unwrap();
        let connection = query(
            "INSERT INTO connections (id, customer_id, name, state, scopes, created_at, connected_at) \
             VALUES ($1, $1, 'Shop', 'active', '[]', $2, $2)",
        );
        connection.bind(id).bind(at).execute(&mut tx).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn the_weeks_limit_comes_nearer(db: Database) {
    let (world, admin) = configured(db).await;
    connected(&world, 7, 0).await;
    assert_eq!(line(&check(&admin).await, "limit").0, "green");
    connected(&world, 1, 7).await;
    let (grade, text) = line(&check(&admin).await, "limit");
    assert_eq!(grade, "amber", "{text}");
    assert!(text.contains("8 of 10 new customers") && text.contains("Access Verification"), "{text}");
    connected(&world, 2, 8).await;
    assert_eq!(line(&check(&admin).await, "limit").0, "red");
    // Verification and App Review are seen; the third is ticked.
    admin.post("/backoffice/go-live/tick", &[("item", "access_verification")]).await;
    let (grade, text) = line(&check(&admin).await, "limit");
    assert_eq!(grade, "green", "{text}");
    assert!(text.contains("10 of 200"), "{text}");
    // What is older than a week does not count, and a second connection makes no new customer.
    let mut tx = world.portal.store.write().await.unwrap();
    let older = query("UPDATE connections SET created_at = created_at - $1").bind(8 * 86_400_000_i64);
    older.execute(&mut tx).await.unwrap();
    let second = query(
        "INSERT INTO connections (id, customer_id, name, state, scopes, created_at, connected_at) \
         SELECT 'x', customer_id, 'Again', 'active', '[]', $1, $1 FROM connections WHERE id LIKE '%000000000001'",
    );
    second.bind(world.clock.now_ms()).execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    assert!(line(&check(&admin).await, "limit").1.contains("0 of 200"));
}

async fn the_overview_shows_what_needs_somebody(db: Database) {
    let world = empty(db).await;
    let admin = world.staff(Role::Admin).await;
    says(&admin.get("/backoffice").await, &["Needs attention", "App ID and App Secret are not set"]);
    save(&admin, &right()).await;
    says(&admin.get("/backoffice").await, &["All is well"]);
    let customer = world.customer("Harbour Bakery").await;
    let attempt = customer.begin().await;
    attempt.bring_all(&world.meta.signup(&["code_expired_now"]).await).await;
    attempt.ends("failed", "code_expired").await;
    world.connect(&customer, &[]).await;
    let mut tx = world.portal.store.write().await.unwrap();
    query("UPDATE connections SET state = 'needs_reconnect'").execute(&mut tx).await.unwrap();
    let invite = query(
        "INSERT INTO invites (id, kind, token_hash, email, role, created_at, expires_at, mail_state) \
         VALUES ('1', 'invite', 'x', 'a@example.org', 'support', $1, $2, 'failed')",
    );
    invite.bind(world.clock.now_ms()).bind(world.clock.now_ms() + 1_000_000).execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    world.meta.control(Method::POST, "dashboard", json!({"icon_url": ""})).await;
    save(&admin, &with("app_secret", "ffffffffffffffffffffffffffffffff")).await;
    check(&admin).await;
    let page = admin.get("/backoffice").await;
    says(
        &page,
        &["1 connection needs a reconnect", "1 attempt to connect failed", "1 mail with a link could not be sent"],
    );
    says(&page, &["the secret is not this app’s", "The App Secret is being changed", "1 of 10"]);
}

#[tokio::test]
async fn the_public_address_must_lead_here() {
    on_sqlite(|db| async {
        let mut kept = None;
        let world = World::with(db, |config| kept = Some(config.clone())).await;
        let config = kept.unwrap();
        let port = world.listening.port().unwrap();
        let look = async |url: &str| -> Vec<Finding> {
            let around = Surroundings {
                public_url: url.parse().unwrap(),
                keys: config.keys.clone(),
                clock: world.clock.clone(),
            };
            examine_without_records(&setup_without_database(&config), &around).await
        };
        let of = |findings: &[Finding], id: &str| findings.iter().find(|one| one.id == id).unwrap().clone();
        // On this machine, but under a name that is not loopback's.
        let here = look(&format!("http://0.0.0.0:{port}")).await;
        assert_eq!(of(&here, "public.reach").grade, Grade::Green, "{here:?}");
        assert_eq!(of(&here, "public.url").grade, Grade::Red, "not https");
        let elsewhere = look(&format!("http://0.0.0.0:{}", world.meta.url.port().unwrap())).await;
        let line = of(&elsewhere, "public.reach");
        assert_eq!(line.grade, Grade::Red);
        assert!(line.what.contains("another server answers") && line.cure.unwrap().contains("DNS"));
        let nobody = look(&format!("https://0.0.0.0:{}", free_port())).await;
        let line = of(&nobody, "public.reach");
        assert_eq!(line.grade, Grade::Amber);
        assert!(line.cure.unwrap().contains("hairpin"));
        assert_eq!(of(&nobody, "public.url").grade, Grade::Green);
        // Not without a challenge, and not for a long one.
        let browser = world.anonymous();
        for odd in ["", "?challenge=", &format!("?challenge={}", "x".repeat(65)), "?challenge=%00"] {
            assert_eq!(browser.get(&format!("/healthz/self{odd}")).await.status, 400, "{odd}");
        }
    })
    .await;
}
