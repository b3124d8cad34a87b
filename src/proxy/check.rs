//! Requests that two readers could understand in two ways are refused, not repaired.

use http::uri::Authority;
use http::{Method, Version};

use crate::model::{Header, Headers};
use crate::proxy::Limits;

/// Why a request is refused before anybody sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) why: &'static str,
}

/// What makes a request ambiguous (RFC 9112 sections 3.2, 6.1 and 6.3, RFC 9113 section 8.3.1), or
/// impossible to relay. `fields` are as they were sent, duplicates among them.
pub(super) fn refusal<B>(
    request: &http::Request<B>,
    fields: &Headers,
    limits: &Limits,
) -> Option<Refusal> {
    let bad = |why| Some(Refusal { status: 400, why });
    if let Some(refusal) = too_large(request.uri(), fields, limits) {
        return Some(refusal);
    }
    let unreadable = |header: &Header| {
        std::str::from_utf8(&header.value).is_err()
            && DECISIVE
                .iter()
                .any(|name| header.name.eq_ignore_ascii_case(name))
    };
    if fields.iter().any(unreadable) {
        return bad("a field that decides its meaning is not text");
    }
    // HTTP/1 trims them; what a server behind makes of them is open (RFC 9113 section 8.2.1).
    if request.version() >= Version::HTTP_2 && fields.iter().any(is_padded) {
        return bad("a field's value begins or ends with a blank");
    }
    let connect = request.method() == Method::CONNECT;
    let why = target(request)
        .or_else(|| host(request, fields))
        .or_else(|| framing(fields, request.version(), connect));
    if let Some(why) = why {
        return bad(why);
    }
    let mut listed = fields
        .all("connection")
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase());
    if listed.any(|name| END_TO_END.contains(&name.as_str())) {
        return bad("its Connection field lists a field that must reach the server");
    }
    let mut expects = fields.all("expect");
    if expects.any(|value| !value.eq_ignore_ascii_case("100-continue")) {
        let why = "it expects something else than 100-continue";
        return Some(Refusal { status: 417, why });
    }
    None
}

fn too_large(uri: &http::Uri, fields: &Headers, limits: &Limits) -> Option<Refusal> {
    let (status, why) = if length(uri) > limits.target {
        (414, "its target is longer than the limit `target`")
    } else if fields.len() > limits.fields {
        (431, "it has more fields than the limit `fields`")
    } else if fields.iter().any(|field| size(field) > limits.field) {
        (431, "one of its fields is longer than the limit `field`")
    } else if fields.iter().map(size).sum::<usize>() > limits.head {
        (431, "its fields are longer than the limit `head`")
    } else {
        return None;
    };
    Some(Refusal { status, why })
}

/// How long a target is on the wire.
fn length(uri: &http::Uri) -> usize {
    let scheme = uri
        .scheme_str()
        .map_or(0, |scheme| scheme.len() + "://".len());
    let authority = uri
        .authority()
        .map_or(0, |authority| authority.as_str().len());
    let path = uri.path_and_query().map_or(0, |path| path.as_str().len());
    scheme + authority + path
}

fn size(field: &Header) -> usize {
    field.name.len() + field.value.len() + ": \r\n".len()
}

fn is_padded(field: &Header) -> bool {
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    blank(field.value.first()) || blank(field.value.last())
}

/// The four forms of a target, each for its own methods (RFC 9112 section 3.2).
fn target<B>(request: &http::Request<B>) -> Option<&'static str> {
    let uri = request.uri();
    if uri
        .authority()
        .is_some_and(|authority| authority.as_str().contains('@'))
    {
        return Some("its target holds a user name");
    }
    // What it asks of a server as a whole would have to become another form of target for the
    // next hop (RFC 9112 section 3.2.4), and has no URL to be recorded under.
    if uri.path() == "*" {
        return Some(match *request.method() {
            Method::OPTIONS => "its target is an asterisk, for a whole server; name a path",
            _ => "its target is an asterisk, as for OPTIONS",
        });
    }
    if request.version() >= Version::HTTP_2 {
        return None;
    }
    let names_host_only = uri.authority().is_some() && uri.scheme().is_none();
    match *request.method() {
        Method::CONNECT if !names_host_only => Some("CONNECT is for a host and a port"),
        Method::CONNECT => None,
        _ if names_host_only => Some("its target is a host, as for CONNECT"),
        _ => None,
    }
}

