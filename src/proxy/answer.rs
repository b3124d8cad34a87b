//! The answer to a request: refused, relayed by a handler, or the way into a tunnel.

use std::sync::Arc;

use hyper::body::Incoming;

use crate::model::{Failure, FailureKind, Header, Headers, Incident, Phase, Request, Response};
use crate::proxy::body::OutBody;
use crate::proxy::check::{Refusal, refusal};
use crate::proxy::connect::{self, NOT_OPENED};
use crate::proxy::connection::Proxy;
use crate::proxy::front::Front;
use crate::proxy::passage;
use crate::proxy::reverse::Stand;
use crate::proxy::tap::{Head, Tap};
use crate::proxy::wire::{headers_in, request_in, response_out, switches_protocol};
use crate::proxy::{Handler, Upstream};

impl<H: Handler> Proxy<H> {
    /// Answers one request.
    pub(super) async fn answer(
        self: Arc<Self>,
        request: http::Request<Incoming>,
        front: Arc<Front>,
        tap: Tap,
    ) -> Result<http::Response<OutBody>, Severed> {
        let in_flight = tap.enter();
        let to = request.version();
        let tapped = tap.take_head(Head::Request);
        let fields = tapped.unwrap_or_else(|| headers_in(request.headers()));
        let answer = match self.refusal(&request, &fields, &front, &tap) {
            Some(refusal) => Err(refusal.into()),
            None if request.method() == http::Method::CONNECT => {
                tap.release();
                let user = front.user(&fields);
                connect::open(&self, request, user).ok_or_else(|| NO_TUNNEL.into())
            }
            None => self.relay(request, fields, &front, tap).await,
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(Unanswered::Refused(refusal)) => closing(refused(refusal, to).await, to),
            Err(Unanswered::Severed) => return Err(Severed),
        };
        Ok(answer.map(|body| body.until_sent(in_flight)))
    }

    /// Why a request goes no further. What is ambiguous is an incident besides.
    fn refusal(
        &self,
        request: &http::Request<Incoming>,
        fields: &Headers,
        front: &Front,
        tap: &Tap,
    ) -> Option<Refusal> {
        let refused = |status, why| Some(Refusal { status, why });
        if !self.admits(front, fields) {
            return Some(NO_PASSWORD);
        }
        let ambiguous = if tap.had_bare_lf() {
            refused(400, "a line of its head ends without CR")
        } else if fields.has("upgrade") && tap.has_more() {
            refused(
                400,
                "bytes came behind an Upgrade that nobody has agreed to",
            )
        } else {
            refusal(request, fields, &self.limits).or_else(|| {
                let misdirected = front.is_misdirected(request, fields);
                misdirected.then_some(MISDIRECTED)
            })
        };
        if let Some(Refusal { why: reason, .. }) = ambiguous {
            let host = request.uri().host().map(str::to_owned);
            let host = host.or_else(|| front.host());
            self.handler.incident(Incident::Unreadable { host, reason });
            return ambiguous;
        }
        let is_tunnel = request.method() == http::Method::CONNECT;
        if is_tunnel && !front.is_proxy() {
            return refused(501, "a tunnel within a tunnel is not opened");
        }
        let authority = request.uri().authority().map(http::uri::Authority::as_str);
        match front.stand() {
            Some(stand) if !stand.is_called(fields.get("host").or(authority)) => {
                refused(421, "this name is not ours")
            }
            _ => None,
        }
    }

    /// Whether a client of the proxy has shown the password, where one is asked for.
    fn admits(&self, front: &Front, fields: &Headers) -> bool {
        let asked = self.password.as_ref().filter(|_| front.is_proxy());
        asked.is_none_or(|password| {
            let shown = fields.get("proxy-authorization");
            shown.is_some_and(|shown| password.is_in(shown))
        })
    }

    /// The way to a server whose messages pass unread.
    fn unread(&self, front: &Front, request: &Request) -> Option<&Upstream> {
        let url = &request.url;
        let upstream = self.reach.upstream()?;
        if !front.is_proxy() || self.opens(&url.host) {
            return None;
        }
        Some(upstream)
    }

