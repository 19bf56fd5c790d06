//! `/backoffice`: what needs attention, first; then the numbers at a glance.

use super::{
    Backoffice,
    check_reach::onboarding_limit,
    check_run::WEEK,
    findings::{Finding, Grade},
    go_live::progress,
    settings_queries as queries,
    settings_view::Line,
};
use crate::{
    connections::ConnectionState,
    web::{Access, Chrome, Result, Routes, when::When},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::extract::State;
use time::Duration;

pub(super) fn routes() -> Routes<Backoffice> {
    Routes::new().get(Access::Admin, "/backoffice", overview)
}

/// Something that somebody should look at.
struct Attention {
    look: &'static str,
    icon: &'static str,
    what: String,
    cure: Option<String>,
    href: &'static str,
    link: &'static str,
}

impl Attention {
    fn new(grade: Grade, what: String, href: &'static str, link: &'static str) -> Self {
        Self { look: grade.look(), icon: grade.icon(), what, cure: None, href, link }
    }

    fn of(finding: Finding) -> Self {
        let line = Line::new(finding);
        let grade = line.finding.grade;
        let cure = line.cure;
        Self { cure, ..Self::new(grade, line.what, "/backoffice/settings#check", "To the check") }
    }
}

/// A number with its place.
struct Number {
    label: &'static str,
    value: String,
    hint: String,
    href: &'static str,
}

#[derive(Template, WebTemplate)]
#[template(path = "backoffice/overview.html")]
struct OverviewPage {
    chrome: Chrome,
    attention: Vec<Attention>,
    numbers: Vec<Number>,
    checked: Option<When>,
}

fn plural(count: i64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

async fn overview(State(office): State<Backoffice>, chrome: Chrome) -> Result<OverviewPage> {
    let now = office.clock.now();
    let meta = office.meta.now();
    let last = office.checks.last().await?;
    let findings = last.as_ref().map(|last| last.findings.clone()).unwrap_or_default();
    let mut attention = Vec::new();
    if meta.app.is_none() {
        let what = "App ID and App Secret are not set: nobody can connect yet.".to_owned();
        attention.push(Attention::new(Grade::Red, what, "/backoffice/settings", "To Meta settings"));
    } else if last.is_none() {
        let what = "The settings were not checked yet.".to_owned();
        attention.push(Attention::new(Grade::Amber, what, "/backoffice/settings#check", "To the check"));
    }
    let mut lines: Vec<Finding> = findings.iter().filter(|line| line.wants_attention()).cloned().collect();
    lines.retain(|line| meta.app.is_some() || line.id != "app.credentials");
    lines.sort_by_key(|line| line.grade);
    attention.extend(lines.into_iter().map(Attention::of));
    let stale = office.connections.count_in(ConnectionState::NeedsReconnect).await?;
    if stale > 0 {
        let what = format!(
            "{}: access ended, the customer must connect again.",
            plural(stale, "connection needs a reconnect", "connections need a reconnect")
        );
        attention.push(Attention::new(Grade::Red, what, "/backoffice/customers", "To the customers"));
    }
    let failed = office.signup.failed_since(now - Duration::days(1)).await?;
    if failed > 0 {
        let what = format!(
            "{} in the last 24 hours.",
            plural(failed, "attempt to connect failed", "attempts to connect failed")
        );
        attention.push(Attention::new(Grade::Amber, what, "/backoffice/funnel", "To the funnel"));
    }
    let unsent = office.accounts.unsent_mails().await?;
    if unsent > 0 {
        let what = format!("{} not be sent.", plural(unsent, "mail with a link could", "mails with links could"));
        attention.push(Attention::new(Grade::Amber, what, "/backoffice/people", "To the people"));
    }
    if let Some((_, until)) = meta.old_app_secret.as_ref().filter(|(_, until)| *until > now) {
        let what =
            format!("The App Secret is being changed: the old one is taken until {}.", When::new(*until, now).exact);
        attention.push(Attention::new(Grade::Grey, what, "/backoffice/settings", "To Meta settings"));
    }
    let numbers = numbers(&office, &findings).await?;
    Ok(OverviewPage { chrome, attention, numbers, checked: last.map(|last| When::new(last.at, now)) })
}

async fn numbers(office: &Backoffice, findings: &[Finding]) -> Result<Vec<Number>> {
    let records = office.checks.records(&office.meta.now()).await?;
    let limit = onboarding_limit(&records, findings);
    let since = office.connections.onboarded_since(office.clock.now() - WEEK).await?;
    let ticks = queries::ticks(&mut office.store.read().await?).await?;
    let (done, all) = progress(findings, &ticks);
    let customers = office.accounts.count_customers(crate::accounts::CustomerFilter::All).await?;
    let active = office.connections.count_in(ConnectionState::Active).await?;
    let number = |label, value: String, hint: String, href| Number { label, value, hint, href };
    Ok(vec![
        number("Customers", customers.to_string(), "companies that may sign in".to_owned(), "/backoffice/customers"),
        number("Connections", active.to_string(), "that work".to_owned(), "/backoffice/customers"),
        number(
            "New this week",
            format!("{since} of {limit}"),
            "Meta’s limit for 7 days".to_owned(),
            "/backoffice/funnel",
        ),
        number("Go live", format!("{done} of {all}"), "items of Meta’s list".to_owned(), "/backoffice/go-live"),
    ])
}
