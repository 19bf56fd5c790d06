//! What is taken, what is refused, and what odd bodies do.

use super::*;

on_both_engines!(
    the_handshake,
    nothing_unsigned_is_kept,
    who_can_not_have_signed_is_refused_before_the_body,
    what_can_not_be_committed_is_not_acknowledged,
    three_megabytes_are_taken_and_no_more,
    a_webhook_reaches_its_feature,
    odd_bodies_harm_nothing,
);

const DELIVERIES: &str = "SELECT count(*) AS n FROM intake";

async fn the_handshake(db: Database) {
    let world = World::start(db).await;
    let meta = world.anonymous();
    let ask = |mode: &str, token: &str| {
        let token: String = url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
        let path = format!("{PATH}?hub.mode={mode}&hub.challenge=1158201444%3Cb%3E&hub.verify_token={token}");
        let meta = meta.clone();
        async move { meta.get(&path).await }
    };
    let right = ask("subscribe", VERIFY_TOKEN).await;
    assert_eq!((right.status.as_u16(), right.text.as_str()), (200, "1158201444<b>"));
    assert!(right.headers["content-type"].to_str().unwrap().starts_with("text/plain"), "never HTML");
    for (mode, token) in [("subscribe", "wrong"), ("subscribe", ""), ("other", VERIFY_TOKEN), ("", "")] {
        let refused = ask(mode, token).await;
        assert_eq!(refused.status, 403, "{mode} {token}");
        assert!(!refused.text.contains("1158201444"));
    }
    assert_eq!(meta.get(PATH).await.status, 403);
}

async fn nothing_unsigned_is_kept(db: Database) {
    let world = World::start(db).await;
    let meta = world.anonymous();
    let body = partner_added("104996122399160").to_string().into_bytes();
    let right = signature(APP_SECRET, &body);
    let other = signature("another secret", &body);
    let unprefixed = right.trim_start_matches("sha256=").to_owned();
    let (short, sha1) = (right[..right.len() - 2].to_owned(), right.replace("sha256=", "sha1="));
    for wrong in ["", "sha256=", "sha256=zz", &other, &unprefixed, &short, &sha1] {
        assert_eq!(post_signed(&meta, body.clone(), wrong).await, 401, "{wrong}");
    }
    // The signature is that of the bytes as they came, not of what they mean.
    let mut spaced = body.clone();
    spaced.push(b' ');
    assert_eq!(post_signed(&meta, spaced, &right).await, 401);
    assert_eq!(world.number(DELIVERIES, "n").await, Some(0));
    assert_eq!(post_signed(&meta, body, &right).await, 200);
    assert_eq!(world.number(DELIVERIES, "n").await, Some(1));
}

