//! Some bodies on their way to be events: what they say, whose it is, and what of it had come before.

use super::{
    change::{Change, EventId},
    cut::{self, Rest},
    kind::Kind,
    marks::{Identity, Marks},
    queries::{self, Counts, Kept},
    route::{Consequences, Owner, Route, RoutedChange},
    understand::{Address, Understood},
    young::Young,
};
use crate::{
    base::clock,
    store::{Reads, Result, StoreError, WriteTx, query},
};
use futures_util::FutureExt;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};
use time::OffsetDateTime;

/// After how many changes others get their turn.
const BREATH: usize = 32;
/// How many addresses are known by heart.
const ADDRESSES: usize = 50_000;

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a panic; its words are in the log")]
    Panic,
}

impl Failure {
    /// Whether the same may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_transient())
    }
}

/// Runs it to its end, whatever happens: a panic must not end the router.
pub(super) async fn guarded<T>(
    work: impl Future<Output = std::result::Result<T, Failure>>,
) -> std::result::Result<T, Failure> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or(Err(Failure::Panic))
}

/// How much is made of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// All that follows, for all of them at once.
    Together,
    /// The same for each alone; what can't be followed stays an event that names its problem.
    Apart,
    /// Events and nothing else: not even what they are about.
    Bare,
}

/// Whose what is, as long as nothing changes in who owns what.
#[derive(Default)]
pub(super) struct Known {
    pub version: i64,
    routes: HashMap<Address, Arc<Route>>,
    /// Whose those are that customers' own apps named.
    named: HashMap<Address, Option<Owner>>,
}

impl Known {
    /// Nothing yet of this version.
    pub fn at(version: i64) -> Self {
        Self { version, ..Self::default() }
    }

    /// The route of this address.
    pub async fn whose(
        &mut self,
        tx: &mut WriteTx,
        consequences: &dyn Consequences,
        address: &Address,
        now: OffsetDateTime,
    ) -> Result<Arc<Route>> {
        if let Some(route) = self.routes.get(address) {
            return Ok(route.clone());
        }
        let place = consequences.place(tx, address).await?;
        let route = Arc::new(queries::route(tx, &place, now).await?);
        if self.routes.len() >= ADDRESSES {
            self.routes.clear();
        }
        self.routes.insert(address.clone(), route.clone());
        Ok(route)
    }
}

impl Known {
    /// Whether an address is of a connection. It is asked before there is a route, as an app of a customer's may name
    /// whatever it likes: of what is not its connection's nothing is kept, not even that it was named.
    async fn is_of(
        &mut self,
        tx: &mut WriteTx,
        consequences: &dyn Consequences,
        address: &Address,
        connection: Owner,
    ) -> Result<bool> {
        if let Some(owner) = self.named.get(address) {
            return Ok(*owner == Some(connection));
        }
        let owner = consequences.place(tx, address).await?.owner;
        if self.named.len() >= ADDRESSES {
            self.named.clear();
        }
        self.named.insert(address.clone(), owner);
        Ok(owner == Some(connection))
    }
}

struct Prepared<'a> {
    id: EventId,
    received_at: OffsetDateTime,
    sender: Option<Owner>,
    change: Change<'a>,
    understood: Understood,
    marks: Vec<(i64, Identity)>,
}

/// Changes that are understood, and what is known of their like.
pub(super) struct Batch<'a> {
    changes: Vec<Prepared<'a>>,
    marks: Marks,
    is_bare: bool,
}

/// A batch with its routes.
pub(super) struct Routed<'a> {
    pub changes: Vec<RoutedChange<'a>>,
    pub marks: Marks,
    pub counts: Counts,
    /// What customers' own apps sent of accounts that are not their connection's.
    pub left_out: LeftOut,
}

/// The places of changes that make no event, by body, with whose app sent it.
#[derive(Default)]
pub(super) struct LeftOut(BTreeMap<i64, (Owner, BTreeSet<u32>)>);

impl LeftOut {
    fn add(&mut self, id: EventId, sender: Owner) {
        self.0.entry(id.seq()).or_insert_with(|| (sender, BTreeSet::new())).1.insert(id.place());
    }

    /// Takes them out of their bodies, so that nobody finds them there later, and has it noted.
    pub async fn cut(&self, tx: &mut WriteTx, consequences: &dyn Consequences, bodies: &[Kept]) -> Result<()> {
        let mut senders: BTreeMap<String, (Owner, usize)> = BTreeMap::new();
        for (seq, (sender, places)) in &self.0 {
            let Some(kept) = bodies.iter().find(|kept| kept.seq == *seq) else { continue };
            match cut::without(&kept.body, &[], |place| places.contains(&place)) {
                Rest::Untouched => {}
                Rest::Less(body) => queries::set_body(tx, *seq, &body).await?,
                Rest::Nothing => queries::delete(tx, *seq).await?,
            }
            senders.entry(sender.connection.to_string()).or_insert((*sender, 0)).1 += places.len();
        }
        for (sender, changes) in senders.values() {
            tracing::warn!(connection = %sender.connection, changes, "a customer's app told of accounts that are not its connection's");
            consequences.left_out(tx, *sender).await?;
        }
        Ok(())
    }
}

/// What a change says; nothing where that made the code panic.
pub(super) fn understand(change: &Change<'_>) -> Understood {
    catch_unwind(AssertUnwindSafe(|| Understood::of(change))).unwrap_or_else(|_| nothing())
}

