//! Young marks: those made lately, in the router's memory and, in the order in which they came, in a table that only
//! grows at its end. Where digests lie is random, so each mark written to its own place would cost a page; here they
//! wait until some of the same page have come, and are then folded into `event_marks`, range after range of digests,
//! round after round. The memory is read anew from the table when a router begins.

use super::{change::EventId, marks::Mark, queries};
use crate::store::{Reads, Result, StoreError, WriteTx};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Above how many of them some are folded with each transaction of the router, more and more; a mark takes about 60
/// bytes of memory, so this many 15 MB.
const CALM: usize = 250_000;
/// With how many as many are folded as come.
const FULL: usize = 2 * CALM;
/// How many are folded at once where nothing else is to do.
const AT_LEISURE: usize = 500;
/// How many rows of the table, whose marks are all folded, are removed at once; each has a transaction's marks.
const ROWS: u32 = 8;
const ROWS_AT_LEISURE: u32 = 100;
/// How many rows are read at once.
const READ: i64 = 200;

/// Shared by the router, which alone changes it, and those of its process who want to know.
#[derive(Default)]
pub(super) struct Young(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    marks: BTreeMap<i64, Mark>,
    /// Up to which body it holds all that the table has; `None`: this process does not route.
    until: Option<i64>,
    /// Where this round is: after this digest; `None`: at its beginning.
    after: Option<i64>,
    /// The last row that there was when this round began: its marks will all have been folded when it ends.
    began: i64,
    /// The last row that was there when the round before began: it and those before may go.
    folded: i64,
    /// Whether some of those are still there.
    may_go: bool,
}

/// Some marks on their way to `event_marks`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fold {
    digests: Vec<i64>,
    /// Whether that ends the round.
    is_last: bool,
    /// Whether there may be more rows of the table to remove.
    may_go: bool,
}

impl Young {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of these digests that are here, if all young ones are.
    pub fn find(&self, digests: &[i64]) -> Option<Vec<(i64, Mark)>> {
        let inner = self.inner();
        inner.until?;
        Some(digests.iter().filter_map(|digest| Some((*digest, inner.marks.get(digest)?.clone()))).collect())
    }

    /// The marks of these digests, young or not.
    pub async fn or_older(&self, db: &mut impl Reads, digests: &[i64]) -> Result<Vec<(i64, Mark)>> {
        let mut found = match self.find(digests) {
            Some(found) => found,
            None => elsewhere(db, digests).await?,
        };
        let here: HashSet<i64> = found.iter().map(|(digest, _)| *digest).collect();
        let missing: Vec<i64> = digests.iter().copied().filter(|digest| !here.contains(digest)).collect();
        found.extend(queries::marks(db, &missing).await?);
        Ok(found)
    }

    /// Sees to it that all are here, for whoever routes what comes after this body: nobody else may have routed since.
    pub async fn be_whole(&self, db: &mut impl Reads, until: i64) -> Result<()> {
        if self.inner().until == Some(until) {
            return Ok(());
        }
        self.forget();
        let mut whole = Inner { until: Some(until), ..Inner::default() };
        each_row(db, |at, marks| {
            whole.marks.extend(marks);
            whole.began = at;
        })
        .await?;
        *self.inner() = whole;
        Ok(())
    }

    /// Up to which body those here are all there are.
    pub fn until(&self) -> Option<i64> {
        self.inner().until
    }

    /// Another process routes, or it is not known how far we are.
    pub fn forget(&self) {
        *self.inner() = Inner::default();
    }

    /// Keeps the marks of a transaction that routes up to this body, and folds some of those before them.
    pub async fn keep(&self, tx: &mut WriteTx, to: i64, marks: &[(i64, Mark)]) -> Result<Fold> {
        if !marks.is_empty() {
            queries::keep_young(tx, to, &write(marks)?).await?;
        }
        let over = self.inner().marks.len().saturating_sub(CALM);
        self.fold(tx, marks.len() * over / (FULL - CALM), ROWS).await
    }

    /// Folds some where nothing else is to do.
    pub async fn at_leisure(&self, tx: &mut WriteTx) -> Result<Fold> {
        self.fold(tx, AT_LEISURE, ROWS_AT_LEISURE).await
    }

    /// Whether there is nothing that could be folded or removed.
    pub fn is_settled(&self) -> bool {
        let inner = self.inner();
        inner.until.is_none() || (inner.marks.is_empty() && inner.folded >= inner.began && !inner.may_go)
    }

