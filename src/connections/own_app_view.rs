//! What the pages of customers' own apps show, and what their forms ask for.

use super::{
    own_app::OwnApp,
    own_app_proof::{Brought, NotTaken, Wrong},
    service::Overview,
};
use crate::{
    base::ids::{AppId, WabaId},
    graph::AppCredentials,
    web::{Badge, Chrome, Error, when::When},
};
use askama::Template;
use askama_web::WebTemplate;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use time::OffsetDateTime;
use url::Url;

/// The forms of these pages; each has some of the fields.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Typed {
    waba_id: String,
    token: SecretText,
    app_id: String,
    app_secret: SecretText,
}

/// What must not be shown again.
#[derive(Deserialize)]
#[serde(transparent)]
struct SecretText(SecretString);

impl Default for SecretText {
    fn default() -> Self {
        Self(String::new().into())
    }
}

impl SecretText {
    /// `None` where nothing was typed. What stands around it was copied along.
    fn given(&self) -> Option<SecretString> {
        let text = self.0.expose_secret().trim();
        (!text.is_empty()).then(|| text.to_owned().into())
    }
}

/// Meta's tokens are a few hundred characters; nothing longer is sent to anybody.
const LONGEST_TOKEN: usize = 2_000;

impl Typed {
    /// The token.
    pub fn token(&self) -> Result<SecretString, NotTaken> {
        let token = self.token.given().ok_or_else(|| NotTaken::wrong(Wrong::Token, "Enter the token."))?;
        let text = token.expose_secret();
        if text.len() > LONGEST_TOKEN || text.contains(|c: char| c.is_whitespace() || c.is_control() || !c.is_ascii()) {
            let why = "This is no token: one has no spaces and no line breaks. Copy it anew.";
            return Err(NotTaken::wrong(Wrong::Token, why));
        }
        Ok(token)
    }

    fn app_id(&self) -> Result<Option<AppId>, NotTaken> {
        let text = self.app_id.trim();
        if text.is_empty() {
            return Ok(None);
        }
        text.parse()
            .map(Some)
            .map_err(|_| NotTaken::wrong(Wrong::AppId, "An App ID is a number, such as 123456789012345."))
    }

    fn secret(&self) -> Result<Option<SecretString>, NotTaken> {
        let Some(secret) = self.app_secret.given() else { return Ok(None) };
        let text = secret.expose_secret();
        if text.len() > 200 || !text.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(NotTaken::wrong(Wrong::Secret, "An App Secret has letters and digits only. Copy it anew."));
        }
        Ok(Some(secret))
    }

    /// All of it.
    pub fn brought(&self) -> Result<Brought, NotTaken> {
        let waba = self.waba_id.trim().parse::<WabaId>().map_err(|_| {
            NotTaken::wrong(Wrong::Waba, "Enter the WhatsApp Business account ID: a number, such as 102290129340398.")
        })?;
        let (token, app_id, secret) = (self.token()?, self.app_id()?, self.secret()?);
        if secret.is_some() && app_id.is_none() {
            return Err(NotTaken::wrong(Wrong::AppId, "Enter the App ID as well: a secret alone can’t be checked."));
        }
        Ok(Brought { waba, token, app_id, secret })
    }

    /// The app with its secret.
    pub fn app(&self) -> Result<AppCredentials, NotTaken> {
        let id = self.app_id()?.ok_or_else(|| NotTaken::wrong(Wrong::AppId, "Enter the App ID."))?;
        let secret = self.secret()?.ok_or_else(|| NotTaken::wrong(Wrong::Secret, "Enter the App Secret."))?;
        Ok(AppCredentials { id, secret })
    }
}

/// A form's fields as they are shown again, and what is wrong with one of them.
#[derive(Default)]
pub(super) struct Shown {
    pub waba_id: String,
    pub app_id: String,
    wrong: Option<(Wrong, String)>,
    /// Meta's word, for *Details*.
    pub said: Option<String>,
}

impl Shown {
    /// After a failure that is the person's to mend.
    pub fn after(typed: &Typed, failure: NotTaken) -> Result<Self, Error> {
        match failure {
            NotTaken::Wrong(what, why, said) => Ok(Self {
                waba_id: typed.waba_id.trim().to_owned(),
                app_id: typed.app_id.trim().to_owned(),
                wrong: Some((what, why)),
                said: said.map(|error| error.to_string()),
            }),
            NotTaken::Store(error) => Err(error.into()),
            NotTaken::Token(error) => Err(Error::internal(error)),
        }
    }

