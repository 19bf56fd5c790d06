//! Numbers of customers, found and read anew.

use super::{
    file::{File, Tries, TryKind},
    file_queries,
    model::Number,
    pins::{self, Pin},
    queries,
    readings::{self, Reading},
    tries,
};
use crate::{
    accounts::{Member, audit},
    base::{
        clock::Clock,
        ids::{ConnectionId, CustomerId, PhoneNumberId, WabaId},
        sealed::KeyRing,
    },
    graph::{self, ErrorClass, GraphError, Held, Line, NoLine, SharedLines},
    jobs::Queue,
    store::{Reads, Result, Store, StoreError, WriteTx},
    web,
};
use time::{Duration, OffsetDateTime};

/// Numbers. Cloning shares what is beneath.
#[derive(Clone)]
pub struct PhoneNumbers {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) keys: KeyRing,
    pub(super) queue: Queue,
    pub(super) lines: SharedLines,
}

/// A customer's number with what is kept of it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub held: Held,
    pub number: Number,
    pub file: File,
}

/// What is shown beside it.
pub(super) struct Kept {
    pub pin: Option<Pin>,
    /// Those of which one is the number's.
    pub candidates: Vec<Pin>,
    pub registers: Tries,
    pub readings: Vec<Reading>,
}

/// Why something could not be asked of Meta.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    /// The connection has no token that works.
    #[error("no access")]
    NoAccess,
    /// The same is on its way to Meta.
    #[error("the same is being done")]
    Busy,
    /// Meta refused, or was not reached.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// A fault of ours.
    #[error("{0}")]
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl From<StoreError> for AskError {
    fn from(error: StoreError) -> Self {
        Self::Internal(Box::new(error))
    }
}

impl From<NoLine> for AskError {
    fn from(none: NoLine) -> Self {
        match none {
            NoLine::None => Self::NoAccess,
            NoLine::Failed(error) => Self::Internal(error),
        }
    }
}

impl From<NoLine> for web::Error {
    fn from(none: NoLine) -> Self {
        match none {
            NoLine::None => Self::Conflict("Connect this account again first.".to_owned()),
            NoLine::Failed(error) => Self::internal(error),
        }
    }
}

impl PhoneNumbers {
    /// In this database.
    #[must_use]
    pub fn new(store: Store, clock: Clock, keys: KeyRing, queue: Queue, lines: SharedLines) -> Self {
        Self { store, clock, keys, queue, lines }
    }

    /// A customer's connection that is not over.
    pub(super) async fn held(&self, customer: CustomerId, connection: ConnectionId) -> web::Result<Held> {
        let held = self.lines.held(connection).await?;
        held.filter(|held| held.customer == customer).ok_or(web::Error::NotFound)
    }

    /// A customer's number.
    pub(super) async fn find(
        &self,
        customer: CustomerId,
        connection: ConnectionId,
        id: &PhoneNumberId,
    ) -> web::Result<Found> {
        let held = self.held(customer, connection).await?;
        let (number, file) = {
            let mut db = self.store.read().await?;
            let number = queries::get(&mut db, id).await?.filter(|number| held.wabas.contains(&number.waba_id));
            let number = number.ok_or(web::Error::NotFound)?;
            let file = file_queries::of_number(&mut db, customer, &number.display).await?;
            (number, file)
        };
        let file = match file {
            Some(file) => file,
            // Read before files were kept.
            None => self.begin_file(customer, &number).await?,
        };
        Ok(Found { held, number, file })
    }

    async fn begin_file(&self, customer: CustomerId, number: &Number) -> web::Result<File> {
        let mut tx = self.store.write().await?;
        file_queries::ensure(
            &mut tx,
            &number.waba_id,
            &number.id,
            &number.display,
            number.status.as_deref(),
            self.clock.now(),
        )
        .await?;
        let file = file_queries::of_number(&mut tx, customer, &number.display).await?;
        tx.commit().await?;
        file.ok_or(web::Error::NotFound)
    }

    /// What is shown of it; readings of so long.
    pub(super) async fn kept(&self, file: &File, back: Duration) -> Result<Kept> {
        let now = self.clock.now();
        let mut db = self.store.read().await?;
        Ok(Kept {
            pin: pins::last(&mut db, &file.id).await?,
            candidates: pins::candidates(&mut db, &file.id).await?,
            registers: tries::of(&mut db, file, TryKind::Register, now).await?,
            readings: readings::since(&mut db, &file.id, now - back).await?,
        })
    }

    /// Whether it is with this number that the file goes on; otherwise it has moved.
    pub(super) async fn moved_to(&self, found: &Found) -> Result<Option<Number>> {
        if found.file.phone_number_id == found.number.id {
            return Ok(None);
        }
        queries::get(&mut self.store.read().await?, &found.file.phone_number_id).await
    }

    /// Reads all of a number at Meta, and keeps it.
    ///
    /// # Errors
    /// See [`AskError`]; where it is about the access, that is looked into.
    pub(super) async fn refresh(&self, found: &Found) -> std::result::Result<Number, AskError> {
        let line = self.lines.line(found.held.connection).await?;
        let asked = self.now();
        let read = self.asked(&line, line.graph.phone_number(&line.access, &found.number.id).await).await?;
        self.keep_whole(&found.number.waba_id, &read, asked).await?;
        let now = queries::get(&mut self.store.read().await?, &found.number.id).await?;
        Ok(now.unwrap_or_else(|| found.number.clone()))
    }

    /// What Meta answered; refusals of access are looked into.
    pub(super) async fn asked<T>(&self, line: &Line, answer: graph::Result<T>) -> std::result::Result<T, AskError> {
        match answer {
            Ok(answer) => Ok(answer),
            Err(error) => {
                self.lines.refused(line.connection, &error).await;
                Err(match error.class() {
                    ErrorClass::Authorization => AskError::NoAccess,
                    _ => AskError::Graph(error),
                })
            }
        }
    }

    /// Keeps what Meta answered when it was asked then.
    pub(super) async fn keep_whole(
        &self,
        waba: &WabaId,
        read: &graph::PhoneNumber,
        asked: OffsetDateTime,
    ) -> Result<()> {
        let mut tx = self.store.write().await?;
        queries::keep_whole(&mut tx, waba, read, asked).await?;
        tx.commit().await
    }

    /// Notes in the log what somebody did with a number.
    pub(super) async fn note(
        &self,
        tx: &mut WriteTx,
        member: Option<&Member>,
        file: &File,
        action: &'static str,
        detail: Option<String>,
    ) -> Result<()> {
        let entry = audit::Entry {
            actor: member.map(|member| member.user.id),
            customer: Some(file.customer),
            action,
            subject: Some(file.phone_number_id.as_str()),
            detail,
        };
        audit::record(tx, &self.clock, entry).await
    }

    /// The moment.
    pub(super) fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// Forgets what is kept of a customer's numbers, in the caller's transaction.
    ///
    /// # Errors
    /// The database's.
    pub async fn erase(tx: &mut WriteTx, queue: &Queue, customer: CustomerId) -> Result<()> {
        for (file, number) in file_queries::of_customer(tx, customer).await? {
            queue.cancel(tx, super::TASK_JOB, &file).await?;
            queue.cancel(tx, super::SYNC_JOB, number.as_str()).await?;
        }
        file_queries::erase(tx, customer).await
    }

    /// What is kept of a customer's numbers, without PINs, to be handed out.
    ///
    /// # Errors
    /// The database's.
    pub async fn export(db: &mut impl Reads, customer: CustomerId) -> Result<Vec<serde_json::Value>> {
        file_queries::export(db, customer).await
    }
}