    async fn fold(&self, tx: &mut WriteTx, count: usize, rows: u32) -> Result<Fold> {
        let (some, folded) = {
            let inner = self.inner();
            let from = inner.after.map_or(Bound::Unbounded, Bound::Excluded);
            let next = inner.marks.range((from, Bound::Unbounded)).take(count);
            (
                next.map(|(digest, mark)| (*digest, mark.clone())).collect::<Vec<_>>(),
                inner.may_go.then_some(inner.folded),
            )
        };
        let is_last = some.len() < count;
        let digests = some.iter().map(|(digest, _)| *digest).collect();
        queries::set_marks(tx, some).await?;
        let may_go = match folded {
            Some(folded) => queries::remove_young(tx, folded, i64::from(rows)).await? >= u64::from(rows),
            None => false,
        };
        Ok(Fold { digests, is_last, may_go })
    }

    /// That transaction is committed.
    pub fn committed(&self, to: i64, marks: Vec<(i64, Mark)>, fold: Fold) {
        let mut inner = self.inner();
        inner.until = Some(to);
        inner.may_go = fold.may_go;
        for digest in &fold.digests {
            inner.marks.remove(digest);
        }
        if let Some(last) = fold.digests.last() {
            inner.after = Some(*last);
        }
        if fold.is_last {
            inner.after = None;
            inner.may_go |= inner.began > inner.folded;
            (inner.folded, inner.began) = (inner.began, to);
        }
        inner.marks.extend(marks.into_iter().map(|(digest, mark)| (digest, mark.at_rest())));
    }
}

/// Where another process routes, its young marks are in the table only, which is read from end to end: a person has
/// asked, and what a router at leisure leaves there is little.
async fn elsewhere(db: &mut impl Reads, digests: &[i64]) -> Result<Vec<(i64, Mark)>> {
    let wanted: HashSet<i64> = digests.iter().copied().collect();
    let mut found = HashMap::new();
    each_row(db, |_, marks| found.extend(marks.into_iter().filter(|(digest, _)| wanted.contains(digest)))).await?;
    Ok(found.into_iter().collect())
}

/// Hands on the rows of the table with their marks, in order.
async fn each_row(db: &mut impl Reads, mut take: impl FnMut(i64, Vec<(i64, Mark)>)) -> Result<()> {
    let mut last = i64::MIN;
    loop {
        let rows = queries::young(db, last, READ).await?;
        let Some((newest, _)) = rows.last() else { return Ok(()) };
        last = *newest;
        for (at, marks) in rows {
            take(at, read(at, &marks));
        }
        tokio::task::yield_now().await;
    }
}

/// A mark in a row of the table: digest, seen, event and day.
type Written = (i64, i64, i64, i64);

/// As they stand in the table.
fn write(marks: &[(i64, Mark)]) -> Result<String> {
    let row: Vec<Written> = marks.iter().map(|(digest, mark)| (*digest, mark.seen, mark.event.0, mark.day)).collect();
    serde_json::to_string(&row).map_err(|_| StoreError::Value("marks".to_owned()))
}

