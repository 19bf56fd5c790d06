//! The configuration check: asks Meta and ourselves everything at once, and makes a line of each answer. The
//! backoffice, `doctor` and a job use it.

use super::{
    check_app as app, check_reach as reach, check_token as token, check_webhooks as webhooks, findings::Finding,
};
use crate::{
    base::{
        clock::Clock,
        http::{Outbound, Reach},
        sealed::KeyRing,
    },
    graph::{Access, AppCredentials, ErrorClass, GraphError, Setup},
};
use std::time::Duration;
use time::OffsetDateTime;
use url::Url;

/// How long one question may take. All are asked at once, so the check takes hardly longer.
const PATIENCE: Duration = Duration::from_secs(8);

/// What our own records say; `None` where there is no database to ask.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    /// How many customers connected for the first time in the last 7 days.
    pub onboarded: Option<i64>,
    /// Whether the Embedded Signup configuration that counts now has brought a customer.
    pub config_worked: Option<bool>,
    /// What is ticked on the go-live list.
    pub ticked: Vec<String>,
}

/// What the check needs beside the setup.
#[derive(Clone)]
pub struct Surroundings {
    /// Where people reach the portal.
    pub public_url: Url,
    /// Proves that an answer under that address is ours.
    pub keys: KeyRing,
    /// The time.
    pub clock: Clock,
}

/// What Meta answers to a question.
pub(super) type Answer<T> = Result<T, GraphError>;

/// Why the lines about the app can't be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ground {
    /// They can.
    Firm,
    /// Meta does not answer.
    Dead,
    /// The credentials are not right.
    Refused,
    /// There are none.
    Missing,
}

impl Ground {
    fn why(self) -> &'static str {
        match self {
            Self::Firm => "",
            Self::Dead => "Meta does not answer",
            Self::Refused => "Meta must take App ID and App Secret first",
            Self::Missing => "App ID and App Secret come first",
        }
    }
}

/// The lines that need Meta to take our credentials, with what they are about.
const OF_THE_APP: [(&str, &str); 13] = [
    ("app.domains", "the App Domains"),
    ("app.privacy", "the privacy policy’s URL"),
    ("app.terms", "the terms’ URL"),
    ("app.icon", "the app’s icon"),
    ("app.category", "the app’s category"),
    ("permission.management", "the permission whatsapp_business_management"),
    ("permission.messaging", "the permission whatsapp_business_messaging"),
    ("webhooks.callback", "the webhooks’ callback"),
    ("webhooks.fields", "the needed webhook fields"),
    ("webhooks.recommended", "the recommended webhook fields"),
    ("token", "the system token"),
    ("token.permissions", "the system token’s permissions"),
    ("business", "the business portfolio"),
];

/// Asks one question, for no longer than [`PATIENCE`].
pub(super) async fn ask<T>(question: impl Future<Output = Answer<T>>) -> Answer<T> {
    match tokio::time::timeout(PATIENCE, question).await {
        Ok(answer) => answer,
        Err(_) => Err(GraphError::Unreachable { timeout: true, detail: String::new() }),
    }
}

/// Everything that is asked once there are an App ID and a secret.
async fn ask_meta(meta: &Setup, credentials: &AppCredentials, now: OffsetDateTime) -> (Vec<Finding>, Ground) {
    let graph = &meta.graph;
    let inspect = async {
        match &meta.system_token {
            Some(token) => Some(ask(graph.debug_token(credentials, token)).await),
            None => None,
        }
    };
    let portfolio = async {
        match (&meta.system_token, &meta.business_id) {
            (Some(token), Some(id)) => {
                let access = Access::new(token.clone(), credentials.secret.clone());
                Some(ask(graph.business(&access, id)).await)
            }
            _ => None,
        }
    };
    let (info, proof, profile, permissions, subscriptions, token_info, business) = tokio::join!(
        ask(graph.app(credentials)),
        ask(graph.prove_app(credentials)),
        ask(graph.app_profile(credentials)),
        ask(graph.app_permissions(credentials)),
        ask(graph.app_subscriptions(credentials)),
        inspect,
        portfolio,
    );
    let (mut all, ground) = app::credentials(&info, &proof, graph.version());
    if ground == Ground::Firm {
        all.extend(app::profile(&profile, &meta.redirect_uri));
        all.extend(app::permissions(&permissions));
        all.extend(webhooks::lines(&subscriptions, meta));
        all.extend(token::lines(token_info.as_ref(), credentials, now));
        all.push(token::business(business.as_ref(), meta));
    }
    (all, ground)
}

/// Looks at everything.
pub(super) async fn examine(meta: &Setup, around: &Surroundings, records: &Records) -> Vec<Finding> {
    let outbound = Outbound::new(Reach::Operator, PATIENCE);
    let of_meta = async {
        match &meta.app {
            Some(credentials) => ask_meta(meta, credentials, around.clock.now()).await,
            None => (
                vec![Finding::grey("graph", "Meta’s Graph API: not asked without an App ID"), app::missing()],
                Ground::Missing,
            ),
        }
    };
    let ((mut all, ground), sdk, public) =
        tokio::join!(of_meta, reach::sdk(&outbound, &meta.sdk_url), reach::public(&outbound, around));
    if ground != Ground::Firm {
        all.extend(
            OF_THE_APP.iter().map(|(id, about)| Finding::grey(id, format!("{about}: not checked, {}", ground.why()))),
        );
    }
    all.push(webhooks::verify_token(meta));
    all.push(app::es_config(meta, records));
    all.extend(public);
    all.push(sdk);
    all.push(reach::version(meta.graph.version(), around.clock.now().date()));
    let limit = reach::limit(records, &all);
    all.push(limit);
    all
}

/// Whether an error says nothing about what was asked.
pub(super) fn is_no_answer(error: &GraphError) -> bool {
    // A code 1 that names the secret is a plain answer.
    error.class() == ErrorClass::Transient && !app::is_wrong_secret(error)
}

/// The line where a question got no answer to speak of.
pub(super) fn untold(id: &str, about: &str, error: &GraphError) -> Finding {
    Finding::grey(id, format!("{about}: Meta does not tell")).with_detail(error.to_string())
}
