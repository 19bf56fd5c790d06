//! What had come already. Meta delivers at least once: the same status or message may come again within 7 days.
//!
//! A message is known by number, direction and ID (two customers of ours may write to each other, and then both
//! sides name the same ID); what was told of it is a bit each. A status of a group's message is one participant's. A
//! change without messages is known by all it says. Marks are kept under 64 bits of a digest: where one is found, the
//! event that it names tells whether it really is of the same, so that a collision loses nothing.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview>
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status>

use super::{
    change::{Change, EventId},
    queries,
    understand::{Item, Understood},
    young::Young,
};
use crate::store::{Reads, Result};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};

/// How long it is known, in days after it came last.
pub(super) const KEPT_DAYS: i64 = 8;
/// The bit of all statuses that this build does not know.
const OTHER: i64 = 32;

/// What may come twice: what it is of, and which bit of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    text: String,
    pub bit: i64,
}

impl Identity {
    /// The first 64 bits of its digest.
    pub fn digest(&self) -> i64 {
        let hash = Sha256::digest(&self.text);
        i64::from_le_bytes(hash[..8].try_into().expect("SHA-256 has 32 bytes"))
    }

    /// Those of a message of a number by its ID: as it came in, or went out.
    pub fn of_message(number: &str, id: &str) -> [Self; 2] {
        ["in", "out"].map(|way| Self { text: ["item", number, &format!("{way} {id}")].join("\0"), bit: 0 })
    }

    /// Whether both are of the same, whatever is told of it.
    pub fn is_of(&self, other: &Self) -> bool {
        self.text == other.text
    }

    /// Those of a change: one for each of its items, else one of all it says.
    pub fn all(change: &Change<'_>, understood: &Understood) -> Vec<Self> {
        if understood.items.is_empty() {
            let time = change.time.map(|time| time.to_string()).unwrap_or_default();
            let text = ["change", &change.entry_id, &time, &change.field, change.raw].join("\0");
            return vec![Self { text, bit: 1 }];
        }
        let address = &understood.address;
        let number = address.phone_number.as_ref().map(|number| number.as_str());
        let number = number.or(address.waba.as_ref().map(|waba| waba.as_str())).unwrap_or_default();
        // Only what is rare needs a second look.
        let in_group = change.raw.contains("\"recipient_participant");
        let mut json = None;
        understood
            .items
            .iter()
            .map(|item| {
                let mut text = ["item", number, &item.message].join("\0");
                if item.is_status && (in_group || item.bit == OTHER) {
                    let status = &json.get_or_insert_with(|| change.json())["statuses"][item.place];
                    more(&mut text, item, status);
                }
                Self { text, bit: item.bit }
            })
            .collect()
    }
}

/// What else tells one status from another: its word, and who of a group it is about.
fn more(text: &mut String, item: &Item, status: &Value) {
    let word = status.get("status").filter(|_| item.bit == OTHER);
    let people = status.as_object().into_iter().flatten();
    let people = people.filter(|(key, _)| key.starts_with("recipient_participant")).map(|(_, value)| value);
    for word in word.into_iter().chain(people).filter_map(Value::as_str) {
        text.push('\0');
        text.push_str(word);
    }
}

/// A mark as it is, or will be, in the database.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    /// The bits of what was told.
    pub seen: i64,
    /// The event that told the last of them.
    pub event: EventId,
    /// The day when it came last, in days since the epoch.
    pub day: i64,
    changed: bool,
}

impl Mark {
    pub fn kept(seen: i64, event: EventId, day: i64) -> Self {
        Self { seen, event, day, changed: false }
    }

    /// It is kept now.
    pub fn at_rest(self) -> Self {
        Self { changed: false, ..self }
    }
}

/// The marks that a batch may meet.
#[derive(Default)]
pub(super) struct Marks {
    marks: HashMap<i64, Mark>,
    /// Marks that were found, but are of something else: collisions.
    others: HashSet<(i64, EventId)>,
    /// What changes of this batch are, of which a mark was made; to compare with.
    fresh: HashMap<(i64, EventId), Identity>,
}

