//! How far the WhatsApp Business app's data is, as the number's page shows it.

use super::{
    file::Reason,
    numbers::PhoneNumbers,
    sync::{TIME, is_over},
    sync_queries,
};
use crate::{
    base::ids::PhoneNumberId,
    store::Result,
    web::{Badge, when::When},
};
use time::OffsetDateTime;

/// How far it is.
pub(super) struct SyncView {
    pub contacts: Badge,
    pub contacts_text: String,
    pub history: Badge,
    pub history_text: String,
    pub progress: Option<i64>,
    /// Until when it can still be asked for, where something is open.
    pub deadline: Option<When>,
    pub is_over: bool,
    /// Meta refused: its words.
    pub refused: Option<String>,
    pub requests: Vec<(&'static str, String)>,
}

impl SyncView {
    /// Nothing was asked for: Meta did not send us what happens, or could not say when the number was brought.
    fn not_begun() -> Self {
        let open = || Badge::new("attention", "Not asked for yet");
        Self {
            contacts: open(),
            contacts_text: String::new(),
            history: open(),
            history_text: String::new(),
            progress: None,
            deadline: None,
            is_over: false,
            refused: Some("They can be asked for within 24 hours of connecting.".to_owned()),
            requests: Vec::new(),
        }
    }

    pub(super) async fn of(numbers: &PhoneNumbers, number: &PhoneNumberId, now: OffsetDateTime) -> Result<Self> {
        let Some(sync) = sync_queries::get(&mut numbers.store.read().await?, number).await? else {
            return Ok(Self::not_begun());
        };
        let over = is_over(&sync, now);
        let open = sync.contacts_asked_at.is_none() || sync.history_asked_at.is_none();
        let waits = |asked: bool| match (asked, over) {
            (true, _) => Badge::new("waiting", "Asked for"),
            (false, true) => Badge::new("problem", "Too late"),
            (false, false) => Badge::new("attention", "Not asked for yet"),
        };
        let contacts = match sync.contacts_told_at {
            Some(_) => Badge::new("good", "Here"),
            None => waits(sync.contacts_asked_at.is_some()),
        };
        let count = sync.contacts_count;
        let contacts_text = match (sync.contacts_told_at, sync.contacts_asked_at) {
            (Some(_), _) if count == 1 => "1 contact has come.".to_owned(),
            (Some(_), _) => format!("{count} contacts have come."),
            (None, Some(_)) => "The app sends its contacts now.".to_owned(),
            (None, None) => String::new(),
        };
        let progress = sync.history_progress.filter(|_| sync.history_declined_at.is_none());
        let (history, history_text) = match (sync.history_declined_at, progress) {
            (Some(_), _) => (
                Badge::new("neutral", "Not shared"),
                "You chose in the app not to share earlier chats. New messages come all the same. To share them after all, disconnect in the app under Settings, Account, Business Platform, and connect once more."
                    .to_owned(),
            ),
            (None, Some(100)) => (Badge::new("good", "Here"), "All earlier chats have come.".to_owned()),
            (None, Some(progress)) => {
                (Badge::new("waiting", "Coming"), format!("{progress} of 100 percent have come. Keep the app open."))
            }
            (None, None) if sync.history_asked_at.is_some() => (
                waits(true),
                "The app sends earlier chats now, those of up to 180 days. Keep it open.".to_owned(),
            ),
            (None, None) => (waits(false), String::new()),
        };
        let refused = sync.refused().filter(|_| open).map(|failure| match failure.reason {
            Reason::NoAccess => "Facebook ended our access. Connect the account again.".to_owned(),
            Reason::Trouble => "Meta has trouble; we try again every minute.".to_owned(),
            _ => format!("Meta did not take it: {}", failure.message),
        });
        let requests = [("Contacts", &sync.contacts_request), ("Chats", &sync.history_request)];
        Ok(Self {
            contacts,
            contacts_text,
            history,
            history_text,
            progress: progress.filter(|progress| *progress < 100),
            deadline: (open && !over).then(|| When::new(sync.onboarded_at + TIME, now)),
            is_over: open && over,
            refused,
            requests: requests.into_iter().filter_map(|(name, id)| id.clone().map(|id| (name, id))).collect(),
        })
    }
}
