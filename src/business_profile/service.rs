//! Reading a profile at Meta, and changing it there without running over what others changed meanwhile.

use super::{
    kept::Kept,
    model::{Change, Field, Profile},
    picture::Kind,
    queries::{self, Picture},
    refusal,
};
use crate::{
    accounts::{Accounts, Member, audit},
    base::{
        clock::Clock,
        ids::{ConnectionId, CustomerId, PhoneNumberId, UserId, WabaId},
    },
    graph::{self, FileUpload, GraphError, Line, LiveSetup, NoLine, ProfileChange, SharedLines},
    jobs::Queue,
    store::{Result as StoreResult, Store, StoreError, WriteTx},
    web::download::{DownloadError, JsonFile},
};
use sha2::{Digest, Sha256};
use std::error::Error;
use url::Url;

/// Profiles. Cloning shares what is beneath.
#[derive(Clone)]
pub struct BusinessProfiles {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) queue: Queue,
    pub(super) lines: SharedLines,
    pub(super) meta: LiveSetup,
    pub(super) accounts: Accounts,
}

/// Why nothing could be read or written.
pub(super) enum Trouble {
    /// There is no access at present.
    NoLine,
    /// Meta refused, or did not answer.
    Graph(GraphError),
    /// A fault of ours.
    Failed(Box<dyn Error + Send + Sync>),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Failed(Box::new(error))
    }
}

impl From<NoLine> for Trouble {
    fn from(error: NoLine) -> Self {
        match error {
            NoLine::None => Self::NoLine,
            NoLine::Failed(error) => Self::Failed(error),
        }
    }
}

/// What somebody wants saved.
pub(super) struct Wish {
    /// How it shall be; its photo is left out of account.
    pub wanted: Profile,
    /// How it was when they began.
    pub base: Profile,
    /// Another photo.
    pub picture: Option<Picture>,
}

/// Why it was not saved.
pub(super) enum Unsaved {
    /// These fields were changed elsewhere meanwhile; so it stands now.
    Conflict(Vec<Field>, Box<Profile>),
    /// Meta does not take it, because of this field where it is known.
    Refused(Option<Field>, GraphError),
    /// Nothing could be asked.
    Trouble(Trouble),
}

impl<E: Into<Trouble>> From<E> for Unsaved {
    fn from(error: E) -> Self {
        Self::Trouble(error.into())
    }
}

/// A profile as Meta tells it.
fn read_as(told: graph::BusinessProfile) -> (Profile, Option<String>) {
    let url = told.profile_picture_url.filter(|url| !url.is_empty());
    // What follows the path is a signature that is another one each time.
    let picture = url.as_deref().and_then(|url| Url::parse(url).ok()).map(|mut url| {
        url.set_query(None);
        hex::encode(&Sha256::digest(url.as_str())[..12])
    });
    let text = Option::unwrap_or_default;
    let profile = Profile {
        about: text(told.about),
        address: text(told.address),
        description: text(told.description),
        email: text(told.email),
        websites: told.websites.unwrap_or_default().into_iter().filter(|site| !site.is_empty()).collect(),
        vertical: Some(text(told.vertical)).filter(|word| word != "UNDEFINED").unwrap_or_default(),
        picture: picture.unwrap_or_default(),
    };
    (profile, url)
}

impl BusinessProfiles {
    /// Profiles in this database, read and written on these lines.
    #[must_use]
    pub fn new(
        store: Store,
        clock: Clock,
        queue: Queue,
        lines: SharedLines,
        meta: LiveSetup,
        accounts: Accounts,
    ) -> Self {
        Self { store, clock, queue, lines, meta, accounts }
    }

    pub(super) async fn kept(&self, number: &PhoneNumberId) -> StoreResult<Option<Kept>> {
        queries::get(&mut self.store.read().await?, number).await
    }

    async fn read(&self, line: &Line, number: &PhoneNumberId) -> Result<Kept, GraphError> {
        // What is asked for before somebody saves must not be taken for what stands after.
        let asked_at = self.clock.now();
        let told = line.graph.business_profile(&line.access, number).await;
        if let Err(error) = &told {
            self.lines.refused(line.connection, error).await;
        }
        let (profile, picture_url) = read_as(told?);
        Ok(Kept { profile, photo: None, picture_url, read_at: asked_at })
    }

    /// Keeps what was read; what differs from what we knew was changed elsewhere, and is noted so.
    async fn take(&self, number: &PhoneNumberId, read: Kept) -> StoreResult<(Kept, Vec<Change>)> {
        let mut tx = self.store.write().await?;
        let before = queries::get(&mut tx, number).await?;
        let kept = match &before {
            Some(before) => read.after(before),
            None => read,
        };
        if !queries::keep(&mut tx, number, &kept).await? {
            return Ok((kept, Vec::new()));
        }
        let changes = before.map(|before| kept.changes_since(&before.profile)).unwrap_or_default();
        if !changes.is_empty() {
            queries::note(&mut tx, number, None, &changes, kept.read_at).await?;
        }
        tx.commit().await?;
        Ok((kept, changes))
    }

    /// Reads a profile at Meta; what is new in it since the last time.
    pub(super) async fn sync(
        &self,
        connection: ConnectionId,
        number: &PhoneNumberId,
    ) -> Result<(Kept, Vec<Change>), Trouble> {
        let line = self.lines.line(connection).await?;
        let read = self.read(&line, number).await.map_err(Trouble::Graph)?;
        Ok(self.take(number, read).await?)
    }

