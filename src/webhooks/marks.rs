//! What had come already. Meta delivers at least once: the same status or message may come again within 7 days.
//!
//! A message is known by number, direction and ID (two customers of ours may write to each other, and then both
//! sides name the same ID); what was told of it is a bit each. A change without messages is known by a digest of all
//! it says.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview>

use super::{change::Change, route::Place, understand::Item};
use sha2::{Digest, Sha256};

/// How long it is known, in days after it came last.
pub(super) const KEPT_DAYS: i64 = 8;

/// The first 64 bits of a digest of these parts.
fn digest(parts: &[&str]) -> i64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    let hash = hash.finalize();
    i64::from_le_bytes(hash[..8].try_into().expect("SHA-256 has 32 bytes"))
}

/// Of a message or status that came for a number.
pub(super) fn of_item(place: &Place, item: &Item) -> i64 {
    let number = place.phone_number.as_ref().map_or("", |number| number.as_str());
    digest(&["item", number, &item.message])
}

/// Of a change that holds none.
pub(super) fn of_change(change: &Change<'_>) -> i64 {
    let time = change.time.map(|time| time.to_string()).unwrap_or_default();
    digest(&["change", &change.entry_id, &time, &change.field, change.raw])
}
