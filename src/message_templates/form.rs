//! The form of a template: what was typed as a draft, and a draft as the form shows it.

use super::{
    button::{Button, ButtonKind},
    check::{self, Faults},
    code::Code,
    draft::{Draft, Header},
    languages,
};
use crate::web::{MultipartForm, SentFile};

/// What the form sends. Lists hold a value for each row.
#[derive(Clone, Debug, Default)]
pub(super) struct Typed {
    /// Which button was pressed: `send`, `refresh`, `add:URL`, `remove:2`, `up:2`.
    pub action: String,
    pub waba: String,
    pub name: String,
    pub category: String,
    pub language: String,
    pub header: String,
    pub header_text: String,
    pub handle: String,
    pub file: String,
    pub body: String,
    pub footer: String,
    pub button_kind: Vec<String>,
    pub button_text: Vec<String>,
    pub button_value: Vec<String>,
    pub button_sample: Vec<String>,
    pub sample_key: Vec<String>,
    pub sample_value: Vec<String>,
    pub warns: Option<String>,
    pub minutes: String,
    pub package: String,
    pub hash: String,
    /// The sample of the header that was chosen just now.
    pub upload: Option<SentFile>,
}

/// The most that a sample may have, in bytes: the largest is a video.
pub(super) const SAMPLE_BYTES: u64 = 16 * 1024 * 1024;

/// The form as it is posted.
pub(super) type Posted = MultipartForm<SAMPLE_BYTES>;

/// The most rows that are read: far more than allowed, far fewer than harm.
const MOST_ROWS: usize = 30;

impl Typed {
    pub fn of(form: &Posted) -> Self {
        let text = |name: &str| form.text(name).to_owned();
        let all = |name: &'static str| form.all(name).map(str::to_owned).collect();
        Self {
            action: text("action"),
            waba: text("waba"),
            name: text("name"),
            category: text("category"),
            language: text("language"),
            header: text("header"),
            header_text: text("header_text"),
            handle: text("handle"),
            file: text("file"),
            body: text("body"),
            footer: text("footer"),
            button_kind: all("button_kind"),
            button_text: all("button_text"),
            button_value: all("button_value"),
            button_sample: all("button_sample"),
            sample_key: all("sample_key"),
            sample_value: all("sample_value"),
            warns: form.all("warns").next().map(str::to_owned),
            minutes: text("minutes"),
            package: text("package"),
            hash: text("hash"),
            upload: form.file("upload").cloned(),
        }
    }

    pub fn draft(&self) -> Draft {
        let at = |list: &[String], at: usize| list.get(at).cloned().unwrap_or_default();
        let buttons = self.button_kind.iter().take(MOST_ROWS).enumerate().filter_map(|(row, kind)| {
            Some(Button {
                kind: ButtonKind::named(kind)?,
                text: at(&self.button_text, row),
                value: at(&self.button_value, row),
                sample: at(&self.button_sample, row),
            })
        });
        let lines = |text: &str| text.replace("\r\n", "\n");
        Draft {
            name: self.name.trim().to_owned(),
            category: self.category.clone(),
            language: self.language.clone(),
            header: Header::named(&self.header).unwrap_or_default(),
            header_text: lines(&self.header_text),
            handle: self.handle.clone(),
            file: self.file.clone(),
            body: lines(&self.body),
            footer: lines(&self.footer),
            buttons: buttons.collect(),
            code: Code {
                warns: self.warns.is_some(),
                minutes: self.minutes.clone(),
                package: self.package.clone(),
                hash: self.hash.clone(),
                // Of a template that is edited they stay as they are.
                ..Code::default()
            },
            samples: self.sample_key.iter().cloned().zip(self.sample_value.iter().cloned()).collect(),
        }
    }

    /// Carries out a button that changes the form alone; false where it is to be sent.
    pub fn rearrange(&self, draft: &mut Draft) -> bool {
        let (what, of) = self.action.split_once(':').unwrap_or((self.action.as_str(), ""));
        let row = of.parse::<usize>().ok().filter(|row| *row < draft.buttons.len());
        match (what, row) {
            ("add", _) => {
                if let Some(kind) = ButtonKind::named(of)
                    && draft.buttons.len() < MOST_ROWS
                {
                    draft.add_button(kind);
                }
            }
            ("remove", Some(row)) => {
                draft.buttons.remove(row);
            }
            ("up", Some(row)) if row > 0 => draft.buttons.swap(row, row - 1),
            ("refresh" | "remove" | "up", _) => {}
            _ => return false,
        }
        true
    }
}

impl Draft {
    /// A quick reply goes to the others of its kind, so that they stay together.
    fn add_button(&mut self, kind: ButtonKind) {
        let button = Button { kind, text: String::new(), value: String::new(), sample: String::new() };
        let last = self
            .buttons
            .iter()
            .rposition(|other| (other.kind == ButtonKind::QuickReply) == (kind == ButtonKind::QuickReply));
        let at = last.map_or(self.buttons.len(), |last| last + 1);
        self.buttons.insert(at, button);
    }
}

