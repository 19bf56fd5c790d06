//! Registering a number: asked for by a person, done in the background, step by step.
//!
//! Before each call the number is read: only one that is definitely not connected is registered, never one that the
//! WhatsApp Business app uses, and none whose display name Meta still looks at, since each call counts.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/registration>

use super::{
    deregister::HALF_DEREGISTERED,
    file::{File, PinState, Reason, Stage, Task, TryKind, WINDOW, name_pause, wait_in},
    file_queries,
    model::{Number, Registration},
    numbers::{Found, PhoneNumbers},
    pins::{self, Pin},
    queries,
    task::{Next, failure_of},
    tries,
};
use crate::{
    accounts::Member,
    graph::{ErrorClass, GraphError, Line},
    jobs::JobError,
    store::Result,
};
use secrecy::SecretString;
use time::Duration;

/// Meta refused for the name although it does not say that it looks at it: the next try is far off, and after so many
/// there is no other by itself.
const UNREADY_PAUSE: Duration = Duration::hours(1);
const UNREADY_TRIES: i64 = 3;
/// After so many calls in so long a time that Meta did not answer, none is made by itself.
pub(super) const SILENT_TRIES: usize = 3;
pub(super) const SILENCE: Duration = Duration::hours(1);
/// The outcome by which those tries are found.
const UNREADY: &str = "100/2388001";
/// The pause while somebody sets a PIN.
const SETTLING: Duration = Duration::seconds(5);
/// How long a deletion elsewhere takes (133015).
const DELETION: Duration = Duration::minutes(5);

/// With which PIN to register.
pub(super) enum WithPin {
    /// One that Doorway makes.
    Made,
    /// One that somebody typed.
    Typed(SecretString),
    /// The one that is kept.
    Kept,
}

impl PhoneNumbers {
    /// Asks for a number to be registered. The PIN is kept first. `false` where a call is under way.
    pub(super) async fn ask_register(
        &self,
        member: &Member,
        found: &Found,
        task: Task,
        pin: WithPin,
        region: Option<&str>,
    ) -> Result<bool> {
        let (file, now) = (&found.file, self.now());
        let mut tx = self.store.write().await?;
        let name = file.wanted_name.as_deref().filter(|_| task == Task::Rename);
        if !file_queries::begin(&mut tx, &file.id, task, region, name, now).await? {
            return Ok(false);
        }
        let new = match pin {
            WithPin::Made => Some((pins::make(), true)),
            WithPin::Typed(pin) => Some((pin, false)),
            WithPin::Kept => None,
        };
        // Which one is kept was shown: one of before that was never sent is not meant.
        let is_meant =
            new.is_none() && pins::last(&mut tx, &file.id).await?.is_some_and(|pin| pin.state == PinState::Kept);
        if !is_meant {
            pins::forget_kept(&mut tx, &file.id).await?;
        }
        if let Some((pin, is_made)) = &new {
            let new = pins::New { pin, is_made: *is_made, state: PinState::Kept };
            pins::keep(&mut tx, &self.keys, &file.id, new, now).await?;
        }
        self.note(&mut tx, Some(member), file, "number.register_asked", None).await?;
        self.begin_job(tx, file).await?;
        Ok(true)
    }

