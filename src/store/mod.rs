//! The database: SQLite or PostgreSQL behind one closed enum, one SQL text for both.
//!
//! Features write a statement once, with `$1` placeholders, and run it on a [`ReadTx`] or a
//! [`WriteTx`]; the dispatch over the two engines happens here alone. See
//! `docs/decisions/0001-two-engines.md` for why it is done so.

mod append;
pub mod counters;
mod migrate;
mod query;
mod row;
mod rows;
mod sealed;
mod wal;

pub use append::Log;
pub use query::{Arg, Query, query};
pub use row::Row;
pub use rows::Rows;
pub use sealed::{SealedColumn, SealedError, check_sealed, reseal};

use sqlx::{
    Postgres, Sqlite, Transaction,
    pool::{PoolConnection, PoolOptions},
    postgres::PgConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{path::PathBuf, str::FromStr, time::Duration};

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The engine refused, or can't be reached.
    #[error("database: {0}")]
    Sql(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("migration: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The URL names neither engine.
    #[error("the database URL must start with sqlite:// or postgres://")]
    Url,
    /// A stored value is not what the code expects there; the column is named.
    #[error("column {0} holds an unexpected value")]
    Value(String),
}

impl StoreError {
    /// Whether a unique or primary key stood in the way.
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Sql(sqlx::Error::Database(error)) if error.is_unique_violation())
    }

    /// Whether it is the database's state that stood in the way (it is away, busy, or full), so that the same may
    /// succeed later; not what it was given.
    /// <https://www.sqlite.org/rescode.html> <https://www.postgresql.org/docs/current/errcodes-appendix.html>
    #[must_use]
    pub fn is_transient(&self) -> bool {
        use sqlx::Error as E;
        match self {
            Self::Sql(E::Database(error)) => {
                let code = error.code().unwrap_or_default();
                if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
                    // The primary code is the lower byte: BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, FULL,
                    // CANTOPEN, PROTOCOL.
                    let primary = code.parse::<i32>().map_or(0, |code| code & 0xff);
                    [5, 6, 7, 8, 9, 10, 13, 14, 15].contains(&primary)
                } else {
                    // Connection, read-only, rolled back for others' sake, resources, locks, shut down, its system.
                    let classes = ["08", "25006", "40", "53", "55", "57", "58"];
                    classes.iter().any(|class| code.starts_with(class))
                }
            }
            Self::Sql(E::Io(_) | E::Tls(_) | E::Protocol(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed) => {
                true
            }
            _ => false,
        }
    }
}

/// How many statements each connection keeps prepared: [`Rows`] has several of each.
const STATEMENTS: usize = 500;
/// How much of the file SQLite's writer holds in memory: 64 MB, in KiB with a minus.
const WRITER_CACHE: &str = "-65536";

/// The result of everything that touches the database.
pub type Result<T> = std::result::Result<T, StoreError>;

/// The database. Cloning shares its connections.
#[derive(Clone, Debug)]
pub enum Store {
    /// SQLite: one connection writes, several read.
    Sqlite {
        /// The one connection that writes.
        write: sqlx::Pool<Sqlite>,
        /// The read-only ones.
        read: sqlx::Pool<Sqlite>,
    },
    /// PostgreSQL.
    Postgres(sqlx::Pool<Postgres>),
}

/// A connection that only reads.
pub enum ReadTx {
    /// On SQLite.
    Sqlite(PoolConnection<Sqlite>),
    /// On PostgreSQL.
    Postgres(PoolConnection<Postgres>),
}

/// A transaction that may write. Dropped without [`WriteTx::commit`], it is rolled back.
/// Never hold one across an HTTP call.
pub enum WriteTx {
    /// On SQLite, begun IMMEDIATE.
    Sqlite(Transaction<'static, Sqlite>),
    /// On PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
}

/// One engine's bare connection: what a statement runs on.
pub enum Conn<'a> {
    /// SQLite's.
    Sqlite(&'a mut sqlx::SqliteConnection),
    /// PostgreSQL's.
    Postgres(&'a mut sqlx::PgConnection),
}

/// Whatever a reading statement can run on.
pub trait Reads: Send {
    /// The connection beneath.
    fn conn(&mut self) -> Conn<'_>;
}

impl Reads for ReadTx {
    fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(conn) => Conn::Sqlite(conn),
            Self::Postgres(conn) => Conn::Postgres(conn),
        }
    }
}

impl Reads for WriteTx {
    fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(tx) => Conn::Sqlite(tx),
            Self::Postgres(tx) => Conn::Postgres(tx),
        }
    }
}

