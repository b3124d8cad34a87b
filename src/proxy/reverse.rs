//! A local origin that stands for a server, for clients that cannot use a proxy.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};

use crate::model::{
    Alias, Body, Chunks, Cut, Flow, Header, Headers, Request, Response, Url, replaced,
};
use crate::proxy::Error;

/// Which server a local origin stands for, and where it listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reverse {
    /// `https://HOST` or `http://HOST:PORT`, without a path.
    pub origin: String,
    /// Port 0 takes any that is free.
    pub listen: SocketAddr,
}

impl FromStr for Reverse {
    type Err = Error;

    /// Reads `ORIGIN` or `ORIGIN=ADDRESS:PORT`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let (origin, listen) = match text.split_once('=') {
            Some((origin, listen)) => (origin, listen.parse().ok()),
            None => (text, Some(SocketAddr::from(([127, 0, 0, 1], 0)))),
        };
        let origin = origin.trim_end_matches('/');
        let is_origin = Url::parse(origin).is_some_and(|url| {
            ["http", "https"].contains(&url.scheme.as_str())
                && origin == format!("{}://{}", url.scheme, url.authority())
        });
        match listen.filter(|_| is_origin) {
            Some(listen) => Ok(Self {
                origin: origin.to_owned(),
                listen,
            }),
            None => Err(Error::Reverse {
                text: text.to_owned(),
            }),
        }
    }
}

/// A local origin that listens.
pub(super) struct Stand(Arc<Alias>);

impl Stand {
    pub(super) fn new(origin: String, address: SocketAddr) -> Self {
        let local = format!("http://{address}");
        Self(Arc::new(Alias { origin, local }))
    }

    /// The server's origin, and ours.
    pub(super) fn names(&self) -> (String, String) {
        (self.0.origin.clone(), self.0.local.clone())
    }

    /// The server's origin.
    pub(super) fn origin(&self) -> &str {
        &self.0.origin
    }

    /// Whether a request's Host is one of ours; a page of another site that had its name resolve to
    /// us would send its own.
    pub(super) fn is_called(&self, host: Option<&str>) -> bool {
        host.is_some_and(|host| {
            let called = format!("http://{host}");
            self.spellings().any(|name| name == called)
        })
    }

    /// The server's URL for one of ours.
    pub(super) fn url(&self, uri: &http::Uri) -> Option<Url> {
        let path = uri.path_and_query();
        let path = path.map_or("/", http::uri::PathAndQuery::as_str);
        Url::parse(&format!("{}{path}", self.0.origin))
    }

    /// Our origin in every spelling that is answered to.
    fn spellings(&self) -> impl Iterator<Item = String> {
        let port = self.0.local.rsplit(':').next().unwrap_or_default();
        let usual = ["127.0.0.1", "localhost", "[::1]"];
        let usual = usual.map(|host| format!("http://{host}:{port}"));
        std::iter::once(self.0.local.clone()).chain(usual)
    }

    /// The request as the server would have got it: its host, its origin, and no content coding,
    /// since what it answers is read here.
    pub(super) fn inward(&self, request: &mut Request) {
        let authority = request.url.authority();
        request.alias = Some(Arc::clone(&self.0));
        let fields = std::mem::take(&mut request.headers);
        request.headers = fields
            .iter()
            .filter(|field| !field.name.eq_ignore_ascii_case("accept-encoding"))
            .map(|Header { name, value }| {
                let value = match name.to_ascii_lowercase().as_str() {
                    "host" => authority.clone().into_bytes(),
                    "origin" | "referer" => self.spellings().fold(value.to_vec(), |value, ours| {
                        replaced(&value, &ours, &self.0.origin)
                    }),
                    _ => value.to_vec(),
                };
                (name.clone(), value)
            })
            .collect();
    }

