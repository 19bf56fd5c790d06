//! `doorway events export`: what was taken in, one line of JSON a change, in order. It only reads, a few bodies at a
//! time, so that it runs beside the server as well as without it.

use super::{
    change::{Change, EventId},
    list, queries,
    route::Place,
    router::ROUTED,
    understand::Address,
    whose::Whose,
};
use crate::{
    base::{clock, ids::CustomerId},
    store::{ReadTx, Result, Store, StoreError},
};
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde_json::value::RawValue;
use std::io::Write;
use time::{Duration, OffsetDateTime};

/// How many bodies are read at once, and about how many bytes.
const AT_ONCE: i64 = 200;
const BYTES: i64 = 8 << 20;
/// By how much the clocks of several processes may differ: numbers grow with time but for that.
const SKEW: Duration = Duration::minutes(10);

/// Who knows whose a change is that is not routed yet; wired in `app`.
pub trait Places: Send + Sync {
    /// As [`super::Consequences::place`], but only reading.
    ///
    /// # Errors
    /// The database's.
    fn place<'a>(&'a self, db: &'a mut ReadTx, address: &'a Address) -> BoxFuture<'a, Result<Place>>;
}

/// What is wanted of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// What came then or later.
    pub since: Option<OffsetDateTime>,
    /// What is this customer's.
    pub customer: Option<CustomerId>,
}

/// Why it broke off.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The database's.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nobody takes what is written.
    #[error("writing: {0}")]
    Write(#[from] std::io::Error),
    /// A line could not be made.
    #[error("writing: {0}")]
    Json(#[from] serde_json::Error),
}

#[derive(Serialize)]
struct Line<'a> {
    id: String,
    received_at: String,
    customer: Option<String>,
    connection: Option<String>,
    field: Option<&'a str>,
    raw: &'a RawValue,
}

/// The change on one line: between the values of JSON a line break may as well be a space, and inside of them none
/// can stand. What is no JSON becomes a text.
fn raw(change: &Change<'_>) -> serde_json::Result<Box<RawValue>> {
    let on_one_line = change.raw.trim().replace(['\n', '\r'], " ");
    match RawValue::from_string(on_one_line) {
        Ok(raw) => Ok(raw),
        Err(_) => RawValue::from_string(serde_json::to_string(change.raw)?),
    }
}

/// Writes what was taken in; tells how many lines.
///
/// # Errors
/// See [`ExportError`].
pub async fn export(
    store: &Store,
    places: &dyn Places,
    wanted: Wanted,
    out: &mut impl Write,
) -> std::result::Result<u64, ExportError> {
    let mut last = match wanted.since {
        Some(since) => list::first_body_since(&mut store.read().await?, since - SKEW).await? - 1,
        None => i64::MIN,
    };
    let (mut whose, mut lines) = (Whose::default(), 0);
    loop {
        let mut db = store.read().await?;
        // In this order: what is routed by now has its events, unless it had come before.
        let routed = ROUTED.value(&mut db).await?;
        let bodies = queries::after(&mut db, last, AT_ONCE, BYTES).await?;
        let Some(end) = bodies.last() else { break };
        last = end.seq;
        whose.read(&mut db, &bodies).await?;
        for kept in bodies.iter().filter(|kept| wanted.since.is_none_or(|since| kept.received_at >= since)) {
            for change in Change::all(&kept.body) {
                let id = EventId::new(kept.seq, change.place);
                let owner = match whose.of_event(id) {
                    Some(route) => route.place.owner,
                    None => {
                        let (address, route) = whose.of_place(&mut db, &change, kept.received_at).await?;
                        let owner = match route.filter(|_| kept.seq <= routed) {
                            Some(route) => route.place.owner,
                            None => places.place(&mut db, &address).await?.owner,
                        };
                        // What a customer's own app sends is that customer's or nobody's.
                        owner.filter(|owner| kept.sender.is_none_or(|sender| sender == *owner))
                    }
                };
                if wanted.customer.is_some_and(|customer| owner.is_none_or(|owner| owner.customer != customer)) {
                    continue;
                }
                let line = Line {
                    id: id.to_string(),
                    received_at: clock::rfc3339(kept.received_at),
                    customer: owner.map(|owner| owner.customer.to_string()),
                    connection: owner.map(|owner| owner.connection.to_string()),
                    field: Some(change.field.as_ref()).filter(|field| !field.is_empty()),
                    raw: &raw(&change)?,
                };
                serde_json::to_writer(&mut *out, &line)?;
                out.write_all(b"\n")?;
                lines += 1;
            }
        }
    }
    out.flush()?;
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_stands_on_one_line_as_it_came() {
        let body = "{\"entry\":[{\"id\":\"1\",\"changes\":[{\"field\":\"x\",\r\n \"value\":{\"a\\nb\": 1.0e2}}]}]}";
        let changes = Change::all(body);
        assert_eq!(raw(&changes[0]).unwrap().get(), "{\"field\":\"x\",   \"value\":{\"a\\nb\": 1.0e2}}");
        let odd = "no \"JSON\"\nat all";
        assert_eq!(raw(&Change::all(odd)[0]).unwrap().get(), serde_json::to_string(odd).unwrap());
    }
}