/// What can't be read is left out: the line must go on, and a duplicate does less harm than what never comes.
fn read(at: i64, text: &str) -> Vec<(i64, Mark)> {
    let row: Vec<Written> = serde_json::from_str(text).unwrap_or_else(|error| {
        tracing::error!(at, %error, "a row of young_marks can't be read: its duplicates will not be known");
        Vec::new()
    });
    row.into_iter().map(|(digest, seen, event, day)| (digest, Mark::kept(seen, EventId(event), day))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Store, query};

    async fn store() -> Store {
        let store = Store::connect("sqlite::memory:").await.unwrap();
        store.migrate().await.unwrap();
        store
    }

    fn mark(digest: i64, seen: i64) -> (i64, Mark) {
        (digest, Mark::kept(seen, EventId(digest * 10 + seen), 3))
    }

    async fn keep(store: &Store, young: &Young, to: i64, marks: Vec<(i64, Mark)>) {
        let mut tx = store.write().await.unwrap();
        let fold = young.keep(&mut tx, to, &marks).await.unwrap();
        tx.commit().await.unwrap();
        young.committed(to, marks, fold);
    }

    async fn fold(store: &Store, young: &Young, count: usize) {
        let mut tx = store.write().await.unwrap();
        let fold = young.fold(&mut tx, count, 1).await.unwrap();
        tx.commit().await.unwrap();
        young.committed(young.until().unwrap(), Vec::new(), fold);
    }

    /// What is known of these, by digest.
    async fn known(store: &Store, young: &Young, digests: &[i64]) -> Vec<(i64, i64)> {
        let mut db = store.read().await.unwrap();
        let found = young.or_older(&mut db, digests).await.unwrap();
        let mut found: Vec<_> = found.into_iter().map(|(digest, mark)| (digest, mark.seen)).collect();
        found.sort_unstable();
        found
    }

    async fn count(store: &Store, sql: &'static str) -> i64 {
        query(sql).one(&mut store.read().await.unwrap(), |row| row.int("n")).await.unwrap()
    }

    const OLD: &str = "SELECT count(*) AS n FROM event_marks";
    const ROWS_LEFT: &str = "SELECT count(*) AS n FROM young_marks";

    #[tokio::test]
    async fn what_is_folded_and_what_waits_is_known_at_every_moment_and_after_a_restart() {
        let (store, young) = (store().await, Young::default());
        young.be_whole(&mut store.read().await.unwrap(), 0).await.unwrap();
        keep(&store, &young, 4, vec![mark(-7, 1), mark(2, 1), mark(5, 1)]).await;
        keep(&store, &young, 6, vec![mark(9, 1), mark(2, 3)]).await;
        let all = [(-7, 1), (2, 3), (5, 1), (9, 1)];
        let digests = [9, 5, 2, -7, 100];
        for step in 0..8 {
            assert_eq!(known(&store, &young, &digests).await, all, "after {step} steps");
            let again = Young::default();
            assert_eq!(known(&store, &again, &digests).await, all, "for another process, after {step} steps");
            again.be_whole(&mut store.read().await.unwrap(), 6).await.unwrap();
            assert_eq!(known(&store, &again, &digests).await, all, "for the next router, after {step} steps");
            fold(&store, &young, 2).await;
        }
        assert!(young.is_settled());
        assert_eq!((count(&store, OLD).await, count(&store, ROWS_LEFT).await), (4, 0));
    }

    #[tokio::test]
    async fn what_comes_behind_the_fold_waits_for_the_next_round() {
        let (store, young) = (store().await, Young::default());
        young.be_whole(&mut store.read().await.unwrap(), 0).await.unwrap();
        keep(&store, &young, 1, vec![mark(1, 1), mark(2, 1), mark(3, 1)]).await;
        fold(&store, &young, 2).await;
        keep(&store, &young, 2, vec![mark(1, 5)]).await;
        fold(&store, &young, 2).await;
        assert_eq!(count(&store, OLD).await, 3);
        for _ in 0..2 {
            fold(&store, &young, 2).await;
            let again = Young::default();
            again.be_whole(&mut store.read().await.unwrap(), 2).await.unwrap();
            assert_eq!(known(&store, &again, &[1]).await, [(1, 5)], "its row stays until it is in its place");
        }
        fold(&store, &young, 2).await;
        fold(&store, &young, 2).await;
        assert_eq!(count(&store, ROWS_LEFT).await, 0);
        assert_eq!(known(&store, &Young::default(), &[1, 2, 3]).await, [(1, 5), (2, 1), (3, 1)]);
    }

    #[tokio::test]
    async fn a_transaction_that_fails_changes_nothing() {
        let (store, young) = (store().await, Young::default());
        young.be_whole(&mut store.read().await.unwrap(), 0).await.unwrap();
        let mut tx = store.write().await.unwrap();
        young.keep(&mut tx, 1, &[mark(1, 1)]).await.unwrap();
        drop(tx);
        assert_eq!(known(&store, &young, &[1]).await, []);
        keep(&store, &young, 1, vec![mark(1, 1)]).await;
        let mut tx = store.write().await.unwrap();
        young.at_leisure(&mut tx).await.unwrap();
        drop(tx);
        assert_eq!(known(&store, &young, &[1]).await, [(1, 1)]);
        // What can't be read is no reason to stand still.
        let mut tx = store.write().await.unwrap();
        query("INSERT INTO young_marks (at, marks) VALUES (9, '[[')").execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        young.be_whole(&mut store.read().await.unwrap(), 9).await.unwrap();
        assert_eq!(known(&store, &young, &[1]).await, [(1, 1)]);
    }

    #[tokio::test]
    async fn the_more_wait_the_more_are_folded() {
        let (store, young) = (store().await, Young::default());
        young.be_whole(&mut store.read().await.unwrap(), 0).await.unwrap();
        let many = |from: i64, n: usize| (from..).take(n).map(|digest| mark(digest, 1)).collect::<Vec<_>>();
        young.committed(1, many(0, CALM), Fold::default());
        keep(&store, &young, 2, many(-100, 100)).await;
        assert_eq!(count(&store, OLD).await, 0);
        young.committed(2, many(1_000_000, CALM - 100), Fold::default());
        keep(&store, &young, 3, many(-1_000, 100)).await;
        assert_eq!(count(&store, OLD).await, 100);
    }
}
