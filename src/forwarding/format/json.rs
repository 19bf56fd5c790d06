//! Reading and writing JSON without touching what is in it: numbers and texts stay as Meta wrote them, in their order.

use crate::base::{clock, text::with_whole_surrogates};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt, mem};
use time::OffsetDateTime;

/// Deeper than this nothing is renamed; Meta's payloads go some eight levels deep.
const DEEPEST: usize = 32;
/// How many bytes are left behind a file for the rest of an object, about.
const AFTER: usize = 16 * 1024;

/// The fields of a JSON object, in their order; none where it is no object.
#[derive(Clone, Debug, Default)]
pub(super) struct View<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> View<'a> {
    pub(super) fn of(json: &'a str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }

    /// A field's JSON. Where a name stands twice the last one counts, as everywhere; `null` is as good as nothing.
    pub(super) fn raw(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().rev().find(|(key, _)| key == name)?.1.get();
        (found != "null").then_some(found)
    }

    /// A field's text; an empty one is none. Meta writes some numbers as texts and some as numbers.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        text(self.raw(name)?).filter(|text| !text.is_empty())
    }

    pub(super) fn object(&self, name: &str) -> View<'a> {
        self.raw(name).map(View::of).unwrap_or_default()
    }

    pub(super) fn list(&self, name: &str) -> Vec<&'a str> {
        self.raw(name).map(list).unwrap_or_default()
    }

    /// A field that tells when: see [`moment`].
    pub(super) fn time(&self, name: &str) -> Option<OffsetDateTime> {
        moment(&self.text(name)?)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for View<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = View<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<View<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(name) = map.next_key::<Name<'de>>()? {
                    fields.push((name.0, map.next_value()?));
                }
                Ok(View(fields))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<View<'de>, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(View::default())
            }
        }
        from.deserialize_map(Fields)
    }
}

/// A field's name, borrowed where it holds no escape.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The values of a JSON array, none where it is no array.
pub(super) fn list(json: &str) -> Vec<&str> {
    let all = serde_json::from_str::<Vec<&RawValue>>(json).unwrap_or_default();
    all.into_iter().map(RawValue::get).collect()
}

/// What a JSON text says, or how a number is written.
fn text(json: &str) -> Option<Cow<'_, str>> {
    match json.as_bytes().first()? {
        b'"' => match json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(plain) if !plain.contains('\\') => Some(Cow::Borrowed(plain)),
            _ => serde_json::from_str::<String>(json)
                .or_else(|_| serde_json::from_str(&with_whole_surrogates(json)))
                .ok()
                .map(Cow::Owned),
        },
        b'-' | b'0'..=b'9' => Some(Cow::Borrowed(json)),
        _ => None,
    }
}

/// A time as Meta writes it: seconds since the epoch, or milliseconds.
pub(super) fn moment(written: &str) -> Option<OffsetDateTime> {
    // The year 5138 in seconds, 1973 in milliseconds.
    const MILLISECONDS_FROM: i64 = 100_000_000_000;
    let number = written.parse::<i64>().ok().filter(|number| *number > 0)?;
    let ms = if number < MILLISECONDS_FROM { number.checked_mul(1000)? } else { number };
    Some(clock::from_ms(ms))
}

/// Whether a field of this name tells when something was.
fn is_time(name: &str) -> bool {
    name == "timestamp" || name.ends_with("_timestamp") || name.ends_with("_time")
}

/// `phone_number_id` as `phoneNumberId`.
pub(super) fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        match c {
            '_' if !out.is_empty() => upper = true,
            c if upper => {
                out.extend(c.to_uppercase());
                upper = false;
            }
            c => out.push(c),
        }
    }
    out
}

/// The same JSON with its names in camel case and its times as RFC 3339 writes them; all else as it stands there.
fn reshape_into(out: &mut String, json: &str, deeper: usize) {
    match json.as_bytes().first() {
        Some(b'{') if deeper > 0 => {
            let mut object = Object::default();
            for (name, value) in &View::of(json).0 {
                object.reshaped(name, value.get(), deeper - 1);
            }
            out.push_str(&object.finish());
        }
        Some(b'[') if deeper > 0 => {
            out.push('[');
            for (index, value) in list(json).into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                reshape_into(out, value, deeper - 1);
            }
            out.push(']');
        }
        _ => out.push_str(json),
    }
}

/// A JSON object that is being written; what is in it is written right into its text, never copied.
#[derive(Clone, Debug, Default)]
pub(super) struct Object {
    text: String,
    is_begun: bool,
}

impl Object {
    fn name(&mut self, name: &str) {
        self.text.push(if self.is_begun { ',' } else { '{' });
        self.is_begun = true;
        quote(&mut self.text, name);
        self.text.push(':');
    }

    /// A text.
    pub(super) fn text(&mut self, name: &str, text: &str) -> &mut Self {
        self.name(name);
        quote(&mut self.text, text);
        self
    }

