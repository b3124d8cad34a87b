//! The way out: asks the real server, over one connection for each of the client's.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::{Duration, Instant};

use http::{Extensions, Uri};
use hyper_rustls::{FixedServerNameResolver, HttpsConnector};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tower_service::Service as _;

use crate::model::{Failure, FailureKind, Phase, Request, Response};
use crate::proxy::authority::provider;
use crate::proxy::link::{Dialled, Link, Target};
use crate::proxy::{Error, Handler};

/// How to reach servers.
#[derive(Clone, Debug, Default)]
pub struct UpstreamOptions {
    /// PEM texts of roots to trust besides the system's, each with the name of its file.
    pub extra_roots: Vec<(String, Vec<u8>)>,
    /// Names that are not looked up.
    pub resolve: Vec<Resolve>,
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
    roots: RootCertStore,
    resolve: Vec<Resolve>,
    configs: StdMutex<HashMap<Vec<Vec<u8>>, Arc<ClientConfig>>>,
    own: StdMutex<Option<SocketAddr>>,
}

impl Upstream {
    /// A way out that trusts the system's roots and these.
    ///
    /// # Errors
    ///
    /// Where a PEM text holds no certificate.
    pub fn new(options: UpstreamOptions) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        // What the store cannot give is missed when a server's certificate is refused, and said then.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for (what, pem) in options.extra_roots {
            let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
            let found = found.unwrap_or_default();
            if found.is_empty() || roots.add_parsable_certificates(found).0 == 0 {
                return Err(Error::Root { what });
            }
        }
        let shared = Shared {
            roots,
            resolve: options.resolve,
            configs: StdMutex::default(),
            own: StdMutex::default(),
        };
        Ok(Self(Arc::new(shared)))
    }

    /// Never dial this address: it is ours.
    pub(super) fn refuse(&self, own: SocketAddr) {
        *self.0.own.lock().unwrap_or_else(PoisonError::into_inner) = Some(own);
    }

    /// A plain connection to a tunnel's target.
    pub(super) async fn dial_tcp(&self, host: &str, port: u16) -> Result<TcpStream, Failure> {
        let started = Instant::now();
        let failed = |kind| Failure {
            kind,
            phase: Phase::Connect,
            after: started.elapsed(),
        };
        let addresses = self
            .addresses(host, port)
            .await
            .map_err(|error| failed(dial_kind(&error)))?;
        let connect = async {
            let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
            for address in addresses {
                match TcpStream::connect(address).await {
                    Ok(stream) => return Ok(stream),
                    Err(error) => last = error,
                }
            }
            Err(last)
        };
        let stream = tokio::time::timeout(CONNECT_TIMEOUT, connect).await;
        let stream = stream
            .ok()
            .ok_or_else(|| failed(FailureKind::ConnectTimeout))?;
        let stream = stream.map_err(|error| failed(dial_kind(&error)))?;
        stream
            .set_nodelay(true)
            .map_err(|error| failed(dial_kind(&error)))?;
        Ok(stream)
    }

    /// Where a name may be dialled: never ourselves, never a link-local address.
    async fn addresses(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let fixed = self
            .0
            .resolve
            .iter()
            .find(|fixed| fixed.port == port && fixed.host.eq_ignore_ascii_case(host));
        let addresses: Vec<_> = match fixed {
            Some(fixed) => vec![fixed.address],
            None => tokio::net::lookup_host((host.trim_matches(['[', ']']), port))
                .await
                .map_err(Unresolved::wrap)?
                .collect(),
        };
        let own = *self.0.own.lock().unwrap_or_else(PoisonError::into_inner);
        let allowed: Vec<_> = addresses
            .into_iter()
            .filter(|address| is_allowed(*address, own))
            .collect();
        if allowed.is_empty() {
            Err(io::Error::other(Forbidden))
        } else {
            Ok(allowed)
        }
    }

    pub(super) async fn dial(&self, target: &Target, alpn: &[Vec<u8>]) -> Result<Dialled, Failure> {
        let started = Instant::now();
        let failed = |kind| Failure {
            kind,
            phase: Phase::Connect,
            after: started.elapsed(),
        };
        let addresses = self
            .addresses(&target.host, target.port)
            .await
            .map_err(|error| failed(dial_kind(&error)))?;
        let scheme = if target.tls { "https" } else { "http" };
        let mut last = FailureKind::ConnectRefused;
        for address in addresses {
            let Ok(uri) = format!("{scheme}://{address}").parse::<Uri>() else {
                return Err(failed(FailureKind::DnsFailure));
            };
            let dialled =
                tokio::time::timeout(CONNECT_TIMEOUT, self.connector(target, alpn)?.call(uri))
                    .await;
            match dialled {
                Ok(Ok(stream)) => return Ok(Dialled::new(stream)),
                Ok(Err(error)) => last = dial_kind(error.as_ref()),
                Err(_) => last = FailureKind::ConnectTimeout,
            }
            // A certificate that one address shows, its siblings show too.
            if last == FailureKind::TlsFailure {
                break;
            }
        }
        Err(failed(last))
    }

    fn connector(
        &self,
        target: &Target,
        alpn: &[Vec<u8>],
    ) -> Result<HttpsConnector<HttpConnector>, Failure> {
        let failed = || Failure {
            kind: FailureKind::TlsFailure,
            phase: Phase::Connect,
            after: Duration::ZERO,
        };
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let name = target.sni.trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(name).ok().ok_or_else(failed)?;
        let config = self.config(alpn).ok().ok_or_else(failed)?;
        Ok(HttpsConnector::new(
            http,
            config,
            target.tls,
            Arc::new(FixedServerNameResolver::new(name)),
        ))
    }

    fn config(&self, alpn: &[Vec<u8>]) -> Result<Arc<ClientConfig>, rustls::Error> {
        let mut configs = self
            .0
            .configs
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = configs.get(alpn) {
            return Ok(Arc::clone(config));
        }
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(self.0.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = alpn.to_vec();
        let config = Arc::new(config);
        configs.insert(alpn.to_vec(), Arc::clone(&config));
        Ok(config)
    }
}

impl Handler for Upstream {
    async fn handle(&self, mut request: Request) -> Result<Response, Failure> {
        let mut extensions = request.wire.take::<Extensions>().unwrap_or_default();
        let link = extensions.remove::<Arc<Link>>();
        let link = link.unwrap_or_else(|| Arc::new(Link::to(Target::of(&request), Vec::new())));
        link.send(self, request, extensions).await
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

fn is_allowed(address: SocketAddr, own: Option<SocketAddr>) -> bool {
    let ip = address.ip().to_canonical();
    let link_local = match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    let ours = own.is_some_and(|own| {
        own.port() == address.port() && (ip.is_loopback() || ip.is_unspecified() || ip == own.ip())
    });
    !link_local && !ours
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

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

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
                is_allowed(address.parse().expect(address), Some(own)),
                expected,
                "{address}"
            );
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
        let hyper_rustls::MaybeHttpsStream::Http(stream) = dialled.stream else {
            panic!("no TLS was asked for")
        };
        assert!(stream.inner().nodelay().expect("an option"));
        let tunnel = upstream.dial_tcp("127.0.0.1", port).await.expect("dialled");
        assert!(tunnel.nodelay().expect("an option"));
    }
}
