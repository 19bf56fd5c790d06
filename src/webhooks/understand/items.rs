//! The messages and statuses of a change.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages>

use super::{
    Item,
    value::{Contact, Message, Status, Told},
};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// The bit of a message.
const MESSAGE: i64 = 1;
/// The bit of a message that the business sent elsewhere: it shares its name with its statuses.
pub(super) const ECHO: i64 = 64;

/// The bits of statuses, in the order in which they follow each other.
pub(super) const STATUSES: [(&str, i64); 5] =
    [("sent", 1), ("delivered", 2), ("read", 4), ("played", 8), ("failed", 16)];

/// The bit of a status.
fn bit(status: &str) -> i64 {
    STATUSES.iter().find(|(word, _)| *word == status).map_or(32, |(_, bit)| *bit)
}

/// The one word for a person, in this change and the next: the phone number, also where only a list of contacts gives
/// it, else the business-scoped user ID. A status `sent` comes with that list, `failed` without it; both name the number
/// unless it is hidden. <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids>
struct People<'t>(HashMap<&'t str, &'t str>);

impl<'t> People<'t> {
    fn of(contacts: &'t [Contact<'_>]) -> Self {
        let both = contacts.iter().filter(|one| !one.wa_id.is_empty() && !one.user_id.is_empty());
        Self(both.map(|one| (one.user_id.0.as_ref(), one.wa_id.0.as_ref())).collect())
    }

    fn word(&self, user: &str, phone: &str) -> String {
        if phone.trim().is_empty() { self.0.get(user).copied().unwrap_or(user).to_owned() } else { phone.to_owned() }
    }
}

/// What names an item that has no name of its own, or one that comes with ever other content: a digest of it.
fn by_content(value: &str, list: &str, place: usize) -> String {
    let lists = serde_json::from_str::<HashMap<String, &RawValue>>(value).ok();
    let items = lists.as_ref().and_then(|lists| serde_json::from_str::<Vec<&RawValue>>(lists.get(list)?.get()).ok());
    let content = items.as_ref().and_then(|items| items.get(place)).map_or("", |raw| raw.get());
    format!("?{}", hex::encode(&Sha256::digest(content.as_bytes())[..16]))
}

/// The messages and statuses of the field `messages`.
pub(super) fn of_messages(told: &Told<'_>, value: &str) -> Vec<Item> {
    let people = People::of(&told.contacts);
    let messages = told.messages.iter().enumerate().map(|(place, one)| message(one, place, &people, told, value));
    let statuses = told.statuses.iter().enumerate().map(|(place, one)| status(one, place, &people, value));
    messages.chain(statuses).collect()
}

fn message(one: &Message<'_>, place: usize, people: &People<'_>, told: &Told<'_>, value: &str) -> Item {
    let name = match (one.id.is_empty(), one.kind.0.as_ref()) {
        (true, _) => by_content(value, "messages", place),
        // What WhatsApp could not show at first may come again, whole.
        (false, "unsupported") => format!("{} unsupported", one.id.0),
        (false, _) => one.id.0.to_string(),
    };
    let mut conversation = if one.group_id.is_empty() {
        people.word(&one.from_user_id.0, &one.from.0)
    } else {
        one.group_id.0.to_string()
    };
    if let ([only], true) = (told.contacts.as_slice(), conversation.is_empty()) {
        conversation = people.word(&only.user_id.0, &only.wa_id.0);
    }
    Item { is_status: false, place, message: format!("in {name}"), bit: MESSAGE, conversation }
}

fn status(one: &Status<'_>, place: usize, people: &People<'_>, value: &str) -> Item {
    let (status, id) = (one.status.0.as_ref(), &one.id.0);
    let bit = bit(status);
    let in_group = one.recipient_type.0.eq_ignore_ascii_case("group");
    let name = match () {
        // A payment goes through its states in whatever order, some of them (refunds) more than once.
        // https://developers.facebook.com/documentation/business-messaging/whatsapp/payments/payments-in/pg
        () if one.id.is_empty() || one.kind.0 == "payment" => by_content(value, "statuses", place),
        () if bit == 32 => format!("{id} {status}"),
        // Everyone in a group reads for themselves.
        () if in_group => format!("{id} {}", people.word(&one.participant_user_id.0, &one.participant.0)),
        () => id.to_string(),
    };
    let conversation = if in_group {
        one.recipient_id.0.to_string()
    } else {
        people.word(&one.recipient_user_id.0, &one.recipient_id.0)
    };
    Item { is_status: true, place, message: format!("out {name}"), bit, conversation }
}

/// The messages that the business sent with the WhatsApp Business app, or another device.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/smb_message_echoes>
pub(super) fn of_echoes(told: &Told<'_>, value: &str) -> Vec<Item> {
    let people = People::of(&told.contacts);
    let echo = |(place, one): (usize, &Message<'_>)| {
        let id = &one.id.0;
        let name = if one.id.is_empty() { by_content(value, "message_echoes", place) } else { id.to_string() };
        let conversation = match one.group_id.is_empty() {
            true => people.word(&one.to_user_id.0, &one.to.0),
            false => one.group_id.0.to_string(),
        };
        Item { is_status: false, place, message: format!("out {name}"), bit: ECHO, conversation }
    };
    told.message_echoes.iter().enumerate().map(echo).collect()
}
