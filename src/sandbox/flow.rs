//! One walk through the dialog: which screen it is on, what was entered, how it ended. The screens are
//! those of Embedded Signup v4 (embedded-signup/default-flow), the plain OAuth flow has fewer.

use super::{
    assets::digits,
    finish::{self, Finished, Number, Plan},
    ids,
    outcome::{self, Ending},
    scenario::{Plain, Scenario, Step},
    setup::{Extras, Fields},
    state::State,
    tokens::Kind,
};
use serde::{Deserialize, Serialize};

/// The code that "was sent" to the number.
pub(super) const CODE: &str = "123-830";
/// How long the SDK's half is held back for `code_expired`: past the code's 30 seconds.
const LATE_MS: u32 = 31_000;

/// A screen of the dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Screen {
    SignIn,
    Authorise,
    CantOnboard,
    Portfolio,
    Waba,
    Business,
    Number,
    Verify,
    Permissions,
    Done,
    ReportError,
}

/// How the dialog was opened, and so how its answer goes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Way {
    /// By the SDK, in a popup: to the opener's origin, under the channel's name.
    Popup { origin: String, channel: String },
    /// Full-page: by redirect.
    Page { redirect_uri: String, state: Option<String> },
}

/// One walk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Flow {
    pub id: String,
    pub created_ms: i64,
    pub way: Way,
    /// Embedded Signup, as opposed to plain OAuth.
    pub signup: bool,
    /// The scopes of plain OAuth.
    pub scopes: Vec<String>,
    pub screen: Screen,
    pub scenarios: Vec<Scenario>,
    pub fields: Fields,
    pub business_id: Option<String>,
    pub waba_id: Option<String>,
    /// `featureType` asked for coexistence.
    pub coexistence: bool,
    pub without_number: bool,
    pub unverified: bool,
    /// What was wrong with the last entry.
    pub error: Option<String>,
    pub ended: Option<Ending>,
}

impl Flow {
    /// A new walk, prefilled.
    pub fn new(state: &mut State, way: Way, signup: bool, scopes: Vec<String>, extras: Extras, now_ms: i64) -> Self {
        let mut fields = extras.fields;
        let owned = |id: &String| state.business(id).is_some();
        let by_name = || {
            let same = |name: &str| !name.is_empty() && name == fields.business_name;
            state.businesses.iter().find(|business| same(&business.name)).map(|business| business.id.clone())
        };
        let business_id = extras.business_id.filter(owned).or_else(by_name);
        let business = business_id.as_deref().and_then(|id| state.business(id));
        if let Some(business) = business.cloned() {
            fields.business_name = business.name;
            fields.email = business.email;
            fields.website = business.website;
            fields.country = business.country;
            fields.timezone = business.timezone;
        }
        fill(&mut fields.business_name, || finish::default_name(state));
        let name = fields.business_name.clone();
        fill(&mut fields.display_name, || name);
        fill(&mut fields.email, || "owner@shop.example".to_owned());
        fill(&mut fields.website, || "https://shop.example/".to_owned());
        fill(&mut fields.country, || "US".to_owned());
        fill(&mut fields.timezone, || "UTC-07:00".to_owned());
        fill(&mut fields.category, || "OTHER".to_owned());
        fill(&mut fields.method, || "SMS".to_owned());
        fields.number = finish::made_up_number(state);
        // Plain OAuth shares what is there; only a person without any account makes one.
        let waba_id = if signup { None } else { state.wabas.last().map(|waba| waba.id.clone()) };
        Self {
            id: ids::alphanumeric(32),
            created_ms: now_ms,
            way,
            signup,
            scopes,
            screen: Screen::SignIn,
            scenarios: Vec::new(),
            fields,
            business_id,
            waba_id,
            coexistence: extras.coexistence,
            without_number: extras.without_number,
            unverified: false,
            error: None,
            ended: None,
        }
    }

    pub fn has(&self, plain: Plain) -> bool {
        self.scenarios.contains(&Scenario::Plain(plain))
    }

    /// Whether the number stays in the WhatsApp Business app.
    pub fn coexists(&self) -> bool {
        self.coexistence || self.has(Plain::Coexistence)
    }