impl Store {
    /// Connects, creating an SQLite file that is not there yet. Does not migrate.
    ///
    /// # Errors
    /// [`StoreError::Url`] for another scheme; the engine's own where it can't be reached.
    pub async fn connect(url: &str) -> Result<Self> {
        Self::connect_to(url, true).await
    }

    /// The same, but where there is no SQLite file none is made.
    ///
    /// # Errors
    /// As [`Store::connect`], and where the file is not there.
    pub async fn open(url: &str) -> Result<Self> {
        Self::connect_to(url, false).await
    }

    /// The file of an SQLite database; `None` for PostgreSQL, for one in memory, and where the address says none.
    #[must_use]
    pub fn file_of(url: &str) -> Option<PathBuf> {
        if !url.starts_with("sqlite:") || url.contains(":memory:") {
            return None;
        }
        Some(SqliteConnectOptions::from_str(url).ok()?.get_filename().to_owned())
    }

    async fn connect_to(url: &str, create: bool) -> Result<Self> {
        if url.starts_with("sqlite:") {
            let options = SqliteConnectOptions::from_str(url)?;
            if create && !url.contains(":memory:") {
                keep_private(options.get_filename());
            }
            let options = options
                .create_if_missing(create)
                .foreign_keys(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(Duration::from_secs(10))
                .statement_cache_capacity(STATEMENTS)
                .optimize_on_close(true, None);
            // The writer first: it makes the file and its WAL, which a reader could not. A connection to a file does
            // not break, so none is tried out before it is used.
            let writer = options.clone().pragma("cache_size", WRITER_CACHE).pragma("wal_autocheckpoint", wal::LIMIT);
            let pool = || PoolOptions::new().test_before_acquire(false);
            let write = pool().max_connections(1).connect_with(writer).await?;
            let read = pool().max_connections(8).connect_lazy_with(options.read_only(true));
            Ok(Self::Sqlite { write, read })
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let options = PgConnectOptions::from_str(url)?.statement_cache_capacity(STATEMENTS);
            let pool = PoolOptions::new().max_connections(16).acquire_timeout(Duration::from_secs(10));
            Ok(Self::Postgres(pool.connect_with(options).await?))
        } else {
            Err(StoreError::Url)
        }
    }

    /// A connection to read with.
    ///
    /// # Errors
    /// Where none is to be had in time.
    pub async fn read(&self) -> Result<ReadTx> {
        Ok(match self {
            Self::Sqlite { read, .. } => ReadTx::Sqlite(read.acquire().await?),
            Self::Postgres(pool) => ReadTx::Postgres(pool.acquire().await?),
        })
    }

    /// A transaction to write in. On SQLite it begins IMMEDIATE: a read that turns into a write later
    /// would fail with SQLITE_BUSY whenever another writer came between.
    ///
    /// # Errors
    /// Where none is to be had in time.
    #[allow(clippy::disallowed_methods, reason = "the one place that begins transactions")]
    pub async fn write(&self) -> Result<WriteTx> {
        Ok(match self {
            Self::Sqlite { write, .. } => WriteTx::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => WriteTx::Postgres(pool.begin().await?),
        })
    }

    /// Whether this is SQLite, which one server process has to itself.
    #[must_use]
    pub fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite { .. })
    }

    /// Brings the schema up to date.
    ///
    /// # Errors
    /// Where a migration fails, or the database was migrated by a newer Doorway.
    pub async fn migrate(&self) -> Result<()> {
        migrate::run(self).await
    }

    /// Whether the database answers and its schema is up to date.
    ///
    /// # Errors
    /// Where the database can't be reached.
    pub async fn is_ready(&self) -> Result<bool> {
        migrate::is_current(self).await
    }

    /// Closes all connections; SQLite folds its WAL back into the file.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// Makes a database file that is not there yet for its owner alone; SQLite gives its side files the same
/// mode. Where it can't be made, connecting says why.
fn keep_private(path: &std::path::Path) {
    use std::os::unix::fs::OpenOptionsExt;
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    if let Err(error) = made
        && error.kind() != std::io::ErrorKind::AlreadyExists
    {
        tracing::debug!(%error, path = %path.display(), "no new database file");
    }
}

impl WriteTx {
    /// Makes what was written last.
    ///
    /// # Errors
    /// Where the engine could not: then nothing was written.
    pub async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }

    /// `FOR UPDATE SKIP LOCKED` where the engine has it. SQLite has one writer, so nothing to skip: the
    /// one place where the two dialects differ.
    #[must_use]
    pub fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }
}
