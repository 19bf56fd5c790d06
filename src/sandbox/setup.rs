//! What `FB.login` hands over in `extras`: prefilled data and the feature asked for.
//!
//! Meta: embedded-signup/pre-filled-data, embedded-signup/onboarding-business-app-users,
//! embedded-signup/bypass-phone-addition.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The values of the popup's fields, prefilled and as the person left them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    pub business_name: String,
    pub email: String,
    pub website: String,
    pub business_phone: String,
    pub address: String,
    pub country: String,
    pub timezone: String,
    pub number: String,
    pub display_name: String,
    pub category: String,
    pub description: String,
    /// `SMS` or `VOICE`.
    pub method: String,
}

impl Fields {
    /// Takes over what a form sent; what it left out stays.
    pub fn update(&mut self, name: &str, value: &str) {
        let value = crate::base::text::shorten(&crate::base::text::without_nul(value.trim()), 512);
        let field = match name {
            "business_name" => &mut self.business_name,
            "email" => &mut self.email,
            "website" => &mut self.website,
            "business_phone" => &mut self.business_phone,
            "address" => &mut self.address,
            "country" => &mut self.country,
            "timezone" => &mut self.timezone,
            "number" => &mut self.number,
            "display_name" => &mut self.display_name,
            "category" => &mut self.category,
            "description" => &mut self.description,
            "method" => &mut self.method,
            _ => return,
        };
        *field = value;
    }
}

/// What `extras` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Extras {
    pub fields: Fields,
    pub business_id: Option<String>,
    /// `featureType: whatsapp_business_app_onboarding`.
    pub coexistence: bool,
    /// `featureType: only_waba_sharing`.
    pub without_number: bool,
}

/// Reads `extras`; what is missing or of another shape is left empty.
pub(super) fn read(extras: &Value) -> Extras {
    let setup = &extras["setup"];
    let (business, phone) = (&setup["business"], &setup["phone"]);
    let address = ["streetAddress1", "streetAddress2", "city", "state", "zipPostal"]
        .iter()
        .map(|part| text(&business["address"][*part]))
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ");
    let (code, number) = (text(&business["phone"]["code"]), text(&business["phone"]["number"]));
    let fields = Fields {
        business_name: text(&business["name"]),
        email: text(&business["email"]),
        website: text(&business["website"]),
        business_phone: if number.is_empty() { number } else { format!("+{code} {number}") },
        address,
        country: text(&business["address"]["country"]),
        timezone: text(&business["timezone"]),
        number: String::new(),
        display_name: text(&phone["displayName"]),
        category: text(&phone["category"]),
        description: text(&phone["description"]),
        method: "SMS".to_owned(),
    };
    let feature = extras["featureType"].as_str().unwrap_or_default();
    Extras {
        fields,
        business_id: Some(text(&business["id"])).filter(|id| !id.is_empty()),
        coexistence: feature == "whatsapp_business_app_onboarding",
        without_number: feature == "only_waba_sharing",
    }
}

fn text(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    crate::base::text::shorten(&crate::base::text::without_nul(text.trim()), 512)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefilled_data_is_read() {
        let extras = serde_json::json!({
            "featureType": "whatsapp_business_app_onboarding",
            "setup": {
                "business": {
                    "id": 42, "name": " Wind & Wool ", "phone": {"code": 1, "number": "6505559999"},
                    "address": {"streetAddress1": "1 Hill Road", "city": "Menlo Park", "country": "US"}
                },
                "phone": {"displayName": "Wool", "category": "APPAREL"}
            }
        });
        let read = read(&extras);
        assert_eq!(read.fields.business_name, "Wind & Wool");
        assert_eq!(read.fields.business_phone, "+1 6505559999");
        assert_eq!(read.fields.address, "1 Hill Road, Menlo Park");
        assert_eq!(read.fields.display_name, "Wool");
        assert_eq!(read.business_id.as_deref(), Some("42"));
        assert!(read.coexistence);
        assert_eq!(super::read(&Value::Null).business_id, None);
    }
}
