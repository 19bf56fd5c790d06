//! What is known of a customer's business: it fills in Embedded Signup's screens. The rules are Meta's:
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/pre-filled-data>

use super::{
    model::EmailAddress,
    places::{COUNTRIES, OFFSETS},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use url::Url;

/// The values of the profile's field `vertical`, with words for them.
pub(super) const CATEGORIES: &[(&str, &str)] = &[
    ("APPAREL", "Clothing and apparel"),
    ("AUTO", "Automotive"),
    ("BEAUTY", "Beauty, spa and salon"),
    ("EDU", "Education"),
    ("ENTERTAIN", "Entertainment"),
    ("EVENT_PLAN", "Event planning and service"),
    ("FINANCE", "Finance and banking"),
    ("GROCERY", "Food and grocery"),
    ("GOVT", "Public service"),
    ("HEALTH", "Medical and health"),
    ("HOTEL", "Hotel and lodging"),
    ("NONPROFIT", "Non-profit"),
    ("PROF_SERVICES", "Professional services"),
    ("RESTAURANT", "Restaurant"),
    ("RETAIL", "Shopping and retail"),
    ("TRAVEL", "Travel and transportation"),
    ("OTHER", "Other"),
];

/// A business as its provider knows it. An empty text is not known. The names are those of the form's fields
/// and of the database's JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BusinessDetails {
    /// The business's name as its portfolio at Meta is to be called; the customer's name if empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub business_name: String,
    /// Its e-mail address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub business_email: String,
    /// Its phone number in E.164 form: `+16505559999`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub business_phone: String,
    /// Its website, with scheme.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub website: String,
    /// Street and house number.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub street: String,
    /// Floor, suite and the like.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub street_more: String,
    /// City.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub city: String,
    /// State or region.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub state: String,
    /// Postal code.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub postal_code: String,
    /// ISO 3166-1 alpha-2.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub country: String,
    /// As Meta writes it: `UTC-07:00`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub time_zone: String,
    /// The name that WhatsApp's users see with the number.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub display_name: String,
    /// One of Meta's words for an industry: `APPAREL`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub category: String,
    /// What the number's profile says.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
}

impl BusinessDetails {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Trims and normalises what was typed.
    ///
    /// # Errors
    /// What is wrong with which field, for showing beside it.
    pub fn checked(mut self) -> Result<Self, BTreeMap<&'static str, &'static str>> {
        let mut faults = BTreeMap::new();
        let limits = [
            ("business_name", &mut self.business_name, 100),
            ("business_email", &mut self.business_email, 254),
            ("business_phone", &mut self.business_phone, 40),
            ("website", &mut self.website, 300),
            ("street", &mut self.street, 200),
            ("street_more", &mut self.street_more, 200),
            ("city", &mut self.city, 100),
            ("state", &mut self.state, 100),
            ("postal_code", &mut self.postal_code, 20),
            ("display_name", &mut self.display_name, 75),
            ("description", &mut self.description, 512),
        ];
        for (field, text, limit) in limits {
            *text = text.trim().to_owned();
            if text.chars().count() > limit {
                faults.insert(field, "This is too long.");
            }
        }
        if !self.business_email.is_empty() {
            match self.business_email.parse::<EmailAddress>() {
                Ok(email) => self.business_email = email.to_string(),
                Err(text) => drop(faults.insert("business_email", text)),
            }
        }
        if !self.business_phone.is_empty() {
            match phonenumber::parse(None, &self.business_phone).ok().filter(phonenumber::is_valid) {
                Some(number) => self.business_phone = number.format().mode(phonenumber::Mode::E164).to_string(),
                None => {
                    let text = "Enter the number with + and its country code, such as +1 650 253 0000.";
                    faults.insert("business_phone", text);
                }
            }
        }
        if !self.website.is_empty() {
            match website(&self.website) {
                Some(url) => self.website = url,
                None => drop(faults.insert("website", "Enter an address such as https://example.org.")),
            }
        }
        for (field, value, list) in [
            ("country", &self.country, COUNTRIES),
            ("time_zone", &self.time_zone, OFFSETS),
            ("category", &self.category, CATEGORIES),
        ] {
            if !value.is_empty() && !list.iter().any(|(known, _)| *known == value) {
                faults.insert(field, "Choose one from the list.");
            }
        }
        let profile = [&self.display_name, &self.category, &self.description];
        if profile.iter().any(|text| !text.is_empty()) && profile.iter().any(|text| text.is_empty()) {
            let text = "Meta takes name, category and description together: fill in all three, or none.";
            faults.entry("display_name").or_insert(text);
        }
        if faults.is_empty() { Ok(self) } else { Err(faults) }
    }

