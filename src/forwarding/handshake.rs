//! Meta's handshake, played to an endpoint of Meta's format when it is saved: whoever understands Meta's webhooks
//! answers the challenge, so that a wrong address or word is found before the first message is lost on it.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint>

use super::format::meta;
use crate::base::{
    http::{Outbound, read_capped},
    ids,
};
use http::{Method, StatusCode};
use secrecy::SecretString;
use std::time::Duration;
use url::Url;

/// How long an answer may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// Plays it; the text says what was wrong with the answer, to be shown beside the address.
pub(super) async fn handshake(outbound: &Outbound, url: &Url, verify_token: &SecretString) -> Result<(), String> {
    let challenge = ids::random_token()[..16].to_owned();
    let asked = meta::handshake_url(url, verify_token, &challenge);
    let request = outbound
        .request(Method::GET, asked)
        .map_err(|_| "Addresses inside a private network can’t be reached from here.".to_owned())?;
    let answer = request.send().await.map_err(|error| unreachable(&error))?;
    let status = answer.status();
    match status {
        StatusCode::OK => {}
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => {
            return Err(format!(
                "Your server answered {} to Meta’s handshake. Check that it knows the verify token below.",
                status.as_u16()
            ));
        }
        status if status.is_redirection() => {
            return Err(format!(
                "Your server answered {}, a redirect, to Meta’s handshake. Redirects are not followed: enter the address that it leads to.",
                status.as_u16()
            ));
        }
        status => {
            return Err(format!(
                "Your server answered {} to Meta’s handshake. It must answer 200 with the challenge.",
                status.as_u16()
            ));
        }
    }
    let body =
        read_capped(answer).await.map_err(|_| "Your server’s answer to Meta’s handshake broke off.".to_owned())?;
    if meta::answers(&body, &challenge) {
        Ok(())
    } else {
        Err("Your server answered Meta’s handshake with 200, but not with the challenge (hub.challenge) that it was \
             sent."
            .to_owned())
    }
}

fn unreachable(error: &reqwest::Error) -> String {
    // The address itself may hold something secret in its query, so the library's own words are not shown.
    let mut cause = std::error::Error::source(error);
    let mut refused = false;
    while let Some(inner) = cause {
        refused |= inner.downcast_ref::<crate::base::http::Refused>().is_some();
        cause = inner.source();
    }
    match () {
        () if refused => "Addresses inside a private network can’t be reached from here.".to_owned(),
        () if error.is_timeout() => {
            format!("Your server did not answer Meta’s handshake within {} seconds.", TIMEOUT.as_secs())
        }
        () if error.is_connect() => {
            "Your server can’t be reached: no connection, or its certificate is not valid.".to_owned()
        }
        () => "Your server broke off Meta’s handshake.".to_owned(),
    }
}
