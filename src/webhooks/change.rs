//! What a webhook's body says, as far as it makes sense: one odd change never harms its neighbours, and what
//! nobody understands is kept as it is.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview>

use crate::base::text;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt, marker::PhantomData, mem, str::FromStr, sync::Arc};

/// How many changes one body can hold at most; see [`EventId`].
pub const CHANGES_PER_BODY: i64 = 1 << 20;

/// An event: which body, and which of its changes. Grows in the order of taking in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(pub i64);

impl EventId {
    /// The change at this place in the body of this number. 3 MB hold fewer than [`CHANGES_PER_BODY`].
    #[must_use]
    pub fn new(seq: i64, place: u32) -> Self {
        Self(seq * CHANGES_PER_BODY + i64::from(place))
    }

    /// The number of its body.
    #[must_use]
    pub fn seq(self) -> i64 {
        self.0 / CHANGES_PER_BODY
    }

    /// Its place among the changes of the body.
    #[must_use]
    pub fn place(self) -> u32 {
        u32::try_from(self.0 % CHANGES_PER_BODY).unwrap_or(0)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for EventId {
    type Err = std::num::ParseIntError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        s.parse().map(Self)
    }
}

/// What an entry holds, in its order: names, and the JSON behind them as it stands in the body; that of `changes` is
/// left out. None where a change is in no entry.
pub type Members<'a> = Arc<[(Cow<'a, str>, &'a str)]>;

/// One change of one entry, as it stands in the body.
#[derive(Clone, Debug, PartialEq)]
pub struct Change<'a> {
    /// Its place among all changes of the body.
    pub place: u32,
    /// The entry's ID: a WABA, or the operator's business for partner events. Empty where it is missing.
    pub entry_id: Cow<'a, str>,
    /// When it happened, in seconds since the epoch, by Meta's word.
    pub time: Option<i64>,
    /// The field, such as `messages` or `account_update`. Empty where it is missing.
    pub field: Cow<'a, str>,
    /// What its entry holds.
    pub members: Members<'a>,
    /// The change as Meta sent it, byte for byte; where the body is none of Meta's, the whole of it.
    pub raw: &'a str,
    /// What it tells; `null` where that is missing.
    pub value: &'a str,
}

/// What stands in a body where a change was erased: it is no change any more, but it keeps its place, as the places
/// of its neighbours are part of their IDs.
pub(super) const ERASED: &str = r#"{"erased_by_doorway":true}"#;

#[derive(Deserialize)]
pub(super) struct RawBody<'a> {
    #[serde(borrow)]
    pub entry: &'a RawValue,
}

/// An entry; `C`: how its changes are read.
pub(super) struct RawEntry<'a, C = &'a RawValue> {
    pub id: Option<&'a RawValue>,
    time: Option<&'a RawValue>,
    field: Option<&'a RawValue>,
    pub changes: Option<C>,
    members: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'de: 'a, 'a, C: Deserialize<'de>> Deserialize<'de> for RawEntry<'a, C> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        /// Borrowed where it holds no escape.
        #[derive(Deserialize)]
        struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
        struct Fields<C>(PhantomData<C>);
        impl<'de, C: Deserialize<'de>> Visitor<'de> for Fields<C> {
            type Value = RawEntry<'de, C>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an entry")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut it = RawEntry { id: None, time: None, field: None, changes: None, members: Vec::new() };
                while let Some(Name(name)) = map.next_key::<Name<'de>>()? {
                    if name == "changes" {
                        if it.changes.replace(map.next_value()?).is_some() {
                            return Err(A::Error::duplicate_field("changes"));
                        }
                        it.members.push((name, ""));
                        continue;
                    }
                    let value = map.next_value::<&'de RawValue>()?;
                    let given = Some(value).filter(|value| value.get() != "null");
                    match name.as_ref() {
                        "id" => it.id = given,
                        "time" => it.time = given,
                        "field" => it.field = given,
                        _ => {}
                    }
                    it.members.push((name, value.get()));
                }
                Ok(it)
            }
        }
        from.deserialize_map(Fields(PhantomData))
    }
}

#[derive(Deserialize)]
struct RawChange<'a> {
    #[serde(borrow, default)]
    field: Option<&'a RawValue>,
    #[serde(borrow, default)]
    value: Option<&'a RawValue>,
}

impl<'a> Change<'a> {
    /// All changes of a body, in order. What is in no entry's list of changes is none; a body that is none of
    /// Meta's is one change without field.
    #[must_use]
    pub fn all(body: &'a str) -> Vec<Self> {
        Self::regular(body).unwrap_or_else(|| Self::odd(body))
    }

