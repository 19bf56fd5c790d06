//! Use cases: take what webhooks tell of people, tell a window, erase, export.

use super::{
    model::Contact,
    queries::{self, AT_ONCE},
    said::{self, Person, Said},
};
use crate::{
    base::{
        clock::Clock,
        ids::{ContactId, CustomerId, PhoneNumberId},
    },
    store::{Result, Store, WriteTx},
    web::download::{DownloadError, JsonFile},
    webhooks::RoutedChange,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
};
use time::{Duration, OffsetDateTime};

/// How long after a person's last message one may write to them freely.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages#customer-service-windows>
pub const WINDOW: Duration = Duration::hours(24);
/// How many people are remembered of whom statuses tell nothing new.
const REMEMBERED: usize = 50_000;
/// How many contacts are read at once for a file.
const PAGE: i64 = 500;

/// Contacts. Cloning shares what is beneath.
#[derive(Clone)]
pub struct Messaging {
    store: Store,
    clock: Clock,
    /// Digests of what statuses said that was known: there are three for each message that is sent.
    known: Arc<Mutex<HashSet<u64>>>,
}

/// Contacts as they are in a transaction that takes what was said.
#[derive(Default)]
struct Taken {
    /// Whose an identity is.
    by_identity: BTreeMap<String, ContactId>,
    contacts: BTreeMap<ContactId, Contact>,
    new: BTreeSet<ContactId>,
    changed: BTreeSet<ContactId>,
    /// Identities to be written.
    identified: BTreeSet<String>,
    wrote: BTreeMap<(ContactId, PhoneNumberId), OffsetDateTime>,
    /// Which stays, and which rows go into it.
    joined: Vec<(ContactId, ContactId)>,
}

impl Messaging {
    /// In this database.
    #[must_use]
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock, known: Arc::default() }
    }

    /// Takes what changes say of people, in the transaction that makes events of them. Each change touches contacts
    /// of its own customer alone.
    ///
    /// # Errors
    /// The database's.
    pub async fn take(&self, tx: &mut WriteTx, changes: &[RoutedChange<'_>]) -> Result<()> {
        let mut of_customer: BTreeMap<CustomerId, Vec<Said>> = BTreeMap::new();
        for said in changes.iter().flat_map(said::all) {
            if said.is_new || said.becomes.is_some() || said.wrote.is_some() || !self.is_known(&said) {
                of_customer.entry(said.customer).or_default().push(said);
            }
        }
        for (customer, all) in of_customer {
            self.take_of(tx, customer, all).await?;
        }
        Ok(())
    }

    async fn take_of(&self, tx: &mut WriteTx, customer: CustomerId, all: Vec<Said>) -> Result<()> {
        let mut taken = Taken::default();
        let people = all.iter().flat_map(|said| [Some(&said.person), said.becomes.as_ref()]).flatten();
        let wanted: BTreeSet<&str> = people.flat_map(|person| &person.identities).map(String::as_str).collect();
        let wanted: Vec<&str> = wanted.into_iter().collect();
        for some in wanted.chunks(AT_ONCE) {
            for (identity, contact) in queries::known_by(tx, customer, some).await? {
                taken.by_identity.insert(identity, contact.id);
                taken.contacts.entry(contact.id).or_insert(contact);
            }
        }
        for said in &all {
            let Some(id) = taken.whose(&said.person, said.is_new) else { continue };
            if taken.learn(id, &said.person) == Learnt::Nothing && said.becomes.is_none() && said.wrote.is_none() {
                self.remember(said);
            }
            if let Some((number, at)) = &said.wrote {
                let last = taken.wrote.entry((id, number.clone())).or_insert(*at);
                *last = (*last).max(*at);
            }
            if let Some(becomes) = &said.becomes {
                taken.become_another(tx, customer, id, &said.person, becomes).await?;
            }
        }
        taken.write(tx, customer, self.clock.now()).await
    }

    /// Until when one may write to this contact freely from this number; `None`: the window is closed.
    ///
    /// # Errors
    /// The database's.
    pub async fn window(
        &self,
        customer: CustomerId,
        number: &PhoneNumberId,
        contact: ContactId,
    ) -> Result<Option<OffsetDateTime>> {
        let last = queries::last_message(&mut self.store.read().await?, customer, number, contact).await?;
        Ok(last.map(|last| last + WINDOW).filter(|until| *until > self.clock.now()))
    }

    /// Forgets a customer's contacts, in the caller's transaction.
    ///
    /// # Errors
    /// The database's.
    pub async fn erase(&self, tx: &mut WriteTx, customer: CustomerId) -> Result<()> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
        queries::erase(tx, customer).await
    }

    /// Writes a customer's contacts, with when they wrote last to which number.
    ///
    /// # Errors
    /// The database's, and where nobody reads it any more.
    pub async fn export(&self, customer: CustomerId, file: &mut JsonFile) -> std::result::Result<(), DownloadError> {
        file.begin_list("contacts");
        let mut after = String::new();
        loop {
            let mut db = self.store.read().await?;
            let mut page = queries::export(&mut db, customer, &after, PAGE).await?;
            for contact in &mut page {
                let id = contact["id"].as_str().unwrap_or_default().to_owned();
                contact["wrote"] = queries::export_windows(&mut db, &id).await?.into();
                after = id;
            }
            drop(db);
            for contact in &page {
                file.item(contact).await?;
            }
            if page.is_empty() {
                break;
            }
        }
        file.end_list();
        Ok(())
    }

    fn digest(said: &Said) -> u64 {
        let mut hash = DefaultHasher::new();
        let Person { wa_id, identities, name, username, .. } = &said.person;
        (said.customer, wa_id, identities, name, username).hash(&mut hash);
        hash.finish()
    }

    fn is_known(&self, said: &Said) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(&Self::digest(said))
    }

    fn remember(&self, said: &Said) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(Self::digest(said));
    }
}

