//! Endpoints and deliveries, and the rules that need no database.

use crate::{
    base::ids::{CustomerId, EndpointId, PhoneNumberId, WabaId},
    webhooks::{EventId, Kind, Place},
};
use secrecy::SecretString;
use time::OffsetDateTime;
use url::Url;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal, $what:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[doc = $what] $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word by which it is kept.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = ();
            fn from_str(s: &str) -> Result<Self, ()> {
                match s { $($word => Ok(Self::$variant),)* _ => Err(()) }
            }
        }
    };
}

words!(
    /// How an endpoint is spoken to.
    Format {
        Meta = "meta", "Meta's own JSON and signature: any WhatsApp library understands it.";
        Events = "events", "One small JSON object for each event, signed by the Standard Webhooks specification.";
        MoDlr = "mo_dlr", "Messages and delivery reports, as SMS gateways have them.";
    }
);

words!(
    /// Whether an endpoint is called.
    EndpointState {
        Active = "active", "It is.";
        Paused = "paused", "Not now: what comes is kept for it.";
        Disabled = "disabled", "Not any more: what comes is not kept for it.";
    }
);

words!(
    /// How far a delivery is.
    DeliveryState {
        Pending = "pending", "It waits for its first or its next attempt.";
        Delivered = "delivered", "The endpoint took it.";
        Failed = "failed", "It was given up.";
        Cancelled = "cancelled", "It is not wanted any more.";
    }
);

words!(
    /// Why there is a delivery.
    Cause {
        Event = "event", "Something came from Meta.";
        Replay = "replay", "Somebody asked for it again.";
        Test = "test", "Somebody tries the endpoint.";
        Expired = "expired", "A message was not delivered within its time.";
    }
);

/// Where a customer wants to be called, and for what.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its ID.
    pub id: EndpointId,
    /// Whose it is.
    pub customer: CustomerId,
    /// What its owner calls it.
    pub name: String,
    /// Its address; `None` for the built-in receiver.
    pub url: Option<Url>,
    /// How it is spoken to.
    pub format: Format,
    /// Which kinds of events it wants; `None`: all.
    pub kinds: Option<Vec<Kind>>,
    /// Of which WABAs; `None`: all.
    pub wabas: Option<Vec<WabaId>>,
    /// Of which numbers; `None`: all. What concerns no single number comes anyway.
    pub numbers: Option<Vec<PhoneNumberId>>,
    /// What it knows our calls by.
    pub secret: SecretString,
    /// The secret before, and until when calls are signed with it too.
    pub old_secret: Option<(SecretString, OffsetDateTime)>,
    /// The word of Meta's handshake.
    pub verify_token: Option<SecretString>,
    /// Whether it is called.
    pub state: EndpointState,
    /// Why it is in that state, in a word: `by_hand`, `failing`, `gone`; `None` for one that was just made.
    pub state_reason: Option<String>,
    /// Since when.
    pub state_since: OffsetDateTime,
    /// Since when it has not answered well, without a success in between.
    pub failing_since: Option<OffsetDateTime>,
    /// When it was made.
    pub created_at: OffsetDateTime,
}

impl Endpoint {
    /// Whether it wants what comes from this place and is of any of these kinds.
    #[must_use]
    pub fn wants(&self, place: &Place, told: impl IntoIterator<Item = Kind>) -> bool {
        let Self { kinds, wabas, numbers, .. } = self;
        wants(self.customer, kinds.as_deref(), wabas.as_deref(), numbers.as_deref(), place, told)
    }
}

/// Whether this choice takes in what comes from this place and is of any of these kinds.
pub(super) fn wants(
    customer: CustomerId,
    kinds: Option<&[Kind]>,
    wabas: Option<&[WabaId]>,
    numbers: Option<&[PhoneNumberId]>,
    place: &Place,
    told: impl IntoIterator<Item = Kind>,
) -> bool {
    place.owner.is_some_and(|owner| owner.customer == customer)
        && wabas.is_none_or(|wabas| place.waba.as_ref().is_some_and(|waba| wabas.contains(waba)))
        && numbers.is_none_or(|numbers| place.phone_number.as_ref().is_none_or(|number| numbers.contains(number)))
        && kinds.is_none_or(|kinds| told.into_iter().any(|kind| kinds.contains(&kind)))
}

/// One call that is to be made, with its retries.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// To whom.
    pub endpoint: EndpointId,
    /// Its number among all of the endpoint, without gaps: by it a receiver restores the order.
    pub number: i64,
    /// What it tells; `None` for a test.
    pub event: Option<EventId>,
    /// Which of the event's items; `None`: the whole change.
    pub item: Option<usize>,
    /// Why.
    pub cause: Cause,
    /// How far it is.
    pub state: DeliveryState,
    /// Deliveries of one lane begin in order; 0: of none.
    pub lane: i64,
    /// Its other lanes, where it tells of several conversations.
    pub more_lanes: Vec<i64>,
    /// How many attempts there were.
    pub attempts: i64,
    /// When it is tried next; `None` once it is over.
    pub next_at: Option<OffsetDateTime>,
    /// When it was planned.
    pub created_at: OffsetDateTime,
    /// When it was over.
    pub done_at: Option<OffsetDateTime>,
    /// What it says, where that was settled when it was planned; else it is made of the event.
    pub report: Option<String>,
}

impl Delivery {
    /// All lanes that it is of.
    pub fn lanes(&self) -> impl Iterator<Item = i64> {
        std::iter::once(self.lane).filter(|lane| *lane != 0).chain(self.more_lanes.iter().copied())
    }
}
