//! hyper ↔ model: the only file that names both kinds of message.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue};
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use hyper::ext::ReasonPhrase;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::model::{
    Body, Chunks, Cut, Flow, Header, Headers, Opaque, Request, Response, Url, Version,
};
use crate::proxy::patience::Patience;
use crate::proxy::tap::{InFlight, Tap};

/// What hyper made of a head, for when the message goes on as it came.
#[derive(Default)]
pub(super) struct Noted {
    pub(super) extensions: Extensions,
    map: HeaderMap,
    /// What the map holds.
    fields: Headers,
}

impl Noted {
    /// The map, where it holds these fields.
    fn map_of(self, fields: &Headers) -> Option<HeaderMap> {
        self.fields.is(fields).then_some(self.map)
    }
}

/// A request from hyper as the core sees it; `headers` are the fields in their case and order.
pub(super) fn request_in(
    request: http::Request<Incoming>,
    url: Url,
    headers: Headers,
    tap: Tap,
    gap: Duration,
) -> Request {
    let (parts, body) = request.into_parts();
    Request {
        method: parts.method.as_str().to_owned(),
        url,
        version: version_in(parts.version),
        body: body_in(body, Some(tap), gap),
        wire: Opaque::new(Noted {
            extensions: parts.extensions,
            map: parts.headers,
            fields: headers.clone(),
        }),
        headers,
    }
}

/// A response from hyper as the core sees it.
pub(super) fn response_in(
    response: http::Response<Incoming>,
    tapped: Option<Headers>,
    gap: Duration,
) -> Response {
    let (parts, body) = response.into_parts();
    let reason = parts.extensions.get::<ReasonPhrase>();
    let headers = tapped.unwrap_or_else(|| headers_in(&parts.headers));
    Response {
        status: parts.status.as_u16(),
        reason: reason.map(|reason| String::from_utf8_lossy(reason.as_bytes()).into_owned()),
        version: version_in(parts.version),
        body: body_in(body, None, gap),
        wire: Opaque::new(Noted {
            extensions: parts.extensions,
            map: parts.headers,
            fields: headers.clone(),
        }),
        headers,
    }
}

/// A request for hyper to send: origin-form on HTTP/1, with an authority on HTTP/2.
pub(super) fn request_out(
    request: Request,
    version: http::Version,
    mut noted: Noted,
) -> Result<http::Request<OutBody>, http::Error> {
    let extensions = std::mem::take(&mut noted.extensions);
    let mut headers = forwarded(&request.headers, noted.map_of(&request.headers));
    let takes_trailers = headers.contains_key(http::header::TE);
    let body = OutBody::new(request.body);
    let target = if version == http::Version::HTTP_2 {
        headers.remove(http::header::HOST);
        format!(
            "{}://{}{}",
            request.url.scheme,
            request.url.authority(),
            request.url.origin_form()
        )
    } else {
        let unsized_body = !body.is_end_stream() && body.size_hint().exact().is_none();
        if unsized_body {
            // hyper sends no body at all for a GET of unknown length unless the field says so.
            headers.insert(
                http::header::TRANSFER_ENCODING,
                HeaderValue::from_static("chunked"),
            );
        }
        if takes_trailers {
            // RFC 9110 section 10.1.4
            headers.append(http::header::CONNECTION, HeaderValue::from_static("te"));
        }
        // A client of HTTP/1.0 may leave it out, where its target is a whole URL.
        if let Ok(host) = HeaderValue::from_str(&request.url.authority()) {
            headers.entry(http::header::HOST).or_insert(host);
        }
        request.url.origin_form()
    };
    let mut out = http::Request::builder()
        .method(request.method.as_str())
        .uri(target)
        .version(version)
        .body(body)?;
    *out.headers_mut() = headers;
    *out.extensions_mut() = extensions;
    Ok(out)
}

