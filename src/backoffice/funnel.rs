//! `/backoffice/funnel`: how many attempts were launched, got a code, were connected, and where the others ended;
//! and the list behind each number.

use super::{
    Backoffice,
    audit_lines::customer_page,
    funnel_words::{kind_title, title, which, word},
};
use crate::{
    accounts::Admin,
    base::ids::AttemptId,
    signup::{Day, EndKind, Ended, Which},
    web::{Access, Chrome, Result, Routes, when::When},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::extract::{Query, State};
use serde::Deserialize;
use time::{Date, Duration, OffsetDateTime, macros::format_description};
use url::form_urlencoded;

/// The ranges to choose from, in days.
const RANGES: [i64; 3] = [7, 30, 90];
/// The one that is shown unless another is asked for.
const USUAL: i64 = 30;
/// Attempts on a page of the list.
const PAGE: i64 = 50;

pub(super) fn routes() -> Routes<Backoffice> {
    Routes::new().get(Access::Admin, "/backoffice/funnel", funnel).get(Access::Admin, "/backoffice/funnel/list", list)
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    days: String,
    #[serde(default)]
    end: String,
    #[serde(default)]
    after: String,
}

impl Asked {
    fn days(&self) -> i64 {
        self.days.parse().ok().filter(|days| RANGES.contains(days)).unwrap_or(USUAL)
    }
}

/// The first and the last day of a range that ends today.
fn range(days: i64, now: OffsetDateTime) -> (Date, Date) {
    let today = now.to_offset(time::UtcOffset::UTC).date();
    (today.checked_sub(Duration::days(days - 1)).unwrap_or(today), today)
}

fn short(date: Date) -> String {
    date.format(format_description!("[day padding:none] [month repr:short]")).unwrap_or_default()
}

/// A part of a hundred, as people read it; nothing of nothing.
fn share(part: i64, whole: i64) -> String {
    if whole == 0 { String::new() } else { format!("{} %", (part * 100 + whole / 2) / whole) }
}

/// A day's bars, in the units of the drawing.
struct Bar {
    x: i64,
    launched: i64,
    code: i64,
    connected: i64,
}

/// The drawing: 10 units a day across, 100 up.
struct Chart {
    width: i64,
    bars: Vec<Bar>,
    top: i64,
    half: String,
    labels: [String; 3],
}

fn chart(days: &[Day]) -> Chart {
    let most = days.iter().map(|day| day.launched).max().unwrap_or(0).max(1);
    // An even number at the top, so that there is a whole one in the middle.
    let top = if most == 1 { 1 } else { most + most % 2 };
    // What is there is seen, however little it is.
    let height = |count: i64| if count == 0 { 0 } else { (count * 100 / top).max(2) };
    let bars = days.iter().zip(0..).filter(|(day, _)| day.launched > 0).map(|(day, at)| Bar {
        x: at * 10,
        launched: height(day.launched),
        code: height(day.code),
        connected: height(day.connected),
    });
    let label = |at: usize| days.get(at).map_or_else(String::new, |day| short(day.date));
    Chart {
        width: days.len() as i64 * 10,
        bars: bars.collect(),
        top,
        half: if top == 1 { String::new() } else { (top / 2).to_string() },
        labels: [label(0), label(days.len() / 2), label(days.len().saturating_sub(1))],
    }
}

struct EndLine {
    title: String,
    name: Option<String>,
    attempts: i64,
    customers: i64,
    share: String,
    href: String,
}

struct EndGroup {
    title: &'static str,
    attempts: i64,
    lines: Vec<EndLine>,
}

fn href(days: i64, end: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("days", &days.to_string());
    if !end.is_empty() {
        query.append_pair("end", end);
    }
    format!("/backoffice/funnel/list?{}", query.finish())
}

fn groups(ends: &[Ended], launched: i64, days: i64) -> Vec<EndGroup> {
    let of = |kind: Option<EndKind>, title_of: &'static str| {
        let lines: Vec<EndLine> = ends
            .iter()
            .filter(|one| one.end.as_ref().map(crate::signup::End::kind) == kind)
            .map(|one| {
                let (title, name) = title(one.end.as_ref());
                let (share, href) = (share(one.attempts, launched), href(days, &word(one.end.as_ref())));
                EndLine { title, name, attempts: one.attempts, customers: one.customers, share, href }
            })
            .collect();
        EndGroup { title: title_of, attempts: lines.iter().map(|line| line.attempts).sum(), lines }
    };
    let kinds = [EndKind::Screen, EndKind::FacebookError, EndKind::NoWord, EndKind::OurStep];
    let mut all: Vec<EndGroup> = kinds.into_iter().map(|kind| of(Some(kind), kind_title(kind))).collect();
    all.push(of(None, "Not ended yet"));
    all.retain(|group| !group.lines.is_empty());
    all
}

struct DayLine {
    date: String,
    launched: i64,
    code: i64,
    connected: i64,
}

