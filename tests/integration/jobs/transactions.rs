//! Transactions that read and then write.

use super::*;
use doorway::store::{Store, query};

on_both_engines!(thirty_at_once_all_succeed, two_processes_at_once, what_is_not_committed_is_not_there);

/// One that reads a value and writes what follows from it; false where somebody came between.
async fn count_up(store: &Store, lock: bool) -> bool {
    let mut tx = store.write().await.unwrap();
    // On PostgreSQL a plain read does not keep others out; SQLite's one writer does.
    if lock {
        query("SELECT pg_advisory_xact_lock(1)").optional(&mut tx, |_| Ok(())).await.unwrap();
    }
    let seen = query("SELECT name FROM customers WHERE id = 'c'").one(&mut tx, |row| row.text("name")).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    let next = seen.parse::<i64>().unwrap() + 1;
    let sql = "UPDATE customers SET name = $1 WHERE id = 'c' AND name = $2";
    let changed = query(sql).bind(next.to_string()).bind(seen).execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    changed == 1
}

async fn prepared(db: &Database) -> Store {
    let store = db.store().await;
    let mut tx = store.write().await.unwrap();
    query("INSERT INTO customers (id, name, created_at) VALUES ('c', '0', 0)").execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    store
}

async fn value(store: &Store) -> String {
    let mut db = store.read().await.unwrap();
    query("SELECT name FROM customers WHERE id = 'c'").one(&mut db, |row| row.text("name")).await.unwrap()
}

async fn thirty_at_once_all_succeed(db: Database) {
    let store = prepared(&db).await;
    let lock = !db.is_sqlite();
    let all = (0..30).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { count_up(&store, lock).await })
    });
    for done in futures_util::future::join_all(all).await {
        assert!(done.unwrap());
    }
    assert_eq!(value(&store).await, "30");
}

/// `doorway user create` and the like work beside `doorway serve`.
async fn two_processes_at_once(db: Database) {
    let first = prepared(&db).await;
    let second = Store::connect(&db.url).await.unwrap();
    let lock = !db.is_sqlite();
    let all = (0..30).map(|at| {
        let store = if at % 2 == 0 { first.clone() } else { second.clone() };
        tokio::spawn(async move { count_up(&store, lock).await })
    });
    for done in futures_util::future::join_all(all).await {
        assert!(done.unwrap());
    }
    assert_eq!(value(&second).await, "30");
}

async fn what_is_not_committed_is_not_there(db: Database) {
    let store = prepared(&db).await;
    let mut tx = store.write().await.unwrap();
    query("UPDATE customers SET name = 'x' WHERE id = 'c'").execute(&mut tx).await.unwrap();
    assert_eq!(value(&store).await, "0", "others read what was before, and need not wait");
    drop(tx);
    assert_eq!(value(&store).await, "0");
    // A key that is not there is refused on both engines.
    let mut tx = store.write().await.unwrap();
    let sql = "INSERT INTO users (id, email, name, password_hash, role, customer_id, created_at) \
               VALUES ('u', 'e', 'n', 'h', 'customer', 'nobody', 0)";
    assert!(query(sql).execute(&mut tx).await.is_err());
}
