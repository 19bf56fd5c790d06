//! Taking changes out of a body: what is others' stays byte for byte, and in its place.

use super::change::{ERASED, RawBody, RawEntry, list};
use crate::base::ids::WabaId;

/// What is left of a body.
#[derive(Debug, PartialEq)]
pub(super) enum Rest {
    /// All of it.
    Untouched,
    /// This.
    Less(String),
    /// Nothing.
    Nothing,
}

/// A body without the changes for whose places `goes` is true. An entry that loses all goes with its ID; so does one
/// of these WABAs that holds none.
pub(super) fn without(body: &str, wabas: &[WabaId], mut goes: impl FnMut(u32) -> bool) -> Rest {
    let entries = serde_json::from_str::<RawBody<'_>>(body).ok().and_then(|body| list(body.entry.get()));
    let Some(entries) = entries else { return if goes(0) { Rest::Nothing } else { Rest::Untouched } };
    let (mut place, mut is_something_left) = (0, false);
    let mut holes: Vec<(&str, String)> = Vec::new();
    for raw in entries {
        let Ok(entry) = serde_json::from_str::<RawEntry<'_>>(raw.get()) else {
            is_something_left = true;
            continue;
        };
        let changes = entry.changes.and_then(|changes| list(changes.get())).unwrap_or_default();
        if changes.is_empty() {
            let id = entry.id.map(super::change::text);
            if id.is_some_and(|id| wabas.iter().any(|waba| waba.as_str() == id)) {
                holes.push((raw.get(), "{}".to_owned()));
            } else {
                is_something_left |= raw.get() != "{}";
            }
            continue;
        }
        let mut of_entry = Vec::new();
        let mut is_empty = true;
        for change in &changes {
            if change.get() != ERASED {
                if goes(place) {
                    of_entry.push((change.get(), ERASED.to_owned()));
                } else {
                    is_empty = false;
                }
            }
            place += 1;
        }
        if is_empty && !of_entry.is_empty() {
            let rest = format!(r#"{{"changes":[{}]}}"#, vec![ERASED; changes.len()].join(","));
            of_entry = vec![(raw.get(), rest)];
        }
        is_something_left |= !is_empty;
        holes.extend(of_entry);
    }
    match (holes.is_empty(), is_something_left) {
        (true, _) => Rest::Untouched,
        (false, false) => Rest::Nothing,
        (false, true) => Rest::Less(filled(body, &holes)),
    }
}

/// A text in which parts of it are replaced; they are in order.
fn filled(text: &str, holes: &[(&str, String)]) -> String {
    let mut rest = String::with_capacity(text.len());
    let mut from = 0;
    for (part, instead) in holes {
        // The parts are borrowed from the text, so that their addresses tell where they stand in it.
        let at = part.as_ptr() as usize - text.as_ptr() as usize;
        rest.push_str(&text[from..at]);
        rest.push_str(instead);
        from = at + part.len();
    }
    rest.push_str(&text[from..]);
    rest
}

#[cfg(test)]
mod tests {
    use super::{super::change::Change, *};

    #[test]
    fn what_is_others_stays_byte_for_byte_and_in_its_place() {
        let own = r#"{"id":"1","changes":[{"field":"messages", "value":{"text":"hello"}}]}"#;
        let others = r#"{ "id":2,"changes" : [{"field":"messages","value":{"context":{"id":"1"},"é":1.0}} ]}"#;
        let partner =
            |waba: &str| format!(r#"{{"field":"account_update","value":{{"waba_info":{{"waba_id":"{waba}"}}}}}}"#);
        let operator = format!(r#"{{"id":"9","time":1,"changes":[{}, {}]}}"#, partner("1"), partner("2"));
        let body = |entries: &[&str]| format!("{{\"object\":\"x\",\"entry\":[{}]}}\n", entries.join(" ,"));
        let wabas = ["1".parse().unwrap()];
        let all = body(&[own, others, &operator]);

        let Rest::Less(rest) = without(&all, &wabas, |place| place == 0 || place == 2) else { panic!("much is left") };
        assert_eq!(
            rest,
            body(&[&format!(r#"{{"changes":[{ERASED}]}}"#), others, &operator.replace(&partner("1"), ERASED)])
        );
        let (before, after) = (Change::all(&all), Change::all(&rest));
        assert_eq!(after, [before[1].clone(), before[3].clone()], "places are as before");
        // What was erased counts no more when the rest goes too.
        assert_eq!(without(&rest, &wabas, |place| place == 1 || place == 3), Rest::Nothing);
        assert_eq!(without(&rest, &wabas, |place| place == 0), Rest::Untouched);

        assert_eq!(without(&body(&[own]), &wabas, |_| true), Rest::Nothing);
        assert_eq!(without(&body(&[others]), &wabas, |_| false), Rest::Untouched);
        assert_eq!(without("no JSON", &wabas, |_| true), Rest::Nothing);
        assert_eq!(without(&body(&[r#"{"id":"1"}"#]), &wabas, |_| false), Rest::Nothing);
        let empty = body(&[r#"{"id":"1"}"#, others]);
        assert_eq!(without(&empty, &wabas, |_| false), Rest::Less(body(&["{}", others])));
    }
}