#[derive(Template, WebTemplate)]
#[template(path = "backoffice/funnel.html")]
struct FunnelPage {
    chrome: Chrome,
    days: i64,
    ranges: [i64; 3],
    launched: i64,
    code: i64,
    code_share: String,
    connected: i64,
    connected_share: String,
    tried: i64,
    customers_connected: i64,
    customers_share: String,
    chart: Chart,
    groups: Vec<EndGroup>,
    lines: Vec<DayLine>,
    all_href: String,
    connected_href: String,
}

async fn funnel(
    State(backoffice): State<Backoffice>,
    chrome: Chrome,
    _: Admin,
    Query(asked): Query<Asked>,
) -> Result<FunnelPage> {
    let days = asked.days();
    let (first, last) = range(days, backoffice.clock.now());
    let funnel = backoffice.signup.funnel(first, last).await?;
    let (launched, code, connected) = funnel.sum();
    let lines = funnel.days.iter().rev().filter(|day| day.launched > 0).map(|day| DayLine {
        date: day.date.format(format_description!("[day padding:none] [month repr:long] [year]")).unwrap_or_default(),
        launched: day.launched,
        code: day.code,
        connected: day.connected,
    });
    Ok(FunnelPage {
        chrome,
        days,
        ranges: RANGES,
        launched,
        code,
        code_share: share(code, launched),
        connected,
        connected_share: share(connected, launched),
        tried: funnel.tried,
        customers_connected: funnel.connected,
        customers_share: share(funnel.connected, funnel.tried),
        chart: chart(&funnel.days),
        groups: groups(&funnel.ends, launched, days),
        lines: lines.collect(),
        all_href: href(days, ""),
        connected_href: href(days, "connected"),
    })
}

struct AttemptLine {
    customer: String,
    customer_href: String,
    id: String,
    began: When,
    title: String,
    name: Option<String>,
}

#[derive(Template, WebTemplate)]
#[template(path = "backoffice/funnel_list.html")]
struct ListPage {
    chrome: Chrome,
    days: i64,
    title: String,
    name: Option<String>,
    lines: Vec<AttemptLine>,
    older: Option<String>,
    newest: Option<String>,
}

/// After which attempt a page begins: its beginning and its ID.
fn cursor(text: &str) -> Option<(OffsetDateTime, AttemptId)> {
    let (at, id) = text.split_once('.')?;
    Some((crate::base::clock::from_ms(at.parse().ok()?), id.parse().ok()?))
}

async fn list(
    State(backoffice): State<Backoffice>,
    chrome: Chrome,
    _: Admin,
    Query(asked): Query<Asked>,
) -> Result<ListPage> {
    let (days, now) = (asked.days(), backoffice.clock.now());
    let which = which(&asked.end);
    let after = cursor(&asked.after);
    let mut attempts = backoffice.signup.funnel_list(range(days, now), &which, after, PAGE + 1).await?;
    let has_more = attempts.len() as i64 > PAGE;
    attempts.truncate(PAGE as usize);
    let here = href(days, &asked.end);
    let older = attempts.last().filter(|_| has_more).map(|last| {
        let at = crate::base::clock::to_ms(last.began);
        format!("{here}&after={at}.{}", last.id)
    });
    let mut lines = Vec::new();
    for attempt in attempts {
        let customer = backoffice.accounts.customer(attempt.customer).await?;
        let (title, name) = title(attempt.end.as_ref());
        lines.push(AttemptLine {
            customer: customer.map_or_else(|| "Deleted customer".to_owned(), |customer| customer.name),
            customer_href: customer_page(attempt.customer),
            id: attempt.id.to_string(),
            began: When::new(attempt.began, now),
            title,
            name,
        });
    }
    let (title, name) = match &which {
        Which::All => ("All attempts".to_owned(), None),
        Which::Open => title(None),
        Which::Ended(end) => title(Some(end)),
    };
    Ok(ListPage { chrome, days, title, name, lines, older, newest: after.map(|_| here) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(date: Date, launched: i64) -> Day {
        Day { date, launched, code: launched / 2, connected: launched / 4 }
    }

    #[test]
    fn bars_fit_the_drawing_and_little_is_still_seen() {
        let first = time::macros::date!(2026 - 01 - 31);
        let days = [day(first, 0), day(first.next_day().unwrap(), 1_000), day(first.next_day().unwrap(), 1)];
        let chart = chart(&days);
        assert_eq!((chart.width, chart.top, chart.half.as_str()), (30, 1_000, "500"));
        assert_eq!(chart.bars.len(), 2, "a day without an attempt has no bar");
        assert_eq!((chart.bars[0].x, chart.bars[0].launched, chart.bars[0].code), (10, 100, 50));
        assert_eq!((chart.bars[1].launched, chart.bars[1].code), (2, 0));
        assert_eq!(chart.labels[0], "31 Jan");
        assert_eq!((share(1, 3), share(0, 0), share(2, 3)), ("33 %".to_owned(), String::new(), "67 %".to_owned()));
    }
}
