//! What a customer brings of an app of its own, proven at Meta.

use super::{model::MAX_NAME_CHARS, service::TokenError};
use crate::{
    base::{
        ids::{AppId, WabaId},
        text,
    },
    graph::{self, Access, AppCredentials, ErrorClass, GraphError, PhoneNumber, TokenInfo, Waba},
    store::StoreError,
};
use secrecy::SecretString;
use time::OffsetDateTime;

/// Read and change accounts, numbers and templates.
const MANAGEMENT: &str = "whatsapp_business_management";
/// Send and receive messages.
const MESSAGING: &str = "whatsapp_business_messaging";

/// What a customer brings.
#[derive(Clone, Debug)]
pub struct Brought {
    /// The account.
    pub waba: WabaId,
    /// A token that opens it.
    pub token: SecretString,
    /// The app that the token is of.
    pub app_id: Option<AppId>,
    /// That app's secret; only with its ID.
    pub secret: Option<SecretString>,
}

/// Which of the things that were brought is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The WABA ID.
    Waba,
    /// The token.
    Token,
    /// The App ID.
    AppId,
    /// The App Secret.
    Secret,
    /// None of them: Meta could not be asked.
    Nothing,
}

/// Why what was brought is not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// Something about it is wrong: what, in a sentence, and Meta's word on it.
    #[error("{1}")]
    Wrong(Wrong, String, Option<Box<GraphError>>),
    /// The database's.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A secret does not open.
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl NotTaken {
    pub(super) fn wrong(what: Wrong, why: impl Into<String>) -> Self {
        Self::Wrong(what, why.into(), None)
    }

    pub(super) fn said(what: Wrong, why: impl Into<String>, error: GraphError) -> Self {
        Self::Wrong(what, why.into(), Some(Box::new(error)))
    }
}

/// What Meta said of a token that was brought.
#[derive(Debug, Default)]
pub(super) struct Proven {
    pub expires_at: Option<OffsetDateTime>,
    pub data_access_expires_at: Option<OffsetDateTime>,
    pub scopes: Vec<String>,
}

/// A sentence for what the token's own inspection shows to be wrong.
/// <https://developers.facebook.com/docs/graph-api/reference/debug_token>
fn inspected(info: TokenInfo, app: &AppId) -> Result<Proven, NotTaken> {
    if !info.is_valid {
        return Err(NotTaken::wrong(Wrong::Token, "Meta says that this token does not work any more. Make a new one."));
    }
    if info.app_id.as_deref() != Some(app.as_str()) {
        return Err(NotTaken::wrong(
            Wrong::AppId,
            "The token belongs to another app. Enter the ID of the app it was made with.",
        ));
    }
    let mut scopes = info.scopes;
    scopes.extend(info.granular_scopes.into_iter().map(|granular| granular.scope));
    scopes.sort();
    scopes.dedup();
    let missing: Vec<&str> =
        [MANAGEMENT, MESSAGING].into_iter().filter(|scope| !scopes.iter().any(|have| have == scope)).collect();
    if !missing.is_empty() {
        let why = format!("The token lacks a permission: {}. Make a new one with both.", missing.join(", "));
        return Err(NotTaken::wrong(Wrong::Token, why));
    }
    // 0 means never.
    let time = |at: Option<i64>| at.filter(|at| *at > 0).and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
    Ok(Proven { expires_at: time(info.expires_at), data_access_expires_at: time(info.data_access_expires_at), scopes })
}

pub(super) fn not_asked(error: GraphError) -> NotTaken {
    NotTaken::said(Wrong::Nothing, "Meta did not answer. Nothing was changed; try again in a minute.", error)
}

