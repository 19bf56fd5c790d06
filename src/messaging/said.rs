//! What webhooks say of people: who wrote, was written to, called, or is now another number.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages>
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids>

use super::{
    model::{of_phone, of_user},
    synced,
};
use crate::{
    base::{
        ids::{CustomerId, PhoneNumberId},
        phone::normal_phone,
        text,
    },
    webhooks::{Kind, RoutedChange, told_at},
};
use serde_json::Value;
use time::OffsetDateTime;

/// The longest name that is kept, in characters.
pub(super) const LONGEST_NAME: usize = 200;
/// Messages that are none: they say that something happened to an earlier one, or to the person, or only that the
/// chat was opened.
pub(super) const NOT_WRITTEN: [&str; 6] = ["system", "edit", "revoke", "reaction", "request_welcome", "ephemeral"];

/// What was said of one person.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Person {
    /// As Meta writes it.
    pub wa_id: Option<String>,
    /// In its normal form.
    pub phone: Option<String>,
    /// Business-scoped.
    pub user_id: Option<String>,
    /// All that they are known by.
    pub identities: Vec<String>,
    pub name: Option<String>,
    /// In the customer's own contact book.
    pub book_name: Option<String>,
    pub username: Option<String>,
}

/// What a change says of a person.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Said {
    pub customer: CustomerId,
    pub person: Person,
    /// To which number they wrote, and when: that opens the window.
    pub wrote: Option<(PhoneNumberId, OffsetDateTime)>,
    /// Whether they become a contact if they are none. What only tells how a message fared makes none.
    pub is_new: bool,
    /// What they are known by from now on, instead.
    pub becomes: Option<Person>,
}

/// The text there; empty is none.
pub(super) fn text_of<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
}

impl Person {
    /// Known by these; the first phone and user ID are the ones shown. `None` for nobody.
    pub fn of(wa_id: Option<&str>, phones: &[Option<&str>], users: &[Option<&str>]) -> Option<Self> {
        let mut person = Self { wa_id: wa_id.map(|id| text::shorten(id, 40)), ..Self::default() };
        for phone in phones.iter().flatten().filter_map(|phone| normal_phone(phone)) {
            let identity = of_phone(&phone);
            if !person.identities.contains(&identity) {
                person.identities.push(identity);
                person.phone.get_or_insert(phone);
            }
        }
        for user in users.iter().flatten() {
            let Some(identity) = of_user(user).filter(|identity| !person.identities.contains(identity)) else {
                continue;
            };
            person.user_id.get_or_insert_with(|| identity[2..].to_owned());
            person.identities.push(identity);
        }
        (!person.identities.is_empty()).then_some(person)
    }

    /// An entry of `contacts`.
    pub fn listed(contact: &Value) -> Option<Self> {
        let wa_id = text_of(contact, "wa_id");
        let users = [text_of(contact, "user_id"), text_of(contact, "parent_user_id")];
        let mut person = Self::of(wa_id, &[wa_id], &users)?;
        let profile = contact.get("profile").unwrap_or(&Value::Null);
        person.name = text_of(profile, "name").map(|name| text::shorten(name, LONGEST_NAME));
        person.username = text_of(profile, "username")
            .or_else(|| text_of(contact, "username"))
            .map(|name| text::shorten(name.trim_start_matches('@'), LONGEST_NAME));
        Some(person)
    }

    /// With what the entry of `contacts` says that is of the same person.
    pub fn with(mut self, listed: &[Self]) -> Self {
        let same = |other: &&Self| other.identities.iter().any(|identity| self.identities.contains(identity));
        let Some(other) = listed.iter().find(same).cloned() else { return self };
        // The ID is what one sends to; the number it belongs to may be written otherwise.
        self.wa_id = other.wa_id.or(self.wa_id);
        self.phone = self.phone.or(other.phone);
        self.user_id = self.user_id.or(other.user_id);
        self.name = other.name;
        self.username = other.username;
        for identity in other.identities {
            if !self.identities.contains(&identity) {
                self.identities.push(identity);
            }
        }
        self
    }
}