    /// `extras.setup` for `FB.login`. Name and address of the customer's member stand in where the business's
    /// own are not known.
    #[must_use]
    pub fn setup(&self, customer: &str, member: &str) -> Value {
        let or = |own: &str, other: &str| if own.is_empty() { other.to_owned() } else { own.to_owned() };
        let mut business = texts(&[
            ("name", &crate::base::text::shorten(&or(&self.business_name, customer), 99)),
            ("email", &or(&self.business_email, member)),
            ("website", &self.website),
            ("timezone", &self.time_zone),
        ]);
        let address = texts(&[
            ("streetAddress1", &self.street),
            ("streetAddress2", &self.street_more),
            ("city", &self.city),
            ("state", &self.state),
            ("zipPostal", &self.postal_code),
            ("country", &self.country),
        ]);
        if !address.is_empty() {
            business.insert("address".to_owned(), address.into());
        }
        if let Ok(number) = phonenumber::parse(None, &self.business_phone) {
            let phone = json!({ "code": number.country().code(), "number": number.national().to_string() });
            business.insert("phone".to_owned(), phone);
        }
        let mut setup = Map::from_iter([("business".to_owned(), Value::from(business))]);
        let profile = texts(&[
            ("displayName", &self.display_name),
            ("category", &self.category),
            ("description", &self.description),
        ]);
        if profile.len() == 3 {
            setup.insert("phone".to_owned(), profile.into());
        }
        setup.into()
    }
}

/// The texts that are there.
fn texts(pairs: &[(&str, &str)]) -> Map<String, Value> {
    pairs.iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| ((*name).to_owned(), (*text).into())).collect()
}

/// A website's address with its scheme, which people leave out.
fn website(text: &str) -> Option<String> {
    let full = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url = Url::parse(&full).ok()?;
    let named = url.domain().is_some_and(|name| name.contains('.'));
    let plain = matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    (named && plain).then(|| url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> BusinessDetails {
        BusinessDetails {
            business_name: "Wind & Wool".into(),
            business_email: " Support@WindAndWool.com ".into(),
            business_phone: "+1 (650) 253-0000".into(),
            website: "windandwool.com".into(),
            street: "1 Hill Road".into(),
            street_more: "Suite 1".into(),
            city: "Menlo Park".into(),
            state: "California".into(),
            postal_code: "94025".into(),
            country: "US".into(),
            time_zone: "UTC-07:00".into(),
            display_name: "Wool".into(),
            category: "APPAREL".into(),
            description: "Jumpers".into(),
        }
    }

    #[test]
    fn the_setup_has_metas_shape() {
        let setup = full().checked().unwrap().setup("Other", "maria@example.org");
        let expected = json!({
            "business": {
                "name": "Wind & Wool", "email": "support@windandwool.com", "website": "https://windandwool.com/",
                "address": {
                    "streetAddress1": "1 Hill Road", "streetAddress2": "Suite 1", "city": "Menlo Park",
                    "state": "California", "zipPostal": "94025", "country": "US"
                },
                "phone": { "code": 1, "number": "6502530000" },
                "timezone": "UTC-07:00"
            },
            "phone": { "displayName": "Wool", "category": "APPAREL", "description": "Jumpers" }
        });
        assert_eq!(setup, expected);
        let little = BusinessDetails::default().setup("Harbour Bakery", "maria@example.org");
        assert_eq!(little, json!({ "business": { "name": "Harbour Bakery", "email": "maria@example.org" } }));
    }

    #[test]
    fn what_is_wrong_is_told_by_field() {
        for (field, value) in [
            ("business_email", "nobody"),
            ("business_phone", "650 253 0000"),
            ("business_phone", "+999 1"),
            ("website", "javascript://x"),
            ("website", "http://localhost"),
            ("country", "ZZ"),
            ("time_zone", "Europe/Berlin"),
            ("category", "apparel"),
            ("city", &"x".repeat(101)),
        ] {
            let mut json = serde_json::to_value(full()).unwrap();
            json[field] = value.into();
            let faults = serde_json::from_value::<BusinessDetails>(json).unwrap().checked().unwrap_err();
            assert_eq!(faults.keys().copied().collect::<Vec<_>>(), [field], "{value}");
        }
        let half = BusinessDetails { display_name: "Wool".into(), ..BusinessDetails::default() };
        assert!(half.checked().unwrap_err().contains_key("display_name"));
        assert!(BusinessDetails::default().checked().unwrap().is_empty());
    }

    #[test]
    fn countries_and_offsets_are_well_formed() {
        assert_eq!(COUNTRIES.len(), 249);
        assert!(COUNTRIES.iter().all(|(code, _)| code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase())));
        assert!(OFFSETS.iter().all(|(offset, _)| offset.len() == 9 && offset.starts_with("UTC")));
    }
}
