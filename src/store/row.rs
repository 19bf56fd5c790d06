//! A row of either engine, read by column name.

use super::{Result, StoreError};
use crate::base::clock;
use sqlx::{Row as _, postgres::PgRow, sqlite::SqliteRow};
use std::str::FromStr;
use time::OffsetDateTime;

/// A row that a statement gave.
pub enum Row {
    /// SQLite's.
    Sqlite(SqliteRow),
    /// PostgreSQL's.
    Postgres(PgRow),
}

impl From<SqliteRow> for Row {
    fn from(row: SqliteRow) -> Self {
        Self::Sqlite(row)
    }
}

impl From<PgRow> for Row {
    fn from(row: PgRow) -> Self {
        Self::Postgres(row)
    }
}

macro_rules! get {
    ($self:ident, $column:ident) => {
        Ok(match $self {
            Row::Sqlite(row) => row.try_get($column)?,
            Row::Postgres(row) => row.try_get($column)?,
        })
    };
}

impl Row {
    /// A text.
    ///
    /// # Errors
    /// Where the column is missing, null, or holds something else. So for all below.
    pub fn text(&self, column: &str) -> Result<String> {
        get!(self, column)
    }

    /// A text or null.
    pub fn opt_text(&self, column: &str) -> Result<Option<String>> {
        get!(self, column)
    }

    /// A whole number.
    pub fn int(&self, column: &str) -> Result<i64> {
        get!(self, column)
    }

    /// A whole number or null.
    pub fn opt_int(&self, column: &str) -> Result<Option<i64>> {
        get!(self, column)
    }

    /// Yes or no.
    pub fn bool(&self, column: &str) -> Result<bool> {
        get!(self, column)
    }

    /// Yes, no or null.
    pub fn opt_bool(&self, column: &str) -> Result<Option<bool>> {
        get!(self, column)
    }

    /// A time.
    pub fn time(&self, column: &str) -> Result<OffsetDateTime> {
        Ok(clock::from_ms(self.int(column)?))
    }

    /// A time or null.
    pub fn opt_time(&self, column: &str) -> Result<Option<OffsetDateTime>> {
        Ok(self.opt_int(column)?.map(clock::from_ms))
    }

    /// A text that has a type of its own, such as an ID.
    pub fn parse<T: FromStr>(&self, column: &str) -> Result<T> {
        self.text(column)?.parse().map_err(|_| StoreError::Value(column.to_owned()))
    }

    /// The same, or null.
    pub fn opt_parse<T: FromStr>(&self, column: &str) -> Result<Option<T>> {
        self.opt_text(column)?.map(|text| text.parse().map_err(|_| StoreError::Value(column.to_owned()))).transpose()
    }

    /// A JSON text.
    pub fn json<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<T> {
        serde_json::from_str(&self.text(column)?).map_err(|_| StoreError::Value(column.to_owned()))
    }

    /// The same, or null.
    pub fn opt_json<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<Option<T>> {
        self.opt_text(column)?
            .map(|text| serde_json::from_str(&text).map_err(|_| StoreError::Value(column.to_owned())))
            .transpose()
    }
}
