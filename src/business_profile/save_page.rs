//! What is done with the form: saved, shown again with what is wrong, or the choice between it and what was changed
//! meanwhile.

use super::{
    form,
    history::shown,
    model::{Field, Profile},
    pages::{PICTURES_LIVE, Place, ProfileForm, Shown, Sibling},
    picture,
    queries::{self, Picture},
    refusal::{self, Notice},
    service::{BusinessProfiles, Unsaved, Wish},
};
use crate::{
    accounts::Member,
    base::ids::PhoneNumberId,
    web::{Chrome, Result, page},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use tower_sessions::Session;

/// One field of which there are two versions.
struct Versions {
    key: &'static str,
    label: &'static str,
    mine: String,
    theirs: String,
    mine_photo: Option<String>,
    theirs_photo: Option<String>,
    /// Whether the person changed it themselves.
    is_mine: bool,
}

#[derive(Template, WebTemplate)]
#[template(path = "business_profile/conflict.html")]
struct ConflictPage {
    chrome: Chrome,
    id: String,
    name: String,
    path: String,
    number: String,
    versions: Vec<Versions>,
    /// What goes with the form: name and value.
    hidden: Vec<(&'static str, String)>,
}

pub(super) async fn save(
    State(profiles): State<BusinessProfiles>,
    chrome: Chrome,
    session: Session,
    member: Member,
    Path(path): Path<(String, String)>,
    form: ProfileForm,
) -> Result<Response> {
    let place = profiles.place(&member, &path).await?;
    let (base, mut wanted) = (form::base(&form)?, form::typed(&form).tidy());
    let takes_theirs = |field: Field| form.text(&format!("choose_{}", field.key())) == "theirs";
    for field in Field::ALL.into_iter().filter(|field| takes_theirs(*field)) {
        wanted.take(field, &base);
    }
    let also: Vec<PhoneNumberId> = form.all("also").filter_map(|id| id.parse().ok()).collect();
    let to: Vec<&Sibling> = place.others.iter().filter(|other| also.contains(&other.number.id)).collect();
    let also: Vec<PhoneNumberId> = to.iter().map(|other| other.number.id.clone()).collect();
    let mut faults = wanted.faults(&base);
    let (photo_id, picture) = if takes_theirs(Field::Picture) {
        (String::new(), None)
    } else {
        profiles.chosen(&place, &form, &mut faults).await?
    };
    let again = |notice: Option<Notice>, faults: Vec<(Field, String)>| (notice, faults);
    let (notice, faults) = if faults.is_empty() {
        let wish = Wish { wanted: wanted.clone(), base: base.clone(), picture: picture.clone() };
        match profiles.save(&member, place.held.connection, &place.number.id, &wish).await {
            Ok(changes) => {
                let picture = match picture {
                    None if !also.is_empty() => profiles.current_photo(&place.number.id).await?,
                    picture => picture,
                };
                if !also.is_empty() {
                    profiles.ask_copies(&member, &place.number.id, &wanted, picture.as_ref(), &to).await?;
                }
                let words = match (changes.is_empty(), also.len()) {
                    (true, 0) => "Nothing was changed.".to_owned(),
                    (false, 0) => "The profile is saved. People see it in WhatsApp.".to_owned(),
                    (_, 1) => "The profile is saved, and is being saved for one more number.".to_owned(),
                    (_, more) => format!("The profile is saved, and is being saved for {more} more numbers."),
                };
                page::flash(&session, &words).await?;
                return Ok(Redirect::to(&place.path()).into_response());
            }
            Err(Unsaved::Conflict(fields, now)) => {
                let page = conflict(chrome, &place, (&wanted, &base, &now), &photo_id, &fields, &also);
                return Ok((StatusCode::CONFLICT, page).into_response());
            }
            Err(Unsaved::Refused(Some(field), error)) => {
                again(Some(refusal::of_error(&error)), vec![(field, refusal::sentence(&error))])
            }
            Err(Unsaved::Refused(None, error)) => again(Some(refusal::of_error(&error)), Vec::new()),
            Err(Unsaved::Trouble(trouble)) => again(Some(refusal::of_trouble(&trouble)), Vec::new()),
        }
    } else {
        again(None, faults)
    };
    // As it was typed, not tidied: a person finds what they wrote.
    let typed = form::typed(&form);
    let shown =
        Shown { typed: Some(&typed), base: Some(&base), photo_id: &photo_id, faults: &faults, notice, also: &also };
    let page = profiles.page(chrome, &place, shown).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

impl BusinessProfiles {
    /// The photo that was chosen with the form, or before; kept, so that the form can be shown again with it.
    async fn chosen(
        &self,
        place: &Place,
        form: &ProfileForm,
        faults: &mut Vec<(Field, String)>,
    ) -> Result<(String, Option<Picture>)> {
        if let Some(file) = form.file("photo") {
            match picture::check(&file.bytes) {
                Ok(kind) => {
                    let picture = Picture {
                        mime_type: kind.mime_type().to_owned(),
                        bytes: picture::without_metadata(&file.bytes),
                    };
                    let now = self.clock.now();
                    let mut tx = self.store.write().await?;
                    let until = now - PICTURES_LIVE;
                    let id = queries::keep_picture(&mut tx, &place.number.id, &picture, now, until).await?;
                    tx.commit().await?;
                    return Ok((id, Some(picture)));
                }
                Err(fault) => faults.push((Field::Picture, fault)),
            }
            return Ok((String::new(), None));
        }
        let id = form.text("photo_id");
        if id.is_empty() {
            return Ok((String::new(), None));
        }
        let found = queries::picture(&mut self.store.read().await?, &place.number.id, id).await?;
        if found.is_none() {
            faults.push((Field::Picture, "The photo waited too long. Choose it again.".to_owned()));
            return Ok((String::new(), None));
        }
        Ok((id.to_owned(), found))
    }
}

fn conflict(
    chrome: Chrome,
    place: &Place,
    (wanted, base, now): (&Profile, &Profile, &Profile),
    photo_id: &str,
    fields: &[Field],
    also: &[PhoneNumberId],
) -> ConflictPage {
    let photo = place.path() + "/photo";
    let versions = fields.iter().map(|field| Versions {
        key: field.key(),
        label: field.label(),
        mine: shown(*field, &wanted.get(*field)),
        theirs: shown(*field, &now.get(*field)),
        mine_photo: (*field == Field::Picture).then(|| format!("{photo}?chosen={photo_id}")),
        theirs_photo: (*field == Field::Picture && !now.picture.is_empty()).then(|| photo.clone()),
        is_mine: *field == Field::Picture || !wanted.same(base, *field),
    });
    let mut hidden = vec![
        ("base", serde_json::to_string(now).unwrap_or_default()),
        ("photo_id", photo_id.to_owned()),
        ("about", wanted.about.clone()),
        ("description", wanted.description.clone()),
        ("address", wanted.address.clone()),
        ("email", wanted.email.clone()),
        ("vertical", wanted.vertical.clone()),
    ];
    hidden.extend(["website_1", "website_2"].into_iter().zip(wanted.websites.iter().cloned()));
    hidden.extend(also.iter().map(|id| ("also", id.to_string())));
    ConflictPage {
        id: place.held.connection.to_string(),
        name: place.held.name.clone(),
        path: place.path(),
        number: place.number.international(),
        versions: versions.collect(),
        hidden,
        chrome,
    }
}
