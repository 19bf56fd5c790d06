//! Who is calling, and what they may see.
//!
//! Meta: access-tokens; *Secure Graph API calls* for `appsecret_proof`; *Debugging and error handling*
//! of access tokens for the messages of code 190.

use super::{
    super::{
        assets::{Phone, Waba},
        state::State,
        tokens::{self, Kind, Token},
        webhooks::sign,
    },
    call::Call,
    error::GraphError,
};
use crate::base::text::constant_time_eq;
use http::StatusCode;
use time::{OffsetDateTime, macros::format_description};

/// What Meta says of an ID that is no app's.
pub(super) const NO_APP: &str = "Error validating application. Cannot get application info due to a system error.";

/// Who calls.
#[derive(Clone, Debug)]
pub(in crate::sandbox) enum Caller {
    /// The app itself, by `APP_ID|APP_SECRET`.
    App,
    /// An app of a customer's, in the same way.
    OwnApp(String),
    Token(Box<Token>),
}

/// Finds out who calls, and holds the call to the rules for its token.
pub(super) fn caller(state: &State, call: &Call, now_ms: i64) -> Result<Caller, GraphError> {
    let text = call.token().ok_or_else(|| {
        GraphError::new(104, "An access token is required to request this resource.").status(StatusCode::UNAUTHORIZED)
    })?;
    proof(state, call, &text)?;
    if let Some((app_id, secret)) = text.split_once('|') {
        if let Some(own) = state.own_app(app_id) {
            return match constant_time_eq(secret, &own.secret) {
                true => Ok(Caller::OwnApp(own.id.clone())),
                false => Err(GraphError::token("Invalid OAuth access token signature.")),
            };
        }
        if app_id != state.app.id {
            return Err(GraphError::token(NO_APP));
        }
        let right = constant_time_eq(secret, &state.app.secret);
        return match (right, state.app.dashboard.is_native) {
            (true, false) => Ok(Caller::App),
            _ => Err(GraphError::token("Invalid OAuth access token signature.")),
        };
    }
    let token = find(state, &text)?;
    usable(token, now_ms)?;
    if state.app_of(token).3 && call.value("appsecret_proof").is_none() {
        return Err(GraphError::new(100, "API calls from the server require an appsecret_proof argument").method());
    }
    Ok(Caller::Token(Box::new(token.clone())))
}

/// Who calls with a token alone, as files are fetched.
pub(in crate::sandbox) fn by_token(state: &State, text: &str, now_ms: i64) -> Result<Caller, GraphError> {
    let token = find(state, text)?;
    usable(token, now_ms)?;
    Ok(Caller::Token(Box::new(token.clone())))
}

fn proof(state: &State, call: &Call, token: &str) -> Result<(), GraphError> {
    // It is of the token with the secret of the app that the token is of.
    let own = token.split_once('|').and_then(|(id, _)| state.own_app(id)).map(|own| own.secret.as_str());
    let secret = own.unwrap_or_else(|| state.token(token).map_or(state.app.secret.as_str(), |one| state.app_of(one).2));
    match call.text("appsecret_proof") {
        Some(given) if !constant_time_eq(&given, &sign(secret, token.as_bytes())) => {
            Err(GraphError::new(100, "Invalid appsecret_proof provided in the API argument").method())
        }
        _ => Ok(()),
    }
}

/// The token of this text.
pub(super) fn find<'a>(state: &'a State, text: &str) -> Result<&'a Token, GraphError> {
    if let Some(token) = state.token(text) {
        return Ok(token);
    }
    Err(if text.starts_with("EAA") && text.len() > 20 {
        GraphError::token("The access token could not be decrypted")
    } else {
        GraphError::token("Invalid OAuth access token - Cannot parse access token")
    })
}

/// Whether a token is neither revoked nor expired.
pub(super) fn usable(token: &Token, now_ms: i64) -> Result<(), GraphError> {
    if token.revoked {
        return Err(GraphError::token(
            "Error validating access token: The session has been invalidated because the user changed their password \
             or Facebook has changed the session for security reasons.",
        )
        .subcode(460));
    }
    if token.expired(now_ms) {
        return Err(GraphError::token(format!(
            "Error validating access token: Session has expired on {}. The current time is {}.",
            long_date(token.expires_ms),
            long_date(now_ms)
        ))
        .subcode(463));
    }
    Ok(())
}

fn long_date(ms: i64) -> String {
    let format =
        format_description!("[weekday], [day]-[month repr:short]-[year repr:last_two] [hour]:[minute]:[second] UTC");
    let at: OffsetDateTime = crate::base::clock::from_ms(ms);
    at.format(&format).unwrap_or_default()
}

impl Caller {
    pub fn is_app(&self) -> bool {
        matches!(self, Self::App)
    }

    /// The app that it is of where that is a customer's; `None`: the operator's.
    pub fn own_app(&self) -> Option<&str> {
        match self {
            Self::App => None,
            Self::OwnApp(id) => Some(id),
            Self::Token(token) => token.app_id.as_deref(),
        }
    }

    pub fn kind(&self) -> Option<Kind> {
        match self {
            Self::App | Self::OwnApp(_) => None,
            Self::Token(token) => Some(token.kind),
        }
    }

    /// Whether the token reaches this WABA at all, permissions aside.
    pub fn reaches(&self, waba: &Waba) -> bool {
        match self {
            Self::App | Self::OwnApp(_) => false,
            Self::Token(token) => match token.kind {
                Kind::System => waba.shared,
                Kind::Business | Kind::User => token.waba_ids.contains(&waba.id),
            },
        }
    }

    fn may(&self, scope: &str) -> bool {
        matches!(self, Self::Token(token) if token.may(scope))
    }

    /// The WABA, if this caller may manage it.
    pub fn waba<'a>(&self, state: &'a State, call: &Call, id: &str) -> Result<&'a Waba, GraphError> {
        let waba = state.waba(id).filter(|waba| self.reaches(waba));
        let waba = waba.ok_or_else(|| GraphError::unsupported(&call.method, id))?;
        if self.may(tokens::MANAGEMENT) {
            return Ok(waba);
        }
        Err(GraphError::permission(
            "You do not have the necessary permissions required to access this object. The permission \
             whatsapp_business_management is missing.",
        ))
    }

    /// The number, if this caller may manage its WABA.
    pub fn phone<'a>(&self, state: &'a State, call: &Call, id: &str) -> Result<&'a Phone, GraphError> {
        let phone = state.phone(id).ok_or_else(|| GraphError::unsupported(&call.method, id))?;
        match self.waba(state, call, &phone.waba_id) {
            Ok(_) => Ok(phone),
            Err(error) if error.code == 100 => Err(GraphError::unsupported(&call.method, id)),
            Err(error) => Err(error),
        }
    }

    /// Whether the caller may register and send (code 10 where not).
    pub fn messaging(&self) -> Result<(), GraphError> {
        if self.may(tokens::MESSAGING) {
            return Ok(());
        }
        Err(GraphError::new(10, "(#10) Application does not have permission for this action")
            .status(StatusCode::FORBIDDEN))
    }
}