/// A response for hyper to send. One that did not come from a server gets its fields' case
/// through a pipe, since hyper keeps the case of what it has parsed itself only.
pub(super) async fn response_out(
    mut response: Response,
    to: http::Version,
) -> Result<http::Response<OutBody>, http::Error> {
    let mut noted = response.wire.take::<Noted>();
    let extensions = match &mut noted {
        Some(noted) => std::mem::take(&mut noted.extensions),
        None if to == http::Version::HTTP_2 => Extensions::new(),
        None => cased(raw_head(&response)).await.unwrap_or_default(),
    };
    let mut body = OutBody::new(response.body);
    // hyper drops the length of a body that it knows to be empty.
    body.hidden_end = response.status == 304 && response.headers.has("content-length");
    let mut out = http::Response::builder()
        .status(response.status)
        .body(body)?;
    let map = noted.and_then(|noted| noted.map_of(&response.headers));
    *out.headers_mut() = forwarded(&response.headers, map);
    *out.extensions_mut() = extensions;
    if let Some(reason) = response
        .reason
        .as_deref()
        .and_then(|reason| ReasonPhrase::try_from(reason.as_bytes().to_vec()).ok())
    {
        out.extensions_mut().insert(reason);
    }
    Ok(out)
}

/// The head of a response as HTTP/1 writes it.
fn raw_head(response: &Response) -> Vec<u8> {
    let usual = || {
        http::StatusCode::from_u16(response.status)
            .ok()?
            .canonical_reason()
    };
    let reason = response
        .reason
        .as_deref()
        .or_else(usual)
        .unwrap_or_default();
    let mut head = format!("HTTP/1.1 {} {reason}\r\n", response.status).into_bytes();
    for Header { name, value } in &response.headers {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value);
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// What hyper notes of a head that it parses, from a pipe: the fields' case among it.
async fn cased(head: Vec<u8>) -> Option<Extensions> {
    let (near, mut far) = tokio::io::duplex(head.len() + 1024);
    let mut builder = hyper::client::conn::http1::Builder::new();
    let (mut sender, connection) = builder
        .preserve_header_case(true)
        .max_headers(256)
        .handshake(TokioIo::new(near))
        .await
        .ok()?;
    let connection = tokio::spawn(connection);
    let asked = sender.send_request(http::Request::new(OutBody::new(Body::empty())));
    let answer = async {
        let mut request = [0; 512];
        // The request is ours and short; only its arrival matters.
        let _ = far.read(&mut request).await;
        far.write_all(&head).await.ok()
    };
    let (parsed, _) = tokio::join!(asked, answer);
    connection.abort();
    Some(parsed.ok()?.into_parts().0.extensions)
}

fn version_in(version: http::Version) -> Version {
    match version {
        http::Version::HTTP_10 | http::Version::HTTP_09 => Version::Http10,
        http::Version::HTTP_2 => Version::Http2,
        _ => Version::Http11,
    }
}

pub(super) fn headers_in(headers: &HeaderMap) -> Headers {
    headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect()
}

/// The fields that go on to the other side: all but those of one connection (RFC 9110 section
/// 7.6.1), copied, since removing one from a header map moves another. Of `TE` what it says of
/// trailers goes on.
fn forwarded(headers: &Headers, map: Option<HeaderMap>) -> HeaderMap {
    let map = map.unwrap_or_else(|| headers.iter().filter_map(field_out).collect());
    if !map.keys().any(|name| HOP_BY_HOP.contains(&name.as_str())) {
        return map;
    }
    let listed: Vec<String> = headers
        .all("connection")
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let mut kept = HeaderMap::with_capacity(map.len());
    for (name, value) in &map {
        let is_hop = HOP_BY_HOP.contains(&name.as_str())
            || listed.iter().any(|listed| listed == name.as_str());
        if !is_hop {
            kept.append(name, value.clone());
        }
    }
    let mut codings = headers.all("te").flat_map(|value| value.split(','));
    if codings.any(|coding| coding.trim().eq_ignore_ascii_case("trailers")) {
        kept.insert(http::header::TE, HeaderValue::from_static("trailers"));
    }
    if switches_protocol(headers) {
        kept.insert(
            http::header::CONNECTION,
            HeaderValue::from_static("upgrade"),
        );
        kept.insert(http::header::UPGRADE, HeaderValue::from_static("websocket"));
    }
    kept
}

fn field_out(Header { name, value }: &Header) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    Some((name, HeaderValue::from_maybe_shared(value.clone()).ok()?))
}

