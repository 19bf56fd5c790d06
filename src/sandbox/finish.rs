//! What finishing a signup does: the assets are made and shared, the grant is written down, a code is
//! given out, and the webhook that tells the provider is queued.

use super::{
    assets::{Business, NameStatus, Phone, PhoneMore, Waba, digits},
    ids, names, outcome,
    scenario::{Fault, Plain, Scenario},
    setup::Fields,
    state::State,
    tokens::{self, Code, DAY_MS, Grant, Granular, Kind},
    webhooks::{self, Delivery},
};
use serde_json::Value;

/// What the person chose on their way.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// An existing portfolio, else a new one.
    pub business_id: Option<String>,
    /// An existing WABA, else a new one.
    pub waba_id: Option<String>,
    pub fields: Fields,
    pub number: Number,
    pub scenarios: Vec<Scenario>,
    pub kind: Kind,
    /// The scopes of a plain OAuth dialog; empty: those of the configuration.
    pub scopes: Vec<String>,
    pub redirect_uri: Option<String>,
}

/// What becomes of the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    None,
    Verified,
    Unverified,
    /// Also in use with the WhatsApp Business app.
    Coexistence,
}

/// What finishing brought about.
#[derive(Clone, Debug)]
pub(super) struct Finished {
    pub code: Option<String>,
    /// The message event, `None` where it is lost.
    pub event: Option<Value>,
    pub business_id: String,
    pub waba_ids: Vec<String>,
    pub phone_ids: Vec<String>,
}

/// How long a number's deletion elsewhere takes (error-codes, 133015).
const DELETING_MS: i64 = 5 * 60_000;
const SHORT_LIFE_MS: i64 = 3 * DAY_MS;

impl Plan {
    fn has(&self, plain: Plain) -> bool {
        self.scenarios.contains(&Scenario::Plain(plain))
    }

    /// What becomes of the number, the scenarios counted in.
    fn number(&self) -> Number {
        if self.has(Plain::NoNumber) {
            Number::None
        } else if self.has(Plain::Coexistence) || self.has(Plain::HistoryDeclined) {
            Number::Coexistence
        } else if self.has(Plain::UnverifiedNumber) {
            Number::Unverified
        } else {
            self.number
        }
    }
}

/// What the customer has afterwards: new, or as it was.
pub(super) struct Assets {
    pub business_id: String,
    pub waba_ids: Vec<String>,
    pub phone_ids: Vec<String>,
}

/// Makes what the plan asks for and is not there yet.
pub(super) fn assets(state: &mut State, plan: &Plan, now_ms: i64) -> Assets {
    let business_id = business(state, plan, now_ms);
    let mut waba_ids = vec![waba(state, plan, &business_id, now_ms)];
    let mut phone_ids: Vec<String> = state.phones_of(&waba_ids[0]).map(|phone| phone.id.clone()).collect();
    if phone_ids.is_empty() && plan.number() != Number::None {
        phone_ids.push(phone(state, plan, &waba_ids[0], &plan.fields.number, plan.number(), now_ms));
        if plan.has(Plain::SeveralNumbers) {
            for _ in 0..2 {
                phone_ids.push(phone(state, plan, &waba_ids[0], "", Number::Verified, now_ms));
            }
        }
    }
    if plan.waba_id.is_some() && plan.kind == Kind::Business && plan.number() == Number::Verified {
        // The code was entered on the way.
        for phone in state.phones.iter_mut().filter(|phone| phone.waba_id == waba_ids[0]) {
            phone.verified = true;
        }
    }
    if plan.has(Plain::SeveralWabas) {
        for numbers in [2, 1] {
            let id = new_waba(state, &business_id, &format!("Branch {}", state.wabas.len() + 1), now_ms);
            for _ in 0..numbers {
                phone_ids.push(phone(state, plan, &id, "", Number::Verified, now_ms));
            }
            waba_ids.push(id);
        }
    }
    Assets { business_id, waba_ids, phone_ids }
}

