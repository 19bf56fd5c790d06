//! Numbers are read once a day: quality is told by no webhook, only limits and throughput are.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/phone_number_quality_update>

use super::{numbers::PhoneNumbers, queries};
use crate::{
    accounts,
    base::ids::{CustomerId, WabaId},
    graph::{self, ErrorClass, Line, NoLine},
    jobs::{JobError, Outcome, Queue},
    store::{Result as StoreResult, WriteTx},
};
use time::{Duration, OffsetDateTime};

/// The kind of the job; it has one subject.
pub const POLL_JOB: &str = "phone_numbers.poll";
/// The subject.
pub const SUBJECT: &str = "all";
/// How often it is looked which are due.
const EVERY: Duration = Duration::minutes(10);
/// How old a reading may become.
const AGE: Duration = Duration::hours(22);
/// How many accounts at once: they spread over the day by themselves.
const AT_ONCE: i64 = 25;

/// Has all of an account's numbers read soon, in the caller's transaction: somebody wants to know how they stand.
///
/// # Errors
/// The database's.
pub async fn read_soon(tx: &mut WriteTx, queue: &Queue, waba: &WabaId, now: OffsetDateTime) -> StoreResult<()> {
    queries::put_off(tx, waba, OffsetDateTime::UNIX_EPOCH).await?;
    queue.enqueue(tx, POLL_JOB, SUBJECT, now).await
}

impl PhoneNumbers {
    /// Reads the numbers of the accounts that wait longest. Bears being run twice.
    ///
    /// # Errors
    /// The database's.
    pub async fn poll(&self) -> Result<Outcome, JobError> {
        let due = queries::unread(&mut self.store.read().await?, self.now() - AGE, AT_ONCE).await?;
        for waba in due {
            self.poll_waba(&waba).await?;
        }
        Ok(Outcome::Again(self.now() + EVERY))
    }

    async fn poll_waba(&self, waba: &WabaId) -> Result<(), JobError> {
        let found = match self.lines.holder(waba).await {
            Ok(Some(held)) => self.lines.line(held.connection).await.map(|line| (held.customer, line)),
            Ok(None) => Err(NoLine::None),
            Err(error) => Err(error),
        };
        let (customer, line) = match found {
            Ok(found) => found,
            Err(NoLine::None) => return self.put_off(waba, self.now() + AGE).await,
            Err(NoLine::Failed(error)) => return Err(error),
        };
        // What is left of Meta's limits is left to people.
        if let Some(until) = line.graph.wait(&line.access, Some(waba.as_str())) {
            return self.put_off(waba, until).await;
        }
        let Err(error) = self.read_waba(customer, &line, waba).await? else { return Ok(()) };
        self.lines.refused(line.connection, &error).await;
        tracing::info!(%waba, %error, "numbers were not read");
        let until = line.graph.wait(&line.access, Some(waba.as_str()));
        self.put_off(waba, until.unwrap_or(self.now() + AGE)).await
    }

    /// The list tells which numbers there are, each number all that is known of it.
    async fn read_waba(&self, customer: CustomerId, line: &Line, waba: &WabaId) -> Result<graph::Result<()>, JobError> {
        let asked = self.now();
        let listed = match line.graph.phone_numbers(&line.access, waba).await {
            Ok(listed) => listed,
            Err(error) => return Ok(Err(error)),
        };
        let mut tx = self.store.write().await?;
        // Whoever writes several of a customer's numbers at once holds the customer: in whatever order, none waits for
        // another that waits for it.
        accounts::lock_customer(&mut tx, customer).await?;
        queries::replace(&mut tx, waba, &listed, asked).await?;
        tx.commit().await?;
        let mut all = Ok(());
        for number in listed {
            let asked = self.now();
            match line.graph.phone_number(&line.access, &number.id).await {
                Ok(read) => self.keep_whole(waba, &read, asked).await?,
                // What Meta refuses of one number says nothing of the next.
                Err(error) if error.class() == ErrorClass::Rejected => all = Err(error),
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(all)
    }

    async fn put_off(&self, waba: &WabaId, until: OffsetDateTime) -> Result<(), JobError> {
        let mut tx = self.store.write().await?;
        queries::put_off(&mut tx, waba, until - AGE).await?;
        tx.commit().await?;
        Ok(())
    }
}
