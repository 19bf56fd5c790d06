//! The form: what was typed, as it is read and as it is shown.

use super::{
    model::{Field, Profile, VERTICALS, vertical_name},
    pages::ProfileForm,
};
use crate::web::{Error, Result};

/// A field of text.
pub(super) struct TextField {
    pub key: &'static str,
    pub label: &'static str,
    pub hint: &'static str,
    /// `text`, `email`, `url`, or `area` for several lines.
    pub kind: &'static str,
    pub autocomplete: &'static str,
    pub value: String,
    pub count: usize,
    pub limit: usize,
    pub error: Option<String>,
}

/// An entry of a list.
pub(super) struct Choice {
    pub value: String,
    pub label: String,
    pub is_chosen: bool,
}

/// The form as it is shown.
pub(super) struct FormView {
    pub fields: Vec<TextField>,
    pub verticals: Vec<Choice>,
    pub vertical: String,
    pub vertical_error: Option<String>,
    pub picture_error: Option<String>,
    /// A photo that was chosen before and is kept.
    pub photo_id: String,
    /// What the form was made of.
    pub base: String,
    pub has_errors: bool,
}

/// What was typed.
pub(super) fn typed(form: &ProfileForm) -> Profile {
    let text = |key: &str| form.text(key).to_owned();
    Profile {
        about: text("about"),
        address: text("address"),
        description: text("description"),
        email: text("email"),
        websites: vec![text("website_1"), text("website_2")],
        vertical: text("vertical"),
        picture: String::new(),
    }
}

/// What the form was made of.
pub(super) fn base(form: &ProfileForm) -> Result<Profile> {
    let broken =
        || Error::BadRequest("The form is incomplete. Go back, reload the page, and send it again.".to_owned());
    serde_json::from_str(form.text("base")).map_err(|_| broken())
}

impl FormView {
    /// With these values, made of that profile, with what is wrong.
    pub fn new(typed: &Profile, base: &Profile, photo_id: &str, faults: &[(Field, String)]) -> Self {
        let error = |field: Field| faults.iter().find(|(of, _)| *of == field).map(|(_, text)| text.clone());
        let field = |field: Field, kind, autocomplete, hint| {
            let value = typed.get(field);
            TextField {
                key: field.key(),
                label: field.label(),
                hint,
                kind,
                autocomplete,
                count: value.chars().count(),
                value,
                limit: field.limit(),
                error: error(field),
            }
        };
        let website = |at: usize| {
            let value = typed.websites.get(at).cloned().unwrap_or_default();
            let key = ["website_1", "website_2"][at];
            let label = ["Website", "Second website"][at];
            let (limit, count) = (Field::Websites.limit(), value.chars().count());
            // What is wrong with both stands with the first; with one, with that.
            let quoted = |text: &String| text.contains(&format!("“{value}”")) && !value.is_empty();
            let own = faults.iter().find(|(of, text)| *of == Field::Websites && quoted(text));
            let first = faults.iter().find(|(of, text)| *of == Field::Websites && !text.contains('“') && at == 0);
            let error = own.or(first).map(|(_, text)| text.clone());
            TextField { key, label, hint: "", kind: "url", autocomplete: "off", value, count, limit, error }
        };
        let known = |(word, name): &(&str, &str)| Choice {
            value: (*word).to_owned(),
            label: (*name).to_owned(),
            is_chosen: *word == typed.vertical,
        };
        let mut verticals: Vec<Choice> = VERTICALS.iter().map(known).collect();
        if base.vertical.is_empty() {
            let label = "Not chosen yet".to_owned();
            verticals.insert(0, Choice { value: String::new(), label, is_chosen: typed.vertical.is_empty() });
        } else if !verticals.iter().any(|choice| choice.value == base.vertical) {
            let is_chosen = base.vertical == typed.vertical;
            verticals
                .insert(0, Choice { value: base.vertical.clone(), label: vertical_name(&base.vertical), is_chosen });
        }
        Self {
            fields: vec![
                field(Field::About, "text", "off", "The line beneath your name."),
                field(Field::Description, "area", "off", "What you sell or do, and when you are there."),
                field(Field::Address, "area", "street-address", ""),
                field(Field::Email, "email", "email", ""),
                website(0),
                website(1),
            ],
            verticals,
            vertical: vertical_name(&typed.vertical),
            vertical_error: error(Field::Vertical),
            picture_error: error(Field::Picture),
            photo_id: photo_id.to_owned(),
            base: serde_json::to_string(base).unwrap_or_default(),
            has_errors: !faults.is_empty(),
        }
    }

    /// The text of a field, for the preview.
    pub fn text(&self, key: &str) -> &str {
        self.fields.iter().find(|field| field.key == key).map_or("", |field| &field.value)
    }
}