    pub(super) async fn register(
        &self,
        file: &File,
        line: &Line,
        number: &Number,
        task: Task,
    ) -> std::result::Result<Next, JobError> {
        let now = self.now();
        let failed = |reason: Reason| Ok(Next::Failed(reason.into(), None));
        let registration = number.registration();
        if registration == Registration::Coexistence {
            return failed(Reason::Coexistence);
        }
        if number.status.is_none() || matches!(registration, Registration::Blocked | Registration::Unclear) {
            return failed(Reason::Unclear);
        }
        if task == Task::Register && registration == Registration::Ready {
            let was_ours = self.was_ours(file).await?;
            return Ok(Next::Done((!was_ours).then(|| Reason::Already.into())));
        }
        if registration == Registration::Unverified {
            return failed(Reason::NotVerified);
        }
        match name_of(file, number, task) {
            NameIs::Ready => {}
            NameIs::Declined => return failed(Reason::NameDeclined),
            NameIs::Pending => {
                let pause = name_pause(file.polls);
                return Ok(Next::Wait(Stage::WaitingName, now + pause, file.polls + 1, None));
            }
        }
        let (tries, pin) = {
            let mut db = self.store.read().await?;
            if pins::is_being_set(&mut db, &file.id, now).await? {
                return Ok(Next::Wait(Stage::Asked, now + SETTLING, file.polls, None));
            }
            let tries = tries::of(&mut db, file, TryKind::Register, now).await?;
            (tries, pins::to_send(&mut db, &file.id).await?)
        };
        if let Some(at) = tries.next(now) {
            return Ok(Next::Failed(Reason::TooMany.into(), Some(at)));
        }
        if let Some(at) = file.pin_locked_until.filter(|at| *at > now) {
            return Ok(Next::Failed(Reason::PinGuesses.into(), Some(at)));
        }
        // Each call counts, also one without an answer: Meta's trouble must not use all of them up.
        if let Some(next) = self.silenced(file, TryKind::Register).await? {
            return Ok(next);
        }
        let Some(pin) = pin else { return failed(Reason::NoPin) };
        let open = pin.open(&self.keys)?;
        // A country that was set before, with a try that came to nothing, is taken back where none is wanted now.
        if task == Task::Register && (file.region.is_some() || file.region_set.is_some()) {
            let region = file.region.as_deref();
            if let Err(error) = line.graph.set_storage(&line.access, &file.phone_number_id, region).await {
                return Ok(match error.class() {
                    ErrorClass::Rejected => Next::Failed(failure_of(Reason::Storage, &error), None),
                    _ => self.trouble(file, line, &error).await,
                });
            }
            let mut tx = self.store.write().await?;
            file_queries::region_set(&mut tx, &file.id, region).await?;
            tx.commit().await?;
        }
        let mut tx = self.store.write().await?;
        pins::sent(&mut tx, &pin.id).await?;
        let counted = tries::count(&mut tx, &file.id, TryKind::Register, now).await?;
        tx.commit().await?;
        let answer = line.graph.register(&line.access, &file.phone_number_id, &open).await;
        let Err(error) = answer else {
            let mut tx = self.store.write().await?;
            tries::end(&mut tx, &counted, "ok").await?;
            pins::right(&mut tx, &file.id, &pin.id).await?;
            queries::set_status(&mut tx, &file.phone_number_id, "CONNECTED").await?;
            self.note(&mut tx, None, file, "number.registered", None).await?;
            tx.commit().await?;
            self.read_again(line, number).await?;
            return Ok(Next::Done(None));
        };
        self.refused(file, line, &counted, Some(&pin), &error).await
    }

    /// Where Meta did not answer the last calls of a kind: none is made by itself for a while.
    pub(super) async fn silenced(&self, file: &File, kind: TryKind) -> Result<Option<Next>> {
        let since = self.now() - SILENCE;
        let silent = tries::unanswered(&mut self.store.read().await?, &file.id, kind, since).await?;
        let is_enough = silent.len() >= SILENT_TRIES;
        Ok(is_enough.then(|| Next::Failed(Reason::Trouble.into(), silent.first().map(|at| *at + SILENCE))))
    }

