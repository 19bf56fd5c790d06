//! All SQL of `phone_numbers`.

use super::{
    file_queries,
    model::{Health, HealthNode, Number, Obstacle, Webhooks},
};
use crate::{
    base::ids::{PhoneNumberId, WabaId},
    graph,
    store::{Reads, Result, Row, StoreError, WriteTx, counters::ROUTING, query},
};
use time::OffsetDateTime;

fn obstacles(health: &graph::Health) -> Vec<Obstacle> {
    let told = |entity: &graph::HealthEntity| {
        let is_of_number = entity.entity_type == "PHONE_NUMBER";
        let errors = entity.errors.clone().into_iter().filter(|error| !error.error_description.is_empty());
        errors.map(move |error| Obstacle {
            is_of_number,
            description: error.error_description,
            solution: error.possible_solution,
        })
    };
    health.entities.iter().flat_map(told).collect()
}

fn health_of(health: graph::Health) -> Health {
    let node = |entity: graph::HealthEntity| {
        let limits = entity.additional_info.into_iter().map(|info| (info, String::new()));
        let errors = entity.errors.into_iter().map(|error| (error.error_description, error.possible_solution));
        let causes = limits.chain(errors).filter(|(what, _)| !what.is_empty()).collect();
        HealthNode { kind: entity.entity_type, can_send: entity.can_send_message, causes }
    };
    Health { can_send: health.can_send_message, nodes: health.entities.into_iter().map(node).collect() }
}

fn webhooks_of(told: graph::WebhookConfiguration) -> Webhooks {
    Webhooks { number: told.phone_number, account: told.whatsapp_business_account, app: told.application }
}

fn number(row: &Row) -> Result<Number> {
    Ok(Number {
        id: row.parse("phone_number_id")?,
        waba_id: row.parse("waba_id")?,
        display: row.text("display_phone_number")?,
        verified_name: row.text("verified_name")?,
        name_status: row.opt_text("name_status")?,
        quality_rating: row.opt_text("quality_rating")?,
        status: row.opt_text("status")?,
        code_verification_status: row.opt_text("code_verification_status")?,
        platform_type: row.opt_text("platform_type")?,
        throughput_level: row.opt_text("throughput_level")?,
        messaging_limit: row.opt_text("messaging_limit")?,
        account_mode: row.opt_text("account_mode")?,
        is_on_biz_app: row.opt_bool("is_on_biz_app")?,
        is_official: row.opt_bool("is_official_business_account")?,
        obstacles: row.opt_json("health")?.as_ref().map(obstacles).unwrap_or_default(),
        health: row.opt_json("health")?.map(health_of),
        new_name: row.opt_text("new_name")?,
        new_name_status: row.opt_text("new_name_status")?,
        onboarded_at: row.opt_time("onboarded_at")?,
        webhooks: row.opt_json("webhooks")?.map(webhooks_of).unwrap_or_default(),
        read_at: row.time("read_at")?,
    })
}