/// Every statement succeeds, and then the commit fails: no answer may rest on the statements.
async fn what_can_not_be_committed_is_not_acknowledged(db: Database) {
    let world = World::start(db).await;
    let meta = world.anonymous();
    let body = partner_added("104996122399160").to_string().into_bytes();
    let right = signature(APP_SECRET, &body);
    let mut tx = world.portal.store.write().await.unwrap();
    let trap = "CREATE TABLE trap (customer_id TEXT NOT NULL REFERENCES customers (id) DEFERRABLE INITIALLY DEFERRED)";
    query(trap).execute(&mut tx).await.unwrap();
    let set: &[&'static str] = if tx.is_sqlite() {
        &["CREATE TRIGGER spring AFTER INSERT ON intake BEGIN INSERT INTO trap VALUES ('nobody'); END"]
    } else {
        &[
            "CREATE FUNCTION spring() RETURNS trigger LANGUAGE plpgsql AS \
             'BEGIN INSERT INTO trap VALUES (''nobody''); RETURN NEW; END'",
            "CREATE TRIGGER spring AFTER INSERT ON intake FOR EACH ROW EXECUTE FUNCTION spring()",
        ]
    };
    for sql in set {
        query(sql).execute(&mut tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(post_signed(&meta, body.clone(), &right).await, 503);
    assert_eq!(world.number(DELIVERIES, "n").await, Some(0));
    // Nothing of it hangs on: the next is taken, with the next number.
    let mut tx = world.portal.store.write().await.unwrap();
    let unset = if tx.is_sqlite() { "DROP TRIGGER spring" } else { "DROP TRIGGER spring ON intake" };
    query(unset).execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(post_signed(&meta, body, &right).await, 200);
    assert_eq!(world.number("SELECT max(seq) AS n FROM intake", "n").await, Some(1));
}

async fn who_can_not_have_signed_is_refused_before_the_body(db: Database) {
    let world = World::start(db).await;
    assert_eq!(world.answers_head(PATH, &[]).await, 401);
    for wrong in ["sha256=", "sha256=zz", &"0".repeat(64), &format!("sha256={}", "x".repeat(64))] {
        assert_eq!(world.answers_head(PATH, &[("x-hub-signature-256", wrong)]).await, 401, "{wrong}");
    }
    // They are counted like those whose signature is wrong.
    let counted = "SELECT CAST(coalesce(sum(n), 0) AS BIGINT) AS n FROM event_minutes WHERE kind = 'refused'";
    eventually("they are counted", || async { (world.number(counted, "n").await == Some(5)).then_some(()) }).await;
}

async fn three_megabytes_are_taken_and_no_more(db: Database) {
    let world = World::start(db).await;
    let meta = world.anonymous();
    let frame = json!({"object": "whatsapp_business_account", "entry": [], "pad": ""}).to_string();
    let with = |size: usize| frame.replace("\"pad\":\"\"", &format!("\"pad\":\"{}\"", "x".repeat(size - frame.len())));
    assert_eq!(post(&meta, with(3 * 1024 * 1024)).await, 200);
    assert_eq!(post(&meta, with(3 * 1024 * 1024 + 1)).await, 413);
    assert_eq!(world.number(DELIVERIES, "n").await, Some(1));
}

async fn a_webhook_reaches_its_feature(db: Database) {
    let world = World::start(db).await;
    let meta = world.anonymous();
    assert_eq!(post(&meta, partner_added("104996122399160").to_string()).await, 200);
    all_read(&world).await;
    let kept = world.column("SELECT waba_id FROM partner_events", "waba_id").await;
    assert_eq!(kept.as_deref(), Some("104996122399160"));
    let business = world.column("SELECT business_id FROM partner_events", "business_id").await;
    assert_eq!(business.as_deref(), Some("2729063490586005"));
}

async fn odd_bodies_harm_nothing(db: Database) {
    let world = World::start(db).await;
    let meta = world.anonymous();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let odd = [
        "",
        "nonsense",
        "null",
        "[]",
        "{\"entry\":{}}",
        "{\"entry\":[null,7,{\"changes\":[null,{\"field\":7,\"value\":null}]}]}",
        "{\"entry\":[{\"changes\":[{\"field\":\"account_update\",\"value\":null}]}]}",
        "{\"entry\":[{\"changes\":[{\"field\":\"account_update\",\"value\":{\"event\":\"PARTNER_ADDED\",\"waba_info\":{\"waba_id\":\"1/../me\"}}}]}]}",
        "{\"entry\":[{\"changes\":[{\"field\":\"account_update\",\"value\":{\"event\":\"PARTNER_\\u0000\",\"waba_info\":{\"waba_id\":\"1\",\"owner_business_id\":\"\\u0000\"}}}]}]}",
        "{\"entry\":[{\"id\":\"\\u0000\",\"changes\":[]}],\"zero\":\"\u{0}\"}",
        deep.as_str(),
    ];
    for body in odd {
        assert_eq!(post(&meta, body).await, 200, "{}", &body[..body.len().min(60)]);
    }
    assert_eq!(post(&meta, vec![b'{', 0xff, 0xfe, b'}']).await, 400, "JSON is UTF-8");
    // One good change beside odd ones counts.
    let mut mixed = partner_added("104996122399160");
    let changes = mixed["entry"][0]["changes"].as_array_mut().unwrap();
    changes.insert(0, json!(7));
    changes.insert(0, json!({"field": "account_update", "value": {"event": "PARTNER_ADDED"}}));
    assert_eq!(post(&meta, mixed.to_string()).await, 200);
    all_read(&world).await;
    let good = "SELECT count(*) AS n FROM partner_events WHERE waba_id = '104996122399160'";
    assert_eq!(world.number(good, "n").await, Some(1));
    let unread = "SELECT count(*) AS n FROM events WHERE kind = 'other'";
    assert!(world.number(unread, "n").await >= Some(4), "what could not be read is an event too");
}
