//! Dialling: which addresses, which of them may be, and what it is called where it fails.

use std::error::Error as StdError;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::model::FailureKind;

/// Why a server is not reached.
pub(super) struct Trouble {
    pub(super) kind: FailureKind,
    /// What is known besides, for people.
    pub(super) detail: Option<Arc<str>>,
}

impl From<FailureKind> for Trouble {
    fn from(kind: FailureKind) -> Self {
        let detail = (kind == FailureKind::ClientCertificateRequired).then(|| DEMANDING.into());
        Self { kind, detail }
    }
}

/// What to do where a server asks for a certificate.
pub(super) const DEMANDING: &str =
    "it asks for a client certificate; --client-cert GLOB=FILE gives it one";

pub(super) async fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let addresses = tokio::net::lookup_host((host.trim_matches(['[', ']']), port)).await;
    Ok(addresses.map_err(Unresolved::wrap)?.collect())
}

/// The addresses of a host that has them without being looked up: this machine by its name, and
/// what is an address in any spelling that the system reads as one.
pub(super) async fn known_without_lookup(
    host: &str,
    port: u16,
) -> Option<io::Result<Vec<SocketAddr>>> {
    let bare = host.trim_matches(['[', ']']);
    let bare = bare.strip_suffix('.').unwrap_or(bare).to_ascii_lowercase();
    if bare == "localhost" || bare.ends_with(".localhost") {
        return Some(Ok(vec![SocketAddr::from(([127, 0, 0, 1], port))]));
    }
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Some(Ok(vec![SocketAddr::new(ip, port)]));
    }
    // No name of the public ends in a number, and inet_aton(3) reads 127.1 and 0x7f000001.
    let last = bare.rsplit('.').next().unwrap_or_default();
    let digits = last.strip_prefix("0x").map(|hex| (hex, 16));
    let (digits, radix) = digits.unwrap_or((last, 10));
    let is_number = !last.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    if is_number {
        Some(look_up(&bare, port).await)
    } else {
        None
    }
}

/// Dials these addresses, the next one where the first takes long (RFC 8305).
pub(super) fn direct(addresses: Vec<SocketAddr>) -> HttpConnector<Known> {
    let mut http = HttpConnector::new_with_resolver(Known(addresses));
    http.enforce_http(false);
    http.set_nodelay(true);
    http
}

/// A connection that stands, for those who would dial it.
pub(super) struct Standing(Option<TokioIo<TcpStream>>);

impl From<TokioIo<TcpStream>> for Standing {
    fn from(stream: TokioIo<TcpStream>) -> Self {
        Self(Some(stream))
    }
}

impl tower_service::Service<Uri> for Standing {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<TokioIo<TcpStream>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let stream = self.0.take();
        std::future::ready(stream.ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}

/// Looks nothing up: the addresses are known, and were found fit.
#[derive(Clone)]
pub(super) struct Known(Vec<SocketAddr>);

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
pub(super) struct Destination(pub(super) Uri);

impl Destination {
    /// A name that stands for addresses that are known.
    pub(super) fn somewhere(tls: bool, port: u16) -> Result<Self, FailureKind> {
        Self::named(tls, "known.invalid", port)
    }

    pub(super) fn named(tls: bool, host: &str, port: u16) -> Result<Self, FailureKind> {
        let scheme = if tls { "https" } else { "http" };
        let uri = format!("{scheme}://{host}:{port}").parse();
        uri.ok().map(Self).ok_or(FailureKind::DnsFailure)
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

/// The host is none that a certificate can be for.
#[derive(Debug, thiserror::Error)]
#[error("the host can stand in no certificate")]
pub(super) struct Unnameable;

/// The server ended the handshake for want of a certificate of ours.
#[derive(Debug, thiserror::Error)]
#[error("the server asks for a client certificate")]
pub(super) struct Demanding;

/// The name leads to this proxy, or to a link-local address.
#[derive(Debug, thiserror::Error)]
#[error("the address is not dialled")]
pub(super) struct Forbidden;

pub(super) fn is_allowed(address: SocketAddr, own: &[SocketAddr]) -> bool {
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
        if error.is::<rustls::Error>() || error.is::<Unnameable>() {
            return FailureKind::TlsFailure;
        }
        if error.is::<Demanding>() {
            return FailureKind::ClientCertificateRequired;
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
}
