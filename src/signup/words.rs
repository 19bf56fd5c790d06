//! What a person who knows nothing of Meta is told when an attempt ended: what happened, what to do, and
//! what the one button does.

use super::failure::{Failure, Reason};

/// What the button on the page does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Opens Facebook's window again.
    TryAgain,
    /// Goes on from where it stands, without Facebook's window.
    GoOn,
    /// Leads to the operator: the customer can do nothing.
    Write,
}

/// What the customer reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// The headline.
    pub title: String,
    /// What happened.
    pub happened: String,
    /// What to do: one sentence, or steps.
    pub to_do: Vec<String>,
    /// The button.
    pub action: Action,
    /// For the operator's staff: what to mend at Meta.
    pub for_staff: Option<&'static str>,
}

impl Failure {
    /// What the customer reads.
    #[must_use]
    pub fn words(&self, operator: &str) -> Words {
        let (title, happened, to_do, action, for_staff) = self.texts(operator);
        let action = if self.can_go_on() { Action::GoOn } else { action };
        Words { title, happened, to_do, action, for_staff }
    }

    #[allow(clippy::too_many_lines, reason = "a table of texts, one entry a reason")]
    fn texts(&self, operator: &str) -> (String, String, Vec<String>, Action, Option<&'static str>) {
        let one = |text: &str| vec![text.replace("{op}", operator)];
        let s = |text: &str| text.replace("{op}", operator);
        match self.reason {
            Reason::Cancelled => {
                let (title, happened, to_do) = left(self.screen.as_deref());
                (s(title), s(happened), one(to_do), Action::TryAgain, None)
            }
            Reason::FacebookError => (
                s("Facebook reported an error"),
                match &self.shown {
                    Some(text) => format!("Facebook said: “{text}” Nothing was changed here."),
                    None => s("Facebook’s window showed an error. Nothing was changed here."),
                },
                one(
                    "If Facebook says what to change, change it there, then try again. If not, wait a few minutes first. If it comes again, write to {op}; the details below help them.",
                ),
                Action::TryAgain,
                None,
            ),
            Reason::OperatorNotVerified => (
                s("{op} can’t take on new customers right now"),
                s("Facebook does not let {op} connect new customers yet. It is nothing you did."),
                one(
                    "Write to {op}. They must complete their verification at Facebook, and will tell you when you can go on.",
                ),
                Action::Write,
                Some(
                    "Complete Business Verification and Access Verification, and get advanced access to both WhatsApp permissions. Or the limit of new customers in 7 days is reached.",
                ),
            ),
            Reason::NoWhatsAppPermission => (
                s("Facebook did not give us access to WhatsApp"),
                s("You signed in, but the permission for WhatsApp did not come with it. Nothing was changed."),
                vec![
                    s(
                        "If you connected to {op} before, Facebook passes on the old permission, without WhatsApp. On Facebook, open Settings, then Business integrations, and remove {op} from the list. Then try again.",
                    ),
                    s(
                        "If a switch was turned off when Facebook asked what {op} may do: try again and leave every switch on.",
                    ),
                    s(
                        "If you have no WhatsApp account at Facebook yet: try again and create one in Facebook’s window.",
                    ),
                    s("If none of these helps, {op} lacks a permission of its own: write to them."),
                ],
                Action::TryAgain,
                Some(
                    "If it happens to everyone without a role in the app: the app is live, but whatsapp_business_management or whatsapp_business_messaging has standard access only. Ask for advanced access in App Review.",
                ),
            ),
            Reason::NoAccount => (
                s("We found no WhatsApp account"),
                s("Facebook let us in, but no WhatsApp account was shared with {op}."),
                one(
                    "Try again, and choose or create a WhatsApp account in Facebook’s window. If you stopped before that screen, go on to the end.",
                ),
                Action::TryAgain,
                None,
            ),
            Reason::InvalidScopes => (
                s("Facebook refused {op}’s request"),
                s("A setting at {op} does not fit. It is nothing you did."),
                one("Write to {op}."),
                Action::Write,
                Some(
                    "“Invalid Scopes”: business_management may not be asked for by an app of the WhatsApp use case, or the configuration lists a permission that the app does not have.",
                ),
            ),
            Reason::CodeExpired | Reason::CodeUsed => (
                s("That took a little too long"),
                s(
                    "It is nothing you did. Facebook’s answer is valid for 30 seconds and once only, and could not be used in that time. Nothing was changed.",
                ),
                one("Try again. You need not enter anything twice: Facebook remembers what you chose."),
                Action::TryAgain,
                None,
            ),
            Reason::CodeMissing => (
                s("Facebook’s answer did not arrive"),
                s("You finished on Facebook, but your browser did not pass on the answer."),
                one(
                    "Try again in the same browser and leave this page open. If it happens again, use another browser or a computer.",
                ),
                Action::TryAgain,
                Some(
                    "Without a system token, Doorway can’t fetch what the browser lost: set DOORWAY_META_SYSTEM_TOKEN, and subscribe to account_update.",
                ),
            ),
            Reason::OperatorMisconfigured | Reason::WrongApp => (
                s("{op}’s set-up at Facebook does not fit"),
                s("Facebook refused the answer it gave a moment ago. It is nothing you did."),
                one("Write to {op}; the details below help them."),
                Action::Write,
                Some(
                    "App ID and App Secret must belong together, and the redirect URI must be listed exactly. `doorway doctor` says which.",
                ),
            ),
            Reason::MetaUnavailable => (
                s("Facebook does not answer right now"),
                s("We tried again and again for some minutes. What you entered is kept."),
                match self.can_go_on() {
                    true => one("Wait a while, then go on. You need not go through Facebook’s window again."),
                    false => one("Wait a while, then try again."),
                },
                Action::TryAgain,
                None,
            ),
            Reason::Claimed => (
                s("This account is connected by another company"),
                s(
                    "It already belongs to another customer of {op}. An account can belong to one only. Nothing was changed.",
                ),
                one(
                    "If it should be yours, write to {op}. They can release it. To connect a different account, try again.",
                ),
                Action::Write,
                Some("Support can release the account from the customer that holds it."),
            ),
            Reason::AccessNotProven => (
                s("We can’t open that account"),
                s("Facebook does not let us use the account that you chose."),
                one("Choose that account when you agree on Facebook. It takes an admin of the business."),
                Action::TryAgain,
                None,
            ),
            Reason::TokenRevoked => (
                s("The access ended while we worked"),
                s("Facebook ended the permission before we were done."),
                one("Try again and agree once more."),
                Action::TryAgain,
                None,
            ),
            Reason::SubscribeFailed => (
                s("Messages could not be switched on"),
                s("Your account is connected, but Facebook refused to send its messages to {op}."),
                one("Wait a minute, then go on. Nothing needs to be entered again."),
                Action::GoOn,
                Some("The app needs a verified callback address that is subscribed to messages."),
            ),
            Reason::Denied => (
                s("You did not agree on Facebook"),
                s("Facebook sent you back without permission. Nothing was changed."),
                one("Try again, and press Continue on Facebook’s page."),
                Action::TryAgain,
                None,
            ),
            Reason::TimedOut => (
                s("That was left for a day"),
                s(
                    "We keep Facebook’s permission for one day only while something is left to choose. Nothing was changed.",
                ),
                one("Start again. Facebook remembers what you chose."),
                Action::TryAgain,
                None,
            ),
            Reason::Internal => (
                s("Something failed on our side"),
                s("It is nothing you did, and nothing is lost."),
                one("Try again. If it stays, write to {op}."),
                Action::TryAgain,
                None,
            ),
        }
    }
}

