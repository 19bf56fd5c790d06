//! Statements that take many rows, or look for many values, at once. Their texts are made once for each of a few sizes,
//! so that engines prepare few and we keep few.

use super::{Arg, Conn, Query, Reads, Result, Row, WriteTx, query};
use crate::base::text::without_nul;
use sqlx::{Arguments, postgres::PgArguments};
use std::sync::OnceLock;

/// For how many rows there are statements: few enough to be kept prepared, and such that two or three make up any
/// number. Engines count parameters up to 32,766 and 65,535.
const SIZES: [usize; 17] = [1, 2, 3, 4, 5, 6, 7, 8, 16, 24, 32, 40, 48, 56, 64, 128, 256];

/// A statement with one group of placeholders for each row, `head (..), (..) tail`, or, on PostgreSQL, one array for
/// each column of what it inserts.
pub struct Rows {
    head: &'static str,
    columns: usize,
    tail: &'static str,
    texts: [[OnceLock<&'static str>; SIZES.len()]; 2],
    unnest: OnceLock<&'static str>,
}

impl Rows {
    /// `INSERT INTO table (a, b) VALUES` has two columns; `SELECT .. WHERE a IN (` has none, and gets bare values.
    /// Neither part holds placeholders of its own.
    #[must_use]
    pub const fn new(head: &'static str, columns: usize, tail: &'static str) -> Self {
        Self {
            head,
            columns,
            tail,
            texts: [const { [const { OnceLock::new() }; SIZES.len()] }; 2],
            unnest: OnceLock::new(),
        }
    }

    /// The text for so many rows, by place in [`SIZES`]. SQLite gets `?` in place of `$1`: it finds a placeholder's number by walking
    /// through all names, which makes a thousand of them slow.
    fn text(&self, size: usize, is_sqlite: bool) -> &'static str {
        self.texts[usize::from(is_sqlite)][size].get_or_init(|| {
            let mut text = self.head.to_owned();
            let mut number = 0;
            for row in 0..SIZES[size] {
                text.push_str(if row == 0 { " " } else { ", " });
                for column in 0..self.columns.max(1) {
                    text.push_str(match (self.columns, column) {
                        (0, _) => "",
                        (_, 0) => "(",
                        _ => ", ",
                    });
                    number += 1;
                    text.push_str(&if is_sqlite { "?".to_owned() } else { format!("${number}") });
                }
                text.push_str(if self.columns == 0 { "" } else { ")" });
            }
            text.push_str(self.tail);
            Box::leak(text.into_boxed_str())
        })
    }

    /// PostgreSQL's text: each column is one array, of the type of its value in `row`. Thousands of placeholders would
    /// cost it more than the rows themselves.
    fn unnest(&self, row: &[Arg]) -> &'static str {
        self.unnest.get_or_init(|| {
            let columns: Vec<String> = (1..)
                .zip(row)
                .map(|(number, arg)| match arg {
                    Arg::Text(_) => format!("${number}::text[]"),
                    Arg::Int(_) => format!("${number}::bigint[]"),
                    Arg::Bool(_) => format!("${number}::boolean[]"),
                })
                .collect();
            let head = self.head.trim_end_matches("VALUES");
            Box::leak(format!("{head}SELECT * FROM unnest({}){}", columns.join(", "), self.tail).into_boxed_str())
        })
    }

    /// Runs it for all these rows, given one after the other, in as few statements as there are.
    ///
    /// # Errors
    /// The engine's.
    pub async fn execute(&self, tx: &mut WriteTx, values: Vec<Arg>) -> Result<()> {
        let columns = self.columns.max(1);
        let mut left = values.len() / columns;
        if let Conn::Postgres(conn) = tx.conn() {
            if left > 0 {
                let sql = self.unnest(&values[..columns]);
                sqlx::query_with(sql, arrays(values, columns)?).execute(conn).await?;
            }
            return Ok(());
        }
        let mut values = values.into_iter();
        while left > 0 {
            let size = SIZES.partition_point(|rows| *rows <= left) - 1;
            let some: Vec<Arg> = values.by_ref().take(SIZES[size] * columns).collect();
            Query::with(self.text(size, true), some).execute(tx).await?;
            left -= SIZES[size];
        }
        Ok(())
    }

