//! A database for each test: a fresh file, or a fresh database on the PostgreSQL server that
//! `scripts/postgres` starts.

use doorway::{base::ids, store::Store};
use futures_util::FutureExt;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};
use std::{
    io::Write,
    panic::{AssertUnwindSafe, resume_unwind},
};
use tempfile::TempDir;
use url::Url;

const VARIABLE: &str = "DOORWAY_TEST_POSTGRES_URL";

/// A database that nobody else uses. Its directory also takes what else a test writes.
pub struct Database {
    pub url: String,
    pub dir: TempDir,
}

impl Database {
    fn sqlite() -> Self {
        let dir = TempDir::new().unwrap();
        let url = format!("sqlite://{}", dir.path().join("portal.db").display());
        Self { url, dir }
    }

    fn postgres(server: &str, name: &str) -> Self {
        let mut url: Url = server.parse().unwrap();
        url.set_path(name);
        Self { url: url.into(), dir: TempDir::new().unwrap() }
    }

    pub fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    /// A database that is not there, and can't be made.
    pub fn missing(&self) -> String {
        if self.is_sqlite() { "sqlite:///nowhere/at/all.db".to_owned() } else { format!("{}_none", self.url) }
    }

    /// Connected and migrated.
    pub async fn store(&self) -> Store {
        let store = Store::connect(&self.url).await.unwrap();
        store.migrate().await.unwrap();
        store
    }
}

/// Runs a test on SQLite.
pub async fn on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(Database) -> F) {
    test(Database::sqlite()).await;
}

/// Runs a test on PostgreSQL, where there is a server. See [`there_is_a_postgres_server`].
pub async fn on_postgres<F: Future<Output = ()>>(test: impl FnOnce(Database) -> F) {
    let Some(server) = server() else { return };
    let name = format!("doorway_{}", ids::new_uuid().simple());
    run(&server, format!("CREATE DATABASE {name}")).await;
    let outcome = AssertUnwindSafe(test(Database::postgres(&server, &name))).catch_unwind().await;
    // While the runtime goes on: the server waits for connections that are just being made.
    run(&server, format!("DROP DATABASE {name} WITH (FORCE)")).await;
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

async fn run(server: &str, sql: String) {
    let mut admin = PgConnection::connect(server).await.unwrap();
    admin.execute(AssertSqlSafe(sql)).await.unwrap();
    admin.close().await.unwrap();
}

fn server() -> Option<String> {
    std::env::var(VARIABLE).ok().filter(|url| !url.is_empty())
}

/// Half of the tests run on PostgreSQL. Without a server they pass without having run: this one says so,
/// and where `CI` is set it fails.
#[test]
fn there_is_a_postgres_server() {
    if server().is_none() {
        let text = format!("{VARIABLE} is not set: NOTHING WAS RUN ON POSTGRESQL. Use: scripts/test --quick");
        assert!(std::env::var_os("CI").is_none(), "{text}");
        // Past the capture of the test harness, so that it is seen.
        writeln!(std::io::stderr(), "\n{text}\n").unwrap();
    }
}

/// Every row of every table, as text, without the tables and columns that change by themselves (named as
/// `table` or `table.column`): what two moments of a database are compared by.
pub async fn dump(store: &Store, without: &[&str]) -> Vec<String> {
    let mut all = Vec::new();
    for table in tables(store).await {
        if without.contains(&table.as_str()) {
            continue;
        }
        let left_out: Vec<&str> = without
            .iter()
            .filter_map(|name| name.split_once('.'))
            .filter(|(of, _)| *of == table)
            .map(|(_, c)| c)
            .collect();
        all.extend(rows(store, &table, &left_out).await.into_iter().map(|row| format!("{table} {row}")));
    }
    all.sort();
    all
}

async fn tables(store: &Store) -> Vec<String> {
    match store {
        Store::Sqlite { read, .. } => {
            let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
            sqlx::query_scalar(sql).fetch_all(read).await.unwrap()
        }
        Store::Postgres(pool) => {
            let sql = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
            sqlx::query_scalar(sql).fetch_all(pool).await.unwrap()
        }
    }
}

async fn rows(store: &Store, table: &str, left_out: &[&str]) -> Vec<String> {
    match store {
        Store::Sqlite { read, .. } => {
            let columns =
                sqlx::query(AssertSqlSafe(format!("PRAGMA table_info({table})"))).fetch_all(read).await.unwrap();
            let columns: Vec<String> = columns.iter().map(|row| row.get::<String, _>("name")).collect();
            let shown: Vec<String> = columns
                .iter()
                .filter(|name| !left_out.contains(&name.as_str()))
                .map(|name| format!("'{name}', CASE typeof({name}) WHEN 'blob' THEN hex({name}) ELSE {name} END"))
                .collect();
            let sql = format!("SELECT json_object({}) FROM {table}", shown.join(", "));
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(read).await.unwrap()
        }
        Store::Postgres(pool) => {
            let minus: String = left_out.iter().map(|name| format!(" - '{name}'")).collect();
            let sql = format!("SELECT (to_jsonb(t){minus})::text FROM {table} t");
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(pool).await.unwrap()
        }
    }
}
