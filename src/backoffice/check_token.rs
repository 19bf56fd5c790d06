//! The lines about the operator's system token and business portfolio.

use super::{
    check::{Answer, is_no_answer, untold},
    findings::Finding,
};
use crate::graph::{AppCredentials, Business, Setup, TokenInfo};
use time::{Duration, OffsetDateTime, macros::format_description};

const SYSTEM_USERS: &str =
    "Business settings > System users: an admin system user that may manage the app > Generate token";
/// How long before its end one is told.
const NOTICE: Duration = Duration::days(14);
/// What the system token must be allowed to.
const SCOPES: [&str; 2] = ["business_management", "whatsapp_business_management"];

/// Whether the token works, is this app's, when it ends, and what it may do.
/// <https://developers.facebook.com/docs/graph-api/reference/debug_token>
pub(super) fn lines(answer: Option<&Answer<TokenInfo>>, app: &AppCredentials, now: OffsetDateTime) -> Vec<Finding> {
    let Some(answer) = answer else {
        return vec![
            Finding::amber(
                "token",
                "no system token is set: a signup whose code the browser loses must be repeated",
                format!(
                    "{SYSTEM_USERS}, with business_management and whatsapp_business_management (DOORWAY_META_SYSTEM_TOKEN)"
                ),
            ),
            Finding::grey("token.permissions", "the system token’s permissions: there is no token"),
        ];
    };
    let info = match answer {
        Ok(info) => info,
        Err(error) if error.api().is_some_and(|api| api.code == 100 && api.message.contains("App_id")) => {
            return vec![foreign().with_detail(error.to_string()), unknown_scopes()];
        }
        Err(error) => return vec![untold("token", "the system token", error), unknown_scopes()],
    };
    if info.app_id.as_deref().is_some_and(|id| id != app.id.as_str()) {
        return vec![foreign(), unknown_scopes()];
    }
    if !info.is_valid {
        let line = Finding::red(
            "token",
            "the system token does not work (any more): lost signups can’t be recovered",
            format!("{SYSTEM_USERS}; then enter it here"),
        );
        return vec![line, unknown_scopes()];
    }
    let end = info.expires_at.filter(|at| *at > 0).and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
    vec![end_line(end, now), scopes(info)]
}

fn foreign() -> Finding {
    Finding::red(
        "token",
        "the system token belongs to another app",
        format!("{SYSTEM_USERS}, and choose this app in the list"),
    )
}

fn unknown_scopes() -> Finding {
    Finding::grey("token.permissions", "the system token’s permissions: not checked, the token comes first")
}

/// The line of a token that works, until two weeks before its end.
fn end_line(end: Option<OffsetDateTime>, now: OffsetDateTime) -> Finding {
    let set = "a system token is set: signups that a browser lost can be recovered";
    let Some(end) = end else { return Finding::green("token", format!("{set}; it never ends")) };
    let day = end.format(format_description!("[day padding:none] [month repr:long] [year]")).unwrap_or_default();
    if end - now > NOTICE {
        Finding::green("token", format!("{set}; it ends on {day}"))
    } else {
        Finding::amber(
            "token",
            format!("the system token ends on {day}"),
            format!("{SYSTEM_USERS}: make a new one, and enter it in Meta settings before the old one ends"),
        )
    }
}

fn scopes(info: &TokenInfo) -> Finding {
    let has = |scope: &&str| {
        info.scopes.iter().any(|one| one == scope) || info.granular_scopes.iter().any(|one| one.scope == *scope)
    };
    let missing: Vec<&str> = SCOPES.into_iter().filter(|scope| !has(scope)).collect();
    if missing.is_empty() {
        Finding::green("token.permissions", format!("the system token has {}", SCOPES.join(" and ")))
    } else {
        Finding::red(
            "token.permissions",
            format!("the system token lacks {}: lost signups can’t be recovered", missing.join(" and ")),
            format!(
                "{SYSTEM_USERS}, and tick {}; business_management must first be added under the app’s Permissions and features",
                missing.join(" and ")
            ),
        )
    }
}

/// Whether the portfolio is there for the system token, and verified.
pub(super) fn business(answer: Option<&Answer<Business>>, meta: &Setup) -> Finding {
    let Some(id) = &meta.business_id else {
        return Finding::grey(
            "business",
            "no business portfolio ID is set; Doorway then can’t see whether it is verified",
        )
        .with_cure("Business settings > Business info: Business portfolio ID (DOORWAY_META_BUSINESS_ID)");
    };
    match answer {
        None => Finding::grey("business", format!("business portfolio {id}: not checked, that needs a system token")),
        Some(Ok(business)) => {
            let name = if business.name.is_empty() { id.as_str() } else { business.name.as_str() };
            match business.verification_status.as_deref() {
                Some("verified") => Finding::green("business", format!("the business portfolio {name} is verified")),
                Some(status) => Finding::amber(
                    "business",
                    format!("the business portfolio {name} is not verified by Meta"),
                    "Business settings > Security Center (or App Dashboard, Tech Provider onboarding) > Start verification",
                )
                .with_detail(format!("Meta says: {status}")),
                None => Finding::grey("business", format!("the business portfolio {name} is readable; Meta does not tell whether it is verified")),
            }
        }
        Some(Err(error)) if is_no_answer(error) => untold("business", "the business portfolio", error),
        Some(Err(error)) => Finding::red(
            "business",
            format!("the business portfolio {id} can’t be read with the system token"),
            "Business settings > Business info: copy the Business portfolio ID; the system user must belong to the same portfolio",
        )
        .with_detail(error.to_string()),
    }
}
