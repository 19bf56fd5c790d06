//! What Meta's words about templates mean, in plain ones.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/message_template_status_update>
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-quality>

use super::model::Template;
use crate::web::Badge;

/// A category as people read it.
pub(super) fn category(word: &str) -> String {
    match word {
        "MARKETING" => "Marketing".to_owned(),
        "UTILITY" => "Utility".to_owned(),
        "AUTHENTICATION" => "Authentication".to_owned(),
        other => plain(other),
    }
}

/// A word of Meta's that has none of ours.
pub(super) fn plain(word: &str) -> String {
    let lower = word.to_lowercase().replace('_', " ");
    let mut letters = lower.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A quality with its badge.
pub(super) fn quality(word: Option<&str>) -> Badge {
    match word {
        Some("GREEN") => Badge::new("good", "High quality"),
        Some("YELLOW") => Badge::new("attention", "Medium quality"),
        Some("RED") => Badge::new("problem", "Low quality"),
        None | Some("UNKNOWN" | "") => Badge::new("neutral", "Not rated yet"),
        Some(other) => Badge::new("neutral", plain(other)),
    }
}

/// A status with its badge.
pub(super) fn status(template: &Template) -> Badge {
    let (look, word) = template.shown();
    Badge::new(look, word)
}

/// What a status means, and what to do: title, text.
pub(super) fn meaning(template: &Template) -> Option<(&'static str, String)> {
    let status = template.status.as_deref().unwrap_or_default();
    let (title, text) = match status {
        "REJECTED" => ("Meta did not accept it", rejection(template)),
        "PENDING" => ("Meta is looking at it", "That takes minutes, at most a day. This page shows the decision by itself.".to_owned()),
        "IN_APPEAL" => ("Meta looks at it again", "An appeal was made at Meta. The decision comes within a day.".to_owned()),
        "PAUSED" => (
            "Meta has paused it",
            "Too many recipients blocked or reported it. It can’t be sent for 3 hours, the second time for 6; a third \
             time it is switched off. Make it shorter and say why it comes, or send it to fewer people."
                .to_owned(),
        ),
        "DISABLED" => (
            "Meta has switched it off",
            "It was paused too often. Make a new template with other words; this one can’t be sent, and can’t be deleted."
                .to_owned(),
        ),
        "FLAGGED" => (
            "Recipients complain about it",
            "It can still be sent, but is about to be switched off. Send it to fewer people, or change its words."
                .to_owned(),
        ),
        "LOCKED" => ("It is locked", "It can’t be edited for now. Nothing to do for you.".to_owned()),
        "LIMIT_EXCEEDED" => (
            "There are too many templates",
            "This WhatsApp account has all the templates that it may have. Delete some that you do not use.".to_owned(),
        ),
        "ARCHIVED" => ("It is put away", "Meta put it away as it was not used. It can be brought back in WhatsApp Manager.".to_owned()),
        "PENDING_DELETION" => (
            "It is being deleted",
            "Messages that were sent with it are still delivered for up to 30 days. New ones can’t be sent.".to_owned(),
        ),
        "DELETED" => ("It was deleted", "Messages can’t be sent with it any more.".to_owned()),
        _ => return None,
    };
    Some((title, text))
}

/// Why it was rejected, and what to do then.
fn rejection(template: &Template) -> String {
    let said = match (&template.explained, &template.recommended) {
        (Some(what), Some(cure)) => Some(format!("{what} {cure}")),
        (Some(only), None) | (None, Some(only)) => Some(only.clone()),
        (None, None) => None,
    };
    let known = match template.reason.as_deref().unwrap_or_default() {
        "ABUSIVE_CONTENT" => "Meta found something threatening or abusive in it. Write it in a friendly way.",
        "SCAM" => {
            "Meta took it for an attempt at fraud. Do not ask for card numbers, passwords or identity papers, and link to \
             your own web page alone."
        }
        "PROMOTIONAL" => "It promotes something that WhatsApp does not allow. Take it out, or write another template.",
        "INCORRECT_CATEGORY" | "TAG_CONTENT_MISMATCH" => {
            "Its words do not fit its category. What offers or advertises is marketing; what is about an order or an \
             appointment is utility. Choose the other category, or change the words."
        }
        "INVALID_FORMAT" if said.is_some() => "",
        "INVALID_FORMAT" => {
            "Something about its form is not right: often variables that stand next to each other, at the beginning or the \
             end, or examples that do not fit. Change it and send it again."
        }
        "CATEGORY_NOT_AVAILABLE" => "This category can’t be used in your country. Choose another one.",
        "" => "Meta gave no reason. Change the words and send it again, or ask for a review in WhatsApp Manager.",
        _ => "Change it and send it again, or ask for a review in WhatsApp Manager.",
    };
    [said.unwrap_or_default(), known.to_owned()]
        .iter()
        .filter(|text| !text.is_empty())
        .cloned()
        .collect::<Vec<_>>()
        .join(" ")
}
