//! `/connect`: what is needed, what will happen, and the button.

use super::{
    attempt::{Attempt, Reconnect},
    service::Signup,
};
use crate::{
    accounts::{BusinessDetails, Member, SignedIn},
    base::ids::CustomerId,
    graph::Setup,
    web::{Access, Chrome, Error, Result, Routes, csp::OpensFacebook},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};

pub(super) fn routes(signup: Signup) -> Routes {
    Routes::new().get(Access::SignedIn, "/connect", connect).with_state(signup)
}

/// What the script needs to open Facebook's window.
#[derive(Clone, Debug)]
pub(super) struct Launcher {
    pub app_id: String,
    pub config_id: String,
    pub version: String,
    pub sdk_url: String,
    /// Message events count from here as well as from facebook.com.
    pub dialog_origin: String,
    /// JSON for `extras.setup`: fills in Facebook's screens.
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/pre-filled-data>
    pub setup: String,
    /// Whether the box "keep the WhatsApp Business app" is ticked.
    pub coexistence: bool,
    /// The page that it stands on is about a failed attempt.
    pub is_retry: bool,
    /// Something else is the obvious next step on its page.
    pub is_quiet: bool,
    /// The connection that is to be connected again.
    pub reconnect: Option<Reconnect>,
}

impl Signup {
    /// What is known of a customer's business.
    pub(super) async fn details(&self, customer: CustomerId) -> Result<BusinessDetails> {
        Ok(self.accounts.details(customer).await?.unwrap_or_default())
    }
}

impl Launcher {
    /// `None` where Embedded Signup is not configured.
    pub(super) fn new(
        meta: &Setup,
        member: &Member,
        details: &BusinessDetails,
        failed: Option<&Attempt>,
    ) -> Option<Self> {
        let (app, config_id) = (meta.app.as_ref()?, meta.es_config_id.clone()?);
        let company = member.user.customer_name.as_deref().unwrap_or_default();
        Some(Self {
            app_id: app.id.to_string(),
            config_id,
            version: meta.graph.version().to_owned(),
            sdk_url: meta.sdk_url.to_string(),
            dialog_origin: meta.dialog_url.origin().ascii_serialization(),
            setup: details.setup(company, member.user.email.as_str()).to_string(),
            coexistence: failed.is_some_and(|attempt| attempt.coexistence),
            is_retry: failed.is_some(),
            is_quiet: false,
            reconnect: failed.and_then(|attempt| attempt.reconnect.clone()),
        })
    }
}

#[derive(Template, WebTemplate)]
#[template(path = "signup/connect.html")]
struct ConnectPage {
    chrome: Chrome,
    launcher: Option<Launcher>,
    /// An attempt that waits for the customer's choice.
    unfinished: Option<String>,
}

#[derive(Template, WebTemplate)]
#[template(path = "signup/unconfigured.html")]
struct UnconfiguredPage {
    chrome: Chrome,
    is_staff: bool,
    /// Name, whether it is set, what comes of it.
    settings: Vec<(&'static str, bool, &'static str)>,
}

async fn connect(State(signup): State<Signup>, chrome: Chrome, SignedIn(user): SignedIn) -> Result<Response> {
    let meta = &*signup.meta();
    if meta.app.is_none() {
        // Customers are told kindly, staff exactly.
        let settings = vec![
            ("App ID and App Secret", false, "Without them nobody can connect."),
            (
                "Embedded Signup configuration ID",
                meta.es_config_id.is_some(),
                "Without it customers go through plain OAuth and must type their WABA ID.",
            ),
        ];
        return Ok(UnconfiguredPage { chrome, is_staff: user.role.is_staff(), settings }.into_response());
    }
    let Some(customer) = user.customer_id else { return Err(Error::Forbidden) };
    let member = Member { user, customer };
    let launcher = Launcher::new(meta, &member, &signup.details(customer).await?, None);
    let recent = signup.recent(member.customer, 5).await?;
    let unfinished = recent.iter().find(|one| one.step.waits_for_customer()).map(|one| one.id.to_string());
    Ok((OpensFacebook, ConnectPage { chrome, launcher, unfinished }).into_response())
}
