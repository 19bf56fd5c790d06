//! A profile, its fields, and Meta's rules for them.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/business-profiles>

use serde::{Deserialize, Serialize};
use url::Url;

/// How many websites there may be.
pub const WEBSITES: usize = 2;
const WEBSITE_CHARS: usize = 256;

/// How a number shows itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// The line beneath the name.
    pub about: String,
    /// Where the business is.
    pub address: String,
    /// What it does.
    pub description: String,
    /// Where to write to.
    pub email: String,
    /// At most two.
    pub websites: Vec<String>,
    /// The line of business, by Meta's word; empty: never chosen.
    pub vertical: String,
    /// Which photo: a digest of where Meta has it, without what changes in that address each time. Empty: none.
    pub picture: String,
}

/// A part of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The photo.
    Picture,
    /// See [`Profile::about`].
    About,
    /// See [`Profile::vertical`].
    Vertical,
    /// See [`Profile::description`].
    Description,
    /// See [`Profile::address`].
    Address,
    /// See [`Profile::email`].
    Email,
    /// See [`Profile::websites`].
    Websites,
}

/// A part that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Which.
    pub field: Field,
    /// What stood there.
    pub before: String,
    /// What stands there now.
    pub after: String,
}

impl Field {
    /// All, in the order of the page.
    pub const ALL: [Self; 7] =
        [Self::Picture, Self::About, Self::Vertical, Self::Description, Self::Address, Self::Email, Self::Websites];

    /// The name in forms.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Picture => "picture",
            Self::About => "about",
            Self::Vertical => "vertical",
            Self::Description => "description",
            Self::Address => "address",
            Self::Email => "email",
            Self::Websites => "websites",
        }
    }

    /// As people read it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Picture => "Photo",
            Self::About => "About",
            Self::Vertical => "Category",
            Self::Description => "Description",
            Self::Address => "Address",
            Self::Email => "E-mail address",
            Self::Websites => "Websites",
        }
    }

    /// The most characters, where it is a text: as Meta's description of its API counts them, a character is a Unicode
    /// code point.
    #[must_use]
    pub fn limit(self) -> usize {
        match self {
            Self::About => 139,
            Self::Address => 256,
            Self::Description => 512,
            Self::Email => 128,
            Self::Websites => WEBSITE_CHARS,
            Self::Picture | Self::Vertical => usize::MAX,
        }
    }
}

impl Profile {
    /// A field's text; websites one a line.
    #[must_use]
    pub fn get(&self, field: Field) -> String {
        match field {
            Field::Picture => self.picture.clone(),
            Field::About => self.about.clone(),
            Field::Vertical => self.vertical.clone(),
            Field::Description => self.description.clone(),
            Field::Address => self.address.clone(),
            Field::Email => self.email.clone(),
            Field::Websites => self.websites.join("\n"),
        }
    }

    /// Takes a field over from another.
    pub fn take(&mut self, field: Field, from: &Self) {
        match field {
            Field::Picture => self.picture.clone_from(&from.picture),
            Field::About => self.about.clone_from(&from.about),
            Field::Vertical => self.vertical.clone_from(&from.vertical),
            Field::Description => self.description.clone_from(&from.description),
            Field::Address => self.address.clone_from(&from.address),
            Field::Email => self.email.clone_from(&from.email),
            Field::Websites => self.websites.clone_from(&from.websites),
        }
    }

    /// Whether a field says the same in both, however Meta writes it.
    #[must_use]
    pub fn same(&self, other: &Self, field: Field) -> bool {
        if field != Field::Websites {
            return self.get(field) == other.get(field);
        }
        let normal = |text: &String| Url::parse(text).map_or_else(|_| text.clone(), String::from);
        self.websites.iter().map(normal).eq(other.websites.iter().map(normal))
    }

    /// The fields that say something else.
    #[must_use]
    pub fn differing(&self, other: &Self) -> Vec<Field> {
        Field::ALL.into_iter().filter(|field| !self.same(other, *field)).collect()
    }

    /// What changed from `before` to this.
    #[must_use]
    pub fn changes_since(&self, before: &Self) -> Vec<Change> {
        let change = |field: Field| Change { field, before: before.get(field), after: self.get(field) };
        self.differing(before).into_iter().map(change).collect()
    }

    /// As it was typed, without white space around, line ends as Meta has them, and websites with their `https://`.
    #[must_use]
    pub fn tidy(mut self) -> Self {
        let tidy = |text: &str| text.replace("\r\n", "\n").replace('\0', "").trim().to_owned();
        for text in [&mut self.about, &mut self.address, &mut self.description, &mut self.email, &mut self.vertical] {
            *text = tidy(text);
        }
        self.about = self.about.replace('\n', " ");
        let site = |text: &String| match tidy(text) {
            text if text.is_empty() || text.contains("://") => text,
            text => format!("https://{text}"),
        };
        self.websites = self.websites.iter().map(site).filter(|text| !text.is_empty()).collect();
        self
    }