/// Keeps the numbers of a WABA as they were when Meta was asked; those that are gone from it go here too, and one that
/// came from another WABA of ours moves. What was told since stays.
///
/// # Errors
/// The database's.
pub(super) async fn replace(
    tx: &mut WriteTx,
    waba: &WabaId,
    numbers: &[graph::PhoneNumber],
    asked: OffsetDateTime,
) -> Result<()> {
    for number in numbers {
        query(
            "INSERT INTO phone_numbers (phone_number_id, waba_id, display_phone_number, verified_name, name_status, \
             quality_rating, status, code_verification_status, platform_type, throughput_level, messaging_limit, \
             account_mode, is_on_biz_app, is_official_business_account, read_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
             ON CONFLICT (phone_number_id) DO UPDATE SET waba_id = excluded.waba_id, \
             display_phone_number = excluded.display_phone_number, \
             verified_name = CASE WHEN coalesce(phone_numbers.name_told_at, 0) > excluded.read_at \
              THEN phone_numbers.verified_name ELSE excluded.verified_name END, \
             name_status = CASE WHEN coalesce(phone_numbers.name_told_at, 0) > excluded.read_at \
              THEN phone_numbers.name_status ELSE excluded.name_status END, quality_rating = excluded.quality_rating, status = excluded.status, \
             code_verification_status = excluded.code_verification_status, platform_type = excluded.platform_type, \
             throughput_level = CASE WHEN coalesce(phone_numbers.throughput_told_at, 0) > excluded.read_at \
              THEN phone_numbers.throughput_level ELSE excluded.throughput_level END, \
             messaging_limit = CASE WHEN coalesce(phone_numbers.limit_told_at, 0) > excluded.read_at \
              THEN phone_numbers.messaging_limit ELSE excluded.messaging_limit END, \
             account_mode = excluded.account_mode, is_on_biz_app = excluded.is_on_biz_app, \
             is_official_business_account = excluded.is_official_business_account, read_at = excluded.read_at \
             WHERE phone_numbers.read_at <= excluded.read_at",
        )
        .bind(&number.id)
        .bind(waba)
        .bind(&number.display_phone_number)
        .bind(&number.verified_name)
        .bind(number.name_status.clone())
        .bind(number.quality_rating.clone())
        .bind(number.status.clone())
        .bind(number.code_verification_status.clone())
        .bind(number.platform_type.clone())
        .bind(number.throughput.as_ref().and_then(|throughput| throughput.level.clone()))
        .bind(number.whatsapp_business_manager_messaging_limit.clone())
        .bind(number.account_mode.clone())
        .bind(number.is_on_biz_app)
        .bind(number.is_official_business_account)
        .bind(asked)
        .execute(tx)
        .await?;
        file_queries::note(tx, waba, number, asked).await?;
    }
    query("DELETE FROM phone_numbers WHERE waba_id = $1 AND read_at < $2").bind(waba).bind(asked).execute(tx).await?;
    ROUTING.advance(tx, 1).await?;
    Ok(())
}

/// Keeps all of one number as it was when Meta was asked, where it is still this WABA's. What was told since stays.
pub(super) async fn keep_whole(
    tx: &mut WriteTx,
    waba: &WabaId,
    number: &graph::PhoneNumber,
    asked: OffsetDateTime,
) -> Result<()> {
    let json = |value: Option<serde_json::Result<String>>| {
        value.transpose().map_err(|_| StoreError::Value("phone number".to_owned()))
    };
    let kept = query(
        "UPDATE phone_numbers SET display_phone_number = $1, \
         verified_name = CASE WHEN coalesce(name_told_at, 0) > $18 THEN verified_name ELSE $2 END, \
         name_status = CASE WHEN coalesce(name_told_at, 0) > $18 THEN name_status ELSE $3 END, \
         quality_rating = $4, status = $5, code_verification_status = $6, platform_type = $7, \
         throughput_level = CASE WHEN coalesce(throughput_told_at, 0) > $18 THEN throughput_level ELSE $8 END, \
         messaging_limit = CASE WHEN coalesce(limit_told_at, 0) > $18 THEN messaging_limit ELSE $9 END, account_mode = $10, is_on_biz_app = $11, is_official_business_account = $12, \
         new_name = $13, new_name_status = $14, onboarded_at = $15, webhooks = $16, \
         health = coalesce($17, health), read_at = $18, whole_read_at = $18 \
         WHERE phone_number_id = $19 AND waba_id = $20 AND read_at <= $18",
    )
    .bind(&number.display_phone_number)
    .bind(&number.verified_name)
    .bind(number.name_status.clone())
    .bind(number.quality_rating.clone())
    .bind(number.status.clone())
    .bind(number.code_verification_status.clone())
    .bind(number.platform_type.clone())
    .bind(number.throughput.as_ref().and_then(|throughput| throughput.level.clone()))
    .bind(number.whatsapp_business_manager_messaging_limit.clone())
    .bind(number.account_mode.clone())
    .bind(number.is_on_biz_app)
    .bind(number.is_official_business_account)
    .bind(number.new_display_name.clone())
    .bind(number.new_name_status.clone())
    .bind(number.onboarded_at())
    .bind(json(number.webhook_configuration.as_ref().map(serde_json::to_string))?)
    .bind(json(number.health_status.as_ref().map(serde_json::to_string))?)
    .bind(asked)
    .bind(&number.id)
    .bind(waba)
    .execute(tx)
    .await?;
    if kept == 1 { file_queries::note(tx, waba, number, asked).await } else { Ok(()) }
}

