//! All SQL of `business_profile`.

use super::{
    copies::{Copied, CopyState},
    kept::{Kept, Stored},
    model::Change,
};
use crate::{
    base::ids::{self, PhoneNumberId, UserId, WabaId},
    store::{Reads, Result, Row, StoreError, WriteTx, query},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use time::OffsetDateTime;

fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|_| StoreError::Value("profile".to_owned()))
}

pub(super) async fn get(db: &mut impl Reads, number: &PhoneNumberId) -> Result<Option<Kept>> {
    query("SELECT profile, picture_url, read_at FROM business_profiles WHERE phone_number_id = $1")
        .bind(number)
        .optional(db, |row| {
            let Stored { profile, photo } = row.json("profile")?;
            Ok(Kept { profile, photo, picture_url: row.opt_text("picture_url")?, read_at: row.time("read_at")? })
        })
        .await
}

/// Keeps what was read; nothing where the number is gone meanwhile, or something newer is kept.
pub(super) async fn keep(tx: &mut WriteTx, number: &PhoneNumberId, kept: &Kept) -> Result<bool> {
    let done = query(
        "INSERT INTO business_profiles (phone_number_id, profile, picture_url, read_at) \
         SELECT phone_number_id, $2, $3, $4 FROM phone_numbers WHERE phone_number_id = $1 \
         ON CONFLICT (phone_number_id) DO UPDATE SET profile = excluded.profile, \
         picture_url = excluded.picture_url, read_at = excluded.read_at \
         WHERE excluded.read_at >= business_profiles.read_at",
    )
    .bind(number)
    .bind(json(&Stored { profile: kept.profile.clone(), photo: kept.photo.clone() })?)
    .bind(kept.picture_url.clone())
    .bind(kept.read_at)
    .execute(tx)
    .await?;
    Ok(done > 0)
}

/// A line of the history.
pub(super) struct Line {
    pub at: OffsetDateTime,
    /// `None`: elsewhere.
    pub user: Option<UserId>,
    pub changes: Vec<Change>,
}

/// Writes a line of the history; nothing where the number is gone meanwhile.
pub(super) async fn note(
    tx: &mut WriteTx,
    number: &PhoneNumberId,
    user: Option<UserId>,
    changes: &[Change],
    at: OffsetDateTime,
) -> Result<()> {
    query(
        "INSERT INTO profile_changes (id, phone_number_id, at, user_id, changes) \
         SELECT $1, phone_number_id, $3, $4, $5 FROM phone_numbers WHERE phone_number_id = $2",
    )
    .bind(ids::new_uuid().to_string())
    .bind(number)
    .bind(at)
    .bind(user)
    .bind(json(&changes)?)
    .execute(tx)
    .await?;
    Ok(())
}

/// The last changes of a profile, newest first.
pub(super) async fn history(db: &mut impl Reads, number: &PhoneNumberId, limit: i64) -> Result<Vec<Line>> {
    query("SELECT at, user_id, changes FROM profile_changes WHERE phone_number_id = $1 ORDER BY at DESC, id DESC LIMIT $2")
        .bind(number)
        .bind(limit)
        .all(db, |row| {
            Ok(Line { at: row.time("at")?, user: row.opt_parse("user_id")?, changes: row.json("changes")? })
        })
        .await
}

/// A photo that waits.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    pub mime_type: String,
    pub bytes: Vec<u8>,
}

/// How many photos of a number wait at most.
const PICTURES: i64 = 4;