/// Proves that ID and secret are of one app, and what the token is good for. Without a secret nothing can be asked.
pub(super) async fn prove_token(
    graph: &graph::Client,
    app: Option<&AppCredentials>,
    token: &SecretString,
) -> Result<Proven, NotTaken> {
    let Some(app) = app else { return Ok(Proven::default()) };
    if let Err(error) = graph.prove_app(app).await {
        return Err(match (error.class(), error.api().map(|api| api.code)) {
            (ErrorClass::Transient, code) if code != Some(1) => not_asked(error),
            (ErrorClass::RateLimited, _) => not_asked(error),
            (_, Some(101)) => NotTaken::said(Wrong::AppId, "Meta knows no app with this ID.", error),
            _ => NotTaken::said(
                Wrong::Secret,
                "This is not the secret of that app. Copy it anew from the app’s dashboard.",
                error,
            ),
        });
    }
    match graph.debug_token(app, token).await {
        Ok(info) => inspected(info, &app.id),
        Err(error) => Err(match error.class() {
            ErrorClass::Transient | ErrorClass::RateLimited => not_asked(error),
            _ => NotTaken::said(
                Wrong::AppId,
                "The token belongs to another app. Enter the ID of the app it was made with.",
                error,
            ),
        }),
    }
}

/// Reads an account and its numbers: that this answers is the proof that the token opens it.
pub(super) async fn prove_waba(
    graph: &graph::Client,
    access: &Access,
    waba: &WabaId,
) -> Result<(Waba, Vec<PhoneNumber>), NotTaken> {
    let read = async { Ok((graph.waba(access, waba).await?, graph.phone_numbers(access, waba).await?)) };
    read.await.map_err(|error: GraphError| match error.class() {
        ErrorClass::Transient | ErrorClass::RateLimited => not_asked(error),
        // https://developers.facebook.com/docs/graph-api/guides/secure-requests
        ErrorClass::Rejected if error.api().is_some_and(|api| api.message.contains("appsecret_proof")) => {
            let why = match access.app_secret {
                Some(_) => "This is not the secret of the app that the token is of.",
                None => "This app takes calls only with its secret (“Require App Secret” is on). Enter App ID and App Secret.",
            };
            NotTaken::said(Wrong::Secret, why, error)
        }
        ErrorClass::Authorization if error.api().is_some_and(|api| matches!(api.code, 102 | 190 | 0)) => {
            NotTaken::said(Wrong::Token, "Meta does not take this token. Copy the whole of it, or make a new one.", error)
        }
        ErrorClass::Authorization => NotTaken::said(
            Wrong::Token,
            "The token may not manage this account. Give its system user the account, and both permissions.",
            error,
        ),
        ErrorClass::Rejected => NotTaken::said(
            Wrong::Waba,
            "The token opens no account with this ID. Check the ID, and whether the account is assigned to the token’s system user.",
            error,
        ),
    })
}

pub(super) fn name_of(waba: &Waba) -> String {
    let business = waba.owner_business_info.as_ref().map(|business| business.name.as_str());
    let names = [business.unwrap_or_default(), &waba.name, "WhatsApp"];
    let name = names.into_iter().find(|name| !name.trim().is_empty()).unwrap_or_default();
    text::shorten(name, MAX_NAME_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_token_is_told_apart() {
        let app: AppId = "42".parse().unwrap();
        let of = |json: &str| inspected(serde_json::from_str(json).unwrap(), &app);
        let wrong = |json: &str| match of(json) {
            Err(NotTaken::Wrong(what, why, None)) => (what, why),
            other => panic!("{other:?}"),
        };
        assert_eq!(wrong(r#"{"app_id":"42","is_valid":false}"#).0, Wrong::Token);
        assert_eq!(wrong(r#"{"app_id":"43","is_valid":true}"#).0, Wrong::AppId);
        let (what, why) = wrong(r#"{"app_id":"42","is_valid":true,"scopes":["whatsapp_business_management"]}"#);
        assert!(what == Wrong::Token && why.contains(MESSAGING), "{why}");
        let good = r#"{"app_id":42,"is_valid":true,"expires_at":0,"scopes":["whatsapp_business_management"],
            "granular_scopes":[{"scope":"whatsapp_business_messaging"}]}"#;
        let proven = of(good).unwrap();
        assert_eq!((proven.expires_at, proven.scopes.len()), (None, 2));
    }
}