    /// Meta's name of the current screen. Sign-in and authorisation come before Embedded Signup begins
    /// and have none.
    pub fn step(&self) -> Option<Step> {
        match self.screen {
            Screen::SignIn | Screen::Authorise | Screen::CantOnboard => None,
            Screen::Portfolio => Some(Step::BusinessAccountSelection),
            Screen::Waba => Some(Step::WabaPhoneProfilePicker),
            Screen::Business => Some(Step::WhatsappBusinessProfileSetup),
            Screen::Number | Screen::ReportError => Some(Step::PhoneNumberSetup),
            Screen::Verify => Some(Step::PhoneNumberVerification),
            Screen::Permissions | Screen::Done => Some(Step::Permissions),
        }
    }

    /// The person (or a scenario) leaves.
    pub fn cancel(&mut self) {
        self.end(Ending { event: self.step().map(outcome::cancelled), ..Ending::default() });
    }

    fn end(&mut self, mut ending: Ending) {
        if self.has(Plain::EventLost) || !self.signup {
            ending.event = None;
            ending.close_event = None;
        }
        if let Way::Page { redirect_uri, state } = &self.way {
            let denied = [
                ("error", "access_denied"),
                ("error_code", "200"),
                ("error_description", "Permissions error"),
                ("error_reason", "user_denied"),
            ];
            let code = ending.code.iter().map(|code| ("code", code.as_str()));
            let pairs: Vec<(&str, &str)> = if ending.finished { code.collect() } else { denied.to_vec() };
            let state = state.iter().map(|state| ("state", state.as_str()));
            ending.redirect = redirect(redirect_uri, pairs.into_iter().chain(state));
        }
        self.error = None;
        self.ended = Some(ending);
    }

    /// What the scenarios make of having come to the current screen.
    pub fn arrive(&mut self) {
        if self.ended.is_some() {
            return;
        }
        if self.has(Plain::CantOnboard) && self.screen > Screen::Authorise {
            self.screen = Screen::CantOnboard;
            return;
        }
        let Some(here) = self.step() else { return };
        for scenario in self.scenarios.clone() {
            match scenario {
                Scenario::Cancel(step) if here >= step => {
                    return self.end(Ending { event: Some(outcome::cancelled(step)), ..Ending::default() });
                }
                Scenario::Close(step) if here >= step => {
                    return self.end(Ending { close_event: Some(outcome::cancelled(step)), ..Ending::default() });
                }
                _ => {}
            }
        }
    }

    /// The primary button: on to the next screen, or the end. What finishing made is returned.
    pub fn advance(&mut self, state: &mut State, choice: &str, code: &str, now_ms: i64) -> Option<Finished> {
        self.error = None;
        if self.screen >= Screen::Number && self.screen != Screen::ReportError {
            if self.has(Plain::ErrorEvent) {
                self.end(Ending { event: Some(outcome::error_event(now_ms)), ..Ending::default() });
                return None;
            }
            if self.has(Plain::ErrorReported) {
                self.screen = Screen::ReportError;
                return None;
            }
        }
        match self.screen {
            Screen::SignIn => self.screen = Screen::Authorise,
            Screen::Authorise => self.screen = if self.signup { Screen::Portfolio } else { Screen::Waba },
            Screen::CantOnboard => self.end(Ending::default()),
            Screen::Portfolio => {
                self.business_id = state.business(choice).map(|business| business.id.clone());
                self.waba_id = self.usual_waba(state);
                self.screen = Screen::Waba;
            }
            Screen::Waba => {
                let waba = state.waba(choice);
                self.waba_id = waba.map(|waba| waba.id.clone());
                if let Some(waba) = waba {
                    self.business_id = Some(waba.business_id.clone());
                }
                if self.waba_id.is_none() && !self.signup {
                    // The person must be able to read the ID of what they share.
                    let made = finish::assets(state, &self.plan(), now_ms);
                    self.business_id = Some(made.business_id);
                    self.waba_id = made.waba_ids.into_iter().next();
                }
                self.screen = self.after_waba(state);
            }
            Screen::Business => self.check_business(),
            Screen::Number => self.check_number(state),
            Screen::Verify => self.check_code(code),
            Screen::Permissions => self.screen = Screen::Done,
            Screen::ReportError => {
                self.end(Ending { event: Some(outcome::error_reported(now_ms)), ..Ending::default() });
            }
            Screen::Done => return Some(self.finish(state, now_ms)),
        }
        self.arrive();
        None
    }

