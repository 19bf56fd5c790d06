//! The format *events*: one small JSON object for each message, status or other change.

use super::{
    json::{Object, View},
    message::One,
};
use crate::webhooks::{Change, Event, Kind};
use time::OffsetDateTime;

/// The body: `{type, timestamp, data}`. `None` where the change has no such item.
pub(super) fn body(event: &Event, change: &Change<'_>, item: Option<usize>) -> Option<String> {
    let happened = change.time.and_then(|at| super::json::moment(&at.to_string())).unwrap_or(event.received_at);
    match item {
        None => Some(envelope(event.kind, happened, &whole(event, change))),
        Some(item) => {
            let one = One::of(change, item)?;
            let at = one.it.time("timestamp").unwrap_or(happened);
            let kind = match (change.field.as_ref(), one.is_status) {
                ("messages", false) => Kind::MessageReceived,
                ("messages", true) => Kind::MessageStatus,
                _ => event.kind,
            };
            let data = if one.is_status { status(&one, event) } else { message(&one, event) };
            Some(envelope(kind, at, &data))
        }
    }
}

fn envelope(kind: Kind, at: OffsetDateTime, data: &str) -> String {
    let mut out = Object::default();
    out.text("type", kind.name()).time("timestamp", at).raw("data", data);
    out.finish()
}

/// Where it comes from.
fn place(out: &mut Object, event: &Event, value: &View<'_>) {
    let metadata = value.object("metadata");
    let place = &event.route.place;
    let number = metadata.text("phone_number_id");
    let number = number.or_else(|| place.phone_number.as_ref().map(|id| id.as_str().into()));
    out.maybe("phoneNumberId", number);
    out.maybe("displayPhoneNumber", metadata.text("display_phone_number"));
    out.maybe("wabaId", place.waba.as_ref().map(crate::base::ids::WabaId::as_str));
}

fn message(one: &One<'_>, event: &Event) -> String {
    let mut out = Object::default();
    out.maybe("id", one.it.text("id"))
        .maybe("from", one.it.text("from"))
        .maybe("fromUserId", one.it.text("from_user_id"));
    if let Some(at) = one.it.raw("timestamp") {
        out.field("timestamp", at);
    }
    let kind = one.type_of();
    out.text("type", &kind);
    one.content(&mut out);
    // Context, referral, errors, the group, and whatever comes with messages some day.
    out.fields(&one.it, &["id", "from", "from_user_id", "timestamp", "type", kind.as_ref()]);
    if let Some(person) = one.person() {
        out.raw("contact", &person);
    }
    place(&mut out, event, &one.value);
    out.finish()
}

/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status>
fn status(one: &One<'_>, event: &Event) -> String {
    let mut out = Object::default();
    out.maybe("id", one.it.text("id")).maybe("recipientId", one.it.text("recipient_id"));
    out.maybe("status", one.it.text("status"));
    if let Some(at) = one.it.raw("timestamp") {
        out.field("timestamp", at);
    }
    out.maybe("callbackData", one.it.text("biz_opaque_callback_data"));
    out.fields(&one.it, &["id", "recipient_id", "status", "timestamp", "biz_opaque_callback_data"]);
    if let Some(person) = one.person() {
        out.raw("contact", &person);
    }
    place(&mut out, event, &one.value);
    out.finish()
}

/// A change that is sent as a whole: what is understood with its names in camel case, else untouched.
fn whole(event: &Event, change: &Change<'_>) -> String {
    let value = View::of(change.value);
    let mut out = Object::default();
    if event.kind == Kind::Other || value.is_empty() {
        out.text("field", &change.field).raw("value", change.value);
    } else {
        out.fields(&value, &["metadata", "messaging_product"]);
    }
    place(&mut out, event, &value);
    out.finish()
}
