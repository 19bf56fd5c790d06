//! The schema's history: one set of files for both engines, built into the binary.

use super::{Result, Store, StoreError, query};
use sqlx::{
    AssertSqlSafe, SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};
use std::borrow::Cow;

/// Version, description and SQL of every migration, oldest first.
const FILES: &[(i64, &str, &str)] = &[
    (1, "foundation", include_str!("../../migrations/0001_foundation.sql")),
    (2, "people", include_str!("../../migrations/0002_people.sql")),
    (3, "events", include_str!("../../migrations/0003_events.sql")),
    (4, "deliveries and holders", include_str!("../../migrations/0004_deliveries_and_holders.sql")),
    (5, "young marks", include_str!("../../migrations/0005_young_marks.sql")),
    (6, "numbers", include_str!("../../migrations/0006_numbers.sql")),
    (7, "templates", include_str!("../../migrations/0007_templates.sql")),
    (8, "profiles", include_str!("../../migrations/0008_profiles.sql")),
    (9, "permissions", include_str!("../../migrations/0009_permissions.sql")),
    (10, "own apps", include_str!("../../migrations/0010_own_apps.sql")),
];

/// What is a comment for PostgreSQL, whose tables have no such order: the rows of such a table lie in the order of its
/// primary key.
const WITHOUT_ROWID: &str = "/* on SQLite: WITHOUT ROWID */";

fn migrator(is_sqlite: bool) -> Migrator {
    let migrations = FILES
        .iter()
        .map(|(version, description, sql)| {
            let sql = if is_sqlite { sql.replace(WITHOUT_ROWID, "WITHOUT ROWID") } else { (*sql).to_owned() };
            let sql = AssertSqlSafe(sql).into_sql_str();
            Migration::new(*version, Cow::Borrowed(*description), MigrationType::Simple, sql, false)
        })
        .collect();
    Migrator::with_migrations(migrations)
}

pub(super) async fn run(store: &Store) -> Result<()> {
    match store {
        Store::Sqlite { write, .. } => migrator(true).run(write).await?,
        Store::Postgres(pool) => migrator(false).run(pool).await?,
    }
    Ok(())
}

pub(super) async fn is_current(store: &Store) -> Result<bool> {
    let newest = FILES.last().map_or(0, |(version, ..)| *version);
    let mut db = store.read().await?;
    let applied = query("SELECT CAST(max(version) AS BIGINT) AS newest FROM _sqlx_migrations WHERE success")
        .one(&mut db, |row| row.opt_int("newest"))
        .await;
    match applied {
        Ok(applied) => Ok(applied.unwrap_or(0) >= newest),
        // The table is not there before the first migration.
        Err(StoreError::Sql(sqlx::Error::Database(_))) => Ok(false),
        Err(error) => Err(error),
    }
}
