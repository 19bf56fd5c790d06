//! What is sent to endpoints, in each of the three formats. Pure, but for files that are fetched for MO/DLR.

mod events;
mod json;
mod media;
mod message;
pub mod meta;
mod mo_dlr;
mod room;
pub mod samples;
pub mod standard_webhooks;
#[cfg(test)]
mod tests;

pub use media::{Fetched, Files, NotFetched};
pub(super) use mo_dlr::told;
pub use room::{Memory, Room, cost};

use super::{Cause, Delivery, Endpoint, Format};
use crate::{
    base::clock::Clock,
    webhooks::{Change, Event, Item, Kind, RoutedChange},
};
use message::One;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use std::{collections::BTreeSet, sync::Arc};
use time::OffsetDateTime;

/// The header with the delivery's number: those of one endpoint have no gaps, so a receiver restores the order by it.
pub const SEQUENCE: &str = "doorway-sequence";
/// The header that says why the call is made: `event`, `replay`, `test` or `expired`.
pub const CAUSE: &str = "doorway-cause";

/// What a delivery sends.
#[derive(Debug)]
pub struct Call {
    /// The body, JSON.
    pub body: Vec<u8>,
    /// Headers beside `content-type: application/json`, signatures among them.
    pub headers: Vec<(&'static str, String)>,
    /// The memory that a file in it takes: to be kept until the call is over.
    pub room: Option<Room>,
}

/// A delivery that an endpoint of some format gets for a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which of the change's items; `None`: the whole change.
    pub item: Option<usize>,
    /// What it is in order with: a digest of number and conversation; 0: nothing.
    pub lane: i64,
    /// What else it is in order with, where it tells of several conversations.
    pub more_lanes: Vec<i64>,
}

/// Why there is nothing to call with; another attempt would find no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Uncallable {
    /// The webhook's body is not kept any longer.
    #[error("what Meta sent is not kept any longer")]
    Gone,
    /// The change has no such message or status, or the format has no word for it.
    #[error("the format has no word for it")]
    Nothing,
}

/// What making a call takes beside the event itself.
#[derive(Clone)]
pub struct Formats {
    /// The time.
    pub clock: Clock,
    /// Where files come from.
    pub files: Arc<dyn Files>,
    /// How much memory they may take.
    pub memory: Memory,
}

/// Which deliveries a change gives in a format. Meta's: one for the whole change; the others: one for each message
/// or status that had not come before, as far as they are of the chosen kinds; where there are none in it, *events*
/// has one for the whole change and MO/DLR none.
#[must_use]
pub fn parts(format: Format, routed: &RoutedChange<'_>, kinds: Option<&[Kind]>) -> Vec<Part> {
    let whole = |lane, more_lanes| vec![Part { item: None, lane, more_lanes }];
    let single = |(item, it): (usize, &Item)| Part {
        item: Some(item),
        lane: lane(routed, &it.conversation),
        more_lanes: Vec::new(),
    };
    let fresh = || routed.fresh().filter(|(_, it)| kinds.is_none_or(|kinds| kinds.contains(&it.kind())));
    match format {
        Format::Meta => {
            let mut lanes = lanes(routed);
            whole(lanes.pop().unwrap_or(0), lanes)
        }
        Format::Events if routed.items.is_empty() => whole(0, Vec::new()),
        Format::Events => fresh().map(single).collect(),
        Format::MoDlr => {
            let told = mo_dlr::told(&routed.change);
            fresh().filter(|(_, it)| told.tells(it)).map(single).collect()
        }
    }
}

/// What the call for a whole change is in order with: each of its conversations.
fn lanes(routed: &RoutedChange<'_>) -> Vec<i64> {
    let conversations: BTreeSet<&str> = routed.items.iter().map(|item| item.conversation.as_str()).collect();
    conversations.into_iter().filter(|one| !one.is_empty()).map(|one| lane(routed, one)).collect()
}

/// What the calls for a conversation of a number are in order with.
fn lane(routed: &RoutedChange<'_>, conversation: &str) -> i64 {
    if conversation.is_empty() {
        return 0;
    }
    let number = routed.route.place.phone_number.as_ref().map_or("", |number| number.as_str());
    let digest = Sha256::new().chain_update(number).chain_update([0]).chain_update(conversation).finalize();
    i64::from_le_bytes(digest[..8].try_into().expect("SHA-256 has 32 bytes")) | 1
}

