//! Leases, the again-flag, backing off.

use super::*;
use doorway::{
    base::clock::Clock,
    jobs::{Handler, Handlers, Outcome, Queue, Worker, handler},
    store::{Store, query},
};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

on_both_engines!(
    a_job_of_a_dead_worker_is_done_by_another,
    who_comes_late_takes_nothing_from_who_took_over,
    a_clock_that_jumps_starts_nothing_twice,
    asked_again_while_it_is_done_it_is_done_again,
    a_failing_job_backs_off,
    a_job_that_panics_harms_no_other,
    an_earlier_time_wins,
    several_workers_do_each_job_once,
);

/// A queue with its clock.
struct Bench {
    store: Store,
    clock: Clock,
    queue: Queue,
    stop: CancellationToken,
    db: Database,
}

impl Bench {
    async fn new(db: Database) -> Self {
        let clock = Clock::system();
        let (store, queue) = (db.store().await, Queue::new(clock.clone()));
        Self { store, clock, queue, stop: CancellationToken::new(), db }
    }

    fn worker(&self, handler: Handler) {
        let handlers = Handlers::from([("test", handler)]);
        let worker = Worker::new(self.store.clone(), self.clock.clone(), self.queue.clone(), handlers);
        tokio::spawn(worker.run(self.stop.clone()));
    }

    async fn ask(&self, subject: &str, seconds: i64) {
        let mut tx = self.store.write().await.unwrap();
        let at = self.clock.now() + time::Duration::seconds(seconds);
        self.queue.enqueue(&mut tx, "test", subject, at).await.unwrap();
        tx.commit().await.unwrap();
        self.queue.wake();
    }

    async fn waiting(&self) -> i64 {
        self.queue.count(&mut self.store.read().await.unwrap(), "test").await.unwrap()
    }

    async fn number(&self, sql: &'static str) -> Option<i64> {
        query(sql).one(&mut self.store.read().await.unwrap(), |row| row.opt_int("n")).await.unwrap()
    }

    async fn empty(&self) {
        eventually("an empty queue", || async { (self.waiting().await == 0).then_some(()) }).await;
    }
}

/// Counts its runs; each waits for a permit first.
fn counting(runs: &Arc<AtomicUsize>, gate: &Arc<Semaphore>) -> Handler {
    let (runs, gate) = (runs.clone(), gate.clone());
    handler(move |_| {
        let (runs, gate) = (runs.clone(), gate.clone());
        async move {
            runs.fetch_add(1, Ordering::SeqCst);
            gate.acquire().await?.forget();
            Ok(Outcome::Done)
        }
    })
}

fn counters(permits: usize) -> (Arc<AtomicUsize>, Arc<Semaphore>) {
    (Arc::default(), Arc::new(Semaphore::new(permits)))
}

async fn reached(runs: &AtomicUsize, count: usize) {
    eventually(&format!("{count} runs"), || async { (runs.load(Ordering::SeqCst) >= count).then_some(()) }).await;
}

async fn a_job_of_a_dead_worker_is_done_by_another(db: Database) {
    let bench = Bench::new(db).await;
    let (runs, gate) = counters(9);
    bench.worker(counting(&runs, &gate));
    bench.ask("warm", 0).await;
    bench.empty().await;
    let mut tx = bench.store.write().await.unwrap();
    let now = bench.clock.now();
    bench.queue.enqueue(&mut tx, "test", "orphan", now).await.unwrap();
    let sql = "UPDATE jobs SET lease_owner = 'dead', leased_until = $1";
    query(sql).bind(now + time::Duration::seconds(15)).execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    assert_eq!(runs.load(Ordering::SeqCst), 1, "its lease still holds");
    bench.clock.advance(time::Duration::seconds(16));
    reached(&runs, 2).await;
    bench.empty().await;
}

async fn who_comes_late_takes_nothing_from_who_took_over(db: Database) {
    let mut bench = Bench::new(db).await;
    let ((first, first_gate), (second, second_gate)) = (counters(0), counters(0));
    bench.worker(counting(&first, &first_gate));
    bench.ask("slow", 0).await;
    reached(&first, 1).await;
    let owner = "SELECT count(DISTINCT lease_owner) AS n FROM jobs WHERE lease_owner IS NOT NULL";
    assert_eq!(bench.number(owner).await, Some(1));
    // The first is stuck for longer than its lease; its heart beats only every 5 seconds.
    // It takes nothing new, so that the other is the one that takes over.
    std::mem::take(&mut bench.stop).cancel();
    bench.worker(counting(&second, &second_gate));
    bench.clock.advance(time::Duration::seconds(16));
    reached(&second, 1).await;
    first_gate.add_permits(1);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(bench.waiting().await, 1, "the job is not struck off while another does it");
    second_gate.add_permits(1);
    bench.empty().await;
    assert_eq!((first.load(Ordering::SeqCst), second.load(Ordering::SeqCst)), (1, 1));
}