impl Marks {
    /// Looks for all that these changes say, and whether what is found is of the same.
    pub async fn find(db: &mut impl Reads, young: &Young, wanted: &[(i64, &Identity)], today: i64) -> Result<Self> {
        let digests: Vec<i64> = wanted.iter().map(|(digest, _)| *digest).collect();
        let marks: HashMap<i64, Mark> =
            young.or_older(db, &digests).await?.into_iter().filter(|(_, mark)| mark.day >= today - KEPT_DAYS).collect();
        let mut hits: BTreeMap<EventId, Vec<(i64, &Identity)>> = BTreeMap::new();
        for (digest, identity) in wanted {
            if let Some(mark) = marks.get(digest).filter(|mark| mark.seen & identity.bit == identity.bit) {
                hits.entry(mark.event).or_default().push((*digest, identity));
            }
        }
        let mut others = HashSet::new();
        let mut body: Option<(i64, Option<String>)> = None;
        for (event, of) in hits {
            if body.as_ref().is_none_or(|(seq, _)| *seq != event.seq()) {
                body = Some((event.seq(), queries::body(db, event.seq()).await?));
            }
            // What is not kept any more can't be compared: then the digest decides.
            let Some((_, Some(text))) = &body else { continue };
            let Some(change) = Change::all(text).into_iter().find(|change| change.place == event.place()) else {
                continue;
            };
            let there = Identity::all(&change, &Understood::of(&change));
            for (digest, identity) in of {
                if !there.iter().any(|one| one.text == identity.text) {
                    tracing::warn!(%event, "two messages have the same digest");
                    others.insert((digest, event));
                }
            }
        }
        Ok(Self { marks, others, fresh: HashMap::new() })
    }

    /// Whether this came before; it counts as having come from now on.
    pub fn meet(&mut self, digest: i64, identity: &Identity, event: EventId, day: i64) -> bool {
        let known = self.marks.get(&digest);
        let told = known.filter(|mark| mark.seen & identity.bit == identity.bit).is_some_and(|mark| {
            let at = (digest, mark.event);
            !self.others.contains(&at) && self.fresh.get(&at).is_none_or(|fresh| fresh.text == identity.text)
        });
        let mark = self.marks.entry(digest).or_insert(Mark { seen: 0, event, day, changed: true });
        mark.changed |= !told || mark.day < day;
        mark.day = day.max(mark.day);
        if !told {
            mark.seen |= identity.bit;
            mark.event = event;
            self.fresh.insert((digest, event), identity.clone());
        }
        told
    }

    /// Those that must be kept.
    pub fn changed(self) -> Vec<(i64, Mark)> {
        self.marks.into_iter().filter(|(_, mark)| mark.changed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> Vec<Identity> {
        let change = Change::all(body).remove(0);
        Identity::all(&change, &Understood::of(&change))
    }

    fn status(number: &str, status: &str) -> String {
        format!(
            r#"{{"entry":[{{"id":"1","changes":[{{"field":"messages","value":{{"metadata":{{"phone_number_id":"{number}"}},
            "statuses":[{status}]}}}}]}}]}}"#
        )
    }

    #[test]
    fn the_same_is_what_says_the_same_of_the_same_message() {
        let one = of(&status("7", r#"{"id":"wamid.A","status":"sent","timestamp":"1"}"#));
        let again = of(&status("7", r#"{"status":"sent", "id":"wamid.A","timestamp":"2"}"#));
        assert_eq!(one, again);
        let elsewhere = of(&status("8", r#"{"id":"wamid.A","status":"sent"}"#));
        assert_ne!(one[0].digest(), elsewhere[0].digest());
        let later = of(&status("7", r#"{"id":"wamid.A","status":"read"}"#));
        assert_eq!(one[0].digest(), later[0].digest());
        assert_ne!(one[0].bit, later[0].bit);
        let news =
            ["warped", "folded"].map(|word| of(&status("7", &format!(r#"{{"id":"wamid.A","status":"{word}"}}"#))));
        assert_ne!(news[0], news[1], "statuses that nobody knows yet are told apart");
        let people = ["1", "2"].map(|who| {
            let group = r#""id":"wamid.A","status":"read","recipient_type":"group","recipient_id":"G""#;
            of(&status("7", &format!(r#"{{{group},"recipient_participant_id":"{who}"}}"#)))
        });
        assert_ne!(people[0], people[1], "each participant reads it");
    }

    #[test]
    fn within_a_batch_too_a_collision_loses_nothing() {
        let (one, other) =
            (of(&status("7", r#"{"id":"A","status":"sent"}"#)), of(&status("7", r#"{"id":"B","status":"sent"}"#)));
        let mut marks = Marks::default();
        assert!(!marks.meet(5, &one[0], EventId(1), 3));
        assert!(marks.meet(5, &one[0], EventId(2), 3));
        assert!(!marks.meet(5, &other[0], EventId(3), 3), "the same digest, another message");
        let changed = marks.changed();
        assert_eq!((changed.len(), changed[0].1.event), (1, EventId(3)));
    }
}
