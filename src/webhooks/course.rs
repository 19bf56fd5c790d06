//! What is known of a message: which of its statuses Meta told, and which event told the last of them. It is what the
//! marks of duplicates hold, read the other way round; so it is known for as long as those are kept.

use super::{
    Webhooks,
    change::{Change, EventId},
    marks::{self, Identity, Mark},
    understand::{Item, Understood},
};
use crate::{
    base::clock,
    store::{Arg, Result, Rows, query},
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How many messages of an event are looked up.
const MOST: usize = 20;

/// How Meta's message IDs begin.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status>
const ID_PREFIX: &str = "wamid.";

/// What is known of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// The message's ID.
    pub message: String,
    /// Whether the business got it; otherwise it sent it.
    pub is_incoming: bool,
    /// Whether it was sent with the WhatsApp Business app or another device.
    pub is_echo: bool,
    /// Meta's words for what was told of it, in the order in which they follow each other; `failed` is the last.
    pub told: Vec<&'static str>,
    /// The event that told the last.
    pub last: EventId,
}

impl Course {
    /// `None` where the item has no ID of its own.
    fn new(item: &Item, mark: &Mark) -> Option<Self> {
        let (is_incoming, name) = match item.message.split_once(' ')? {
            ("in", name) => (true, name),
            (_, name) => (false, name),
        };
        let message = name.split(' ').next().filter(|id| !id.starts_with('?') && !id.is_empty())?;
        let told = if is_incoming { Vec::new() } else { Item::statuses(mark.seen) };
        let is_echo = !is_incoming && Item::is_echo(mark.seen);
        Some(Self { message: message.to_owned(), is_incoming, is_echo, told, last: mark.event })
    }
}

/// Whether a text that somebody looks for is a message's ID.
#[must_use]
pub fn is_message_id(text: &str) -> bool {
    text.len() > ID_PREFIX.len() + 8 && text.starts_with(ID_PREFIX) && !text.contains(char::is_whitespace)
}

static NUMBERS_OF: Rows = Rows::new("SELECT DISTINCT phone_number_id, waba_id FROM event_routes WHERE id IN (", 0, ")");

impl Webhooks {
    /// What is known of the messages of an event, at most of some; without those of which nothing is.
    ///
    /// # Errors
    /// The database's.
    pub async fn courses(&self, event: EventId) -> Result<Vec<Course>> {
        let of = self.change(event, |change| {
            let understood = Understood::of(change);
            let identities = Identity::all(change, &understood);
            // A change without messages is one identity.
            understood.items.into_iter().zip(identities).take(MOST).collect::<Vec<_>>()
        });
        let of = of.await?.unwrap_or_default();
        let marks = self.marks_of(of.iter().map(|(_, identity)| identity)).await?;
        let mut courses: BTreeMap<String, Course> = BTreeMap::new();
        for (item, identity) in &of {
            if let Some(course) = marks.get(&identity.digest()).and_then(|mark| Course::new(item, mark)) {
                courses.entry(item.message.clone()).or_insert(course);
            }
        }
        Ok(courses.into_values().collect())
    }

    /// The events that told the last of a message by this ID, on these routes; `None`: on any. What is another
    /// route's is left out, though it may be the same number's.
    ///
    /// # Errors
    /// The database's.
    pub async fn told_last_of(&self, message: &str, routes: Option<&[i64]>) -> Result<Vec<EventId>> {
        let mut db = self.store.read().await?;
        let place = |row: &crate::store::Row| {
            let (number, waba) = (row.text("phone_number_id")?, row.text("waba_id")?);
            Ok(if number.is_empty() { waba } else { number })
        };
        let numbers = match routes {
            Some(routes) => {
                let ids: Vec<Arg> = routes.iter().map(|id| Arg::from(*id)).collect();
                NUMBERS_OF.all(&mut db, &ids, place).await?
            }
            None => query("SELECT DISTINCT phone_number_id, waba_id FROM event_routes").all(&mut db, place).await?,
        };
        drop(db);
        let numbers: BTreeSet<String> = numbers.into_iter().collect();
        let identities: Vec<Identity> =
            numbers.iter().flat_map(|number| Identity::of_message(number, message)).collect();
        let marks = self.marks_of(identities.iter()).await?;
        Ok(marks.into_values().map(|mark| mark.event).collect::<BTreeSet<_>>().into_iter().collect())
    }

    /// The marks that these have, each only where the event that it names really tells of the same.
    async fn marks_of(&self, identities: impl Iterator<Item = &Identity>) -> Result<HashMap<i64, Mark>> {
        let by_digest: HashMap<i64, &Identity> = identities.map(|one| (one.digest(), one)).collect();
        let digests: Vec<i64> = by_digest.keys().copied().collect();
        let mut marks = self.young.or_older(&mut self.store.read().await?, &digests).await?;
        let oldest = clock::to_ms(self.clock.now()) / 86_400_000 - marks::KEPT_DAYS;
        marks.retain(|(_, mark)| mark.day >= oldest);
        let events: Vec<EventId> = marks.iter().map(|(_, mark)| mark.event).collect();
        let there = |_, change: &Change<'_>| Identity::all(change, &Understood::of(change));
        let told = self.changes(&events, there).await?;
        marks.retain(|(digest, mark)| {
            let sought = by_digest.get(digest);
            // What is not kept any more can't be compared.
            sought.is_some_and(|one| told.get(&mark.event).is_none_or(|there| there.iter().any(|it| it.is_of(one))))
        });
        Ok(marks.into_iter().collect())
    }
}
