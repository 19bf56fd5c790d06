//! Why an attempt ended. What people are told of it is in `words.rs`.

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
    /// The customer did not come back in time to choose, or to go on.
    TimedOut,
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
            Self::TimedOut => "timed_out",
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
}

#[cfg(test)]
mod tests {
    use super::{super::words::Action, *};
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
