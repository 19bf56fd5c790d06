//! What webhooks tell of accounts and numbers, handed to the features that keep it.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/account_update>

use crate::{
    base::ids::{PhoneNumberId, WabaId},
    connections::{Connections, Told},
    phone_numbers,
    store::{Result, WriteTx},
    webhooks::{Kind, RoutedChange, told_at},
};
use serde_json::Value;
use time::OffsetDateTime;

/// The fields of which people are shown something.
const NOTED: [Kind; 7] = [
    Kind::AccountUpdated,
    Kind::AccountAlert,
    Kind::NumberSecurityChanged,
    Kind::NumberNameReviewed,
    Kind::AccountLimitsChanged,
    Kind::AccountSettingsChanged,
    Kind::FlowUpdated,
];

/// Takes it, in the transaction that makes an event of it. Only rows of the account that the change was routed to
/// change.
pub(super) async fn take(connections: &Connections, tx: &mut WriteTx, routed: &RoutedChange<'_>) -> Result<()> {
    let place = &routed.route.place;
    let (Some(owner), Some(waba)) = (place.owner, &place.waba) else { return Ok(()) };
    let tells_number =
        matches!(routed.kind, Kind::NumberQualityChanged | Kind::NumberNameReviewed | Kind::AccountLimitsChanged);
    if !tells_number && routed.kind != Kind::AccountReviewed && !NOTED.contains(&routed.kind) {
        return Ok(());
    }
    let value = routed.change.json();
    // Changed settings come with the time inside.
    let at = routed.change.time.and_then(|time| told_at(&time.into())).or_else(|| told_at(value.get("timestamp")?));
    let at = at.unwrap_or(routed.received_at);
    // Nobody tells what is still to come.
    let at = at.min(routed.received_at);
    if tells_number {
        number_news(tx, routed, &value, waba, place.phone_number.as_ref(), at).await?;
    }
    if routed.kind == Kind::AccountReviewed {
        connections.reviewed(tx, waba, &routed.detail, at).await?;
    }
    if NOTED.contains(&routed.kind) {
        let told = Told {
            waba,
            connection: owner.connection,
            phone_number: place.phone_number.as_ref(),
            event_id: routed.id.0,
            field: &routed.change.field,
            event: &routed.detail,
            at,
            detail: &value,
        };
        connections.note(tx, &told).await?;
    }
    Ok(())
}

async fn number_news(
    tx: &mut WriteTx,
    routed: &RoutedChange<'_>,
    value: &Value,
    waba: &WabaId,
    number: Option<&PhoneNumberId>,
    at: OffsetDateTime,
) -> Result<()> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    match (routed.kind, number) {
        (Kind::NumberNameReviewed, Some(number)) => {
            let name = text("requested_verified_name");
            phone_numbers::name_reviewed(tx, number, waba, text("decision"), name, at).await?;
        }
        // https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/phone_number_quality_update
        (Kind::NumberQualityChanged, number) => {
            let throughput = text("event") == "THROUGHPUT_UPGRADE";
            if let (true, Some(number)) = (throughput, number) {
                phone_numbers::throughput_told(tx, number, waba, "HIGH", at).await?;
            }
            let limit = ["max_daily_conversations_per_business", "current_limit"].map(|key| limit_of(value.get(key)));
            // Of an upgraded throughput, "unlimited" says how fast, not to how many.
            let limit = limit.into_iter().flatten().find(|limit| !(throughput && limit == "TIER_UNLIMITED"));
            if let Some(limit) = limit {
                phone_numbers::limit_told(tx, waba, &limit, at).await?;
            }
        }
        // https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/business_capability_update
        (Kind::AccountLimitsChanged, _) => {
            let limit = ["max_daily_conversations_per_business", "max_daily_conversation_per_phone"];
            if let Some(limit) = limit.into_iter().find_map(|key| limit_of(value.get(key))) {
                phone_numbers::limit_told(tx, waba, &limit, at).await?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// The word for a limit; some pages write the number of people.
fn limit_of(value: Option<&Value>) -> Option<String> {
    let value = value?;
    let word = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Some(match word.trim() {
        "50" => "TIER_50".to_owned(),
        "250" => "TIER_250".to_owned(),
        "1000" => "TIER_1K".to_owned(),
        "2000" => "TIER_2K".to_owned(),
        "10000" => "TIER_10K".to_owned(),
        "100000" => "TIER_100K".to_owned(),
        "-1" => "TIER_UNLIMITED".to_owned(),
        tier if tier.starts_with("TIER_") && tier.len() < 40 => tier.to_owned(),
        _ => return None,
    })
}
