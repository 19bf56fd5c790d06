//! `doorway events export`: everything that was taken in, as it came.

use super::*;

on_both_engines!(all_that_came_is_written, what_makes_no_sense_is_refused);

const KEYS: [&str; 6] = ["id", "received_at", "customer", "connection", "field", "raw"];

/// What it wrote, a value a line; each with exactly its keys.
async fn export(process: &Process, arguments: &[&str]) -> (Vec<Value>, String) {
    let done = process.run(&[&["events", "export"], arguments].concat(), "").await;
    assert!(done.status.success(), "{}", done.stderr);
    let lines: Vec<Value> = done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        let mut keys: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        let mut expected = KEYS;
        keys.sort_unstable();
        expected.sort_unstable();
        assert_eq!(keys, expected);
    }
    (lines, done.stdout)
}

async fn all_that_came_is_written(db: Database) {
    let mut process = Process::new(db).await;
    process.set("STAFF_TOTP", "false");
    process.launch().await;
    let bakery = process.customer("Harbour Bakery").await;
    let attempt = bakery.begin().await;
    let signup = process.meta.signup(&[]).await;
    attempt.bring_all(&signup).await;
    let connection = attempt.connection().await;
    let number = Number::of(&signup);
    let nobody = Browser::new(&process.url);
    let store = process.db.store().await;
    eventually("Meta's webhooks about what was shared", || async {
        let state = process.meta.control(Method::GET, "state", json!({})).await;
        (state["webhooks_waiting"] == 0).then_some(())
    })
    .await;
    routed(&store).await;
    let (before, _) = export(&process, &[]).await;
    let customer =
        query("SELECT id FROM customers").one(&mut store.read().await.unwrap(), |row| row.text("id")).await.unwrap();

    // With white space, line breaks and numbers as nobody would write them; the same twice; another's; no JSON.
    let odd = format!(
        "{{\"value\":  {{\"metadata\": {{\"phone_number_id\": \"{}\"}},\n\t\"n\": 1.50e1, \"messages\": [{{\"id\": \"m1\", \"from\": \"1\", \"type\": \"text\"}}]}}, \"field\": \"messages\"}}",
        number.id
    );
    let body = format!("{{\"entry\": [{{\"id\": \"{}\", \"changes\": [{odd}, 7]}}]}}", number.waba);
    post(&nobody, &body).await;
    post(&nobody, &body).await;
    let stranger = Number { waba: "700700".to_owned(), id: "800800".to_owned() };
    post(&nobody, &stranger.entry(&[stranger.text("m2", "Zoe", "16505551234", "hi")]).to_string()).await;
    post(&nobody, "no \"JSON\"\n").await;
    routed(&store).await;

    let (all, text) = export(&process, &[]).await;
    let came = &all[before.len()..];
    assert_eq!(came.len(), 6, "{text}");
    let on_a_line = odd.replace('\n', " ");
    assert_eq!(text.matches(&on_a_line).count(), 2, "as it came, also what came twice: {text}");
    for line in [&came[0], &came[2]] {
        assert_eq!(line["customer"], json!(customer));
        assert_eq!(line["connection"], json!(connection.rsplit('/').next().unwrap()));
        assert_eq!(line["field"], "messages");
    }
    assert_eq!((&came[1]["raw"], &came[1]["field"]), (&json!(7), &Value::Null));
    assert_eq!((&came[4]["customer"], &came[4]["raw"]["value"]["messages"][0]["id"]), (&Value::Null, &json!("m2")));
    assert_eq!((&came[5]["customer"], &came[5]["raw"]), (&Value::Null, &json!("no \"JSON\"\n")));
    let ids: Vec<i64> = all.iter().map(|line| line["id"].as_str().unwrap().parse().unwrap()).collect();
    assert!(ids.is_sorted_by(|a, b| a < b));

    // Without the server, and before anything is routed.
    assert!(process.terminate().await.success());
    let mut tx = store.write().await.unwrap();
    let next = "UPDATE counters SET value = value + 1 WHERE name = 'intake'";
    query(next).execute(&mut tx).await.unwrap();
    let late = number.entry(&[number.text("m9", "Ana", "16505551234", "late")]).to_string();
    let at = time::macros::datetime!(2099-01-01 00:00 UTC);
    query("INSERT INTO intake (seq, received_at, body) SELECT value, $1, $2 FROM counters WHERE name = 'intake'")
        .bind(at)
        .bind(late)
        .execute(&mut tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let (since, _) = export(&process, &["--since", "2099-01-01"]).await;
    assert_eq!(since.len(), 1);
    assert_eq!(since[0]["raw"]["value"]["messages"][0]["id"], "m9");
    assert_eq!(since[0]["customer"], json!(customer), "the owner is worked out as the router would");
    assert_eq!(since[0]["received_at"], "2099-01-01T00:00:00Z");
    assert_eq!(export(&process, &["--since", "2099-01-01T00:00:01+00:00"]).await.0.len(), 0);
    let (theirs, _) = export(&process, &["--customer", &customer]).await;
    assert!(theirs.len() < all.len() && theirs.iter().all(|line| line["customer"] == json!(customer)));
    assert!(theirs.iter().any(|line| line["raw"]["value"]["messages"][0]["id"] == "m9"));
    let open =
        "SELECT value - (SELECT value FROM counters WHERE name = 'routed') AS n FROM counters WHERE name = 'intake'";
    let open = query(open).one(&mut store.read().await.unwrap(), |row| row.int("n")).await.unwrap();
    assert_eq!(open, 1, "it writes nothing");
    // Nothing of what is set up at Meta is needed.
    for name in ["META_APP_ID", "META_APP_SECRET", "META_GRAPH_URL", "META_DIALOG_URL", "META_SDK_URL", "SECRET_KEY"] {
        process.unset(name);
    }
    assert_eq!(export(&process, &[]).await.0.len(), all.len() + 1);
    store.close().await;
}

async fn what_makes_no_sense_is_refused(db: Database) {
    let mut process = Process::new(db).await;
    let url = process.db.url.clone();
    if process.db.is_sqlite() {
        process.set("DATABASE_URL", &process.db.missing());
        let refused = process.run(&["events", "export"], "").await;
        assert_eq!(refused.status.code(), Some(1));
        let says = "doorway: there is no database at /nowhere/at/all.db: set DOORWAY_DATABASE_URL, or run this";
        assert!(refused.stderr.starts_with(says), "{}", refused.stderr);
        process.set("DATABASE_URL", &url);
    }
    let store = process.db.store().await;
    store.close().await;
    for (arguments, says) in [
        (["--since", "yesterday"], "a time such as 2026-01-31T08:00:00Z or a day such as 2026-01-31 is needed"),
        (["--since", "2026-02-30"], "a time such as"),
        (["--customer", "Harbour Bakery"], "a customer's ID is needed"),
        (["--customer", "01890000-0000-7000-8000-000000000000"], "there is no customer with the ID"),
        (["--until", "2026-01-31"], "unexpected argument '--until'"),
    ] {
        let refused = process.run(&[&["events", "export"], &arguments[..]].concat(), "").await;
        assert!(!refused.status.success(), "{arguments:?}");
        assert!(refused.stderr.contains(says), "{says}: {}", refused.stderr);
        assert_eq!(refused.stdout, "");
    }
}
