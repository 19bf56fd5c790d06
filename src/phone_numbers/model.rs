//! A number as Doorway keeps it, and its state in words.

use crate::base::ids::{PhoneNumberId, WabaId};
use time::OffsetDateTime;

/// A number as last read.
#[derive(Clone, Debug)]
pub struct Number {
    /// Its ID at Meta.
    pub id: PhoneNumberId,
    /// The WABA it belongs to.
    pub waba_id: WabaId,
    /// The number as Meta writes it.
    pub display: String,
    /// The name shown in WhatsApp.
    pub verified_name: String,
    /// Meta's word on the name.
    pub name_status: Option<String>,
    /// `GREEN`, `YELLOW`, `RED`, `UNKNOWN`.
    pub quality_rating: Option<String>,
    /// `CONNECTED` means registered.
    pub status: Option<String>,
    /// `VERIFIED`, `NOT_VERIFIED`, `EXPIRED`.
    pub code_verification_status: Option<String>,
    /// `CLOUD_API`, `NOT_APPLICABLE` ...
    pub platform_type: Option<String>,
    /// `STANDARD`, `HIGH`, `NOT_APPLICABLE`.
    pub throughput_level: Option<String>,
    /// `TIER_250` ...
    pub messaging_limit: Option<String>,
    /// `LIVE` or `SANDBOX`.
    pub account_mode: Option<String>,
    /// Whether the WhatsApp Business app uses it as well.
    pub is_on_biz_app: Option<bool>,
    /// Whether it has the blue tick.
    pub is_official: Option<bool>,
    /// What stands in the way of sending, by Meta's word.
    pub obstacles: Vec<Obstacle>,
    /// Meta's word on every node that sending depends on.
    pub health: Option<Health>,
    /// The name that was asked for instead of the one that is shown.
    pub new_name: Option<String>,
    /// Meta's word on that name.
    pub new_name_status: Option<String>,
    /// When its owner last went through Embedded Signup, where Meta told it.
    pub onboarded_at: Option<OffsetDateTime>,
    /// Where its webhooks go.
    pub webhooks: Webhooks,
    /// When it was read.
    pub read_at: OffsetDateTime,
}

/// What stands in the way of sending, in Meta's words.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/support/health-status>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// Whether it is the number's own, not its WABA's, business's or app's.
    pub is_of_number: bool,
    /// What is wrong.
    pub description: String,
    /// What Meta proposes.
    pub solution: String,
}

/// Whether messages can be sent, by Meta's word, with every node that it depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// `AVAILABLE`, `LIMITED` or `BLOCKED`.
    pub can_send: String,
    /// The nodes.
    pub nodes: Vec<HealthNode>,
}

/// One node that sending depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthNode {
    /// `PHONE_NUMBER`, `WABA`, `BUSINESS`, `APP` ...
    pub kind: String,
    /// `AVAILABLE`, `LIMITED` or `BLOCKED`.
    pub can_send: String,
    /// Why, each with what Meta proposes, which may be empty.
    pub causes: Vec<(String, String)>,
}

/// Where a number's webhooks go: to the first of these that there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Webhooks {
    /// The number's own address.
    pub number: Option<String>,
    /// Its account's.
    pub account: Option<String>,
    /// The app's.
    pub app: Option<String>,
}

/// How customers of the number rate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    /// Green.
    High,
    /// Yellow.
    Medium,
    /// Red.
    Low,
    /// Nothing to go by yet.
    Unknown,
}

impl Quality {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::High => "High",
            Self::Medium => "Medium",
            Self::Low => "Low",
            Self::Unknown => "Not rated yet",
        }
    }

    /// What Meta's word means.
    #[must_use]
    pub fn of(rating: Option<&str>) -> Self {
        match rating {
            Some("GREEN") => Self::High,
            Some("YELLOW") => Self::Medium,
            Some("RED") => Self::Low,
            _ => Self::Unknown,
        }
    }

    /// The word where nothing beside it says that it is the quality.
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Self::High => "Quality high",
            Self::Medium => "Quality medium",
            Self::Low => "Quality low",
            Self::Unknown => "Quality not rated yet",
        }
    }

    /// The badge that goes with it.
    #[must_use]
    pub fn badge(self) -> &'static str {
        match self {
            Self::High => "good",
            Self::Medium => "attention",
            Self::Low => "problem",
            Self::Unknown => "neutral",
        }
    }
}

/// To how many people in 24 hours the business may write first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limit {
    /// So many.
    PerDay(u32),
    /// As many as it likes.
    Unlimited,
    /// A word of Meta's that we don't know.
    Other(String),
    /// Not told.
    Unknown,
}

impl Limit {
    /// In words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::PerDay(number) => format!("{} people", thousands(*number)),
            Self::Unlimited => "No limit".to_owned(),
            Self::Other(word) => word.clone(),
            Self::Unknown => "Not known yet".to_owned(),
        }
    }
}

fn thousands(number: u32) -> String {
    if number >= 1_000 { format!("{},{:03}", number / 1_000, number % 1_000) } else { number.to_string() }
}

/// Whether a number can be used through the Cloud API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// Registered: ready.
    Ready,
    /// In use with the WhatsApp Business app as well: ready, never to be registered.
    Coexistence,
    /// Its owner has not proven that it is theirs.
    Unverified,
    /// The display name is under review.
    NamePending,
    /// Meta declined the display name: it takes another one.
    NameDeclined,
    /// Verified, not registered yet.
    NotRegistered,
    /// Blocked by Meta.
    Blocked,
    /// Meta says something else, such as that it moved or was deleted.
    Unclear,
}

