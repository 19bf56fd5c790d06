//! An answer of the portal, and just enough of reading HTML.

use http::{HeaderMap, StatusCode};
use serde_json::Value;

/// An answer, read.
#[derive(Clone, Debug)]
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Page {
    /// Where a redirect leads.
    pub fn location(&self) -> &str {
        assert!(self.status.is_redirection(), "{} is no redirect: {}", self.status, self.words());
        self.headers["location"].to_str().unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The value of the first attribute of this name.
    pub fn attribute(&self, name: &str) -> Option<String> {
        let (_, rest) = self.text.split_once(&format!(" {name}=\""))?;
        rest.split_once('"').map(|(value, _)| unescape(value))
    }

    /// The tag of the first element in whose tag this text stands.
    pub fn tag_with(&self, text: &str) -> Option<String> {
        let at = self.text.find(text)?;
        let (start, end) = (self.text[..at].rfind('<')?, self.text[at..].find('>')?);
        Some(self.text[start..=at + end].to_owned())
    }

    /// The token that forms and scripts repeat.
    pub fn csrf(&self) -> Option<String> {
        let tag = self.tag_with("name=\"csrf\"")?;
        let (_, rest) = tag.split_once("value=\"")?;
        rest.split_once('"').map(|(value, _)| unescape(value)).filter(|value| !value.is_empty())
    }

    /// The first heading.
    pub fn heading(&self) -> String {
        let (_, rest) = self.text.split_once("<h1").unwrap_or_default();
        let (_, rest) = rest.split_once('>').unwrap_or_default();
        strip(rest.split("</h1>").next().unwrap_or_default())
    }

    /// What a person reads.
    pub fn words(&self) -> String {
        strip(&self.text)
    }

    /// `data-attempt` and `data-reason`.
    pub fn attempt(&self) -> (String, String) {
        let of = |name| self.attribute(name).unwrap_or_else(|| panic!("{}: {}", self.status, self.words()));
        (of("data-attempt"), of("data-reason"))
    }
}

fn strip(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, rest)| rest));
        text.push(' ');
    }
    unescape(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn unescape(text: &str) -> String {
    let named = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&lt;", "<"), ("&gt;", ">")];
    let more = [("&quot;", "\""), ("&nbsp;", " "), ("&#38;", "&"), ("&amp;", "&")];
    named.iter().chain(&more).fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}