    /// The local origin that a client asks the proxy for: one that reads the proxy's variables has
    /// been told of no exceptions, and its requests come here.
    fn own(&self, front: &Front, request: &http::Request<Incoming>) -> Option<&Arc<Stand>> {
        let asked = request.uri().authority().filter(|_| front.is_proxy())?;
        let is_plain = request.uri().scheme_str() == Some("http");
        self.stand_at(asked.as_str()).filter(|_| is_plain)
    }

    /// Asks a server whose messages pass unread.
    async fn pass(&self, upstream: &Upstream, request: Request) -> Result<Response, Failure> {
        let url = &request.url;
        let authority = format!("{}:{}", url.host, url.effective_port());
        let answered = upstream.handle(request).await;
        self.handler.incident(match &answered {
            Err(failure) if failure.phase == Phase::Connect => Incident::Unreached {
                authority,
                failure: failure.clone(),
            },
            Ok(_) | Err(_) => Incident::Tunnelled {
                authority,
                reason: NOT_OPENED,
            },
        });
        answered
    }

    async fn relay(
        self: &Arc<Self>,
        mut request: http::Request<Incoming>,
        fields: Headers,
        front: &Front,
        tap: Tap,
    ) -> Result<http::Response<OutBody>, Unanswered> {
        let to = request.version();
        let stand = front.stand().or_else(|| self.own(front, &request));
        let url = match stand {
            Some(stand) => stand.url(request.uri()),
            None => front.url(&request),
        };
        let url = url.ok_or(ORIGIN_FORM)?;
        front.count();
        if let Some(link) = front.link(&url, &self.reach) {
            request.extensions_mut().insert(link);
        }
        let upgrades = fields.has("upgrade");
        let client = switches_protocol(&fields).then(|| hyper::upgrade::on(&mut request));
        let gap = self.limits.body_gap;
        let user = front.user(&fields);
        let mut request = request_in(request, url, fields, tap.clone(), gap);
        request.user = user;
        if front.is_proxy()
            && stand.is_none()
            && let Some(last) = at_last_hop(&mut request)
        {
            return response_out(last, to)
                .await
                .ok_or_else(|| UNWRITABLE.into());
        }
        if let Some(stand) = stand {
            stand.inward(&mut request);
        }
        let host = request.url.authority();
        let method = request.method.clone();
        let unread = self.unread(front, &request).filter(|_| stand.is_none());
        let answered = match unread {
            // Boxed, for it is large and seldom.
            Some(upstream) => Box::pin(self.pass(upstream, request)).await,
            None => self.handler.handle(request).await,
        };
        let (mut answer, is_cut) = match answered {
            Ok(response) => (response, false),
            Err(failure) if failure.ends_connection() => return Err(severed(&failure, &tap)),
            Err(failure) => (failed(&host, &failure), failure.phase == Phase::Request),
        };
        if let Some(stand) = stand {
            answer = stand.outward(&method, answer).await;
        }
        let mut response = response_out(answer, to).await.ok_or(UNWRITABLE)?;
        if response.status() == http::StatusCode::SWITCHING_PROTOCOLS {
            let server = hyper::upgrade::on(&mut response);
            if let Some(client) = client {
                tap.release();
                let idle = self.limits.tunnel_idle;
                self.spawn(passage::join(client, server, idle));
            }
            return Ok(response);
        }
        Ok(if upgrades || is_cut {
            closing(response, to)
        } else {
            response
        })
    }
}

/// Why a request has no answer from its server.
enum Unanswered {
    Refused(Refusal),
    /// As it went on tape.
    Severed,
}

