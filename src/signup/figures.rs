//! What the operator is told of all attempts together.

use super::{queries, service::Signup};
use crate::store::StoreError;
use time::OffsetDateTime;

impl Signup {
    /// Whether a customer was ever connected through this Facebook Login for Business configuration.
    ///
    /// # Errors
    /// The database's.
    pub async fn config_worked(&self, es_config_id: &str) -> Result<bool, StoreError> {
        queries::config_worked(&mut self.store.read().await?, es_config_id).await
    }

    /// How many attempts that began since then have failed.
    ///
    /// # Errors
    /// The database's.
    pub async fn failed_since(&self, since: OffsetDateTime) -> Result<i64, StoreError> {
        queries::failed_since(&mut self.store.read().await?, since).await
    }
}