/// What a change says of people; nothing where it is nobody's.
pub(super) fn all(routed: &RoutedChange<'_>) -> Vec<Said> {
    let Some(customer) = routed.customer() else { return Vec::new() };
    let value = match routed.kind {
        Kind::MessageReceived | Kind::MessageEcho | Kind::CallUpdated | Kind::PreferencesChanged => {
            routed.change.json()
        }
        Kind::HistoryReceived | Kind::ContactsSynced => return synced::all(routed, customer),
        Kind::MessageStatus if routed.items.iter().any(|item| !item.is_status) => routed.change.json(),
        // Who it was sent to is worth a look only where it says who a user ID belongs to.
        Kind::MessageStatus if routed.change.value.contains("\"user_id\"") => contacts_alone(routed.change.value),
        _ => return Vec::new(),
    };
    let list = |name: &str| value.get(name).and_then(Value::as_array).into_iter().flatten();
    let listed: Vec<Person> = list("contacts").filter_map(Person::listed).collect();
    let number = routed.route.place.phone_number.as_ref();
    let said = |person: Person| Said { customer, person, wrote: None, is_new: false, becomes: None };
    let opened = |one: &Value| {
        let at = one.get("timestamp").and_then(told_at).unwrap_or(routed.received_at);
        number.map(|number| (number.clone(), at.min(routed.received_at)))
    };
    let mut all = Vec::new();
    for (index, item) in routed.fresh() {
        if item.is_status {
            continue;
        }
        let list = if routed.kind == Kind::MessageEcho { "message_echoes" } else { "messages" };
        let Some(one) = value.get(list).and_then(|list| list.get(item.place)) else {
            tracing::debug!(event = %routed.id, index, "a message is not where it was");
            continue;
        };
        all.extend(message(one, routed.kind == Kind::MessageEcho, &listed).map(|(person, becomes)| {
            let in_group = text_of(one, "group_id").is_some();
            let is_written = !NOT_WRITTEN.contains(&text_of(one, "type").unwrap_or_default());
            let opens = routed.kind != Kind::MessageEcho && !in_group && is_written;
            // Of a group many are there who never wrote; who changed their number is known already or not at all.
            let wrote = opened(one).filter(|_| opens);
            Said { wrote, is_new: becomes.is_none(), becomes, ..said(person) }
        }));
    }
    for call in list("calls").filter(|_| routed.kind == Kind::CallUpdated) {
        if text_of(call, "direction") != Some("USER_INITIATED") {
            continue;
        }
        let users = [text_of(call, "from_user_id"), text_of(call, "from_parent_user_id")];
        if let Some(person) = Person::of(text_of(call, "from"), &[text_of(call, "from")], &users) {
            let wrote = opened(call).filter(|_| text_of(call, "event") == Some("connect"));
            all.push(Said { wrote, is_new: true, ..said(person.with(&listed)) });
        }
    }
    if all.is_empty() {
        all.extend(listed.into_iter().filter(|person| person.identities.len() > 1).map(said));
    }
    all
}

/// Who is on the other side of a message, and whom they become by it.
fn message(one: &Value, outgoing: bool, listed: &[Person]) -> Option<(Person, Option<Person>)> {
    let keys = if outgoing {
        ["to", "to_user_id", "to_parent_user_id"]
    } else {
        ["from", "from_user_id", "from_parent_user_id"]
    };
    let [phone, user, parent] = keys.map(|key| text_of(one, key));
    let person = Person::of(phone, &[phone], &[user, parent]);
    // Whoever hides the number, or left it out, may stand in the list alone.
    let person = match (person, listed) {
        (Some(person), _) => person.with(listed),
        (None, [only]) => only.clone(),
        (None, _) => return None,
    };
    let system = one.get("system").filter(|_| text_of(one, "type") == Some("system"));
    let becomes = system.and_then(|system| {
        let phone = text_of(system, "wa_id").or_else(|| text_of(system, "new_wa_id"));
        Person::of(phone, &[phone], &[text_of(system, "user_id"), text_of(system, "parent_user_id")])
    });
    Some((person, becomes))
}

/// A status's list of contacts, with the rest left out.
fn contacts_alone(value: &str) -> Value {
    #[derive(serde::Deserialize)]
    struct Contacts {
        #[serde(default)]
        contacts: Value,
    }
    let contacts = serde_json::from_str::<Contacts>(value)
        .or_else(|_| serde_json::from_str(&text::with_whole_surrogates(value)))
        .map(|list| list.contacts)
        .unwrap_or_default();
    serde_json::json!({ "contacts": contacts })
}