fn nothing() -> Understood {
    Understood { kind: Kind::Other, detail: String::new(), address: Address::default(), items: Vec::new() }
}

impl<'a> Batch<'a> {
    /// Reads these bodies, and looks for what of them had come before. Outside of any transaction: only the router
    /// makes marks, and its transaction fails where another router was faster.
    pub async fn of(db: &mut impl Reads, young: &Young, bodies: &'a [Kept], how: How) -> Result<Self> {
        let mut changes = Vec::with_capacity(bodies.len());
        for kept in bodies {
            for change in Change::all(&kept.body) {
                let understood = if how == How::Bare { nothing() } else { understand(&change) };
                let marks = Identity::all(&change, &understood).into_iter().map(|one| (one.digest(), one)).collect();
                let id = EventId::new(kept.seq, change.place);
                let (received_at, sender) = (kept.received_at, kept.sender);
                changes.push(Prepared { id, received_at, sender, change, understood, marks });
                if changes.len() % BREATH == 0 {
                    tokio::task::yield_now().await;
                }
            }
        }
        let wanted: Vec<(i64, &Identity)> =
            changes.iter().flat_map(|one| &one.marks).map(|(digest, identity)| (*digest, identity)).collect();
        let today = bodies.last().map_or(0, |kept| day(kept.received_at));
        let marks = Marks::find(db, young, &wanted, today).await?;
        Ok(Self { changes, marks, is_bare: how == How::Bare })
    }

    /// Finds whose each change is, and leaves out what had come before.
    pub async fn routed(
        self,
        tx: &mut WriteTx,
        known: &mut Known,
        consequences: &dyn Consequences,
        now: OffsetDateTime,
    ) -> Result<Routed<'a>> {
        let Self { changes, mut marks, is_bare } = self;
        let mut routed = Vec::with_capacity(changes.len());
        let (mut counts, mut left_out) = (Counts::new(), LeftOut::default());
        for Prepared { id, received_at, sender, change, understood, marks: own } in changes {
            // Of what can't be followed it is not known whose it is: it makes no event, and nothing is cut.
            if sender.is_some() && is_bare {
                continue;
            }
            // Before anything else: what it says must neither make a route nor count as having come.
            if let Some(sender) = sender
                && !known.is_of(tx, consequences, &understood.address, sender).await?
            {
                left_out.add(id, sender);
                continue;
            }
            let route = known.whose(tx, consequences, &understood.address, now).await?;
            let mut stale = Vec::new();
            for (index, (digest, identity)) in own.iter().enumerate() {
                if marks.meet(*digest, identity, id, day(received_at)) {
                    stale.push(index);
                }
            }
            let Understood { kind, detail, items, .. } = understood;
            let all = stale.len() == own.len();
            *counts.entry(count_of(received_at, &route, if all { "duplicate" } else { kind.name() })).or_default() += 1;
            if !all {
                routed.push(RoutedChange { id, received_at, sender, route, kind, detail, change, items, stale });
            }
        }
        Ok(Routed { changes: routed, marks, counts, left_out })
    }
}

fn day(at: OffsetDateTime) -> i64 {
    clock::to_ms(at) / 86_400_000
}

fn count_of(at: OffsetDateTime, route: &Route, kind: &'static str) -> (i64, String, &'static str) {
    let customer = route.place.owner.map(|owner| owner.customer.to_string()).unwrap_or_default();
    (clock::to_ms(at) / 60_000, customer, kind)
}

/// Has consequences follow from changes whose events are there; `late`, from those that were nobody's until now.
pub(super) async fn follow(
    tx: &mut WriteTx,
    consequences: &dyn Consequences,
    changes: &[RoutedChange<'_>],
    (how, late): (How, bool),
    counts: &mut Counts,
) -> std::result::Result<(), Failure> {
    let now = async |tx: &mut WriteTx, some: &[RoutedChange<'_>]| {
        let follow =
            async { if late { consequences.follow_late(tx, some).await } else { consequences.follow(tx, some).await } };
        guarded(async { follow.await.map_err(Failure::from) }).await
    };
    match how {
        How::Together => now(tx, changes).await,
        How::Bare => {
            for change in changes {
                problem(tx, change, "nothing could be made of it", counts).await?;
            }
            Ok(())
        }
        How::Apart => {
            for change in changes {
                query("SAVEPOINT alone").execute(tx).await?;
                match now(tx, std::slice::from_ref(change)).await {
                    Ok(()) => {}
                    Err(failure) if failure.is_transient() => return Err(failure),
                    Err(failure) => {
                        query("ROLLBACK TO SAVEPOINT alone").execute(tx).await?;
                        problem(tx, change, &failure.to_string(), counts).await?;
                    }
                }
                query("RELEASE SAVEPOINT alone").execute(tx).await?;
            }
            Ok(())
        }
    }
}

async fn problem(tx: &mut WriteTx, change: &RoutedChange<'_>, why: &str, counts: &mut Counts) -> Result<()> {
    tracing::error!(event = %change.id, kind = change.kind.name(), why, "nothing follows from a webhook's change");
    queries::set_problem(tx, change.id, &why.chars().take(300).collect::<String>()).await?;
    *counts.entry(count_of(change.received_at, &change.route, "problem")).or_default() += 1;
    Ok(())
}