    /// What Meta said instead of yes.
    pub(super) async fn refused(
        &self,
        file: &File,
        line: &Line,
        counted: &str,
        pin: Option<&Pin>,
        error: &GraphError,
    ) -> std::result::Result<Next, JobError> {
        let now = self.now();
        let Some(api) = error.api().filter(|_| error.class() != ErrorClass::Transient) else {
            // It may have been done all the same: the next step reads the number.
            return Ok(self.trouble(file, line, error).await);
        };
        let outcome = api.subcode.map_or_else(|| api.code.to_string(), |subcode| format!("{}/{subcode}", api.code));
        let mut tx = self.store.write().await?;
        tries::end(&mut tx, counted, &outcome).await?;
        let wait = |otherwise| Some(now + wait_in(&api.message, otherwise));
        let locked = match api.code {
            133_008 => wait(Duration::hours(1)),
            133_009 => wait(Duration::minutes(5)),
            _ => None,
        };
        match pin {
            Some(pin) if api.code == 133_005 => pins::wrong(&mut tx, &pin.id).await?,
            // One that was sent before, without an answer, may be at Meta all the same.
            Some(pin) if pin.state == PinState::Kept => pins::not_looked_at(&mut tx, &pin.id).await?,
            _ => {}
        }
        if let Some(until) = locked {
            file_queries::lock_pin(&mut tx, &file.id, until).await?;
        }
        let unready = tries::ended_so(&mut tx, &file.id, UNREADY, now).await?;
        tx.commit().await?;
        let failed = |reason, at| Next::Failed(failure_of(reason, error), at);
        Ok(match (api.code, api.subcode) {
            (HALF_DEREGISTERED, _) => failed(Reason::HalfDeregistered, None),
            (133_005, _) => failed(Reason::WrongPin, None),
            (133_006, _) => failed(Reason::NotVerified, None),
            (133_008, _) => failed(Reason::PinGuesses, locked),
            (133_009, _) => failed(Reason::PinTooFast, locked),
            (133_015, _) if file.polls < 3 => {
                let at = now + wait_in(&api.message, DELETION);
                Next::Wait(Stage::Waiting, at, file.polls + 1, Some(failure_of(Reason::Deleting, error)))
            }
            (133_015, _) => failed(Reason::Deleting, wait(DELETION)),
            (133_016, _) => failed(Reason::TooMany, Some(now + WINDOW)),
            (100, Some(2_388_001)) if unready < UNREADY_TRIES => {
                Next::Wait(Stage::WaitingName, now + UNREADY_PAUSE, file.polls + 1, None)
            }
            (100, Some(2_388_001)) => failed(Reason::NameNotReady, None),
            _ => self.trouble(file, line, error).await,
        })
    }

    /// Whether it was a call of ours, the answer to which never came, that registered the number. Then the PIN of that
    /// call is the right one; one that is kept for another was never sent.
    async fn was_ours(&self, file: &File) -> Result<bool> {
        let mut tx = self.store.write().await?;
        let open = tries::open(&mut tx, &file.id, TryKind::Register).await?;
        if let Some((open, at)) = &open {
            tries::end(&mut tx, open, "ok").await?;
            if let Some(pin) = pins::sent_by(&mut tx, &file.id, *at).await? {
                pins::right(&mut tx, &file.id, &pin).await?;
            }
            self.note(&mut tx, None, file, "number.registered", None).await?;
        }
        pins::forget_kept(&mut tx, &file.id).await?;
        tx.commit().await?;
        Ok(open.is_some())
    }

    /// The number as it is afterwards; where it can't be read now, it is later.
    pub(super) async fn read_again(&self, line: &Line, number: &Number) -> Result<()> {
        let asked = self.now();
        match line.graph.phone_number(&line.access, &number.id).await {
            Ok(read) => self.keep_whole(&number.waba_id, &read, asked).await,
            Err(error) => {
                tracing::info!(number = %number.id, %error, "the number is read later");
                Ok(())
            }
        }
    }
}

/// How the display name stands that a task needs.
enum NameIs {
    Ready,
    Pending,
    Declined,
}

fn name_of(file: &File, number: &Number, task: Task) -> NameIs {
    let word = |status: Option<&str>| match status {
        Some("PENDING_REVIEW" | "PENDING" | "IN_REVIEW") => NameIs::Pending,
        Some("DECLINED") => NameIs::Declined,
        _ => NameIs::Ready,
    };
    if task != Task::Rename {
        return word(number.name_status.as_deref());
    }
    let wanted = file.wanted_name.as_deref().unwrap_or_default();
    match (number.new_name.as_deref(), number.new_name_status.as_deref()) {
        (Some(new), status) if new == wanted && status != Some("NONE") => word(status),
        _ if number.verified_name == wanted => word(number.name_status.as_deref()),
        // Not told yet.
        _ => NameIs::Pending,
    }
}
