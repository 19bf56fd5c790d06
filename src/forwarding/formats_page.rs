//! What each format sends, and how a receiver checks the signature. The examples are made by the code that makes the
//! calls.

use super::{
    endpoint::Format,
    endpoint_view::{format_hint, format_name},
    format::samples,
};
use crate::{accounts::Member, web::Chrome};
use askama::Template;
use askama_web::WebTemplate;
use std::sync::LazyLock;

/// Always the same, so made once.
static EXAMPLES: LazyLock<Vec<samples::Example>> = LazyLock::new(samples::examples);

struct Sent {
    format: &'static str,
    text: Option<&'static str>,
}

struct Shown {
    title: &'static str,
    from_meta: &'static str,
    sent: Vec<Sent>,
}

#[derive(Template, WebTemplate)]
#[template(path = "forwarding/formats.html")]
pub(super) struct FormatsPage {
    chrome: Chrome,
    formats: Vec<(&'static str, &'static str)>,
    examples: Vec<Shown>,
}

pub(super) async fn show(chrome: Chrome, _: Member) -> FormatsPage {
    let examples = EXAMPLES.iter().map(|example| Shown {
        title: example.title,
        from_meta: &example.from_meta,
        // Meta's own is what stands beside it.
        sent: example
            .sent
            .iter()
            .filter(|(format, _)| *format != Format::Meta)
            .map(|(format, text)| Sent { format: format_name(*format), text: text.as_deref() })
            .collect(),
    });
    let formats = Format::ALL.iter().map(|format| (format_name(*format), format_hint(*format)));
    FormatsPage { chrome, formats: formats.collect(), examples: examples.collect() }
}
