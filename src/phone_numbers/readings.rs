//! What was read of numbers over time: all SQL of `number_readings`.

use super::file_queries;
use crate::{
    base::ids::{CustomerId, PhoneNumberId},
    graph,
    store::{Reads, Result, Row, StoreError, WriteTx, query},
    web::Before,
};
use std::collections::BTreeMap;
use time::{Duration, OffsetDateTime};

/// A reading that tells nothing new is kept all the same where the one before is so old: the chart goes on.
const READING_AGE: Duration = Duration::hours(20);
/// How many changes of a number are looked at for since when it stands as it does.
const LOOKED_AT: i64 = 200;

/// Where webhooks go instead of the app's address, by whose it is: `number`, `account`.
pub(super) type Overrides = BTreeMap<String, String>;

/// One reading. What was not read is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub at: OffsetDateTime,
    pub quality: Option<String>,
    pub limit: Option<String>,
    pub throughput: Option<String>,
    pub status: Option<String>,
    pub name_status: Option<String>,
    pub can_send: Option<String>,
    pub webhooks: Option<Overrides>,
}

impl Reading {
    /// Whether something is other than before. What was not read has not changed.
    fn differs(&self, before: &Self) -> bool {
        fn other<T: PartialEq>(was: &Option<T>, is: &Option<T>) -> bool {
            was.is_some() && is.is_some() && was != is
        }
        other(&before.quality, &self.quality)
            || other(&before.limit, &self.limit)
            || other(&before.throughput, &self.throughput)
            || other(&before.status, &self.status)
            || other(&before.name_status, &self.name_status)
            || other(&before.can_send, &self.can_send)
            || other(&before.webhooks, &self.webhooks)
    }
}

fn reading(row: &Row) -> Result<Reading> {
    Ok(Reading {
        at: row.time("at")?,
        quality: row.opt_text("quality_rating")?,
        limit: row.opt_text("messaging_limit")?,
        throughput: row.opt_text("throughput_level")?,
        status: row.opt_text("status")?,
        name_status: row.opt_text("name_status")?,
        can_send: row.opt_text("can_send")?,
        webhooks: row.opt_json("webhooks")?,
    })
}

fn overrides(told: &graph::WebhookConfiguration) -> Overrides {
    let of = |whose: &str, address: &Option<String>| {
        address.clone().filter(|address| !address.is_empty()).map(|address| (whose.to_owned(), address))
    };
    [of("number", &told.phone_number), of("account", &told.whatsapp_business_account)].into_iter().flatten().collect()
}

async fn last(db: &mut impl Reads, file: &str) -> Result<Option<Reading>> {
    query("SELECT * FROM number_readings WHERE file_id = $1 ORDER BY at DESC LIMIT 1")
        .bind(file)
        .optional(db, reading)
        .await
}

async fn insert(tx: &mut WriteTx, file: &str, new: &Reading, is_change: bool) -> Result<()> {
    let webhooks = new.webhooks.as_ref().map(serde_json::to_string).transpose();
    query(
        "INSERT INTO number_readings (file_id, at, quality_rating, messaging_limit, throughput_level, status, \
         name_status, can_send, webhooks, is_change) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         ON CONFLICT (file_id, at) DO NOTHING",
    )
    .bind(file)
    .bind(new.at)
    .bind(new.quality.clone())
    .bind(new.limit.clone())
    .bind(new.throughput.clone())
    .bind(new.status.clone())
    .bind(new.name_status.clone())
    .bind(new.can_send.clone())
    .bind(webhooks.map_err(|_| StoreError::Value("webhooks".to_owned()))?)
    .bind(is_change)
    .execute(tx)
    .await?;
    Ok(())
}

/// Keeps a reading, where it tells something.
pub(super) async fn keep(tx: &mut WriteTx, file: &str, number: &graph::PhoneNumber, now: OffsetDateTime) -> Result<()> {
    // The list of an account's numbers has another word for the same.
    let status = number.status.clone().map(|status| if status == "LINKED" { "CONNECTED".to_owned() } else { status });
    let before = last(tx, file).await?;
    let health = number.health_status.as_ref().map(|health| health.can_send_message.clone());
    let new = Reading {
        at: now,
        quality: number.quality_rating.clone(),
        limit: number.whatsapp_business_manager_messaging_limit.clone(),
        throughput: number.throughput.as_ref().and_then(|throughput| throughput.level.clone()),
        status,
        name_status: number.name_status.clone(),
        // The list does not tell these.
        can_send: health
            .filter(|word| !word.is_empty())
            .or_else(|| before.as_ref().and_then(|before| before.can_send.clone())),
        webhooks: number
            .webhook_configuration
            .as_ref()
            .map(overrides)
            .or_else(|| before.as_ref().and_then(|before| before.webhooks.clone())),
    };
    let is_change = before.as_ref().is_some_and(|before| new.differs(before));
    if before.is_some_and(|before| now - before.at < READING_AGE && Reading { at: now, ..before } == new) {
        return Ok(());
    }
    insert(tx, file, &new, is_change).await
}