fn host<B>(request: &http::Request<B>, fields: &Headers) -> Option<&'static str> {
    let connect = request.method() == Method::CONNECT;
    let hosts = fields.all("host").count();
    if hosts > 1 {
        return Some("it has more than one Host field");
    }
    let must_name_one = request.version() == Version::HTTP_11 && !connect;
    let Some(host) = fields.get("host") else {
        return must_name_one.then_some("it has no Host field");
    };
    let parsed: Option<Authority> = host.parse().ok();
    let port = |authority: &Authority| {
        let behind = host.get(authority.host().len()..).unwrap_or_default();
        behind.is_empty() || authority.port_u16().is_some()
    };
    let Some(parsed) = parsed.filter(|host| !host.as_str().contains('@') && port(host)) else {
        return Some("its Host field is not one host");
    };
    let named = request.uri().authority().filter(|_| !connect)?;
    (!same_host(named, &parsed)).then_some("its Host field and its target name two hosts")
}

fn framing(fields: &Headers, version: Version, connect: bool) -> Option<&'static str> {
    let lengths: Vec<_> = fields.all("content-length").collect();
    let codings: Vec<_> = fields.all("transfer-encoding").collect();
    if let Some(length) = lengths.first() {
        if lengths.len() > 1 {
            return Some("it has more than one Content-Length field");
        }
        let digits = length.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || length.parse::<u64>().is_err() {
            return Some("its Content-Length is not a number");
        }
        if !codings.is_empty() {
            return Some("it has both Content-Length and Transfer-Encoding");
        }
        if connect && length.bytes().any(|byte| byte != b'0') {
            return Some("a CONNECT request has no body");
        }
    }
    if let Some(coding) = codings.first() {
        if codings.len() > 1 || !coding.trim().eq_ignore_ascii_case("chunked") {
            return Some("its Transfer-Encoding is not just chunked");
        }
        if version == Version::HTTP_10 {
            return Some("HTTP/1.0 knows no Transfer-Encoding");
        }
        if connect {
            return Some("a CONNECT request has no body");
        }
    }
    None
}

/// Whether a target and a Host field name one host. Some clients leave the port out of the field.
pub(super) fn same_host(target: &Authority, host: &Authority) -> bool {
    let usual = |authority: &Authority| {
        authority
            .port_u16()
            .filter(|port| ![80, 443].contains(port))
    };
    target.host().eq_ignore_ascii_case(host.host())
        && (host.port().is_none() || usual(target) == usual(host))
}

/// Fields that say where a request goes and where it ends.
const DECISIVE: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "host",
    "transfer-encoding",
];

