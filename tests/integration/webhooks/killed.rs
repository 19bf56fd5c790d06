//! What was answered with 200 is done, whatever happens to the process then.

use super::*;

on_both_engines!(a_kept_webhook_survives_the_process);

async fn a_kept_webhook_survives_the_process(db: Database) {
    let mut process = Process::new(db).await;
    process.launch().await;
    let meta = Browser::new(&process.url);
    for at in 0..20 {
        assert_eq!(post(&meta, partner_added(&format!("10499612239916{at}")).to_string()).await, 200);
    }
    process.kill();
    let store = process.db.store().await;
    let count = async |sql: &'static str| {
        let mut db = store.read().await.unwrap();
        doorway::store::query(sql).one(&mut db, |row| row.int("n")).await.unwrap()
    };
    assert_eq!(count("SELECT count(*) AS n FROM intake").await, 20);
    process.launch().await;
    eventually("all of them read", || async {
        let left = count("SELECT (SELECT value FROM counters WHERE name = 'intake') - (SELECT value FROM counters WHERE name = 'routed') AS n").await;
        (left == 0).then_some(())
    })
    .await;
    assert_eq!(count("SELECT count(*) AS n FROM partner_events").await, 20, "each once");
    store.close().await;
}