    /// The changes of a body that is as Meta's are: read in one go.
    fn regular(body: &'a str) -> Option<Vec<Self>> {
        #[derive(Deserialize)]
        struct Body<'a> {
            #[serde(borrow)]
            entry: Vec<RawEntry<'a, Vec<&'a RawValue>>>,
        }
        let body = serde_json::from_str::<Body<'a>>(body).ok()?;
        let mut all = Vec::with_capacity(body.entry.len());
        let mut place = 0;
        for mut entry in body.entry {
            let (changes, members) = (entry.changes.take()?, mem::take(&mut entry.members).into());
            changes.into_iter().for_each(|raw| all.extend(Self::of(&entry, &members, raw, &mut place)));
        }
        Some(all)
    }

    /// Those of a body of which some part is not as it should be: each part on its own.
    fn odd(body: &'a str) -> Vec<Self> {
        let entries = serde_json::from_str::<RawBody<'a>>(body).ok().and_then(|body| list(body.entry.get()));
        let Some(entries) = entries else {
            let (entry_id, field) = (Cow::Borrowed(""), Cow::Borrowed(""));
            let members = Vec::new().into();
            return vec![Self { place: 0, entry_id, time: None, field, members, raw: body, value: "null" }];
        };
        let (mut all, mut place) = (Vec::new(), 0);
        for entry in entries {
            let Ok(mut entry) = serde_json::from_str::<RawEntry<'a>>(entry.get()) else { continue };
            let members = mem::take(&mut entry.members).into();
            let changes = entry.changes.and_then(|changes| list(changes.get())).unwrap_or_default();
            changes.into_iter().for_each(|raw| all.extend(Self::of(&entry, &members, raw, &mut place)));
        }
        all
    }

    /// One of an entry's changes, at the next place; `None` where it was erased.
    fn of<C>(entry: &RawEntry<'a, C>, members: &Members<'a>, raw: &'a RawValue, next: &mut u32) -> Option<Self> {
        let place = *next;
        *next += 1;
        if raw.get() == ERASED {
            return None;
        }
        let change = serde_json::from_str::<RawChange<'a>>(raw.get()).ok();
        let field = change.as_ref().and_then(|change| change.field);
        let value = change.and_then(|change| change.value).map_or("null", RawValue::get);
        Some(Self {
            place,
            entry_id: entry.id.map_or(Cow::Borrowed(""), text),
            time: entry.time.and_then(|time| text(time).parse().ok()),
            // Some of Meta's examples have the field beside the list instead of in it, one has it in the value.
            // https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/account_update
            field: field.or(entry.field).or_else(|| field_in(value)).map_or(Cow::Borrowed(""), text),
            members: members.clone(),
            raw: raw.get(),
            value,
        })
    }

    /// Its value, parsed; of half a character in it nothing but that is lost. Null where it can't be.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(self.value)
            .or_else(|_| serde_json::from_str(&text::with_whole_surrogates(self.value)))
            .unwrap_or_default()
    }
}

/// The text `field` of a value.
fn field_in(value: &str) -> Option<&RawValue> {
    #[derive(Deserialize)]
    struct Value<'a> {
        #[serde(borrow, default)]
        field: Option<&'a RawValue>,
    }
    serde_json::from_str::<Value<'_>>(value).ok()?.field.filter(|field| field.get().starts_with('"'))
}

/// The items of a JSON array as they stand there; `None` for anything else.
pub(super) fn list(raw: &str) -> Option<Vec<&RawValue>> {
    serde_json::from_str(raw).ok()
}

/// A JSON text without its quotes; anything else as it stands there. Meta writes IDs and times both ways.
pub(super) fn text(raw: &RawValue) -> Cow<'_, str> {
    let raw = raw.get();
    match raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
        Some(_) => serde_json::from_str::<String>(raw)
            .or_else(|_| serde_json::from_str(&text::with_whole_surrogates(raw)))
            .map_or(Cow::Borrowed(raw), Cow::Owned),
        None => Cow::Borrowed(raw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_odd_change_does_not_harm_its_neighbours() {
        let body = r#"{"object":"whatsapp_business_account","entry":[
            {"id":"1","time":12,"changes":[{"field":"account_update","value":{"event":"PARTNER_ADDED"}}, 7, {"value":{}}]},
            "odd", {"id":2,"changes":[{"value": {"event":"A\u00e9"} }],"field":"account_update"}]}"#;
        let changes = Change::all(body);
        assert_eq!(changes.len(), 4);
        let of = |place: usize| (changes[place].entry_id.as_ref(), changes[place].field.as_ref(), changes[place].raw);
        assert_eq!(of(0), ("1", "account_update", r#"{"field":"account_update","value":{"event":"PARTNER_ADDED"}}"#));
        assert_eq!(of(1), ("1", "", "7"));
        assert_eq!(of(3), ("2", "account_update", r#"{"value": {"event":"A\u00e9"} }"#));
        assert_eq!((changes[0].time, changes[3].time, changes[3].place), (Some(12), None, 3));
        assert_eq!(changes[3].json()["event"], "Aé");
        for body in [
            r#"{"entry":[{"id":"1","time":"12","changes":[{"field":"a","value":[1]},{"erased_by_doorway":true},{"value":2},7]}]}"#,
            r#"{"entry":[{"id":1,"field":"b","changes":[{"value":{"x":"}]"}}]},{"changes":[]},{"id":"3","changes":[null]}]}"#,
            r#"{"entry":[]}"#,
        ] {
            assert_eq!(Change::regular(body), Some(Change::odd(body)), "{body}");
        }
        let inside = r#"{"entry":[{"id":"1","changes":[{"value":{"event":"x","field":"account_update"}},{"value":{"field":{}}}]}]}"#;
        let fields: Vec<String> = Change::all(inside).into_iter().map(|change| change.field.into_owned()).collect();
        assert_eq!(fields, ["account_update", ""]);
        for body in ["[]", "nonsense", "", r#"{"entry":7}"#] {
            assert_eq!(Change::all(body)[0].raw, body);
        }
        assert!(Change::all(r#"{"entry":[]}"#).is_empty());
    }

    #[test]
    fn an_events_id_tells_where_it_stands() {
        let id = EventId::new(7, 3);
        assert_eq!((id.seq(), id.place()), (7, 3));
        assert!(id < EventId::new(7, 4) && EventId::new(7, u32::from(u16::MAX)) < EventId::new(8, 0));
        assert_eq!(id.to_string().parse(), Ok(id));
    }
}
