//! The exchange of a code for a business token, through the `oauth2` crate.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/implementation>
//! and <https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow>

use super::{Client, GraphError, Result, error::ErrorBody};
use crate::base::ids::AppId;
use oauth2::{
    AccessToken, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    RedirectUrl, RefreshToken, RequestTokenError, Scope, StandardRevocableToken, TokenResponse, TokenUrl,
    basic::{BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use url::Url;

/// The endpoint of tokens.
const TOKENS: &str = "oauth/access_token";
/// How long an exchange may take. Longer than other calls: a code works once, so an answer that comes late
/// is worth more than a second try.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(60);

/// The Meta app that Doorway is: its ID and secret.
#[derive(Clone, Debug)]
pub struct AppCredentials {
    /// The App ID.
    pub id: AppId,
    /// The App Secret.
    pub secret: SecretString,
}

impl AppCredentials {
    /// The app token `APP_ID|APP_SECRET`: for `/debug_token` and `/{app}/subscriptions`.
    /// <https://developers.facebook.com/docs/facebook-login/guides/access-tokens#apptokens>
    #[must_use]
    pub fn token(&self) -> SecretString {
        format!("{}|{}", self.id, self.secret.expose_secret()).into()
    }
}

/// What the exchange gives.
#[derive(Clone, Debug)]
pub struct BusinessToken {
    /// The token.
    pub token: SecretString,
    /// How long it lives, where Meta says so.
    pub expires_in: Option<Duration>,
}

/// The answer of `/oauth/access_token`. Meta leaves out `token_type` for business tokens, which RFC 6749
/// demands; so the crate's own type won't do.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    access_token: AccessToken,
    expires_in: Option<u64>,
}

impl TokenResponse for Answer {
    type TokenType = BasicTokenType;
    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }
    fn token_type(&self) -> &BasicTokenType {
        &BasicTokenType::Bearer
    }
    fn expires_in(&self) -> Option<Duration> {
        self.expires_in.map(Duration::from_secs)
    }
    fn refresh_token(&self) -> Option<&RefreshToken> {
        None
    }
    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

impl oauth2::ErrorResponse for ErrorBody {}

type OAuthClient<HasAuth = EndpointNotSet, HasToken = EndpointNotSet> = oauth2::Client<
    ErrorBody,
    Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    HasAuth,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    HasToken,
>;

fn oauth_client(app: &AppCredentials) -> OAuthClient {
    OAuthClient::new(ClientId::new(app.id.to_string()))
        .set_client_secret(ClientSecret::new(app.secret.expose_secret().to_owned()))
        .set_auth_type(AuthType::RequestBody)
}

impl Client {
    /// Exchanges a code. `redirect_uri` is `None` for codes from the JavaScript SDK and exactly the
    /// dialog's for codes from the full-page flow. A code lives 30 seconds and works once.
    ///
    /// # Errors
    /// [`GraphError`]; 100/36007 is an expired code, 100/36009 one that was used.
    pub async fn exchange_code(
        &self,
        app: &AppCredentials,
        code: &SecretString,
        redirect_uri: Option<&Url>,
    ) -> Result<BusinessToken> {
        let endpoint = self.url(TOKENS);
        let mut client: OAuthClient<EndpointNotSet, EndpointSet> =
            oauth_client(app).set_token_uri(TokenUrl::from_url(endpoint));
        if let Some(uri) = redirect_uri {
            client = client.set_redirect_uri(RedirectUrl::from_url(uri.clone()));
        }
        // The crate keeps no HTTP status, which tells Meta's trouble from Meta's refusal.
        let seen: Arc<Mutex<Option<GraphError>>> = Arc::default();
        let (client_of_graph, kept) = (self.clone(), seen.clone());
        let send = move |request: oauth2::HttpRequest| {
            let (graph, kept) = (client_of_graph.clone(), kept.clone());
            async move { transport(graph, kept, request).await }
        };
        let answer =
            client.exchange_code(AuthorizationCode::new(code.expose_secret().to_owned())).request_async(&send).await;
        match answer {
            Ok(answer) => Ok(BusinessToken {
                token: answer.access_token.secret().clone().into(),
                expires_in: answer.expires_in(),
            }),
            Err(error) => {
                let kept = seen.lock().ok().and_then(|mut kept| kept.take());
                Err(kept.unwrap_or_else(|| match error {
                    RequestTokenError::Parse(error, _) => GraphError::Unreadable { detail: error.to_string() },
                    other => GraphError::Unreadable { detail: other.to_string() },
                }))
            }
        }
    }

    /// Asks for the app's own token: of all calls the one that tells a wrong secret (code 1) from an ID that is no
    /// app's (code 101). <https://developers.facebook.com/docs/facebook-login/guides/access-tokens#apptokens>
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn prove_app(&self, app: &AppCredentials) -> Result<()> {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", app.id.as_str()),
            ("client_secret", app.secret.expose_secret()),
        ];
        self.post_token(&form).await.map(drop)
    }

    /// Gives a token for another 60 days; the old one works until its own end. Only what still works can be renewed.
    /// <https://developers.facebook.com/docs/business-management-apis/system-users/install-apps-and-generate-tokens>
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn renew_token(&self, app: &AppCredentials, token: &SecretString) -> Result<BusinessToken> {
        let form = [
            ("grant_type", "fb_exchange_token"),
            ("client_id", app.id.as_str()),
            ("client_secret", app.secret.expose_secret()),
            ("set_token_expires_in_60_days", "true"),
            ("fb_exchange_token", token.expose_secret()),
        ];
        let answer: Answer = super::parse(&self.post_token(&form).await?)?;
        Ok(BusinessToken { token: answer.access_token.secret().clone().into(), expires_in: answer.expires_in() })
    }

    /// Posts to the endpoint of tokens, so that no secret stands in an address.
    async fn post_token(&self, form: &[(&str, &str)]) -> Result<Vec<u8>> {
        let request = self
            .outbound
            .request(http::Method::POST, self.url(TOKENS))
            .map_err(|refused| GraphError::Unreachable { timeout: false, detail: refused.to_string() })?;
        self.send(None, &http::Method::POST, TOKENS, request.form(form)).await
    }

    /// The address of the full-page dialog, with a `state` of ours.
    #[must_use]
    pub fn dialog_url(&self, dialog: &Url, app: &AppId, redirect_uri: &Url, state: &str, scopes: &[&str]) -> Url {
        let mut endpoint = dialog.clone();
        endpoint.set_path(&format!("/{}/dialog/oauth", self.version));
        let client: OAuthClient<EndpointSet, EndpointNotSet> = OAuthClient::new(ClientId::new(app.to_string()))
            .set_auth_uri(AuthUrl::from_url(endpoint))
            .set_redirect_uri(RedirectUrl::from_url(redirect_uri.clone()));
        // Meta documents a comma between scopes; the crate would put spaces.
        let (url, _) =
            client.authorize_url(|| CsrfToken::new(state.to_owned())).add_scope(Scope::new(scopes.join(","))).url();
        url
    }
}

/// Sends the crate's request through our own client; keeps our own error beside the crate's.
async fn transport(
    graph: Client,
    kept: Arc<Mutex<Option<GraphError>>>,
    request: oauth2::HttpRequest,
) -> std::result::Result<oauth2::HttpResponse, GraphError> {
    let (parts, body) = request.into_parts();
    let result = async {
        let url = Url::parse(&parts.uri.to_string())
            .map_err(|error| GraphError::Unreachable { timeout: false, detail: error.to_string() })?;
        let builder = graph
            .outbound
            .request(parts.method.clone(), url)
            .map_err(|refused| GraphError::Unreachable { timeout: false, detail: refused.to_string() })?;
        let request = builder.headers(parts.headers).body(body).timeout(EXCHANGE_TIMEOUT);
        graph.send(None, &parts.method, TOKENS, request).await
    }
    .await;
    match result {
        Ok(bytes) => Ok(http::Response::new(bytes)),
        Err(error) => {
            if let Ok(mut kept) = kept.lock() {
                *kept = Some(error.clone());
            }
            Err(error)
        }
    }
}
