//! What the App Dashboard and the Business settings hold beside credentials and addresses: the fields of *App
//! settings, Basic*, approved permissions, verification. `POST /_sandbox/dashboard` and the home page change it, so
//! that every line of a configuration check can be provoked.
//!
//! Meta: Graph API reference, *Application*, *Application Permissions*; app-dashboard/basic-settings and
//! advanced-settings.

use super::{
    Sandbox, control,
    control::{Answer, ok, read, unsaved},
    state::State as Kept,
    tokens::{BUSINESS, DAY_MS, Kind, MANAGEMENT, MESSAGING, Token},
};
use axum::{
    Form,
    body::Bytes,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What is filled in; an empty text is not filled in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Dashboard {
    /// *App domains*; `None`: the hosts of the redirect URIs and allowed domains.
    pub app_domains: Option<Vec<String>>,
    pub privacy_policy_url: String,
    pub terms_of_service_url: String,
    pub icon_url: String,
    pub category: String,
    /// Permissions that App Review has approved.
    pub approved_permissions: Vec<String>,
    /// `verified`, `not_verified`, `pending`.
    pub business_verification: String,
    /// Webhook fields that this app may not have.
    pub refused_fields: Vec<String>,
    /// Whether a subscription replaces the fields that were there; by Meta's reference it adds to them.
    pub replaces_fields: bool,
    /// *Native or desktop app*: the app token is refused although the secret is right.
    pub is_native: bool,
    /// Whether only who has a role on the app may upload files: the operator's system user, no customer.
    pub uploads_need_role: bool,
}

impl Default for Dashboard {
    fn default() -> Self {
        Self {
            app_domains: None,
            privacy_policy_url: "https://operator.example/privacy".to_owned(),
            terms_of_service_url: "https://operator.example/terms".to_owned(),
            icon_url: "https://operator.example/icon.png".to_owned(),
            category: "Business and pages".to_owned(),
            approved_permissions: [MANAGEMENT, MESSAGING].map(str::to_owned).to_vec(),
            business_verification: "verified".to_owned(),
            refused_fields: Vec::new(),
            replaces_fields: false,
            is_native: false,
            uploads_need_role: false,
        }
    }
}

/// *App domains* as the Graph API tells them.
pub(super) fn app_domains(state: &Kept) -> Vec<String> {
    let host = |text: &String| {
        let url = url::Url::parse(text).ok().and_then(|url| url.host_str().map(str::to_owned));
        url.unwrap_or_else(|| text.split(':').next().unwrap_or_default().to_owned())
    };
    state.app.dashboard.app_domains.clone().unwrap_or_else(|| {
        let all = state.app.allowed_domains.iter().chain(&state.app.redirect_uris).map(host);
        all.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    })
}

/// What is to be changed; what is left out stays.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Change {
    app_domains: Option<Vec<String>>,
    privacy_policy_url: Option<String>,
    terms_of_service_url: Option<String>,
    icon_url: Option<String>,
    category: Option<String>,
    approved_permissions: Option<Vec<String>>,
    business_verification: Option<String>,
    refused_fields: Option<Vec<String>>,
    replaces_fields: Option<bool>,
    is_native: Option<bool>,
    uploads_need_role: Option<bool>,
    /// False takes the webhook subscription off.
    subscribed: Option<bool>,
    /// Whether the subscription is on.
    subscription_active: Option<bool>,
    system_token_revoked: Option<bool>,
    /// In how many days the system token ends; 0: never.
    system_token_days: Option<i64>,
    system_token_scopes: Option<Vec<String>>,
}

fn apply(state: &mut Kept, change: Change, now_ms: i64) {
    let board = &mut state.app.dashboard;
    let set = |to: &mut String, new: Option<String>| *to = new.unwrap_or_else(|| std::mem::take(to));
    board.app_domains = change.app_domains.or(board.app_domains.take());
    set(&mut board.privacy_policy_url, change.privacy_policy_url);
    set(&mut board.terms_of_service_url, change.terms_of_service_url);
    set(&mut board.icon_url, change.icon_url);
    set(&mut board.category, change.category);
    set(&mut board.business_verification, change.business_verification);
    if let Some(permissions) = change.approved_permissions {
        board.approved_permissions = permissions;
    }
    if let Some(fields) = change.refused_fields {
        board.refused_fields = fields;
    }
    board.replaces_fields = change.replaces_fields.unwrap_or(board.replaces_fields);
    board.is_native = change.is_native.unwrap_or(board.is_native);
    board.uploads_need_role = change.uploads_need_role.unwrap_or(board.uploads_need_role);
    if change.subscribed == Some(false) {
        state.app.subscription = None;
    }
    if let (Some(active), Some(subscription)) = (change.subscription_active, &mut state.app.subscription) {
        subscription.active = active;
    }
    if let Some(token) = state.tokens.iter_mut().find(|token| token.kind == Kind::System) {
        token.revoked = change.system_token_revoked.unwrap_or(token.revoked);
        if let Some(days) = change.system_token_days {
            token.expires_ms = if days == 0 { 0 } else { now_ms + days * DAY_MS };
        }
        if let Some(scopes) = change.system_token_scopes {
            token.scopes = scopes;
        }
    }
}