/// WABAs with numbers that were last read before then, those first that wait longest.
pub(super) async fn unread(db: &mut impl Reads, before: OffsetDateTime, limit: i64) -> Result<Vec<WabaId>> {
    query(
        "SELECT waba_id, min(coalesce(whole_read_at, read_at)) AS oldest FROM phone_numbers GROUP BY waba_id \
         HAVING min(coalesce(whole_read_at, read_at)) < $1 ORDER BY oldest LIMIT $2",
    )
    .bind(before)
    .bind(limit)
    .all(db, |row| row.parse("waba_id"))
    .await
}

/// It can't be read now: it waits as if it had been read then.
pub(super) async fn put_off(tx: &mut WriteTx, waba: &WabaId, read: OffsetDateTime) -> Result<()> {
    query("UPDATE phone_numbers SET whole_read_at = $1 WHERE waba_id = $2").bind(read).bind(waba).execute(tx).await?;
    Ok(())
}

/// The WABA of a number.
pub(super) async fn waba_of(db: &mut impl Reads, number: &PhoneNumberId) -> Result<Option<WabaId>> {
    query("SELECT waba_id FROM phone_numbers WHERE phone_number_id = $1")
        .bind(number)
        .optional(db, |row| row.parse("waba_id"))
        .await
}

/// Numbers that end with these digits, as Meta writes them, each with its WABA.
pub(super) async fn ending_with(db: &mut impl Reads, digits: &str) -> Result<Vec<(WabaId, String)>> {
    query(
        "SELECT waba_id, display_phone_number FROM phone_numbers WHERE replace(replace(replace(replace(replace(\
         display_phone_number, ' ', ''), '-', ''), '(', ''), ')', ''), '.', '') LIKE $1 ORDER BY waba_id LIMIT 200",
    )
    .bind(format!("%{digits}"))
    .all(db, |row| Ok((row.parse("waba_id")?, row.text("display_phone_number")?)))
    .await
}

/// The IDs of a WABA's numbers, each with the number as Meta writes it.
pub(super) async fn written(db: &mut impl Reads, waba: &WabaId) -> Result<Vec<(PhoneNumberId, String)>> {
    query("SELECT phone_number_id, display_phone_number FROM phone_numbers WHERE waba_id = $1 ORDER BY phone_number_id")
        .bind(waba)
        .all(db, |row| Ok((row.parse("phone_number_id")?, row.text("display_phone_number")?)))
        .await
}

/// Keeps what Meta said of a number's health.
///
/// # Errors
/// The database's.
pub(super) async fn set_health(tx: &mut WriteTx, id: &PhoneNumberId, health: &graph::Health) -> Result<()> {
    let json = serde_json::to_string(health).map_err(|_| StoreError::Value("health".to_owned()))?;
    query("UPDATE phone_numbers SET health = $1 WHERE phone_number_id = $2").bind(json).bind(id).execute(tx).await?;
    Ok(())
}

/// The numbers of a WABA.
///
/// # Errors
/// The database's.
pub(super) async fn list(db: &mut impl Reads, waba: &WabaId) -> Result<Vec<Number>> {
    query("SELECT * FROM phone_numbers WHERE waba_id = $1 ORDER BY display_phone_number")
        .bind(waba)
        .all(db, number)
        .await
}

