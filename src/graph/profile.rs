//! The business profile of a number: what people see who open the chat's details.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-profiles> and
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/whatsapp-business-phone-number/whatsapp-business-profile-api>

use super::{Access, Call, Client, GraphError, Result, unreachable, waba::Success};
use crate::base::ids::PhoneNumberId;
use http::Method;
use serde::{Deserialize, Serialize};
use url::Url;

const FIELDS: &str = "about,address,description,email,profile_picture_url,websites,vertical";

/// A profile as Meta has it; what was never filled in is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct BusinessProfile {
    /// The line beneath the name.
    pub about: Option<String>,
    /// Where the business is.
    pub address: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// Where to write to.
    pub email: Option<String>,
    /// Where the photo is; the address is signed and ends some time.
    pub profile_picture_url: Option<String>,
    /// Its websites.
    #[serde(default)]
    pub websites: Option<Vec<String>>,
    /// The line of business, by Meta's word, such as `RETAIL`.
    pub vertical: Option<String>,
}

/// What is to be changed; `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProfileChange {
    /// See [`BusinessProfile::about`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// See [`BusinessProfile::address`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// See [`BusinessProfile::description`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// See [`BusinessProfile::email`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// See [`BusinessProfile::websites`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub websites: Option<Vec<String>>,
    /// See [`BusinessProfile::vertical`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vertical: Option<String>,
    /// The handle of an uploaded picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile_picture_handle: Option<String>,
}

impl ProfileChange {
    /// Whether nothing is to be changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The guide shows the profile itself in the list, the reference one level deeper.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Deeper { business_profile: BusinessProfile },
    Plain(BusinessProfile),
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    data: Vec<Entry>,
}

impl Client {
    /// Reads a number's profile.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn business_profile(&self, access: &Access, id: &PhoneNumberId) -> Result<BusinessProfile> {
        let path = format!("{id}/whatsapp_business_profile");
        let query = vec![("fields", FIELDS.to_owned())];
        let answer: Answer = self.call(access, Method::GET, &path, Call { query, ..Call::default() }).await?;
        Ok(match answer.data.into_iter().next() {
            Some(Entry::Deeper { business_profile } | Entry::Plain(business_profile)) => business_profile,
            None => BusinessProfile::default(),
        })
    }

    /// Changes a number's profile.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn set_business_profile(
        &self,
        access: &Access,
        id: &PhoneNumberId,
        change: &ProfileChange,
    ) -> Result<()> {
        let path = format!("{id}/whatsapp_business_profile");
        let mut body = serde_json::to_value(change)
            .map_err(|error| GraphError::Unreadable { detail: format!("the profile: {error}") })?;
        body["messaging_product"] = "whatsapp".into();
        let call = Call { json: Some(body), ..Call::default() };
        self.call::<Success>(access, Method::POST, &path, call).await?.check("the change of the profile")
    }

    /// The photo at this address of Meta's, if it has at most `max` bytes; else `None`. It is public: no token goes there.
    ///
    /// # Errors
    /// See [`GraphError`]; also where the address is not Meta's.
    pub async fn profile_picture(&self, url: &Url, max: usize) -> Result<Option<Vec<u8>>> {
        if !self.is_metas(url) {
            return Err(GraphError::Unreadable { detail: "the photo's address is not Meta's".to_owned() });
        }
        let request = self.outbound.request(Method::GET, url.clone());
        let request =
            request.map_err(|refused| GraphError::Unreachable { timeout: false, detail: refused.to_string() })?;
        let mut response = request.send().await.map_err(|error| unreachable(&error))?;
        if !response.status().is_success() {
            let detail = format!("HTTP {} for the photo", response.status().as_u16());
            return Err(GraphError::Unreadable { detail });
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
            if bytes.len() + chunk.len() > max {
                return Ok(None);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Some(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_shapes_of_the_answer_are_read() {
        for text in [
            r#"{"data":[{"about":"Hello","websites":["https://a.example/"],"messaging_product":"whatsapp"}]}"#,
            r#"{"data":[{"business_profile":{"about":"Hello","websites":["https://a.example/"]}}]}"#,
        ] {
            let answer: Answer = serde_json::from_str(text).unwrap();
            let profile = match answer.data.into_iter().next().unwrap() {
                Entry::Deeper { business_profile } | Entry::Plain(business_profile) => business_profile,
            };
            assert_eq!(profile.about.as_deref(), Some("Hello"), "{text}");
            assert_eq!(profile.websites.unwrap(), ["https://a.example/"]);
        }
    }
}
