//! Whose events are: from which account and number they come, and who owns those.

use super::{
    change::{Change, EventId},
    kind::Kind,
    understand::{Address, Item},
};
use crate::{
    base::ids::{ConnectionId, CustomerId, PhoneNumberId, WabaId},
    store::{Result, WriteTx},
};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use time::OffsetDateTime;

/// Who owns a WABA now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The customer.
    pub customer: CustomerId,
    /// The connection that holds the WABA.
    pub connection: ConnectionId,
}

/// What is known of where a change comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Place {
    /// The account; also where the change named only the number.
    pub waba: Option<WabaId>,
    /// The number; also where the change named it only in digits.
    pub phone_number: Option<PhoneNumberId>,
    /// `None`: nobody whom we know.
    pub owner: Option<Owner>,
}

/// Where events come from, and whose they are: a row of `event_routes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its ID.
    pub id: i64,
    /// From where, and whose.
    pub place: Place,
}

/// A change on its way to those whom it concerns.
#[derive(Clone, Debug)]
pub struct RoutedChange<'a> {
    /// The event that it is.
    pub id: EventId,
    /// When it came.
    pub received_at: OffsetDateTime,
    /// Whose own app sent it, which is the owner of its place; `None`: the operator's, whose word also counts for what
    /// is nobody's yet.
    pub sender: Option<Owner>,
    /// Whose it is.
    pub route: Arc<Route>,
    /// What it is about.
    pub kind: Kind,
    /// The type of a message, the status of a status, the event of an account update.
    pub detail: String,
    /// It itself.
    pub change: Change<'a>,
    /// Its messages, then its statuses.
    pub items: Vec<Item>,
    /// Which of them had come before, by index in `items`.
    pub stale: Vec<usize>,
}

impl RoutedChange<'_> {
    /// Those of its messages and statuses that had not come before.
    pub fn fresh(&self) -> impl Iterator<Item = (usize, &Item)> {
        self.items.iter().enumerate().filter(|(index, _)| !self.stale.contains(index))
    }

    /// What is new in it: the kinds of those; its own where it has none.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        let own = self.fresh().next().is_none().then_some(self.kind);
        self.fresh().map(|(_, item)| item.kind()).chain(own)
    }

    /// The customer, where there is one.
    #[must_use]
    pub fn customer(&self) -> Option<CustomerId> {
        self.route.place.owner.map(|owner| owner.customer)
    }
}

/// What the rest of Doorway knows of, and makes of, webhooks; wired in `app`.
pub trait Consequences: Send + Sync {
    /// Whose a change is. Read in the router's transaction; kept until `store::counters::ROUTING` moves on.
    ///
    /// # Errors
    /// The database's.
    fn place<'a>(&'a self, tx: &'a mut WriteTx, address: &'a Address) -> BoxFuture<'a, Result<Place>>;

    /// Whether what came from an address while it was nobody's, the last of it then, may be given to the owner that
    /// its place has now: not what came after it was another customer's.
    ///
    /// # Errors
    /// The database's.
    fn may_have<'a>(
        &'a self,
        tx: &'a mut WriteTx,
        address: &'a Address,
        place: &'a Place,
        last: OffsetDateTime,
    ) -> BoxFuture<'a, Result<bool>>;

    /// What follows from changes, in the transaction that makes events of them: our state changes, deliveries are
    /// planned. It must not fail for what a change says, only for the database's sake.
    ///
    /// # Errors
    /// The database's.
    fn follow<'a>(&'a self, tx: &'a mut WriteTx, changes: &'a [RoutedChange<'a>]) -> BoxFuture<'a, Result<()>>;

    /// What follows later from changes that were nobody's when they came: [`Consequences::follow`] was called for them
    /// then, and is called once more now that they have an owner, unless this is written otherwise. It must bear that
    /// they are old, and that newer ones came before.
    ///
    /// # Errors
    /// As [`Consequences::follow`].
    fn follow_late<'a>(&'a self, tx: &'a mut WriteTx, changes: &'a [RoutedChange<'a>]) -> BoxFuture<'a, Result<()>> {
        self.follow(tx, changes)
    }

    /// A customer's own app told of accounts that are not its connection's; of that nothing follows.
    ///
    /// # Errors
    /// The database's.
    fn left_out<'a>(&'a self, tx: &'a mut WriteTx, sender: Owner) -> BoxFuture<'a, Result<()>>;

    /// They are committed.
    fn committed(&self);
}
