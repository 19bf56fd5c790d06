//! What a customer's timeline tells of connections: calls to Graph, what checks of permissions found, what Meta told.

use super::{
    Connections,
    call_record::calls_for,
    model::Notice,
    notice_queries, notice_words,
    permissions::{Change, Check, Verdict, queries as checks, words},
};
use crate::{
    base::ids::{CustomerId, PhoneNumberId, WabaId},
    graph::CallRecord,
    store::StoreError,
    web::{Badge, Before, Moment},
};

impl Connections {
    /// The accounts that a customer holds.
    ///
    /// # Errors
    /// The database's.
    pub async fn held_wabas(&self, customer: CustomerId) -> Result<Vec<WabaId>, StoreError> {
        super::customer_queries::wabas_of(&mut self.store.read().await?, customer).await
    }

    /// The calls that were made for a customer, before this one: all, or those that failed.
    ///
    /// # Errors
    /// The database's.
    pub async fn call_moments(
        &self,
        customer: CustomerId,
        before: &Before,
        only_failed: bool,
        limit: i64,
    ) -> Result<Vec<Moment>, StoreError> {
        let calls = calls_for(&mut self.store.read().await?, customer, before, only_failed, limit).await?;
        Ok(calls.into_iter().map(|(id, call)| of_call(id, &call)).collect())
    }

    /// What checks of a customer's permissions found, before this one.
    ///
    /// # Errors
    /// The database's.
    pub async fn check_moments(
        &self,
        customer: CustomerId,
        before: &Before,
        limit: i64,
    ) -> Result<Vec<Moment>, StoreError> {
        let found = checks::before(&mut self.store.read().await?, customer, before, limit).await?;
        Ok(found.into_iter().map(|(name, check)| of_check(&name, &check)).collect())
    }

    /// What Meta told of a customer's accounts, before this one; `shown`: how a number is written.
    ///
    /// # Errors
    /// The database's.
    pub async fn notice_moments(
        &self,
        customer: CustomerId,
        before: &Before,
        limit: i64,
        shown: impl Fn(&PhoneNumberId) -> Option<String>,
    ) -> Result<Vec<Moment>, StoreError> {
        let mut db = self.store.read().await?;
        let mut all = Vec::new();
        for waba in super::customer_queries::wabas_of(&mut db, customer).await? {
            let notices = notice_queries::before(&mut db, &waba, before, limit).await?;
            all.extend(notices.into_iter().map(|(id, notice)| {
                let number = notice.phone_number.as_ref().and_then(&shown);
                of_notice(id, &notice, number)
            }));
        }
        Ok(all)
    }
}

/// What a call was for, by its method and path.
fn purpose(call: &CallRecord) -> String {
    let last = call.path.rsplit('/').next().unwrap_or_default();
    let reads = call.method == "GET";
    let known = match (last, reads) {
        ("access_token", _) => "Getting or renewing a token",
        ("debug_token", _) => "Inspecting the token",
        ("phone_numbers", true) => "Reading an account’s numbers",
        ("phone_numbers", false) => "Adding a number",
        ("subscribed_apps", true) => "Asking whether webhooks come",
        ("subscribed_apps", false) if call.method == "DELETE" => "Switching webhooks off",
        ("subscribed_apps", false) => "Switching webhooks on",
        ("register", _) => "Registering a number",
        ("deregister", _) => "Deregistering a number",
        ("request_code", _) => "Having a code sent to a number",
        ("verify_code", _) => "Confirming a number by code",
        ("settings", true) => "Reading a number’s settings",
        ("settings", false) => "Changing a number’s settings",
        ("smb_app_data", _) => "Asking the WhatsApp Business app for its data",
        ("message_templates", true) => "Reading templates",
        ("message_templates", false) if call.method == "DELETE" => "Deleting a template",
        ("message_templates", false) => "Creating a template",
        ("whatsapp_business_profile", true) => "Reading a business profile",
        ("whatsapp_business_profile", false) => "Changing a business profile",
        ("system_user_access_tokens", _) => "Fetching a token from Meta",
        (last, _) if last.starts_with("upload") => "Uploading a file",
        (last, true) if last.chars().all(|c| c.is_ascii_digit()) => "Reading one account, number or template",
        (last, false) if last.chars().all(|c| c.is_ascii_digit()) => "Changing one account, number or template",
        _ => return format!("Calling {} {}", call.method, call.path),
    };
    known.to_owned()
}

