//! Reads all templates of an account: on demand, on a schedule that is spread over time, and after webhooks that tell
//! of what we do not know yet.

use super::{
    decisions::{self, Decision},
    model::{Template, language_code},
    service::MessageTemplates,
    state_queries,
    sync_queries::{self as queries, Known, Tally},
};
use crate::{
    base::{clock::to_ms, ids::WabaId},
    graph::{ErrorClass, GraphError, Line, MessageTemplate, NoLine, SharedLines},
    jobs::{self, Handlers, JobError, Outcome},
    store::{self, Reads, WriteTx},
};
use std::{collections::HashMap, time::Duration as StdDuration};
use time::{Duration, OffsetDateTime};

/// The job that reads all templates of the account that is its subject.
pub const SYNC_JOB: &str = "templates.sync";
/// The job that looks which accounts are due; it has one subject.
pub const PLAN_JOB: &str = "templates.plan";

/// How often all are read without being asked.
const EVERY: Duration = Duration::hours(24);
/// How often it is looked which are due.
const PLAN_EVERY: Duration = Duration::minutes(5);
/// How many are planned at once: an hour has twelve looks.
const PLAN_AT_ONCE: i64 = 200;
/// How often a list is begun again because its cursor expired.
const RESTARTS: u32 = 3;
/// The most pages that are read of one account: Meta allows 6,000 templates.
const MAX_PAGES: usize = 200;
/// How long after an account was connected its templates are read for the first time.
const AFTER_CONNECTING: Duration = Duration::seconds(5);
/// The pause between two pages, which leaves room for other calls within Meta's limits.
const PAUSE: StdDuration = StdDuration::from_millis(20);

/// How reading all templates of an account goes.
#[derive(Clone, Debug)]
pub struct Sync {
    /// `queued`, `reading`, `waiting` (for Meta's limits), `done`, `failed`.
    pub state: String,
    /// When it is due by itself: of one that waits, when it goes on.
    pub next_at: OffsetDateTime,
    /// When it came to its end last.
    pub finished_at: Option<OffsetDateTime>,
    /// Read so far, or by the last.
    pub read: i64,
    /// How many there were when it began: about how many it will be.
    pub known: i64,
    /// What it found new.
    pub added: i64,
    /// What it found changed.
    pub changed: i64,
    /// What Meta no longer has.
    pub gone: i64,
    /// Why it did not come to its end.
    pub error: Option<GraphError>,
}

/// Does the jobs.
#[derive(Clone)]
pub struct Syncing {
    templates: MessageTemplates,
    lines: SharedLines,
}

/// The jobs of templates.
pub fn handlers(templates: &MessageTemplates, lines: &SharedLines) -> Handlers {
    let syncing = Syncing { templates: templates.clone(), lines: lines.clone() };
    let planning = templates.clone();
    Handlers::from([
        (
            SYNC_JOB,
            jobs::handler(move |waba| {
                let syncing = syncing.clone();
                async move { syncing.sync(waba.parse::<WabaId>()?).await }
            }),
        ),
        (
            PLAN_JOB,
            jobs::handler(move |_| {
                let planning = planning.clone();
                async move { planning.plan().await }
            }),
        ),
    ])
}

/// Why an account could not be read to the end.
enum Stopped {
    /// Nobody holds it, or its token does not work.
    NoLine,
    Refused(GraphError),
    /// Near Meta's limits; until then what is left is left to people.
    Wait(OffsetDateTime),
    Failed(JobError),
}

impl From<store::StoreError> for Stopped {
    fn from(error: store::StoreError) -> Self {
        Self::Failed(Box::new(error))
    }
}

