//! The way out: asks the real server, over one connection for each of the client's.

use std::error::Error as StdError;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use http::Uri;
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tower_service::Service as _;

use crate::model::{Failure, FailureKind, Phase, Request, Response};
use crate::proxy::detour::{Detour, Speaks};
use crate::proxy::link::{Dialled, Link, Target};
use crate::proxy::trust::{ClientCertificate, Trust};
use crate::proxy::wire::Noted;
use crate::proxy::{Error, Handler, Limits};

/// How to reach servers.
#[derive(Clone, Debug, Default)]
pub struct UpstreamOptions {
    /// PEM texts of roots to trust besides the system's, each with the name of its file.
    pub extra_roots: Vec<(String, Vec<u8>)>,
    /// Names that are not looked up.
    pub resolve: Vec<Resolve>,
    /// Which servers are reached through another proxy.
    pub detour: Detour,
    /// Globs of hosts whose certificate is not verified.
    pub insecure: Vec<String>,
    /// Who we say we are, and to whom.
    pub client_certificates: Vec<ClientCertificate>,
    /// How long servers are waited for, and how much of their heads is read.
    pub limits: Limits,
}

/// One name that is not looked up but dialled at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolve {
    host: String,
    port: u16,
    address: SocketAddr,
}

impl std::str::FromStr for Resolve {
    type Err = Error;

    /// Reads `HOST:PORT:ADDRESS` or `HOST:PORT:ADDRESS:PORT`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let read = || {
            let (host, rest) = text.split_once(':')?;
            let (port, address) = rest.split_once(':')?;
            let port = port.parse().ok()?;
            let bare = || {
                address
                    .trim_matches(['[', ']'])
                    .parse::<IpAddr>()
                    .ok()
                    .map(|ip| SocketAddr::new(ip, port))
            };
            let address = address.parse().ok().or_else(bare)?;
            (!host.is_empty()).then(|| Self {
                host: host.to_owned(),
                port,
                address,
            })
        };
        read().ok_or_else(|| Error::Resolve {
            text: text.to_owned(),
        })
    }
}

/// A handler that asks the server a request is meant for.
#[derive(Clone)]
pub struct Upstream(Arc<Shared>);

struct Shared {
    trust: Trust,
    resolve: Vec<Resolve>,
    detour: Detour,
    own: Mutex<Vec<SocketAddr>>,
    limits: Limits,
}

impl Upstream {
    /// A way out that trusts the system's roots and these.
    ///
    /// # Errors
    ///
    /// Where a PEM text does not hold what it should.
    pub fn new(options: UpstreamOptions) -> Result<Self, Error> {
        let UpstreamOptions {
            extra_roots,
            resolve,
            detour,
            insecure,
            client_certificates,
            limits,
        } = options;
        let shared = Shared {
            trust: Trust::new(extra_roots, insecure, &client_certificates)?,
            resolve,
            detour,
            own: Mutex::default(),
            limits,
        };
        Ok(Self(Arc::new(shared)))
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Never dial this address: it is ours.
    pub(super) fn refuse(&self, own: SocketAddr) {
        let mut known = self.0.own.lock().unwrap_or_else(PoisonError::into_inner);
        known.push(own);
    }

    /// A plain connection to a tunnel's target.
    pub(super) async fn dial_tcp(&self, host: &str, port: u16) -> Result<TcpStream, Failure> {
        let target = Target {
            host: host.to_owned(),
            port,
            tls: false,
            sni: host.to_owned(),
        };
        match self.dial(&target, &[]).await?.stream {
            MaybeHttpsStream::Http(stream) => Ok(stream.into_inner()),
            MaybeHttpsStream::Https(_) => unreachable!("no TLS was asked for"),
        }
    }

    /// A connection to a server, by whatever way leads there.
    pub(super) async fn dial(&self, target: &Target, alpn: &[Vec<u8>]) -> Result<Dialled, Failure> {
        let started = Instant::now();
        let failed = |kind| Failure {
            kind,
            phase: Phase::Connect,
            after: started.elapsed(),
        };
        let dialling = self.connect(target, alpn);
        match tokio::time::timeout(self.0.limits.upstream_connect, dialling).await {
            Ok(Ok(stream)) => Ok(Dialled::new(stream, alpn)),
            Ok(Err(kind)) => Err(failed(kind)),
            Err(_) => Err(failed(FailureKind::ConnectTimeout)),
        }
    }

    async fn connect(&self, target: &Target, alpn: &[Vec<u8>]) -> Result<Stream, FailureKind> {
        let Target {
            host, port, tls, ..
        } = target;
        let fixed = self.fixed(host, *port);
        let detour = || self.0.detour.for_server(*tls, host, *port);
        let Some(other) = fixed.is_none().then(detour).flatten() else {
            let addresses = match fixed {
                Some(address) => Ok(vec![address]),
                None => look_up(host, *port).await,
            };
            let addresses = addresses.and_then(|addresses| self.allowed(addresses));
            let addresses = addresses.map_err(|error| dial_kind(&error))?;
            let port = addresses.first().map_or(*port, SocketAddr::port);
            let to = Destination::somewhere(*tls, port)?;
            return self.finish(target, alpn, direct(addresses), to).await;
        };
        // By way of another proxy too, none of ours and nothing link-local is asked for.
        if let Ok(ip) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            let itself = self.allowed(vec![SocketAddr::new(ip, *port)]);
            itself.map_err(|error| dial_kind(&error))?;
        }
        let addresses = look_up(&other.host, other.port).await;
        let addresses = addresses.and_then(|addresses| self.allowed(addresses));
        let addresses = addresses.map_err(|error| match dial_kind(&error) {
            FailureKind::ConnectForbidden => FailureKind::ConnectForbidden,
            _ => FailureKind::ProxyFailure,
        })?;
        let by = Destination::somewhere(false, other.port)?.0;
        let to = Destination::named(*tls, host, *port)?;
        let beneath = direct(addresses);
        let stream = match other.speaks {
            Speaks::Http { authorization } => {
                let mut tunnel = Tunnel::new(by, beneath);
                if let Some(authorization) = authorization {
                    tunnel = tunnel.with_auth(authorization);
                }
                self.finish(target, alpn, tunnel, to).await
            }
            Speaks::Socks5 { user } => {
                let mut socks = SocksV5::new(by, beneath);
                if let Some((user, password)) = user {
                    socks = socks.with_auth(user, password);
                }
                self.finish(target, alpn, socks, to).await
            }
        };
        stream.map_err(|kind| match kind {
            FailureKind::TlsFailure => kind,
            _ => FailureKind::ProxyFailure,
        })
    }

