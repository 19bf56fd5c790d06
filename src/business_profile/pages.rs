//! The page of a number's profile, and its photo. What is done with the form: `save_page.rs`.

use super::{
    form::FormView,
    history::{CopyLine, HistoryLine},
    model::{Field, Profile},
    picture,
    queries::{self, Picture},
    refusal::{self, Notice},
    service::BusinessProfiles,
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
        .post(Access::Member, "/connections/{id}/numbers/{number}/profile", super::save_page::save)
        .get(Access::Member, "/connections/{id}/numbers/{number}/profile/sync", back)
        .post(Access::Member, "/connections/{id}/numbers/{number}/profile/sync", sync)
        .get(Access::Member, "/connections/{id}/numbers/{number}/profile/photo", photo)
        .with_state(profiles)
}

/// A number of the customer's.
pub(super) struct Place {
    pub held: Held,
    pub number: Number,
    /// The customer's other numbers, of any connection.
    pub others: Vec<Sibling>,
}

/// Another number of the customer's.
pub(super) struct Sibling {
    pub connection: ConnectionId,
    pub number: Number,
}

impl Place {
    pub fn path(&self) -> String {
        format!("/connections/{}/numbers/{}/profile", self.held.connection, self.number.id)
    }
}

impl BusinessProfiles {
    pub(super) async fn place(&self, member: &Member, (id, number): &(String, String)) -> Result<Place> {
        let id: ConnectionId = id.parse().map_err(|_| Error::NotFound)?;
        let number: PhoneNumberId = number.parse().map_err(|_| Error::NotFound)?;
        let held = self.lines.held(id).await.map_err(Error::internal)?;
        let held = held.filter(|held| held.customer == member.customer).ok_or(Error::NotFound)?;
        let active = self.lines.of_customer(member.customer).await.map_err(Error::internal)?;
        let mut db = self.store.read().await?;
        let (mut own, mut others) = (None, Vec::new());
        for one in std::iter::once(&held).chain(active.iter().filter(|one| one.connection != held.connection)) {
            for waba in &one.wabas {
                for found in phone_numbers::list(&mut db, waba).await? {
                    match found.id == number && one.connection == held.connection {
                        true => own = Some(found),
                        false => others.push(Sibling { connection: one.connection, number: found }),
                    }
                }
            }
        }
        Ok(Place { held, number: own.ok_or(Error::NotFound)?, others })
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
pub(super) struct ShowPage {
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
    /// Our access has ended.
    inactive: bool,
    others: Vec<Other>,
    copies: Vec<CopyLine>,
    is_copying: bool,
    history: Vec<HistoryLine>,
}

impl BusinessProfiles {
    /// The page; with what was typed and what is wrong with it, where there is something.
    pub(super) async fn page(&self, chrome: Chrome, place: &Place, shown: Shown<'_>) -> Result<ShowPage> {
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
        let other = |Sibling { number, .. }: &Sibling| Other {
            id: number.id.to_string(),
            number: number.international(),
            name: number.verified_name.clone(),
            is_chosen: shown.also.contains(&number.id),
        };
        let copies = self.copy_lines(&place.number.id, &place.others).await?;
        let history = self.history(&place.number.id, &chrome.site.operator).await?;
        Ok(ShowPage {
            inactive: !place.held.is_active,
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
pub(super) struct Shown<'a> {
    pub typed: Option<&'a Profile>,
    pub base: Option<&'a Profile>,
    pub photo_id: &'a str,
    pub faults: &'a [(Field, String)],
    pub notice: Option<Notice>,
    pub also: &'a [PhoneNumberId],
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
    if !is_fresh
        && place.held.is_active
        && let Err(trouble) = profiles.sync(place.held.connection, &place.number.id).await
    {
        notice = Some(refusal::of_reading(&trouble));
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
            let notice = Some(refusal::of_reading(&trouble)).filter(|_| place.held.is_active);
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
    pub(super) async fn current_photo(&self, number: &PhoneNumberId) -> Result<Option<Picture>> {
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
