//! What the tests of the portal stand on: a database of their own on either engine, the sandbox in
//! Meta's place with an eye on every call, the portal on a real port, and a browser without a screen.

mod browser;
mod database;
mod html;
mod mail;
mod meta;
mod portal;
mod process;
mod world;

pub use browser::{Attempt, Browser};
pub use database::{Database, dump, on_postgres, on_sqlite};
pub use html::Page;
pub use mail::{mail_server, mails_to};
pub use meta::{APP_ID, APP_SECRET, BUSINESS_ID, CONFIG_ID, Call, Meta, SYSTEM_TOKEN, VERIFY_TOKEN, sequential};
pub use portal::{Portal, configuration};
pub use process::{Finished, Process, command, free_port};
pub use world::{PASSWORD, World, create, id, says};

use std::time::{Duration, Instant};

/// The longest that anything is waited for.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// Runs each test on SQLite and on PostgreSQL: `on_both_engines!(name)` for `async fn name(db: Database)`
/// gives `name::sqlite` and `name::postgres`.
macro_rules! on_both_engines {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[tokio::test]
            async fn sqlite() {
                $crate::support::on_sqlite(super::$name).await;
            }

            #[tokio::test]
            async fn postgres() {
                $crate::support::on_postgres(super::$name).await;
            }
        }
    )+};
}

/// Looks again and again until there is something.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, look: impl Fn() -> F) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{what}: not in {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
