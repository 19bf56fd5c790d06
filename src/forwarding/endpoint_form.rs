//! The form in which an endpoint is described: what was typed, what is wrong with it, what there is to choose.

use super::{
    endpoint::{Endpoint, Format},
    service::{ForwardingError, NewEndpoint},
};
use crate::{
    base::ids::{self, CustomerId},
    connections::Overview,
    webhooks::Kind,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::{collections::BTreeMap, fmt::Display, str::FromStr};
use url::Url;

/// What the form holds. Check boxes count only where its choice is `some`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct EndpointForm {
    pub name: String,
    /// `url`, or `receiver` for the built-in one.
    pub to: String,
    pub url: String,
    pub format: String,
    pub verify_token: String,
    pub which_kinds: String,
    pub kinds: Vec<String>,
    pub which_wabas: String,
    pub wabas: Vec<String>,
    pub which_numbers: String,
    pub numbers: Vec<String>,
    /// Whether it shows what is kept, not what somebody typed.
    #[serde(skip)]
    pub is_kept: bool,
}

/// What is wrong, by field.
pub(super) type Faults = BTreeMap<&'static str, String>;

/// A check box.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub value: String,
    pub label: String,
    /// More about it; may be empty.
    pub hint: String,
    pub checked: bool,
}

/// What there is to choose from.
#[derive(Clone, Debug, Default)]
pub(super) struct Choices {
    pub kinds: Vec<(&'static str, Vec<Choice>)>,
    pub wabas: Vec<Choice>,
    pub numbers: Vec<Choice>,
}

const SOME: &str = "some";

fn texts<T: Display>(all: Option<&[T]>) -> (String, Vec<String>) {
    match all {
        None => ("all".to_owned(), Vec::new()),
        Some(all) => (SOME.to_owned(), all.iter().map(ToString::to_string).collect()),
    }
}

impl EndpointForm {
    /// For a new endpoint: everything, by *events*, with a word for Meta's handshake to begin with.
    pub(super) fn empty() -> Self {
        Self {
            to: "url".to_owned(),
            format: Format::Events.as_str().to_owned(),
            verify_token: ids::random_token()[..24].to_owned(),
            which_kinds: "all".to_owned(),
            which_wabas: "all".to_owned(),
            which_numbers: "all".to_owned(),
            ..Self::default()
        }
    }

    /// Of an endpoint that is there.
    pub(super) fn of(endpoint: &Endpoint) -> Self {
        let (which_kinds, kinds) = texts(endpoint.kinds.as_deref());
        let (which_wabas, wabas) = texts(endpoint.wabas.as_deref());
        let (which_numbers, numbers) = texts(endpoint.numbers.as_deref());
        Self {
            name: endpoint.name.clone(),
            to: if endpoint.url.is_some() { "url" } else { "receiver" }.to_owned(),
            url: endpoint.url.as_ref().map(Url::to_string).unwrap_or_default(),
            format: endpoint.format.as_str().to_owned(),
            // It is kept like a secret: an empty field leaves it as it is.
            verify_token: String::new(),
            which_kinds,
            kinds,
            which_wabas,
            wabas,
            which_numbers,
            numbers,
            is_kept: true,
        }
    }

