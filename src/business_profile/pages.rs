//! The page of a number's profile, its form, and the page where somebody chooses between theirs and what was changed
//! meanwhile.

use super::{
    form::{self, FormView},
    history::{CopyLine, HistoryLine, shown},
    model::{Field, Profile},
    picture,
    queries::{self, Picture},
    refusal::{self, Notice},
    service::{BusinessProfiles, Unsaved, Wish},
};
use crate::{
    accounts::Member,
    base::ids::{ConnectionId, PhoneNumberId},
    graph::Held,
    phone_numbers::{self, Number},
    web::{Access, Chrome, Error, Form, NoFields, Result, Routes, multipart::MultipartForm, page, when::When},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use time::Duration;
use tower_sessions::Session;

/// The form, with a photo of at most so many bytes: more than Meta takes, so that the rest of the form can be shown again.
pub(super) type ProfileForm = MultipartForm<{ 16 * 1024 * 1024 }>;
/// After how long a profile is read anew where its page is opened.
const FRESH: Duration = Duration::minutes(2);
/// How long a chosen photo waits.
pub(super) const PICTURES_LIVE: Duration = Duration::days(1);

/// The routes of this feature.
pub fn routes(profiles: BusinessProfiles) -> Routes {
    Routes::new()
        .get(Access::Member, "/connections/{id}/numbers/{number}/profile", show)
        .post(Access::Member, "/connections/{id}/numbers/{number}/profile", save)
        .get(Access::Member, "/connections/{id}/numbers/{number}/profile/sync", back)
        .post(Access::Member, "/connections/{id}/numbers/{number}/profile/sync", sync)
        .get(Access::Member, "/connections/{id}/numbers/{number}/profile/photo", photo)
        .with_state(profiles)
}

/// A number of the customer's.
struct Place {
    held: Held,
    number: Number,
    others: Vec<Number>,
}

impl Place {
    fn path(&self) -> String {
        format!("/connections/{}/numbers/{}/profile", self.held.connection, self.number.id)
    }
}

impl BusinessProfiles {
    async fn place(&self, member: &Member, (id, number): &(String, String)) -> Result<Place> {
        let id: ConnectionId = id.parse().map_err(|_| Error::NotFound)?;
        let number: PhoneNumberId = number.parse().map_err(|_| Error::NotFound)?;
        let held = self.lines.held(id).await.map_err(Error::internal)?;
        let held = held.filter(|held| held.customer == member.customer).ok_or(Error::NotFound)?;
        let mut db = self.store.read().await?;
        let mut numbers = Vec::new();
        for waba in &held.wabas {
            numbers.extend(phone_numbers::list(&mut db, waba).await?);
        }
        let (own, others): (Vec<Number>, Vec<Number>) = numbers.into_iter().partition(|one| one.id == number);
        let number = own.into_iter().next().ok_or(Error::NotFound)?;
        Ok(Place { held, number, others })
    }
}

/// Another number, which can have the same profile.
struct Other {
    id: String,
    number: String,
    name: String,
    is_chosen: bool,
}

#[derive(Template, WebTemplate)]
#[template(path = "business_profile/show.html")]
struct ShowPage {
    chrome: Chrome,
    id: String,
    name: String,
    path: String,
    number_id: String,
    number: String,
    verified_name: String,
    initial: String,
    form: FormView,
    /// The address of the photo, if there is one.
    photo: Option<String>,
    read: Option<When>,
    notice: Option<Notice>,
    others: Vec<Other>,
    copies: Vec<CopyLine>,
    is_copying: bool,
    history: Vec<HistoryLine>,
}

impl BusinessProfiles {
    /// The page; with what was typed and what is wrong with it, where there is something.
    async fn page(&self, chrome: Chrome, place: &Place, shown: Shown<'_>) -> Result<ShowPage> {
        let kept = self.kept(&place.number.id).await?;
        let known = kept.as_ref().map(|kept| kept.profile.clone()).unwrap_or_default();
        let base = shown.base.unwrap_or(&known);
        let form = FormView::new(shown.typed.unwrap_or(&known), base, shown.photo_id, shown.faults);
        let has_photo = kept.as_ref().is_some_and(|kept| kept.picture_url.is_some());
        let photo = match (shown.photo_id, has_photo) {
            ("", false) => None,
            ("", true) => Some(format!("{}/photo", place.path())),
            (chosen, _) => Some(format!("{}/photo?chosen={chosen}", place.path())),
        };
        let other = |number: &Number| Other {
            id: number.id.to_string(),
            number: number.international(),
            name: number.verified_name.clone(),
            is_chosen: shown.also.contains(&number.id),
        };
        let copies = self.copy_lines(&place.number.id, &place.others).await?;
        let history = self.history(&place.number.id, &chrome.site.operator).await?;
        Ok(ShowPage {
            id: place.held.connection.to_string(),
            name: place.held.name.clone(),
            path: place.path(),
            number_id: place.number.id.to_string(),
            number: place.number.international(),
            verified_name: place.number.verified_name.clone(),
            initial: place
                .number
                .verified_name
                .chars()
                .next()
                .map(|first| first.to_uppercase().collect())
                .unwrap_or_default(),
            form,
            photo,
            read: kept.map(|kept| When::new(kept.read_at, self.clock.now())),
            notice: shown.notice,
            others: place.others.iter().map(other).collect(),
            is_copying: copies.iter().any(|copy| copy.is_waiting) && shown.typed.is_none(),
            copies,
            history,
            chrome,
        })
    }
}

/// What a page shows beside what is kept.
#[derive(Default)]
struct Shown<'a> {
    typed: Option<&'a Profile>,
    base: Option<&'a Profile>,
    photo_id: &'a str,
    faults: &'a [(Field, String)],
    notice: Option<Notice>,
    also: &'a [PhoneNumberId],
}

