//! SQLite's write-ahead log is folded back into the file beside the writer, not by it: a commit that had to do so
//! would keep webhooks waiting.
//! <https://www.sqlite.org/wal.html#ckpt>

use super::Store;
use sqlx::{Connection, Row, Sqlite, SqliteConnection};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The length, in pages of 4 KiB, at which the writer itself folds it back after all: 256 MB.
pub(super) const LIMIT: &str = "65536";
/// The length from which it is folded back at all: 16 MB. The longer, the more often a page was written meanwhile
/// that is copied once.
const WORTH_IT: i64 = 4_096;
/// The length at which the writer stops for the last of it: 64 MB. Below, a pause between two commits will do.
const PRESSING: i64 = 16_384;
/// How often it is gone over at once: each time less has come meanwhile.
const ROUNDS: usize = 6;
/// How often it is looked at.
const EVERY: Duration = Duration::from_millis(250);

impl Store {
    /// Keeps the write-ahead log short until `stop`; on PostgreSQL there is nothing to do.
    pub async fn tend(self, stop: CancellationToken) {
        let Self::Sqlite { write, .. } = &self else { return };
        let options = write.connect_options();
        let Ok(mut own) = SqliteConnection::connect_with(&options).await else {
            tracing::warn!("no connection to fold the write-ahead log back with; the writer does it");
            return;
        };
        while tokio::time::timeout(EVERY, stop.cancelled()).await.is_err() {
            if let Err(error) = fold_back(&mut own, write).await {
                tracing::warn!(%error, "the write-ahead log could not be folded back");
            }
        }
        let _ = own.close().await;
    }
}

/// Folds it back beside the writer; where that never comes to an end, the last of it in the writer's place.
async fn fold_back(own: &mut SqliteConnection, write: &sqlx::Pool<Sqlite>) -> sqlx::Result<()> {
    // Looks at the length without doing anything.
    let (length, done) = checkpoint(own, "PRAGMA wal_checkpoint(NOOP)").await?;
    if length < WORTH_IT || length == done {
        return Ok(());
    }
    let mut length = length;
    for _ in 0..ROUNDS {
        let (now, done) = checkpoint(own, "PRAGMA wal_checkpoint(PASSIVE)").await?;
        if now == done {
            // The next commit begins the log anew.
            return Ok(());
        }
        length = now;
    }
    if length >= PRESSING {
        checkpoint(&mut *write.acquire().await?, "PRAGMA wal_checkpoint(PASSIVE)").await?;
    }
    Ok(())
}

/// How many pages the log has, and how many of them are in the file.
async fn checkpoint(conn: &mut SqliteConnection, sql: &'static str) -> sqlx::Result<(i64, i64)> {
    let row = sqlx::query(sql).fetch_one(conn).await?;
    Ok((row.try_get(1)?, row.try_get(2)?))
}
