//! Samples: what a test sends, and what the page about the formats shows. Made by the same code as every call.

use super::{Fetched, compose, message::One, mo_dlr, signed};
use crate::{
    base::{
        clock,
        ids::{ConnectionId, CustomerId},
    },
    forwarding::{Endpoint, Format},
    webhooks::{Change, Event, EventId, Owner, Place, Route, Understood},
};
use serde_json::json;
use time::OffsetDateTime;

/// An account and a number of Meta's own examples.
const WABA: &str = "102290129340398";
const NUMBER: &str = "106540352242922";

/// The event and body of a test: a text message that nobody wrote, to the first of the endpoint's numbers.
pub(super) fn test(endpoint: &Endpoint, now: OffsetDateTime) -> (Event, String) {
    let number = endpoint.numbers.as_ref().and_then(|all| all.first()).map_or(NUMBER, |id| id.as_str());
    let waba = endpoint.wabas.as_ref().and_then(|all| all.first()).map_or(WABA, |id| id.as_str());
    let value = json!({
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "15550783881", "phone_number_id": number },
        "contacts": [{ "profile": { "name": "Test by Doorway" }, "wa_id": "16505551234" }],
        "messages": [{
            "from": "16505551234",
            "id": format!("wamid.TEST{}", clock::to_ms(now)),
            "timestamp": now.unix_timestamp().to_string(),
            "type": "text",
            "text": { "body": "This is a test. Nobody wrote it." },
        }],
    });
    let body = body(waba, now, "messages", &value);
    (event(&body, now), body)
}

fn body(waba: &str, at: OffsetDateTime, field: &str, value: &serde_json::Value) -> String {
    let change = json!({ "value": value, "field": field });
    json!({ "object": "whatsapp_business_account", "entry": [{ "id": waba, "time": at.unix_timestamp(), "changes": [change] }] })
        .to_string()
}

fn event(body: &str, at: OffsetDateTime) -> Event {
    let (kind, detail, place) = match Change::all(body).first().map(Understood::of) {
        Some(it) => {
            let owner = Some(Owner { customer: CustomerId::new(), connection: ConnectionId::new() });
            (it.kind, it.detail, Place { waba: it.address.waba, phone_number: it.address.phone_number, owner })
        }
        None => (crate::webhooks::Kind::Other, String::new(), Place::default()),
    };
    Event { id: EventId::new(1, 0), received_at: at, route: Route { id: 1, place }, kind, detail, stale: Vec::new() }
}

/// Which item a test is about: formats that send each on its own send the first.
pub(super) fn item_for(format: Format) -> Option<usize> {
    (format != Format::Meta).then_some(0)
}

/// An example of the page about the formats.
#[derive(Clone, Debug)]
pub struct Example {
    /// What it is of.
    pub title: &'static str,
    /// What Meta sent.
    pub from_meta: String,
    /// What each format makes of it, in the order of [`Format::ALL`]; `None`: it tells nothing of it.
    pub sent: Vec<(Format, Option<String>)>,
}

