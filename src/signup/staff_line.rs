//! An attempt as the operator's staff read it: the answer before the data.

use super::{Attempt, Step};
use crate::web::{Badge, when::When};
use time::OffsetDateTime;

/// A row of `signup/staff_lines.html`, which shows the field `attempts` of a page.
pub struct StaffLine {
    /// Whose attempt it is: a company, or a person of it.
    pub who: String,
    /// Where more about them stands.
    pub href: Option<String>,
    /// How far it is.
    pub badge: Badge,
    /// What the customer was told, or where the attempt stands.
    pub note: String,
    /// What to tell the customer.
    pub tell: Option<String>,
    /// Where staff decide what the customer could decide too.
    pub decide: Option<String>,
    /// IDs, and what Meta said.
    pub details: String,
    /// Since when it stands there.
    pub when: When,
}

impl StaffLine {
    /// How an attempt reads now.
    #[must_use]
    pub fn new(attempt: &Attempt, who: String, href: Option<String>, operator: &str, now: OffsetDateTime) -> Self {
        let failure = attempt.failure.as_ref().filter(|_| attempt.step == Step::Failed);
        let words = failure.map(|failure| failure.words(operator));
        let note = words.as_ref().map_or_else(|| stands(attempt.step).to_owned(), |words| words.title.clone());
        let tell = words.map(|words| format!("{} Tell them: {}", words.happened, words.to_do.join(" Or: ")));
        let mut details = vec![format!("attempt {}", attempt.id)];
        if let Some(failure) = failure {
            details.push(format!("{} at {}", failure.reason.as_str(), failure.at.as_str()));
            details.extend(failure.detail.clone());
            details.extend(failure.graph.as_ref().map(ToString::to_string));
            details.extend(failure.words(operator).for_staff.map(str::to_owned));
        } else if let Some(trouble) = &attempt.trouble {
            details.push(format!("try {}: {}", trouble.tries, trouble.error));
        }
        Self {
            who,
            href,
            badge: badge(attempt),
            note,
            tell,
            decide: (attempt.step == Step::Choosing && attempt.reconnect.is_some())
                .then(|| format!("/support/attempts/{}/decide", attempt.id)),
            details: details.join(" · "),
            when: When::new(attempt.step_since, now),
        }
    }
}

fn badge(attempt: &Attempt) -> Badge {
    match attempt.step {
        Step::Done => Badge::new("good", "Connected"),
        Step::Failed => Badge::new("problem", "Failed"),
        step if step.waits_for_customer() => Badge::new("waiting", "Waits for a choice"),
        Step::Launched => Badge::new("waiting", "Facebook’s window is open"),
        _ => Badge::new("waiting", "Under way"),
    }
}

/// Where an attempt that has not failed stands, in words.
fn stands(step: Step) -> &'static str {
    match step {
        Step::Launched => {
            "Facebook’s window is open, or its answer never came. If it is long ago: ask them to try again."
        }
        Step::Choosing => "Several accounts were shared. They must choose on their page.",
        Step::WabaIdNeeded => "They must type their WhatsApp Business account ID on their page.",
        Step::Done => "Connected.",
        _ => "Under way. It goes on by itself.",
    }
}
