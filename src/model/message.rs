//! A request and a response: heads with order and case kept, bodies that may still be arriving.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::model::{Alias, Body, Captured, Heard, Said, Url};

/// The HTTP version of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
    /// HTTP/2
    Http2,
}

impl Version {
    /// `1.0`, `1.1` or `2`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "1.0",
            Self::Http11 => "1.1",
            Self::Http2 => "2",
        }
    }
}

/// One header field as it stood on the wire.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// The name in the sender's case (lower case on HTTP/2).
    pub name: String,
    /// The value's bytes, trimmed of blanks at the ends.
    pub value: Bytes,
}

/// The header fields of one message, in the sender's order, duplicates and case kept.
///
/// A clone shares them until one of both is changed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Arc<Vec<Header>>);

impl Headers {
    /// No fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a field.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) {
        Arc::make_mut(&mut self.0).push(Header {
            name: name.into(),
            value: Bytes::from(value.into()),
        });
    }

    /// The fields in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Header> {
        self.0.iter()
    }

    /// The first value of that name, in any case, where it is UTF-8.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every UTF-8 value of that name, in any case, in order.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name))
            .filter_map(|header| std::str::from_utf8(&header.value).ok())
    }

    /// Whether a field of that name is there.
    pub fn has(&self, name: &str) -> bool {
        self.0
            .iter()
            .any(|header| header.name.eq_ignore_ascii_case(name))
    }

    /// Keeps the fields that the predicate wants.
    pub fn retain(&mut self, keep: impl FnMut(&Header) -> bool) {
        Arc::make_mut(&mut self.0).retain(keep);
    }

    /// Whether both are the same fields of the same message.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The media type of `Content-Type` in lower case, without its parameters.
    pub fn media_type(&self) -> Option<String> {
        let value = self.get("content-type")?;
        Some(
            value
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase(),
        )
    }
}

/// Whether bodies of this type (`Content-Type`) are texts.
pub fn is_text_type(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    TEXTS.iter().any(|text| kind.contains(text))
}

/// What stands in the types of texts.
const TEXTS: &[&str] = &[
    "text/",
    "json",
    "xml",
    "x-www-form-urlencoded",
    "javascript",
];

impl<N: Into<String>, V: Into<Vec<u8>>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let field = |(name, value): (N, V)| Header {
            name: name.into(),
            value: Bytes::from(value.into()),
        };
        fields.into_iter().map(field).collect()
    }
}

impl FromIterator<Header> for Headers {
    fn from_iter<I: IntoIterator<Item = Header>>(fields: I) -> Self {
        Self(Arc::new(fields.into_iter().collect()))
    }
}

impl<'a> IntoIterator for &'a Headers {
    type Item = &'a Header;
    type IntoIter = std::slice::Iter<'a, Header>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|header| &header.name))
            .finish()
    }
}

/// What the wire layer wants to see again when a message it made comes back to it.
///
/// The core never looks inside.
#[derive(Default)]
pub struct Opaque(Option<Box<dyn Any + Send>>);

impl Opaque {
    /// Wraps a value.
    pub fn new(value: impl Any + Send) -> Self {
        Self(Some(Box::new(value)))
    }

    /// Takes the value out, where it is of that type.
    pub fn take<T: Any>(&mut self) -> Option<T> {
        let value = self.0.take()?.downcast::<T>().ok()?;
        Some(*value)
    }
}

/// A request with its absolute URL.
pub struct Request {
    /// The method, as written.
    pub method: String,
    /// The absolute URL.
    pub url: Url,
    /// The version the client spoke.
    pub version: Version,
    /// The header fields.
    pub headers: Headers,
    /// The body.
    pub body: Body,
    /// Whom the client called itself when it asked the proxy, where it did.
    pub user: Option<Arc<str>>,
    /// By which other origin it calls the server, where it does.
    pub alias: Option<Arc<Alias>>,
    /// The wire layer's own note.
    pub wire: Opaque,
}

/// A response.
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The reason phrase, where it is not the status code's usual one.
    pub reason: Option<String>,
    /// The version the server spoke.
    pub version: Version,
    /// The header fields.
    pub headers: Headers,
    /// The body.
    pub body: Body,
    /// The wire layer's own note.
    pub wire: Opaque,
}

impl Request {
    /// What the client says, as far as its body was seen.
    pub fn said(&self, body: Captured) -> Said {
        Said {
            method: self.method.clone(),
            url: self.url.clone(),
            version: self.version,
            headers: self.headers.clone(),
            body,
            alias: self.alias.clone(),
        }
    }
}

impl Response {
    /// What a client hears of it at once: of a body that is yet to come, nothing.
    pub fn heard(&self) -> Heard {
        let bytes = match &self.body {
            Body::Full(bytes) => &bytes[..],
            Body::Live(_) => &[],
        };
        Heard {
            status: self.status,
            reason: self.reason.clone(),
            version: self.version,
            headers: self.headers.clone(),
            body: Captured::of(bytes, bytes.len()),
            after: Duration::ZERO,
        }
    }

    /// An HTTP/1.1 response with this body and nothing else.
    pub fn new(status: u16, body: impl Into<Body>) -> Self {
        Self {
            status,
            reason: None,
            version: Version::Http11,
            headers: Headers::new(),
            body: body.into(),
            wire: Opaque::default(),
        }
    }

    /// The same response with one more header field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push(name, value);
        self
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Request({} {:?}, {:?}, {:?})",
            self.method, self.url, self.headers, self.body
        )
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Response({}, {:?}, {:?})",
            self.status, self.headers, self.body
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_names_and_sizes_only() {
        let request = Request {
            method: "POST".to_owned(),
            url: Url::parse("https://as.example/token?code=hunter2").expect("a URL"),
            version: Version::Http11,
            headers: [("Authorization", "Basic aHVudGVyMg==")]
                .into_iter()
                .collect(),
            body: Body::from("client_secret=hunter2"),
            user: None,
            alias: None,
            wire: Opaque::default(),
        };
        let shown = format!("{request:?}");
        assert_eq!(
            shown,
            r#"Request(POST Url(https://as.example), ["Authorization"], Full(21 bytes))"#
        );
    }
}
