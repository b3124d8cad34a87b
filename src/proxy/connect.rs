//! CONNECT: what a tunnel carries is opened, or passes unread.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use rustls::AlertDescription;
use rustls::server::Acceptor;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, StartHandshake};

use crate::model::{Body, Incident};
use crate::proxy::Handler;
use crate::proxy::body::OutBody;
use crate::proxy::connection::{Ended, Proxy};
use crate::proxy::front::Front;
use crate::proxy::line::{Kind, Prefixed};
use crate::proxy::link::{Link, Target};
use crate::proxy::passage::exchange;
use crate::proxy::prompt::Prompt;
use crate::proxy::server::Reach;
use crate::proxy::trust::alert;

/// Answers a CONNECT request; the tunnel goes on behind the answer. `None` where it names no host
/// and port.
pub(super) fn open<H: Handler>(
    proxy: &Arc<Proxy<H>>,
    mut request: http::Request<Incoming>,
    user: Option<Arc<str>>,
) -> Option<http::Response<OutBody>> {
    let authority = request.uri().authority()?;
    let (host, port) = (authority.host().to_owned(), authority.port_u16()?);
    let upgraded = hyper::upgrade::on(&mut request);
    let tunnel = Tunnel {
        proxy: Arc::clone(proxy),
        host,
        port,
        client: product(request.headers()),
        user,
    };
    proxy.spawn(async move {
        // A client that went away before the tunnel stood has asked for nothing.
        if let Some(stream) = upgraded.await.ok().and_then(Prefixed::of) {
            tunnel.run(stream).await;
        }
    });
    Some(http::Response::new(OutBody::new(Body::empty())))
}

/// Serves a client that knows of no proxy: it came here for a server that its hello names.
pub(super) async fn named_by_tls<H: Handler>(proxy: Arc<Proxy<H>>, stream: Prompt) {
    let mut stream = Prefixed::new(stream);
    let named = tokio::time::timeout(proxy.limits.handshake, stream.server_name()).await;
    // Too late, or without a name, it is the same incident.
    let Some(host) = named.unwrap_or_default() else {
        return proxy.handler.incident(Incident::Unreadable {
            host: None,
            reason: "what came to the TLS port names no host",
        });
    };
    let port = 443;
    let tunnel = Tunnel {
        proxy,
        host,
        port,
        client: None,
        user: None,
    };
    if tunnel.passes_by() {
        tunnel.pass(stream).await;
    } else {
        tunnel.open_tls(stream).await;
    }
}

struct Tunnel<H> {
    proxy: Arc<Proxy<H>>,
    host: String,
    port: u16,
    client: Option<String>,
    user: Option<Arc<str>>,
}

impl<H: Handler> Tunnel<H> {
    async fn run(self, mut stream: Prefixed) {
        let named = format!("{}:{}", self.host, self.port);
        if let Some(stand) = self.proxy.stand_at(&named) {
            return self
                .proxy
                .stand_in(Arc::clone(stand), stream, self.user)
                .await;
        }
        if self.passes_by() {
            return self.pass(stream).await;
        }
        let heard = tokio::time::timeout(FIRST_BYTES, stream.sniff()).await;
        match stream.kind() {
            Kind::Tls => self.open_tls(stream).await,
            Kind::Http1 => self.serve_plain(stream).await,
            Kind::Http2 if !self.proxy.http1 => self.serve_plain_http2(stream).await,
            // The client waits for the server to speak first, or speaks something else.
            Kind::Other if heard.is_err() || !stream.is_fresh() => self.pass(stream).await,
            Kind::Http2 | Kind::Other => {}
        }
    }

    /// Whether the host is not among those that are opened.
    fn passes_by(&self) -> bool {
        self.proxy.reach.upstream().is_some() && !self.proxy.opens(&self.host)
    }

    async fn serve_plain_http2(self, stream: Prefixed) {
        let link = self.link(false, self.host.clone(), vec![b"h2".to_vec()]);
        let front = Front::tunnel("http", self.authority(80), link).asked_by(self.user);
        self.proxy.serve_http2(stream, front).await;
    }

    async fn serve_plain(self, stream: Prefixed) {
        let scheme = "http";
        let link = self.link(false, self.host.clone(), Vec::new());
        let front = Front::tunnel(scheme, self.authority(80), link).asked_by(self.user);
        self.proxy.serve_http1(stream, front).await;
    }

    async fn open_tls(self, stream: Prefixed) {
        let hello = LazyConfigAcceptor::new(Acceptor::default(), stream);
        let heard = tokio::time::timeout(self.proxy.limits.handshake, hello).await;
        let Ok(Ok(start)) = heard else {
            let host = Some(self.host.clone());
            let reason = "the client began TLS and did not finish its hello";
            return self
                .proxy
                .handler
                .incident(Incident::Unreadable { host, reason });
        };
        self.answer_hello(start).await;
    }