    /// What is wrong with what is to be saved: for each field, what to do about it. `before` is what stands there.
    #[must_use]
    pub fn faults(&self, before: &Self) -> Vec<(Field, String)> {
        let mut faults = Vec::new();
        for field in [Field::About, Field::Description, Field::Address, Field::Email] {
            let (count, limit) = (self.get(field).chars().count(), field.limit());
            if count > limit {
                let over = count - limit;
                let plural = if over == 1 { "" } else { "s" };
                faults.push((field, format!("Shorten this by {over} character{plural}: at most {limit} fit.")));
            }
        }
        if self.about.is_empty() && !before.about.is_empty() {
            faults.push((
                Field::About,
                "Enter at least one character: WhatsApp does not let it become empty again.".to_owned(),
            ));
        }
        if self.vertical.is_empty() && !before.vertical.is_empty() {
            faults
                .push((Field::Vertical, "Choose a category: WhatsApp does not let it become empty again.".to_owned()));
        }
        let is_known = before.vertical == self.vertical || VERTICALS.iter().any(|(word, _)| *word == self.vertical);
        if !self.vertical.is_empty() && !is_known {
            faults.push((Field::Vertical, "Choose a category from the list.".to_owned()));
        }
        if !self.email.is_empty() && self.email.parse::<lettre::Address>().is_err() {
            faults.push((Field::Email, "Enter an address such as shop@example.com, or leave it empty.".to_owned()));
        }
        if self.websites.len() > WEBSITES {
            faults.push((Field::Websites, format!("At most {WEBSITES} websites fit.")));
        }
        for site in &self.websites {
            let good = Url::parse(site).is_ok_and(|url| {
                matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| host.contains('.'))
            });
            if !good {
                faults.push((
                    Field::Websites,
                    format!("“{site}” is no address of a website. Enter one such as https://shop.example."),
                ));
            } else if site.chars().count() > WEBSITE_CHARS {
                faults.push((Field::Websites, format!("An address may have at most {WEBSITE_CHARS} characters.")));
            }
        }
        faults
    }
}

/// The lines of business: Meta's word, and the name that WhatsApp shows, in the order of the names.
pub const VERTICALS: [(&str, &str); 21] = [
    ("ALCOHOL", "Alcoholic Beverages"),
    ("AUTO", "Automotive"),
    ("BEAUTY", "Beauty, Spa and Salon"),
    ("APPAREL", "Clothing and Apparel"),
    ("EDU", "Education"),
    ("ENTERTAIN", "Entertainment"),
    ("EVENT_PLAN", "Event Planning and Service"),
    ("FINANCE", "Finance and Banking"),
    ("GROCERY", "Food and Grocery"),
    ("HOTEL", "Hotel and Lodging"),
    ("HEALTH", "Medical and Health"),
    ("PHYSICAL_GAMBLING", "Non-Online Gambling & Gaming"),
    ("NONPROFIT", "Non-profit"),
    ("ONLINE_GAMBLING", "Online Gambling & Gaming"),
    ("OTC_DRUGS", "Over-the-Counter Drugs"),
    ("PROF_SERVICES", "Professional Services"),
    ("GOVT", "Public Service"),
    ("RESTAURANT", "Restaurant"),
    ("RETAIL", "Shopping and Retail"),
    ("TRAVEL", "Travel and Transportation"),
    ("OTHER", "Other"),
];

/// The name of a line of business; Meta's word where it is none that we know.
#[must_use]
pub fn vertical_name(word: &str) -> String {
    let known = VERTICALS.iter().find(|(known, _)| *known == word).map(|(_, name)| (*name).to_owned());
    known.unwrap_or_else(|| match word {
        "NOT_A_BIZ" => "Not a business".to_owned(),
        word => word.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile() -> Profile {
        Profile { about: "Cakes".to_owned(), vertical: "RETAIL".to_owned(), ..Profile::default() }
    }

    #[test]
    fn limits_count_characters_as_people_do() {
        let full = Profile { about: "🎂".repeat(139), ..profile() };
        assert!(full.faults(&profile()).is_empty());
        let over = Profile { about: "🎂".repeat(141), description: "a".repeat(513), ..profile() };
        let faults = over.faults(&profile());
        assert_eq!(faults[0], (Field::About, "Shorten this by 2 characters: at most 139 fit.".to_owned()));
        assert!(faults[1].1.starts_with("Shorten this by 1 character:"), "{faults:?}");
    }

    #[test]
    fn what_was_filled_in_does_not_become_empty_again() {
        let empty = Profile::default();
        assert!(empty.faults(&empty).is_empty(), "it never was");
        let fields: Vec<Field> = empty.faults(&profile()).into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, [Field::About, Field::Vertical]);
        let odd = Profile { vertical: "SPACE".to_owned(), ..profile() };
        assert_eq!(odd.faults(&profile()).len(), 1);
        assert!(odd.faults(&odd).is_empty(), "a word of Meta's that we don't know stays");
    }

    #[test]
    fn websites_get_their_scheme_and_compare_as_meta_writes_them() {
        let typed = |site: &str| Profile { websites: vec![site.to_owned(), " ".to_owned()], ..profile() }.tidy();
        assert_eq!(typed("shop.example").websites, ["https://shop.example"]);
        assert!(typed("shop.example").same(&typed("https://shop.example/"), Field::Websites));
        for bad in ["ftp://shop.example", "shop", "https://"] {
            assert_eq!(typed(bad).faults(&profile()).len(), 1, "{bad}");
        }
        assert!(Profile { email: "no address".to_owned(), ..profile() }.faults(&profile()).len() == 1);
    }
}