/// `POST /_sandbox/dashboard`.
pub(super) async fn change(State(sandbox): State<Sandbox>, body: Bytes) -> Answer {
    let asked: Change = read(&body)?;
    let now_ms = sandbox.now_ms();
    let board = sandbox.change(|state| {
        apply(state, asked, now_ms);
        state.app.dashboard.clone()
    });
    ok(json!({"dashboard": board.map_err(unsaved)?}))
}

/// A switch of the home page: its name, its words, and whether it is on.
pub(super) struct Switch {
    pub name: &'static str,
    pub words: &'static str,
    pub on: bool,
}

/// The switches as they stand.
pub(super) fn switches(state: &Kept, now_ms: i64) -> Vec<Switch> {
    let board = &state.app.dashboard;
    let approved = |name: &str| board.approved_permissions.iter().any(|one| one == name);
    let system = state.tokens.iter().find(|token| token.kind == Kind::System);
    let works = |token: &Token| !token.revoked && !token.expired(now_ms);
    let switch = |name, words, on| Switch { name, words, on };
    vec![
        switch("management", "whatsapp_business_management is approved", approved(MANAGEMENT)),
        switch("messaging", "whatsapp_business_messaging is approved", approved(MESSAGING)),
        switch("verified", "The business is verified", board.business_verification == "verified"),
        switch("privacy", "The privacy policy’s URL is filled in", !board.privacy_policy_url.is_empty()),
        switch("terms", "The terms’ URL is filled in", !board.terms_of_service_url.is_empty()),
        switch("icon", "There is an app icon", !board.icon_url.is_empty()),
        switch("category", "A category is chosen", !board.category.is_empty()),
        switch("domains", "App Domains are filled in", !app_domains(state).is_empty()),
        switch("token", "The operator’s system token works", system.is_some_and(works)),
        switch("scopes", "It has business_management", system.is_some_and(|token| token.may(BUSINESS))),
        switch("subscription", "A webhook subscription is there", state.app.subscription.is_some()),
    ]
}

/// `POST /dashboard`: the home page's switches; those that are not ticked are off. A subscription that is not there
/// can't be switched on from here: that takes the handshake.
pub(super) async fn switch(
    State(sandbox): State<Sandbox>,
    headers: HeaderMap,
    Form(form): Form<Vec<(String, String)>>,
) -> Response {
    if !sandbox.is_open() || !control::same_site(&sandbox, &headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let on = |name: &str| form.iter().any(|(_, value)| value == name);
    let good = Dashboard::default();
    let text = |name: &str, good: String| Some(if on(name) { good } else { String::new() });
    let approved = [("management", MANAGEMENT), ("messaging", MESSAGING)];
    let approved = approved.into_iter().filter(|(name, _)| on(name)).map(|(_, scope)| scope.to_owned());
    let scopes = [BUSINESS, MANAGEMENT, MESSAGING].into_iter().filter(|scope| *scope != BUSINESS || on("scopes"));
    let change = Change {
        app_domains: None,
        privacy_policy_url: text("privacy", good.privacy_policy_url),
        terms_of_service_url: text("terms", good.terms_of_service_url),
        icon_url: text("icon", good.icon_url),
        category: text("category", good.category),
        approved_permissions: Some(approved.collect()),
        business_verification: Some(if on("verified") { "verified" } else { "not_verified" }.to_owned()),
        subscribed: Some(on("subscription")),
        system_token_revoked: Some(!on("token")),
        system_token_scopes: Some(scopes.map(str::to_owned).collect()),
        ..Change::default()
    };
    let now_ms = sandbox.now_ms();
    let changed = sandbox.change(|state| {
        apply(state, change, now_ms);
        // On: whatever the app's addresses are.
        state.app.dashboard.app_domains = if on("domains") { None } else { Some(Vec::new()) };
    });
    match changed {
        Ok(()) => Redirect::to("/#dashboard").into_response(),
        Err(error) => {
            tracing::error!(%error, "the sandbox's state could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
