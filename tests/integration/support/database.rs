//! A database for each test: a fresh file, or a fresh database on the PostgreSQL server that
//! `scripts/postgres` starts.

use doorway::{base::ids, store::Store};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use std::io::Write;
use tempfile::TempDir;
use url::Url;

const VARIABLE: &str = "DOORWAY_TEST_POSTGRES_URL";

/// A database that nobody else uses. Its directory also takes what else a test writes.
pub struct Database {
    pub url: String,
    pub dir: TempDir,
    server: Option<Url>,
}

impl Database {
    fn sqlite() -> Self {
        let dir = TempDir::new().unwrap();
        let url = format!("sqlite://{}", dir.path().join("portal.db").display());
        Self { url, dir, server: None }
    }

    async fn postgres(server: &str) -> Self {
        let server: Url = server.parse().unwrap();
        let name = format!("doorway_{}", ids::new_uuid().simple());
        let mut admin = PgConnection::connect(server.as_str()).await.unwrap();
        admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
        admin.close().await.unwrap();
        let mut url = server.clone();
        url.set_path(&name);
        Self { url: url.into(), dir: TempDir::new().unwrap(), server: Some(server) }
    }

    pub fn is_sqlite(&self) -> bool {
        self.server.is_none()
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

impl Drop for Database {
    /// Drops it also where the test has failed. In a thread of its own: a runtime can't be entered twice.
    fn drop(&mut self) {
        let Some(server) = self.server.take() else { return };
        let name = self.url.rsplit('/').next().unwrap().to_owned();
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut admin = PgConnection::connect(server.as_str()).await.map_err(std::io::Error::other)?;
                let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                admin.execute(AssertSqlSafe(sql)).await.map_err(std::io::Error::other)
            })
        });
        if let Ok(Err(error)) = dropped.join() {
            eprintln!("a test database stays behind: {error}");
        }
    }
}

/// Runs a test on SQLite.
pub async fn on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(Database) -> F) {
    test(Database::sqlite()).await;
}

/// Runs a test on PostgreSQL, where there is a server. See [`there_is_a_postgres_server`].
pub async fn on_postgres<F: Future<Output = ()>>(test: impl FnOnce(Database) -> F) {
    if let Some(server) = server() {
        test(Database::postgres(&server).await).await;
    }
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