    /// Saves what a person wants, unless somebody changed the same meanwhile; the changes, none where it was so already.
    pub(super) async fn save(
        &self,
        member: &Member,
        connection: ConnectionId,
        number: &PhoneNumberId,
        wish: &Wish,
    ) -> Result<Vec<Change>, Unsaved> {
        let (now, _) = self.sync(connection, number).await?;
        let differs = |field: &Field| match field {
            Field::Picture => wish.picture.is_some() && !now.has_photo_of(&wish.base),
            field => !now.profile.same(&wish.base, *field) && !now.profile.same(&wish.wanted, *field),
        };
        let conflicts: Vec<Field> = Field::ALL.into_iter().filter(differs).collect();
        if !conflicts.is_empty() {
            return Err(Unsaved::Conflict(conflicts, Box::new(now.profile)));
        }
        let line = self.lines.line(connection).await?;
        let written = self.write(&line, number, &now, &wish.wanted, wish.picture.as_ref()).await;
        let Some((kept, changes)) = written.map_err(|(field, error)| Unsaved::Refused(field, error))? else {
            return Ok(Vec::new());
        };
        let mut tx = self.store.write().await?;
        self.written(&mut tx, member.user.id, member.customer, number, &kept, &changes).await?;
        tx.commit().await?;
        Ok(changes)
    }

    /// Writes at Meta what differs from what stands there, and reads it again; `None` where nothing does.
    pub(super) async fn write(
        &self,
        line: &Line,
        number: &PhoneNumberId,
        now: &Kept,
        wanted: &Profile,
        picture: Option<&Picture>,
    ) -> Result<Option<(Kept, Vec<Change>)>, (Option<Field>, GraphError)> {
        let differing = wanted.differing(&now.profile);
        let fields: Vec<Field> = differing.into_iter().filter(|field| *field != Field::Picture).collect();
        if fields.is_empty() && picture.is_none() {
            return Ok(None);
        }
        let text = |field: Field| fields.contains(&field).then(|| wanted.get(field));
        let mut change = ProfileChange {
            about: text(Field::About),
            address: text(Field::Address),
            description: text(Field::Description),
            email: text(Field::Email),
            vertical: text(Field::Vertical),
            websites: fields.contains(&Field::Websites).then(|| wanted.websites.clone()),
            profile_picture_handle: None,
        };
        if let Some(picture) = picture {
            let file = FileUpload {
                name: Kind::of(&picture.mime_type).to_owned(),
                mime_type: picture.mime_type.clone(),
                bytes: picture.bytes.clone().into(),
            };
            let handle = self.meta.now().upload(&line.graph, &line.access, &file).await;
            change.profile_picture_handle =
                Some(self.heard(line, handle).await.map_err(|error| (Some(Field::Picture), error))?);
        }
        let done = line.graph.set_business_profile(&line.access, number, &change).await;
        self.heard(line, done).await.map_err(|error| (refusal::field_of(&error), error))?;
        // What was just written counts, also where reading it fails or comes late.
        let mut kept = match (self.read(line, number).await, picture) {
            (Ok(read), Some(_)) => read.with_new_photo(now),
            (Ok(read), None) => read.after(now),
            (Err(_), picture) => {
                let mut kept = Kept { read_at: self.clock.now(), ..now.clone() };
                if picture.is_some() {
                    kept.profile.picture.clear();
                    kept = kept.with_new_photo(now);
                }
                kept
            }
        };
        for field in fields {
            if !kept.profile.same(wanted, field) {
                kept.profile.take(field, wanted);
            }
        }
        let changes = kept.changes_since(&now.profile);
        Ok(Some((kept, changes)))
    }

    async fn heard<T>(&self, line: &Line, result: Result<T, GraphError>) -> Result<T, GraphError> {
        if let Err(error) = &result {
            self.lines.refused(line.connection, error).await;
        }
        result
    }

    /// Keeps what was written, with its line in the history and on the audit log.
    pub(super) async fn written(
        &self,
        tx: &mut WriteTx,
        user: UserId,
        customer: CustomerId,
        number: &PhoneNumberId,
        kept: &Kept,
        changes: &[Change],
    ) -> StoreResult<()> {
        // Somebody may have read it since: that is newer, and what was done here was done all the same.
        queries::keep(tx, number, kept).await?;
        queries::note(tx, number, Some(user), changes, self.clock.now()).await?;
        let fields: Vec<&str> = changes.iter().map(|change| change.field.key()).collect();
        let entry = audit::Entry {
            actor: Some(user),
            customer: Some(customer),
            action: "profile.changed",
            subject: Some(number.as_str()),
            detail: Some(fields.join(", ")),
        };
        audit::record(tx, &self.clock, entry).await
    }

    /// Writes what is kept of the profiles of these accounts' numbers, which are a customer's.
    ///
    /// # Errors
    /// The database's, and where nobody reads it any more.
    pub async fn export(&self, wabas: &[WabaId], file: &mut JsonFile) -> Result<(), DownloadError> {
        let mut all: [Vec<serde_json::Value>; 4] = Default::default();
        for waba in wabas {
            let found = queries::export(&mut self.store.read().await?, waba).await?;
            for (list, more) in all.iter_mut().zip(found) {
                list.extend(more);
            }
        }
        let names = ["business_profiles", "profile_changes", "profile_pictures", "profile_copies"];
        for (name, list) in names.into_iter().zip(&all) {
            file.list(name, list).await?;
        }
        Ok(())
    }

    /// Takes back what was still to be done for these accounts' numbers, in the caller's transaction; what is kept of
    /// their profiles goes with the numbers.
    ///
    /// # Errors
    /// The database's.
    pub async fn erase(&self, tx: &mut WriteTx, wabas: &[WabaId]) -> StoreResult<()> {
        for waba in wabas {
            for number in queries::waiting_in(tx, waba).await? {
                self.queue.cancel(tx, super::COPY_JOB, number.as_str()).await?;
            }
        }
        Ok(())
    }
}
