//! Taking a number off Cloud API.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/registration>

use super::{
    file::{File, Reason, Task, TryKind},
    file_queries,
    model::{Number, Registration},
    numbers::{Found, PhoneNumbers},
    task::Next,
    tries,
};
use crate::{
    accounts::Member,
    graph::{GraphError, Line},
    jobs::JobError,
    store::Result,
};

/// An earlier deregistration failed half-way: it has to be done again before the number can be registered.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes>
pub(super) const HALF_DEREGISTERED: i64 = 133_000;

impl PhoneNumbers {
    /// Asks for a number to be taken off Cloud API. `false` where a call is under way.
    pub(super) async fn ask_deregister(&self, member: &Member, found: &Found) -> Result<bool> {
        let mut tx = self.store.write().await?;
        if !file_queries::begin(&mut tx, &found.file.id, Task::Deregister, None, None, self.now()).await? {
            return Ok(false);
        }
        self.note(&mut tx, Some(member), &found.file, "number.deregister_asked", None).await?;
        self.begin_job(tx, &found.file).await?;
        Ok(true)
    }

    /// The step of its task: what is off already is left alone, but for what came off only in part.
    pub(super) async fn deregister(
        &self,
        file: &File,
        line: &Line,
        number: &Number,
    ) -> std::result::Result<Next, JobError> {
        let now = self.now();
        match number.registration() {
            Registration::Coexistence => return Ok(Next::Failed(Reason::Coexistence.into(), None)),
            Registration::Ready => {}
            Registration::Unclear => return Ok(Next::Failed(Reason::Unclear.into(), None)),
            _ if number.status.is_none() => return Ok(Next::Failed(Reason::Unclear.into(), None)),
            // Of what came off only in part Meta says nothing but when it is registered.
            _ if tries::refused_with(&mut self.store.read().await?, file, TryKind::Register).await?
                == Some(HALF_DEREGISTERED) => {}
            _ => {
                let open = tries::open(&mut self.store.read().await?, &file.id, TryKind::Deregister).await?;
                return Ok(Next::Done(open.is_none().then(|| Reason::Already.into())));
            }
        }
        let tries = tries::of(&mut self.store.read().await?, file, TryKind::Deregister, now).await?;
        if let Some(at) = tries.next(now) {
            return Ok(Next::Failed(Reason::TooMany.into(), Some(at)));
        }
        if let Some(next) = self.silenced(file, TryKind::Deregister).await? {
            return Ok(next);
        }
        let mut tx = self.store.write().await?;
        let counted = tries::count(&mut tx, &file.id, TryKind::Deregister, now).await?;
        tx.commit().await?;
        let answer = line.graph.deregister(&line.access, &file.phone_number_id).await;
        let code = answer.as_ref().err().and_then(GraphError::api).map(|api| api.code);
        match answer {
            Err(error) if code != Some(133_010) => self.refused(file, line, &counted, None, &error).await,
            _ => {
                let mut tx = self.store.write().await?;
                tries::end(&mut tx, &counted, "ok").await?;
                file_queries::came_off(&mut tx, &file.id, &file.phone_number_id).await?;
                self.note(&mut tx, None, file, "number.deregistered", None).await?;
                tx.commit().await?;
                self.read_again(line, number).await?;
                Ok(Next::Done(None))
            }
        }
    }
}