/// Fields that a hostile `Connection` would have a proxy take away.
const END_TO_END: &[&str] = &[
    "authorization",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "dpop",
    "expect",
    "forwarded",
    "host",
    "origin",
    "transfer-encoding",
    "x-forwarded-for",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(target: &str, version: Version, fields: &[(&str, &str)]) -> Option<u16> {
        let method = if target.contains('/') {
            Method::POST
        } else {
            Method::CONNECT
        };
        let request = http::Request::builder()
            .method(method)
            .uri(target)
            .version(version)
            .body(())
            .expect("a request");
        let fields: Headers = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect();
        refusal(&request, &fields, &Limits::default()).map(|refusal| refusal.status)
    }

    #[test]
    fn what_has_one_meaning_passes() {
        for (target, fields) in [
            (
                "/token",
                vec![("Host", "a.example"), ("content-length", "3")],
            ),
            (
                "http://a.example/token",
                vec![("HOST", "A.example:80"), ("Transfer-Encoding", "Chunked")],
            ),
            ("http://a.example:8080/", vec![("Host", "a.example")]),
            (
                "https://a.example:8443/",
                vec![("host", "a.example:8443"), ("Connection", "TE, keep-alive")],
            ),
            ("a.example:443", vec![]),
            (
                "a.example:443",
                vec![("host", "a.example"), ("Content-Length", "0")],
            ),
        ] {
            assert_eq!(refused(target, Version::HTTP_11, &fields), None, "{target}");
        }
        assert_eq!(refused("/", Version::HTTP_10, &[]), None);
        assert_eq!(refused("/", Version::HTTP_2, &[]), None);
    }

    #[test]
    fn what_has_two_meanings_does_not() {
        let host = ("Host", "a.example");
        for fields in [
            vec![],
            vec![host, host],
            vec![("Host", "a.example, b.example")],
            vec![("Host", "a.example/x")],
            vec![("Host", "")],
            vec![("Host", "a.example:")],
            vec![("Host", "a.example:99999")],
            vec![("Host", "me@a.example")],
            vec![host, ("Content-Length", "3"), ("content-length", "3")],
            vec![host, ("Content-Length", "+3")],
            vec![host, ("Content-Length", "3, 3")],
            vec![host, ("Content-Length", "99999999999999999999")],
            vec![
                host,
                ("Content-Length", "3"),
                ("Transfer-Encoding", "chunked"),
            ],
            vec![host, ("Transfer-Encoding", "gzip, chunked")],
            vec![host, ("Transfer-Encoding", "identity")],
            vec![
                host,
                ("Transfer-Encoding", "chunked"),
                ("Transfer-Encoding", "chunked"),
            ],
            vec![host, ("Connection", "close, Authorization")],
        ] {
            assert_eq!(
                refused("/token", Version::HTTP_11, &fields),
                Some(400),
                "{fields:?}"
            );
        }
        let chunked = [host, ("Transfer-Encoding", "chunked")];
        assert_eq!(refused("/", Version::HTTP_10, &chunked), Some(400));
        assert_eq!(
            refused("a.example:443", Version::HTTP_11, &chunked),
            Some(400)
        );
        for version in [Version::HTTP_11, Version::HTTP_2] {
            let fields = [("host", "b.example")];
            assert_eq!(
                refused("https://a.example/", version, &fields),
                Some(400),
                "{version:?}"
            );
        }
        for padded in [" a", "a ", "\ta", " "] {
            let fields = [("x", padded)];
            assert_eq!(refused("/", Version::HTTP_2, &fields), Some(400));
            assert_eq!(refused("/", Version::HTTP_10, &fields), None);
        }
        let expects = [host, ("Expect", "200-ok")];
        assert_eq!(refused("/", Version::HTTP_11, &expects), Some(417));
    }

    #[test]
    fn what_is_no_target_or_too_long_does_not_pass_either() {
        for (target, status) in [
            ("http://me@a.example/", 400),
            ("*", 400),
            (&*format!("/{}", "x".repeat(16 << 10)), 414),
        ] {
            let request = http::Request::get(target).body(()).expect("a request");
            let fields: Headers = [("Host", "a.example")].into_iter().collect();
            let refused = refusal(&request, &fields, &Limits::default());
            let refused = refused.map(|refusal| refusal.status);
            assert_eq!(refused, Some(status), "{target}");
        }
        for version in [Version::HTTP_11, Version::HTTP_2] {
            let request = http::Request::builder()
                .method(Method::OPTIONS)
                .uri("*")
                .version(version)
                .body(())
                .expect("a request");
            let fields: Headers = [("Host", "a.example")].into_iter().collect();
            let refused = refusal(&request, &fields, &Limits::default()).expect("refused");
            assert!(refused.why.contains("name a path"), "{version:?}");
        }
        let host = ("Host", "a.example");
        let long = "x".repeat(16 << 10);
        for fields in [
            vec![host, ("A", &long)],
            [host; 1]
                .into_iter()
                .chain([("A", &long[..15_000]); 5])
                .collect(),
        ] {
            assert_eq!(refused("/", Version::HTTP_11, &fields), Some(431));
        }
    }
}
