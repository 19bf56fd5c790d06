//! A row of either engine, read by column name.

use super::{Result, StoreError};
use crate::base::clock;
use serde_json::{Map, Value};
use sqlx::{Column as _, TypeInfo as _, ValueRef as _};
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

    /// The whole row as a JSON object, to be handed out: times (columns `at`, `*_at`, `*_since`) as RFC 3339, the
    /// columns named here as the JSON that they hold. Secrets (`*_sealed`, `*_hash`) are left out.
    ///
    /// # Errors
    /// Where a column holds something that is neither text nor number nor boolean.
    pub fn to_json(&self, json_columns: &[&str]) -> Result<Value> {
        let mut object = Map::new();
        for (name, value) in self.values()? {
            let value = match value {
                _ if name.ends_with("_sealed") || name.ends_with("_hash") => continue,
                Value::Number(_) if is_time(&name) => clock::rfc3339(self.time(&name)?).into(),
                Value::String(text) if json_columns.contains(&name.as_str()) => {
                    serde_json::from_str(&text).unwrap_or(Value::String(text))
                }
                value => value,
            };
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }

    /// Every column's name and value, secrets too, as the database has them.
    ///
    /// # Errors
    /// Where a column holds something that is neither text nor number nor boolean.
    pub fn values(&self) -> Result<Vec<(String, Value)>> {
        let value = |(name, kind): (String, Kind)| {
            let value = match kind {
                Kind::Null => Value::Null,
                Kind::Bool => self.bool(&name)?.into(),
                Kind::Int => self.int(&name)?.into(),
                Kind::Text => self.text(&name)?.into(),
            };
            Ok((name, value))
        };
        self.columns()?.into_iter().map(value).collect()
    }

    /// Each column's name, and what it holds in this row.
    fn columns(&self) -> Result<Vec<(String, Kind)>> {
        let kind = |null: bool, name: &str| match name {
            _ if null => Kind::Null,
            "BOOLEAN" | "BOOL" => Kind::Bool,
            "INTEGER" | "BIGINT" | "INT8" => Kind::Int,
            _ => Kind::Text,
        };
        match self {
            Self::Sqlite(row) => row
                .columns()
                .iter()
                .map(|column| {
                    // What was declared: SQLite itself keeps booleans as numbers.
                    let null = row.try_get_raw(column.ordinal())?.is_null();
                    Ok((column.name().to_owned(), kind(null, column.type_info().name())))
                })
                .collect(),
            Self::Postgres(row) => row
                .columns()
                .iter()
                .map(|column| {
                    let null = row.try_get_raw(column.ordinal())?.is_null();
                    Ok((column.name().to_owned(), kind(null, column.type_info().name())))
                })
                .collect(),
        }
    }
}

/// What a column holds.
enum Kind {
    Null,
    Bool,
    Int,
    Text,
}

fn is_time(column: &str) -> bool {
    column == "at" || column.ends_with("_at") || column.ends_with("_since")
}
