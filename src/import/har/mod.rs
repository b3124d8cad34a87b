//! HAR 1.2 as browsers, proxies and Polly write it: an [`Exchange`] for every entry.
//!
//! `file.rs` walks the file, `entry.rs` reads an entry, `message.rs` its request and response, `body.rs` their bodies. What
//! a tool leaves out is made up for where the file has it elsewhere; what stands in no member that
//! is named here is not taken.

mod body;
mod entry;
mod file;
mod json;
mod message;

use serde_json::error::Category;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::import::LeftOut;
use crate::import::har::entry::Read;
use crate::import::har::file::{File, Log};
use crate::model::{Asides, Exchange};

/// A HAR file as exchanges, in the order of the requests' starts.
///
/// It holds secrets: no `Debug`, no `Serialize`.
pub struct Har {
    /// When the first request started, in full seconds (RFC 3339, UTC).
    pub begun: String,
    /// The exchanges, numbered from 1.
    pub exchanges: Vec<Exchange>,
    /// What the file says beside them.
    pub asides: Asides,
    /// The entries that were not taken, by their place in the file.
    pub left_out: Vec<LeftOut>,
}

impl Har {
    /// Whether any message has a field with credentials; Chrome leaves them out unless its settings
    /// say otherwise.
    pub fn shows_credentials(&self) -> bool {
        let asked = |exchange: &Exchange| {
            let headers = &exchange.request.headers;
            headers.has("cookie") || headers.has("authorization")
        };
        let answered = |exchange: &Exchange| {
            let heard = exchange.response.as_ref();
            heard.is_some_and(|heard| heard.headers.has("set-cookie"))
        };
        let mut exchanges = self.exchanges.iter();
        exchanges.any(|exchange| asked(exchange) || answered(exchange))
    }
}

/// Why a text is no HAR file; what stands in it is never part of the message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no byte but white space.
    #[error("the file is empty; export it again")]
    Empty,
    /// It is no JSON.
    #[error("line {line}, column {column}: this is no JSON, so it is no HAR file")]
    NotJson {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// It ends too early.
    #[error(
        "line {line}, column {column}: the file ends here, in the middle; it was cut off, export it again"
    )]
    CutOff {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// It is JSON of another kind.
    #[error(
        "line {line}, column {column}: this is JSON, but no HAR file, which is an object with `log`, and in it the list `entries`"
    )]
    NotHar {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// None of the entries can be read.
    #[error("the file has no entry with a request to a server, so there is nothing to write")]
    NoEntry,
}

/// Reads a HAR file.
///
/// # Errors
///
/// [`Error`] says where the text stops being a HAR file.
pub fn read(bytes: &[u8]) -> Result<Har, Error> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::Empty);
    }
    let log = serde_json::from_slice::<File>(text).map_err(|error| refused(&error))?;
    har(log.0)
}

/// The place without serde's own words, which quote what they found there.
fn refused(error: &serde_json::Error) -> Error {
    // serde counts from 0 where nothing of a line was read.
    let (line, column) = (error.line().max(1), error.column().max(1));
    match error.classify() {
        Category::Eof => Error::CutOff { line, column },
        Category::Data => Error::NotHar { line, column },
        Category::Syntax | Category::Io => Error::NotJson { line, column },
    }
}

