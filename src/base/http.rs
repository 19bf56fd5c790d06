//! Every outbound HTTP request goes through here: timeouts, a cap on what is read, no redirects, and
//! for addresses that a customer chose, a guard against reaching our own network.

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use url::{Host, Url};

/// The most that is read of an answer, in bytes.
pub const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// Who chose the address that is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The operator did (Meta's Graph API, their own callback): any address.
    Operator,
    /// A customer did: public addresses only, checked when the connection is made, so that a name that
    /// resolves to something else later (DNS rebinding) is refused too.
    Public,
}

/// A client for outbound requests. Cloning shares its connections.
#[derive(Clone, Debug)]
pub struct Outbound {
    client: reqwest::Client,
    reach: Reach,
}

/// Why an answer could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The other side broke off, or took too long.
    #[error("the answer could not be read: {0}")]
    Transport(#[from] reqwest::Error),
    /// More than [`MAX_ANSWER_BYTES`].
    #[error("the answer is larger than {MAX_ANSWER_BYTES} bytes")]
    TooLarge,
}

impl Outbound {
    /// A client whose requests end after `timeout` at the latest, connecting after a third of it.
    #[must_use]
    pub fn new(reach: Reach, timeout: Duration) -> Self {
        Self::with(reach, timeout, |builder| builder)
    }

    /// A client for calls to many hosts, of which some are slow or dead: each call has a connection to itself
    /// (HTTP/1.1), few idle ones are kept, and answers are taken as they come, never unpacked.
    #[must_use]
    pub fn for_calls(reach: Reach, timeout: Duration) -> Self {
        let idle = Duration::from_secs(30);
        let few = |builder: reqwest::ClientBuilder| {
            builder.http1_only().no_gzip().pool_max_idle_per_host(8).pool_idle_timeout(idle)
        };
        Self::with(reach, timeout, few)
    }

