//! All SQL of `meta_settings`, `meta_checks` and `go_live_ticks`.

use super::findings::Finding;
use crate::{
    base::ids::UserId,
    store::{Reads, Result, Row, StoreError, WriteTx, query},
};
use time::OffsetDateTime;

/// The row of `meta_settings`, its secrets sealed.
#[derive(Clone, Debug, Default)]
pub(super) struct SettingsRow {
    pub app_id: Option<String>,
    pub app_secret_sealed: Option<String>,
    pub old_secret_sealed: Option<String>,
    pub old_secret_until: Option<OffsetDateTime>,
    pub es_config_id: Option<String>,
    pub verify_token_sealed: Option<String>,
    pub graph_version: Option<String>,
    pub system_token_sealed: Option<String>,
    pub business_id: Option<String>,
    pub version: i64,
    pub updated_at: Option<OffsetDateTime>,
}

fn settings_row(row: &Row) -> Result<SettingsRow> {
    Ok(SettingsRow {
        app_id: row.opt_text("app_id")?,
        app_secret_sealed: row.opt_text("app_secret_sealed")?,
        old_secret_sealed: row.opt_text("old_secret_sealed")?,
        old_secret_until: row.opt_time("old_secret_until")?,
        es_config_id: row.opt_text("es_config_id")?,
        verify_token_sealed: row.opt_text("verify_token_sealed")?,
        graph_version: row.opt_text("graph_version")?,
        system_token_sealed: row.opt_text("system_token_sealed")?,
        business_id: row.opt_text("business_id")?,
        version: row.int("version")?,
        updated_at: Some(row.time("updated_at")?),
    })
}

pub(super) async fn settings(db: &mut impl Reads) -> Result<Option<SettingsRow>> {
    query("SELECT * FROM meta_settings WHERE id = 'meta'").optional(db, settings_row).await
}

pub(super) async fn settings_version(db: &mut impl Reads) -> Result<i64> {
    let found = query("SELECT version FROM meta_settings WHERE id = 'meta'").optional(db, |row| row.int("version"));
    Ok(found.await?.unwrap_or(0))
}

/// Makes the row where there is none, with this verify token; whether it was made.
pub(super) async fn make_settings(tx: &mut WriteTx, verify_token: Option<String>, now: OffsetDateTime) -> Result<bool> {
    let made = query(
        "INSERT INTO meta_settings (id, verify_token_sealed, version, updated_at) VALUES ('meta', $1, 1, $2) \
         ON CONFLICT (id) DO NOTHING",
    );
    Ok(made.bind(verify_token).bind(now).execute(tx).await? == 1)
}

/// Writes the row over the version that `row` has; false where somebody else was first.
pub(super) async fn save_settings(tx: &mut WriteTx, row: &SettingsRow, now: OffsetDateTime) -> Result<bool> {
    let changed = query(
        "UPDATE meta_settings SET app_id = $1, app_secret_sealed = $2, old_secret_sealed = $3, old_secret_until = $4, \
         es_config_id = $5, verify_token_sealed = $6, graph_version = $7, system_token_sealed = $8, business_id = $9, \
         version = version + 1, updated_at = $10 WHERE id = 'meta' AND version = $11",
    )
    .bind(row.app_id.clone())
    .bind(row.app_secret_sealed.clone())
    .bind(row.old_secret_sealed.clone())
    .bind(row.old_secret_until)
    .bind(row.es_config_id.clone())
    .bind(row.verify_token_sealed.clone())
    .bind(row.graph_version.clone())
    .bind(row.system_token_sealed.clone())
    .bind(row.business_id.clone())
    .bind(now)
    .bind(row.version)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

/// Drops the old secret, whoever is changing the rest; false where there was none.
pub(super) async fn drop_old_secret(tx: &mut WriteTx, now: OffsetDateTime) -> Result<bool> {
    let dropped = query(
        "UPDATE meta_settings SET old_secret_sealed = NULL, old_secret_until = NULL, version = version + 1, \
         updated_at = $1 WHERE id = 'meta' AND old_secret_until IS NOT NULL",
    );
    Ok(dropped.bind(now).execute(tx).await? == 1)
}

/// Forgets an old secret whose time is over. Nothing counts otherwise afterwards, so the version stays: a form that
/// is open meanwhile is none the worse.
pub(super) async fn forget_old_secret(tx: &mut WriteTx, now: OffsetDateTime) -> Result<()> {
    let over = query(
        "UPDATE meta_settings SET old_secret_sealed = NULL, old_secret_until = NULL \
         WHERE id = 'meta' AND old_secret_until <= $1",
    );
    over.bind(now).execute(tx).await?;
    Ok(())
}

/// What the check found last, and when.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    pub at: OffsetDateTime,
    pub findings: Vec<Finding>,
}

pub(super) async fn last_check(db: &mut impl Reads) -> Result<Option<Checked>> {
    query("SELECT at, findings FROM meta_checks WHERE id = 'last'")
        .optional(db, |row| Ok(Checked { at: row.time("at")?, findings: row.json("findings")? }))
        .await
}

/// Keeps what a check found, unless a later one was quicker.
pub(super) async fn keep_check(tx: &mut WriteTx, checked: &Checked) -> Result<()> {
    let findings = serde_json::to_string(&checked.findings).map_err(|_| StoreError::Value("findings".to_owned()))?;
    query(
        "INSERT INTO meta_checks (id, at, findings) VALUES ('last', $1, $2) ON CONFLICT (id) DO UPDATE SET \
         at = excluded.at, findings = excluded.findings WHERE meta_checks.at <= excluded.at",
    )
    .bind(checked.at)
    .bind(findings)
    .execute(tx)
    .await?;
    Ok(())
}

/// A tick on the go-live list.
#[derive(Clone, Debug)]
pub(super) struct Tick {
    pub item: String,
    pub by: Option<UserId>,
    pub at: OffsetDateTime,
}

pub(super) async fn ticks(db: &mut impl Reads) -> Result<Vec<Tick>> {
    query("SELECT item, ticked_by, ticked_at FROM go_live_ticks")
        .all(db, |row| {
            Ok(Tick { item: row.text("item")?, by: row.opt_parse("ticked_by")?, at: row.time("ticked_at")? })
        })
        .await
}

/// Ticks an item; false where it was ticked already.
pub(super) async fn tick(tx: &mut WriteTx, item: &str, by: UserId, now: OffsetDateTime) -> Result<bool> {
    let made = query(
        "INSERT INTO go_live_ticks (item, ticked_by, ticked_at) VALUES ($1, $2, $3) ON CONFLICT (item) DO NOTHING",
    );
    Ok(made.bind(item).bind(by).bind(now).execute(tx).await? == 1)
}

/// Takes a tick back; false where there was none.
pub(super) async fn untick(tx: &mut WriteTx, item: &str) -> Result<bool> {
    Ok(query("DELETE FROM go_live_ticks WHERE item = $1").bind(item).execute(tx).await? == 1)
}
