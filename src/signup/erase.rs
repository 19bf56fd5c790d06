//! What becomes of a customer's attempts when it is suspended or deleted, and what is handed out about them.

use super::{ADVANCE_JOB, Attempt, Signup, model::Step, queries, service::SignupError};
use crate::{
    accounts::{self, CustomerState},
    base::ids::{AttemptId, CustomerId, WabaId},
    jobs::Outcome,
    store::{Reads, Result, WriteTx},
    web::download::{DownloadError, JsonFile},
};
use std::collections::BTreeSet;
use time::Duration;

/// How often an attempt of a suspended customer is looked at, should nobody call it back.
const LOOK_SUSPENDED: Duration = Duration::minutes(10);
/// How many rows are handed out at once.
const AT_ONCE: i64 = 100;

impl Signup {
    /// Whether an attempt must not go on, as its customer is shut out: then what its job comes to. Nothing new
    /// begins; what only ends, such as a token that nobody fetched, ends all the same.
    pub(super) async fn is_halted(&self, attempt: &Attempt) -> std::result::Result<Option<Outcome>, SignupError> {
        if matches!(attempt.step, Step::Choosing | Step::WabaIdNeeded | Step::Failed | Step::Done) {
            return Ok(None);
        }
        let state = accounts::customer_state(&mut self.store.read().await?, attempt.customer_id).await?;
        Ok(match state {
            Some(CustomerState::Active) => None,
            Some(CustomerState::Suspended) => Some(Outcome::Again(self.clock.now() + LOOK_SUSPENDED)),
            Some(CustomerState::Deleting) | None => Some(Outcome::Done),
        })
    }

    /// Lets the attempts of a customer go on that was suspended, in the caller's transaction.
    ///
    /// # Errors
    /// The database's.
    pub async fn resume(&self, tx: &mut WriteTx, customer: CustomerId) -> Result<()> {
        for id in queries::unfinished_of(tx, customer).await? {
            self.queue.enqueue(tx, ADVANCE_JOB, &id.to_string(), self.clock.now()).await?;
        }
        Ok(())
    }

    /// The customer whose attempt or WABA a text names, as people copy it from a mail or a page.
    ///
    /// # Errors
    /// The database's.
    pub async fn customer_named_by(&self, text: &str) -> std::result::Result<Option<CustomerId>, SignupError> {
        let text = text.trim();
        let text = text.strip_prefix("Attempt").unwrap_or(text).trim();
        if let Ok(id) = text.parse::<AttemptId>() {
            return self.customer_of(id).await;
        }
        match text.parse::<WabaId>() {
            Ok(waba) => Ok(self.connections.owner(&waba).await?.map(|owner| owner.customer)),
            Err(_) => Ok(None),
        }
    }

    /// The WABAs that are or were a customer's: those of its connections, and those that a token of its attempts
    /// opened; without those that are another's by now.
    ///
    /// # Errors
    /// The database's.
    pub async fn wabas_of(&self, db: &mut impl Reads, customer: CustomerId) -> Result<Vec<WabaId>> {
        let mut all: BTreeSet<WabaId> = self.connections.wabas_of(db, customer).await?.into_iter().collect();
        all.extend(queries::proven_wabas(db, customer).await?);
        self.connections.not_of_others(db, customer, all).await
    }

    /// Forgets a customer's attempts, and what Meta told of its WABAs, in the caller's transaction.
    ///
    /// # Errors
    /// The database's.
    pub async fn erase(&self, tx: &mut WriteTx, customer: CustomerId, wabas: &[WabaId]) -> Result<()> {
        for id in queries::ids_of(tx, customer).await? {
            self.queue.cancel(tx, ADVANCE_JOB, &id.to_string()).await?;
        }
        queries::erase(tx, customer, wabas).await
    }

    /// Writes what is kept here about a customer: its attempts, and what Meta told of its WABAs.
    ///
    /// # Errors
    /// The database's, and where nobody reads it any more.
    pub async fn export(
        &self,
        customer: CustomerId,
        wabas: &[WabaId],
        file: &mut JsonFile,
    ) -> std::result::Result<(), DownloadError> {
        file.begin_list("signup_attempts");
        let mut last = String::new();
        loop {
            let some = queries::export(&mut self.store.read().await?, customer, &last, AT_ONCE).await?;
            for (_, attempt) in &some {
                file.item(attempt).await?;
            }
            match some.into_iter().last() {
                Some((id, _)) => last = id,
                None => break,
            }
        }
        file.end_list();
        file.begin_list("partner_events");
        for waba in wabas {
            for event in queries::export_partner_events(&mut self.store.read().await?, waba).await? {
                file.item(&event).await?;
            }
        }
        file.end_list();
        Ok(())
    }
}
