//! Texts that are numbered without gaps, in a transaction of their own, as one errand to the engine. Statement by
//! statement each would wait for the engine's thread, or process, to get a processor; where processors are busy such
//! a transaction costs little else.

use super::{Result, Store, StoreError, counters::Counter};
use sqlx::{Arguments, Row, Sqlite, pool::PoolConnection, postgres::PgArguments, sqlite::SqliteArguments};
use std::sync::OnceLock;
use time::OffsetDateTime;

/// For how many texts SQLite has statements; others are filled up with nulls, which are left out.
const SIZES: [usize; 12] = [1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 256];

/// A table of texts: a number, when each came, and the text itself. They are numbered in the order of their commits.
pub struct Log {
    counter: Counter,
    table: &'static str,
    sqlite: [OnceLock<&'static str>; SIZES.len()],
    postgres: OnceLock<&'static str>,
}

impl Log {
    /// The most texts that one call takes.
    pub const MOST: usize = SIZES[SIZES.len() - 1];

    /// Numbered by `counter`; `table` is `name (number, came_at, text)`.
    #[must_use]
    pub const fn new(counter: Counter, table: &'static str) -> Self {
        Self { counter, table, sqlite: [const { OnceLock::new() }; SIZES.len()], postgres: OnceLock::new() }
    }

    /// Keeps these texts, which came at `at`, and commits them; gives the number of the first.
    ///
    /// On PostgreSQL a text must not hold NUL. Dropped before it is done, it may be done all the same.
    ///
    /// # Errors
    /// The engine's, or where there are none or more than [`Self::MOST`]: then nothing was kept.
    pub async fn append(&'static self, store: &Store, at: OffsetDateTime, texts: Vec<String>) -> Result<i64> {
        let n = texts.len();
        if n == 0 || n > Self::MOST {
            return Err(sqlx::Error::InvalidArgument(format!("{n} texts at once")).into());
        }
        let (count, at) = (n as i64, crate::base::clock::to_ms(at));
        let last = match store {
            Store::Sqlite { write, .. } => {
                let size = SIZES.partition_point(|size| *size < n);
                let mut arguments = SqliteArguments::default();
                let padded = texts.into_iter().map(Some).chain(std::iter::repeat(None)).take(SIZES[size]);
                for text in padded {
                    arguments.add(text).map_err(sqlx::Error::Encode)?;
                }
                for number in [at, count] {
                    arguments.add(number).map_err(sqlx::Error::Encode)?;
                }
                let conn = write.acquire().await?;
                // In a task of its own it comes to its end, which leaves the connection as it should be.
                tokio::spawn(errand(conn, self.sqlite(size), arguments))
                    .await
                    .map_err(|_| sqlx::Error::WorkerCrashed)??
            }
            Store::Postgres(pool) => {
                let mut arguments = PgArguments::default();
                for number in [count, at] {
                    arguments.add(number).map_err(sqlx::Error::Encode)?;
                }
                arguments.add(texts).map_err(sqlx::Error::Encode)?;
                sqlx::query_with(self.postgres(), arguments).fetch_one(pool).await?.try_get(0)?
            }
        };
        Ok(last - count + 1)
    }

    /// The whole transaction in SQLite's words.
    fn sqlite(&self, size: usize) -> &'static str {
        self.sqlite[size].get_or_init(|| {
            let (rows, counter, table) = (SIZES[size], self.counter.0, self.table);
            let values: Vec<String> = (1..=rows).map(|at| format!("({at}, ?)")).collect();
            let (values, at, count) = (values.join(", "), rows + 1, rows + 2);
            leak(format!(
                "BEGIN IMMEDIATE; \
                 INSERT INTO {table} SELECT (SELECT value FROM counters WHERE name = '{counter}') + column1, ${at}, \
                 column2 FROM (VALUES {values}) WHERE column2 IS NOT NULL; \
                 UPDATE counters SET value = value + ${count} WHERE name = '{counter}' RETURNING value; \
                 COMMIT"
            ))
        })
    }

    /// The same in PostgreSQL's: one statement is a transaction.
    fn postgres(&self) -> &'static str {
        self.postgres.get_or_init(|| {
            let (counter, table) = (self.counter.0, self.table);
            leak(format!(
                "WITH last AS (UPDATE counters SET value = value + $1 WHERE name = '{counter}' RETURNING value), \
                 kept AS (INSERT INTO {table} SELECT last.value - $1 + text.at, $2, text.text \
                 FROM last, unnest($3::text[]) WITH ORDINALITY AS text (text, at)) \
                 SELECT value FROM last"
            ))
        })
    }
}

fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// Runs a transaction that gives one number. Where it fails it is rolled back, so that the connection is as before.
async fn errand(mut conn: PoolConnection<Sqlite>, sql: &'static str, arguments: SqliteArguments) -> Result<i64> {
    match sqlx::query_with(sql, arguments).fetch_all(&mut *conn).await {
        Ok(rows) => Ok(rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get(0)?),
        Err(error) => {
            // Some errors have rolled it back already; then this fails, which is as well.
            if let Err(error) = sqlx::query("ROLLBACK").execute(&mut *conn).await {
                tracing::debug!(%error, "nothing to roll back");
            }
            Err(StoreError::from(error))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::query;

    static LOG: Log = Log::new(Counter("intake"), "intake (seq, received_at, body)");

    async fn bodies(store: &Store) -> Vec<(i64, String)> {
        let mut db = store.read().await.unwrap();
        let sql = "SELECT seq, body FROM intake ORDER BY seq";
        query(sql).all(&mut db, |row| Ok((row.int("seq")?, row.text("body")?))).await.unwrap()
    }

    #[tokio::test]
    async fn texts_are_numbered_in_order_and_without_gaps() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("x.db").display());
        let store = Store::connect(&url).await.unwrap();
        store.migrate().await.unwrap();
        let (mut kept, mut wanted) = (1, Vec::new());
        for n in [1, 3, 5, 64, 65, 256] {
            let texts: Vec<String> = (0..n).map(|at| format!("{n}.{at}")).collect();
            let first = LOG.append(&store, OffsetDateTime::UNIX_EPOCH, texts.clone()).await.unwrap();
            assert_eq!(first, kept);
            wanted.extend((first..).zip(texts));
            kept += n;
        }
        assert_eq!(bodies(&store).await, wanted);
        // What fails leaves nothing behind, and the connection fit for more.
        let mut tx = store.write().await.unwrap();
        query("UPDATE counters SET value = 3 WHERE name = 'intake'").execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        let error = LOG.append(&store, OffsetDateTime::UNIX_EPOCH, vec!["taken".to_owned()]).await.unwrap_err();
        assert!(error.is_unique_violation(), "{error}");
        assert!(LOG.append(&store, OffsetDateTime::UNIX_EPOCH, Vec::new()).await.is_err());
        let mut tx = store.write().await.unwrap();
        query("UPDATE counters SET value = 1000 WHERE name = 'intake'").execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        let first = LOG.append(&store, OffsetDateTime::UNIX_EPOCH, vec!["more".to_owned()]).await.unwrap();
        assert_eq!(first, 1001);
    }
}
