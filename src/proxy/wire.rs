//! hyper ↔ model: the only file that names both kinds of message; `body.rs` has their bodies.

use std::time::Duration;

use http::{Extensions, HeaderMap, HeaderName, HeaderValue};
use hyper::body::{Body as _, Incoming};
use hyper::ext::ReasonPhrase;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::model::{Body, Header, Headers, Opaque, Request, Response, Url, Version};
use crate::proxy::body::{OutBody, body_in};
use crate::proxy::tap::Tap;

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
        user: None,
        alias: None,
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
/// through a pipe, since hyper keeps the case of what it has parsed itself only. `None` where it is
/// none that can be sent.
pub(super) async fn response_out(
    mut response: Response,
    to: http::Version,
) -> Option<http::Response<OutBody>> {
    // What ends no request would leave its client waiting (RFC 9110 section 15.2).
    if response.status < 200 && response.status != 101 {
        return None;
    }
    let mut noted = response.wire.take::<Noted>();
    let extensions = match &mut noted {
        Some(noted) => std::mem::take(&mut noted.extensions),
        None if to == http::Version::HTTP_2 => Extensions::new(),
        None => cased(raw_head(&response)).await.unwrap_or_default(),
    };
    let mut body = OutBody::new(response.body);
    // hyper drops the length of a body that it knows to be empty.
    if response.status == 304 && response.headers.has("content-length") {
        body = body.hiding_its_end();
    }
    let mut out = http::Response::builder()
        .status(response.status)
        .body(body)
        .ok()?;
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
    Some(out)
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
pub(super) fn forwarded(headers: &Headers, map: Option<HeaderMap>) -> HeaderMap {
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

/// Fields of one connection; `content-length` stays, for hyper checks it against the body.
pub(super) const HOP_BY_HOP: &[&str] = &[
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