    /// The account that is preselected: whoever comes again means the one they have, so that clicking only
    /// the primary buttons ends with one account, also the second time. Where the scenario is about a new
    /// number, a new account is.
    fn usual_waba(&self, state: &State) -> Option<String> {
        const NEEDS_NEW: [Plain; 5] = [
            Plain::NoNumber,
            Plain::UnverifiedNumber,
            Plain::Coexistence,
            Plain::SeveralNumbers,
            Plain::DisplayNamePending,
        ];
        if self.coexistence || NEEDS_NEW.into_iter().any(|scenario| self.has(scenario)) {
            return None;
        }
        let business = self.business_id.as_deref()?;
        state.wabas_of(business).last().map(|waba| waba.id.clone())
    }

    /// An account that is there needs no set-up; one without a number, or whose number is not verified,
    /// needs that.
    fn after_waba(&self, state: &State) -> Screen {
        let Some(waba) = &self.waba_id else { return Screen::Business };
        let mut phones = state.phones_of(waba).peekable();
        if !self.signup || self.without_number {
            Screen::Permissions
        } else if phones.peek().is_none() {
            Screen::Number
        } else if phones.any(|phone| !phone.verified) {
            Screen::Verify
        } else {
            Screen::Permissions
        }
    }

    fn check_business(&mut self) {
        if self.fields.business_name.is_empty() {
            self.error = Some("Enter the business's name.".to_owned());
        } else if self.without_number || self.has(Plain::NoNumber) {
            self.screen = Screen::Permissions;
        } else {
            self.screen = Screen::Number;
        }
    }

    fn check_number(&mut self, state: &State) {
        let number = digits(&self.fields.number);
        if !(7..=15).contains(&number.len()) {
            self.error = Some("This is no phone number. Enter it with its country code, such as +1.".to_owned());
        } else if state.phones.iter().any(|phone| digits(&phone.display) == number) {
            self.error = Some("This phone number already exists in the sandbox. Enter another one.".to_owned());
        } else if self.fields.display_name.is_empty() {
            self.error = Some("Enter a display name.".to_owned());
        } else {
            if !self.fields.number.starts_with('+') {
                self.fields.number.insert(0, '+');
            }
            self.screen = Screen::Verify;
        }
    }

    fn check_code(&mut self, code: &str) {
        if self.has(Plain::UnverifiedNumber) || digits(code) == digits(CODE) {
            self.unverified = false;
            self.screen = Screen::Permissions;
        } else {
            self.error = Some("This is not the code that was sent. Enter the one shown above.".to_owned());
        }
    }

    /// The quiet button of the number screens: v4 lets a customer finish with no number, or an unverified one.
    pub fn skip(&mut self) {
        self.error = None;
        match self.screen {
            Screen::Number => self.without_number = true,
            Screen::Verify => self.unverified = true,
            _ => return,
        }
        self.screen = Screen::Permissions;
        self.arrive();
    }

    fn finish(&mut self, state: &mut State, now_ms: i64) -> Finished {
        let plan = self.plan();
        let finished = finish::finish(state, &plan, now_ms);
        let late = self.has(Plain::CodeExpired);
        self.end(Ending {
            event: finished.event.clone(),
            code: finished.code.clone(),
            code_delay_ms: if late { LATE_MS } else { 0 },
            finished: true,
            ..Ending::default()
        });
        finished
    }

    fn plan(&self) -> Plan {
        let number = if self.without_number {
            Number::None
        } else if self.coexists() {
            Number::Coexistence
        } else if self.unverified {
            Number::Unverified
        } else {
            Number::Verified
        };
        let redirect_uri = match &self.way {
            Way::Popup { .. } => None,
            Way::Page { redirect_uri, .. } => Some(redirect_uri.clone()),
        };
        Plan {
            business_id: self.business_id.clone(),
            waba_id: self.waba_id.clone(),
            fields: self.fields.clone(),
            number,
            scenarios: self.scenarios.clone(),
            kind: if self.signup { Kind::Business } else { Kind::User },
            scopes: self.scopes.clone(),
            redirect_uri,
        }
    }
}

fn fill(field: &mut String, value: impl FnOnce() -> String) {
    if field.is_empty() {
        *field = value();
    }
}

fn redirect<'a>(uri: &str, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let mut url: url::Url = uri.parse().ok()?;
    url.query_pairs_mut().extend_pairs(pairs);
    Some(url.to_string())
}
