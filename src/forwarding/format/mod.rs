//! What is sent to endpoints, in each of the three formats. Pure, but for media that is fetched for MO/DLR.

use super::{Delivery, Endpoint, Format};
use crate::webhooks::{Change, Event, RoutedChange};
use sha2::{Digest, Sha256};

/// What a delivery sends.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The body, JSON.
    pub body: Vec<u8>,
    /// Headers beside `content-type: application/json`, signatures among them.
    pub headers: Vec<(&'static str, String)>,
}

/// A delivery that an endpoint of some format gets for a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which of the change's items; `None`: the whole change.
    pub item: Option<usize>,
    /// What it is in order with: a digest of number and conversation; 0: nothing.
    pub lane: i64,
}

/// Why there is nothing to call with; another attempt would find no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Uncallable {
    /// The webhook's body is not kept any longer.
    #[error("what Meta sent is not kept any longer")]
    Gone,
}

/// What making a call takes beside the event itself.
#[derive(Clone, Default)]
pub struct Formats;

/// Which deliveries a change gives in a format.
#[must_use]
pub fn parts(format: Format, routed: &RoutedChange<'_>) -> Vec<Part> {
    let lane = |conversation: &str| lane(routed, conversation);
    match format {
        Format::MoDlr => {
            routed.fresh().map(|(item, it)| Part { item: Some(item), lane: lane(&it.conversation) }).collect()
        }
        _ => vec![Part { item: None, lane: routed.items.first().map_or(0, |item| lane(&item.conversation)) }],
    }
}

fn lane(routed: &RoutedChange<'_>, conversation: &str) -> i64 {
    if conversation.is_empty() {
        return 0;
    }
    let number = routed.route.place.phone_number.as_ref().map_or("", |number| number.as_str());
    let digest = Sha256::new().chain_update(number).chain_update([0]).chain_update(conversation).finalize();
    i64::from_le_bytes(digest[..8].try_into().expect("SHA-256 has 32 bytes")) | 1
}

/// Makes the call of an attempt.
///
/// # Errors
/// See [`Uncallable`].
#[allow(clippy::unused_async, reason = "files are fetched for some formats")]
pub async fn call(
    _formats: &Formats,
    _endpoint: &Endpoint,
    delivery: &Delivery,
    event: Option<(&Event, &Change<'_>)>,
) -> Result<Call, Uncallable> {
    let body = match event {
        Some((_, change)) => format!(
            r#"{{"object":"whatsapp_business_account","entry":[{{"id":"{}","changes":[{}]}}]}}"#,
            change.entry_id, change.raw
        ),
        None if delivery.event.is_none() => "{}".to_owned(),
        None => return Err(Uncallable::Gone),
    };
    Ok(Call { body: body.into_bytes(), headers: vec![("doorway-sequence", delivery.number.to_string())] })
}
