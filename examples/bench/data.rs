//! What is in the database: whose the numbers are, and how much came before.

use super::Outcome;
use doorway::store::{Store, query};
use sqlx::{AssertSqlSafe, Row};
use std::sync::Arc;

/// How many marks are young when many have come lately (`FULL` in webhooks/young.rs), and how many of them are kept
/// together.
const YOUNG: i64 = 500_000;
const EACH: i64 = 320;

/// How many customers there are, each with a WABA and a number.
pub const CUSTOMERS: u64 = 20;

/// The WABAs and numbers.
#[derive(Clone)]
pub struct Owners(Arc<[(String, String)]>);

impl Owners {
    /// Of whom an update is.
    pub fn of(&self, update: u64) -> (&str, &str) {
        // A message's statuses are all of one number.
        let (waba, phone) = &self.0[(update % 3_000 % CUSTOMERS) as usize];
        (waba, phone)
    }
}

/// Customers with a connected WABA and a number each.
pub async fn owners(store: &Store) -> Outcome<Owners> {
    let mut all = Vec::new();
    let mut tx = store.write().await?;
    for at in 0..CUSTOMERS {
        let id = doorway::base::ids::new_uuid().to_string();
        let (waba, phone) = (format!("10229012919{at:04}"), format!("10654035229{at:04}"));
        query("INSERT INTO customers (id, name, created_at) VALUES ($1, $2, 0)")
            .bind(&id)
            .bind(format!("Company {at}"))
            .execute(&mut tx)
            .await?;
        query(
            "INSERT INTO connections (id, customer_id, name, state, scopes, created_at, connected_at) \
             VALUES ($1, $2, 'Bench', 'active', '[]', 0, 0)",
        )
        .bind(&id)
        .bind(&id)
        .execute(&mut tx)
        .await?;
        query(
            "INSERT INTO wabas (waba_id, connection_id, customer_id, name, created_at, updated_at) \
             VALUES ($1, $2, $3, 'Bench', 0, 0)",
        )
        .bind(&waba)
        .bind(&id)
        .bind(&id)
        .execute(&mut tx)
        .await?;
        query(
            "INSERT INTO phone_numbers (phone_number_id, waba_id, display_phone_number, verified_name, read_at) \
             VALUES ($1, $2, '+1 555 078 3881', 'Bench', 0)",
        )
        .bind(&phone)
        .bind(&waba)
        .execute(&mut tx)
        .await?;
        all.push((waba, phone));
    }
    tx.commit().await?;
    Ok(Owners(all.into()))
}

/// The engine's version.
pub async fn version(store: &Store) -> Outcome<String> {
    let sql = if store.is_sqlite() { "SELECT sqlite_version() AS v" } else { "SHOW server_version" };
    Ok(match store {
        Store::Sqlite { read, .. } => sqlx::query(sql).fetch_one(read).await?.try_get(0)?,
        Store::Postgres(pool) => sqlx::query(sql).fetch_one(pool).await?.try_get(0)?,
    })
}

async fn run(store: &Store, sql: String) -> Outcome<()> {
    match store {
        Store::Sqlite { write, .. } => sqlx::raw_sql(AssertSqlSafe(sql)).execute(write).await.map(|_| ())?,
        Store::Postgres(pool) => sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await.map(|_| ())?,
    }
    Ok(())
}

/// Takes all that came out again.
pub async fn empty(store: &Store) -> Outcome<()> {
    for table in ["intake", "events", "event_marks", "young_marks", "event_minutes"] {
        let verb = if store.is_sqlite() { "DELETE FROM" } else { "TRUNCATE" };
        run(store, format!("{verb} {table}")).await?;
    }
    run(store, "UPDATE counters SET value = 0 WHERE name IN ('intake', 'routed')".to_owned()).await?;
    settle(store).await
}

async fn settle(store: &Store) -> Outcome<()> {
    let sql = if store.is_sqlite() { "PRAGMA wal_checkpoint(TRUNCATE)" } else { "CHECKPOINT" };
    run(store, sql.to_owned()).await
}

/// So many events that came in the last 8 days, as if routed. Their bodies are short: what is in the intake is not
/// looked at again, but for duplicates.
pub async fn fill(store: &Store, events: i64) -> Outcome<()> {
    let numbers = |from: i64, to: i64| {
        format!("WITH RECURSIVE n(i) AS (SELECT CAST({from} AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < {to})")
    };
    let all = numbers(1, events);
    run(store, format!("{all} INSERT INTO intake (seq, received_at, body) SELECT i, i, '{{}}' FROM n")).await?;
    let columns = "id, received_at, route_id, kind, detail";
    let values = format!("i * 1048576, i, 1 + i % {CUSTOMERS}, 'message.status', 'sent'");
    run(store, format!("{all} INSERT INTO events ({columns}) SELECT {values} FROM n")).await?;
    let random = if store.is_sqlite() { "random()" } else { "((random() * 2 - 1) * 9223372036854774784)::bigint" };
    let today = doorway::base::clock::to_ms(doorway::base::clock::Clock::system().now()) / 86_400_000;
    // In two goes, each in the order of the digests: the second splits the pages of the first, as if they had come one
    // by one.
    let two_thirds = events * 2 / 3;
    for (from, to) in [(1, two_thirds), (two_thirds + 1, events)] {
        run(
            store,
            format!(
                "{} INSERT INTO event_marks (digest, seen, event_id, day) SELECT digest, 1, i * 1048576, day FROM \
                 (SELECT {random} AS digest, i, {today} - 8 + i * 8 / {events} AS day FROM n) marks ORDER BY digest",
                numbers(from, to)
            ),
        )
        .await?;
    }
    young(store, events, today).await?;
    run(store, format!("UPDATE counters SET value = {events} WHERE name IN ('intake', 'routed')")).await?;
    run(store, "ANALYZE".to_owned()).await?;
    settle(store).await
}

/// The last of them are marked anew, as young as marks are for a while: with so many waiting, as many are brought to
/// their places as come. Without them a run would not pay for that.
async fn young(store: &Store, events: i64, today: i64) -> Outcome<()> {
    let mut tx = store.write().await?;
    for at in (0..YOUNG.min(events) / EACH).map(|row| events - row) {
        let marks: Vec<[i64; 4]> = (0..EACH).map(|_| [random(), 1, at * 1_048_576, today]).collect();
        let sql = "INSERT INTO young_marks (at, marks) VALUES ($1, $2)";
        query(sql).bind(at).bind(serde_json::to_string(&marks)?).execute(&mut tx).await?;
    }
    Ok(tx.commit().await?)
}

fn random() -> i64 {
    doorway::base::ids::new_uuid().as_u64_pair().1.cast_signed().rotate_left(2)
}

/// How many bodies were kept, and how many were routed.
pub async fn progress(store: &Store) -> Outcome<(i64, i64)> {
    let mut db = store.read().await?;
    let sql = "SELECT name, value FROM counters WHERE name IN ('intake', 'routed')";
    let rows = query(sql).all(&mut db, |row| Ok((row.text("name")?, row.int("value")?))).await?;
    let value = |name: &str| rows.iter().find(|(of, _)| of == name).map_or(0, |(_, value)| *value);
    Ok((value("intake"), value("routed")))
}

/// How many events there are, after this body.
pub async fn events_after(store: &Store, seq: i64) -> Outcome<i64> {
    let mut db = store.read().await?;
    let sql = "SELECT count(*) AS n FROM events WHERE id >= $1";
    Ok(query(sql).bind((seq + 1) * 1_048_576).one(&mut db, |row| row.int("n")).await?)
}
