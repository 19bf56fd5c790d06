//! Keeps what the built-in receiver got: many calls in one transaction, and no more of the time than a share, since
//! SQLite has one writer. A call is answered after it is written: what the page shows and what was answered must not
//! differ, and the page's switch says what that is.

use super::{
    receiver::Answers,
    receiver_queries::{self as queries, Call},
};
use crate::{
    base::ids::EndpointId,
    store::{Result, Store},
};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, oneshot};

/// How many calls may wait; each holds up to 64 KiB.
const WAITING: usize = 256;
/// How many calls one transaction takes at most.
const TOGETHER: usize = 128;
/// How long calls are collected at least.
const COLLECT: Duration = Duration::from_millis(5);
/// After a transaction it rests so many times as long as that took, as far as [`LONGEST_REST`].
const REST: u32 = 2;
const LONGEST_REST: Duration = Duration::from_millis(100);

/// What became of a call: what is to be answered; `None` where its endpoint is there no more.
type Kept = Option<Answers>;

struct Waiting {
    call: Call,
    kept: oneshot::Sender<Kept>,
}

/// Takes calls to be kept. Cloning shares it.
#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Waiting>);

impl Writer {
    /// In this database; it ends when nobody has it any more.
    pub fn new(store: Store) -> Self {
        let (sender, waiting) = mpsc::channel(WAITING);
        if tokio::runtime::Handle::try_current().is_ok() {
            tokio::spawn(run(store, waiting));
        }
        Self(sender)
    }

    /// Keeps a call; when this returns it is committed. What is to be answered; an error where it could not be kept.
    pub async fn keep(&self, call: Call) -> std::result::Result<Kept, NotKept> {
        let (kept, done) = oneshot::channel();
        self.0.send(Waiting { call, kept }).await.map_err(|_| NotKept)?;
        done.await.map_err(|_| NotKept)
    }
}

/// The database failed.
#[derive(Clone, Copy, Debug)]
pub(super) struct NotKept;

async fn run(store: Store, mut waiting: mpsc::Receiver<Waiting>) {
    let mut some = Vec::with_capacity(TOGETHER);
    while waiting.recv_many(&mut some, TOGETHER).await > 0 {
        if some.len() < TOGETHER {
            tokio::time::sleep(COLLECT).await;
            while some.len() < TOGETHER
                && let Ok(one) = waiting.try_recv()
            {
                some.push(one);
            }
        }
        let (calls, asked): (Vec<Call>, Vec<_>) = some.drain(..).map(|one| (one.call, one.kept)).unzip();
        let of: Vec<EndpointId> = calls.iter().map(|call| call.endpoint).collect();
        match write(&store, calls).await {
            Ok((answers, took)) => {
                for (endpoint, asked) in of.into_iter().zip(asked) {
                    // Whoever called may have gone.
                    let _ = asked.send(answers.get(&endpoint).copied());
                }
                tokio::time::sleep((took * REST).min(LONGEST_REST)).await;
            }
            // Nobody is told that it went well: all are called again.
            Err(error) => tracing::error!(%error, calls = of.len(), "the built-in receiver could not keep calls"),
        }
    }
}

/// Writes calls; what their endpoints answer, and how long the transaction took, from when it had the writer.
async fn write(store: &Store, calls: Vec<Call>) -> Result<(HashMap<EndpointId, Answers>, Duration)> {
    let mut tx = store.write().await?;
    let began = Instant::now();
    let there = queries::answers_of(&mut tx, calls.iter().map(|call| call.endpoint)).await?;
    let answers: HashMap<EndpointId, Answers> =
        there.into_iter().map(|(id, number)| (id, Answers::of(number).unwrap_or(Answers::Well))).collect();
    queries::keep(&mut tx, calls, |endpoint| answers.get(&endpoint).map(|answers| answers.number())).await?;
    for endpoint in answers.keys() {
        queries::trim(&mut tx, *endpoint).await?;
    }
    tx.commit().await?;
    Ok((answers, began.elapsed()))
}
