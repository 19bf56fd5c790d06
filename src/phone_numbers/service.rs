//! Keeping and reading numbers, in the transactions of the features that use them.

use super::{file_queries, model::Number, queries};
use crate::{
    base::{
        ids::{CustomerId, PhoneNumberId, WabaId},
        phone::{normal_phone, without_trunk_zero},
    },
    graph,
    store::{Reads, Result, WriteTx},
};
use time::OffsetDateTime;

/// Keeps the numbers of a WABA as they were when Meta was asked; those that are gone from it go here too, and one that
/// came from another WABA of ours moves. What was told since stays.
///
/// # Errors
/// The database's.
pub async fn replace(
    tx: &mut WriteTx,
    waba: &WabaId,
    read: &[graph::PhoneNumber],
    asked: OffsetDateTime,
) -> Result<()> {
    queries::replace(tx, waba, read, asked).await
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
    let Some(wanted) = Wanted::of(text) else { return Ok(Vec::new()) };
    let found = queries::ending_with(db, wanted.tail()).await?;
    Ok(found.into_iter().filter(|(_, written)| wanted.is(written)).map(|(waba, _)| waba).collect())
}

/// The customers who have or had a number: by its ID, or written in whatever notation.
///
/// # Errors
/// The database's.
pub async fn customers_of(db: &mut impl Reads, text: &str) -> Result<Vec<CustomerId>> {
    let mut all = file_queries::customers_with_id(db, text.trim()).await?;
    if let Some(wanted) = Wanted::of(text) {
        let found = file_queries::ending_with(db, wanted.tail()).await?;
        all.extend(found.into_iter().filter(|(_, written)| wanted.is(written)).map(|(customer, _)| customer));
    }
    Ok(all)
}

/// Whether a number, as Meta writes it, is what somebody types to find it.
#[must_use]
pub fn is_written_so(display: &str, text: &str) -> bool {
    Wanted::of(text).is_some_and(|wanted| wanted.is(display))
}

/// A number as somebody types it to find it.
struct Wanted {
    national: String,
    normal: Option<String>,
}

impl Wanted {
    /// `None`: too short, or none at all.
    fn of(text: &str) -> Option<Self> {
        let text = without_trunk_zero(text);
        let is_one = text.chars().all(|c| c.is_ascii_digit() || " +-()./".contains(c));
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        // Dialled from abroad, and from within a country.
        let digits = digits.strip_prefix("00").unwrap_or(&digits);
        let national = digits.strip_prefix('0').unwrap_or(digits);
        let fits = is_one && (TAIL..=15).contains(&national.len());
        fits.then(|| Self { national: national.to_owned(), normal: normal_phone(digits) })
    }

    fn tail(&self) -> &str {
        &self.national[self.national.len() - TAIL..]
    }

    fn is(&self, written: &str) -> bool {
        let digits: String = written.chars().filter(char::is_ascii_digit).collect();
        digits.ends_with(&self.national) || normal_phone(&digits).is_some_and(|one| Some(one) == self.normal)
    }
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