    /// What the person may choose, with what they chose. Of an endpoint that is there ([`EndpointForm::of`]) also what is
    /// not connected any more.
    pub(super) fn choices(&self, connected: &[Overview]) -> Choices {
        let choice = |value: String, label: String, hint: String, chosen: &[String]| Choice {
            checked: chosen.contains(&value),
            value,
            label,
            hint,
        };
        let all = || connected.iter().flat_map(|overview| &overview.wabas);
        let mut wabas: Vec<Choice> =
            all().map(|(waba, _)| choice(waba.id.to_string(), waba.name.clone(), String::new(), &self.wabas)).collect();
        let mut numbers: Vec<Choice> = all()
            .flat_map(|(_, numbers)| numbers)
            .map(|one| choice(one.id.to_string(), one.international(), one.verified_name.clone(), &self.numbers))
            .collect();
        let kept = if self.is_kept { [Some(&self.wabas), Some(&self.numbers)] } else { [None, None] };
        for (there, chosen) in [&mut wabas, &mut numbers].into_iter().zip(kept) {
            let Some(chosen) = chosen else { continue };
            let gone: Vec<&String> =
                chosen.iter().filter(|id| there.iter().all(|choice| choice.value != **id)).collect();
            there.extend(gone.into_iter().map(|id| {
                choice(id.clone(), id.clone(), "not connected any more".to_owned(), std::slice::from_ref(id))
            }));
        }
        let mut kinds: Vec<(&'static str, Vec<Choice>)> = Vec::new();
        for kind in Kind::ALL {
            let one = choice(kind.name().to_owned(), kind.words().to_owned(), kind.name().to_owned(), &self.kinds);
            let group = group(*kind);
            match kinds.iter_mut().find(|(name, _)| *name == group) {
                Some((_, choices)) => choices.push(one),
                None => kinds.push((group, vec![one])),
            }
        }
        Choices { kinds, wabas, numbers }
    }

    /// Ticks what is chosen here, and nothing else.
    pub(super) fn mark(&self, choices: &mut Choices) {
        for choice in choices.kinds.iter_mut().flat_map(|(_, kinds)| kinds) {
            choice.checked = self.kinds.contains(&choice.value);
        }
        for (there, chosen) in [(&mut choices.wabas, &self.wabas), (&mut choices.numbers, &self.numbers)] {
            for choice in there {
                choice.checked = chosen.contains(&choice.value);
            }
        }
    }

    /// The endpoint that it describes. `before`: the one that is changed, whose format stays.
    pub(super) fn read(
        &self,
        customer: CustomerId,
        choices: &Choices,
        before: Option<&Endpoint>,
    ) -> Result<NewEndpoint, Faults> {
        let mut faults = Faults::new();
        if self.name.trim().is_empty() {
            faults.insert("name", "Give it a name.".to_owned());
        }
        let format = match before {
            Some(before) => before.format,
            None => self.format.parse().unwrap_or_else(|()| {
                faults.insert("format", "Choose a format.".to_owned());
                Format::Events
            }),
        };
        let url = if self.to == "receiver" { None } else { self.address(&mut faults) };
        let typed = self.verify_token.trim();
        let known = before.is_some_and(|before| before.verify_token.is_some());
        if format == Format::Meta && url.is_some() && typed.is_empty() && !known {
            faults.insert("verify_token", "Enter the word that your server expects in Meta’s handshake.".to_owned());
        }
        if typed.chars().count() > 200 {
            faults.insert("verify_token", "This is too long.".to_owned());
        }
        let kinds: Vec<Choice> = choices.kinds.iter().flat_map(|(_, kinds)| kinds.clone()).collect();
        let kinds = chosen(&self.which_kinds, &self.kinds, &kinds, "kinds", &mut faults);
        let wabas = chosen(&self.which_wabas, &self.wabas, &choices.wabas, "wabas", &mut faults);
        let numbers = chosen(&self.which_numbers, &self.numbers, &choices.numbers, "numbers", &mut faults);
        if !faults.is_empty() {
            return Err(faults);
        }
        let verify_token = (format == Format::Meta && !typed.is_empty()).then(|| SecretString::from(typed.to_owned()));
        let kinds = kinds.map(|names: Vec<String>| names.iter().filter_map(|name| Kind::named(name)).collect());
        let (wabas, numbers) = (parsed(wabas), parsed(numbers));
        Ok(NewEndpoint {
            customer,
            name: self.name.clone(),
            url,
            format,
            kinds,
            wabas,
            numbers,
            secret: None,
            verify_token,
        })
    }

    fn address(&self, faults: &mut Faults) -> Option<Url> {
        let typed = self.url.trim();
        let read = Url::parse(typed).ok();
        if read.is_none() {
            let text = if typed.is_empty() {
                "Enter the address that is to be called, or choose to try without a server."
            } else {
                "This is no address. It looks like https://shop.example/webhooks."
            };
            faults.insert("url", text.to_owned());
        }
        read
    }
}

fn parsed<T: FromStr>(all: Option<Vec<String>>) -> Option<Vec<T>> {
    all.map(|all| all.iter().filter_map(|one| one.parse().ok()).collect())
}

/// What was chosen of what there is: nobody can name what is another's.
fn chosen(
    which: &str,
    chosen: &[String],
    there: &[Choice],
    field: &'static str,
    faults: &mut Faults,
) -> Option<Vec<String>> {
    if which != SOME {
        return None;
    }
    let known: Vec<String> =
        there.iter().filter(|choice| chosen.contains(&choice.value)).map(|choice| choice.value.clone()).collect();
    if known.is_empty() {
        faults.insert(field, "Choose at least one, or everything.".to_owned());
    }
    Some(known)
}

/// Under which heading a kind stands.
fn group(kind: Kind) -> &'static str {
    match kind.name().split('.').next().unwrap_or_default() {
        "message" | "link" => "Messages",
        "history" | "contacts" | "contact" | "call" | "group" => "People, calls and groups",
        "number" => "Numbers",
        "template" | "flow" => "Templates and flows",
        _ => "Account",
    }
}

/// What the service refused, beside the field that it is about; what is none of the form's is given back.
pub(super) fn fault(error: ForwardingError) -> Result<Faults, ForwardingError> {
    let field = match &error {
        ForwardingError::Name => "name",
        ForwardingError::Url(_) => "url",
        ForwardingError::TooMany => "form",
        _ => return Err(error),
    };
    Ok(Faults::from([(field, error.to_string())]))
}

/// The word for the handshake with what is to be saved: the one that was typed, or the one before.
pub(super) fn word<'a>(new: &'a NewEndpoint, before: Option<&'a Endpoint>) -> Option<&'a SecretString> {
    new.verify_token.as_ref().or_else(|| before?.verify_token.as_ref())
}

/// Whether saving asks for the handshake: in Meta's format, where address or word are not as before.
pub(super) fn asks_handshake(new: &NewEndpoint, before: Option<&Endpoint>) -> bool {
    let same_word = |before: &Endpoint| match (&new.verify_token, &before.verify_token) {
        (None, _) => true,
        (Some(new), Some(before)) => new.expose_secret() == before.expose_secret(),
        (Some(_), None) => false,
    };
    new.format == Format::Meta
        && new.url.is_some()
        && !before.is_some_and(|before| before.url == new.url && same_word(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: &EndpointForm) -> Result<NewEndpoint, Faults> {
        let mut choices = form.choices(&[]);
        choices.numbers = vec![Choice { value: "1".into(), label: "+1".into(), hint: String::new(), checked: false }];
        form.read(CustomerId::new(), &choices, None)
    }

    #[test]
    fn what_is_typed_becomes_an_endpoint_or_faults_by_field() {
        let good = EndpointForm { name: "Shop".into(), url: "https://shop.example/in".into(), ..EndpointForm::empty() };
        let new = read(&good).unwrap();
        assert_eq!((new.format, new.kinds, new.verify_token.is_none()), (Format::Events, None, true));
        let some = EndpointForm {
            which_kinds: SOME.into(),
            kinds: vec!["message.received".into(), "odd".into()],
            which_numbers: SOME.into(),
            numbers: vec!["1".into(), "999".into()],
            ..good.clone()
        };
        let new = read(&some).unwrap();
        assert_eq!((new.kinds, new.numbers), (Some(vec![Kind::MessageReceived]), Some(vec!["1".parse().unwrap()])));
        for (field, wrong) in [
            ("name", EndpointForm { name: "  ".into(), ..good.clone() }),
            ("url", EndpointForm { url: "shop.example".into(), ..good.clone() }),
            ("url", EndpointForm { url: String::new(), ..good.clone() }),
            ("format", EndpointForm { format: "xml".into(), ..good.clone() }),
            ("verify_token", EndpointForm { format: "meta".into(), verify_token: " ".into(), ..good.clone() }),
            ("kinds", EndpointForm { which_kinds: SOME.into(), kinds: vec!["odd".into()], ..good.clone() }),
            ("numbers", EndpointForm { which_numbers: SOME.into(), numbers: vec!["999".into()], ..good.clone() }),
        ] {
            assert_eq!(read(&wrong).unwrap_err().into_keys().collect::<Vec<_>>(), [field]);
        }
        let without_server = EndpointForm { to: "receiver".into(), url: String::new(), ..good };
        assert_eq!(read(&without_server).unwrap().url, None);
    }

    #[test]
    fn every_kind_can_be_chosen() {
        let choices = EndpointForm::empty().choices(&[]);
        assert_eq!(choices.kinds.iter().map(|(_, kinds)| kinds.len()).sum::<usize>(), Kind::ALL.len());
        assert!(choices.kinds.len() < 7);
    }
}
