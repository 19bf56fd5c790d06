//! What is stored of a customer's endpoints, to be handed out. Secrets stay here.

use super::{queries, service::Forwarding};
use crate::{
    base::ids::CustomerId,
    store::query,
    web::download::{DownloadError, JsonFile},
};

/// How many deliveries are read at once.
const AT_ONCE: i64 = 500;

impl Forwarding {
    /// Writes what is kept here about a customer: endpoints, deliveries, attempts.
    ///
    /// # Errors
    /// The database's, and where nobody reads it any more.
    pub async fn export(&self, customer: CustomerId, file: &mut JsonFile) -> Result<(), DownloadError> {
        let mut db = self.store.read().await?;
        let endpoints = queries::all_of(&mut db, customer).await?;
        let told = query("SELECT * FROM endpoints WHERE customer_id = $1 ORDER BY created_at, id")
            .bind(customer)
            .all(&mut db, |row| row.to_json(&["kinds", "waba_ids", "phone_number_ids"]))
            .await?;
        drop(db);
        file.list("endpoints", &told).await?;
        file.begin_list("deliveries");
        for endpoint in &endpoints {
            let mut after = 0;
            loop {
                let some = query(
                    "SELECT endpoint_id, number, event_id, item, cause, state, attempts, created_at, done_at, report \
                     FROM deliveries WHERE endpoint_id = $1 AND number > $2 ORDER BY number LIMIT $3",
                )
                .bind(endpoint.id)
                .bind(after)
                .bind(AT_ONCE)
                .all(&mut self.store.read().await?, |row| Ok((row.to_json(&["report"])?, row.int("number")?)))
                .await?;
                let Some((_, last)) = some.last() else { break };
                after = *last;
                for (delivery, _) in &some {
                    file.item(delivery).await?;
                }
            }
        }
        file.end_list();
        file.begin_list("delivery_attempts");
        for endpoint in &endpoints {
            let mut after = (0, 0);
            loop {
                let some = query(
                    "SELECT endpoint_id, number, attempt, at, duration_ms, status, error, answer \
                     FROM delivery_attempts WHERE endpoint_id = $1 AND (number, attempt) > ($2, $3) \
                     ORDER BY number, attempt LIMIT $4",
                )
                .bind(endpoint.id)
                .bind(after.0)
                .bind(after.1)
                .bind(AT_ONCE)
                .all(&mut self.store.read().await?, |row| {
                    Ok((row.to_json(&[])?, (row.int("number")?, row.int("attempt")?)))
                })
                .await?;
                let Some((_, last)) = some.last() else { break };
                after = *last;
                for (attempt, _) in &some {
                    file.item(attempt).await?;
                }
            }
        }
        file.end_list();
        Ok(())
    }
}