/// One of each that people ask about.
#[must_use]
pub fn examples() -> Vec<Example> {
    let message = |name: &str, content: serde_json::Value, more: serde_json::Value| {
        let mut it = json!({ "from": "16505551234", "id": "wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA=",
            "timestamp": "1749416383", "type": name, name: content });
        if let (Some(it), serde_json::Value::Object(more)) = (it.as_object_mut(), more) {
            it.extend(more);
        }
        json!({ "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "15550783881", "phone_number_id": NUMBER },
            "contacts": [{ "profile": { "name": "Sheena Nelson" }, "wa_id": "16505551234", "user_id": "US.13491208655302741918" }],
            "messages": [it] })
    };
    let status = |status: &str, more: serde_json::Value| {
        let mut it = json!({ "id": "wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBI3MTE5MjVBOTE3MDk5QUVFM0YA", "status": status,
            "timestamp": "1750263773", "recipient_id": "16505551234", "biz_opaque_callback_data": "order-4711" });
        if let (Some(it), serde_json::Value::Object(more)) = (it.as_object_mut(), more) {
            it.extend(more);
        }
        json!({ "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "15550783881", "phone_number_id": NUMBER }, "statuses": [it] })
    };
    let text = json!({ "body": "Does it come in another color?" });
    let image = json!({ "caption": "Like this one", "mime_type": "image/jpeg", "id": "1908647269898587",
        "sha256": "wvqXMe6n7n1W0zphvLPoLj+s/NtKqmr3zZ7YzTP7xFI=" });
    let context = json!({ "context": { "from": "15550783881", "id": "wamid.HBgLMTQxMjU1NTA4MjkVAgASGBQzQUNCNjk5RDUwNUZGMUZEM0VBRAA=" } });
    let pricing =
        json!({ "pricing": { "billable": true, "pricing_model": "PMP", "type": "regular", "category": "marketing" } });
    let errors = json!({ "errors": [{ "code": 131_049, "title": "This message was not delivered to maintain healthy ecosystem engagement.",
        "message": "This message was not delivered to maintain healthy ecosystem engagement.",
        "error_data": { "details": "In order to maintain a healthy ecosystem engagement, the message failed to be delivered." } }] });
    vec![
        example("A text", "messages", &message("text", text, json!({}))),
        example("An image, as an answer to a message", "messages", &message("image", image, context)),
        example("A message was delivered", "messages", &status("delivered", pricing)),
        example("A message failed", "messages", &status("failed", errors)),
        example(
            "A number’s limit has changed",
            "phone_number_quality_update",
            &json!({ "display_phone_number": "15550783881", "event": "THROUGHPUT_UPGRADE", "current_limit": "TIER_UNLIMITED" }),
        ),
        example(
            "A template’s status has changed",
            "message_template_status_update",
            &json!({ "event": "APPROVED", "message_template_id": 1_689_556_908_129_832_i64, "message_template_name": "order_confirmation",
                "message_template_language": "en-US", "reason": "NONE", "message_template_category": "UTILITY" }),
        ),
        example(
            "Something that Doorway does not know yet",
            "field_of_tomorrow",
            &json!({ "some_key": { "other_key": 1 } }),
        ),
    ]
}

fn example(title: &'static str, field: &str, value: &serde_json::Value) -> Example {
    let at = clock::from_ms(1_750_263_774_000);
    let from_meta = body(WABA, at, field, value);
    let event = event(&from_meta, at);
    let changes = Change::all(&from_meta);
    let sent = |format| {
        let change = changes.first()?;
        let items = Understood::of(change).items;
        let item = items.first().and_then(|_| item_for(format));
        let one = item.and_then(|item| One::of(change, item));
        if format == Format::MoDlr && !items.first().is_some_and(|item| mo_dlr::told(change).tells(item)) {
            return None;
        }
        let file = one.and_then(|one| mo_dlr::file_of(&one)).map(|_| Fetched::File {
            mime_type: "image/jpeg".to_owned(),
            // The beginning of a JPEG is enough for an example.
            bytes: vec![0xff, 0xd8, 0xff, 0xe0, 0x00, 0x10, b'J', b'F', b'I', b'F'],
        });
        compose(format, &event, change, item, false, file.as_ref()).as_deref().map(pretty)
    };
    Example {
        title,
        sent: Format::ALL.iter().map(|format| (*format, sent(*format))).collect(),
        from_meta: pretty(&from_meta),
    }
}

/// The headers of an example's call, signed with a secret that anybody may know.
#[must_use]
pub fn example_headers(endpoint: &Endpoint, body: &str, at: OffsetDateTime) -> Vec<(&'static str, String)> {
    signed(endpoint, "msg_1048576_0", at, body.as_bytes())
}

/// JSON with one field a line, in the order in which it is written.
#[must_use]
pub fn pretty(json: &str) -> String {
    let (mut out, mut depth, mut in_text, mut escaped) = (String::with_capacity(json.len() * 2), 0usize, false, false);
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        if in_text {
            out.push(c);
            in_text = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            '"' => {
                in_text = true;
                out.push(c);
            }
            '{' | '[' => {
                while chars.next_if(|c| c.is_ascii_whitespace()).is_some() {}
                out.push(c);
                if let Some(end) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}