impl Number {
    /// Its quality.
    #[must_use]
    pub fn quality(&self) -> Quality {
        Quality::of(self.quality_rating.as_deref())
    }

    /// Its limit. <https://developers.facebook.com/documentation/business-messaging/whatsapp/messaging-limits>
    #[must_use]
    pub fn limit(&self) -> Limit {
        Self::limit_of(self.messaging_limit.as_deref())
    }

    /// What a word for a limit means.
    #[must_use]
    pub fn limit_of(tier: Option<&str>) -> Limit {
        match tier {
            None => Limit::Unknown,
            Some("TIER_UNLIMITED" | "UNLIMITED") => Limit::Unlimited,
            Some(tier) => {
                let size = tier.strip_prefix("TIER_").unwrap_or(tier);
                let (digits, factor) = size.strip_suffix('K').map_or((size, 1), |digits| (digits, 1_000));
                match digits.parse::<u32>().ok().and_then(|number| number.checked_mul(factor)) {
                    Some(number) => Limit::PerDay(number),
                    None => Limit::Other(tier.to_owned()),
                }
            }
        }
    }

    /// Whether it can be used, and if not, why not.
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/registration>
    #[must_use]
    pub fn registration(&self) -> Registration {
        match self.status.as_deref() {
            Some("BANNED" | "RESTRICTED") => Registration::Blocked,
            _ if self.is_on_biz_app == Some(true) => Registration::Coexistence,
            // The list of a WABA's numbers says LINKED (by Meta's OpenAPI description) where the number itself
            // says CONNECTED. FLAGGED tells of quality, RATE_LIMITED of speed: such a number is registered.
            Some("CONNECTED" | "LINKED" | "FLAGGED" | "RATE_LIMITED") => Registration::Ready,
            _ if matches!(self.code_verification_status.as_deref(), Some("NOT_VERIFIED" | "UNVERIFIED")) => {
                Registration::Unverified
            }
            _ if matches!(self.name_status.as_deref(), Some("PENDING_REVIEW" | "PENDING" | "IN_REVIEW")) => {
                Registration::NamePending
            }
            None | Some("PENDING" | "DISCONNECTED" | "UNLINKED" | "UNVERIFIED")
                if self.name_status.as_deref() == Some("DECLINED") =>
            {
                Registration::NameDeclined
            }
            None | Some("PENDING" | "DISCONNECTED" | "UNLINKED" | "UNVERIFIED") => Registration::NotRegistered,
            _ => Registration::Unclear,
        }
    }

    /// Whether it can send and receive.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        matches!(self.registration(), Registration::Ready | Registration::Coexistence)
    }

    /// Whether it is one of the numbers that Meta gives to try things with: their area code is nobody's.
    #[must_use]
    pub fn is_for_tests(&self) -> bool {
        self.account_mode.as_deref() == Some("SANDBOX")
            || crate::base::phone::e164(&self.display).is_some_and(|number| number.starts_with("+1555"))
    }

    /// The number as people of its own country write it, where that differs.
    #[must_use]
    pub fn national(&self) -> Option<String> {
        crate::base::phone::national(&self.display).filter(|text| *text != self.international())
    }

    /// The number as people of the world read it.
    #[must_use]
    pub fn international(&self) -> String {
        international(&self.display)
    }
}

/// A number as people of the world read it, `+44 20 7946 0958`; Meta's own writing where it is no number
/// we know.
#[must_use]
pub fn international(display: &str) -> String {
    let full = crate::base::phone::e164(display);
    match phonenumber::parse(None, full.as_deref().unwrap_or(display)) {
        Ok(number) => number.format().mode(phonenumber::Mode::International).to_string(),
        Err(_) => display.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number() -> Number {
        Number {
            id: "1".parse().unwrap(),
            waba_id: "2".parse().unwrap(),
            display: "+442079460958".to_owned(),
            verified_name: "Shop".to_owned(),
            name_status: None,
            quality_rating: None,
            status: None,
            code_verification_status: Some("VERIFIED".to_owned()),
            platform_type: None,
            throughput_level: None,
            messaging_limit: None,
            account_mode: None,
            is_on_biz_app: None,
            is_official: None,
            obstacles: Vec::new(),
            health: None,
            new_name: None,
            new_name_status: None,
            onboarded_at: None,
            webhooks: Webhooks::default(),
            read_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn limits_in_words() {
        for (tier, words) in [
            ("TIER_250", "250 people"),
            ("TIER_2K", "2,000 people"),
            ("TIER_100K", "100,000 people"),
            ("TIER_UNLIMITED", "No limit"),
            ("TIER_NEW", "TIER_NEW"),
        ] {
            assert_eq!(Number { messaging_limit: Some(tier.to_owned()), ..number() }.limit().words(), words);
        }
    }

    #[test]
    fn a_number_in_the_app_is_never_to_be_registered() {
        let shared = Number { is_on_biz_app: Some(true), status: Some("CONNECTED".to_owned()), ..number() };
        assert_eq!(shared.registration(), Registration::Coexistence);
        assert_eq!(number().registration(), Registration::NotRegistered);
        let pending = Number { name_status: Some("PENDING_REVIEW".to_owned()), ..number() };
        assert_eq!(pending.registration(), Registration::NamePending);
    }

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(number().international(), "+44 20 7946 0958");
        assert_eq!(Number { display: "12345".to_owned(), ..number() }.international(), "12345");
    }
}