async fn a_clock_that_jumps_starts_nothing_twice(db: Database) {
    let bench = Bench::new(db).await;
    let (runs, gate) = counters(0);
    bench.worker(counting(&runs, &gate));
    bench.ask("slow", 0).await;
    reached(&runs, 1).await;
    // The machine slept for an hour, and the job with it.
    bench.clock.advance(time::Duration::hours(1));
    bench.queue.wake();
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    assert_eq!(runs.load(Ordering::SeqCst), 1, "it is still at it");
    gate.add_permits(1);
    bench.empty().await;
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

async fn asked_again_while_it_is_done_it_is_done_again(db: Database) {
    let bench = Bench::new(db).await;
    let (runs, gate) = counters(0);
    bench.worker(counting(&runs, &gate));
    bench.ask("one", 0).await;
    reached(&runs, 1).await;
    for _ in 0..3 {
        bench.ask("one", 0).await;
    }
    assert_eq!(bench.waiting().await, 1, "at most one of a kind and subject");
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    assert_eq!(runs.load(Ordering::SeqCst), 1, "never twice at once");
    gate.add_permits(9);
    reached(&runs, 2).await;
    bench.empty().await;
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}

async fn a_failing_job_backs_off(db: Database) {
    let bench = Bench::new(db).await;
    let runs: Arc<AtomicUsize> = Arc::default();
    let counted = runs.clone();
    bench.worker(handler(move |_| {
        let counted = counted.clone();
        async move {
            if counted.fetch_add(1, Ordering::SeqCst) < 4 { Err("not today".into()) } else { Ok(Outcome::Done) }
        }
    }));
    bench.ask("moody", 0).await;
    for failed in 1..=4 {
        reached(&runs, failed).await;
        let pause = eventually("the outcome", || async {
            let sql = "SELECT CASE WHEN lease_owner IS NULL THEN run_at END AS n FROM jobs";
            bench.number(sql).await.map(|at| at - bench.clock.now_ms())
        })
        .await;
        let expected = 1_000 * (1 << failed);
        assert!((expected - 900..=expected).contains(&pause), "after {failed} failures: {pause} ms");
        let error = query("SELECT last_error FROM jobs");
        let error = error.one(&mut bench.store.read().await.unwrap(), |row| row.text("last_error")).await.unwrap();
        assert_eq!(error, "not today");
        bench.clock.advance(time::Duration::milliseconds(pause + 1));
    }
    bench.empty().await;
    assert_eq!(runs.load(Ordering::SeqCst), 5);
}

async fn a_job_that_panics_harms_no_other(db: Database) {
    let bench = Bench::new(db).await;
    let (runs, gate) = counters(9);
    let good = counting(&runs, &gate);
    let both: Handler = Arc::new(move |subject: String| {
        assert!(subject != "bad", "this one panics");
        good(subject)
    });
    let spawned: Handler = {
        let both = both.clone();
        handler(move |subject| {
            let both = both.clone();
            async move { both(subject).await }
        })
    };
    bench.worker(spawned);
    bench.ask("bad", 0).await;
    for at in 0..5 {
        bench.ask(&format!("good {at}"), 0).await;
    }
    reached(&runs, 5).await;
    eventually("only the bad one left", || async { (bench.waiting().await == 1).then_some(()) }).await;
}

async fn an_earlier_time_wins(db: Database) {
    let bench = Bench::new(db).await;
    let (runs, gate) = counters(9);
    bench.ask("later", 3_600).await;
    bench.worker(counting(&runs, &gate));
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    assert_eq!(runs.load(Ordering::SeqCst), 0);
    bench.ask("later", 7_200).await;
    bench.clock.advance(time::Duration::seconds(3_601));
    reached(&runs, 1).await;
    bench.ask("later", 3_600).await;
    bench.ask("later", 0).await;
    reached(&runs, 2).await;
    bench.empty().await;
}

async fn several_workers_do_each_job_once(db: Database) {
    let bench = Bench::new(db).await;
    let (runs, gate) = counters(1_000);
    for at in 0..60 {
        bench.ask(&at.to_string(), 0).await;
    }
    // One process has an SQLite database to itself.
    let workers = if bench.db.is_sqlite() { 1 } else { 3 };
    for _ in 0..workers {
        bench.worker(counting(&runs, &gate));
    }
    bench.empty().await;
    assert_eq!(runs.load(Ordering::SeqCst), 60);
}
