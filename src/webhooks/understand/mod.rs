//! What a change is about: its kind, whose it is, and what in it may have come before. Nothing here fails, whatever
//! the JSON says: what is not understood is [`Kind::Other`] and goes on as it is.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview>

mod field;
mod items;
mod loose;
mod times;
mod value;

pub use times::told_at;

use super::{change::Change, kind::Kind};
use crate::base::{
    ids::{PhoneNumberId, WabaId},
    text,
};
use value::Told;

/// The longest word that is kept of what a change tells, in characters.
const LONGEST_DETAIL: usize = 80;

/// What a change says of whose it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Address {
    /// The account.
    pub waba: Option<WabaId>,
    /// The number.
    pub phone_number: Option<PhoneNumberId>,
    /// The number in digits, where Meta gives no ID of it.
    pub display: Option<String>,
    /// An ID that is the number's if it is one of the account's, as Meta does not say for sure what it is of.
    pub perhaps: Option<PhoneNumberId>,
}

/// A message or a status in a change: what may come twice, and what formats send on its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Whether it is a status, not a message.
    pub is_status: bool,
    /// Its place in its list: `statuses`; `messages`, or `message_echoes` where the change is a
    /// [`Kind::MessageEcho`]; see [`Item::list`].
    pub place: usize,
    /// What names the message it is about: direction and ID. Together with the number no other has it.
    pub message: String,
    /// What is told of it, as a bit: see [`super::marks`].
    pub bit: i64,
    /// The person it is exchanged with, or the group; those of one are begun in order. Empty where none is named.
    pub conversation: String,
}

impl Item {
    /// The statuses that bits stand for, by Meta's words.
    pub(in crate::webhooks) fn statuses(bits: i64) -> Vec<&'static str> {
        items::STATUSES.into_iter().filter(|(_, bit)| bits & bit != 0).map(|(word, _)| word).collect()
    }

    /// Whether bits say that the message was sent elsewhere.
    pub(in crate::webhooks) fn is_echo(bits: i64) -> bool {
        bits & items::ECHO != 0
    }

    /// The list in the change's value in which it stands.
    #[must_use]
    pub fn list(&self) -> &'static str {
        match (self.is_status, self.bit) {
            (true, _) => "statuses",
            (false, items::ECHO) => "message_echoes",
            (false, _) => "messages",
        }
    }

    /// Its own kind: a change may hold messages and statuses.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match (self.is_status, self.bit) {
            (true, _) => Kind::MessageStatus,
            (false, items::ECHO) => Kind::MessageEcho,
            (false, _) => Kind::MessageReceived,
        }
    }
}

/// A change, understood as far as this build goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Understood {
    /// What it is about.
    pub kind: Kind,
    /// The type of a message, the status of a status, the event of an account update.
    pub detail: String,
    /// Whose it is.
    pub address: Address,
    /// Its messages, then its statuses.
    pub items: Vec<Item>,
}

impl Understood {
    /// Of this change.
    #[must_use]
    pub fn of(change: &Change<'_>) -> Self {
        let mended;
        let told = match Told::read(change.value) {
            Some(told) => told,
            None => {
                mended = text::with_whole_surrogates(change.value);
                Told::read(&mended).unwrap_or_default()
            }
        };
        let kind = field::kind(&change.field, &told);
        let items = match kind {
            Kind::MessageReceived | Kind::MessageStatus => items::of_messages(&told, change.value),
            Kind::MessageEcho => items::of_echoes(&told, change.value),
            _ => Vec::new(),
        };
        let detail = field::detail(kind, &told);
        let detail = text::without_nul(&text::shorten(detail.trim(), LONGEST_DETAIL));
        Self { kind, detail, address: address(change, &told), items }
    }
}

/// Messages name the number; account fields are about the entry's account, or, where the entry is a partner's
/// business, the account in `waba_info`; some name the number only as people write it.
fn address(change: &Change<'_>, told: &Told<'_>) -> Address {
    let waba = if told.waba_info.waba_id.is_empty() { &change.entry_id } else { &told.waba_info.waba_id.0 };
    let mut address = Address { waba: waba.parse().ok(), ..Address::default() };
    let numbers = [&told.metadata.phone_number_id, &told.phone_number_settings.phone_number_id];
    address.phone_number = numbers.into_iter().find_map(|id| id.0.parse().ok());
    // https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/account_alerts
    let entity = told.entity_type.0.to_ascii_uppercase();
    match entity.as_str() {
        // It is about a number's profile, and the ID that of a business portfolio or a number.
        "CURRENT_STATUS_ID" => address.perhaps = told.entity_id.0.parse().ok(),
        "PHONE_NUMBER" | "PHONE" => address.phone_number = told.entity_id.0.parse().ok(),
        "WABA" | "WHATSAPP_BUSINESS_ACCOUNT" => address.waba = told.entity_id.0.parse().ok().or(address.waba),
        _ => {}
    }
    if address.phone_number.is_none() {
        let written = [&told.display_phone_number, &told.phone_number].into_iter().find(|text| !text.is_empty());
        let digits = written.map(|text| text.0.chars().filter(char::is_ascii_digit).take(20).collect::<String>());
        address.display = digits.filter(|digits| !digits.is_empty());
    }
    address
}

#[cfg(test)]
mod tests;
