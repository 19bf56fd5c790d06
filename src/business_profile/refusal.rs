//! What stands in the way of reading or saving, in words: what happened, what to do, and where. Meta's own answer is mapped
//! to the field that it is about.

use super::{model::Field, service::Trouble};
use crate::graph::{ErrorClass, GraphError};

/// What a page says of it.
pub(super) struct Notice {
    pub title: &'static str,
    pub text: String,
    /// Where to do something about it: address, words.
    pub link: Option<(&'static str, &'static str)>,
    /// For support.
    pub details: Option<String>,
}

/// The field that Meta's answer names.
pub(super) fn field_of(error: &GraphError) -> Option<Field> {
    let api = error.api().filter(|_| error.class() == ErrorClass::Rejected)?;
    let said = [Some(&api.message), api.user_title.as_ref(), api.user_message.as_ref()];
    let said = said.into_iter().flatten().cloned().collect::<Vec<_>>().join(" ").to_lowercase();
    let names = |words: &[&str]| words.iter().any(|word| said.contains(word));
    // “About” is a word of every day: only where it stands as a parameter's name.
    [
        (Field::Picture, &["profile_picture", "picture", "photo", "image"][..]),
        (Field::Websites, &["website"]),
        (Field::Vertical, &["vertical", "industry"]),
        (Field::Email, &["email", "e-mail"]),
        (Field::Description, &["description"]),
        (Field::Address, &["address"]),
        (
            Field::About,
            &["param about", "parameter about", "about text", "'about'", "\"about\"", "about must", "[about]"],
        ),
    ]
    .into_iter()
    .find(|(_, words)| names(words))
    .map(|(field, _)| field)
}

/// Meta's sentence where it has one for people.
pub(super) fn sentence(error: &GraphError) -> String {
    let said = error.api().and_then(|api| api.user_message.clone()).filter(|text| !text.trim().is_empty());
    said.unwrap_or_else(|| "WhatsApp does not take this. Change it, and save again.".to_owned())
}

pub(super) fn of_trouble(trouble: &Trouble) -> Notice {
    match trouble {
        Trouble::NoLine => Notice {
            title: "Facebook ended the access",
            text: "The profile can’t be read or changed until you connect again. Nothing is lost.".to_owned(),
            link: Some(("/connect", "Connect again")),
            details: None,
        },
        Trouble::Graph(error) => of_error(error),
        Trouble::Failed(error) => Notice {
            title: "Something failed on our side",
            text: "Nothing was changed. Try again in a minute.".to_owned(),
            link: None,
            details: Some(error.to_string()),
        },
    }
}

/// Of a reading: nothing was to be changed.
pub(super) fn of_reading(trouble: &Trouble) -> Notice {
    let notice = of_trouble(trouble);
    match trouble {
        Trouble::Graph(error) if error.class() == ErrorClass::Transient => Notice {
            text: "Nothing was changed. What stands here is as we read it last: try again in a minute.".to_owned(),
            ..notice
        },
        _ => notice,
    }
}

/// Of a call that was refused, or not answered.
pub(super) fn of_error(error: &GraphError) -> Notice {
    let (title, text, link) = match error.class() {
        ErrorClass::Authorization => (
            "WhatsApp refused the access",
            "Connect once more as somebody who may administer the business at Facebook. Nothing is lost.".to_owned(),
            Some(("/connect", "Connect again")),
        ),
        ErrorClass::RateLimited => (
            "WhatsApp asks for a pause",
            "Too much was asked of it in a short time. Wait some minutes, and try again.".to_owned(),
            None,
        ),
        ErrorClass::Transient => (
            "WhatsApp did not answer",
            "It may have been carried out all the same: try again in a minute, and look at what stands here then."
                .to_owned(),
            None,
        ),
        ErrorClass::Rejected => ("WhatsApp did not take this", sentence(error), None),
    };
    Notice { title, text, link, details: Some(error.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(message: &str) -> GraphError {
        let error = serde_json::json!({"error": "api", "status": 400, "code": 100, "subcode": null,
            "type": "OAuthException", "message": message, "user_title": null, "user_message": null, "fbtrace_id": null,
            "is_transient": false, "retry_after": null, "has_body": true});
        serde_json::from_value(error).unwrap()
    }

    #[test]
    fn metas_answer_is_mapped_to_its_field() {
        for (message, field) in [
            ("Invalid parameter: email must be a valid email address", Some(Field::Email)),
            ("(#100) Param websites[0] must be a valid URL", Some(Field::Websites)),
            ("(#100) Param about must be between 1 and 139 characters long.", Some(Field::About)),
            ("(#100) Param profile_picture_handle is not a valid handle", Some(Field::Picture)),
            ("For more about this, read the documentation", None),
        ] {
            assert_eq!(field_of(&said(message)), field, "{message}");
        }
    }
}
