//! A profile as the operator's staff read it at a glance.

use super::{BusinessProfiles, model::vertical_name};
use crate::{base::ids::PhoneNumberId, store::Result, web::when::When};

/// A profile at a glance.
#[derive(Clone, Debug)]
pub struct ProfileGlance {
    /// What is filled in: name, text.
    pub filled: Vec<(&'static str, String)>,
    /// What is empty.
    pub empty: Vec<&'static str>,
    /// When it was read.
    pub read: When,
}

impl BusinessProfiles {
    /// A number's profile as last read; `None`: it was not read yet.
    ///
    /// # Errors
    /// The database's.
    pub async fn glance(&self, number: &PhoneNumberId) -> Result<Option<ProfileGlance>> {
        let Some(kept) = self.kept(number).await? else { return Ok(None) };
        let profile = kept.profile;
        let (mut filled, mut empty) = (Vec::new(), Vec::new());
        let vertical = if profile.vertical.is_empty() { String::new() } else { vertical_name(&profile.vertical) };
        let photo = if profile.picture.is_empty() { "" } else { "Set" };
        for (name, text) in [
            ("Photo", photo.to_owned()),
            ("About", profile.about),
            ("Line of business", vertical),
            ("Address", profile.address),
            ("E-mail", profile.email),
            ("Websites", profile.websites.join(", ")),
            ("Description", profile.description),
        ] {
            if text.trim().is_empty() { empty.push(name) } else { filled.push((name, text)) }
        }
        Ok(Some(ProfileGlance { filled, empty, read: When::new(kept.read_at, self.clock.now()) }))
    }
}
