//! Why an attempt ended, and what a person who knows nothing of Meta is told: what happened, what to do,
//! and what the one button does.

use super::{
    hint::{Hint, HintEvent},
    model::Step,
};
use crate::graph::{ErrorClass, GraphError};
use serde::{Deserialize, Serialize};

/// Why it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The customer left the window.
    Cancelled,
    /// The window showed an error.
    FacebookError,
    /// Meta does not let the operator onboard customers.
    OperatorNotVerified,
    /// Both WhatsApp permissions, or one of them, are not in the grant.
    NoWhatsAppPermission,
    /// No WABA was shared, or none that opens.
    NoAccount,
    /// The dialog refused the permissions that were asked for.
    InvalidScopes,
    /// The code ran out before it was exchanged.
    CodeExpired,
    /// The code was used before.
    CodeUsed,
    /// The customer finished, but the code never came.
    CodeMissing,
    /// Meta refuses our App ID, App Secret or redirect URI.
    OperatorMisconfigured,
    /// Meta was in trouble for too long.
    MetaUnavailable,
    /// The WABA is another customer's.
    Claimed,
    /// The token does not open the chosen WABA.
    AccessNotProven,
    /// The token was revoked meanwhile.
    TokenRevoked,
    /// The token was made for another app.
    WrongApp,
    /// Meta refused to send us the webhooks.
    SubscribeFailed,
    /// The customer said no in the full-page dialog.
    Denied,
    /// Our own fault.
    Internal,
}

impl Reason {
    /// The word that the page tells machines.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::FacebookError => "facebook_error",
            Self::OperatorNotVerified => "operator_not_verified",
            Self::NoWhatsAppPermission => "no_whatsapp_permission",
            Self::NoAccount => "no_account",
            Self::InvalidScopes => "invalid_scopes",
            Self::CodeExpired => "code_expired",
            Self::CodeUsed => "code_used",
            Self::CodeMissing => "code_missing",
            Self::OperatorMisconfigured => "operator_misconfigured",
            Self::MetaUnavailable => "meta_unavailable",
            Self::Claimed => "claimed",
            Self::AccessNotProven => "access_not_proven",
            Self::TokenRevoked => "token_revoked",
            Self::WrongApp => "wrong_app",
            Self::SubscribeFailed => "subscribe_failed",
            Self::Denied => "denied",
            Self::Internal => "internal",
        }
    }
}