/// Carries the plan out.
pub(super) fn finish(state: &mut State, plan: &Plan, now_ms: i64) -> Finished {
    let Assets { business_id, waba_ids, phone_ids } = assets(state, plan, now_ms);
    let declined = plan.has(Plain::PermissionsDeclined);
    for id in &waba_ids {
        if let Some(waba) = state.waba_mut(id) {
            waba.shared |= !declined;
        }
    }
    let grant = grant(state, plan, &business_id);
    let code = code(state, plan, &grant, now_ms);
    if let Some(business) = state.businesses.iter_mut().find(|business| business.id == business_id) {
        business.grant = Some(grant);
    }
    if !declined && plan.kind == Kind::Business {
        for id in &waba_ids {
            let body = webhooks::partner(state, "PARTNER_ADDED", id, &business_id, now_ms);
            state.outbox.push(Delivery::new(body, now_ms));
        }
    }
    for scenario in &plan.scenarios {
        if let Scenario::Graph(kind) = scenario {
            state.faults.push(Fault { kind: *kind, times: Some(kind.usual_times()), path: None });
        }
    }
    let coexistence = plan.number() == Number::Coexistence && plan.waba_id.is_none();
    let event = outcome::finished(&business_id, &waba_ids[0], phone_ids.first().map(String::as_str), coexistence);
    Finished {
        code: Some(code).filter(|_| !plan.has(Plain::CodeLost)),
        event: Some(event).filter(|_| !plan.has(Plain::EventLost) && plan.kind == Kind::Business),
        business_id,
        waba_ids,
        phone_ids,
    }
}

fn business(state: &mut State, plan: &Plan, now_ms: i64) -> String {
    let fields = &plan.fields;
    if let Some(id) = plan.business_id.as_deref().filter(|id| state.business(id).is_some()) {
        return id.to_owned();
    }
    let name = if fields.business_name.is_empty() { default_name(state) } else { fields.business_name.clone() };
    let id = ids::object();
    state.businesses.push(Business {
        id: id.clone(),
        name,
        email: fields.email.clone(),
        website: fields.website.clone(),
        country: fields.country.clone(),
        timezone: fields.timezone.clone(),
        created_ms: now_ms,
        grant: None,
    });
    id
}

/// A name for a business that was given none.
pub(super) fn default_name(state: &State) -> String {
    format!("Sandbox Shop {}", state.businesses.len() + 1)
}

fn waba(state: &mut State, plan: &Plan, business_id: &str, now_ms: i64) -> String {
    let existing = plan.waba_id.as_deref().and_then(|id| state.waba(id));
    if let Some(waba) = existing.filter(|waba| waba.business_id == business_id) {
        return waba.id.clone();
    }
    let name = state.business(business_id).map(|business| business.name.clone()).unwrap_or_default();
    new_waba(state, business_id, &name, now_ms)
}

fn new_waba(state: &mut State, business_id: &str, name: &str, now_ms: i64) -> String {
    let id = ids::object();
    state.wabas.push(Waba {
        id: id.clone(),
        business_id: business_id.to_owned(),
        name: name.to_owned(),
        currency: "USD".to_owned(),
        created_ms: now_ms,
        shared: false,
        subscribed: None,
        own_subscribed: Vec::new(),
    });
    id
}