    /// A text: these bytes in base64, however many.
    pub(super) fn base64(&mut self, name: &str, bytes: &[u8]) -> &mut Self {
        // At once, and with room for what follows: growing would take up to twice as much.
        self.text.reserve_exact(bytes.len().div_ceil(3) * 4 + AFTER);
        self.name(name);
        self.text.push('"');
        STANDARD.encode_string(bytes, &mut self.text);
        self.text.push('"');
        self
    }

    /// An object.
    pub(super) fn object(&mut self, name: &str, write: impl FnOnce(&mut Self)) -> &mut Self {
        self.name(name);
        let mut inner = Self { text: mem::take(&mut self.text), is_begun: false };
        write(&mut inner);
        self.text = inner.finish();
        self
    }

    /// A text where there is one.
    pub(super) fn maybe(&mut self, name: &str, text: Option<impl AsRef<str>>) -> &mut Self {
        match text {
            Some(text) => self.text(name, text.as_ref()),
            None => self,
        }
    }

    /// A value that is JSON already.
    pub(super) fn raw(&mut self, name: &str, json: &str) -> &mut Self {
        self.name(name);
        self.text.push_str(json);
        self
    }

    /// A time.
    pub(super) fn time(&mut self, name: &str, at: OffsetDateTime) -> &mut Self {
        self.text(name, &clock::rfc3339(at))
    }

    /// A field of Meta's: see [`reshape_into`].
    pub(super) fn field(&mut self, name: &str, json: &str) -> &mut Self {
        self.reshaped(name, json, DEEPEST);
        self
    }

    /// All fields of an object of Meta's but those of these names.
    pub(super) fn fields(&mut self, view: &View<'_>, but: &[&str]) -> &mut Self {
        for (name, value) in view.0.iter().filter(|(name, _)| !but.contains(&name.as_ref())) {
            self.field(name, value.get());
        }
        self
    }

    fn reshaped(&mut self, name: &str, json: &str, deeper: usize) {
        let at = if is_time(name) { text(json).and_then(|written| moment(&written)) } else { None };
        let name = camel(name);
        match at {
            Some(at) => drop(self.time(&name, at)),
            None => {
                self.name(&name);
                reshape_into(&mut self.text, json, deeper);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.is_begun
    }

    pub(super) fn finish(mut self) -> String {
        if !self.is_begun {
            self.text.push('{');
        }
        self.text.push('}');
        self.text
    }
}

fn quote(out: &mut String, text: &str) {
    out.push_str(&serde_json::to_string(text).expect("a text is always JSON"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reshape(json: &str) -> String {
        let mut out = String::new();
        reshape_into(&mut out, json, DEEPEST);
        out
    }

    #[test]
    fn numbers_texts_and_order_stay_as_they_are() {
        let json = r#"{"z_b":[1.10,{"a_b_c":"A\u00e9_b"}], "a":12345678901234567890123,"timestamp":"1750030073","start_time":1748780624000,"up_time":"soon","_x":null}"#;
        assert_eq!(
            reshape(json),
            r#"{"zB":[1.10,{"aBC":"A\u00e9_b"}],"a":12345678901234567890123,"timestamp":"2025-06-15T23:27:53Z","startTime":"2025-06-01T12:23:44Z","upTime":"soon","_x":null}"#
        );
        for same in ["[]", "{}", "7", r#""x_y""#, "null"] {
            assert_eq!(reshape(same), same);
        }
    }

    #[test]
    fn what_is_nested_without_end_is_copied_from_some_depth_on() {
        let deep = format!("{}1{}", r#"{"a_b":"#.repeat(100), "}".repeat(100));
        let reshaped = reshape(&deep);
        assert_eq!(reshaped.matches("aB").count(), DEEPEST);
        assert!(serde_json::from_str::<serde_json::Value>(&reshaped).is_ok());
    }

    #[test]
    fn fields_are_read_as_meta_writes_them() {
        let view = View::of(r#"{"a":"","b":7,"c":null,"d":"x","d":"y\n","e":{"f":[1,"2"]},"g":"0"}"#);
        assert_eq!((view.text("a"), view.text("b").as_deref(), view.raw("c")), (None, Some("7"), None));
        assert_eq!((view.text("d").as_deref(), view.object("e").list("f")), (Some("y\n"), vec!["1", "\"2\""]));
        assert_eq!((view.time("g"), view.time("d"), view.text("e")), (None, None, None));
        assert_eq!(View::of(r#"{"a":"Ana \ud83d!"}"#).text("a").as_deref(), Some("Ana \u{fffd}!"), "half a character");
        assert!(View::of("[1]").is_empty() && View::of("7").is_empty() && View::of("").is_empty());
        assert!(view.object("b").is_empty() && view.list("b").is_empty());
    }
}
