//! Apps that customers have of their own: an ID, a secret, tokens, and a callback of their own. They share the Graph
//! API with the operator's app, and see nothing of each other.
//!
//! Meta: access-tokens (system users); webhooks/create-webhook-endpoint; *Secure Graph API calls*.

use super::{
    Sandbox, assets,
    control::{Answer, ok, read, refused, unsaved},
    finish::{self, Number, Plan},
    ids, setup,
    state::{State as Kept, Subscription},
    tokens::{BUSINESS, Grant, Granular, Kind, MANAGEMENT, MESSAGING, Token},
    webhooks,
};
use axum::{body::Bytes, extract::State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// An app of a customer's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct OwnApp {
    pub id: String,
    pub name: String,
    /// In the file too: nobody else knows it.
    pub secret: String,
    /// The switch *Require App Secret*.
    pub require_app_secret: bool,
    pub subscription: Option<Subscription>,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct NewApp {
    name: String,
    /// An account that the app's token opens; else a new one, of a business that shares nothing with the operator.
    waba_id: Option<String>,
    require_app_secret: bool,
    /// Instead of both WhatsApp permissions and `business_management`.
    scopes: Option<Vec<String>>,
    /// Of an app that is there: another token of it.
    app_id: Option<String>,
}

/// `POST /_sandbox/apps`: an app, and a system user's token of it.
pub(super) async fn make(State(sandbox): State<Sandbox>, body: Bytes) -> Answer {
    let asked: NewApp = read(&body)?;
    let now_ms = sandbox.now_ms();
    let made = sandbox.change(|state| carry_out(state, asked, now_ms)).map_err(unsaved)?;
    made.map_err(|why| refused(StatusCode::NOT_FOUND, why)).and_then(ok)
}

fn carry_out(state: &mut Kept, asked: NewApp, now_ms: i64) -> Result<serde_json::Value, &'static str> {
    let (waba_id, business_id) = match &asked.waba_id {
        Some(id) => state.waba(id).map(|waba| (waba.id.clone(), waba.business_id.clone())).ok_or("no such account")?,
        None => {
            let extras = setup::read(&json!({"setup": {}}));
            let plan = Plan {
                business_id: None,
                waba_id: None,
                fields: extras.fields,
                number: Number::Verified,
                scenarios: Vec::new(),
                kind: Kind::Business,
                scopes: Vec::new(),
                redirect_uri: None,
            };
            let made = finish::assets(state, &plan, now_ms);
            (made.waba_ids[0].clone(), made.business_id)
        }
    };
    let app = match &asked.app_id {
        Some(id) => state.own_app(id).cloned().ok_or("no such app")?,
        None => {
            let name = if asked.name.is_empty() { "A customer's app".to_owned() } else { asked.name };
            let app = OwnApp {
                id: ids::object(),
                name,
                secret: ids::alphanumeric(32).to_lowercase(),
                require_app_secret: asked.require_app_secret,
                subscription: None,
            };
            state.own_apps.push(app.clone());
            app
        }
    };
    let scopes = asked.scopes.unwrap_or_else(|| [BUSINESS, MANAGEMENT, MESSAGING].map(str::to_owned).to_vec());
    let targets = |scope: &str| if scope == BUSINESS { vec![business_id.clone()] } else { vec![waba_id.clone()] };
    let granular =
        scopes.iter().map(|scope| Granular { scope: scope.clone(), target_ids: Some(targets(scope)) }).collect();
    let grant = Grant {
        kind: Kind::Business,
        business_id: business_id.clone(),
        waba_ids: vec![waba_id.clone()],
        scopes,
        granular,
        lifetime_ms: 0,
        revoke_at_once: false,
    };
    // A system user's token may never expire.
    let token =
        Token { app_id: Some(app.id.clone()), expires_ms: 0, data_access_expires_ms: 0, ..Token::of(&grant, now_ms) };
    let secret = token.secret.clone();
    state.tokens.push(token);
    let numbers: Vec<&assets::Phone> = state.phones_of(&waba_id).collect();
    Ok(json!({
        "app_id": app.id, "app_secret": app.secret, "token": secret, "waba_id": waba_id, "business_id": business_id,
        "phone_number_ids": numbers.iter().map(|phone| &phone.id).collect::<Vec<_>>(),
        "display_phone_numbers": numbers.iter().map(|phone| &phone.display).collect::<Vec<_>>(),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Callback {
    app_id: String,
    callback_url: String,
    verify_token: String,
    fields: Option<Vec<String>>,
}

/// `POST /_sandbox/apps/callback`: *Verify and save* in that app's dashboard.
pub(super) async fn callback(State(sandbox): State<Sandbox>, body: Bytes) -> Answer {
    let Callback { app_id, callback_url, verify_token, fields } = read(&body)?;
    if sandbox.read(|state| state.own_app(&app_id).is_none()) {
        return Err(refused(StatusCode::NOT_FOUND, "there is no such app"));
    }
    if let Err(why) = webhooks::handshake(&sandbox, &callback_url, &verify_token).await {
        let why = format!("The callback URL or verify token couldn't be validated: {why}");
        return Err(refused(StatusCode::BAD_REQUEST, why));
    }
    let fields = fields.unwrap_or_else(|| ["messages", "account_update"].map(str::to_owned).to_vec());
    let kept = sandbox.change(|state| {
        if let Some(app) = state.own_apps.iter_mut().find(|app| app.id == app_id) {
            app.subscription = Some(Subscription { callback_url, fields, active: true });
        }
    });
    kept.map_err(unsaved)?;
    ok(json!({"success": true}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSecret {
    app_id: String,
}

/// `POST /_sandbox/apps/secret`: *Reset* beside the App Secret in that app's dashboard.
pub(super) async fn reset_secret(State(sandbox): State<Sandbox>, body: Bytes) -> Answer {
    let NewSecret { app_id } = read(&body)?;
    let secret = ids::alphanumeric(32).to_lowercase();
    let found = sandbox.change(|state| {
        let app = state.own_apps.iter_mut().find(|app| app.id == app_id)?;
        app.secret.clone_from(&secret);
        Some(())
    });
    match found.map_err(unsaved)? {
        Some(()) => ok(json!({"app_secret": secret})),
        None => Err(refused(StatusCode::NOT_FOUND, "there is no such app")),
    }
}