fn phone(state: &mut State, plan: &Plan, waba_id: &str, number: &str, kind: Number, now_ms: i64) -> String {
    let display = if number.is_empty() { made_up_number(state) } else { number.to_owned() };
    let name = state.waba(waba_id).map(|waba| waba.name.clone()).unwrap_or_default();
    let given = &plan.fields.display_name;
    let verified_name = if given.is_empty() { name } else { given.clone() };
    let id = ids::object();
    let pending = [Plain::DisplayNamePending, Plain::DisplayNameReview, Plain::DisplayNameDeclined];
    let declined = plan.has(Plain::DisplayNameDeclined);
    let more = PhoneMore {
        deleting_until_ms: if plan.has(Plain::NumberDeleted) { now_ms + DELETING_MS } else { 0 },
        half_deregistered: plan.has(Plain::HalfDeregistered),
        history_declined: plan.has(Plain::HistoryDeclined),
        review: (declined || plan.has(Plain::DisplayNameReview))
            .then(|| names::first_review(&verified_name, declined, now_ms)),
        ..PhoneMore::default()
    };
    state.phones.push(Phone {
        id: id.clone(),
        waba_id: waba_id.to_owned(),
        display,
        verified_name,
        category: if plan.fields.category.is_empty() { "OTHER".to_owned() } else { plan.fields.category.clone() },
        description: plan.fields.description.clone(),
        created_ms: now_ms,
        verified: kind != Number::Unverified,
        registered: false,
        on_biz_app: kind == Number::Coexistence,
        name_status: if pending.iter().any(|scenario| plan.has(*scenario)) {
            NameStatus::PendingReview
        } else {
            NameStatus::AvailableWithoutReview
        },
        pin: plan.has(Plain::PinSet).then(|| "246810".to_owned()),
        register_tries_ms: Vec::new(),
        deregister_tries_ms: Vec::new(),
        blocked_until_ms: 0,
        override_callback_uri: None,
        more,
    });
    id
}

/// A number that nobody has: 555-01xx is kept for fiction in North America.
pub(super) fn made_up_number(state: &mut State) -> String {
    const AREAS: [&str; 10] = ["202", "212", "305", "312", "404", "415", "503", "617", "702", "818"];
    loop {
        let at = state.made_up as usize;
        state.made_up += 1;
        let number = format!("+1 {} 555 01{:02}", AREAS[at % AREAS.len()], (at / AREAS.len()) % 100);
        let taken = state.phones.iter().any(|phone| digits(&phone.display) == digits(&number));
        if !taken || at > 100_000 {
            return number;
        }
    }
}

fn grant(state: &State, plan: &Plan, business_id: &str) -> Grant {
    let waba_ids: Vec<String> = match plan.kind {
        Kind::User => state.wabas.iter().map(|waba| waba.id.clone()).collect(),
        _ => state.wabas_of(business_id).filter(|waba| waba.shared).map(|waba| waba.id.clone()).collect(),
    };
    let asked: Vec<String> = if plan.scopes.is_empty() {
        [tokens::BUSINESS, tokens::MANAGEMENT, tokens::MESSAGING].map(str::to_owned).to_vec()
    } else {
        plan.scopes.clone()
    };
    let whatsapp = |scope: &str| scope == tokens::MANAGEMENT || scope == tokens::MESSAGING;
    let mut scopes: Vec<String> = match () {
        () if plan.has(Plain::PermissionsDeclined) => Vec::new(),
        () if plan.has(Plain::StaleGrant) => asked.into_iter().filter(|scope| !whatsapp(scope)).collect(),
        () => asked,
    };
    let targets = |scope: &str| match scope {
        tokens::BUSINESS => Some(vec![business_id.to_owned()]),
        _ if plan.kind == Kind::User || plan.has(Plain::GranularWithoutTargets) => None,
        _ => Some(waba_ids.clone()),
    };
    let granular = scopes.iter().map(|scope| Granular { scope: scope.clone(), target_ids: targets(scope) }).collect();
    scopes.push(tokens::PROFILE.to_owned());
    Grant {
        kind: plan.kind,
        business_id: business_id.to_owned(),
        waba_ids,
        scopes,
        granular,
        lifetime_ms: if plan.has(Plain::TokenExpiringSoon) { SHORT_LIFE_MS } else { tokens::TOKEN_LIFE_MS },
        revoke_at_once: plan.has(Plain::TokenRevoked),
    }
}

fn code(state: &mut State, plan: &Plan, grant: &Grant, now_ms: i64) -> String {
    let life = if plan.has(Plain::CodeExpiredNow) { 0 } else { tokens::CODE_LIFE_MS };
    let code = ids::code();
    state.codes.push(Code {
        code: code.clone(),
        redirect_uri: plan.redirect_uri.clone(),
        expires_ms: now_ms + life,
        used: false,
        grant: grant.clone(),
    });
    code
}
