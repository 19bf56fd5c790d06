//! Messages and statuses as Meta tells them, for the formats that send each on its own.

use super::json::{Object, View};
use crate::webhooks::{Change, Understood};
use std::borrow::Cow;

/// The types whose content is understood; that of others is handed on untouched.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages>
const KNOWN: &[&str] = &[
    "audio",
    "button",
    "contacts",
    "document",
    "edit",
    "image",
    "interactive",
    "location",
    "order",
    "reaction",
    "revoke",
    "sticker",
    "system",
    "text",
    "unsupported",
    "video",
];
/// Those whose content Meta keeps as a file.
pub(super) const MEDIA: &[&str] = &["audio", "document", "image", "sticker", "video"];

/// One message or status of a change.
#[derive(Clone, Debug)]
pub(super) struct One<'a> {
    /// Whether it is a status.
    pub is_status: bool,
    /// Whether the business sent it elsewhere.
    pub is_echo: bool,
    /// It itself.
    pub it: View<'a>,
    /// The change's value.
    pub value: View<'a>,
}

impl<'a> One<'a> {
    /// That of this index among the change's items.
    pub(super) fn of(change: &Change<'a>, item: usize) -> Option<Self> {
        let item = Understood::of(change).items.into_iter().nth(item)?;
        let value = View::of(change.value);
        let list = value.list(item.list());
        let it = View::of(list.get(item.place)?);
        Some(Self { is_status: item.is_status, is_echo: item.list() == "message_echoes", it, value })
    }

    /// The type of a message.
    pub(super) fn type_of(&self) -> Cow<'a, str> {
        self.it.text("type").unwrap_or(Cow::Borrowed("unknown"))
    }

    /// Writes a message's content under the name of its type.
    pub(super) fn content(&self, out: &mut Object) {
        let name = self.type_of();
        match self.it.raw(&name) {
            Some(content) if KNOWN.contains(&name.as_ref()) => drop(out.field(&name, content)),
            Some(content) => drop(out.raw(&name, content)),
            None => {}
        }
    }

    /// The person whom it is exchanged with: name, WhatsApp ID, user ID and what else Meta tells of them.
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids>
    pub(super) fn person(&self) -> Option<String> {
        let person = self.contact()?;
        let profile = person.object("profile");
        let mut out = Object::default();
        out.maybe("name", profile.text("name"))
            .maybe("waId", person.text("wa_id"))
            .maybe("userId", person.text("user_id"));
        out.fields(&profile, &["name"]).fields(&person, &["profile", "wa_id", "user_id"]);
        (!out.is_empty()).then(|| out.finish())
    }

    /// Their entry among the change's contacts: by either ID, or the only one that there is.
    fn contact(&self) -> Option<View<'a>> {
        let (by_number, by_user) = match (self.is_status, self.is_echo) {
            (true, _) => ("recipient_id", "recipient_user_id"),
            (false, true) => ("to", "to_user_id"),
            (false, false) => ("from", "from_user_id"),
        };
        let all: Vec<View<'a>> = self.value.list("contacts").into_iter().map(View::of).collect();
        let is = |person: &View<'a>, theirs: &str, ours: &str| {
            let there = person.text(theirs);
            there.is_some() && there == self.it.text(ours)
        };
        let found = all.iter().find(|person| is(person, "wa_id", by_number) || is(person, "user_id", by_user));
        found.or(if all.len() == 1 { all.first() } else { None }).filter(|person| !person.is_empty()).cloned()
    }
}
