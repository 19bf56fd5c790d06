//! The log's line about a request, and from where the request comes.

use crate::web;
use axum::{
    extract::{ConnectInfo, Request},
    middleware,
};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};
use tower_http::request_id::{MakeRequestId, RequestId};
use tracing::Instrument;

/// Gives every request an ID of its own.
#[derive(Clone, Copy)]
pub(super) struct NewRequestId;

impl MakeRequestId for NewRequestId {
    fn make_request_id<B>(&mut self, _: &http::Request<B>) -> Option<RequestId> {
        crate::base::ids::new_uuid().to_string().parse().ok().map(RequestId::new)
    }
}

/// One line a request: no query (it may hold a code), no header, no body. What happens within carries the
/// request's ID.
pub(super) async fn log(
    proxies: Arc<[IpAddr]>,
    mut request: Request,
    next: middleware::Next,
) -> axum::response::Response {
    let id = request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok()).unwrap_or_default();
    let span = tracing::info_span!("request", id);
    let (method, path) = (request.method().clone(), shown_path(request.uri().path()).to_owned());
    let address = client_address(&proxies, &request);
    if let Some(address) = address {
        request.extensions_mut().insert(web::ClientAddress(address));
    }
    let from = address.map_or_else(String::new, |address| address.to_string());
    let started = std::time::Instant::now();
    async move {
        let response = next.run(request).await;
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let status = response.status().as_u16();
        // Webhooks come by the thousand a second; what is wrong with them is told by the intake.
        let many = ["/healthz", "/readyz", "/webhooks/whatsapp", "/webhooks/whatsapp/"].contains(&path.as_str());
        if many || path.starts_with("/static/") {
            tracing::debug!(%method, path, status, ms, from, "request");
        } else {
            tracing::info!(%method, path, status, ms, from, "request");
        }
        response
    }
    .instrument(span)
    .await
}

/// Where a request comes from. What a proxy forwards is believed only of proxies that are named: anybody
/// can write a header. The last address that no trusted proxy added is the client's.
fn client_address(proxies: &[IpAddr], request: &Request) -> Option<IpAddr> {
    let ConnectInfo(peer) = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
    let is_trusted = |ip: &IpAddr| proxies.iter().any(|proxy| proxy.to_canonical() == *ip);
    let mut client = peer.ip().to_canonical();
    let forwarded = request.headers().get_all("x-forwarded-for").iter();
    let parts: Vec<&str> = forwarded.flat_map(|value| value.to_str().unwrap_or("?").split(',')).collect();
    let mut before = parts.iter().rev();
    while is_trusted(&client) {
        // What can't be read ends it: what stands before that may be anybody's word.
        let Some(ip) = before.next().and_then(|part| forwarded_ip(part.trim())) else { break };
        client = ip;
    }
    Some(client)
}

/// An address as proxies write it: some add the port.
fn forwarded_ip(text: &str) -> Option<IpAddr> {
    let bare = text.parse::<IpAddr>().ok();
    bare.or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip())).map(|ip| ip.to_canonical())
}

/// A path as the log may tell it: what follows in a single-use link lets people in.
fn shown_path(path: &str) -> &str {
    let secrets = ["/invite/", "/reset/", "/reconnect/", "/webhooks/whatsapp/"];
    secrets.into_iter().find(|secret| path.starts_with(secret)).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    #[test]
    fn the_log_does_not_tell_what_lets_people_in() {
        assert_eq!(shown_path("/invite/secret"), "/invite/");
        assert_eq!(shown_path("/reset/secret"), "/reset/");
        assert_eq!(shown_path("/webhooks/whatsapp/key"), "/webhooks/whatsapp/");
        for path in ["/invites/01900000", "/people/1/reset-link", "/"] {
            assert_eq!(shown_path(path), path);
        }
    }

    #[test]
    fn forwarded_addresses_are_believed_of_named_proxies_only() {
        let request = |peer: &str, forwarded: &str| {
            let mut request =
                Request::builder().header("x-forwarded-for", forwarded).body(Body::empty()).expect("a request");
            request
                .extensions_mut()
                .insert(ConnectInfo(format!("{peer}:1").parse::<SocketAddr>().expect("an address")));
            request
        };
        let proxies = ["10.0.0.1".parse().expect("an address"), "10.0.0.2".parse().expect("an address")];
        assert_eq!(client_address(&proxies, &request("9.9.9.9", "1.2.3.4")).unwrap().to_string(), "9.9.9.9");
        assert_eq!(
            client_address(&proxies, &request("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2")).unwrap().to_string(),
            "1.2.3.4"
        );
        assert_eq!(client_address(&[], &request("10.0.0.1", "1.2.3.4")).unwrap().to_string(), "10.0.0.1");
        // What the proxy adds counts, whatever it looks like; what stands before it anybody wrote.
        for (added, address) in
            [("1.2.3.4:5678", "1.2.3.4"), ("[2001:db8::1]:443", "2001:db8::1"), ("unknown", "10.0.0.1")]
        {
            let found = client_address(&proxies, &request("10.0.0.1", &format!("6.6.6.6, {added}")));
            assert_eq!(found.unwrap().to_string(), address, "{added}");
        }
        // A socket that takes both kinds tells IPv4 addresses in IPv6's spelling.
        let mut mapped = request("9.9.9.9", "1.2.3.4");
        let peer = ConnectInfo("[::ffff:10.0.0.1]:1".parse::<SocketAddr>().expect("an address"));
        mapped.extensions_mut().insert(peer);
        assert_eq!(client_address(&proxies, &mapped).unwrap().to_string(), "1.2.3.4");
    }
}
