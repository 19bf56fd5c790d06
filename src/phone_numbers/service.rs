//! Keeping and reading numbers, in the transactions of the features that use them.

use super::{model::Number, queries};
use crate::{
    base::{
        ids::{PhoneNumberId, WabaId},
        phone::normal_phone,
    },
    graph,
    store::{Reads, Result, WriteTx},
};
use time::OffsetDateTime;

/// Keeps the numbers of a WABA as just read; those that are gone from it go here too, and one that came
/// from another WABA of ours moves.
///
/// # Errors
/// The database's.
pub async fn replace(tx: &mut WriteTx, waba: &WabaId, read: &[graph::PhoneNumber], now: OffsetDateTime) -> Result<()> {
    queries::replace(tx, waba, read, now).await
}

/// Keeps what Meta said of a number's health.
///
/// # Errors
/// The database's.
pub async fn set_health(tx: &mut WriteTx, id: &PhoneNumberId, health: &graph::Health) -> Result<()> {
    queries::set_health(tx, id, health).await
}

/// The numbers of a WABA.
///
/// # Errors
/// The database's.
pub async fn list(db: &mut impl Reads, waba: &WabaId) -> Result<Vec<Number>> {
    queries::list(db, waba).await
}

/// A WABA's numbers as they are kept, to be handed out.
///
/// # Errors
/// The database's.
pub async fn export(db: &mut impl Reads, waba: &WabaId) -> Result<Vec<serde_json::Value>> {
    queries::export(db, waba).await
}

/// The WABA of a number.
///
/// # Errors
/// The database's.
pub async fn waba_of(db: &mut impl Reads, number: &PhoneNumberId) -> Result<Option<WabaId>> {
    queries::waba_of(db, number).await
}

/// How many of a number's last digits it is looked for by, where prefixes differ.
const TAIL: usize = 6;

/// The WABAs of numbers that are written so, in whatever notation: with or without country code, as Meta's IDs differ
/// from E.164, with spaces and brackets. What is too short to be one finds nothing.
///
/// # Errors
/// The database's.
pub async fn wabas_of_number(db: &mut impl Reads, text: &str) -> Result<Vec<WabaId>> {
    let is_one = text.chars().all(|c| c.is_ascii_digit() || " +-()./".contains(c));
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    // Dialled from abroad, and from within a country.
    let digits = digits.strip_prefix("00").unwrap_or(&digits);
    let national = digits.strip_prefix('0').unwrap_or(digits);
    if !is_one || national.len() < TAIL || national.len() > 15 {
        return Ok(Vec::new());
    }
    let wanted = normal_phone(digits);
    let found = queries::ending_with(db, &national[national.len() - TAIL..]).await?;
    let same = |written: &str| {
        let digits: String = written.chars().filter(char::is_ascii_digit).collect();
        digits.ends_with(national) || normal_phone(&digits).is_some_and(|one| Some(one) == wanted)
    };
    Ok(found.into_iter().filter(|(_, written)| same(written)).map(|(waba, _)| waba).collect())
}

/// The number of a WABA that is written so, in whatever notation, also as Meta's IDs differ from E.164; `None` where
/// none or several are.
///
/// # Errors
/// The database's.
pub async fn written_so(db: &mut impl Reads, waba: &WabaId, display: &str) -> Result<Option<PhoneNumberId>> {
    let form = |text: &str| {
        let digits = text.chars().filter(char::is_ascii_digit).collect::<String>();
        normal_phone(&digits).unwrap_or(digits)
    };
    let wanted = form(display);
    let mut same = queries::written(db, waba).await?.into_iter().filter(|(_, written)| form(written) == wanted);
    Ok(same.next().filter(|_| same.next().is_none() && !wanted.is_empty()).map(|(id, _)| id))
}
