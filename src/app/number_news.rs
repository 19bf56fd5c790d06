//! What webhooks tell of numbers that something is being done with, handed to the feature that does it.

use crate::{
    phone_numbers::{self, PhoneNumbers},
    store::{Result, WriteTx},
    webhooks::{Kind, RoutedChange, told_at},
};
use serde_json::Value;

/// Takes it, in the transaction that makes an event of it.
pub(super) async fn take(numbers: &PhoneNumbers, tx: &mut WriteTx, routed: &RoutedChange<'_>) -> Result<()> {
    let place = &routed.route.place;
    let (Some(_), Some(number)) = (place.owner, &place.phone_number) else { return Ok(()) };
    // An own app may name any number: only those of the account count that it speaks for.
    if phone_numbers::waba_of(tx, number).await? != place.waba {
        return Ok(());
    }
    let at = routed.change.time.and_then(|time| told_at(&time.into())).unwrap_or(routed.received_at);
    let at = at.min(routed.received_at);
    match routed.kind {
        Kind::NumberSecurityChanged => {
            let value = routed.change.json();
            let event = value.get("event").and_then(Value::as_str).unwrap_or_default();
            PhoneNumbers::security_told(tx, number, event, at).await
        }
        Kind::NumberNameReviewed => numbers.name_told(tx, number).await,
        Kind::HistoryReceived => phone_numbers::history_told(tx, number, &routed.change.json(), at).await,
        Kind::ContactsSynced => phone_numbers::contacts_told(tx, number, &routed.change.json(), at).await,
        _ => Ok(()),
    }
}
