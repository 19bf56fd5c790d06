//! What is done with a number in the background, step by step: registering, and taking off.

use super::{
    file::{Failure, File, Reason, Stage, Task, trouble_pause},
    file_queries::{self, Step},
    numbers::{Found, PhoneNumbers},
    pins, queries,
};
use crate::{
    accounts::Member,
    base::ids::WabaId,
    graph::{ErrorClass, GraphError, Line, NoLine},
    jobs::{JobError, Outcome},
    store::{Result, WriteTx},
};
use time::OffsetDateTime;

/// The kind of the job; its subject is the file's ID.
pub const TASK_JOB: &str = "phone_numbers.task";

/// What a step led to.
pub(super) enum Next {
    /// It goes on then.
    Wait(Stage, OffsetDateTime, i64, Option<Failure>),
    Failed(Failure, Option<OffsetDateTime>),
    Done(Option<Failure>),
}

impl PhoneNumbers {
    pub(super) async fn begin_job(&self, mut tx: WriteTx, file: &File) -> Result<()> {
        self.queue.enqueue(&mut tx, TASK_JOB, &file.id, self.now()).await?;
        tx.commit().await?;
        self.queue.wake();
        Ok(())
    }

    /// Ends what waits, or puts aside what failed.
    pub(super) async fn give_up(&self, member: &Member, found: &Found) -> Result<()> {
        let mut tx = self.store.write().await?;
        if file_queries::give_up(&mut tx, &found.file.id).await? && found.file.is_under_way() {
            pins::forget_kept(&mut tx, &found.file.id).await?;
            self.note(&mut tx, Some(member), &found.file, "number.task_given_up", None).await?;
        }
        tx.commit().await
    }

    /// The next step of a file's task. Bears being run twice: what a call that got no answer did is read first.
    ///
    /// # Errors
    /// The database's; Meta's trouble is waited out.
    pub async fn work(&self, id: &str) -> std::result::Result<Outcome, JobError> {
        let Some(file) = file_queries::get(&mut self.store.read().await?, id).await? else { return Ok(Outcome::Done) };
        let Some(task) = file.task.filter(|_| file.is_under_way()) else { return Ok(Outcome::Done) };
        if let Some(at) = file.next_at.filter(|at| *at > self.now()) {
            return Ok(Outcome::Again(at));
        }
        let asked = self.now();
        let next = match self.line_of(&file).await? {
            Err(reason) => Next::Failed(reason.into(), None),
            Ok((waba, line)) => match line.graph.phone_number(&line.access, &file.phone_number_id).await {
                Err(error) => self.trouble(&file, &line, &error).await,
                Ok(read) => {
                    self.keep_whole(&waba, &read, asked).await?;
                    let number = queries::get(&mut self.store.read().await?, &file.phone_number_id).await?;
                    match number {
                        None => Next::Failed(Reason::Gone.into(), None),
                        Some(number) if task == Task::Deregister => self.deregister(&file, &line, &number).await?,
                        Some(number) => self.register(&file, &line, &number, task).await?,
                    }
                }
            },
        };
        Ok(self.keep_step(&file, next).await?)
    }

    async fn keep_step(&self, file: &File, next: Next) -> Result<Outcome> {
        let (step, again) = match &next {
            Next::Wait(stage, at, polls, failure) => {
                (Step { stage: *stage, next_at: Some(*at), polls: *polls, failure: failure.as_ref() }, Some(*at))
            }
            Next::Failed(failure, at) => {
                (Step { stage: Stage::Failed, next_at: *at, polls: 0, failure: Some(failure) }, None)
            }
            Next::Done(note) => (Step { stage: Stage::Done, next_at: None, polls: 0, failure: note.as_ref() }, None),
        };
        let mut tx = self.store.write().await?;
        let taken = file_queries::take(&mut tx, file, &step, self.now()).await?;
        if taken && let Next::Failed(failure, _) = &next {
            let code = failure.code.map(|code| code.to_string());
            self.note(&mut tx, None, file, "number.task_failed", code).await?;
        }
        tx.commit().await?;
        // Asked anew meanwhile: that comes next.
        Ok(if taken { again.map_or(Outcome::Done, Outcome::Again) } else { Outcome::Again(self.now()) })
    }

    /// The number's WABA, and with what to call for it.
    async fn line_of(&self, file: &File) -> std::result::Result<std::result::Result<(WabaId, Line), Reason>, JobError> {
        let waba = queries::waba_of(&mut self.store.read().await?, &file.phone_number_id).await?;
        let Some(waba) = waba else { return Ok(Err(Reason::Gone)) };
        let held = match self.lines.holder(&waba).await {
            Ok(held) => held.filter(|held| held.customer == file.customer),
            Err(NoLine::None) => None,
            Err(NoLine::Failed(error)) => return Err(error),
        };
        let Some(held) = held else { return Ok(Err(Reason::Gone)) };
        match self.lines.line(held.connection).await {
            Ok(line) => Ok(Ok((waba, line))),
            Err(NoLine::None) => Ok(Err(Reason::NoAccess)),
            Err(NoLine::Failed(error)) => Err(error),
        }
    }

    /// Meta could not be asked, or did not say.
    pub(super) async fn trouble(&self, file: &File, line: &Line, error: &GraphError) -> Next {
        self.lines.refused(line.connection, error).await;
        let failure = |reason| failure_of(reason, error);
        match error.class() {
            ErrorClass::Authorization => Next::Failed(failure(Reason::NoAccess), None),
            ErrorClass::Rejected => Next::Failed(failure(Reason::Refused), None),
            ErrorClass::RateLimited | ErrorClass::Transient => match trouble_pause(file.polls) {
                Some(pause) => {
                    Next::Wait(Stage::Waiting, self.now() + pause, file.polls + 1, Some(failure(Reason::Trouble)))
                }
                None => Next::Failed(failure(Reason::Trouble), None),
            },
        }
    }
}

pub(super) fn failure_of(reason: Reason, error: &GraphError) -> Failure {
    let api = error.api();
    Failure {
        reason,
        code: api.map(|api| api.code),
        subcode: api.and_then(|api| api.subcode),
        message: crate::base::text::shorten(&error.to_string(), 500),
        fbtrace_id: api.and_then(|api| api.fbtrace_id.clone()),
    }
}