/// Keeps a photo, and lets go of those that waited too long; its ID.
pub(super) async fn keep_picture(
    tx: &mut WriteTx,
    number: &PhoneNumberId,
    picture: &Picture,
    now: OffsetDateTime,
    until: OffsetDateTime,
) -> Result<String> {
    prune_pictures(tx, until).await?;
    let id = ids::new_uuid().to_string();
    query(
        "INSERT INTO profile_pictures (id, phone_number_id, mime_type, content, created_at) \
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(&id)
    .bind(number)
    .bind(&picture.mime_type)
    .bind(STANDARD.encode(&picture.bytes))
    .bind(now)
    .execute(tx)
    .await?;
    // Of each number the newest few, and those that copies wait for.
    query(
        "DELETE FROM profile_pictures WHERE phone_number_id = $1 AND id NOT IN (SELECT id FROM profile_pictures \
         WHERE phone_number_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2) AND id NOT IN (SELECT picture_id \
         FROM profile_copies WHERE source_id = $1 AND state = 'waiting' AND picture_id IS NOT NULL)",
    )
    .bind(number)
    .bind(PICTURES)
    .execute(tx)
    .await?;
    Ok(id)
}

/// Lets go of photos that waited too long.
pub(super) async fn prune_pictures(tx: &mut WriteTx, until: OffsetDateTime) -> Result<()> {
    query("DELETE FROM profile_pictures WHERE created_at < $1").bind(until).execute(tx).await?;
    Ok(())
}

pub(super) async fn picture(db: &mut impl Reads, number: &PhoneNumberId, id: &str) -> Result<Option<Picture>> {
    query("SELECT mime_type, content FROM profile_pictures WHERE id = $1 AND phone_number_id = $2")
        .bind(id)
        .bind(number)
        .optional(db, |row| {
            let bytes = STANDARD.decode(row.text("content")?).map_err(|_| StoreError::Value("content".to_owned()))?;
            Ok(Picture { mime_type: row.text("mime_type")?, bytes })
        })
        .await
}

fn copied(row: &Row) -> Result<Copied> {
    Ok(Copied {
        number: row.parse("phone_number_id")?,
        source: row.parse("source_id")?,
        connection: row.parse("connection_id")?,
        customer: row.parse("customer_id")?,
        user: row.parse("user_id")?,
        profile: row.json("profile")?,
        picture: row.opt_text("picture_id")?,
        state: match row.text("state")?.as_str() {
            "done" => CopyState::Done,
            "failed" => CopyState::Failed,
            _ => CopyState::Waiting,
        },
        reason: row.opt_text("reason")?,
        detail: row.opt_text("detail")?,
        tries: row.int("tries")?,
        at: row.time("at")?,
    })
}

/// Asks for a copy in place of the one before.
pub(super) async fn ask_copy(tx: &mut WriteTx, copy: &Copied) -> Result<()> {
    query(
        "INSERT INTO profile_copies (phone_number_id, source_id, connection_id, customer_id, user_id, profile, picture_id, \
         state, at) VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', $8) \
         ON CONFLICT (phone_number_id) DO UPDATE SET source_id = excluded.source_id, \
         connection_id = excluded.connection_id, customer_id = excluded.customer_id, user_id = excluded.user_id, \
         profile = excluded.profile, picture_id = excluded.picture_id, state = 'waiting', reason = NULL, detail = NULL, \
         tries = 0, at = excluded.at",
    )
    .bind(&copy.number)
    .bind(&copy.source)
    .bind(copy.connection)
    .bind(copy.customer)
    .bind(copy.user)
    .bind(json(&copy.profile)?)
    .bind(copy.picture.clone())
    .bind(copy.at)
    .execute(tx)
    .await?;
    Ok(())
}

/// The copy that a number waits for.
pub(super) async fn waiting_copy(db: &mut impl Reads, number: &PhoneNumberId) -> Result<Option<Copied>> {
    query("SELECT * FROM profile_copies WHERE phone_number_id = $1 AND state = 'waiting'")
        .bind(number)
        .optional(db, copied)
        .await
}

/// What became of the copies of a number's profile.
pub(super) async fn copies_of(db: &mut impl Reads, source: &PhoneNumberId) -> Result<Vec<Copied>> {
    query("SELECT * FROM profile_copies WHERE source_id = $1 ORDER BY phone_number_id")
        .bind(source)
        .all(db, copied)
        .await
}

/// Writes down what became of a copy, unless another was asked for meanwhile.
pub(super) async fn copy_ended(tx: &mut WriteTx, copy: &Copied, now: OffsetDateTime) -> Result<()> {
    query(
        "UPDATE profile_copies SET state = $2, reason = $3, detail = $4, tries = $5, at = $6 \
         WHERE phone_number_id = $1 AND state = 'waiting' AND at = $7",
    )
    .bind(&copy.number)
    .bind(match copy.state {
        CopyState::Waiting => "waiting",
        CopyState::Done => "done",
        CopyState::Failed => "failed",
    })
    .bind(copy.reason.clone())
    .bind(copy.detail.clone())
    .bind(copy.tries)
    // While it waits, the time says which request it is of.
    .bind(if copy.state == CopyState::Waiting { copy.at } else { now })
    .bind(copy.at)
    .execute(tx)
    .await?;
    Ok(())
}

/// The numbers of a WABA that wait for a copy.
pub(super) async fn waiting_in(db: &mut impl Reads, waba: &WabaId) -> Result<Vec<PhoneNumberId>> {
    query(
        "SELECT c.phone_number_id FROM profile_copies c JOIN phone_numbers p ON p.phone_number_id = c.phone_number_id \
         WHERE p.waba_id = $1 AND c.state = 'waiting'",
    )
    .bind(waba)
    .all(db, |row| row.parse("phone_number_id"))
    .await
}

/// What is kept of the profiles of a WABA's numbers, to be handed out: profiles, changes, photos, copies.
pub(super) async fn export(db: &mut impl Reads, waba: &WabaId) -> Result<[Vec<serde_json::Value>; 4]> {
    let profiles = "SELECT t.* FROM business_profiles t JOIN phone_numbers p ON p.phone_number_id = t.phone_number_id \
                    WHERE p.waba_id = $1 ORDER BY t.phone_number_id";
    let changes = "SELECT t.* FROM profile_changes t JOIN phone_numbers p ON p.phone_number_id = t.phone_number_id \
                   WHERE p.waba_id = $1 ORDER BY t.phone_number_id, t.at";
    let pictures = "SELECT t.* FROM profile_pictures t JOIN phone_numbers p ON p.phone_number_id = t.phone_number_id \
                    WHERE p.waba_id = $1 ORDER BY t.id";
    let copies = "SELECT t.* FROM profile_copies t JOIN phone_numbers p ON p.phone_number_id = t.phone_number_id \
                  WHERE p.waba_id = $1 ORDER BY t.phone_number_id";
    Ok([
        query(profiles).bind(waba).all(db, |row| row.to_json(&["profile"])).await?,
        query(changes).bind(waba).all(db, |row| row.to_json(&["changes"])).await?,
        query(pictures).bind(waba).all(db, |row| row.to_json(&[])).await?,
        query(copies).bind(waba).all(db, |row| row.to_json(&["profile"])).await?,
    ])
}
