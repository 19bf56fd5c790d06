//! What the funnel's ends are called.

use crate::signup::{End, EndKind, Which};

/// The word in the address for what has not ended.
const OPEN: &str = "open";

/// Which attempts the word in an address means; all for an empty one.
pub(super) fn which(word: &str) -> Which {
    match word {
        "" => Which::All,
        OPEN => Which::Open,
        word => Which::Ended(End::from_word(word)),
    }
}

/// The word for an end in addresses.
pub(super) fn word(end: Option<&End>) -> String {
    end.map_or_else(|| OPEN.to_owned(), End::as_word)
}

/// The heading of a kind of ends.
pub(super) fn kind_title(kind: EndKind) -> &'static str {
    match kind {
        EndKind::Connected => "Connected",
        EndKind::Screen => "Left at one of Facebook’s screens",
        EndKind::FacebookError => "Facebook showed an error",
        EndKind::NoWord => "Left without a word",
        EndKind::OurStep => "Stopped after Facebook’s window",
    }
}

/// An end in words, with Meta's own name of it where there is one.
pub(super) fn title(end: Option<&End>) -> (String, Option<String>) {
    let Some(end) = end else { return ("Not ended yet".to_owned(), None) };
    match end {
        End::Connected => ("Connected".to_owned(), None),
        End::Screen(name) => (screen(name).to_owned(), Some(name.clone())),
        End::Closed => ("Closed the window, not said where".to_owned(), None),
        End::Silent => ("Nothing was heard any more".to_owned(), None),
        End::Reported(id) => ("Facebook reported an error".to_owned(), Some(id.clone())),
        End::Failed(reason) => (failed(reason).to_owned(), Some(reason.clone())),
    }
}

/// Meta's screens.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/errors>
fn screen(name: &str) -> &'static str {
    match name {
        "BUSINESS_ACCOUNT_SELECTION" => "Choosing the business portfolio",
        "WABA_PHONE_PROFILE_PICKER" => "Choosing the WhatsApp account",
        "WHATSAPP_BUSINESS_PROFILE_SETUP" => "Creating the WhatsApp account",
        "PHONE_NUMBER_SETUP" => "Adding the phone number",
        "PHONE_NUMBER_VERIFICATION" => "Entering the code sent to the number",
        "PERMISSIONS" => "Reviewing the permissions",
        _ => "Another screen",
    }
}

fn failed(reason: &str) -> &'static str {
    match reason {
        "denied" => "Said no in the full-page dialog",
        "facebook_error" => "Facebook reported an error",
        "operator_not_verified" => "Meta lets us take on no customers",
        "invalid_scopes" => "Facebook refused the permissions we asked for",
        "no_whatsapp_permission" => "The WhatsApp permissions were not granted",
        "no_account" => "No WhatsApp account was shared",
        "code_expired" => "The code ran out before we could use it",
        "code_used" => "The code had been used",
        "code_missing" => "Finished, but the code did not arrive",
        "operator_misconfigured" => "Meta refused our app’s settings",
        "meta_unavailable" => "Meta did not answer",
        "claimed" => "The account is another customer’s",
        "access_not_proven" => "The chosen account did not open",
        "token_revoked" => "The access was taken back meanwhile",
        "wrong_app" => "The access was for another app",
        "subscribe_failed" => "Webhooks could not be switched on",
        "timed_out" => "Did not come back to choose",
        "internal" => "A fault of ours",
        _ => "Another reason",
    }
}
