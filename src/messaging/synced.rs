//! What the WhatsApp Business app brings when a number of its comes to Cloud API: the people of its chats and of the
//! customer's contact book.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/history>
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/smb_app_state_sync>

use super::{
    said::{LONGEST_NAME, NOT_WRITTEN, Person, Said, text_of},
    service::WINDOW,
};
use crate::{
    base::{ids::CustomerId, phone::normal_phone, text},
    webhooks::{Kind, RoutedChange, told_at},
};
use serde_json::Value;
use time::OffsetDateTime;

/// The people whom a change of `history` or `smb_app_state_sync` names: each becomes a contact. Old messages open no
/// window; one of the last 24 hours does, as any other.
pub(super) fn all(routed: &RoutedChange<'_>, customer: CustomerId) -> Vec<Said> {
    let value = routed.change.json();
    let number = routed.route.place.phone_number.as_ref();
    let people = match routed.kind {
        Kind::HistoryReceived => of_history(&value),
        _ => of_book(&value).into_iter().map(|person| (person, None)).collect(),
    };
    let said = |(person, at): (Person, Option<OffsetDateTime>)| {
        let opens = at.filter(|at| *at <= routed.received_at && *at > routed.received_at - WINDOW);
        let wrote = number.cloned().zip(opens);
        Said { customer, person, wrote, is_new: true, becomes: None }
    };
    people.into_iter().map(said).collect()
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// When a message was written, if it is one.
fn written(message: &Value) -> Option<OffsetDateTime> {
    let is_written = !NOT_WRITTEN.contains(&text_of(message, "type").unwrap_or_default());
    message.get("timestamp").and_then(told_at).filter(|_| is_written)
}

/// Each with the last message that they wrote.
fn of_history(value: &Value) -> Vec<(Person, Option<OffsetDateTime>)> {
    let mut all = Vec::new();
    for thread in list(value, "history").flat_map(|part| list(part, "threads")) {
        let context = thread.get("context").unwrap_or(&Value::Null);
        let (phone, wa_id, user) = (text_of(thread, "id"), text_of(context, "wa_id"), text_of(context, "user_id"));
        let users = [user, text_of(context, "parent_user_id")];
        let Some(mut person) = Person::of(wa_id.or(phone), &[phone, wa_id], &users) else { continue };
        person.username = text_of(context, "username").map(|name| text::shorten(name, LONGEST_NAME));
        // Whose number is hidden, and who may be the business, is told apart by the sender.
        let is_theirs = |message: &&Value| match text_of(message, "from") {
            Some(from) => normal_phone(from).is_some_and(|from| person.phone.as_ref() == Some(&from)),
            None => user.is_some() && text_of(message, "from_user_id") == user,
        };
        let last = list(thread, "messages").filter(is_theirs).filter_map(written).max();
        all.push((person, last));
    }
    // Media come on their own, those of the business as echoes.
    let listed: Vec<Person> = list(value, "contacts").filter_map(Person::listed).collect();
    let business = value.pointer("/metadata/display_phone_number").and_then(Value::as_str).and_then(normal_phone);
    for (name, keys) in [("messages", ["from", "from_user_id"]), ("message_echoes", ["to", "to_user_id"])] {
        for message in list(value, name) {
            let [phone, user] = keys.map(|key| text_of(message, key));
            let Some(person) = Person::of(phone, &[phone], &[user]) else { continue };
            if business.is_some() && person.phone == business {
                continue;
            }
            let at = written(message).filter(|_| name == "messages");
            all.push((person.with(&listed), at));
        }
    }
    all
}

/// Who was added to the contact book. Who is taken out of it stays a contact: they wrote, or were written to.
fn of_book(value: &Value) -> Vec<Person> {
    let added = |one: &&Value| text_of(one, "action") != Some("remove");
    let person = |one: &Value| {
        let contact = one.get("contact")?;
        let phone = text_of(contact, "phone_number");
        let users = [text_of(contact, "user_id"), text_of(contact, "parent_user_id")];
        let mut person = Person::of(None, &[phone], &users)?;
        let name = text_of(contact, "full_name").or_else(|| text_of(contact, "first_name"));
        person.book_name = name.map(|name| text::shorten(name, LONGEST_NAME));
        person.username = text_of(contact, "username").map(|name| text::shorten(name, LONGEST_NAME));
        Some(person)
    };
    list(value, "state_sync").filter(added).filter_map(person).collect()
}
