//! Identifiers: our own (UUIDv7, which sort by age) and random tokens.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

/// A new UUIDv7.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "the one place that makes IDs")]
pub fn new_uuid() -> Uuid {
    Uuid::now_v7()
}

/// 256 random bits as 43 URL-safe characters: for links, CSRF tokens, OAuth `state`.
#[must_use]
pub fn random_token() -> String {
    let bytes: [u8; 32] = rand::random();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Declares a newtype over a UUIDv7 that can be made, parsed and shown.
macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// A new one, younger than all before it.
            #[must_use]
            #[allow(clippy::new_without_default, reason = "a default ID would be a different one each time")]
            pub fn new() -> Self {
                Self($crate::base::ids::new_uuid())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                s.parse().map(Self)
            }
        }
    };
}

/// Declares a newtype over an ID that Meta gives: digits, at most 32 of them.
macro_rules! meta_id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The digits.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::base::ids::NotAMetaId;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                $crate::base::ids::meta_digits(s).map(|digits| Self(digits.to_owned()))
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
                $crate::base::ids::deserialize_meta_id(de)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id_type!(
    /// A customer: a company of the operator's.
    CustomerId
);
id_type!(
    /// A person who may sign in.
    UserId
);
id_type!(
    /// A connection: a grant of a customer's business to us.
    ConnectionId
);
id_type!(
    /// A signup attempt.
    AttemptId
);

id_type!(
    /// A single-use link: an invite, or a new password.
    InviteId
);

id_type!(
    /// An endpoint: where a customer wants to be called.
    EndpointId
);
id_type!(
    /// A contact of a customer's.
    ContactId
);

meta_id_type!(
    /// A WhatsApp Business Account's ID at Meta.
    WabaId
);
meta_id_type!(
    /// A business phone number's ID at Meta (not the number itself).
    PhoneNumberId
);
meta_id_type!(
    /// A Meta business portfolio's ID.
    BusinessId
);
meta_id_type!(
    /// A Meta app's ID.
    AppId
);

/// What was given is no ID of Meta's: those are 1 to 32 digits.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not an ID of Meta's (digits only)")]
pub struct NotAMetaId;

/// The digits of an ID of Meta's, surrounding white space dropped.
///
/// # Errors
/// [`NotAMetaId`] for anything but 1 to 32 digits. This also keeps a path such as `1/../me` out of Graph URLs.
pub fn meta_digits(s: &str) -> Result<&str, NotAMetaId> {
    let s = s.trim();
    if (1..=32).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit()) { Ok(s) } else { Err(NotAMetaId) }
}

/// Meta writes IDs as strings nearly everywhere, and as numbers in some payloads.
#[doc(hidden)]
pub fn deserialize_meta_id<'de, D: serde::Deserializer<'de>>(de: D) -> Result<String, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Either {
        Text(String),
        Number(u64),
    }
    Ok(match <Either as serde::Deserialize>::deserialize(de)? {
        Either::Text(text) => text,
        Either::Number(number) => number.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_meta_are_digits_only() {
        assert_eq!(" 106540352242922 ".parse::<WabaId>().unwrap().as_str(), "106540352242922");
        for bad in ["", "12a", "1/../me", "１２", &"9".repeat(33)] {
            assert_eq!(bad.parse::<WabaId>(), Err(NotAMetaId), "{bad}");
        }
        assert_eq!(serde_json::from_str::<WabaId>("42").unwrap(), serde_json::from_str::<WabaId>("\"42\"").unwrap());
    }

    #[test]
    fn ids_sort_by_age_and_tokens_differ() {
        assert!(new_uuid() < new_uuid());
        let token = random_token();
        assert_eq!(token.len(), 43);
        assert_ne!(token, random_token());
    }
}
