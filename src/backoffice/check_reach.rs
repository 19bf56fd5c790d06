//! The lines about addresses, the Graph API's version and Meta's onboarding limit.

use super::{
    check::{Records, Surroundings},
    findings::{Finding, Grade, find},
};
use crate::{
    base::{
        http::{Outbound, is_loopback, read_capped},
        ids,
        sealed::{KeyRing, Place},
    },
    web::{Access, Routes},
};
use axum::extract::{Query, State};
use http::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use time::{Date, Duration, macros::date};
use url::Url;

/// Where Doorway proves that it is itself.
const SELF_PATH: &str = "/healthz/self";
const SELF_WORD: &str = "doorway";

/// The route by which Doorway recognises itself under its public URL.
pub fn machine_routes(keys: KeyRing) -> Routes {
    Routes::new().get(Access::Machine, SELF_PATH, prove).with_state(keys)
}

#[derive(Deserialize)]
struct Challenge {
    #[serde(default)]
    challenge: String,
}

fn place(challenge: &str) -> Place<'_> {
    Place { table: "self", column: "challenge", row: challenge }
}

/// Seals a word for the challenge: only who has our keys can, so every process of this installation and no other.
async fn prove(State(keys): State<KeyRing>, Query(query): Query<Challenge>) -> Result<String, StatusCode> {
    let fits = (1..=64).contains(&query.challenge.len()) && query.challenge.bytes().all(|b| b.is_ascii_graphic());
    if !fits {
        return Err(StatusCode::BAD_REQUEST);
    }
    Ok(keys.seal(place(&query.challenge), &SecretString::from(SELF_WORD)))
}

/// Whether the public URL is https, and leads to us.
pub(super) async fn public(outbound: &Outbound, around: &Surroundings) -> Vec<Finding> {
    let url = &around.public_url;
    if is_loopback(url) {
        return vec![
            Finding::grey("public.url", format!("{url} is a local trial: Facebook's button works on https only")),
            Finding::grey("public.reach", "a local trial is reached from this machine only"),
        ];
    }
    let scheme = if url.scheme() == "https" {
        Finding::green("public.url", format!("the public URL is {url}"))
    } else {
        let cure =
            "put a proxy with a certificate in front of Doorway, and set DOORWAY_PUBLIC_URL to its https address";
        Finding::red("public.url", format!("{url} is not https: Facebook's button and webhooks need it"), cure)
    };
    vec![scheme, reach(outbound, around).await]
}

async fn reach(outbound: &Outbound, around: &Surroundings) -> Finding {
    let (url, challenge) = (&around.public_url, ids::random_token());
    let mut address = url.clone();
    address.set_path(SELF_PATH);
    address.query_pairs_mut().append_pair("challenge", &challenge);
    let id = "public.reach";
    let sent = match outbound.request(Method::GET, address) {
        Ok(request) => request.send().await,
        Err(refused) => return Finding::grey(id, refused.to_string()),
    };
    let response = match sent {
        Ok(response) => response,
        Err(error) => return unreached(url, &causes(&error)),
    };
    let status = response.status();
    let body = read_capped(response).await.ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    let opened = around.keys.open(place(&challenge), body.trim());
    if status == StatusCode::OK && opened.is_ok_and(|word| word.expose_secret() == SELF_WORD) {
        return Finding::green(id, format!("{url} leads here"));
    }
    let host = url.host_str().unwrap_or_default();
    Finding::red(
        id,
        format!("another server answers under {url}"),
        format!(
            "look at the DNS entry of {host} and at the proxy in front: it must lead to this Doorway, all paths of it"
        ),
    )
    .with_detail(format!("it answers {status}"))
}

fn unreached(url: &Url, causes: &str) -> Finding {
    if causes.contains("certificate") {
        return Finding::red(
            "public.reach",
            format!("the certificate of {url} is not one that Meta takes"),
            "use a certificate of a public authority, with its whole chain, for this name; Meta takes no self-signed one",
        )
        .with_detail(causes);
    }
    Finding::amber(
        "public.reach",
        format!("{url} can’t be reached from this server"),
        "open it from a phone without Wi-Fi. If it shows up there, your router only lacks a way back in (hairpin NAT), and all is well; if not, look at DNS, proxy and firewall",
    )
    .with_detail(causes)
}

/// What lies beneath an error of the network, without any URL.
fn causes(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() { "no answer in time".to_owned() } else { "no connection".to_owned() };
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = cause.to_string();
        source = cause.source();
    }
    text
}

/// Whether the JavaScript SDK can be had.
pub(super) async fn sdk(outbound: &Outbound, url: &Url) -> Finding {
    let answer = match outbound.request(Method::GET, url.clone()) {
        Ok(request) => request.send().await.map(|response| response.status()),
        Err(refused) => return Finding::red("sdk", refused.to_string(), "check DOORWAY_META_SDK_URL"),
    };
    match answer {
        Ok(status) if status.is_success() => Finding::green("sdk", format!("the SDK's script is there: {url}")),
        Ok(status) => {
            Finding::red("sdk", format!("the SDK's script answers {status}: {url}"), "check DOORWAY_META_SDK_URL")
        }
        Err(_) => Finding::red(
            "sdk",
            format!("the SDK's script can't be reached: {url}"),
            "check this machine's way to the internet (DOORWAY_META_SDK_URL if you set it)",
        ),
    }
}

