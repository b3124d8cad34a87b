//! The way out: asks the real server, over one connection for each of the client's.

use std::error::Error as StdError;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use http::Uri;
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tower_service::Service as _;

use crate::model::{Failure, FailureKind, Phase, Request, Response};
use crate::proxy::detour::{Detour, Other, Speaks};
use crate::proxy::dial::{
    Demanding, Destination, Forbidden, Standing, Trouble, Unnameable, dial_kind, direct,
    is_allowed, known_without_lookup, look_up,
};
use crate::proxy::link::{Dialled, Link, Target};
use crate::proxy::trust::{ClientCertificate, Trust, alert, asked, demands_certificate};
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

impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Upstream")
    }
}

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

    /// A connection without TLS to a tunnel's target.
    pub(super) async fn dial_tcp(&self, host: &str, port: u16) -> Result<Plain, Failure> {
        let target = Target {
            host: host.to_owned(),
            port,
            tls: false,
            sni: host.to_owned(),
        };
        let dialled = self.dial(&target, &[]).await?;
        Ok(TokioIo::new(dialled.stream))
    }

    /// A connection to a server, by whatever way leads there.
    pub(super) async fn dial(&self, target: &Target, alpn: &[Vec<u8>]) -> Result<Dialled, Failure> {
        let started = Instant::now();
        let failed = |trouble: Trouble| Failure {
            detail: trouble.detail,
            ..Failure::new(trouble.kind, Phase::Connect, started.elapsed())
        };
        let other = self.other(target);
        let dialling = self.connect(target, alpn, other.as_ref());
        match tokio::time::timeout(self.0.limits.upstream_connect, dialling).await {
            Ok(Ok((stream, asks))) => Ok(Dialled::new(stream, alpn, asks)),
            Ok(Err(trouble)) => Err(failed(trouble)),
            Err(_) => Err(failed(Trouble {
                kind: FailureKind::ConnectTimeout,
                detail: other.map(|other| other.trouble("it could not be reached in time")),
            })),
        }
    }

    /// Whether the certificate of this host is not verified.
    pub(super) fn is_insecure(&self, host: &str) -> bool {
        self.0.trust.is_insecure(host)
    }

    /// The proxy on the way, if any.
    fn other(&self, target: &Target) -> Option<Other> {
        let Target {
            host, port, tls, ..
        } = target;
        match self.fixed(host, *port) {
            Some(_) => None,
            None => self.0.detour.for_server(*tls, host, *port),
        }
    }

    async fn connect(
        &self,
        target: &Target,
        alpn: &[Vec<u8>],
        other: Option<&Other>,
    ) -> Result<(Stream, bool), Trouble> {
        let Target {
            host, port, tls, ..
        } = target;
        if let Some(other) = other {
            return self.connect_by(target, alpn, other).await;
        }
        let addresses = match self.fixed(host, *port) {
            Some(address) => Ok(vec![address]),
            None => look_up(host, *port).await,
        };
        let addresses = addresses.and_then(|addresses| self.allowed(addresses));
        let addresses = addresses.map_err(|error| dial_kind(&error))?;
        let port = addresses.first().map_or(*port, SocketAddr::port);
        let to = Destination::somewhere(*tls, port)?;
        let finished = self.finish(target, alpn, direct(addresses), to).await;
        finished.map_err(|error| dial_kind(error.as_ref()).into())
    }

    async fn connect_by(
        &self,
        target: &Target,
        alpn: &[Vec<u8>],
        other: &Other,
    ) -> Result<(Stream, bool), Trouble> {
        let Target {
            host, port, tls, ..
        } = target;
        // By way of another proxy too, none of ours and nothing link-local is asked for.
        if let Some(addresses) = known_without_lookup(host, *port).await {
            let itself = addresses.and_then(|addresses| self.allowed(addresses));
            itself.map_err(|error| dial_kind(&error))?;
        }
        let addresses = look_up(&other.host, other.port).await;
        let addresses = addresses.and_then(|addresses| self.allowed(addresses));
        let addresses = addresses.map_err(|error| other.unreached(dial_kind(&error)))?;
        let by = Destination::somewhere(false, other.port)?.0;
        let to = Destination::named(*tls, host, *port)?;
        let stream = direct(addresses).call(by.clone()).await;
        let beneath = Standing::from(stream.map_err(|error| other.unreached(dial_kind(&error)))?);
        let finished = match &other.speaks {
            Speaks::Http { authorization } => {
                let mut tunnel = Tunnel::new(by, beneath);
                if let Some(authorization) = authorization {
                    tunnel = tunnel.with_auth(authorization.clone());
                }
                self.finish(target, alpn, tunnel, to).await
            }
            Speaks::Socks5 { user } => {
                let mut socks = SocksV5::new(by, beneath);
                if let Some((user, password)) = user {
                    socks = socks.with_auth(user.clone(), password.clone());
                }
                self.finish(target, alpn, socks, to).await
            }
        };
        finished.map_err(|error| match dial_kind(error.as_ref()) {
            kind @ (FailureKind::TlsFailure | FailureKind::ClientCertificateRequired) => {
                kind.into()
            }
            _ => other.refused(error.as_ref()),
        })
    }

    /// Speaks TLS over what lies beneath, where it is asked for; says besides whether the server
    /// asked for a certificate that there is none of.
    async fn finish<C>(
        &self,
        target: &Target,
        alpn: &[Vec<u8>],
        beneath: C,
        to: Destination,
    ) -> Result<(Stream, bool), Box<dyn StdError + Send + Sync>>
    where
        C: tower_service::Service<Uri, Response = TokioIo<TcpStream>> + Send + 'static,
        C::Future: Send + 'static,
        C::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let name = target.sni.trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(name).ok().ok_or(Unnameable)?;
        let config = self.0.trust.config(&target.host, alpn)?;
        let resolver = Arc::new(FixedServerNameResolver::new(name));
        let mut connector = HttpsConnector::new(beneath, config, target.tls, resolver);
        let (stream, asks) = asked(connector.call(to.0)).await;
        match stream {
            Ok(stream) => Ok((stream, asks)),
            Err(error) => match alert(error.as_ref()) {
                Some(alert) if demands_certificate(alert, asks) => Err(Demanding.into()),
                _ => Err(error),
            },
        }
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
type Plain = TokioIo<Stream>;

impl Handler for Upstream {
    async fn handle(&self, mut request: Request) -> Result<Response, Failure> {
        let mut noted = request.wire.take::<Noted>().unwrap_or_default();
        let link = noted.extensions.remove::<Arc<Link>>();
        let link = link.unwrap_or_else(|| Arc::new(Link::to(Target::at(&request.url), Vec::new())));
        link.send(self, request, noted).await
    }
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
        let MaybeHttpsStream::Http(stream) = tunnel.inner() else {
            panic!("no TLS was asked for")
        };
        assert!(stream.inner().nodelay().expect("an option"));
    }
}
