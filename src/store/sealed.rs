//! Columns that hold sealed values: whether they all open, and sealing them anew with another key.

use super::{Store, StoreError, query};
use crate::base::sealed::{KeyRing, Place, SealError};

/// A column of sealed values. Each feature lists its own; make one with [`sealed_column!`](crate::sealed_column).
#[derive(Clone, Copy, Debug)]
pub struct SealedColumn {
    /// Its table, whose key is the column `id`.
    pub table: &'static str,
    /// Its name.
    pub column: &'static str,
    /// Reads `id` and the value as `sealed`.
    pub select: &'static str,
    /// Puts `$1` in the place of `$3` in the row `$2`.
    pub update: &'static str,
}

/// A [`SealedColumn`] of a table and a column, both as literals.
#[macro_export]
macro_rules! sealed_column {
    ($table:literal, $column:literal) => {
        $crate::store::SealedColumn {
            table: $table,
            column: $column,
            select: concat!("SELECT id, ", $column, " AS sealed FROM ", $table, " WHERE ", $column, " IS NOT NULL"),
            update: concat!("UPDATE ", $table, " SET ", $column, " = $1 WHERE id = $2 AND ", $column, " = $3"),
        }
    };
}

/// Why sealed values could not be gone through.
#[derive(Debug, thiserror::Error)]
pub enum SealedError {
    /// One does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The database's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SealedColumn {
    async fn all(&self, store: &Store) -> Result<Vec<(String, String)>, StoreError> {
        query(self.select).all(&mut store.read().await?, |row| Ok((row.text("id")?, row.text("sealed")?))).await
    }

    fn place<'a>(&self, row: &'a str) -> Place<'a> {
        Place { table: self.table, column: self.column, row }
    }
}

/// How many values open with the current key, and how many with an old one.
///
/// # Errors
/// The first that does not open at all, or the database's.
pub async fn check_sealed(store: &Store, keys: &KeyRing, columns: &[SealedColumn]) -> Result<(u64, u64), SealedError> {
    let mut counts = (0, 0);
    for column in columns {
        for (id, sealed) in column.all(store).await? {
            keys.open(column.place(&id), &sealed)?;
            if keys.is_current(&sealed) { counts.0 += 1 } else { counts.1 += 1 }
        }
    }
    Ok(counts)
}

/// Seals all values with the current key; tells how many were changed. One that was changed meanwhile is left.
///
/// # Errors
/// Where one does not open, nothing after it was changed.
pub async fn reseal(store: &Store, keys: &KeyRing, columns: &[SealedColumn]) -> Result<u64, SealedError> {
    let mut changed = 0;
    for column in columns {
        for (id, sealed) in column.all(store).await?.iter().filter(|(_, sealed)| !keys.is_current(sealed)) {
            let opened = keys.open(column.place(id), sealed)?;
            let anew = keys.seal(column.place(id), &opened);
            let mut tx = store.write().await?;
            changed += query(column.update).bind(anew).bind(id).bind(sealed).execute(&mut tx).await?;
            tx.commit().await?;
        }
    }
    Ok(changed)
}
