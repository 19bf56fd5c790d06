//! A template as somebody writes it, and how it becomes what Meta takes, and back.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components>

use super::{
    button::{Button, ButtonKind, buttons},
    code::Code,
    components::{member, of_kind},
    variables,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What stands above the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Header {
    #[default]
    None,
    Text,
    Image,
    Video,
    Document,
    Location,
}

impl Header {
    pub const ALL: [Self; 6] = [Self::None, Self::Text, Self::Image, Self::Video, Self::Document, Self::Location];

    /// The word of forms, and in capitals Meta's.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Text => "text",
            Self::Image => "image",
            Self::Video => "video",
            Self::Document => "document",
            Self::Location => "location",
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::None => "Nothing",
            Self::Text => "A line of text",
            Self::Image => "An image",
            Self::Video => "A video",
            Self::Document => "A document (PDF)",
            Self::Location => "A place on the map",
        }
    }

    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|header| header.as_str().eq_ignore_ascii_case(word))
    }

    /// Whether a file is shown.
    pub fn is_media(self) -> bool {
        matches!(self, Self::Image | Self::Video | Self::Document)
    }
}

/// A template as somebody writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Draft {
    pub name: String,
    /// `MARKETING`, `UTILITY`, `AUTHENTICATION`.
    pub category: String,
    pub language: String,
    pub header: Header,
    pub header_text: String,
    /// The handle of the uploaded sample, and the file's name.
    pub handle: String,
    pub file: String,
    pub body: String,
    pub footer: String,
    pub buttons: Vec<Button>,
    pub code: Code,
    /// What stands for each variable of header (`header:NAME`) and body (`body:NAME`) in the sample.
    pub samples: BTreeMap<String, String>,
}

impl Draft {
    pub fn is_authentication(&self) -> bool {
        self.category == "AUTHENTICATION"
    }

    /// The variables of the header's text and of the body, in order, each once: `header:1`, `body:1` ...
    pub fn variables(&self) -> Vec<String> {
        let mut keys = Vec::new();
        if self.is_authentication() {
            return keys;
        }
        let header = if self.header == Header::Text { self.header_text.as_str() } else { "" };
        for (part, text) in [("header", header), ("body", self.body.as_str())] {
            for name in variables::distinct(text) {
                keys.push(format!("{part}:{name}"));
            }
        }
        keys
    }

    /// What stands for a variable in the sample.
    pub fn sample(&self, key: &str) -> &str {
        self.samples.get(key).map_or("", String::as_str)
    }