/// Whether a message asks to go on as a WebSocket, or agrees to (RFC 6455 section 4). No other
/// protocol is let through: what it carries could not be followed.
pub(super) fn switches_protocol(headers: &Headers) -> bool {
    let upgrade = headers
        .get("upgrade")
        .is_some_and(|protocol| protocol.trim().eq_ignore_ascii_case("websocket"));
    let connection = headers
        .all("connection")
        .flat_map(|value| value.split(','))
        .any(|name| name.trim().eq_ignore_ascii_case("upgrade"));
    upgrade && connection
}

fn body_in(body: Incoming, tap: Option<Tap>, gap: Duration) -> Body {
    if body.is_end_stream() {
        if let Some(tap) = tap {
            tap.next_message();
        }
        return Body::empty();
    }
    Body::Live(Box::pin(IncomingFlow {
        body,
        tap,
        ended: false,
        trailers: None,
        gap: Patience::of(gap),
    }))
}

/// The fields of a trailer section that may stand in one (RFC 9110 section 6.5.1).
fn trailers_in(fields: &HeaderMap) -> Option<Headers> {
    let mut trailers = headers_in(fields);
    trailers.retain(|field| {
        let name = field.name.as_str();
        !HOP_BY_HOP.contains(&name) && !HEADERS_ONLY.contains(&name)
    });
    Some(trailers).filter(|trailers| !trailers.is_empty())
}

/// A body that hyper receives.
struct IncomingFlow {
    body: Incoming,
    /// Told when the body has ended, since a head comes next.
    tap: Option<Tap>,
    ended: bool,
    trailers: Option<Headers>,
    /// Runs while the next bytes are waited for.
    gap: Patience,
}

impl IncomingFlow {
    fn end(&mut self) {
        self.ended = true;
        if let Some(tap) = self.tap.take() {
            tap.next_message();
        }
    }
}

impl Flow for IncomingFlow {
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Cut>>> {
        loop {
            let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
                if self.gap.is_over(cx) {
                    self.ended = true;
                    return Poll::Ready(Some(Err(Cut::Stalled)));
                }
                return Poll::Pending;
            };
            self.gap.rest();
            match frame {
                Some(Ok(frame)) => {
                    let data = match frame.into_data() {
                        Ok(data) => data,
                        Err(frame) => {
                            self.trailers = frame.trailers_ref().and_then(trailers_in);
                            continue;
                        }
                    };
                    if self.body.is_end_stream() {
                        self.end();
                    }
                    return Poll::Ready(Some(Ok(data)));
                }
                Some(Err(error)) => {
                    self.ended = true;
                    let cut = cut_by(&error);
                    return Poll::Ready(Some(Err(cut)));
                }
                None => {
                    self.end();
                    return Poll::Ready(None);
                }
            }
        }
    }

    fn is_finished(&self) -> bool {
        self.ended || self.body.is_end_stream()
    }

    fn remaining(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    fn trailers(&self) -> Option<&Headers> {
        self.trailers.as_ref()
    }
}

/// What hyper says of a body that did not come to its end.
fn cut_by(error: &hyper::Error) -> Cut {
    let cause = std::error::Error::source(error);
    let kind = cause
        .and_then(|cause| cause.downcast_ref::<io::Error>())
        .map(io::Error::kind);
    match kind {
        _ if error.is_parse() => Cut::Malformed,
        Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => Cut::Malformed,
        Some(io::ErrorKind::ConnectionReset) => Cut::Reset,
        _ => Cut::Closed,
    }
}

/// A body that hyper sends.
pub(super) struct OutBody {
    body: Body,
    gate: Option<Gate>,
    hidden_end: bool,
    in_flight: Option<InFlight>,
    /// Whether what stands behind the body was sent.
    trailed: bool,
    /// How the body ended too early.
    broken: Option<io::ErrorKind>,
}