#[derive(PartialEq)]
enum Learnt {
    Nothing,
    Something,
}

impl Taken {
    /// The one contact that this person is; several turn out to be one.
    fn whose(&mut self, person: &Person, is_new: bool) -> Option<ContactId> {
        let mut found: Vec<ContactId> = Vec::new();
        for identity in &person.identities {
            found.extend(self.by_identity.get(identity).filter(|id| !found.contains(id)));
        }
        let Some(&first) = found.first() else {
            if !is_new {
                return None;
            }
            let id = ContactId::new();
            let (profile_name, book_name, wa_id, phone, user_id, username) = Default::default();
            self.contacts.insert(id, Contact { id, profile_name, book_name, wa_id, phone, user_id, username });
            self.new.insert(id);
            return Some(id);
        };
        // The number comes first among the identities. A user ID goes with it: where its contact has another number,
        // that one stays who it is.
        let mut kept = first;
        for other in &found[1..] {
            let phone_of = |id| self.contacts.get(id).and_then(|contact| contact.phone.as_ref());
            if phone_of(&kept).is_none() || phone_of(other).is_none() {
                kept = self.join(kept, *other);
            }
        }
        Some(kept)
    }

    /// Two are one; tells which stays: the one that was there before, or the older.
    fn join(&mut self, one: ContactId, other: ContactId) -> ContactId {
        let age = |id: ContactId| (self.new.contains(&id), id);
        let (kept, gone) = if age(one) <= age(other) { (one, other) } else { (other, one) };
        for id in self.by_identity.values_mut().filter(|id| **id == gone) {
            *id = kept;
        }
        for ((id, number), at) in std::mem::take(&mut self.wrote) {
            let id = if id == gone { kept } else { id };
            let last = self.wrote.entry((id, number)).or_insert(at);
            *last = (*last).max(at);
        }
        if let (Some(old), Some(contact)) = (self.contacts.remove(&gone), self.contacts.get_mut(&kept)) {
            let Contact { profile_name, book_name, wa_id, phone, user_id, username, .. } = old;
            contact.book_name = contact.book_name.take().or(book_name);
            contact.profile_name = contact.profile_name.take().or(profile_name);
            contact.wa_id = contact.wa_id.take().or(wa_id);
            contact.phone = contact.phone.take().or(phone);
            contact.user_id = contact.user_id.take().or(user_id);
            contact.username = contact.username.take().or(username);
            self.changed.insert(kept);
        }
        self.changed.remove(&gone);
        for (stays, _) in self.joined.iter_mut().filter(|(stays, _)| *stays == gone) {
            *stays = kept;
        }
        if !self.new.remove(&gone) {
            self.joined.push((kept, gone));
        }
        kept
    }

