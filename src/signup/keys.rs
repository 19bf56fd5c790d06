//! Changing the keys of what is sealed in attempts.

use super::{
    queries,
    service::{Signup, SignupError},
};
use crate::base::sealed::SealError;

impl Signup {
    /// How many codes and tokens open with the current key, and how many with an old one.
    ///
    /// # Errors
    /// The first that does not open at all.
    pub async fn check_keys(&self) -> Result<(u64, u64), SealError> {
        let mut counts = (0, 0);
        let Ok(mut db) = self.store.read().await else { return Ok(counts) };
        for (id, column, sealed) in queries::all_sealed(&mut db).await.unwrap_or_default() {
            self.keys.open(Self::place(column, &id), &sealed)?;
            if self.keys.is_current(&sealed) { counts.0 += 1 } else { counts.1 += 1 }
        }
        Ok(counts)
    }

    /// Seals all codes and tokens that are kept with the current key; tells how many were changed.
    ///
    /// # Errors
    /// See [`SignupError`].
    pub async fn rotate_keys(&self) -> Result<u64, SignupError> {
        let all = queries::all_sealed(&mut self.store.read().await?).await?;
        let mut changed = 0;
        for (id, column, sealed) in all.iter().filter(|(_, _, sealed)| !self.keys.is_current(sealed)) {
            let opened = self.keys.open(Self::place(column, id), sealed)?;
            let anew = self.keys.seal(Self::place(column, id), &opened);
            let mut tx = self.store.write().await?;
            changed += queries::reseal(&mut tx, id, column, sealed, &anew).await?;
            tx.commit().await?;
        }
        Ok(changed)
    }
}
