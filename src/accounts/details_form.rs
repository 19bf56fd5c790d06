//! The fields of a form about a business.

use super::{
    details::{BusinessDetails, CATEGORIES},
    places::{COUNTRIES, OFFSETS},
};
use std::collections::BTreeMap;

/// What `accounts/details_fields.html` shows, as the field `details` of a page.
#[derive(Clone, Debug, Default)]
pub struct DetailsForm {
    /// What is in the fields.
    pub values: BusinessDetails,
    /// What is wrong with which.
    pub faults: BTreeMap<&'static str, &'static str>,
}

/// One field as the template shows it.
#[derive(Clone, Debug)]
pub struct DetailsField<'a> {
    /// Its name, and ID.
    pub name: &'static str,
    /// What it is called.
    pub label: &'static str,
    /// `text`, `email`, `tel`, `select`, `area`.
    pub kind: &'static str,
    /// More about it; may be empty.
    pub hint: &'static str,
    /// What is in it.
    pub value: &'a str,
    /// What is wrong with it.
    pub fault: Option<&'static str>,
    /// The IDs of what describes it.
    pub described: String,
    /// What a `select` offers.
    pub options: &'static [(&'static str, &'static str)],
}

/// Legend, hint and fields.
type Group<'a> = (&'static str, &'static str, Vec<DetailsField<'a>>);

impl DetailsForm {
    /// With these values, nothing wrong yet.
    #[must_use]
    pub fn of(values: BusinessDetails) -> Self {
        Self { values, faults: BTreeMap::new() }
    }

    /// The fields in their groups.
    #[must_use]
    pub fn groups(&self) -> [Group<'_>; 2] {
        let v = &self.values;
        let name = "If Meta is to know it by another name. A portfolio of the same name is used again.";
        let business = vec![
            self.field("business_name", "Business name", "text", name, &v.business_name),
            self.field("business_email", "Business e-mail", "email", "", &v.business_email),
            self.field(
                "business_phone",
                "Business phone",
                "tel",
                "Begins with + and the country code.",
                &v.business_phone,
            ),
            self.field("website", "Website", "text", "", &v.website),
            self.field("street", "Street and number", "text", "", &v.street),
            self.field("street_more", "Floor, suite", "text", "", &v.street_more),
            self.field("city", "City", "text", "", &v.city),
            self.field("state", "State or region", "text", "", &v.state),
            self.field("postal_code", "Postal code", "text", "", &v.postal_code),
            self.field("country", "Country", "select", "", &v.country),
            self.field("time_zone", "Time zone", "select", "", &v.time_zone),
        ];
        let profile = vec![
            self.field("display_name", "Display name", "text", "", &v.display_name),
            self.field("category", "Category", "select", "", &v.category),
            self.field("description", "Description", "area", "", &v.description),
        ];
        [
            ("The business", "Meta asks for name, e-mail, website and country at the least.", business),
            ("The number’s profile", "What people see on WhatsApp. All three, or none.", profile),
        ]
    }

    fn field<'a>(
        &self,
        name: &'static str,
        label: &'static str,
        kind: &'static str,
        hint: &'static str,
        value: &'a str,
    ) -> DetailsField<'a> {
        let fault = self.faults.get(name).copied();
        let ids = [(!hint.is_empty()).then(|| format!("{name}-hint")), fault.map(|_| format!("{name}-error"))];
        let options = match name {
            "country" => COUNTRIES,
            "time_zone" => OFFSETS,
            "category" => CATEGORIES,
            _ => &[],
        };
        let described = ids.into_iter().flatten().collect::<Vec<_>>().join(" ");
        DetailsField { name, label, kind, hint, value, fault, described, options }
    }
}
