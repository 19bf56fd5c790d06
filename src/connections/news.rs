//! What a connection's page, and support's, says of what Meta told lately: about the accounts, and about templates.

use super::{
    Connections, Overview, notice_queries,
    notice_words::{self, To},
};
use crate::{
    message_templates::{Template, TroubledTemplate},
    phone_numbers::Number,
    store::StoreError,
    web::when::When,
};

/// How many notices of an account are looked at.
const LOOKED_AT: i64 = 100;
/// How many templates are named at most.
const TEMPLATES: usize = 3;

/// A short notice.
#[derive(Clone, Debug)]
pub struct News {
    /// Of the notice: `problem`, `warning`, `info`.
    pub look: &'static str,
    /// What happened.
    pub title: String,
    /// What to do.
    pub text: String,
    /// Where the customer does it: address, words.
    pub link: Option<(String, &'static str)>,
    /// When it was told.
    pub when: When,
}

impl News {
    /// The notice's class.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self.look {
            "problem" => "notice notice-error",
            "warning" => "notice notice-warning",
            _ => "notice notice-info",
        }
    }

    /// The notice's icon, by name.
    #[must_use]
    pub fn icon(&self) -> &'static str {
        match self.look {
            "problem" => "error",
            "warning" => "warning",
            _ => "info",
        }
    }
}

/// `page`: the connection's.
fn of_template(template: &Template, page: &str, now: time::OffsetDateTime) -> News {
    let TroubledTemplate { name, badge, why } = TroubledTemplate::new(template);
    let (title, text) = match (template.status.as_deref().unwrap_or_default(), &template.next_category) {
        ("REJECTED", _) => (format!("Template {name} was rejected"), why),
        ("PAUSED", _) => (format!("Template {name} is paused"), why),
        ("DISABLED", _) => (format!("Template {name} is switched off"), why),
        ("FLAGGED" | "LOCKED" | "LIMIT_EXCEEDED", _) => {
            (format!("Template {name}: {}", badge.word.to_lowercase()), why)
        }
        (_, Some((category, _))) => (
            format!("Template {name} becomes {}", category.to_lowercase()),
            "Meta changes its category, and so its price. You can ask for a review in WhatsApp Manager at Meta."
                .to_owned(),
        ),
        _ => (format!("Template {name} has a low quality"), why),
    };
    News {
        look: "warning",
        title,
        text,
        link: Some((format!("{page}/templates/{}", template.id), "Open the template")),
        when: When::new(template.updated_at, now),
    }
}

impl Connections {
    /// What matters now of what Meta told about this connection.
    ///
    /// # Errors
    /// The database's.
    pub async fn news(&self, overview: &Overview) -> Result<Vec<News>, StoreError> {
        let now = self.clock.now();
        let page = format!("/connections/{}", overview.connection.id);
        let mut all = Vec::new();
        for (waba, numbers) in &overview.wabas {
            let notices = notice_queries::list(&mut self.store.read().await?, &waba.id, LOOKED_AT).await?;
            let written = |notice: &super::Notice| {
                let number = numbers.iter().find(|number| Some(&number.id) == notice.phone_number.as_ref());
                number.map(Number::international)
            };
            let words = notice_words::current(&notices, overview.connection.connected_at, now, written);
            all.extend(words.into_iter().map(|words| News {
                look: words.look,
                title: words.title,
                text: words.text,
                link: words.link.and_then(|(to, text)| {
                    let address = match to {
                        To::Address(address) => address.to_owned(),
                        To::Reconnect => format!("{page}/reconnect"),
                        To::Number(part) => format!("{page}/numbers/{}{part}", words.number?),
                    };
                    Some((address, text))
                }),
                when: When::new(words.told_at, now),
            }));
            let templates = self.templates.list(&waba.id, LOOKED_AT).await?;
            let odd = templates.iter().filter(|template| template.needs_attention()).take(TEMPLATES);
            all.extend(odd.map(|template| of_template(template, &page, now)));
        }
        all.extend(self.permission_news(overview, now).await?);
        // The worst first; among equals the order stays.
        all.sort_by_key(|one| ["problem", "warning"].iter().position(|look| *look == one.look).unwrap_or(2));
        Ok(all)
    }
}
