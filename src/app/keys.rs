//! Secrets at rest, of all features.

use super::App;
use crate::{
    accounts, backoffice, connections, forwarding, phone_numbers, signup,
    store::{self, SealedColumn, SealedError},
};

impl App {
    fn sealed() -> Vec<SealedColumn> {
        [
            accounts::SEALED,
            backoffice::SEALED,
            connections::SEALED,
            forwarding::SEALED,
            signup::SEALED,
            phone_numbers::SEALED,
        ]
        .concat()
    }

    /// How many secrets at rest open with the current key, and how many with an old one.
    ///
    /// # Errors
    /// The first that does not open at all, or the database's.
    pub async fn check_keys(&self) -> Result<(u64, u64), SealedError> {
        store::check_sealed(&self.store, &self.keys, &Self::sealed()).await
    }

    /// Seals all secrets at rest with the current key; tells how many were changed.
    ///
    /// # Errors
    /// Where one does not open, nothing after it was changed.
    pub async fn rotate_keys(&self) -> Result<u64, SealedError> {
        store::reseal(&self.store, &self.keys, &Self::sealed()).await
    }
}