impl OutBody {
    pub(super) fn new(body: Body) -> Self {
        Self {
            body,
            gate: None,
            hidden_end: false,
            in_flight: None,
            trailed: false,
            broken: None,
        }
    }

    /// Keeps the request in flight for as long as the body is.
    pub(super) fn until_sent(mut self, in_flight: InFlight) -> Self {
        self.in_flight = Some(in_flight);
        self
    }

    /// Holds the body back until the gate opens.
    pub(super) fn gated(mut self, gate: Gate) -> Self {
        self.gate = Some(gate);
        self
    }

    fn take_trailers(&mut self) -> Option<Frame<Bytes>> {
        let sent = std::mem::replace(&mut self.trailed, true);
        let trailers = self.chunks()?.trailers().filter(|_| !sent)?;
        Some(Frame::trailers(forwarded(trailers, None)))
    }

    fn chunks(&mut self) -> Option<&mut Chunks> {
        match &mut self.body {
            Body::Live(chunks) => Some(chunks),
            Body::Full(_) => None,
        }
    }
}

impl hyper::body::Body for OutBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(gate) = &self.gate {
            std::task::ready!(gate.poll_open(cx));
            self.gate = None;
        }
        self.hidden_end = false;
        if let Some(kind) = self.broken.take() {
            return Poll::Ready(Some(Err(kind.into())));
        }
        if let Body::Full(bytes) = &mut self.body {
            let bytes = std::mem::take(bytes);
            return Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))));
        }
        let Some(chunks) = self.chunks() else {
            return Poll::Ready(None);
        };
        match std::task::ready!(chunks.as_mut().poll_chunk(cx)) {
            None => Poll::Ready(self.take_trailers().map(Ok)),
            Some(Ok(bytes)) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            Some(Err(cut)) => {
                self.broken = Some(match cut {
                    Cut::Stalled => io::ErrorKind::TimedOut,
                    Cut::Malformed => io::ErrorKind::InvalidData,
                    Cut::Reset => io::ErrorKind::ConnectionReset,
                    Cut::Closed | Cut::Abandoned => io::ErrorKind::UnexpectedEof,
                });
                // hyper drops what it has not written yet, the head among it, with an error: it
                // gets to write once more before it hears of this one.
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.body {
            Body::Full(bytes) => bytes.is_empty() && !self.hidden_end,
            Body::Live(chunks) => {
                let trails = chunks.trailers().is_some() && !self.trailed;
                chunks.is_finished() && !trails && self.broken.is_none()
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Body::Full(_) if self.hidden_end => SizeHint::default(),
            Body::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Body::Live(chunks) => chunks
                .remaining()
                .map_or_else(SizeHint::default, SizeHint::with_exact),
        }
    }
}

/// Holds a request's body back until the server says 100 Continue, or nothing for a while
/// (RFC 9110 section 10.1.1).
#[derive(Clone, Default)]
pub(super) struct Gate(Arc<GateState>);

#[derive(Default)]
struct GateState {
    open: AtomicBool,
    waker: std::sync::Mutex<Option<std::task::Waker>>,
}

impl Gate {
    pub(super) fn open(&self) {
        self.0.open.store(true, Ordering::Release);
        let waker = self
            .0
            .waker
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.0.open.load(Ordering::Acquire)
    }

    fn poll_open(&self, cx: &mut Context<'_>) -> Poll<()> {
        *self
            .0
            .waker
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(cx.waker().clone());
        if self.is_open() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// Fields that are read before the body, or by those on the way (RFC 9110 section 6.5.1): behind
/// it they would be too late, or could deceive.
const HEADERS_ONLY: &[&str] = &[
    "age",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "expect",
    "expires",
    "host",
    "location",
    "max-forwards",
    "pragma",
    "range",
    "retry-after",
    "set-cookie",
    "trailer",
    "vary",
    "warning",
    "www-authenticate",
];

/// Fields of one connection; `content-length` stays, for hyper checks it against the body.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "http2-settings",
    "keep-alive",
    // No standard's: it would become HTTP_PROXY in a CGI program.
    "proxy",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];
