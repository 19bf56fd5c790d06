//! MO/DLR: messages that come in (`{id, source, Destination, content}`) and delivery reports
//! (`{id, status, reference}`), as gateways for text messages hand them on.

use super::{
    json::{Object, View},
    media::{self, Fetched},
    message::{MEDIA, One},
};
use crate::webhooks::{Change, Item};

/// What becomes of a status.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status>
const STATUSES: &[(&str, &str)] = &[
    ("sent", "sent"),
    ("delivered", "received"),
    ("read", "received"),
    ("played", "received"),
    ("failed", "rejected"),
];

/// What a delivery report says of a message that was not delivered within its time.
const EXPIRED: &str = "expired";

/// What of a change is told in this format: messages, and statuses that it has a word for. Chat history, echoes and
/// calls are not.
pub(in crate::forwarding) struct Told<'a> {
    is_messages: bool,
    statuses: Vec<&'a str>,
}

/// See [`Told`].
pub(in crate::forwarding) fn told<'a>(change: &Change<'a>) -> Told<'a> {
    Told { is_messages: change.field == "messages", statuses: View::of(change.value).list("statuses") }
}

impl Told<'_> {
    /// Whether this item is.
    pub(super) fn tells(&self, item: &Item) -> bool {
        let known = |status: &&str| report_for(&View::of(status)).is_some();
        self.is_messages && (!item.is_status || self.statuses.get(item.place).is_some_and(known))
    }

    /// The ID of the message that a status is about.
    pub(in crate::forwarding) fn message_of(&self, status: &Item) -> Option<String> {
        View::of(self.statuses.get(status.place)?).text("id").map(std::borrow::Cow::into_owned)
    }

    /// The report that the message of a status was not delivered within its time.
    pub(in crate::forwarding) fn expired(&self, status: &Item) -> Option<String> {
        report_of(&View::of(self.statuses.get(status.place)?), EXPIRED)
    }
}

fn report_for(status: &View<'_>) -> Option<&'static str> {
    let told = status.text("status")?;
    STATUSES.iter().find(|(status, _)| *status == told).map(|(_, report)| *report)
}

/// The file that belongs to a message: Meta's ID of it.
pub(super) fn file_of(one: &One<'_>) -> Option<String> {
    let kind = one.type_of();
    if one.is_status || !MEDIA.contains(&kind.as_ref()) {
        return None;
    }
    one.it.object(&kind).text("id").map(std::borrow::Cow::into_owned)
}

/// A delivery report; `expired` tells the end of a message's time, whatever the status was that began it.
pub(super) fn report(one: &One<'_>, expired: bool) -> Option<String> {
    report_of(&one.it, if expired { EXPIRED } else { report_for(&one.it)? })
}

fn report_of(status: &View<'_>, says: &str) -> Option<String> {
    let mut out = Object::default();
    out.text("id", &status.text("id")?);
    out.text("status", says);
    match status.text("biz_opaque_callback_data") {
        Some(reference) => out.text("reference", &reference),
        None => out.raw("reference", "null"),
    };
    Some(out.finish())
}

/// A message that came in, with what was got of its file.
pub(super) fn inbound(one: &One<'_>, file: Option<&Fetched>) -> Option<String> {
    let metadata = one.value.object("metadata");
    let mut out = Object::default();
    out.text("id", &one.it.text("id")?);
    // Where Meta hides the number the person is known by an ID alone.
    out.text("source", &one.it.text("from").or_else(|| one.it.text("from_user_id")).unwrap_or_default());
    let number = metadata.text("display_phone_number").map(|shown| shown.replace(|c: char| !c.is_ascii_digit(), ""));
    out.text("Destination", &number.or_else(|| metadata.text("phone_number_id").map(Into::into)).unwrap_or_default());
    out.object("content", |out| content(out, one, file));
    Some(out.finish())
}

fn content(out: &mut Object, one: &One<'_>, file: Option<&Fetched>) {
    let kind = one.type_of();
    out.text("type", &kind);
    match (kind.as_ref(), file) {
        ("text", _) => drop(out.maybe("text", one.it.object("text").text("body"))),
        (_, Some(file)) => drop(out.object(&kind, |out| binary(out, &kind, &one.it.object(&kind), file))),
        _ => one.content(out),
    }
    if let Some(at) = one.it.raw("timestamp") {
        out.field("timestamp", at);
    }
    for known in ["context", "referral", "group_id", "errors"] {
        if let Some(json) = one.it.raw(known) {
            out.field(known, json);
        }
    }
    if let Some(person) = one.person() {
        out.raw("identity", &person);
    }
}

/// A file: what Meta says of it, and it itself in base64 with the marker `encoding`; or why it is not there.
fn binary(out: &mut Object, kind: &str, told: &View<'_>, file: &Fetched) {
    let mime_type = match file {
        Fetched::File { mime_type, .. } => mime_type.clone(),
        Fetched::Not(_) => told.text("mime_type").unwrap_or_default().into_owned(),
    };
    let name = told.text("filename").map_or_else(
        || media::name(kind, &told.text("id").unwrap_or_default(), &mime_type),
        std::borrow::Cow::into_owned,
    );
    // The address that Meta gives is good for five minutes, and with the business token alone.
    out.text("mimeType", &mime_type).text("fileName", &name).fields(told, &["mime_type", "filename", "url"]);
    match file {
        Fetched::File { bytes, .. } => drop(out.text("encoding", "base64").base64("data", bytes)),
        Fetched::Not(why) => {
            out.text("encoding", "none").text("error", why.code()).text("errorText", why.words());
        }
    }
}