    /// # Panics
    /// Where the TLS configuration can't be built, which would be a fault of this build.
    #[allow(clippy::disallowed_methods, reason = "the one place that makes clients")]
    fn with(
        reach: Reach,
        timeout: Duration,
        more: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
    ) -> Self {
        let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring supports the default TLS versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(concat!("doorway/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(timeout / 3)
            .timeout(timeout);
        if reach == Reach::Public {
            builder = builder.dns_resolver(Arc::new(PublicOnly(look_up)));
        }
        Self { client: more(builder).build().expect("the HTTP client's configuration is fixed"), reach }
    }

    /// Starts a request.
    ///
    /// # Errors
    /// [`Refused`] where the URL names an address that this client must not reach.
    pub fn request(&self, method: http::Method, url: Url) -> Result<reqwest::RequestBuilder, Refused> {
        if self.reach == Reach::Public && (url.host().is_none() || names_private_address(&url)) {
            return Err(Refused);
        }
        Ok(self.client.request(method, url))
    }
}

/// Reads an answer's body, at most [`MAX_ANSWER_BYTES`] of it.
///
/// # Errors
/// See [`ReadError`].
pub async fn read_capped(mut response: reqwest::Response) -> Result<Vec<u8>, ReadError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(ReadError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The address is private, loopback or otherwise not for customers to name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("addresses inside a private network can't be reached from here")]
pub struct Refused;

/// Asks for a name's addresses.
type LookUp = fn(String) -> BoxFuture<'static, std::io::Result<Vec<SocketAddr>>>;

fn look_up(name: String) -> BoxFuture<'static, std::io::Result<Vec<SocketAddr>>> {
    Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
}

/// Resolves names for connections that are being made, each time anew, and lets through what is public. The connection
/// goes to what was let through: there is no second look-up in between.
struct PublicOnly(LookUp);

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.0(name.as_str().to_owned());
        Box::pin(async move {
            let found: Vec<_> = found.await?.into_iter().filter(|addr| is_public(addr.ip())).collect();
            if found.is_empty() {
                return Err(Refused.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether a URL names this machine itself, for which plain http is no fault.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Whether a URL names, by number, an address that is not on the public internet.
#[must_use]
pub fn names_private_address(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => !is_public(IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => !is_public(IpAddr::V6(ip)),
        Some(Host::Domain(_)) | None => false,
    }
}

/// Where Azure's machines reach their host: public by number, and none of anybody's business.
/// <https://learn.microsoft.com/en-us/azure/virtual-network/what-is-ip-address-168-63-129-16>
const AZURE: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

/// Whether an address lies on the public internet: not in one of the special blocks of
/// <https://www.iana.org/assignments/iana-ipv4-special-registry/> and
/// <https://www.iana.org/assignments/iana-ipv6-special-registry/>, nor one that leads to an IPv4 address by another
/// way (mapped, NAT64, 6to4, Teredo).
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_broadcast()
                || ip.is_documentation()
                || ip.is_multicast()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 192 && b == 88 && c == 99)
                || ip == AZURE
                || (a == 198 && (b == 18 || b == 19)))
        }
        IpAddr::V6(ip) => {
            if let Some(mapped) = ip.to_ipv4_mapped() {
                return is_public(IpAddr::V4(mapped));
            }
            let [first, second, ..] = ip.segments();
            // 2000::/3 is all that is assigned for global unicast, so NAT64 (64:ff9b::) is out. Of it, leave out 6to4,
            // IETF's own block with Teredo, benchmarks and ORCHID (2001::/23), and documentation.
            (first & 0xe000) == 0x2000
                && first != 0x2002
                && !(first == 0x2001 && second < 0x200)
                && !(first == 0x2001 && second == 0xdb8)
                && !(first == 0x3fff && second < 0x1000)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_told_apart() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "255.255.255.255",
            "224.0.0.1",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "::ffff:127.0.0.1",
            "2002:7f00:1::",
            "2001:db8::1",
            // By other ways: NAT64, 6to4, Teredo, ORCHID, compatible, site-local.
            "64:ff9b::7f00:1",
            "64:ff9b:1::a00:1",
            "2002:a9fe:a9fe::1",
            "2001::1",
            "2001:2::1",
            "2001:20::1",
            "::7f00:1",
            "::ffff:0:7f00:1",
            "fec0::1",
            "3fff::1",
            "ff02::1",
            // Where clouds tell machines about themselves.
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
            "fd00:ec2::254",
            "192.88.99.1",
            "240.0.0.1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in
            ["1.1.1.1", "157.240.0.35", "2a03:2880:f003::1", "100.128.0.1", "2001:4860:4860::8888", "168.63.129.17"]
        {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[tokio::test]
    async fn a_customers_address_may_not_lead_inside() {
        let outbound = Outbound::new(Reach::Public, Duration::from_secs(3));
        for literal in ["http://127.0.0.1:1/", "http://[::1]:1/", "http://2130706433/"] {
            assert!(outbound.request(http::Method::GET, literal.parse().unwrap()).is_err(), "{literal}");
        }
        let named = outbound.request(http::Method::GET, "http://localhost:1/".parse().unwrap()).unwrap();
        let error = format!("{:?}", named.send().await.unwrap_err());
        assert!(error.contains("Refused"), "{error}");
    }

    #[tokio::test]
    async fn a_name_that_leads_elsewhere_later_is_refused_then() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static ASKED: AtomicUsize = AtomicUsize::new(0);
        fn rebinding(_: String) -> BoxFuture<'static, std::io::Result<Vec<SocketAddr>>> {
            let address = match ASKED.fetch_add(1, Ordering::Relaxed) {
                0 => ["93.184.216.34:0", "10.0.0.1:0"],
                _ => ["127.0.0.1:0", "[::ffff:169.254.169.254]:0"],
            };
            Box::pin(async move { Ok(address.map(|address| address.parse().unwrap()).to_vec()) })
        }
        let resolver = PublicOnly(rebinding);
        let name = || "evil.example".parse::<Name>().unwrap();
        let first: Vec<_> = resolver.resolve(name()).await.map(Iterator::collect).unwrap_or_default();
        assert_eq!(first, ["93.184.216.34:0".parse().unwrap()], "what lies inside is left out");
        let error = resolver.resolve(name()).await.map(drop).unwrap_err();
        assert!(error.is::<Refused>());
    }
}