    /// `NAMED` where a variable has a name, else `POSITIONAL`.
    pub fn parameter_format(&self) -> &'static str {
        let is_named = |key: &String| !key.rsplit(':').next().unwrap_or_default().bytes().all(|b| b.is_ascii_digit());
        if self.variables().iter().any(is_named) { "NAMED" } else { "POSITIONAL" }
    }

    /// What Meta takes.
    pub fn components(&self) -> Vec<Value> {
        if self.is_authentication() {
            return self.code.components();
        }
        let mut all = Vec::new();
        match self.header {
            Header::None => {}
            Header::Text => {
                let mut header = json!({"type": "HEADER", "format": "TEXT", "text": self.header_text.trim()});
                self.add_example(&mut header, "header", "header_text");
                all.push(header);
            }
            Header::Location => all.push(json!({"type": "HEADER", "format": "LOCATION"})),
            media => all.push(json!({"type": "HEADER", "format": media.as_str().to_uppercase(),
                "example": {"header_handle": [self.handle]}})),
        }
        let mut body = json!({"type": "BODY", "text": self.body.trim()});
        self.add_example(&mut body, "body", "body_text");
        all.push(body);
        if !self.footer.trim().is_empty() {
            all.push(json!({"type": "FOOTER", "text": self.footer.trim()}));
        }
        if !self.buttons.is_empty() {
            let buttons: Vec<Value> = self.buttons.iter().map(Button::json).collect();
            all.push(json!({"type": "BUTTONS", "buttons": buttons}));
        }
        all
    }

    fn add_example(&self, component: &mut Value, part: &str, key: &str) {
        let prefix = format!("{part}:");
        let of_part: Vec<String> = self.variables().into_iter().filter(|name| name.starts_with(&prefix)).collect();
        if of_part.is_empty() {
            return;
        }
        let name = |key: &str| key[prefix.len()..].to_owned();
        if self.parameter_format() == "NAMED" {
            let params: Vec<Value> = of_part
                .iter()
                .map(|key| json!({"param_name": name(key), "example": self.sample(key).trim()}))
                .collect();
            component["example"] = json!({ (format!("{key}_named_params")): params });
            return;
        }
        let values: Vec<&str> = of_part.iter().map(|key| self.sample(key).trim()).collect();
        component["example"] = if part == "body" { json!({ (key): [values] }) } else { json!({ (key): values }) };
    }

    /// What a template was written like. What a draft can't hold (a carousel, a catalogue's button) is left out; see
    /// [`Draft::loses`].
    pub fn of(name: &str, category: &str, language: &str, all: &[Value]) -> Self {
        let mut draft = Self {
            name: name.to_owned(),
            category: category.to_owned(),
            language: language.to_owned(),
            ..Self::default()
        };
        if let Some(header) = of_kind(all, "HEADER") {
            draft.header = Header::named(member(header, "format")).unwrap_or_default();
            draft.header_text = member(header, "text").to_owned();
            draft.take_samples(header, "header", "header_text");
        }
        if let Some(body) = of_kind(all, "BODY") {
            draft.body = member(body, "text").to_owned();
            draft.take_samples(body, "body", "body_text");
            let told = body.get("add_security_recommendation").and_then(Value::as_bool);
            draft.code.warns = told.unwrap_or_else(|| category == "AUTHENTICATION" && Code::seems_to_warn(&draft.body));
        }
        if let Some(footer) = of_kind(all, "FOOTER") {
            draft.footer = member(footer, "text").to_owned();
            if category == "AUTHENTICATION" {
                draft.code.minutes = Code::minutes_of(footer);
            }
        }
        for button in buttons(all) {
            if member(button, "type").eq_ignore_ascii_case("OTP") {
                let app = button.pointer("/supported_apps/0").unwrap_or(button);
                draft.code.package = member(app, "package_name").to_owned();
                draft.code.hash = member(app, "signature_hash").to_owned();
                draft.code.text = member(button, "text").to_owned();
                draft.code.autofill = member(button, "autofill_text").to_owned();
            }
            draft.buttons.extend(Button::of(button));
        }
        draft
    }

    fn take_samples(&mut self, component: &Value, part: &str, key: &str) {
        let Some(example) = component.get("example") else { return };
        if let Some(params) = example.get(format!("{key}_named_params")).and_then(Value::as_array) {
            for param in params {
                self.samples
                    .insert(format!("{part}:{}", member(param, "param_name")), member(param, "example").to_owned());
            }
            return;
        }
        let list = example.get(key).and_then(Value::as_array);
        let list = list.map(|list| list.first().and_then(Value::as_array).unwrap_or(list));
        let names = variables::distinct(member(component, "text"));
        for (name, value) in names.iter().zip(list.into_iter().flatten()) {
            self.samples.insert(format!("{part}:{name}"), value.as_str().unwrap_or_default().to_owned());
        }
    }

    /// Whether these components hold what a draft does not: then it can't be edited here without losing it. Of a code
    /// Meta may list the button as an address, which does not say what kind of code it is.
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/authentication-templates/autofill-button-authentication-templates>
    pub fn loses(category: &str, all: &[Value]) -> bool {
        let is_code = category == "AUTHENTICATION";
        let is_known = |component: &Value| {
            let format = member(component, "format");
            match member(component, "type").to_uppercase().as_str() {
                "HEADER" => Header::named(format).is_some(),
                "FOOTER" if is_code => !Code::minutes_of(component).is_empty(),
                "BODY" | "FOOTER" | "BUTTONS" => true,
                _ => false,
            }
        };
        let known_button = |button: &Value| {
            let kind = member(button, "type");
            if kind.eq_ignore_ascii_case("OTP") {
                return is_code && !Code::is_lost(button);
            }
            ButtonKind::named(kind).is_some() && !is_code
        };
        !all.iter().all(is_known) || !buttons(all).all(known_button)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> Draft {
        Draft {
            name: "order_confirmation".to_owned(),
            category: "UTILITY".to_owned(),
            language: "en_US".to_owned(),
            header: Header::Text,
            header_text: "Hello {{1}}".to_owned(),
            body: "Thank you, {{1}}! Your order is {{2}}.".to_owned(),
            footer: "Lucky Shrub".to_owned(),
            buttons: vec![
                Button {
                    kind: ButtonKind::QuickReply,
                    text: "Stop".to_owned(),
                    value: String::new(),
                    sample: String::new(),
                },
                Button {
                    kind: ButtonKind::Url,
                    text: "Track".to_owned(),
                    value: "https://shop.example/{{1}}".to_owned(),
                    sample: "42".to_owned(),
                },
            ],
            samples: [("header:1", "Pablo"), ("body:1", "Pablo"), ("body:2", "860198")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
            ..Draft::default()
        }
    }

    #[test]
    fn what_meta_takes_reads_back() {
        let draft = written();
        let all = draft.components();
        assert_eq!(all[1]["example"]["body_text"], json!([["Pablo", "860198"]]));
        assert_eq!(Draft::of("order_confirmation", "UTILITY", "en_US", &all), draft);
        assert!(!Draft::loses("UTILITY", &all));
        let named = Draft {
            body: "Thank you, {{first_name}}, for it all.".to_owned(),
            samples: BTreeMap::from([
                ("header:1".to_owned(), "x".to_owned()),
                ("body:first_name".to_owned(), "Pablo".to_owned()),
            ]),
            ..draft
        };
        assert_eq!(named.parameter_format(), "NAMED");
        assert_eq!(
            named.components()[1]["example"],
            json!({"body_text_named_params": [{"param_name": "first_name", "example": "Pablo"}]})
        );
    }

    #[test]
    fn a_code_has_metas_own_text() {
        let draft = Draft {
            category: "AUTHENTICATION".to_owned(),
            body: "not sent".to_owned(),
            code: Code { warns: true, minutes: "10".to_owned(), ..Code::default() },
            ..Draft::default()
        };
        assert_eq!(
            json!(draft.components()),
            json!([{"type": "BODY", "add_security_recommendation": true},
                {"type": "FOOTER", "code_expiration_minutes": 10},
                {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]}])
        );
    }

    #[test]
    fn what_a_draft_does_not_hold_is_seen() {
        assert!(Draft::loses("MARKETING", &[json!({"type": "CAROUSEL", "cards": []})]));
        assert!(Draft::loses(
            "MARKETING",
            &[json!({"type": "BUTTONS", "buttons": [{"type": "CATALOG", "text": "See"}]})]
        ));
    }
}
