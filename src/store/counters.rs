//! Numbers that only grow: sequences without gaps, and versions by which caches learn that they are stale.

use super::{Reads, Result, WriteTx, query};

/// The version of who owns which WABA and number; see [`Counter::advance`].
pub const ROUTING: Counter = Counter("routing");

/// A row of `counters`.
#[derive(Clone, Copy, Debug)]
pub struct Counter(pub &'static str);

impl Counter {
    /// Moves it on, and gives the new value. Whoever else does so waits until this transaction has ended: what is
    /// numbered by it is committed in the order of the numbers, and no number is missing.
    ///
    /// # Errors
    /// The database's.
    pub async fn advance(self, tx: &mut WriteTx, by: i64) -> Result<i64> {
        query("UPDATE counters SET value = value + $1 WHERE name = $2 RETURNING value")
            .bind(by)
            .bind(self.0)
            .one(tx, |row| row.int("value"))
            .await
    }

    /// Sets it.
    ///
    /// # Errors
    /// The database's.
    pub async fn set(self, tx: &mut WriteTx, value: i64) -> Result<()> {
        query("UPDATE counters SET value = $1 WHERE name = $2").bind(value).bind(self.0).execute(tx).await?;
        Ok(())
    }

    /// Sets it where it is still `from`; `false` where it has moved. Whoever else does so waits until this
    /// transaction has ended.
    ///
    /// # Errors
    /// The database's.
    pub async fn move_on(self, tx: &mut WriteTx, from: i64, to: i64) -> Result<bool> {
        let moved = query("UPDATE counters SET value = $1 WHERE name = $2 AND value = $3")
            .bind(to)
            .bind(self.0)
            .bind(from)
            .execute(tx)
            .await?;
        Ok(moved == 1)
    }

    /// Its value.
    ///
    /// # Errors
    /// The database's.
    pub async fn value(self, db: &mut impl Reads) -> Result<i64> {
        query("SELECT value FROM counters WHERE name = $1").bind(self.0).one(db, |row| row.int("value")).await
    }
}
