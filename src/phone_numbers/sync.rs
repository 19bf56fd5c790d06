//! What the WhatsApp Business app brings of a number that it uses as well: contacts, then chats, asked for once each
//! within 24 hours of onboarding; later the customer would have to leave and connect again.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/onboarding-business-app-users>

use super::{
    file::{Failure, Reason},
    numbers::PhoneNumbers,
    queries,
    sync_queries::{self, Sync},
    task::failure_of,
};
use crate::{
    base::ids::{PhoneNumberId, WabaId},
    graph::{ErrorClass, NoLine, SyncType},
    jobs::{JobError, Outcome, Queue},
    store::{Result, WriteTx},
};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

/// The kind of the job; its subject is the number's ID at Meta.
pub const SYNC_JOB: &str = "phone_numbers.sync";
/// How long after onboarding the app's data can be asked for.
pub(super) const TIME: Duration = Duration::hours(24);
/// The pause between two tries while Meta has trouble.
const PAUSE: Duration = Duration::minutes(1);
/// The same onboarding, told by two clocks.
const SAME: Duration = Duration::minutes(2);

/// Has the app's data of a WABA's numbers asked for, in the transaction that notes that its webhooks come here: without
/// them it would be lost.
///
/// # Errors
/// The database's.
pub async fn begin(tx: &mut WriteTx, queue: &Queue, waba: &WabaId, now: OffsetDateTime) -> Result<()> {
    for number in queries::list(tx, waba).await? {
        if number.is_on_biz_app == Some(true) {
            queue.enqueue(tx, SYNC_JOB, number.id.as_str(), now).await?;
        }
    }
    Ok(())
}

impl PhoneNumbers {
    /// Asks for contacts and chats of a number, where they were not asked for yet. Bears being run twice.
    ///
    /// # Errors
    /// The database's; Meta's trouble is waited out, as long as there is time.
    pub async fn sync(&self, number: &PhoneNumberId) -> std::result::Result<Outcome, JobError> {
        let waba = queries::waba_of(&mut self.store.read().await?, number).await?;
        let Some(waba) = waba else { return Ok(Outcome::Done) };
        let line = match self.lines.holder(&waba).await {
            Ok(Some(held)) => self.lines.line(held.connection).await,
            Ok(None) => return Ok(Outcome::Done),
            Err(error) => Err(error),
        };
        let line = match line {
            Ok(line) => line,
            // Connecting again begins it anew.
            Err(NoLine::None) => return Ok(Outcome::Done),
            Err(NoLine::Failed(error)) => return Err(error),
        };
        if let Some(until) = line.graph.wait(&line.access, Some(waba.as_str())) {
            return Ok(Outcome::Again(until));
        }
        let again = Outcome::Again(self.now() + PAUSE);
        let asked = self.now();
        let read = match line.graph.phone_number(&line.access, number).await {
            Ok(read) => read,
            Err(error) => {
                self.lines.refused(line.connection, &error).await;
                let passes = matches!(error.class(), ErrorClass::Transient | ErrorClass::RateLimited);
                return Ok(if passes { again } else { Outcome::Done });
            }
        };
        self.keep_whole(&waba, &read, asked).await?;
        if read.is_on_biz_app != Some(true) {
            return Ok(Outcome::Done);
        }
        let Some(sync) = self.sync_of(number, read.onboarded_at()).await? else { return Ok(Outcome::Done) };
        if self.now() > sync.onboarded_at + TIME {
            return Ok(Outcome::Done);
        }
        let mut is_refused = false;
        // Contacts first, by Meta's order.
        for (what, asked) in [(SyncType::Contacts, sync.contacts_asked_at), (SyncType::History, sync.history_asked_at)]
        {
            if asked.is_some() {
                continue;
            }
            let answer = line.graph.sync_app_data(&line.access, number, what).await;
            let mut tx = self.store.write().await?;
            let now = self.now();
            match &answer {
                Ok(request) => sync_queries::asked(&mut tx, number, what, request, now, is_refused).await?,
                Err(error) => {
                    sync_queries::failed(&mut tx, number, Some(&failure_of(reason(error.class()), error))).await?
                }
            }
            tx.commit().await?;
            if let Err(error) = answer {
                self.lines.refused(line.connection, &error).await;
                match error.class() {
                    // As where contacts were asked for before and the answer was lost: chats are another matter.
                    ErrorClass::Rejected => is_refused = true,
                    ErrorClass::Authorization => return Ok(Outcome::Done),
                    ErrorClass::Transient | ErrorClass::RateLimited => return Ok(again),
                }
            }
        }
        Ok(Outcome::Done)
    }