/// A choice of a list.
pub(super) struct Choice {
    pub value: String,
    pub words: String,
    pub hint: &'static str,
    pub is_chosen: bool,
}

/// A row of the buttons.
pub(super) struct ButtonRow {
    pub at: usize,
    pub kind: &'static str,
    pub words: &'static str,
    pub text: Option<String>,
    /// Label, value, what goes with it.
    pub value: Option<(&'static str, String, &'static str)>,
    pub sample: Option<String>,
    pub text_fault: Option<String>,
    pub value_fault: Option<String>,
    pub sample_fault: Option<String>,
}

/// An example of a variable.
pub(super) struct SampleRow {
    pub key: String,
    /// As it stands in the text.
    pub shown: String,
    pub place: &'static str,
    pub value: String,
    pub fault: Option<String>,
}

/// A draft as the form shows it.
pub(super) struct Shown {
    pub draft: Draft,
    pub categories: Vec<Choice>,
    pub languages: Vec<Choice>,
    pub headers: Vec<Choice>,
    pub buttons: Vec<ButtonRow>,
    pub more_buttons: Vec<(&'static str, &'static str)>,
    pub samples: Vec<SampleRow>,
    /// The variables that samples are for, to know when they have changed.
    pub keys: String,
}

impl Shown {
    pub fn of(draft: Draft, faults: &Faults) -> Self {
        let categories = [
            ("UTILITY", "Utility", "About something that the customer did: an order, an appointment, a payment."),
            ("MARKETING", "Marketing", "Offers, news, invitations: everything that advertises."),
            ("AUTHENTICATION", "Authentication", "A code to sign in with. The text is Meta’s own."),
        ];
        let of = |field: String| faults.of(&field).map(str::to_owned);
        let samples = draft.variables().into_iter().map(|key| {
            let (part, name) = key.split_once(':').unwrap_or_default();
            SampleRow {
                shown: format!("{{{{{name}}}}}"),
                place: if part == "header" { "in the header" } else { "in the message" },
                value: draft.sample(&key).to_owned(),
                fault: of(format!("sample-{key}")),
                key,
            }
        });
        let samples: Vec<SampleRow> = samples.collect();
        let known = languages::ALL.iter().any(|(code, _)| *code == draft.language);
        let odd = (!known && !draft.language.is_empty()).then_some((draft.language.as_str(), draft.language.as_str()));
        let left = |kind: &ButtonKind| {
            draft.buttons.len() < check::BUTTONS
                && draft.buttons.iter().filter(|button| button.kind == *kind).count() < kind.most()
        };
        Self {
            categories: categories
                .map(|(value, words, hint)| Choice {
                    value: value.to_owned(),
                    words: words.to_owned(),
                    hint,
                    is_chosen: draft.category == value,
                })
                .into(),
            languages: odd
                .into_iter()
                .chain(languages::ALL.iter().copied())
                .map(|(code, name)| Choice {
                    value: code.to_owned(),
                    words: name.to_owned(),
                    hint: "",
                    is_chosen: draft.language == code,
                })
                .collect(),
            headers: Header::ALL
                .map(|header| Choice {
                    value: header.as_str().to_owned(),
                    words: header.words().to_owned(),
                    hint: "",
                    is_chosen: draft.header == header,
                })
                .into(),
            buttons: draft.buttons.iter().enumerate().map(|(at, button)| row(at, button, faults)).collect(),
            more_buttons: ButtonKind::ALL
                .iter()
                .filter(|kind| left(kind))
                .map(|kind| (kind.as_str(), kind.words()))
                .collect(),
            keys: samples.iter().map(|sample| sample.key.as_str()).collect::<Vec<_>>().join(" "),
            samples,
            draft,
        }
    }
}

fn row(at: usize, button: &Button, faults: &Faults) -> ButtonRow {
    let fault = |part: &str| faults.of(&format!("button-{at}-{part}")).map(str::to_owned);
    let value = button.value.clone();
    ButtonRow {
        at,
        kind: button.kind.as_str(),
        words: button.kind.words(),
        text: (button.kind != ButtonKind::CopyCode).then(|| button.text.clone()),
        value: match button.kind {
            ButtonKind::QuickReply => None,
            ButtonKind::Url => Some((
                "Address",
                value,
                "Such as https://shop.example/orders/{{1}}. One variable may stand at its end.",
            )),
            ButtonKind::Phone => Some(("Phone number", value, "With country code, such as +49 30 901820.")),
            ButtonKind::CopyCode => Some(("Example of the code", value, "Such as SPRING25, 15 characters at most.")),
        },
        sample: (button.kind == ButtonKind::Url && (button.value.contains("{{") || !button.sample.is_empty()))
            .then(|| button.sample.clone()),
        text_fault: fault("text"),
        value_fault: fault("value"),
        sample_fault: fault("sample"),
    }
}