/// The end of an attempt that did not come through.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// Why.
    pub reason: Reason,
    /// At which step.
    pub at: Step,
    /// What Meta said, for support.
    pub graph: Option<GraphError>,
    /// More for support: a screen, an error ID, missing permissions.
    pub detail: Option<String>,
    /// The text that Facebook showed, for the customer to recognise.
    pub shown: Option<String>,
    /// The screen on which the customer left.
    pub screen: Option<String>,
}

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
    /// With a reason alone.
    #[must_use]
    pub fn new(reason: Reason) -> Self {
        Self { reason, at: Step::Launched, graph: None, detail: None, shown: None, screen: None }
    }

    /// With more for support.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// With what Meta said.
    #[must_use]
    pub fn with_graph(mut self, error: GraphError) -> Self {
        self.graph = Some(error);
        self
    }

    /// From a message event that says that the customer left, or was shown an error.
    #[must_use]
    pub fn from_hint(hint: &Hint) -> Self {
        let shown = hint.error_message.clone();
        let says = shown.as_deref().unwrap_or_default().to_lowercase();
        let reason = match hint.event {
            HintEvent::Error if says.contains("onboard customers") || says.contains("onboard new customers") => {
                Reason::OperatorNotVerified
            }
            HintEvent::Error if says.contains("invalid scope") => Reason::InvalidScopes,
            HintEvent::Error => Reason::FacebookError,
            _ => Reason::Cancelled,
        };
        let ids = [("error", &hint.error_id), ("session", &hint.session_id), ("screen", &hint.current_step)];
        let detail: Vec<String> =
            ids.iter().filter_map(|(name, id)| id.as_ref().map(|id| format!("{name} {id}"))).collect();
        Self {
            detail: (!detail.is_empty()).then(|| detail.join(", ")),
            shown,
            screen: hint.current_step.clone(),
            ..Self::new(reason)
        }
    }

    /// From an exchange that Meta refused for good.
    /// <https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow>
    #[must_use]
    pub fn from_exchange(error: GraphError) -> Self {
        let says = error.api().map(|api| api.message.to_lowercase()).unwrap_or_default();
        let reason = if error.is(100, 36_007) || says.contains("code has expired") {
            Reason::CodeExpired
        } else if error.is(100, 36_009) || says.contains("code has been used") {
            Reason::CodeUsed
        } else if matches!(error.class(), ErrorClass::Transient | ErrorClass::RateLimited) {
            Reason::MetaUnavailable
        } else {
            // Wrong App ID or secret (101, 1), or a redirect URI that is not the dialog's.
            Reason::OperatorMisconfigured
        };
        Self::new(reason).with_graph(error)
    }

    /// Whether it can go on from where it stands, since a token is there.
    #[must_use]
    pub fn can_go_on(&self) -> bool {
        let kept = matches!(
            self.at,
            Step::TokenExchanged | Step::TokenInspected | Step::Chosen | Step::Saved | Step::Subscribed
        );
        kept && matches!(self.reason, Reason::MetaUnavailable | Reason::SubscribeFailed | Reason::Internal)
    }

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
                    "Wait a few minutes, then try again. If it comes again, write to {op}; the details below help them.",
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
                s(
                    "You signed in, but the permission for WhatsApp did not come with it. Nothing was changed. One of these is the cause:",
                ),
                vec![
                    s(
                        "You connected to {op} before: Facebook then passes on the old permission, without WhatsApp. On Facebook, open Settings, then Business integrations, and remove {op} from the list. Then try again.",
                    ),
                    s(
                        "A switch was turned off when Facebook asked what {op} may do. Try again and leave every switch on.",
                    ),
                    s("You have no WhatsApp account at Facebook yet. Try again and create one in Facebook’s window."),
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
                    "Facebook’s answer is valid for 30 seconds and once only, and could not be used in that time. Nothing was changed.",
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
                s("Somebody removed {op} on Facebook before we were done, or the permission ran out."),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::ApiError;
    use serde_json::json;

    #[test]
    fn events_lead_to_the_right_words() {
        let failure = |data| {
            Failure::from_hint(
                &Hint::read(&json!({"type": "WA_EMBEDDED_SIGNUP", "event": "CANCEL", "data": data})).unwrap(),
            )
        };
        for screen in [
            "BUSINESS_ACCOUNT_SELECTION",
            "WABA_PHONE_PROFILE_PICKER",
            "WHATSAPP_BUSINESS_PROFILE_SETUP",
            "PHONE_NUMBER_SETUP",
            "PHONE_NUMBER_VERIFICATION",
            "PERMISSIONS",
        ] {
            let left = failure(json!({"current_step": screen}));
            assert_eq!(left.reason, Reason::Cancelled);
            assert_ne!(left.words("Acme").title, "You closed the Facebook window", "{screen}");
            assert!(!left.words("Acme").to_do[0].contains("{op}"));
        }
        assert_eq!(
            failure(json!({"error_message": "Acme can't onboard customers right now"})).reason,
            Reason::OperatorNotVerified
        );
        let reported = failure(json!({"error_message": "Name not allowed", "error_id": "7", "session_id": "s"}));
        assert!(reported.words("Acme").happened.contains("Name not allowed"));
        assert_eq!(reported.detail.as_deref(), Some("error 7, session s"));
    }

    #[test]
    fn a_refused_exchange_is_told_apart() {
        let error = |status, code, subcode, message: &str| {
            GraphError::Api(Box::new(ApiError {
                status,
                code,
                subcode,
                kind: "OAuthException".to_owned(),
                message: message.to_owned(),
                user_title: None,
                user_message: None,
                fbtrace_id: None,
                is_transient: false,
                retry_after: None,
                has_body: true,
            }))
        };
        let reason = |error| Failure::from_exchange(error).reason;
        assert_eq!(reason(error(400, 100, Some(36_007), "This authorization code has expired.")), Reason::CodeExpired);
        assert_eq!(reason(error(400, 100, Some(36_009), "This authorization code has been used.")), Reason::CodeUsed);
        assert_eq!(reason(error(400, 101, None, "Error validating client secret.")), Reason::OperatorMisconfigured);
        assert_eq!(reason(error(503, 2, None, "Service temporarily unavailable")), Reason::MetaUnavailable);
    }

    #[test]
    fn only_what_has_a_token_goes_on() {
        let at = |at| Failure { at, ..Failure::new(Reason::MetaUnavailable) };
        assert!(at(Step::Saved).can_go_on());
        assert!(!at(Step::CodeReceived).can_go_on());
        assert_eq!(at(Step::Saved).words("x").action, Action::GoOn);
        assert_eq!(at(Step::CodeReceived).words("x").action, Action::TryAgain);
    }
}