fn of_call(id: String, call: &CallRecord) -> Moment {
    let (badge, came) = match (&call.error, call.status, call.code) {
        (None, ..) => (Badge::new("good", "Done"), "Meta did it"),
        (Some(_), None, _) => (Badge::new("problem", "No answer"), "no answer came from Meta"),
        (Some(_), Some(500..), _) => (Badge::new("problem", "Meta’s trouble"), "Meta had trouble"),
        (Some(_), _, Some(_)) => (Badge::new("problem", "Refused"), "Meta refused"),
        (Some(_), ..) => (Badge::new("problem", "Failed"), "Meta’s answer was not as it should be"),
    };
    let mut details = vec![format!("{} /{}", call.method, call.path)];
    details.extend(call.status.map(|status| format!("HTTP {status}")));
    details.extend(call.code.map(|code| match call.subcode {
        Some(subcode) => format!("code {code}, subcode {subcode}"),
        None => format!("code {code}"),
    }));
    details.extend(call.fbtrace_id.as_ref().map(|trace| format!("fbtrace_id {trace}")));
    details.push(format!("{} ms", call.duration_ms));
    details.extend(call.error.clone());
    Moment { at: call.at, id, badge: Some(badge), what: format!("{}: {came}.", purpose(call)), details }
}

fn of_check(name: &str, check: &Check) -> Moment {
    let verdict = check.after.as_ref().map(super::permissions::Standing::verdict);
    let is_bad = |change: &Change| {
        matches!(
            change,
            Change::Ended
                | Change::ScopeDropped { .. }
                | Change::AccountClosed { .. }
                | Change::SubscriptionGone { made_again: false, .. }
                | Change::NumberGone { .. }
        )
    };
    let badge = match verdict {
        Some(Verdict::Ended) => Badge::new("problem", "Access ended"),
        _ if check.changes.iter().any(is_bad) => Badge::new("problem", "Lost"),
        Some(Verdict::Unknown) | None => Badge::new("waiting", "Not known"),
        Some(Verdict::Works) => Badge::new("good", "In place"),
    };
    let what = match (&check.changes[..], verdict) {
        ([], Some(Verdict::Works)) => "all permissions are in place.".to_owned(),
        ([], Some(Verdict::Ended)) => "the access has ended, as was known.".to_owned(),
        ([], _) => "Meta could not answer.".to_owned(),
        (changes, _) => changes.iter().map(words::change).collect::<Vec<_>>().join(" "),
    };
    let mut details = Vec::new();
    if let Some(after) = &check.after {
        if verdict == Some(Verdict::Ended) {
            details.push(words::cause(after));
        }
        details.extend(words::details(after).into_iter().map(|(of, said)| format!("{of}: {said}")));
    }
    details.push(format!("Why it was looked at: {}", check.cause.words()));
    details.push(format!("Connection {}", check.connection));
    Moment {
        at: check.at,
        id: check.id.clone(),
        badge: Some(badge),
        what: format!("Permissions of {name}: {what}"),
        details,
    }
}

fn of_notice(id: String, notice: &Notice, number: Option<String>) -> Moment {
    let about = number.clone();
    // As it was then: a limit that has ended since was one.
    let told = notice_words::words(notice, notice.told_at, number);
    let (badge, what) = match told {
        Some(told) => {
            let badge = match told.look {
                "problem" => Badge::new("problem", "Meta warns"),
                "warning" => Badge::new("attention", "Meta warns"),
                _ => Badge::new("neutral", "Meta told"),
            };
            (badge, told.title)
        }
        None => {
            let word = if notice.event.is_empty() { &notice.field } else { &notice.event };
            (Badge::new("neutral", "Meta told"), notice_words::plain(word))
        }
    };
    let what = match about.filter(|number| !what.contains(number.as_str())) {
        Some(number) => format!("Meta about {number}: {what}."),
        None => format!("Meta: {what}."),
    };
    let details = vec![
        format!("{} {}", notice.field, notice.event).trim().to_owned(),
        format!("Account {}", notice.waba_id),
        format!("Event {}", notice.event_id),
    ];
    Moment { at: notice.told_at, id, badge: Some(badge), what, details }
}