/// Makes the call of an attempt: body, and headers signed for now. `event` is what the delivery tells; a test has
/// none.
///
/// # Errors
/// Where there is nothing to send, see [`Uncallable`]: the delivery is over.
pub async fn call(
    formats: &Formats,
    endpoint: &Endpoint,
    delivery: &Delivery,
    event: Option<(&Event, &Change<'_>)>,
) -> Result<Call, Uncallable> {
    let mut room = None;
    let body = match event {
        _ if delivery.report.is_some() => delivery.report.clone(),
        None if delivery.cause == Cause::Test => {
            let (event, body) = samples::test(endpoint, formats.clock.now());
            let changes = Change::all(&body);
            let change = changes.first().ok_or(Uncallable::Nothing)?;
            // A text has no file.
            compose(endpoint.format, &event, change, samples::item_for(endpoint.format), false, None)
        }
        None => return Err(Uncallable::Gone),
        Some((event, change)) => {
            let file = match (endpoint.format, delivery.item) {
                (Format::MoDlr, Some(item)) => {
                    let room = room.insert(formats.memory.room(endpoint));
                    file(formats, event, change, item, room).await
                }
                _ => None,
            };
            compose(endpoint.format, event, change, delivery.item, delivery.cause == Cause::Expired, file.as_ref())
        }
    };
    let body = body.ok_or(Uncallable::Nothing)?.into_bytes();
    // The file itself is gone by now. The built-in receiver reads the body here, so that it is there twice.
    if let Some(room) = room.as_mut().filter(|_| endpoint.url.is_some()) {
        room.keep(body.capacity());
    }
    let mut headers = signed(endpoint, &id_of(delivery), formats.clock.now(), &body);
    headers.push((SEQUENCE, delivery.number.to_string()));
    headers.push((CAUSE, delivery.cause.as_str().to_owned()));
    Ok(Call { body, headers, room })
}

/// The body of a change, or of one of its items.
fn compose(
    format: Format,
    event: &Event,
    change: &Change<'_>,
    item: Option<usize>,
    expired: bool,
    file: Option<&Fetched>,
) -> Option<String> {
    match format {
        Format::Meta => Some(meta::body(change)),
        Format::Events => events::body(event, change, item),
        Format::MoDlr => {
            let one = One::of(change, item?)?;
            if one.is_status { mo_dlr::report(&one, expired) } else { mo_dlr::inbound(&one, file) }
        }
    }
}

/// The file of a message, or why there is none; `None` where none belongs to it.
async fn file(formats: &Formats, event: &Event, change: &Change<'_>, item: usize, room: &mut Room) -> Option<Fetched> {
    let wanted = mo_dlr::file_of(&One::of(change, item)?)?;
    Some(match event.route.place.owner {
        Some(owner) => formats.files.fetch(owner.connection, &wanted, room).await,
        None => Fetched::Not(NotFetched::NoAccess),
    })
}

/// What a call is known by, the same on every retry and when it is sent again on request.
#[must_use]
pub fn id_of(delivery: &Delivery) -> String {
    match (delivery.event, delivery.item) {
        (None, _) => format!("test_{}_{}", delivery.endpoint, delivery.number),
        (Some(event), _) if delivery.cause == Cause::Expired => {
            format!("msg_{event}_{}_expired", delivery.item.unwrap_or_default())
        }
        (Some(event), Some(item)) => format!("msg_{event}_{item}"),
        (Some(event), None) => format!("msg_{event}"),
    }
}

/// The signature of these bytes in the endpoint's format; while a secret is rotated, with both.
fn signed(endpoint: &Endpoint, id: &str, now: OffsetDateTime, body: &[u8]) -> Vec<(&'static str, String)> {
    let old = endpoint.old_secret.as_ref().filter(|(_, until)| *until > now).map(|(old, _)| old);
    match endpoint.format {
        Format::Meta => meta::headers(&endpoint.secret, old, body),
        Format::Events | Format::MoDlr => {
            standard_webhooks::headers(std::iter::once(&endpoint.secret).chain(old), id, now, body)
        }
    }
}

/// Whether a call that came was signed with one of the endpoint's secrets, as a receiver asks.
///
/// # Errors
/// Why it is not believed, in words.
pub fn check<'h>(
    endpoint: &Endpoint,
    header: impl Fn(&str) -> Option<&'h str>,
    body: &[u8],
    now: OffsetDateTime,
) -> Result<(), String> {
    let old = endpoint.old_secret.as_ref().filter(|(_, until)| *until > now).map(|(old, _)| old);
    let with = |secret: &SecretString| match endpoint.format {
        Format::Meta => match header(meta::HEADER) {
            None => Err("the header X-Hub-Signature-256 is missing".to_owned()),
            Some(given) if meta::verify(secret, given, body) => Ok(()),
            Some(_) => Err("the signature was not made with this secret".to_owned()),
        },
        Format::Events | Format::MoDlr => {
            standard_webhooks::verify(secret, &header, body, now).map_err(|why| why.to_string())
        }
    };
    let result = with(&endpoint.secret);
    match (result, old) {
        (Err(_), Some(old)) => with(old),
        (result, _) => result,
    }
}