    /// The number's row, made for each onboarding.
    async fn sync_of(&self, number: &PhoneNumberId, onboarded: Option<OffsetDateTime>) -> Result<Option<Sync>> {
        let now = self.now();
        let mut tx = self.store.write().await?;
        let known = sync_queries::get(&mut tx, number).await?;
        let fresh = match (&known, onboarded) {
            (None, onboarded) => Some(onboarded.unwrap_or(now)),
            (Some(known), Some(onboarded)) if onboarded > known.onboarded_at + SAME => Some(onboarded),
            _ => None,
        };
        if let Some(at) = fresh {
            sync_queries::start(&mut tx, number, at).await?;
        }
        let sync = sync_queries::get(&mut tx, number).await?;
        tx.commit().await?;
        Ok(sync)
    }

    /// Somebody asks to try again.
    pub(super) async fn sync_again(&self, number: &PhoneNumberId) -> Result<()> {
        let mut tx = self.store.write().await?;
        sync_queries::failed(&mut tx, number, None).await?;
        self.queue.enqueue(&mut tx, SYNC_JOB, number.as_str(), self.now()).await?;
        tx.commit().await?;
        self.queue.wake();
        Ok(())
    }
}

fn reason(class: ErrorClass) -> Reason {
    match class {
        ErrorClass::Authorization => Reason::NoAccess,
        ErrorClass::RateLimited | ErrorClass::Transient => Reason::Trouble,
        ErrorClass::Rejected => Reason::Refused,
    }
}

/// What the words of a failure mean for the page.
pub(super) fn is_over(sync: &Sync, now: OffsetDateTime) -> bool {
    now > sync.onboarded_at + TIME
}

/// A part of the contact book has come.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/smb_app_state_sync>
///
/// # Errors
/// The database's.
pub async fn contacts_told(tx: &mut WriteTx, number: &PhoneNumberId, value: &Value, at: OffsetDateTime) -> Result<()> {
    let list = value.get("state_sync").and_then(Value::as_array);
    let added = list.into_iter().flatten().filter(|one| one.get("action").and_then(Value::as_str) != Some("remove"));
    let count = i64::try_from(added.count()).unwrap_or(0);
    sync_queries::contacts_told(tx, number, count, at).await
}

/// A part of the chats has come, or the word that they are not shared (2593109).
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/history>
///
/// # Errors
/// The database's.
pub async fn history_told(tx: &mut WriteTx, number: &PhoneNumberId, value: &Value, at: OffsetDateTime) -> Result<()> {
    const DECLINED: i64 = 2_593_109;
    let parts = || value.get("history").and_then(Value::as_array).into_iter().flatten();
    let errors = parts().filter_map(|part| part.get("errors").and_then(Value::as_array)).flatten();
    if errors.filter_map(|error| error.get("code").and_then(Value::as_i64)).any(|code| code == DECLINED) {
        return sync_queries::history_declined(tx, number, at).await;
    }
    for part in parts() {
        let word = |name: &str| part.pointer(&format!("/metadata/{name}")).and_then(Value::as_i64);
        let (progress, phase) = (word("progress").unwrap_or(0).clamp(0, 100), word("phase").unwrap_or(0).clamp(0, 99));
        sync_queries::history_told(tx, number, progress, phase, at).await?;
    }
    Ok(())
}

impl Sync {
    /// Whether Meta refused something.
    pub fn refused(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }
}