/// Until when Meta answers in a version: after that calls are quietly answered in the oldest one that is left.
/// <https://developers.facebook.com/docs/graph-api/changelog/versions/>, as of November 2026, and
/// <https://developers.facebook.com/docs/graph-api/guides/versioning>
const VERSIONS: [(u16, Option<Date>); 8] = [
    (19, Some(date!(2026 - 05 - 21))),
    (20, Some(date!(2026 - 09 - 24))),
    (21, Some(date!(2027 - 01 - 21))),
    (22, Some(date!(2027 - 05 - 20))),
    (23, Some(date!(2027 - 10 - 08))),
    (24, Some(date!(2028 - 02 - 18))),
    (25, Some(date!(2028 - 07 - 29))),
    (26, None),
];
/// How long before a version's end one is told.
const NOTICE: Duration = Duration::days(183);

/// Whether the version is not near its end.
pub(super) fn version(version: &str, today: Date) -> Finding {
    let id = "graph.version";
    let major: Option<u16> = version.strip_prefix('v').and_then(|rest| rest.split('.').next()?.parse().ok());
    let cure = "Meta settings, Graph version (DOORWAY_GRAPH_VERSION): enter a newer one, such as v25.0";
    let end = match major {
        None => return Finding::grey(id, format!("{version} is no version that we know")),
        Some(major) if major < VERSIONS[0].0 => Some(VERSIONS[0].1.unwrap_or(today)),
        Some(major) => match VERSIONS.iter().find(|(one, _)| *one == major) {
            Some((_, end)) => *end,
            None => {
                return Finding::grey(
                    id,
                    format!("Graph version {version} is newer than this Doorway: its end is not known here"),
                );
            }
        },
    };
    match end {
        None => Finding::green(id, format!("Meta has named no end of Graph version {version}")),
        Some(end) if end <= today => Finding::red(
            id,
            format!("Graph version {version} is gone since {end}: Meta quietly answers in another"),
            cure,
        ),
        Some(end) if end - NOTICE <= today => {
            Finding::amber(id, format!("Graph version {version} ends on {end}"), cure)
        }
        Some(end) => Finding::green(id, format!("Graph version {version} is good until {end}")),
    }
}

/// How many customers may still come this week: 10 in 7 days, 200 after Business Verification, App Review and
/// Access Verification. Meta has no API for its own count, so ours is an estimate.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/overview>
pub(super) fn limit(records: &Records, findings: &[Finding]) -> Finding {
    let Some(count) = records.onboarded else {
        return Finding::grey("limit", "new customers of the last 7 days: not counted without the database");
    };
    let max = onboarding_limit(records, findings);
    let what = format!("{count} of {max} new customers in the last 7 days");
    let cure = match max {
        10 => {
            "Meta raises it to 200 after Business Verification, App Review and Access Verification: see Go live. Meta’s own count: WhatsApp Manager > Partner overview"
        }
        _ => "for more, apply to become a Meta Business Partner. Meta’s own count: WhatsApp Manager > Partner overview",
    };
    if count >= max {
        Finding::red("limit", format!("{what}: Meta may refuse further ones"), cure)
    } else if count * 10 >= max * 8 {
        Finding::amber("limit", what, cure)
    } else {
        Finding::green("limit", what)
    }
}

/// 200 once all three verifications are seen or ticked, else 10.
pub(super) fn onboarding_limit(records: &Records, findings: &[Finding]) -> i64 {
    let seen = |id| find(findings, id).is_some_and(|line| line.grade == Grade::Green);
    let ticked = |item: &str| records.ticked.iter().any(|one| one == item);
    let business = seen("business") || ticked("business_verification");
    let review = (seen("permission.management") || ticked("advanced_management"))
        && (seen("permission.messaging") || ticked("advanced_messaging"));
    if business && review && ticked("access_verification") { 200 } else { 10 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_of_in_time() {
        let today = date!(2026 - 11 - 22);
        for (name, grade) in [
            ("v12.0", Grade::Red),
            ("v20.0", Grade::Red),
            ("v21.0", Grade::Amber),
            ("v23.0", Grade::Green),
            ("v25.0", Grade::Green),
            ("v26.0", Grade::Green),
            ("v27.0", Grade::Grey),
        ] {
            assert_eq!(version(name, today).grade, grade, "{name}");
        }
        assert_eq!(version("v25.0", date!(2028 - 02 - 01)).grade, Grade::Amber);
        assert_eq!(version("v25.0", date!(2028 - 07 - 29)).grade, Grade::Red);
    }

    #[test]
    fn the_limit_rises_after_all_three_verifications() {
        let mut records = Records { onboarded: Some(8), ..Records::default() };
        let seen: Vec<Finding> =
            ["business", "permission.management", "permission.messaging"].map(|id| Finding::green(id, "seen")).into();
        assert_eq!(limit(&records, &seen).grade, Grade::Amber);
        records.onboarded = Some(10);
        assert_eq!(limit(&records, &seen).grade, Grade::Red);
        records.ticked = vec!["access_verification".to_owned()];
        assert_eq!(limit(&records, &seen).grade, Grade::Green);
        records.onboarded = Some(160);
        assert_eq!(limit(&records, &seen).grade, Grade::Amber);
        assert_eq!(limit(&records, &[]).grade, Grade::Red);
    }
}