/// Title, what happened and what to do for each screen on which a customer may leave.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/errors>
fn left(screen: Option<&str>) -> (&'static str, &'static str, &'static str) {
    match screen {
        Some("BUSINESS_ACCOUNT_SELECTION") => (
            "You stopped before choosing your business",
            "The Facebook window closed while it asked for your business. Nothing was changed.",
            "If your business is not in Facebook’s list, choose to create one there. If you may not manage it, ask the person who does to connect.",
        ),
        Some("WABA_PHONE_PROFILE_PICKER") => (
            "You stopped before choosing your WhatsApp account",
            "The Facebook window closed while it asked which WhatsApp account to use. Nothing was changed.",
            "If you have none yet, choose to create a new one there.",
        ),
        Some("WHATSAPP_BUSINESS_PROFILE_SETUP") => (
            "You stopped before your WhatsApp account was set up",
            "The Facebook window closed while it asked for the name of your business. Nothing was changed.",
            "Have the name ready that people shall see in WhatsApp. It should be the name your business really has.",
        ),
        Some("PHONE_NUMBER_SETUP") => (
            "You stopped before adding a number",
            "The Facebook window closed while it asked for your phone number. Nothing was changed.",
            "Use a number that can receive a call or a text message now. If it is in use with the WhatsApp app, free it first, or tick that you keep the WhatsApp Business app.",
        ),
        Some("PHONE_NUMBER_VERIFICATION") => (
            "You stopped before the code was entered",
            "The Facebook window closed while it waited for the code that it sent to your number.",
            "Have the phone with that number at hand. If no text message comes, ask for a phone call in the Facebook window instead.",
        ),
        Some("PERMISSIONS") => (
            "You stopped before agreeing",
            "The Facebook window closed on its last screen, before you agreed. Nothing was changed.",
            "Go through it once more and agree on the last screen. {op} uses the access only for your WhatsApp account.",
        ),
        _ => (
            "You closed the Facebook window",
            "The window closed before you were done. Nothing was changed.",
            "Start again when you are ready. If the window said that {op} can’t take on customers, or showed an error, write to them.",
        ),
    }
}
