//! `/backoffice/audit`: who did what to which customer, when, from where; and the same as a file.

use super::{
    Backoffice,
    audit_filter::{self, Asked, Errors},
    audit_lines::{AuditLine, what, who},
};
use crate::{
    accounts::{Accounts, Admin, Cursor, Filter, LogLine},
    store::StoreError,
    web::{Access, Chrome, Error, Result, Routes},
};
use askama::Template;
use askama_web::WebTemplate;
use axum::{
    body::{Body, Bytes},
    extract::{Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{Stream, stream};
use time::format_description::well_known::Rfc3339;

/// Entries on a page.
const PAGE: i64 = 50;
/// Entries that are read at a time for a file.
const CHUNK: i64 = 1_000;

pub(super) fn routes() -> Routes<Backoffice> {
    Routes::new().get(Access::Admin, "/backoffice/audit", log).get(Access::Admin, "/backoffice/audit.csv", download)
}

struct Kind {
    action: String,
    words: String,
    selected: bool,
}

#[derive(Template, WebTemplate)]
#[template(path = "backoffice/audit.html")]
struct AuditPage {
    chrome: Chrome,
    asked: Asked,
    errors: Errors,
    shown: Vec<(&'static str, String)>,
    kinds: Vec<Kind>,
    lines: Vec<AuditLine>,
    /// The address of what is older.
    older: Option<String>,
    /// Whether this is not the first page.
    is_later: bool,
    query: String,
}

async fn log(
    State(backoffice): State<Backoffice>,
    chrome: Chrome,
    _: Admin,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let meant = audit_filter::meaning(&backoffice, &asked).await?;
    let failed = meant.errors.any();
    let cursor = asked.cursor();
    let mut lines = match failed {
        true => Vec::new(),
        false => backoffice.accounts.audit_log(&meant.filter, cursor.as_ref(), PAGE + 1).await?,
    };
    let has_more = lines.len() as i64 > PAGE;
    lines.truncate(PAGE as usize);
    let older = lines.last().filter(|_| has_more).map(|last| asked.query_after(&last.cursor()));
    let kinds = backoffice.accounts.audit_actions().await?;
    let kinds =
        kinds.into_iter().map(|action| Kind { words: what(&action), selected: action == asked.action.trim(), action });
    let now = backoffice.clock.now();
    let page = AuditPage {
        chrome,
        errors: meant.errors,
        shown: meant.shown,
        kinds: kinds.collect(),
        lines: lines.into_iter().map(|line| AuditLine::new(line, now)).collect(),
        older: older.map(|query| format!("/backoffice/audit?{query}")),
        is_later: cursor.is_some(),
        query: asked.query(),
        asked,
    };
    let status = if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, page).into_response())
}

const CSV_HEAD: &str = "time,person_id,person,action,what,customer_id,customer,subject,detail,address\r\n";

async fn download(State(backoffice): State<Backoffice>, _: Admin, Query(asked): Query<Asked>) -> Result<Response> {
    let meant = audit_filter::meaning(&backoffice, &asked).await?;
    if meant.errors.any() {
        return Err(Error::BadRequest("A filter makes no sense: go back and look at it.".to_owned()));
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit-log.csv\""),
    ];
    Ok((headers, Body::from_stream(rows(backoffice.accounts, meant.filter))).into_response())
}

/// How far a file is.
enum At {
    Head,
    After(Option<Cursor>),
    End,
}

/// The file, piece by piece: the log may be longer than the memory. It breaks off where the database does, so
/// that nobody takes half of it for the whole.
fn rows(accounts: Accounts, filter: Filter) -> impl Stream<Item = std::result::Result<Bytes, StoreError>> {
    stream::try_unfold((At::Head, accounts, filter), |(at, accounts, filter)| async move {
        let cursor = match at {
            At::Head => {
                return Ok(Some((Bytes::from_static(CSV_HEAD.as_bytes()), (At::After(None), accounts, filter))));
            }
            At::After(cursor) => cursor,
            At::End => return Ok(None),
        };
        let lines = accounts.audit_log(&filter, cursor.as_ref(), CHUNK).await?;
        let next = match lines.last() {
            Some(last) if lines.len() as i64 == CHUNK => At::After(Some(last.cursor())),
            _ => At::End,
        };
        let text: String = lines.iter().map(row).collect();
        Ok(Some((Bytes::from(text), (next, accounts, filter))))
    })
}

fn row(line: &LogLine) -> String {
    let id = |id: Option<String>| id.unwrap_or_default();
    let cells = [
        line.at.format(&Rfc3339).unwrap_or_default(),
        id(line.actor.map(|id| id.to_string())),
        who(line).name,
        line.action.clone(),
        what(&line.action),
        id(line.customer.map(|id| id.to_string())),
        line.customer_name.clone().unwrap_or_default(),
        line.subject.clone().unwrap_or_default(),
        line.detail.clone().unwrap_or_default(),
        line.address.clone().unwrap_or_default(),
    ];
    let cells: Vec<String> = cells.iter().map(|cell| csv_cell(cell)).collect();
    format!("{}\r\n", cells.join(","))
}

fn no_formula(text: &str) -> String {
    if text.starts_with(['\t', '\r', '\n']) {
        return format!("'{text}");
    }
    let (space, rest) = text.split_at(text.len() - text.trim_start().len());
    let is_formula = rest.starts_with(['=', '+', '-', '@']);
    if is_formula { format!("{space}'{rest}") } else { text.to_owned() }
}

/// A cell that no spreadsheet takes for a formula: what begins like one gets an apostrophe before it, also behind a
/// semicolon, at which many part cells whatever the file does.
fn csv_cell(text: &str) -> String {
    let parts: Vec<String> = text.split(';').map(no_formula).collect();
    let text = parts.join(";");
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(csv_cell("Harbour Bakery"), "Harbour Bakery");
        assert_eq!(csv_cell("Mill & Sons, Porto"), "\"Mill & Sons, Porto\"");
        assert_eq!(csv_cell("=HYPERLINK(\"https://evil.example\")"), "\"'=HYPERLINK(\"\"https://evil.example\"\")\"");
        for evil in ["+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert!(csv_cell(evil).trim_start_matches('"').starts_with('\''), "{evil:?}");
        }
        // In half of Europe spreadsheets part cells at the semicolon.
        assert_eq!(csv_cell("Maria;=1+1"), "Maria;'=1+1");
        assert_eq!(csv_cell("Maria; \t@x;y"), "Maria; \t'@x;y");
    }
}
