//! Numbers are read once a day: quality is told by no webhook, only limits and throughput are.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/phone_number_quality_update>

use super::{numbers::PhoneNumbers, queries};
use crate::{
    base::ids::WabaId,
    graph::{ErrorClass, GraphError, NoLine},
    jobs::{JobError, Outcome},
};
use time::Duration;

/// The kind of the job; it has one subject.
pub const POLL_JOB: &str = "phone_numbers.poll";
/// How often it is looked which are due.
const EVERY: Duration = Duration::minutes(10);
/// How old a reading may become.
const AGE: Duration = Duration::hours(22);
/// How many accounts at once: they spread over the day by themselves.
const AT_ONCE: i64 = 25;

impl PhoneNumbers {
    /// Reads the numbers of the accounts that wait longest. Bears being run twice.
    ///
    /// # Errors
    /// The database's.
    pub async fn poll(&self) -> Result<Outcome, JobError> {
        let due = queries::unread(&mut self.store.read().await?, self.now() - AGE, AT_ONCE).await?;
        for waba in due {
            if !self.poll_waba(&waba).await? {
                // Meta asks for fewer calls: the rest comes next time.
                break;
            }
        }
        Ok(Outcome::Again(self.now() + EVERY))
    }

    /// `false` where Meta wants no more calls now.
    async fn poll_waba(&self, waba: &WabaId) -> Result<bool, JobError> {
        let line = match self.lines.holder(waba).await {
            Ok(Some(held)) => self.lines.line(held.connection).await,
            Ok(None) => Err(NoLine::None),
            Err(error) => Err(error),
        };
        let line = match line {
            Ok(line) => line,
            Err(NoLine::None) => return self.put_off(waba).await,
            Err(NoLine::Failed(error)) => return Err(error),
        };
        let numbers = queries::list(&mut self.store.read().await?, waba).await?;
        for number in numbers {
            match line.graph.phone_number(&line.access, &number.id).await {
                Ok(read) => self.keep_whole(waba, &read).await?,
                Err(error) => {
                    self.lines.refused(line.connection, &error).await;
                    tracing::info!(number = %number.id, %error, "a number was not read");
                    self.put_off(waba).await?;
                    return Ok(!is_enough(&error));
                }
            }
        }
        Ok(true)
    }

    async fn put_off(&self, waba: &WabaId) -> Result<bool, JobError> {
        let mut tx = self.store.write().await?;
        queries::put_off(&mut tx, waba, self.now()).await?;
        tx.commit().await?;
        Ok(true)
    }
}

fn is_enough(error: &GraphError) -> bool {
    error.class() == ErrorClass::RateLimited
}