impl Syncing {
    async fn sync(&self, waba: WabaId) -> Result<Outcome, JobError> {
        let clock = &self.templates.clock;
        let mut tx = self.templates.store.write().await?;
        if !state_queries::begin(&mut tx, &waba, clock.now(), next_at(&waba, clock.now())).await? {
            return Ok(Outcome::Done);
        }
        tx.commit().await?;
        let stopped = match self.read_all(&waba).await {
            Ok(()) => return Ok(Outcome::Done),
            Err(Stopped::Failed(error)) => return Err(error),
            Err(Stopped::Wait(until)) => {
                let mut tx = self.templates.store.write().await?;
                state_queries::wait(&mut tx, &waba, until).await?;
                tx.commit().await?;
                return Ok(Outcome::Again(until));
            }
            Err(stopped) => stopped,
        };
        let error = match stopped {
            Stopped::Refused(error) => Some(error),
            _ => None,
        };
        let mut tx = self.templates.store.write().await?;
        let failures = state_queries::fail(&mut tx, &waba, error.as_ref()).await?;
        tx.commit().await?;
        let is_passing = error
            .as_ref()
            .is_some_and(|error| matches!(error.class(), ErrorClass::Transient | ErrorClass::RateLimited));
        // Five tries over a day; then the schedule's turn.
        let pauses = [1, 5, 30, 120, 600];
        let pause = usize::try_from(failures - 1).ok().and_then(|at| pauses.get(at));
        Ok(match pause {
            Some(minutes) if is_passing => Outcome::Again(clock.now() + Duration::minutes(*minutes)),
            _ => Outcome::Done,
        })
    }

    async fn read_all(&self, waba: &WabaId) -> Result<(), Stopped> {
        let holder = self.lines.holder(waba).await.map_err(no_line)?.ok_or(Stopped::NoLine)?;
        let line = self.lines.line(holder.connection).await.map_err(no_line)?;
        let mut restarts = 0;
        loop {
            match self.read_pages(waba, &line).await {
                Err(Stopped::Refused(error)) if error.is_invalid_cursor() && restarts < RESTARTS => restarts += 1,
                Err(Stopped::Refused(error)) => {
                    self.lines.refused(line.connection, &error).await;
                    return Err(Stopped::Refused(error));
                }
                other => return other,
            }
        }
    }