    async fn finish<C>(
        &self,
        target: &Target,
        alpn: &[Vec<u8>],
        beneath: C,
        to: Destination,
    ) -> Result<Stream, FailureKind>
    where
        C: tower_service::Service<Uri, Response = TokioIo<TcpStream>> + Send + 'static,
        C::Future: Send + 'static,
        C::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let name = target.sni.trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(name)
            .ok()
            .ok_or(FailureKind::TlsFailure)?;
        let config = self.0.trust.config(&target.host, alpn);
        let config = config.ok().ok_or(FailureKind::TlsFailure)?;
        let resolver = Arc::new(FixedServerNameResolver::new(name));
        let mut connector = HttpsConnector::new(beneath, config, target.tls, resolver);
        let stream = connector.call(to.0).await;
        stream.map_err(|error| dial_kind(error.as_ref()))
    }

    fn fixed(&self, host: &str, port: u16) -> Option<SocketAddr> {
        let named = |fixed: &&Resolve| fixed.port == port && fixed.host.eq_ignore_ascii_case(host);
        self.0.resolve.iter().find(named).map(|fixed| fixed.address)
    }

    /// Those of the addresses that may be dialled: never ourselves, never a link-local one.
    fn allowed(&self, addresses: Vec<SocketAddr>) -> io::Result<Vec<SocketAddr>> {
        let own = self.0.own.lock().unwrap_or_else(PoisonError::into_inner);
        let is_free = |address: &SocketAddr| is_allowed(*address, &own);
        let allowed: Vec<_> = addresses.into_iter().filter(is_free).collect();
        if allowed.is_empty() {
            Err(io::Error::other(Forbidden))
        } else {
            Ok(allowed)
        }
    }
}

type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

async fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let addresses = tokio::net::lookup_host((host.trim_matches(['[', ']']), port)).await;
    Ok(addresses.map_err(Unresolved::wrap)?.collect())
}

/// Dials these addresses, the next one where the first takes long (RFC 8305).
fn direct(addresses: Vec<SocketAddr>) -> HttpConnector<Known> {
    let mut http = HttpConnector::new_with_resolver(Known(addresses));
    http.enforce_http(false);
    http.set_nodelay(true);
    http
}

/// Looks nothing up: the addresses are known, and were found fit.
#[derive(Clone)]
struct Known(Vec<SocketAddr>);

impl tower_service::Service<Name> for Known {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Name) -> Self::Future {
        std::future::ready(Ok(self.0.clone().into_iter()))
    }
}

/// What a connector is asked for.
struct Destination(Uri);

impl Destination {
    /// A name that stands for addresses that are known.
    fn somewhere(tls: bool, port: u16) -> Result<Self, FailureKind> {
        Self::named(tls, "known.invalid", port)
    }

    fn named(tls: bool, host: &str, port: u16) -> Result<Self, FailureKind> {
        let scheme = if tls { "https" } else { "http" };
        let uri = format!("{scheme}://{host}:{port}").parse();
        uri.ok().map(Self).ok_or(FailureKind::DnsFailure)
    }
}

impl Handler for Upstream {
    async fn handle(&self, mut request: Request) -> Result<Response, Failure> {
        let mut noted = request.wire.take::<Noted>().unwrap_or_default();
        let link = noted.extensions.remove::<Arc<Link>>();
        let link = link.unwrap_or_else(|| Arc::new(Link::to(Target::at(&request.url), Vec::new())));
        link.send(self, request, noted).await
    }
}