    /// All rows that it gives for these values; in no order. Each value is looked for once, or, at the end, again.
    ///
    /// # Errors
    /// The engine's, or `map`'s.
    pub async fn all<T>(&self, db: &mut impl Reads, values: &[Arg], map: impl Fn(&Row) -> Result<T>) -> Result<Vec<T>> {
        let is_sqlite = matches!(db.conn(), Conn::Sqlite(_));
        let mut all = Vec::new();
        for some in values.chunks(SIZES[SIZES.len() - 1]) {
            let size = SIZES.partition_point(|rows| *rows < some.len());
            let last = some.last().into_iter().cycle();
            let padded = some.iter().chain(last).take(SIZES[size]).cloned().collect();
            all.extend(Query::with(self.text(size, is_sqlite), padded).all(db, &map).await?);
        }
        Ok(all)
    }
}

/// Rows given one after the other, as one array for each column.
fn arrays(values: Vec<Arg>, columns: usize) -> Result<PgArguments> {
    let mut arrays: Vec<Array> = values[..columns].iter().map(Array::like).collect();
    for (at, value) in values.into_iter().enumerate() {
        match (&mut arrays[at % columns], value) {
            // PostgreSQL refuses NUL in text; nothing we keep has a use for it.
            (Array::Text(array), Arg::Text(value)) => array.push(value.map(|text| without_nul(&text))),
            (Array::Int(array), Arg::Int(value)) => array.push(value),
            (Array::Bool(array), Arg::Bool(value)) => array.push(value),
            _ => return Err(sqlx::Error::InvalidArgument(format!("column {} has two types", at % columns)).into()),
        }
    }
    let mut arguments = PgArguments::default();
    for array in arrays {
        match array {
            Array::Text(values) => arguments.add(values),
            Array::Int(values) => arguments.add(values),
            Array::Bool(values) => arguments.add(values),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// All values of a column.
enum Array {
    Text(Vec<Option<String>>),
    Int(Vec<Option<i64>>),
    Bool(Vec<Option<bool>>),
}

impl Array {
    fn like(arg: &Arg) -> Self {
        match arg {
            Arg::Text(_) => Self::Text(Vec::new()),
            Arg::Int(_) => Self::Int(Vec::new()),
            Arg::Bool(_) => Self::Bool(Vec::new()),
        }
    }
}

impl Query {
    fn with(sql: &'static str, args: Vec<Arg>) -> Self {
        args.into_iter().fold(query(sql), Self::bind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_a_group_for_each_row() {
        let insert = Rows::new("INSERT INTO t (a, b) VALUES", 2, " ON CONFLICT DO NOTHING");
        assert_eq!(insert.text(0, false), "INSERT INTO t (a, b) VALUES ($1, $2) ON CONFLICT DO NOTHING");
        assert_eq!(insert.text(1, true), "INSERT INTO t (a, b) VALUES (?, ?), (?, ?) ON CONFLICT DO NOTHING");
        let row = [Arg::Text(None), Arg::from(1)];
        assert_eq!(
            insert.unnest(&row),
            "INSERT INTO t (a, b) SELECT * FROM unnest($1::text[], $2::bigint[]) ON CONFLICT DO NOTHING"
        );
        assert!(arrays(vec!["a".into(), 1.into(), "b".into(), "c".into()], 2).is_err(), "a column has one type");
        let find = Rows::new("SELECT a FROM t WHERE a IN (", 0, ")");
        assert_eq!(find.text(1, false), "SELECT a FROM t WHERE a IN ( $1, $2)");
        assert!(std::ptr::eq(find.text(1, false), find.text(1, false)), "made once");
    }

    #[tokio::test]
    async fn each_row_comes_in_once_whatever_their_number() {
        static INSERT: Rows = Rows::new("INSERT INTO counters (name, value) VALUES", 2, "");
        static FIND: Rows = Rows::new("SELECT value FROM counters WHERE name IN (", 0, ")");
        let store = crate::store::Store::connect("sqlite::memory:").await.unwrap();
        let mut tx = store.write().await.unwrap();
        query("CREATE TABLE counters (name TEXT NOT NULL PRIMARY KEY, value BIGINT)").execute(&mut tx).await.unwrap();
        let rows = |n: i64| (0..n).flat_map(move |at| [Arg::from(format!("{n}.{at}")), at.into()]).collect::<Vec<_>>();
        for n in [0, 1, 2, 3, 9, 63, 64, 65, 255, 256, 257, 700] {
            INSERT.execute(&mut tx, rows(n)).await.unwrap();
            let names: Vec<Arg> = rows(n).into_iter().step_by(2).collect();
            let mut found = FIND.all(&mut tx, &names, |row| row.int("value")).await.unwrap();
            found.sort_unstable();
            assert_eq!(found, (0..n).collect::<Vec<_>>());
        }
    }
}
