//! An account's templates as the operator's staff read them at a glance.

use super::{MessageTemplates, model::Template, page_queries, queries, words};
use crate::{
    base::ids::WabaId,
    store::Result,
    web::{Badge, when::When},
};

/// How many that need attention are named at most.
const NAMED: i64 = 50;

/// A template that needs attention.
#[derive(Clone, Debug)]
pub struct TroubledTemplate {
    /// Name and language.
    pub name: String,
    /// Its status, or what else is the matter.
    pub badge: Badge,
    /// Why, and what to do; empty where nothing is known.
    pub why: String,
}

/// All of an account at a glance.
#[derive(Clone, Debug)]
pub struct TemplatesGlance {
    /// How many there are of each status.
    pub counts: Vec<(Badge, i64)>,
    /// Those that need attention.
    pub troubled: Vec<TroubledTemplate>,
    /// How many more of them there are, at least.
    pub more: bool,
    /// When all were read last.
    pub read: Option<When>,
    /// Why the last reading did not come to its end.
    pub failure: Option<String>,
}

impl MessageTemplates {
    /// An account's templates at a glance.
    ///
    /// # Errors
    /// The database's.
    pub async fn glance(&self, waba: &WabaId) -> Result<TemplatesGlance> {
        let now = self.clock.now();
        let mut db = self.store.read().await?;
        let counts = page_queries::statuses(&mut db, waba).await?;
        let mut unwell = queries::unwell_of(&mut db, waba, NAMED + 1).await?;
        unwell.retain(Template::needs_attention);
        let named = usize::try_from(NAMED).unwrap_or_default();
        let more = unwell.len() > named;
        unwell.truncate(named);
        let sync = self.syncing(&mut db, waba).await?;
        let failure = sync.as_ref().filter(|sync| sync.state == "failed").map(|sync| match &sync.error {
            Some(error) => error.to_string(),
            None => "no token that works".to_owned(),
        });
        Ok(TemplatesGlance {
            counts: counts
                .into_iter()
                .map(|(status, n)| {
                    let (look, word) = Template::status_words(&status);
                    (Badge::new(look, word), n)
                })
                .collect(),
            troubled: unwell.iter().map(TroubledTemplate::new).collect(),
            more,
            read: sync.and_then(|sync| sync.finished_at).map(|at| When::new(at, now)),
            failure,
        })
    }
}

impl TroubledTemplate {
    /// What is the matter with this one.
    #[must_use]
    pub fn new(template: &Template) -> Self {
        let status = words::status(template);
        let is_rejected = template.status.as_deref() == Some("REJECTED");
        let (badge, why) = match (&status.look, &template.next_category) {
            (&"good", Some((category, _))) => (
                Badge::new("attention", "Category"),
                format!("Becomes {} soon.", words::category(category).to_lowercase()),
            ),
            (&"good", None) => (
                words::quality(template.quality.as_deref()),
                "Recipients block or report it, and Meta may pause it. Make it more useful, or send it to fewer people."
                    .to_owned(),
            ),
            _ => {
                let said = [template.explained.as_deref(), template.recommended.as_deref()];
                // What a rejection means has Meta's own sentences in it.
                let said = said.into_iter().flatten().filter(|_| !is_rejected).map(str::to_owned);
                let means = words::meaning(template).map(|(_, text)| text);
                (status, said.chain(means).collect::<Vec<_>>().join(" "))
            }
        };
        Self { name: format!("{} ({})", template.name, template.language), badge, why }
    }
}