    /// The response as a client of ours can follow it: the server's own origin becomes ours in
    /// header fields and in texts up to a megabyte. What is signed stays as it is: a replay signs it for us.
    ///
    /// What may be long in coming goes on as it comes: lists without end, and plain text of
    /// no stated length. So does a body that is none, or a part (RFC 9110 sections 15.3.7 and 15.4.5).
    pub(super) async fn outward(&self, method: &str, mut response: Response) -> Response {
        let is_whole = method != "HEAD" && ![101, 204, 206, 304].contains(&response.status);
        let is_text = response
            .headers
            .media_type()
            .is_some_and(|kind| is_rewritten(&kind, &response.body))
            && !response.headers.has("content-encoding");
        if is_whole && is_text && is_short(&response.body) {
            let body = std::mem::replace(&mut response.body, Body::empty());
            match read(body).await {
                Ok((bytes, trailers)) => {
                    let bytes = self.0.localised(&bytes);
                    response.headers = resized(&response.headers, bytes.len());
                    response.body = Body::from(bytes).trailed(trailers);
                }
                Err(body) => response.body = body,
            }
        }
        response.headers = response
            .headers
            .iter()
            .filter(|field| !field.name.eq_ignore_ascii_case("alt-svc"))
            .map(|Header { name, value }| {
                let value = match name.to_ascii_lowercase().as_str() {
                    "set-cookie" => here(value),
                    "location"
                    | "content-location"
                    | "link"
                    | "www-authenticate"
                    | "content-security-policy"
                    | "access-control-allow-origin" => self.0.localised(value),
                    _ => value.to_vec(),
                };
                (name.clone(), value)
            })
            .collect();
        response
    }
}

/// A cookie that a client keeps for an origin without TLS and with another name.
fn here(cookie: &[u8]) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(cookie) else {
        return cookie.to_vec();
    };
    let kept = text.split(';').filter(|part| {
        let name = part.split('=').next().unwrap_or_default().trim();
        !["domain", "secure", "partitioned"].contains(&name.to_ascii_lowercase().as_str())
    });
    let kept = kept.map(|part| {
        if part.trim().eq_ignore_ascii_case("samesite=none") {
            " SameSite=Lax"
        } else {
            part
        }
    });
    kept.collect::<Vec<_>>().join(";").into_bytes()
}

/// Whether the texts of this type are rewritten.
fn is_rewritten(kind: &str, body: &Body) -> bool {
    let (_, name) = kind.split_once('/').unwrap_or(("", kind));
    let is_list = ["event-stream", "stream+json"].contains(&name)
        || ["ndjson", "jsonl", "json-seq"]
            .iter()
            .any(|end| name.ends_with(end));
    let is_document = ["json", "xml", "html", "javascript", "css"]
        .iter()
        .any(|end| name.ends_with(end));
    let is_stated = match body {
        Body::Full(_) => true,
        Body::Live(chunks) => chunks.remaining().is_some(),
    };
    !is_list && (is_document || (kind.starts_with("text/") && is_stated))
}

fn is_short(body: &Body) -> bool {
    match body {
        Body::Full(_) => true,
        Body::Live(chunks) => chunks
            .remaining()
            .is_none_or(|size| size <= TEXT_MAX as u64),
    }
}

/// The whole body with its trailers, or what goes on as it came where it is longer or ends too
/// early.
async fn read(body: Body) -> Result<(Bytes, Headers), Body> {
    let mut chunks = match body {
        Body::Full(bytes) => return Ok((bytes, Headers::new())),
        Body::Live(chunks) => chunks,
    };
    let mut bytes = BytesMut::new();
    loop {
        let chunk = if chunks.is_finished() {
            None
        } else {
            poll_fn(|cx| chunks.as_mut().poll_chunk(cx)).await
        };
        match chunk {
            None => {
                let trailers = chunks.trailers().cloned().unwrap_or_default();
                return Ok((bytes.freeze(), trailers));
            }
            Some(Ok(chunk)) if bytes.len() + chunk.len() <= TEXT_MAX => {
                bytes.extend_from_slice(&chunk);
            }
            Some(last) => {
                return Err(Body::Live(Box::pin(Resumed {
                    start: [Ok(bytes.freeze()), last].into(),
                    rest: chunks,
                })));
            }
        }
    }
}

/// A body of which some was read too early.
struct Resumed {
    start: VecDeque<Result<Bytes, Cut>>,
    rest: Chunks,
}

impl Flow for Resumed {
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Cut>>> {
        match self.start.pop_front() {
            Some(chunk) => Poll::Ready(Some(chunk)),
            None => self.rest.as_mut().poll_chunk(cx),
        }
    }

    fn is_finished(&self) -> bool {
        self.start.is_empty() && self.rest.is_finished()
    }

    fn remaining(&self) -> Option<u64> {
        let waiting = self.start.iter().flatten().map(Bytes::len).sum::<usize>();
        self.rest.remaining().map(|rest| rest + waiting as u64)
    }

