//! What Meta answers to a template that it does not take, put at the field that it is about.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/error-codes>

use super::{
    check::Faults,
    draft::{Draft, Header},
};
use crate::graph::{ErrorClass, GraphError};

/// The subcode of an object that is not there, or that the token may not see.
/// <https://developers.facebook.com/docs/graph-api/guides/error-handling>
pub(super) const UNKNOWN_OBJECT: i64 = 33;

/// The faults that an error stands for. Meta's own words go with it: they say more than its codes.
pub(super) fn faults(error: &GraphError, draft: &Draft) -> Faults {
    let mut faults = Faults::default();
    let Some(api) = error.api() else {
        faults.add(
            "form",
            "Meta did not answer. Look in the list whether the template is there before you send it again.",
        );
        return faults;
    };
    let said = api.user_message.clone().unwrap_or_default();
    let with = |text: &str| if said.is_empty() { text.to_owned() } else { format!("{text} Meta says: {said}") };
    match error.class() {
        ErrorClass::RateLimited => {
            faults.add(
                "form",
                "Meta takes no more templates from this account for now. Wait an hour, then send it again.",
            );
            return faults;
        }
        ErrorClass::Transient => {
            faults.add("form", "Meta had trouble and did not take it. Wait a minute, then send it again.");
            return faults;
        }
        ErrorClass::Authorization => {
            faults.add(
                "form",
                "Meta does not let us do this. We are looking into the access; you may have to connect again.",
            );
            return faults;
        }
        ErrorClass::Rejected => {}
    }
    let (field, text) = match api.subcode.unwrap_or_default() {
        2_388_040 => (long_field(draft, &said), with("This is too long for Meta.")),
        2_388_047 if draft.header.is_media() => ("file", with("Meta can’t use this file.")),
        2_388_047 => (
            if draft.header == Header::Text { "header_text" } else { "header" },
            with("Meta does not take this header."),
        ),
        2_388_072 => ("body", with("Meta does not take this message.")),
        2_388_073 => ("footer", with("Meta does not take this footer.")),
        2_388_293 => {
            ("body", "Meta finds too many variables for so short a text. Write more, or use fewer.".to_owned())
        }
        2_388_299 => ("body", "Meta finds a variable at the beginning or the end. Write words around it.".to_owned()),
        2_388_019 => (
            "form",
            "This WhatsApp account has all the templates that it may have. Delete some that you do not use.".to_owned(),
        ),
        // These are not on Meta's page. Others report them: of a sample's handle that is no good, of a name that is
        // blocked, of a language that is there.
        2_494_102 => ("file", "Meta has this file no more. Choose it again.".to_owned()),
        2_388_023 => {
            ("name", with("Meta keeps this name blocked, as a template of it was deleted. Choose another name."))
        }
        2_388_024 => ("language", with("Meta has a template of this name in this language already.")),
        _ => {
            let what = [said.as_str(), api.message.as_str()].join(" ").to_lowercase();
            let fields = [
                ("button", "buttons"),
                ("header", "header"),
                ("footer", "footer"),
                ("language", "language"),
                ("name", "name"),
                ("category", "category"),
                ("body", "body"),
            ];
            let field = fields.iter().find(|(word, _)| what.contains(word)).map_or("form", |(_, field)| *field);
            let text = if said.is_empty() {
                "Meta does not take it like this. See the details below."
            } else {
                "Meta does not take it like this."
            };
            (field, with(text))
        }
    };
    faults.add(field, text);
    faults
}

/// Which field is too long: Meta says so in its words alone.
fn long_field(draft: &Draft, said: &str) -> &'static str {
    let said = said.to_lowercase();
    if said.contains("header") {
        "header_text"
    } else if said.contains("footer") {
        "footer"
    } else if said.contains("button") {
        "buttons"
    } else if said.contains("body") || draft.buttons.is_empty() {
        "body"
    } else {
        "form"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::ApiError;

    fn field_of(subcode: Option<i64>, said: &str) -> (String, String) {
        let error = GraphError::Api(Box::new(ApiError {
            status: 400,
            code: 100,
            subcode,
            kind: "OAuthException".to_owned(),
            message: "Invalid parameter".to_owned(),
            user_title: None,
            user_message: Some(said.to_owned()),
            fbtrace_id: None,
            is_transient: false,
            retry_after: None,
            has_body: true,
        }));
        let faults = faults(&error, &Draft { header: Header::Text, ..Draft::default() });
        (faults.0[0].field.clone(), faults.0[0].text.clone())
    }

    #[test]
    fn metas_answer_stands_at_its_field() {
        for (subcode, said, field) in [
            (2_388_047, "x", "header_text"),
            (2_388_072, "x", "body"),
            (2_388_073, "x", "footer"),
            (2_388_293, "x", "body"),
            (2_388_040, "The footer has 61 characters", "footer"),
            (2_388_024, "x", "language"),
            (1, "A button is wrong", "buttons"),
            (1, "Something else", "form"),
        ] {
            let (at, text) = field_of(Some(subcode), said);
            assert_eq!(at, field, "{subcode} {text}");
        }
        assert!(field_of(Some(2_388_072), "Too many blanks").1.contains("Too many blanks"));
    }
}