impl From<Refusal> for Unanswered {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Ends a client's connection as a failure says.
fn severed(failure: &Failure, tap: &Tap) -> Unanswered {
    if failure.kind == FailureKind::ConnectionReset {
        tap.reset();
    }
    Unanswered::Severed
}

/// The connection, or with HTTP/2 the stream, ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("it ends without an answer, as it did when it was recorded")]
pub(super) struct Severed;

/// Takes one hop off what a client of the proxy allows (RFC 9110 section 7.6.2); the answer where
/// none is left, and the request is ours.
fn at_last_hop(request: &mut Request) -> Option<Response> {
    let counts = ["OPTIONS", "TRACE"].contains(&request.method.as_str());
    let left: Option<u64> = request.headers.get("max-forwards")?.parse().ok();
    match left.filter(|_| counts)? {
        0 if request.method == "OPTIONS" => {
            Some(Response::new(200, "").with("Content-Length", "0"))
        }
        // What a request holds is not sent back to where a page could read it.
        0 => Some(Response::new(405, "").with("Allow", "OPTIONS")),
        left => {
            let fields = std::mem::take(&mut request.headers);
            let less = |field: &Header| {
                let is_count = field.name.eq_ignore_ascii_case("max-forwards");
                let value = if is_count {
                    (left - 1).to_string().into_bytes()
                } else {
                    field.value.to_vec()
                };
                (field.name.clone(), value)
            };
            request.headers = fields.iter().map(less).collect();
            None
        }
    }
}

/// What a client gets for a failure: it says so, and by whom.
fn failed(host: &str, failure: &Failure) -> Response {
    let kind = failure.kind.as_str();
    if failure.kind == FailureKind::ConnectForbidden {
        let body = format!(
            "{{\"error\":\"{kind}\",\"error_description\":\"authtape connects neither to itself nor to link-local addresses, and {host} is one\"}}\n"
        );
        return Response::new(403, body)
            .with("Content-Type", "application/json")
            .with("authtape-error", kind);
    }
    let status = match (failure.kind, failure.phase) {
        (FailureKind::ProtocolError, Phase::Request) => 400,
        (FailureKind::ReadTimeout, Phase::Request) => 408,
        (FailureKind::ConnectTimeout | FailureKind::ReadTimeout, _) => 504,
        _ => 502,
    };
    let why = failure.detail.as_deref().map_or_else(
        || format!("{kind} during {}", failure.phase.as_str().replace('_', " ")),
        str::to_owned,
    );
    let body = format!(
        "{{\"error\":\"{kind}\",\"error_description\":\"authtape could not get an answer from {host}: {why}\"}}\n",
    );
    Response::new(status, body)
        .with("Content-Type", "application/json")
        .with("authtape-error", kind)
}

/// The same answer, after which the connection ends; on HTTP/2 it serves others too.
fn closing(mut response: http::Response<OutBody>, to: http::Version) -> http::Response<OutBody> {
    if to < http::Version::HTTP_2 {
        let close = http::HeaderValue::from_static("close");
        response
            .headers_mut()
            .insert(http::header::CONNECTION, close);
    }
    response
}

async fn refused(refusal: Refusal, to: http::Version) -> http::Response<OutBody> {
    let Refusal { status, why } = refusal;
    let mut response = plain(status, why, to).await;
    if refusal == NO_PASSWORD {
        let challenge = http::HeaderValue::from_static("Basic realm=\"authtape\"");
        response
            .headers_mut()
            .insert(http::header::PROXY_AUTHENTICATE, challenge);
    }
    response
}

async fn plain(status: u16, text: &str, to: http::Version) -> http::Response<OutBody> {
    let response =
        Response::new(status, format!("authtape: {text}\n")).with("Content-Type", "text/plain");
    let empty = || http::Response::new(OutBody::new(crate::model::Body::empty()));
    response_out(response, to).await.unwrap_or_else(empty)
}

const ORIGIN_FORM: Refusal = Refusal {
    status: 400,
    why: "this is a proxy; point your client's HTTPS_PROXY and HTTP_PROXY at it instead of calling it",
};
const MISDIRECTED: Refusal = Refusal {
    status: 421,
    why: "it names another server than its tunnel",
};
const NO_TUNNEL: Refusal = Refusal {
    status: 400,
    why: "CONNECT is for a host and a port",
};
const NO_PASSWORD: Refusal = Refusal {
    status: 407,
    why: "this proxy asks for a password; put it into its URL, as in http://authtape:PASSWORD@HOST:PORT",
};
const UNWRITABLE: Refusal = Refusal {
    status: 502,
    why: "the answer cannot be written as HTTP",
};