    async fn answer_hello(self, start: StartHandshake<Prefixed>) {
        let hello = start.client_hello();
        let sni = hello.server_name().unwrap_or(&self.host).to_owned();
        let offered = self.offered(
            hello
                .alpn()
                .into_iter()
                .flatten()
                .map(<[u8]>::to_vec)
                .collect(),
        );
        let (link, alpn) = self.mirror(&sni, offered).await;
        let Ok(config) = self.proxy.authority.server_config(&sni, alpn.as_deref()) else {
            let reason = "no certificate can be made for the name";
            return self.proxy.handler.incident(Incident::Unreadable {
                host: Some(sni),
                reason,
            });
        };
        let limit = self.proxy.limits.handshake;
        match tokio::time::timeout(limit, start.into_stream(config)).await {
            // A task of its own: what led here takes far more room than what follows, and ends.
            Ok(Ok(stream)) => {
                let proxy = Arc::clone(&self.proxy);
                proxy.spawn(self.serve_tls(stream, sni, link, alpn));
            }
            Ok(Err(error)) => self.refused(sni, alert(&error)),
            Err(_) => self.refused(sni, None),
        }
    }

    async fn serve_tls(
        self,
        stream: TlsStream<Prefixed>,
        sni: String,
        link: Option<Arc<Link>>,
        alpn: Option<Vec<u8>>,
    ) {
        let authority = authority_of(self.name(&sni), self.port, 443);
        let front = Front::tunnel("https", authority, link).asked_by(self.user.clone());
        let Ended { error, served } = match alpn.as_deref() {
            Some(b"h2") => Box::pin(self.proxy.serve_http2(stream, front)).await,
            _ => Box::pin(self.proxy.serve_http1(stream, front)).await,
        };
        // With TLS 1.3 the client's verdict comes when the handshake is over for us.
        let alert = error.as_ref().and_then(|error| alert(error));
        if served == 0 && alert.is_some() {
            self.refused(sni, alert);
        }
    }

    /// Asks the server with the client's own list, so that the client gets what the server chose.
    /// Where the server cannot be reached, the client learns it from the answer to its request.
    async fn mirror(
        &self,
        sni: &str,
        offered: Vec<Vec<u8>>,
    ) -> (Option<Arc<Link>>, Option<Vec<u8>>) {
        let preferred = || {
            offered
                .iter()
                .find(|protocol| *protocol == b"http/1.1")
                .or_else(|| offered.first())
                .cloned()
        };
        let Reach::Live(upstream) = &self.proxy.reach else {
            let chosen = preferred();
            // The server is offered what the client was given.
            let link = self.link(true, sni.to_owned(), chosen.iter().cloned().collect());
            return (link, chosen);
        };
        let link = self.link(true, sni.to_owned(), offered.clone());
        let Some(dialled) = &link else {
            return (None, preferred());
        };
        match dialled.dial(upstream).await {
            Ok(chosen) => (link, chosen),
            Err(_) => (link, preferred()),
        }
    }

    fn offered(&self, mut offered: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        offered
            .retain(|protocol| protocol == b"http/1.1" || (protocol == b"h2" && !self.proxy.http1));
        offered
    }

    fn link(&self, tls: bool, sni: String, alpn: Vec<Vec<u8>>) -> Option<Arc<Link>> {
        let target = Target {
            host: self.host.clone(),
            port: self.port,
            tls,
            sni,
        };
        self.proxy
            .reach
            .upstream()
            .is_some()
            .then(|| Arc::new(Link::to(target, alpn)))
    }

    fn authority(&self, default: u16) -> String {
        authority_of(&self.host, self.port, default)
    }

    /// What the server of the tunnel is called. A client that asked for a tunnel to an address, or
    /// to another name, means the one of its hello, which the server's certificate is for.
    fn name<'a>(&'a self, sni: &'a str) -> &'a str {
        let upstream = self.proxy.reach.upstream();
        let is_proved = upstream.is_none_or(|upstream| !upstream.is_insecure(&self.host));
        if is_proved { sni } else { &self.host }
    }

    fn refused(&self, host: String, alert: Option<AlertDescription>) {
        self.proxy.handler.incident(Incident::CertificateRefused {
            host,
            alert: alert.map(|alert| format!("{alert:?}")),
            client: self.client.clone(),
        });
    }

    /// Passes the tunnel's bytes on unread; offline it just ends.
    async fn pass(self, mut stream: Prefixed) {
        let Some(upstream) = self.proxy.reach.upstream() else {
            return;
        };
        let authority = format!("{}:{}", self.host, self.port);
        let reason = if self.passes_by() {
            NOT_OPENED
        } else {
            "since it is neither TLS nor HTTP"
        };
        match upstream.dial_tcp(&self.host, self.port).await {
            Ok(mut server) => {
                let passes = Incident::Tunnelled { authority, reason };
                self.proxy.handler.incident(passes);
                exchange(&mut stream, &mut server, self.proxy.limits.tunnel_idle).await;
            }
            Err(failure) => {
                let missed = Incident::Unreached { authority, failure };
                self.proxy.handler.incident(missed);
            }
        }
    }
}

fn authority_of(host: &str, port: u16, default: u16) -> String {
    if port == default {
        host.to_owned()
    } else {
        format!("{host}:{port}")
    }
}

/// The name of the first product in `User-Agent` (RFC 9110 section 10.1.5).
fn product(headers: &http::HeaderMap) -> Option<String> {
    let agent = headers.get(http::header::USER_AGENT)?.to_str().ok()?;
    let name = agent.split(['/', ' ']).next()?;
    let is_plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    (is_plain && (1..=40).contains(&name.len())).then(|| name.to_owned())
}

/// Why what is meant for a host passes unread.
pub(super) const NOT_OPENED: &str = "no --host matches it";
/// A client that says nothing for this long waits for the server to speak first.
const FIRST_BYTES: Duration = Duration::from_secs(1);