    fn trailers(&self) -> Option<&Headers> {
        self.rest.trailers()
    }
}

fn resized(headers: &Headers, size: usize) -> Headers {
    headers
        .iter()
        .map(|Header { name, value }| {
            let value = if name.eq_ignore_ascii_case("content-length") {
                size.to_string().into_bytes()
            } else {
                value.to_vec()
            };
            (name.clone(), value)
        })
        .collect()
}

const TEXT_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Opaque, Version};

    fn stand() -> Stand {
        let address = "127.0.0.1:9000".parse().expect("an address");
        Stand::new("https://idp.example".to_owned(), address)
    }

    #[test]
    fn an_origin_is_read_with_or_without_an_address() {
        for (text, expected) in [
            (
                "https://idp.example",
                Some("https://idp.example 127.0.0.1:0"),
            ),
            (
                "https://idp.example/",
                Some("https://idp.example 127.0.0.1:0"),
            ),
            (
                "http://idp.example:8080=127.0.0.1:9000",
                Some("http://idp.example:8080 127.0.0.1:9000"),
            ),
            ("https://idp.example/realm", None),
            ("idp.example", None),
            ("https://idp.example=9000", None),
        ] {
            let read = text.parse::<Reverse>().ok();
            let told = read.map(|read| format!("{} {}", read.origin, read.listen));
            assert_eq!(told.as_deref(), expected, "{text}");
        }
    }

    #[tokio::test]
    async fn the_servers_own_urls_become_ours() {
        let body = r#"{"issuer":"https://idp.example","a":"https:\/\/idp.example\/t","b":"https://idp.example.evil/"}"#;
        let response = Response::new(302, body)
            .with("Content-Type", "application/json")
            .with("Content-Length", body.len().to_string())
            .with(
                "Location",
                "https://idp.example/login?back=https%3A%2F%2Fidp.example%2Fcb",
            )
            .with(
                "Set-Cookie",
                "s=1; Path=/; Domain=idp.example; Secure; SameSite=None",
            );
        let response = stand().outward("GET", response).await;
        let Body::Full(bytes) = &response.body else {
            panic!("read whole")
        };
        assert_eq!(
            bytes,
            r#"{"issuer":"http://127.0.0.1:9000","a":"http:\/\/127.0.0.1:9000\/t","b":"https://idp.example.evil/"}"#
        );
        let size = bytes.len().to_string();
        for (name, expected) in [
            ("content-length", size.as_str()),
            (
                "location",
                "http://127.0.0.1:9000/login?back=http%3A%2F%2F127.0.0.1%3A9000%2Fcb",
            ),
            ("set-cookie", "s=1; Path=/; SameSite=Lax"),
        ] {
            assert_eq!(response.headers.get(name), Some(expected), "{name}");
        }
    }
    #[test]
    fn our_own_names_become_the_servers() {
        for (given, expected) in [
            ("http://127.0.0.1:9000", "https://idp.example"),
            (
                "http://localhost:9000/form?a=1",
                "https://idp.example/form?a=1",
            ),
            ("http://[::1]:9000/", "https://idp.example/"),
            ("http://localhost:9001/", "http://localhost:9001/"),
            ("https://app.example/", "https://app.example/"),
        ] {
            let mut request = Request {
                method: "GET".to_owned(),
                url: Url::parse("https://idp.example/").expect("a URL"),
                version: Version::Http11,
                headers: [("Origin", given), ("Referer", given)]
                    .into_iter()
                    .collect(),
                body: Body::empty(),
                user: None,
                alias: None,
                wire: Opaque::default(),
            };
            stand().inward(&mut request);
            for name in ["origin", "referer"] {
                assert_eq!(request.headers.get(name), Some(expected), "{name} {given}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_no_whole_body_keeps_its_length() {
        let body = "{\"a\":\"https://idp.example\"}";
        for (method, status, is_rewritten) in [
            ("GET", 200, true),
            ("HEAD", 200, false),
            ("GET", 206, false),
            ("GET", 304, false),
        ] {
            let length = body.len().to_string();
            let response = Response::new(status, body)
                .with("Content-Type", "application/json")
                .with("Content-Length", &*length);
            let response = stand().outward(method, response).await;
            let kept = response.headers.get("content-length") == Some(&length);
            assert_eq!(kept, !is_rewritten, "{method} {status}");
        }
    }
}