/// A name that does not resolve; the cause beneath has no kind of its own.
#[derive(Debug, thiserror::Error)]
#[error("the name does not resolve")]
struct Unresolved(#[source] io::Error);

impl Unresolved {
    fn wrap(error: io::Error) -> io::Error {
        io::Error::other(Self(error))
    }
}

/// The name leads to this proxy, or to a link-local address.
#[derive(Debug, thiserror::Error)]
#[error("the address is not dialled")]
struct Forbidden;

fn is_allowed(address: SocketAddr, own: &[SocketAddr]) -> bool {
    let ip = address.ip().to_canonical();
    let link_local = match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    let ours = own.iter().any(|own| {
        own.port() == address.port()
            && (ip.is_loopback()
                || ip.is_unspecified()
                || ip == own.ip()
                || (own.ip().is_unspecified() && is_here(ip)))
    });
    !link_local && !ours
}

/// Whether an address is one of this machine's: no other can be bound to.
fn is_here(ip: IpAddr) -> bool {
    std::net::UdpSocket::bind((ip, 0)).is_ok()
}

/// Walks the chain of causes to the one that has a name.
pub(super) fn dial_kind(error: &(dyn StdError + 'static)) -> FailureKind {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<rustls::Error>() {
            return FailureKind::TlsFailure;
        }
        if error.is::<Forbidden>() {
            return FailureKind::ConnectForbidden;
        }
        if error.is::<Unresolved>() {
            return FailureKind::DnsFailure;
        }
        if let Some(io) = error.downcast_ref::<io::Error>() {
            match io.kind() {
                io::ErrorKind::ConnectionRefused => return FailureKind::ConnectRefused,
                io::ErrorKind::TimedOut => return FailureKind::ConnectTimeout,
                io::ErrorKind::ConnectionReset => return FailureKind::ConnectionReset,
                io::ErrorKind::UnexpectedEof => return FailureKind::ClosedEarly,
                _ => {}
            }
            // `io::Error::other` hides what it wraps from `source`.
            if let Some(inner) = io.get_ref() {
                return dial_kind(inner);
            }
        }
        cause = error.source();
    }
    FailureKind::ConnectRefused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolve_is_read_in_both_forms() {
        for (text, expected) in [
            ("a.example:443:127.0.0.1", Some("127.0.0.1:443")),
            ("a.example:443:127.0.0.1:8443", Some("127.0.0.1:8443")),
            ("a.example:443:[::1]:8443", Some("[::1]:8443")),
            ("a.example:443:[::1]", Some("[::1]:443")),
            ("a.example:127.0.0.1", None),
            (":443:127.0.0.1", None),
            ("a.example:443:elsewhere", None),
        ] {
            let address = text
                .parse::<Resolve>()
                .ok()
                .map(|resolve| resolve.address.to_string());
            assert_eq!(address.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn neither_ourselves_nor_link_local_addresses_are_dialled() {
        let own: SocketAddr = "127.0.0.1:4000".parse().expect("an address");
        for (address, expected) in [
            ("127.0.0.1:4000", false),
            ("127.0.0.2:4000", false),
            ("0.0.0.0:4000", false),
            ("[::1]:4000", false),
            ("[::ffff:127.0.0.1]:4000", false),
            ("127.0.0.1:4001", true),
            ("169.254.169.254:80", false),
            ("[fe80::1]:80", false),
            ("93.184.216.34:4000", true),
        ] {
            assert_eq!(
                is_allowed(address.parse().expect(address), &[own]),
                expected,
                "{address}"
            );
        }
        let everywhere: SocketAddr = "0.0.0.0:4000".parse().expect("an address");
        for (address, expected) in [
            ("127.0.0.1:4000", false),
            ("[::1]:4000", false),
            ("127.0.0.1:4001", true),
            ("93.184.216.34:4000", true),
        ] {
            let address = address.parse().expect(address);
            assert_eq!(is_allowed(address, &[everywhere]), expected, "{address}");
        }
        // What makes an address of another interface ours.
        assert!(is_here(IpAddr::from([127, 0, 0, 1])));
        assert!(!is_here(IpAddr::from([93, 184, 216, 34])));
    }

    #[tokio::test]
    async fn a_servers_connection_never_waits_for_an_acknowledgement() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let upstream = Upstream::new(UpstreamOptions::default()).expect("an upstream");
        let host = "127.0.0.1".to_owned();
        let target = Target {
            sni: host.clone(),
            host,
            port,
            tls: false,
        };
        let dialled = upstream.dial(&target, &[]).await.expect("dialled");
        let MaybeHttpsStream::Http(stream) = dialled.stream else {
            panic!("no TLS was asked for")
        };
        assert!(stream.inner().nodelay().expect("an option"));
        let tunnel = upstream.dial_tcp("127.0.0.1", port).await.expect("dialled");
        assert!(tunnel.nodelay().expect("an option"));
    }
}
