//! Taking a number off Cloud API as its connection ends: counted like any other such call, as Meta allows ten in 72
//! hours and then locks the number for as long.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/registration>

use super::{
    file::TryKind,
    file_queries,
    model::Number,
    register::{SILENCE, SILENT_TRIES},
    tries,
};
use crate::{
    base::ids::PhoneNumberId,
    graph::{self, ErrorClass, GraphError},
    store::{Result, WriteTx},
};
use time::OffsetDateTime;

/// Whether a number may be taken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Release {
    /// The call is counted: its ID, for [`end_release`].
    Counted(String),
    /// Meta has answered since.
    Settled,
    /// Not now: Meta would lock the number, or did not answer again and again.
    GivenUp,
}

/// Counts a call that takes a number off, before it is made. `since`: when that was asked for.
///
/// # Errors
/// The database's.
pub async fn begin_release(
    tx: &mut WriteTx,
    number: &Number,
    since: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<Release> {
    let kind = TryKind::Deregister;
    let (id, status) = (&number.id, number.status.as_deref());
    file_queries::ensure(tx, &number.waba_id, id, &number.display, status, now).await?;
    let Some(file) = file_queries::of_phone(tx, id).await? else { return Ok(Release::GivenUp) };
    if tries::is_settled(tx, &file.id, kind, since).await? {
        return Ok(Release::Settled);
    }
    let silent = tries::unanswered(tx, &file.id, kind, now - SILENCE).await?;
    if silent.len() >= SILENT_TRIES || tries::of(tx, &file, kind, now).await?.next(now).is_some() {
        return Ok(Release::GivenUp);
    }
    tries::count(tx, &file.id, kind, now).await.map(Release::Counted)
}

/// Keeps what Meta answered. Where it did not, the try stays open.
///
/// # Errors
/// The database's.
pub async fn end_release(
    tx: &mut WriteTx,
    number: &PhoneNumberId,
    counted: &str,
    answer: &graph::Result<()>,
) -> Result<()> {
    let code = answer.as_ref().err().and_then(GraphError::api).map(|api| api.code);
    match answer {
        Err(error) if matches!(error.class(), ErrorClass::Transient | ErrorClass::RateLimited) => Ok(()),
        // 133010: it was not registered.
        Err(_) if code != Some(133_010) => {
            let outcome = code.map_or_else(|| "refused".to_owned(), |code| code.to_string());
            tries::end(tx, counted, &outcome).await
        }
        _ => {
            tries::end(tx, counted, "ok").await?;
            match file_queries::of_phone(tx, number).await? {
                Some(file) => file_queries::came_off(tx, &file.id, number).await,
                None => Ok(()),
            }
        }
    }
}
