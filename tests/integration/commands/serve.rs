//! `doorway serve` with a wrong set-up, and `migrate`.

use super::*;

on_both_engines!(
    every_fault_has_a_line,
    a_port_that_is_taken_is_told,
    secrets_may_stand_in_files,
    a_database_of_a_newer_doorway_is_left_alone,
);

async fn every_fault_has_a_line(db: Database) {
    let mut process = Process::new(db).await;
    for (name, value) in [
        ("LISTEN", "here"),
        ("PUBLIC_URL", "http://connect.example.org"),
        ("SECRET_KEY", "c2hvcnQ="),
        ("GRAPH_VERSION", "25"),
        ("META_APP_ID", "my app"),
        ("META_GRAPH_URL", "graph.facebook.com"),
        ("META_ES_CONFIG_ID", "x"),
        ("TRUSTED_PROXIES", "10.0.0.1,proxy"),
        ("SUPPORT_EMAIL", "help"),
    ] {
        process.set(name, value);
    }
    process.set("META_APP_SECRET_FILE", "/nowhere/secret");
    process.unset("META_APP_SECRET");
    let ended = process.run(&["serve"], "").await;
    assert_eq!(ended.status.code(), Some(1));
    let names = ["LISTEN", "PUBLIC_URL", "SECRET_KEY", "GRAPH_VERSION", "META_APP_ID", "META_GRAPH_URL"];
    let more = ["META_ES_CONFIG_ID", "TRUSTED_PROXIES", "SUPPORT_EMAIL", "META_APP_SECRET_FILE"];
    for name in names.iter().chain(&more) {
        let of_it = ended.stderr.lines().filter(|line| line.starts_with(&format!("doorway: DOORWAY_{name}:"))).count();
        assert_eq!(of_it, 1, "{name}: {}", ended.stderr);
    }
    assert_eq!(ended.stderr.lines().count(), names.len() + more.len(), "{}", ended.stderr);
    assert!(!ended.stderr.contains("c2hvcnQ="), "a secret is never repeated");
    let nothing = command().arg("serve").current_dir(process.db.dir.path()).output().unwrap();
    assert_eq!(nothing.status.code(), Some(1));
    let text = String::from_utf8(nothing.stderr).unwrap();
    assert!(text.contains("DOORWAY_SECRET_KEY: missing; make one with: openssl rand -base64 32"), "{text}");
    assert!(text.contains("DOORWAY_PUBLIC_URL: missing"), "{text}");
}

async fn a_port_that_is_taken_is_told(db: Database) {
    let mut process = Process::start(db).await;
    let second = process.run(&["serve"], "").await;
    assert_eq!(second.status.code(), Some(1));
    assert!(second.stderr.contains("doorway: DOORWAY_LISTEN: can't listen on 127.0.0.1:"), "{}", second.stderr);
    let browser = Browser::new(&process.url);
    assert_eq!(browser.get("/readyz").await.status, 200, "the first goes on");
    process.kill();
    let password = process.db.url.split(['/', ':', '@']).nth(4).unwrap_or("no password").to_owned();
    process.set("DATABASE_URL", &process.db.missing());
    let unreachable = process.run(&["serve"], "").await;
    assert_eq!(unreachable.status.code(), Some(1));
    assert!(unreachable.stderr.contains("doorway: database: "), "{}", unreachable.stderr);
    assert!(!unreachable.stderr.contains(&password), "{}", unreachable.stderr);
}

async fn secrets_may_stand_in_files(db: Database) {
    let mut process = Process::new(db).await;
    let dir = process.db.dir.path().to_owned();
    for name in ["SECRET_KEY", "META_APP_SECRET", "META_VERIFY_TOKEN", "META_SYSTEM_TOKEN", "DATABASE_URL"] {
        let path = dir.join(name);
        std::fs::write(&path, format!("{}\n", process.settings[&format!("DOORWAY_{name}")])).unwrap();
        process.unset(name);
        process.set(&format!("{name}_FILE"), path.to_str().unwrap());
    }
    process.launch().await;
    let browser = process.customer("Harbour Bakery").await;
    let attempt = browser.begin().await;
    attempt.bring_all(&process.meta.signup(&[]).await).await;
    attempt.is_done().await;
}

async fn a_database_of_a_newer_doorway_is_left_alone(db: Database) {
    let process = Process::new(db).await;
    let migrated = process.run(&["migrate"], "").await;
    assert_eq!((migrated.status.code(), migrated.stdout.as_str()), (Some(0), "The database is up to date.\n"));
    assert!(process.run(&["migrate"], "").await.status.success(), "again changes nothing");
    let store = doorway::store::Store::connect(&process.db.url).await.unwrap();
    let mut tx = store.write().await.unwrap();
    let sql = "UPDATE _sqlx_migrations SET version = 99990101000000 WHERE version = (SELECT max(version) FROM _sqlx_migrations)";
    doorway::store::query(sql).execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    store.close().await;
    let ended = process.run(&["serve"], "").await;
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stderr.contains("doorway: migration: "), "{}", ended.stderr);
}
