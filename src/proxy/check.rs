//! Requests that two readers could understand in two ways are refused, not repaired.

use http::{Method, Version};

use crate::model::{Header, Headers};

/// Why a request is refused before anybody sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) why: &'static str,
}

/// What makes a request ambiguous (RFC 9112 sections 3.2, 6.1 and 6.3, RFC 9113 section 8.3.1), or
/// impossible to relay. `fields` are as they were sent, duplicates among them.
pub(super) fn refusal<B>(request: &http::Request<B>, fields: &Headers) -> Option<Refusal> {
    let bad = |why| Some(Refusal { status: 400, why });
    let http1 = request.version() < Version::HTTP_2;
    let connect = request.method() == Method::CONNECT;
    let unreadable = |header: &Header| {
        DECISIVE.contains(&header.name.to_ascii_lowercase().as_str())
            && std::str::from_utf8(&header.value).is_err()
    };
    if fields.iter().any(unreadable) {
        return bad("a field that decides its meaning is not text");
    }
    let hosts = fields.all("host").count();
    if hosts > 1 {
        return bad("it has more than one Host field");
    }
    if http1 && hosts == 0 && !connect && request.version() != Version::HTTP_10 {
        return bad("it has no Host field");
    }
    if let Some(host) = fields.get("host") {
        if host.bytes().any(|byte| b" \t,/@?#\\".contains(&byte)) {
            return bad("its Host field is not one host");
        }
        let named = request.uri().authority().filter(|_| !connect);
        if named.is_some_and(|named| !same_host(named, host)) {
            return bad("its Host field and its target name two hosts");
        }
    }
    if let Some(why) = framing(fields, request.version(), connect) {
        return bad(why);
    }
    let listed = fields
        .all("connection")
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase());
    for name in listed {
        if END_TO_END.contains(&name.as_str()) {
            return bad("its Connection field lists a field that must reach the server");
        }
    }
    let expects = fields.all("expect");
    if expects
        .filter(|value| !value.eq_ignore_ascii_case("100-continue"))
        .count()
        > 0
    {
        let why = "it expects something else than 100-continue";
        return Some(Refusal { status: 417, why });
    }
    None
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
fn same_host(target: &http::uri::Authority, host: &str) -> bool {
    target.as_str().eq_ignore_ascii_case(host)
        || target.host().eq_ignore_ascii_case(host)
        || host.parse().is_ok_and(|host: http::uri::Authority| {
            let usual = |port: Option<u16>| port.filter(|port| ![80, 443].contains(port));
            target.host().eq_ignore_ascii_case(host.host())
                && usual(target.port_u16()) == usual(host.port_u16())
        })
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
        refusal(&request, &fields).map(|refusal| refusal.status)
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
        let expects = [host, ("Expect", "200-ok")];
        assert_eq!(refused("/", Version::HTTP_11, &expects), Some(417));
    }
}
