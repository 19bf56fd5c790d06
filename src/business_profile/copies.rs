//! One number's profile for others too: each is written in the background, and it is kept what became of each.

use super::{
    model::{Field, Profile},
    pages::Sibling,
    queries::{self, Picture},
    refusal,
    service::{BusinessProfiles, Trouble},
};
use crate::{
    accounts::Member,
    base::ids::{ConnectionId, CustomerId, PhoneNumberId, UserId},
    graph::{ErrorClass, GraphError},
    jobs::{JobError, Outcome},
    phone_numbers,
    store::Result as StoreResult,
};
use time::{Duration, OffsetDateTime};

/// The kind of the job; its subject is the number that is written.
pub const COPY_JOB: &str = "business_profile.copy";
/// How often Meta's trouble is waited out.
const TRIES: i64 = 6;

/// A copy that was asked for.
#[derive(Clone, Debug)]
pub(super) struct Copied {
    pub number: PhoneNumberId,
    pub source: PhoneNumberId,
    pub connection: ConnectionId,
    pub customer: CustomerId,
    pub user: UserId,
    pub profile: Profile,
    /// The photo that goes with it, among those kept for the source.
    pub picture: Option<String>,
    pub state: CopyState,
    pub reason: Option<String>,
    pub detail: Option<String>,
    pub tries: i64,
    pub at: OffsetDateTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CopyState {
    Waiting,
    Done,
    Failed,
}

impl BusinessProfiles {
    /// Lets go of photos that were chosen and not saved in time.
    ///
    /// # Errors
    /// The database's.
    pub async fn prune(&self) -> StoreResult<()> {
        let mut tx = self.store.write().await?;
        queries::prune_pictures(&mut tx, self.clock.now() - super::pages::PICTURES_LIVE).await?;
        tx.commit().await
    }

    /// Asks for copies of a number's profile, with this photo.
    pub(super) async fn ask_copies(
        &self,
        member: &Member,
        source: &PhoneNumberId,
        profile: &Profile,
        picture: Option<&Picture>,
        to: &[&Sibling],
    ) -> StoreResult<()> {
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        let picture = match picture {
            Some(picture) => {
                Some(queries::keep_picture(&mut tx, source, picture, now, now - super::pages::PICTURES_LIVE).await?)
            }
            None => None,
        };
        for Sibling { connection, number } in to {
            let copy = Copied {
                number: number.id.clone(),
                source: source.clone(),
                connection: *connection,
                customer: member.customer,
                user: member.user.id,
                profile: profile.clone(),
                picture: picture.clone(),
                state: CopyState::Waiting,
                reason: None,
                detail: None,
                tries: 0,
                at: now,
            };
            queries::ask_copy(&mut tx, &copy).await?;
            self.queue.enqueue(&mut tx, COPY_JOB, number.id.as_str(), now).await?;
        }
        tx.commit().await?;
        self.queue.wake();
        Ok(())
    }

    /// Writes the copy that a number waits for. Bears being run twice: what stands there already is not written.
    ///
    /// # Errors
    /// The database's.
    pub async fn copy(&self, number: PhoneNumberId) -> Result<Outcome, JobError> {
        let Some(mut copy) = queries::waiting_copy(&mut self.store.read().await?, &number).await? else {
            return Ok(Outcome::Done);
        };
        let now = self.clock.now();
        match self.carry_out(&copy).await {
            Ok(()) => return Ok(Outcome::Done),
            Err(Trouble::Failed(error)) => return Err(error),
            Err(trouble) => {
                copy.tries += 1;
                let passes = matches!(&trouble, Trouble::Graph(error)
                    if matches!(error.class(), ErrorClass::Transient | ErrorClass::RateLimited));
                let notice = refusal::of_trouble(&trouble);
                copy.reason = Some(format!("{}. {}", notice.title, notice.text));
                copy.detail = notice.details;
                copy.state = if passes && copy.tries < TRIES { CopyState::Waiting } else { CopyState::Failed };
            }
        }
        let mut tx = self.store.write().await?;
        queries::copy_ended(&mut tx, &copy, now).await?;
        tx.commit().await?;
        let pause = Duration::seconds(5 * 3_i64.pow(u32::try_from(copy.tries.clamp(0, 8)).unwrap_or(0)));
        Ok(if copy.state == CopyState::Waiting { Outcome::Again(now + pause) } else { Outcome::Done })
    }

    async fn carry_out(&self, copy: &Copied) -> Result<(), Trouble> {
        // The number may have gone elsewhere meanwhile.
        let waba = phone_numbers::waba_of(&mut self.store.read().await?, &copy.number).await?;
        let held = self.lines.held(copy.connection).await?;
        let own =
            held.filter(|held| held.customer == copy.customer && waba.is_some_and(|waba| held.wabas.contains(&waba)));
        if own.is_none() {
            return Err(Trouble::NoLine);
        }
        let (now, _) = self.sync(copy.connection, &copy.number).await?;
        let mut wanted = copy.profile.clone();
        for field in [Field::About, Field::Vertical] {
            if wanted.get(field).is_empty() {
                wanted.take(field, &now.profile);
            }
        }
        let picture = match &copy.picture {
            Some(id) => queries::picture(&mut self.store.read().await?, &copy.source, id).await?,
            None => None,
        };
        let line = self.lines.line(copy.connection).await?;
        let written = self.write(&line, &copy.number, &now, &wanted, picture.as_ref()).await;
        let refused = |(field, error): (Option<Field>, GraphError)| {
            tracing::info!(number = %copy.number, ?field, "a profile could not be copied");
            Trouble::Graph(error)
        };
        let written = written.map_err(refused)?;
        let mut tx = self.store.write().await?;
        if let Some((kept, changes)) = &written {
            self.written(&mut tx, copy.user, copy.customer, &copy.number, kept, changes).await?;
        }
        let done = Copied { state: CopyState::Done, reason: None, detail: None, ..copy.clone() };
        queries::copy_ended(&mut tx, &done, self.clock.now()).await?;
        tx.commit().await?;
        Ok(())
    }
}