async fn show(
    State(profiles): State<BusinessProfiles>,
    chrome: Chrome,
    member: Member,
    Path(path): Path<(String, String)>,
) -> Result<ShowPage> {
    let place = profiles.place(&member, &path).await?;
    let kept = profiles.kept(&place.number.id).await?;
    let is_fresh = kept.is_some_and(|kept| kept.read_at + FRESH > profiles.clock.now());
    let mut notice = None;
    if !is_fresh && let Err(trouble) = profiles.sync(place.held.connection, &place.number.id).await {
        notice = Some(refusal::of_trouble(&trouble));
    }
    profiles.page(chrome, &place, Shown { notice, ..Shown::default() }).await
}

/// A form that was shown again stands under its own address: opened, it leads back.
async fn back(
    State(profiles): State<BusinessProfiles>,
    member: Member,
    Path(path): Path<(String, String)>,
) -> Result<Redirect> {
    Ok(Redirect::to(&profiles.place(&member, &path).await?.path()))
}

async fn sync(
    State(profiles): State<BusinessProfiles>,
    chrome: Chrome,
    session: Session,
    member: Member,
    Path(path): Path<(String, String)>,
    Form(_): Form<NoFields>,
) -> Result<Response> {
    let place = profiles.place(&member, &path).await?;
    match profiles.sync(place.held.connection, &place.number.id).await {
        Ok((_, changes)) => {
            let fields: Vec<String> = changes.iter().map(|change| change.field.label().to_lowercase()).collect();
            let words = match fields.as_slice() {
                [] => "Nothing has changed at WhatsApp.".to_owned(),
                fields => format!("Changed at WhatsApp meanwhile: {}.", fields.join(", ")),
            };
            page::flash(&session, &words).await?;
            Ok(Redirect::to(&place.path()).into_response())
        }
        Err(trouble) => {
            let notice = Some(refusal::of_trouble(&trouble));
            let page = profiles.page(chrome, &place, Shown { notice, ..Shown::default() }).await?;
            Ok((StatusCode::BAD_GATEWAY, page).into_response())
        }
    }
}

#[derive(Deserialize, Default)]
struct PhotoQuery {
    chosen: Option<String>,
}

/// The photo as it stands, or one that was chosen and waits: always through us, never from Meta's address.
async fn photo(
    State(profiles): State<BusinessProfiles>,
    member: Member,
    Path(path): Path<(String, String)>,
    Query(asked): Query<PhotoQuery>,
) -> Result<Response> {
    let place = profiles.place(&member, &path).await?;
    let found = match &asked.chosen {
        Some(id) => queries::picture(&mut profiles.store.read().await?, &place.number.id, id).await?,
        None => profiles.current_photo(&place.number.id).await?,
    };
    let picture = found.ok_or(Error::NotFound)?;
    Ok(([(header::CONTENT_TYPE, picture.mime_type)], picture.bytes).into_response())
}

impl BusinessProfiles {
    /// The photo that stands at Meta; `None` where there is none, or it can't be had now.
    async fn current_photo(&self, number: &PhoneNumberId) -> Result<Option<Picture>> {
        let Some(url) = self.kept(number).await?.and_then(|kept| kept.picture_url?.parse().ok()) else {
            return Ok(None);
        };
        match self.meta.now().graph.profile_picture(&url, picture::MAX_BYTES).await {
            Ok(bytes) => Ok(bytes.and_then(|bytes| {
                let kind = picture::kind(&bytes)?;
                Some(Picture { mime_type: kind.mime_type().to_owned(), bytes })
            })),
            Err(error) => {
                tracing::info!(%error, "a photo could not be fetched");
                Ok(None)
            }
        }
    }
}

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

async fn save(
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
    let also: Vec<PhoneNumberId> =
        also.into_iter().filter(|id| place.others.iter().any(|other| other.id == *id)).collect();
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
                    let (connection, number) = (place.held.connection, &place.number.id);
                    profiles.ask_copies(&member, connection, number, &wanted, picture.as_ref(), &also).await?;
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
                    let picture = Picture { mime_type: kind.mime_type().to_owned(), bytes: file.bytes.to_vec() };
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
