//! What one process at a time does for all: it holds a lease that runs out when it dies.

use crate::{
    base::{clock::Clock, ids},
    store::{Result, Store, WriteTx, query},
};

/// How long a lease holds without a sign of life.
const HELD_FOR: time::Duration = time::Duration::seconds(5);

/// A piece of work that is done in one place.
#[derive(Clone)]
pub struct Lease {
    name: &'static str,
    owner: String,
    store: Store,
    clock: Clock,
}

impl Lease {
    /// Of this name; nobody holds it yet.
    #[must_use]
    pub fn new(name: &'static str, store: Store, clock: Clock) -> Self {
        Self { name, owner: ids::new_uuid().to_string(), store, clock }
    }

    /// Takes it or keeps it; `false` where somebody else holds it. An SQLite database belongs to one process, so what
    /// is held there by another was held by one that died. Where it is ours for a good while yet, or another's, nothing
    /// is written.
    ///
    /// # Errors
    /// The database's.
    pub async fn hold(&self) -> Result<bool> {
        let now = self.clock.now();
        let holder = query("SELECT owner, held_until FROM leases WHERE name = $1")
            .bind(self.name)
            .optional(&mut self.store.read().await?, |row| Ok((row.text("owner")?, row.time("held_until")?)))
            .await?;
        match holder {
            Some((owner, until)) if owner == self.owner && until - now > HELD_FOR / 2 => return Ok(true),
            Some((owner, until)) if owner != self.owner && until > now && !self.store.is_sqlite() => return Ok(false),
            _ => {}
        }
        let mut tx = self.store.write().await?;
        let taken = query(
            "INSERT INTO leases (name, owner, held_until) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE SET \
             owner = excluded.owner, held_until = excluded.held_until \
             WHERE leases.owner = excluded.owner OR leases.held_until < $4 OR $5",
        )
        .bind(self.name)
        .bind(&self.owner)
        .bind(now + HELD_FOR)
        .bind(now)
        .bind(tx.is_sqlite())
        .execute(&mut tx)
        .await?;
        tx.commit().await?;
        Ok(taken == 1)
    }

    /// Whether it is still ours, in the transaction that relies on it; keeps it. Whoever wants to take it over waits
    /// for the end of that transaction.
    ///
    /// # Errors
    /// The database's.
    pub async fn confirm(&self, tx: &mut WriteTx) -> Result<bool> {
        let held = query("UPDATE leases SET held_until = $1 WHERE name = $2 AND owner = $3")
            .bind(self.clock.now() + HELD_FOR)
            .bind(self.name)
            .bind(&self.owner)
            .execute(tx)
            .await?;
        Ok(held == 1)
    }

    /// Gives it up, so that another need not wait until it runs out. Whoever dies without a word keeps it till then.
    ///
    /// # Errors
    /// The database's.
    pub async fn release(&self) -> Result<()> {
        let mut tx = self.store.write().await?;
        query("DELETE FROM leases WHERE name = $1 AND owner = $2")
            .bind(self.name)
            .bind(&self.owner)
            .execute(&mut tx)
            .await?;
        tx.commit().await
    }
}