fn har(log: Log) -> Result<Har, Error> {
    let mut left_out = Vec::new();
    let mut taken = Vec::new();
    for (number, Read(entry)) in (1..).zip(log.entries) {
        match entry {
            Ok(raw) => taken.push(raw),
            Err(why) => left_out.push(LeftOut { entry: number, why }),
        }
    }
    taken.sort_by_key(|raw| raw.started);
    let first = taken.first().ok_or(Error::NoEntry)?;
    let begun = OffsetDateTime::from_unix_timestamp(first.started.unix_timestamp())
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let pages = log.pages.iter().map(|page| page.page(begun)).collect();
    let (exchanges, entries) = (1..)
        .zip(taken)
        .map(|(id, raw)| raw.exchange(id, begun, &log.pages))
        .unzip();
    Ok(Har {
        // A time of the calendar's years is always written.
        begun: begun.format(&Rfc3339).unwrap_or_default(),
        exchanges,
        asides: Asides {
            entries,
            pages,
            left_out: left_out.len(),
        },
        left_out,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::{FailureKind, Lost, Said, Version};

    fn one(entry: &Value) -> (Exchange, crate::model::Aside) {
        let file = json!({ "log": { "entries": [entry] } }).to_string();
        let mut har = read(file.as_bytes()).unwrap_or_else(|error| panic!("{error}: {file}"));
        let aside = har.asides.entries.pop().expect("one beside it");
        (har.exchanges.pop().expect("one exchange"), aside)
    }

    fn asked(request: &Value) -> Said {
        one(&json!({ "request": request })).0.request
    }

    fn fields(headers: &crate::model::Headers) -> Vec<String> {
        let field = |header: &crate::model::Header| {
            format!(
                "{}: {}",
                header.name,
                String::from_utf8_lossy(&header.value)
            )
        };
        headers.iter().map(field).collect()
    }

    #[test]
    fn a_text_that_is_no_har_file_is_refused_with_its_place_and_no_word_of_it() {
        for (name, text, expected) in [
            ("nothing", " \n", "the file is empty"),
            (
                "no JSON",
                "<har>hunter2</har>",
                "line 1, column 1: this is no JSON",
            ),
            (
                "cut off",
                "{\"log\":\n{\"entries\":[{\"request\":{\"url\":\"hunter2",
                "line 2, column 38: the file ends here",
            ),
            (
                "other JSON",
                "{\"hunter2\":1}",
                "line 1, column 13: this is JSON, but no HAR",
            ),
            (
                "a list",
                "[\"hunter2\"]",
                "line 1, column 1: this is JSON, but no HAR",
            ),
            (
                "no entries",
                "{\"log\":{\"entries\":\"hunter2\"}}",
                "line 1, column 27: this is JSON, but no HAR",
            ),
            (
                "rubbish behind it",
                "{\"log\":{\"entries\":[]}} hunter2",
                "line 1, column 24: this is no JSON",
            ),
            (
                "no entry",
                "{\"log\":{\"entries\":[]}}",
                "the file has no entry",
            ),
            (
                "no request",
                "{\"log\":{\"entries\":[{\"hunter2\":{}},3]}}",
                "the file has no entry",
            ),
        ] {
            let said = read(text.as_bytes()).err().map(|error| error.to_string());
            let said = said.unwrap_or_else(|| panic!("{name}: it is read"));
            assert!(said.starts_with(expected), "{name}: {said}");
            assert!(!said.contains("hunter2"), "{name}: {said}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_file() {
        let file =
            "\u{feff}{\"log\":{\"entries\":[{\"request\":{\"url\":\"https://x.example/\"}}]}}";
        assert_eq!(
            read(file.as_bytes()).map(|har| har.exchanges.len()).ok(),
            Some(1)
        );
    }

    #[test]
    fn the_body_of_a_request_is_read_in_each_spelling() {
        let pair = json!([{ "name": "code", "value": "a+b c" }, { "name": "x", "value": "%2F" }]);
        let part =
            json!([{ "name": "f", "value": "1", "fileName": "a\"b", "contentType": "text/plain" }]);
        for (name, posted, expected) in [
            ("text", json!({ "text": "a=b", "params": pair }), "a=b"),
            (
                "parameters",
                json!({ "params": pair }),
                "code=a%2Bb%20c&x=%2F",
            ),
            (
                "base64",
                json!({ "text": "YT1i\n", "encoding": "base64" }),
                "a=b",
            ),
            (
                "base64 without its padding",
                json!({ "text": "YQ", "encoding": "base64" }),
                "a",
            ),
            (
                "parts",
                json!({ "params": part, "mimeType": "multipart/form-data; boundary=b" }),
                "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a%22b\"\r\nContent-Type: text/plain\r\n\r\n1\r\n--b--\r\n",
            ),
        ] {
            let body = asked(&json!({ "url": "https://x.example/", "postData": posted })).body;
            assert!(body.is_whole(), "{name}");
            assert_eq!(String::from_utf8_lossy(&body.bytes), expected, "{name}");
        }
    }

    #[test]
    fn a_body_that_the_file_does_not_have_is_not_taken_for_an_empty_one() {
        for (name, content, (bytes, size, coded)) in [
            ("a size only", json!({ "size": 12 }), (0, 12, false)),
            (
                "an empty text",
                json!({ "size": 12, "text": "" }),
                (0, 12, false),
            ),
            (
                "no base64",
                json!({ "text": "%%%", "encoding": "base64" }),
                (0, 3, false),
            ),
            (
                "digits in lists",
                json!({ "text": "[\"1f8b\"]", "_isBinary": true }),
                (8, 8, true),
            ),
            (
                "another encoding",
                json!({ "text": "abc", "encoding": "hex" }),
                (3, 3, true),
            ),
            ("nothing", json!({ "size": 0 }), (0, 0, false)),
        ] {
            let response = json!({ "status": 200, "content": content });
            let entry = json!({ "request": { "url": "https://x.example/" }, "response": response });
            let body = one(&entry).0.response.expect("a response").body;
            let got = (body.bytes.len(), body.size, body.is_coded);
            assert_eq!(got, (bytes, size, coded), "{name}");
        }
    }

    #[test]
    fn fields_are_taken_from_where_a_tool_put_them() {
        let url = "https://x.example/a";
        let pair = |name: &str, value: &str| json!([{ "name": name, "value": value }]);
        for (name, request, expected) in [
            (
                "an object",
                json!({ "headers": { "A": "1", "B": 2 } }),
                vec!["A: 1", "B: 2"],
            ),
            (
                "lines",
                json!({ "headers": pair("a", "1\n2") }),
                vec!["a: 1", "a: 2"],
            ),
            (
                "pseudo-header fields",
                json!({ "headers": pair(":path", "/?code=x") }),
                vec![],
            ),
            (
                "what is no name",
                json!({ "headers": { "": "1", "a b": "2", "Cn/9=": "3" } }),
                vec![],
            ),
            (
                "cookies alone",
                json!({ "cookies": pair("sid", "1") }),
                vec!["Cookie: sid=1"],
            ),
            (
                "cookies twice",
                json!({ "cookies": pair("sid", "1"), "headers": pair("cookie", "sid=1") }),
                vec!["cookie: sid=1"],
            ),
        ] {
            let mut request = request;
            request["url"] = url.into();
            assert_eq!(fields(&asked(&request).headers), expected, "{name}");
        }
        let response =
            json!({ "status": 302, "redirectURL": "/cb?code=x", "cookies": pair("a", "1") });
        let answered = one(&json!({ "request": { "url": url }, "response": response })).0;
        let headers = answered.response.expect("a response").headers;
        assert_eq!(
            fields(&headers),
            ["Location: /cb?code=x", "Set-Cookie: a=1"]
        );
        let query = asked(&json!({ "url": url, "queryString": pair("a", "b c") })).url;
        assert_eq!(query.to_string(), "https://x.example/a?a=b%20c");
    }

    #[test]
    fn versions_are_read_in_each_spelling() {
        for (spelled, version, is_http3) in [
            ("HTTP/1.0", Version::Http10, false),
            ("http/1.1", Version::Http11, false),
            ("HTTP/1.1", Version::Http11, false),
            ("unknown", Version::Http11, false),
            ("h2", Version::Http2, false),
            ("HTTP/2.0", Version::Http2, false),
            ("HTTP/2", Version::Http2, false),
            ("h3", Version::Http2, true),
            ("h3-29", Version::Http2, true),
            ("HTTP/3", Version::Http2, true),
            ("http/2+quic/46", Version::Http2, true),
        ] {
            let request = json!({ "url": "https://x.example/", "httpVersion": spelled });
            let (exchange, aside) = one(&json!({ "request": request }));
            let got = (exchange.request.version, aside.is_http3);
            assert_eq!(got, (version, is_http3), "{spelled}");
        }
    }

    #[test]
    fn what_has_no_response_is_a_failure() {
        for (error, expected) in [
            (json!("net::ERR_NAME_NOT_RESOLVED"), FailureKind::DnsFailure),
            (
                json!("net::ERR_CONNECTION_REFUSED"),
                FailureKind::ConnectRefused,
            ),
            (
                json!("net::ERR_CERT_AUTHORITY_INVALID"),
                FailureKind::TlsFailure,
            ),
            (
                json!("net::ERR_SSL_PROTOCOL_ERROR"),
                FailureKind::TlsFailure,
            ),
            (
                json!("net::ERR_HTTP2_PROTOCOL_ERROR"),
                FailureKind::ProtocolError,
            ),
            (
                json!("net::ERR_CONNECTION_TIMED_OUT"),
                FailureKind::ConnectTimeout,
            ),
            (json!("NS_ERROR_NET_RESET"), FailureKind::ConnectionReset),
            (json!("net::ERR_ABORTED"), FailureKind::ClientAborted),
            (json!(null), FailureKind::ClientAborted),
        ] {
            let response = json!({ "status": 0, "_error": error });
            let entry = json!({ "request": { "url": "https://x.example/" }, "response": response });
            let (exchange, _) = one(&entry);
            assert!(exchange.response.is_none(), "{error}");
            assert_eq!(
                exchange.failure.map(|failure| failure.kind),
                Some(expected),
                "{error}"
            );
        }
    }

    #[test]
    fn a_content_coding_is_undone_where_the_tool_left_it() {
        // `gzip` of "{}".
        let coded = "H4sIAAAAAAAAA6uuBQBDv6ajAgAAAA==";
        for (name, content) in [
            ("undone by the browser", json!({ "text": "{}" })),
            ("as it came", json!({ "text": coded, "encoding": "base64" })),
        ] {
            let response = json!({
                "status": 200,
                "headers": { "Content-Encoding": "gzip" },
                "content": content,
            });
            let entry = json!({ "request": { "url": "https://x.example/" }, "response": response });
            let body = one(&entry).0.response.expect("a response").body;
            assert_eq!(
                (body.bytes.as_slice(), body.is_coded),
                (&b"{}"[..], false),
                "{name}"
            );
        }
    }

    #[test]
    fn entries_are_numbered_by_their_start_and_what_is_none_is_named() {
        let entry = |started: &str, url: &str| json!({ "startedDateTime": started, "request": { "url": url } });
        let file = json!({ "log": { "entries": [
            entry("2026-11-23T10:00:02.500+0000", "https://x.example/3"),
            entry("2026-11-23T11:00:00.250+01:00", "https://x.example/1"),
            entry("2026-11-23T10:00:01Z", "data:text/html,x"),
            {},
            entry("2026-11-23T10:00:01.000Z", "wss://x.example/2"),
        ] } });
        let har = read(file.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        let order = har.exchanges.iter();
        let order: Vec<_> = order
            .map(|exchange| {
                (
                    exchange.id,
                    exchange.request.url.path.as_str(),
                    exchange.at.as_millis(),
                )
            })
            .collect();
        assert_eq!(order, [(1, "/1", 250), (2, "/2", 1000), (3, "/3", 2500)]);
        assert_eq!(har.begun, "2026-11-23T10:00:00Z");
        let left: Vec<_> = har
            .left_out
            .iter()
            .map(|left| (left.entry, left.why))
            .collect();
        assert_eq!(
            left,
            [(3, "its URL names no server"), (4, "it has no request")]
        );
    }

    #[test]
    fn times_that_cannot_be_are_not_taken() {
        let request = json!({ "url": "https://x.example/" });
        for (name, started, wait, (at, after)) in [
            (
                "the last of all years",
                "9999-12-31T23:59:59.999Z",
                json!(86_400_000),
                (999, 86_400_000),
            ),
            ("no time", "2026-13-45T99:99:99Z", json!("1.5"), (0, 1)),
            (
                "longer than a day",
                "2026-11-23T11:00:00Z",
                json!(86_400_001),
                (0, 0),
            ),
            (
                "less than nothing",
                "2026-11-23T11:00:00Z",
                json!(-5),
                (0, 0),
            ),
            (
                "without bounds",
                "2026-11-23T11:00:00Z",
                json!(1e300),
                (0, 0),
            ),
        ] {
            let entry = json!({ "startedDateTime": started, "request": request, "timings": { "wait": wait } });
            let (exchange, _) = one(&entry);
            let failure = exchange.failure.expect("no response");
            let got = (exchange.at.as_millis(), failure.after.as_millis());
            assert_eq!(got, (at, after), "{name}");
        }
    }

    #[test]
    fn what_is_not_taken_is_named_without_what_it_was() {
        let request = json!({ "url": "https://a:b@x.example/#code=c", "comment": "d", "_e": 1 });
        let entry = json!({
            "request": request, "serverIPAddress": "f", "connection": "", "cache": {},
            "_initiator": { "stack": "g" }, "_webSocketMessages": [{ "data": "h" }],
        });
        let lost: Vec<_> = one(&entry).1.lost.into_iter().collect();
        let expected = [
            Lost::Address,
            Lost::Comment,
            Lost::Fragment,
            Lost::Initiator,
            Lost::Messages,
            Lost::Members,
            Lost::Userinfo,
        ];
        assert_eq!(lost, expected);
    }
}