    /// Page by page; each is kept before the next is asked for, so that the page shows how far it is.
    async fn read_pages(&self, waba: &WabaId, line: &Line) -> Result<(), Stopped> {
        let (store, clock) = (&self.templates.store, &self.templates.clock);
        let mut known = queries::known(&mut store.read().await?, waba).await?;
        let began = clock.now();
        let mut tally = Tally::default();
        let mut after: Option<String> = None;
        for _ in 0..MAX_PAGES {
            if let Some(until) = line.graph.wait(&line.access, Some(waba.as_str())) {
                return Err(Stopped::Wait(until));
            }
            let asked_at = clock.now();
            let page = line.graph.templates(&line.access, waba, after.as_deref()).await.map_err(Stopped::Refused)?;
            let mut tx = store.write().await?;
            keep(&mut tx, waba, page.templates, &mut known, &mut tally, asked_at).await?;
            state_queries::progress(&mut tx, waba, &tally).await?;
            tx.commit().await?;
            after = page.after;
            if after.is_none() {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        let mut tx = store.write().await?;
        state_queries::lock(&mut tx, waba).await?;
        // What was made, or told of, while we read is not gone.
        tally.gone = queries::drop_unseen(&mut tx, waba, began).await?;
        state_queries::finish(&mut tx, waba, &tally, clock.now(), next_at(waba, clock.now())).await?;
        decisions::prune(&mut tx, waba, clock.now()).await?;
        queries::forget_acts(&mut tx, clock.now() - Duration::days(31)).await?;
        tx.commit().await?;
        Ok(())
    }
}

fn no_line(why: NoLine) -> Stopped {
    match why {
        NoLine::None => Stopped::NoLine,
        NoLine::Failed(error) => Stopped::Failed(error),
    }
}

/// Keeps a page of templates, and counts what is new and what is changed. What was edited or deleted here since the page
/// was asked for is left as it is.
pub(super) async fn keep(
    tx: &mut WriteTx,
    waba: &WabaId,
    page: Vec<MessageTemplate>,
    known: &mut HashMap<String, Known>,
    tally: &mut Tally,
    asked_at: OffsetDateTime,
) -> store::Result<()> {
    state_queries::lock(tx, waba).await?;
    let overtaken = queries::overtaken(tx, waba, asked_at).await?;
    let (mut rows, mut found) = (Vec::new(), Vec::new());
    for template in page {
        if crate::base::ids::meta_digits(&template.id).is_err() {
            continue;
        }
        tally.read += 1;
        if overtaken.has(&template) {
            continue;
        }
        let now = Known::of(&template);
        let is_changed = match known.get(&template.id) {
            None => {
                tally.added += 1;
                true
            }
            Some(before) if before.differs(&now) => {
                tally.changed += 1;
                let decided = before.decided(&now);
                found.extend(decided.into_iter().map(|(what, value)| (template.id.clone(), now.clone(), what, value)));
                true
            }
            Some(_) => false,
        };
        let changed_at = is_changed.then(|| to_ms(asked_at));
        rows.extend(queries::row(waba, &template, &now, asked_at, changed_at));
        known.insert(template.id, now);
    }
    let decided: Vec<Decision<'_>> =
        found.iter().map(|(id, now, what, value)| now.decision(waba, id, *what, value, asked_at)).collect();
    decisions::note(tx, &decided).await?;
    queries::upsert(tx, rows).await
}

/// A day later, give or take two hours by the account's ID: so all of them don't come at once.
fn next_at(waba: &WabaId, now: OffsetDateTime) -> OffsetDateTime {
    let sum = waba.as_str().bytes().fold(0_i64, |sum, byte| (sum * 31 + i64::from(byte)) % 14_400);
    now + EVERY + Duration::seconds(sum - 7_200)
}

impl MessageTemplates {
    /// Asks for all templates of an account to be read now.
    ///
    /// # Errors
    /// The database's.
    pub async fn ask_sync(&self, waba: &WabaId) -> store::Result<()> {
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        state_queries::queued(&mut tx, waba, now).await?;
        self.queue.enqueue(&mut tx, SYNC_JOB, waba.as_str(), now).await?;
        tx.commit().await?;
        self.queue.wake();
        Ok(())
    }

    /// Has the templates of an account read for the first time, in the transaction that connects it; a little later, so
    /// that what signup still has to do comes first.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin_sync(&self, tx: &mut WriteTx, waba: &WabaId) -> store::Result<()> {
        let now = self.clock.now();
        state_queries::queued(tx, waba, now).await?;
        self.queue.enqueue(tx, SYNC_JOB, waba.as_str(), now + AFTER_CONNECTING).await
    }

    /// Takes back what was still to be read, in the transaction that lets the account go.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_sync(&self, tx: &mut WriteTx, waba: &WabaId) -> store::Result<()> {
        self.queue.cancel(tx, SYNC_JOB, waba.as_str()).await
    }

    /// How reading them goes; `None` where it never began.
    ///
    /// # Errors
    /// The database's.
    pub async fn syncing(&self, db: &mut impl Reads, waba: &WabaId) -> store::Result<Option<Sync>> {
        state_queries::sync(db, waba).await
    }

    /// Queues the accounts that are due, spread over the time until the next look.
    async fn plan(&self) -> Result<Outcome, JobError> {
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        let due = state_queries::due(&mut tx, now, PLAN_AT_ONCE).await?;
        let step = PLAN_EVERY / i32::try_from(due.len().max(1)).unwrap_or(1);
        let mut at = now;
        for waba in due {
            state_queries::planned(&mut tx, &waba, next_at(&waba, now)).await?;
            self.queue.enqueue(&mut tx, SYNC_JOB, waba.as_str(), at).await?;
            at += step;
        }
        tx.commit().await?;
        self.queue.wake();
        Ok(Outcome::Again(now + PLAN_EVERY))
    }

    /// Keeps one that was read by itself.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn keep_one(
        &self,
        waba: &WabaId,
        template: MessageTemplate,
        asked_at: OffsetDateTime,
    ) -> store::Result<()> {
        let mut tx = self.store.write().await?;
        let mut known = HashMap::new();
        if let Some(before) = queries::known_one(&mut tx, waba, &template.id).await? {
            known.insert(template.id.clone(), before);
        }
        keep(&mut tx, waba, vec![template], &mut known, &mut Tally::default(), asked_at).await?;
        tx.commit().await
    }
}

impl Template {
    /// Its language in the one form in which we know it.
    #[must_use]
    pub fn language_code(&self) -> String {
        language_code(&self.language)
    }
}
