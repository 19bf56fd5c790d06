//! A profile as it was last read, and a photo that was written here and is not seen at Meta yet.

use super::model::{Change, Field, Profile};
use crate::base::{clock::to_ms, ids};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

/// How long after a photo was written Meta may still name the one before; or none.
const LATE: Duration = Duration::hours(1);

/// A profile as last read.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub profile: Profile,
    /// The photo that was written here last, as long as it is the one that stands there.
    pub photo: Option<Written>,
    pub picture_url: Option<String>,
    pub read_at: OffsetDateTime,
}

/// A photo that was written here. Until Meta names another one than before, nobody knows by which name it goes there: the
/// profile has a name of ours in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Written {
    /// Our name.
    ours: String,
    /// Meta's name of the one before; empty: there was none.
    before: String,
    /// Meta's name of this one, once it was read.
    metas: Option<String>,
    /// When, in milliseconds.
    at: i64,
}

/// What the column holds.
#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    #[serde(flatten)]
    pub profile: Profile,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo: Option<Written>,
}

impl Kept {
    /// What is read now, after what was known: a photo that was written here, and that Meta names late, is no other one.
    #[must_use]
    pub fn after(mut self, before: &Self) -> Self {
        let Some(photo) = &before.photo else { return self };
        let told = &self.profile.picture;
        match &photo.metas {
            Some(metas) => self.photo = (metas == told).then(|| photo.clone()),
            None => {
                let is_late = to_ms(self.read_at) < photo.at + to_ms_of(LATE);
                let is_other = !told.is_empty() && *told != photo.before;
                if !is_other && is_late {
                    self.profile.picture.clone_from(&photo.ours);
                    self.picture_url = self.picture_url.or_else(|| before.picture_url.clone());
                    self.photo = Some(photo.clone());
                } else if !told.is_empty() {
                    // The first other one is ours; so is the same, where Meta names no other one.
                    self.photo = Some(Written { metas: Some(told.clone()), ..photo.clone() });
                }
            }
        }
        self
    }

    /// The same with the photo that was just written; `before` is how it was until then.
    #[must_use]
    pub fn with_new_photo(mut self, before: &Self) -> Self {
        let metas_before = match &before.photo {
            Some(Written { metas: None, before, .. }) => before,
            _ => &before.profile.picture,
        };
        self.photo = None;
        if self.profile.picture.is_empty() || self.profile.picture == *metas_before {
            let ours = format!("written-{}", ids::new_uuid().simple());
            let photo =
                Written { ours: ours.clone(), before: metas_before.clone(), metas: None, at: to_ms(self.read_at) };
            self.profile.picture = ours;
            self.picture_url = self.picture_url.or_else(|| before.picture_url.clone());
            self.photo = Some(photo);
        }
        self
    }

    /// Whether a profile shows the same photo, by whichever name.
    #[must_use]
    pub fn has_photo_of(&self, other: &Profile) -> bool {
        let (own, other) = (&self.profile.picture, &other.picture);
        let is_ours = |photo: &Written| photo.ours == *other && photo.metas.as_ref() == Some(own);
        own == other || self.photo.as_ref().is_some_and(is_ours)
    }

    /// What changed since.
    #[must_use]
    pub fn changes_since(&self, before: &Profile) -> Vec<Change> {
        let mut changes = self.profile.changes_since(before);
        changes.retain(|change| change.field != Field::Picture || !self.has_photo_of(before));
        changes
    }
}

fn to_ms_of(duration: Duration) -> i64 {
    i64::try_from(duration.whole_milliseconds()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::from_ms;

    fn read(picture: &str, at: i64) -> Kept {
        let url = (!picture.is_empty()).then(|| format!("https://meta.example/{picture}"));
        let profile = Profile { picture: picture.to_owned(), ..Profile::default() };
        Kept { profile, photo: None, picture_url: url, read_at: from_ms(at) }
    }

    #[test]
    fn a_photo_that_meta_names_late_is_ours() {
        let before = read("old", 0);
        let written = read("old", 1).with_new_photo(&before);
        assert!(!written.has_photo_of(&before.profile), "it is another one");
        let stored = serde_json::to_string(&Stored { profile: written.profile.clone(), photo: written.photo.clone() });
        let stored: Stored = serde_json::from_str(&stored.unwrap()).unwrap();
        assert_eq!((&stored.profile, &stored.photo), (&written.profile, &written.photo));

        for none_or_old in ["old", ""] {
            let same = read(none_or_old, 2).after(&written);
            assert!(same.changes_since(&written.profile).is_empty());
            assert_eq!(same.picture_url.as_deref(), Some("https://meta.example/old"));
            let named = read("new", 3).after(&same);
            assert!(named.changes_since(&same.profile).is_empty());
            assert!(named.has_photo_of(&written.profile), "a form of then is of this photo");
            assert!(!named.has_photo_of(&before.profile), "one from before is not");
            let again = read("new", 4).after(&named);
            assert!(again.has_photo_of(&written.profile));
            let foreign = read("other", 5).after(&again);
            assert_eq!(foreign.changes_since(&again.profile).len(), 1);
            assert!(!foreign.has_photo_of(&written.profile));
        }
    }

    #[test]
    fn what_meta_names_after_long_is_believed() {
        let before = read("old", 0);
        let written = read("old", 0).with_new_photo(&before);
        let late = to_ms_of(LATE);
        let same = read("old", late).after(&written);
        assert!(same.changes_since(&written.profile).is_empty(), "the same picture was written again");
        assert_eq!(same.profile.picture, "old");
        let gone = read("", late).after(&written);
        assert_eq!(gone.changes_since(&written.profile).len(), 1);
        assert_eq!(read("new", late * 9).after(&written).changes_since(&written.profile), []);
    }

    #[test]
    fn what_meta_names_at_once_needs_no_name_of_ours() {
        let before = read("old", 0);
        let written = read("new", 1).with_new_photo(&before);
        assert_eq!((written.profile.picture.as_str(), &written.photo), ("new", &None));
        // A second one is written before the first is named.
        let first = read("old", 1).with_new_photo(&before);
        let second = read("old", 2).with_new_photo(&first);
        assert_ne!(second.profile.picture, first.profile.picture);
        assert!(read("new", 3).after(&second).changes_since(&second.profile).is_empty());
    }
}
