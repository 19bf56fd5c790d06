//! What was answered with 200 is done, whatever happens to the process then.

use super::*;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

on_both_engines!(a_kept_webhook_survives_the_process, killed_under_load_nothing_is_lost_or_doubled);

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

/// Posts as Meta does: what was not answered is sent again, and so is, now and then, what was.
async fn load(url: url::Url, name: String, todo: Arc<Mutex<Vec<String>>>, stop: Arc<AtomicBool>) -> Vec<String> {
    let meta = Browser::new(&url);
    let (mut answered, mut at) = (Vec::new(), 0);
    while !stop.load(Ordering::Relaxed) {
        let waiting = todo.lock().unwrap().pop();
        let id = waiting.unwrap_or_else(|| {
            at += 1;
            format!("wamid.{name}.{at}")
        });
        let body = statuses("106540352242922", &[(&id, "sent")]).to_string().into_bytes();
        let signature = signature(APP_SECRET, &body);
        let request = meta.request(Method::POST, PATH).header("x-hub-signature-256", signature).body(body);
        match meta.try_send(request).await {
            Ok(page) if page.status == 200 => {
                if at % 10 == 0 {
                    todo.lock().unwrap().push(id.clone());
                }
                answered.push(id);
            }
            _ => todo.lock().unwrap().push(id),
        }
    }
    answered
}

/// How many events there are of each message.
async fn events_by_message(store: &Store) -> BTreeMap<String, usize> {
    let mut db = store.read().await.unwrap();
    let sql = "SELECT i.body FROM events e JOIN intake i ON i.seq = e.id / 1048576";
    let bodies = query(sql).all(&mut db, |row| row.json::<Value>("body")).await.unwrap();
    let mut counts = BTreeMap::new();
    for body in bodies {
        let id = body.pointer("/entry/0/changes/0/value/statuses/0/id").and_then(Value::as_str).unwrap();
        *counts.entry(id.to_owned()).or_default() += 1;
    }
    counts
}

async fn killed_under_load_nothing_is_lost_or_doubled(db: Database) {
    let rounds = if db.is_sqlite() { 6 } else { 3 };
    let mut process = Process::new(db).await;
    process.set("LOG", "info");
    let todo = Arc::<Mutex<Vec<String>>>::default();
    let mut answered = Vec::new();
    let store = process.db.store().await;
    for round in 0..rounds {
        process.launch().await;
        let stop = Arc::<AtomicBool>::default();
        let tasks: Vec<_> = (0..8)
            .map(|task| tokio::spawn(load(process.url.clone(), format!("{round}.{task}"), todo.clone(), stop.clone())))
            .collect();
        tokio::time::sleep(Duration::from_millis(rand::random_range(300..1_200))).await;
        process.kill();
        stop.store(true, Ordering::Relaxed);
        for task in tasks {
            answered.extend(task.await.unwrap());
        }
        // What was answered is there at once, before anybody starts again.
        let kept = number_in(&store, "SELECT count(*) AS n FROM intake").await;
        assert!(kept >= i64::try_from(answered.len()).unwrap(), "{kept} of {}", answered.len());
        assert_eq!(number_in(&store, "SELECT coalesce(max(seq), 0) AS n FROM intake").await, kept, "without gaps");
    }
    process.launch().await;
    let meta = Browser::new(&process.url);
    let ids = std::mem::take(&mut *todo.lock().unwrap());
    for id in ids {
        assert_eq!(post(&meta, statuses("106540352242922", &[(&id, "sent")]).to_string()).await, 200);
        answered.push(id);
    }
    routed(&store).await;
    let events = events_by_message(&store).await;
    for id in &answered {
        assert_eq!(events.get(id), Some(&1), "{id} is one event");
    }
    assert!(events.values().all(|n| *n == 1));
    assert!(number_in(&store, DUPLICATES).await > 0, "some came twice");
    println!("killed {rounds} times: {} answered, {} events", answered.len(), events.len());
    store.close().await;
}