    /// Takes over what is said of a contact.
    fn learn(&mut self, id: ContactId, person: &Person) -> Learnt {
        let Some(contact) = self.contacts.get_mut(&id) else { return Learnt::Nothing };
        let before = contact.clone();
        let newer = |new: &Option<String>, old: &mut Option<String>| {
            if new.is_some() && new != old {
                old.clone_from(new);
            }
        };
        newer(&person.name, &mut contact.profile_name);
        newer(&person.book_name, &mut contact.book_name);
        newer(&person.wa_id, &mut contact.wa_id);
        newer(&person.phone, &mut contact.phone);
        newer(&person.user_id, &mut contact.user_id);
        newer(&person.username, &mut contact.username);
        let mut learnt = *contact != before;
        if learnt {
            self.changed.insert(id);
        }
        for identity in &person.identities {
            if self.by_identity.insert(identity.clone(), id) != Some(id) {
                self.identified.insert(identity.clone());
                learnt = true;
            }
        }
        if learnt { Learnt::Something } else { Learnt::Nothing }
    }

    /// A person goes on under another number: the old one, and the user IDs that came with it, may be another's soon.
    async fn become_another(
        &mut self,
        tx: &mut WriteTx,
        customer: CustomerId,
        id: ContactId,
        was: &Person,
        becomes: &Person,
    ) -> Result<()> {
        let mut id = id;
        for identity in &becomes.identities {
            if let Some(other) = self.by_identity.get(identity).copied().filter(|other| *other != id) {
                id = self.join(id, other);
            }
        }
        let phone_changes = becomes.phone.is_some() && becomes.phone != was.phone;
        let user_changes = becomes.user_id.is_some() && becomes.user_id != was.user_id;
        let goes = |identity: &&String| match identity.starts_with("p:") {
            true => phone_changes,
            false => phone_changes || user_changes,
        };
        for identity in was.identities.iter().filter(goes).filter(|one| !becomes.identities.contains(one)) {
            self.by_identity.remove(identity);
            self.identified.remove(identity);
            queries::forget(tx, customer, identity).await?;
        }
        if let Some(contact) = self.contacts.get_mut(&id).filter(|_| phone_changes) {
            contact.user_id = None;
            self.changed.insert(id);
        }
        self.learn(id, becomes);
        Ok(())
    }

    async fn write(mut self, tx: &mut WriteTx, customer: CustomerId, now: OffsetDateTime) -> Result<()> {
        for id in &self.new {
            if let Some(contact) = self.contacts.get(id) {
                queries::insert(tx, customer, contact, now).await?;
            }
        }
        for (kept, gone) in &self.joined {
            queries::join(tx, *kept, *gone).await?;
        }
        for id in self.changed.difference(&self.new) {
            if let Some(contact) = self.contacts.get(id) {
                queries::update(tx, contact, now).await?;
            }
        }
        for identity in std::mem::take(&mut self.identified) {
            if let Some(id) = self.by_identity.get(&identity) {
                queries::identify(tx, customer, &identity, *id).await?;
            }
        }
        for ((contact, number), at) in &self.wrote {
            queries::wrote(tx, *contact, number, *at).await?;
        }
        Ok(())
    }
}
