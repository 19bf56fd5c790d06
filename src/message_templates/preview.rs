//! A template as the phone shows it.

use super::{
    button::{ButtonKind, buttons},
    draft::{Draft, Header},
    languages, markup,
};
use crate::web::page::Chrome;
use askama::Template;
use serde_json::Value;

/// A button as it stands under the message.
pub(super) struct PreviewButton {
    pub icon: &'static str,
    pub text: String,
}

/// The message. Texts are HTML that we made.
pub(super) struct Preview {
    /// `rtl` or `ltr`.
    pub direction: &'static str,
    /// The language's code as HTML writes it.
    pub lang: String,
    pub header: String,
    pub media: Option<&'static str>,
    pub body: String,
    pub footer: String,
    pub buttons: Vec<PreviewButton>,
    /// How many are behind *See all options*.
    pub hidden: usize,
    /// What is there besides, that we don't know how to show.
    pub unknown: Vec<String>,
}

/// How many buttons are seen where there are more than three.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components>
const SEEN: usize = 2;

impl Preview {
    /// Of what somebody writes.
    pub fn of(draft: &Draft) -> Self {
        let sample = |part: &'static str| move |name: &str| draft.samples.get(&format!("{part}:{name}")).cloned();
        let mut preview = Self {
            direction: if languages::is_right_to_left(&draft.language) { "rtl" } else { "ltr" },
            lang: draft.language.replace('_', "-"),
            header: String::new(),
            media: None,
            body: String::new(),
            footer: String::new(),
            buttons: Vec::new(),
            hidden: 0,
            unknown: Vec::new(),
        };
        if draft.is_authentication() {
            preview.show_code(draft);
            return preview;
        }
        match draft.header {
            Header::None => {}
            Header::Text => preview.header = markup::html(&draft.header_text, sample("header")),
            media => preview.media = Some(media.words()),
        }
        preview.body = markup::html(draft.body.trim(), sample("body"));
        preview.footer = markup::html(draft.footer.trim(), |_| None);
        let all = draft.buttons.iter().map(|button| match button.kind {
            ButtonKind::QuickReply => PreviewButton { icon: "reply", text: button.text.clone() },
            ButtonKind::Url => PreviewButton { icon: "external", text: button.text.clone() },
            ButtonKind::Phone => PreviewButton { icon: "phone", text: button.text.clone() },
            ButtonKind::CopyCode => PreviewButton { icon: "receipt", text: "Copy offer code".to_owned() },
        });
        preview.show_buttons(all.collect());
        preview
    }

    fn show_buttons(&mut self, mut all: Vec<PreviewButton>) {
        if all.len() > 3 {
            self.hidden = all.len() - SEEN;
            all.truncate(SEEN);
        }
        self.buttons = all;
    }

    /// Meta's own text, in English: Meta shows it in the template's language.
    fn show_code(&mut self, draft: &Draft) {
        let text = if draft.body.is_empty() {
            let more = if draft.code.warns { " For your security, do not share this code." } else { "" };
            format!("*{{{{1}}}}* is your verification code.{more}")
        } else {
            draft.body.clone()
        };
        if draft.body.is_empty() {
            self.direction = "ltr";
            self.lang = "en".to_owned();
        }
        self.body = markup::html(&text, |_| Some("123456".to_owned()));
        if let Ok(minutes) = draft.code.minutes.trim().parse::<u32>() {
            self.footer = format!("This code expires in {minutes} minutes.");
        }
        let (own, metas) = match draft.code.package.trim() {
            "" => (&draft.code.text, "Copy code"),
            _ => (&draft.code.autofill, "Autofill"),
        };
        let text = if own.is_empty() { metas.to_owned() } else { own.clone() };
        self.buttons = vec![PreviewButton { icon: "receipt", text }];
    }

    /// Of what Meta has: also what a draft can't hold is named.
    pub fn of_components(draft: &Draft, all: &[Value]) -> Self {
        let mut preview = Self::of(draft);
        let kind = |value: &Value| value.get("type").and_then(Value::as_str).unwrap_or("?").to_uppercase();
        preview.unknown = all
            .iter()
            .map(kind)
            .filter(|kind| !["HEADER", "BODY", "FOOTER", "BUTTONS"].contains(&kind.as_str()))
            .collect();
        let odd = |button: &&Value| {
            let kind = kind(button);
            ButtonKind::named(&kind).is_none() && kind != "OTP"
        };
        for button in buttons(all).filter(odd) {
            let text = button.get("text").and_then(Value::as_str).map_or_else(|| kind(button), str::to_owned);
            preview.buttons.push(PreviewButton { icon: "neutral", text });
            preview.unknown.push(format!("{} button", kind(button)));
        }
        preview
    }
}

/// The preview by itself, for the page's script.
#[derive(Template)]
#[template(path = "message_templates/preview.html")]
pub(super) struct PreviewPart<'a> {
    pub chrome: &'a Chrome,
    pub preview: &'a Preview,
}