    fn of(&self, what: Wrong) -> Option<&str> {
        self.wrong.as_ref().filter(|(wrong, _)| *wrong == what).map(|(_, why)| why.as_str())
    }

    pub fn waba_error(&self) -> Option<&str> {
        self.of(Wrong::Waba)
    }

    pub fn token_error(&self) -> Option<&str> {
        self.of(Wrong::Token)
    }

    pub fn app_error(&self) -> Option<&str> {
        self.of(Wrong::AppId)
    }

    pub fn secret_error(&self) -> Option<&str> {
        self.of(Wrong::Secret)
    }

    pub fn error(&self) -> Option<&str> {
        self.of(Wrong::Nothing)
    }

    /// Whatever is wrong, for a form of one field.
    pub fn any(&self) -> &str {
        self.wrong.as_ref().map_or("", |(_, why)| why.as_str())
    }

    pub fn is_wrong(&self) -> bool {
        self.wrong.is_some()
    }
}

/// Whose connections these pages are about, and where they lead back to.
pub(super) struct Around {
    /// The words and the address that lead back.
    pub back: (String, String),
    /// The page's own address.
    pub base: String,
    /// The company, where staff do it for a customer.
    pub company: Option<String>,
}

#[derive(Template, WebTemplate)]
#[template(path = "connections/own_app_new.html")]
pub(super) struct NewPage {
    pub chrome: Chrome,
    pub around: Around,
    pub shown: Shown,
}

/// One account of the connection, and whether its webhooks are switched on.
pub(super) struct WabaLine {
    name: String,
    id: String,
    is_on: bool,
}

#[derive(Template, WebTemplate)]
#[template(path = "connections/own_app.html")]
pub(super) struct OwnAppPage {
    pub chrome: Chrome,
    pub around: Around,
    name: String,
    badge: Badge,
    needs_token: bool,
    may_change: bool,
    callback: String,
    verify_token: String,
    app_id: Option<String>,
    has_secret: bool,
    old_secret_until: Option<When>,
    handshake: Option<When>,
    refused: Option<When>,
    left_out: Option<When>,
    token_end: Option<When>,
    wabas: Vec<WabaLine>,
    /// What was typed into the form of the token, and into that of the app.
    pub token_form: Shown,
    pub app_form: Shown,
}

impl OwnAppPage {
    pub fn new(
        chrome: Chrome,
        around: Around,
        overview: &Overview,
        own: &OwnApp,
        webhook_url: &Url,
        now: OffsetDateTime,
    ) -> Self {
        let connection = &overview.connection;
        let (look, word) = connection.state.shown();
        let when = |at: OffsetDateTime| When::new(at, now);
        let wabas = overview.wabas.iter().map(|(waba, _)| WabaLine {
            name: waba.name.clone(),
            id: waba.id.to_string(),
            is_on: waba.subscribed_at.is_some(),
        });
        Self {
            name: connection.name.clone(),
            // Green only where messages can come in.
            badge: Badge::new(if own.secret.is_some() || look != "good" { look } else { "neutral" }, word),
            needs_token: connection.state == super::ConnectionState::NeedsReconnect,
            may_change: connection.may_get_token(),
            callback: format!("{}/{}", webhook_url.as_str().trim_end_matches('/'), own.callback_key),
            verify_token: own.verify_token.expose_secret().to_owned(),
            app_id: own.app_id.as_ref().map(ToString::to_string),
            has_secret: own.secret.is_some(),
            old_secret_until: own.old_secret.as_ref().filter(|(_, until)| *until > now).map(|(_, until)| when(*until)),
            handshake: own.handshake_at.map(when),
            refused: own.refused_at.map(when),
            left_out: own.left_out_at.map(when),
            token_end: connection.token_expires_at.map(when),
            wabas: wabas.collect(),
            token_form: Shown::default(),
            app_form: Shown {
                app_id: own.app_id.as_ref().map(ToString::to_string).unwrap_or_default(),
                ..Shown::default()
            },
            chrome,
            around,
        }
    }

    fn is_wrong(&self) -> bool {
        self.token_form.is_wrong() || self.app_form.is_wrong()
    }

    fn all_on(&self) -> bool {
        self.wabas.iter().all(|waba| waba.is_on)
    }
}