/// A webhook told what is other since then; nothing where it was read later.
pub(super) async fn told(
    tx: &mut WriteTx,
    number: &PhoneNumberId,
    at: OffsetDateTime,
    change: impl Fn(&mut Reading),
) -> Result<()> {
    if let Some(file) = file_queries::of_phone(tx, number).await? {
        let Some(before) = last(tx, &file.id).await?.filter(|before| before.at < at) else { return Ok(()) };
        let mut new = Reading { at, ..before.clone() };
        change(&mut new);
        if new.differs(&before) {
            insert(tx, &file.id, &new, true).await?;
        }
    }
    Ok(())
}

/// The readings since then, and the last one before; the oldest first.
pub(super) async fn since(db: &mut impl Reads, file: &str, since: OffsetDateTime) -> Result<Vec<Reading>> {
    query(
        "SELECT * FROM number_readings WHERE file_id = $1 AND at >= coalesce((SELECT max(at) FROM number_readings \
         WHERE file_id = $1 AND at < $2), $2) ORDER BY at",
    )
    .bind(file)
    .bind(since)
    .all(db, reading)
    .await
}

/// A reading that changed something, with the one before.
pub(super) struct Changed {
    /// Of which number's file.
    pub file: String,
    /// In E.164.
    pub number: String,
    pub before: Reading,
    pub after: Reading,
}

/// What changed with a customer's numbers, before this one, the last first.
pub(super) async fn changes(
    db: &mut impl Reads,
    customer: CustomerId,
    before: &Before,
    limit: i64,
) -> Result<Vec<Changed>> {
    let found = query(
        "SELECT r.*, f.number FROM number_files f JOIN number_readings r ON r.file_id = f.id \
         WHERE f.customer_id = $1 AND r.is_change AND r.at <= $2 AND (r.at, r.file_id) < ($2, $3) \
         ORDER BY r.at DESC, r.file_id DESC LIMIT $4",
    )
    .bind(customer)
    .bind(before.at)
    .bind(&before.id)
    .bind(limit)
    .all(db, |row| Ok((row.text("file_id")?, row.text("number")?, reading(row)?)))
    .await?;
    let mut all = Vec::new();
    for (file, number, after) in found {
        let before = query("SELECT * FROM number_readings WHERE file_id = $1 AND at < $2 ORDER BY at DESC LIMIT 1")
            .bind(&file)
            .bind(after.at)
            .optional(db, reading)
            .await?;
        all.extend(before.map(|before| Changed { file, number, before, after }));
    }
    Ok(all)
}

/// Of what it is asked since when it stands so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matter {
    /// `CONNECTED`, `BANNED` ...
    Status,
    /// The quality.
    Quality,
    /// Meta's word on the name.
    Name,
    /// Whether messages can be sent.
    Sending,
}

/// Since when a customer's number stands so, by its readings; `None` where they don't tell.
///
/// # Errors
/// The database's.
pub async fn stands_since(
    db: &mut impl Reads,
    customer: CustomerId,
    number: &super::Number,
    matter: Matter,
) -> Result<Option<OffsetDateTime>> {
    let Some(file) = file_queries::of_number(db, customer, &number.display).await? else { return Ok(None) };
    // The changes, and what they began with.
    let readings = query(
        "SELECT * FROM number_readings WHERE file_id = $1 AND (is_change OR at = (SELECT min(at) FROM number_readings \
         WHERE file_id = $1)) ORDER BY at DESC LIMIT $2",
    )
    .bind(&file.id)
    .bind(LOOKED_AT)
    .all(db, reading)
    .await?;
    let wanted = match matter {
        Matter::Status => {
            number.status.clone().map(|word| if word == "LINKED" { "CONNECTED".to_owned() } else { word })
        }
        Matter::Quality => number.quality_rating.clone(),
        Matter::Name => number.name_status.clone(),
        Matter::Sending => number.health.as_ref().map(|health| health.can_send.clone()),
    };
    let of = |reading: &Reading| match matter {
        Matter::Status => reading.status.clone(),
        Matter::Quality => reading.quality.clone(),
        Matter::Name => reading.name_status.clone(),
        Matter::Sending => reading.can_send.clone(),
    };
    let same = readings.iter().take_while(|reading| of(reading).is_none() || of(reading) == wanted);
    // From the oldest that says so.
    Ok(same.filter(|reading| of(reading).is_some()).last().map(|reading| reading.at))
}
