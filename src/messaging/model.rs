//! Types and pure rules.

use crate::base::ids::ContactId;

/// A person, as a customer knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Its ID.
    pub id: ContactId,
    /// What they call themselves in WhatsApp.
    pub profile_name: Option<String>,
    /// What the customer calls them in their own contact book.
    pub book_name: Option<String>,
    /// The WhatsApp ID, as Meta writes it.
    pub wa_id: Option<String>,
    /// The number in its normal form; see [`crate::base::phone::normal_phone`].
    pub phone: Option<String>,
    /// The business-scoped user ID that was told last.
    pub user_id: Option<String>,
    /// The username, without the at sign.
    pub username: Option<String>,
}

/// What a phone number in its normal form is known as.
pub(super) fn of_phone(normal: &str) -> String {
    format!("p:{normal}")
}

/// What a business-scoped user ID is known as; `None` for what can be none. They have up to 256 letters and digits,
/// with a country in front (developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids).
pub(super) fn of_user(id: &str) -> Option<String> {
    let id = id.trim();
    (!id.is_empty() && id.len() <= 300).then(|| format!("u:{}", crate::base::text::without_nul(id)))
}
