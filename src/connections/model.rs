//! Types and pure rules.

use crate::base::ids::{BusinessId, ConnectionId, CustomerId, PhoneNumberId, WabaId};
use std::str::FromStr;
use time::OffsetDateTime;

/// How a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// Its token works, as far as we know.
    Active,
    /// Its token does not work any more; the customer must connect again.
    NeedsReconnect,
    /// It is being undone at Meta.
    Disconnecting,
    /// It is over; its token is deleted.
    Disconnected,
}

impl ConnectionState {
    /// The word for it in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::NeedsReconnect => "needs_reconnect",
            Self::Disconnecting => "disconnecting",
            Self::Disconnected => "disconnected",
        }
    }
}

impl ConnectionState {
    /// How pages show it: the badge's look, and the word.
    #[must_use]
    pub fn shown(self) -> (&'static str, &'static str) {
        match self {
            Self::Active => ("good", "Connected"),
            Self::NeedsReconnect => ("problem", "Access ended"),
            Self::Disconnecting => ("waiting", "Being disconnected"),
            Self::Disconnected => ("neutral", "Disconnected"),
        }
    }
}

impl FromStr for ConnectionState {
    type Err = ();
    fn from_str(s: &str) -> Result<Self, ()> {
        [Self::Active, Self::NeedsReconnect, Self::Disconnecting, Self::Disconnected]
            .into_iter()
            .find(|state| state.as_str() == s)
            .ok_or(())
    }
}

/// A connection.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its ID.
    pub id: ConnectionId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// What the customer calls it.
    pub name: String,
    /// The business that granted it.
    pub business_id: Option<BusinessId>,
    /// That business's name.
    pub business_name: Option<String>,
    /// How it stands.
    pub state: ConnectionState,
    /// When the token ends; `None`: never, or not known.
    pub token_expires_at: Option<OffsetDateTime>,
    /// When it was last connected.
    pub connected_at: OffsetDateTime,
    /// When its permissions were looked at last.
    pub checked_at: Option<OffsetDateTime>,
    /// When its token was renewed last, since it was connected.
    pub token_renewed_at: Option<OffsetDateTime>,
    /// How often the renewal of its token failed since it last succeeded, and what Meta said.
    pub renewal_trouble: Option<(i64, String)>,
    /// Whether its token is of an app of the customer's own, and not of the operator's.
    pub is_own_app: bool,
}

impl Connection {
    /// Whether a new token of this customer may take the place of its own.
    #[must_use]
    pub fn may_be_renewed(&self, customer: CustomerId) -> bool {
        let live = matches!(self.state, ConnectionState::Active | ConnectionState::NeedsReconnect);
        self.customer_id == customer && live
    }

    /// Whether it is of the customer's own app, and not being undone: then another token may take its token's place.
    #[must_use]
    pub fn may_get_token(&self) -> bool {
        self.is_own_app && matches!(self.state, ConnectionState::Active | ConnectionState::NeedsReconnect)
    }
}

/// A WABA of a connection.
#[derive(Clone, Debug)]
pub struct WabaRecord {
    /// Its ID at Meta.
    pub id: WabaId,
    /// Its connection.
    pub connection_id: ConnectionId,
    /// Its name at Meta.
    pub name: String,
    /// The business that owns it.
    pub business_id: Option<BusinessId>,
    /// That business's name.
    pub business_name: Option<String>,
    /// `verified`, `not_verified` ...
    pub business_verification_status: Option<String>,
    /// `APPROVED`, `PENDING`, `REJECTED`.
    pub review_status: Option<String>,
    /// Since when Meta sends us its webhooks.
    pub subscribed_at: Option<OffsetDateTime>,
    /// Since when the connection's token does not open it.
    pub closed_at: Option<OffsetDateTime>,
    /// Whether the end of the connection ends that: not for an app of the customer's that got them before.
    pub may_unsubscribe: bool,
}

impl WabaRecord {
    /// Whether Meta has verified the business.
    #[must_use]
    pub fn is_business_verified(&self) -> bool {
        self.business_verification_status.as_deref().is_some_and(|status| status.eq_ignore_ascii_case("verified"))
    }
}

/// To whom a WABA belongs here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The customer.
    pub customer: CustomerId,
    /// The connection.
    pub connection: ConnectionId,
}

/// The longest name of a connection, in characters.
pub const MAX_NAME_CHARS: usize = 80;

/// What Meta told of an account beside what is read of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The account.
    pub waba_id: WabaId,
    /// The number, where it is about one.
    pub phone_number: Option<PhoneNumberId>,
    /// The event that told it.
    pub event_id: i64,
    /// The webhook's field.
    pub field: String,
    /// Such as `ACCOUNT_RESTRICTION`.
    pub event: String,
    /// When, by Meta's word.
    pub told_at: OffsetDateTime,
    /// All that was said.
    pub detail: serde_json::Value,
}