/// One number.
pub(super) async fn get(db: &mut impl Reads, id: &PhoneNumberId) -> Result<Option<Number>> {
    query("SELECT * FROM phone_numbers WHERE phone_number_id = $1").bind(id).optional(db, number).await
}

/// A WABA's numbers as they are kept, to be handed out.
pub(super) async fn export(db: &mut impl Reads, waba: &WabaId) -> Result<Vec<serde_json::Value>> {
    query("SELECT * FROM phone_numbers WHERE waba_id = $1 ORDER BY phone_number_id")
        .bind(waba)
        .all(db, |row| row.to_json(&["health", "webhooks"]))
        .await
}

/// What is known of a number's name.
pub(super) struct Names {
    pub verified_name: String,
    pub status: Option<String>,
    pub told_at: Option<OffsetDateTime>,
    pub read_at: OffsetDateTime,
}

pub(super) async fn names(db: &mut impl Reads, number: &PhoneNumberId, waba: &WabaId) -> Result<Option<Names>> {
    query(
        "SELECT verified_name, name_status, name_told_at, read_at FROM phone_numbers \
         WHERE phone_number_id = $1 AND waba_id = $2",
    )
    .bind(number)
    .bind(waba)
    .optional(db, |row| {
        Ok(Names {
            verified_name: row.text("verified_name")?,
            status: row.opt_text("name_status")?,
            told_at: row.opt_time("name_told_at")?,
            read_at: row.time("read_at")?,
        })
    })
    .await
}

pub(super) async fn name_told(
    tx: &mut WriteTx,
    number: &PhoneNumberId,
    status: Option<&str>,
    name: Option<&str>,
    at: OffsetDateTime,
) -> Result<()> {
    query(
        "UPDATE phone_numbers SET name_status = coalesce($1, name_status), \
         verified_name = coalesce($2, verified_name), name_told_at = $3 WHERE phone_number_id = $4",
    )
    .bind(status)
    .bind(name)
    .bind(at)
    .bind(number)
    .execute(tx)
    .await?;
    Ok(())
}

/// Where it was neither told nor read later.
pub(super) async fn limit_told(
    tx: &mut WriteTx,
    waba: &WabaId,
    limit: &str,
    at: OffsetDateTime,
    unless_read_after: OffsetDateTime,
) -> Result<()> {
    query(
        "UPDATE phone_numbers SET messaging_limit = $1, limit_told_at = $2 \
         WHERE waba_id = $3 AND coalesce(limit_told_at, 0) <= $2 AND read_at <= $4",
    )
    .bind(limit)
    .bind(at)
    .bind(waba)
    .bind(unless_read_after)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn throughput_told(
    tx: &mut WriteTx,
    number: &PhoneNumberId,
    waba: &WabaId,
    level: &str,
    at: OffsetDateTime,
    unless_read_after: OffsetDateTime,
) -> Result<()> {
    query(
        "UPDATE phone_numbers SET throughput_level = $1, throughput_told_at = $2 WHERE phone_number_id = $3 \
         AND waba_id = $4 AND coalesce(throughput_told_at, 0) <= $2 AND read_at <= $5",
    )
    .bind(level)
    .bind(at)
    .bind(number)
    .bind(waba)
    .bind(unless_read_after)
    .execute(tx)
    .await?;
    Ok(())
}

/// What a call has just made of a number, until it is read.
pub(super) async fn set_status(tx: &mut WriteTx, number: &PhoneNumberId, status: &str) -> Result<()> {
    let set = query("UPDATE phone_numbers SET status = $1 WHERE phone_number_id = $2");
    set.bind(status).bind(number).execute(tx).await?;
    Ok(())
}

/// The code was right; the rest is read.
pub(super) async fn set_verified(tx: &mut WriteTx, number: &PhoneNumberId) -> Result<()> {
    let set = query("UPDATE phone_numbers SET code_verification_status = 'VERIFIED' WHERE phone_number_id = $1");
    set.bind(number).execute(tx).await?;
    Ok(())
}
