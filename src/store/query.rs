//! A statement with its arguments, run on either engine.

use super::{Conn, Reads, Result, Row, StoreError, WriteTx};
use sqlx::{Arguments, Executor, postgres::PgArguments, sqlite::SqliteArguments};

/// A value bound to a placeholder. Typed also where it is null, as PostgreSQL wants to know.
#[derive(Clone, Debug)]
pub enum Arg {
    /// Text, IDs, JSON.
    Text(Option<String>),
    /// Whole numbers; times as milliseconds since the epoch.
    Int(Option<i64>),
    /// Yes or no.
    Bool(Option<bool>),
}

macro_rules! arg_from {
    ($($ty:ty => $variant:ident, $value:ident => $convert:expr);* $(;)?) => {$(
        impl From<$ty> for Arg {
            fn from($value: $ty) -> Self { Arg::$variant(Some($convert)) }
        }
        impl From<Option<$ty>> for Arg {
            fn from(value: Option<$ty>) -> Self { Arg::$variant(value.map(|$value: $ty| $convert)) }
        }
    )*};
}

arg_from! {
    String => Text, v => v;
    &str => Text, v => v.to_owned();
    &String => Text, v => v.clone();
    i64 => Int, v => v;
    bool => Bool, v => v;
    time::OffsetDateTime => Int, v => crate::base::clock::to_ms(v);
    crate::base::ids::WabaId => Text, v => v.as_str().to_owned();
    &crate::base::ids::WabaId => Text, v => v.as_str().to_owned();
    crate::base::ids::PhoneNumberId => Text, v => v.as_str().to_owned();
    &crate::base::ids::PhoneNumberId => Text, v => v.as_str().to_owned();
    crate::base::ids::BusinessId => Text, v => v.as_str().to_owned();
    &crate::base::ids::BusinessId => Text, v => v.as_str().to_owned();
}

macro_rules! bindable_ids {
    ($($name:ident)*) => {$(
        impl From<crate::base::ids::$name> for Arg {
            fn from(id: crate::base::ids::$name) -> Self {
                Self::Text(Some(id.to_string()))
            }
        }
        impl From<Option<crate::base::ids::$name>> for Arg {
            fn from(id: Option<crate::base::ids::$name>) -> Self {
                Self::Text(id.map(|id| id.to_string()))
            }
        }
    )*};
}

bindable_ids! { CustomerId UserId ConnectionId AttemptId InviteId EndpointId ContactId }

/// A statement under way to be run. See [`query`].
#[must_use = "a statement does nothing until it is run"]
pub struct Query {
    sql: &'static str,
    args: Vec<Arg>,
}

/// A statement with `$1`, `$2` ... for what [`Query::bind`] gives, in order.
pub fn query(sql: &'static str) -> Query {
    Query { sql, args: Vec::new() }
}

/// Runs one method of one engine's executor: the only dispatch over the engines.
macro_rules! dispatch {
    ($self:ident, $db:ident, |$conn:ident, $built:ident| $body:expr) => {
        match $db.conn() {
            Conn::Sqlite($conn) => {
                let mut arguments = SqliteArguments::default();
                for arg in $self.args {
                    match arg {
                        Arg::Text(value) => arguments.add(value),
                        Arg::Int(value) => arguments.add(value),
                        Arg::Bool(value) => arguments.add(value),
                    }
                    .map_err(sqlx::Error::Encode)?;
                }
                let $built = sqlx::query_with($self.sql, arguments);
                $body
            }
            Conn::Postgres($conn) => {
                let mut arguments = PgArguments::default();
                for arg in $self.args {
                    match arg {
                        // PostgreSQL refuses NUL in text; nothing we keep has a use for it.
                        Arg::Text(value) => arguments.add(value.map(|text| crate::base::text::without_nul(&text))),
                        Arg::Int(value) => arguments.add(value),
                        Arg::Bool(value) => arguments.add(value),
                    }
                    .map_err(sqlx::Error::Encode)?;
                }
                let $built = sqlx::query_with($self.sql, arguments);
                $body
            }
        }
    };
}

impl Query {
    /// Gives the next placeholder its value.
    pub fn bind(mut self, value: impl Into<Arg>) -> Self {
        self.args.push(value.into());
        self
    }

    /// Runs a statement that writes; tells how many rows it changed.
    ///
    /// # Errors
    /// The engine's.
    pub async fn execute(self, tx: &mut WriteTx) -> Result<u64> {
        dispatch!(self, tx, |conn, built| Ok(conn.execute(built).await?.rows_affected()))
    }

    /// All rows, each made into a value.
    ///
    /// # Errors
    /// The engine's, or `map`'s.
    pub async fn all<T>(self, db: &mut impl Reads, map: impl Fn(&Row) -> Result<T>) -> Result<Vec<T>> {
        dispatch!(self, db, |conn, built| {
            conn.fetch_all(built).await?.into_iter().map(|row| map(&Row::from(row))).collect()
        })
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// The engine's, or `map`'s.
    pub async fn optional<T>(self, db: &mut impl Reads, map: impl Fn(&Row) -> Result<T>) -> Result<Option<T>> {
        dispatch!(self, db, |conn, built| {
            conn.fetch_optional(built).await?.map(|row| map(&Row::from(row))).transpose()
        })
    }

    /// The one row that must be there.
    ///
    /// # Errors
    /// The engine's (also where there is no row), or `map`'s.
    pub async fn one<T>(self, db: &mut impl Reads, map: impl Fn(&Row) -> Result<T>) -> Result<T> {
        self.optional(db, map).await?.ok_or(StoreError::Sql(sqlx::Error::RowNotFound))
    }
}
