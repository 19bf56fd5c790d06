//! What a template is made of, as Meta writes it.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components>

use serde_json::Value;

/// The component of this kind (`HEADER`, `BODY` ...).
pub(super) fn of_kind<'a>(all: &'a [Value], kind: &str) -> Option<&'a Value> {
    all.iter().find(|component| {
        component.get("type").and_then(Value::as_str).is_some_and(|name| name.eq_ignore_ascii_case(kind))
    })
}

/// The text of the component of this kind.
pub(super) fn text<'a>(all: &'a [Value], kind: &str) -> Option<&'a str> {
    of_kind(all, kind)?.get("text")?.as_str()
}

/// A member that is a text.
pub(super) fn member<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
