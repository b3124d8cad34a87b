//! The flow files of mitmproxy, as `mitmdump -w` and the save command write them.

mod tnetstring;

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::import::failure::failure;
use crate::import::flow::tnetstring::{Fault, Value};
use crate::import::{Imported, LeftOut};
use crate::model::{Captured, Exchange, Failure, Headers, Heard, Said, Url, Version};

/// Why a file is no flow file; what stands in it is never part of the message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is of another kind.
    #[error("byte {byte}: this is no flow of mitmproxy")]
    NotFlow {
        /// Counted from 1.
        byte: usize,
    },
    /// It is of a version that is not known.
    #[error(
        "flow {flow} is of version {version}, and 19 to 21 are read; write the file again with a mitmproxy of today: mitmdump -r OLD -w NEW"
    )]
    Version {
        /// Counted from 1.
        flow: usize,
        /// The number that the file has.
        version: i64,
    },
    /// None of the flows is of HTTP.
    #[error("the file has no flow with a request to a server, so there is nothing to read")]
    NoFlow,
}

/// Reads a flow file. A last flow that is cut off is left out, as one is whose writer was killed.
///
/// # Errors
///
/// [`Error`] says what is wrong with the file.
pub fn read(bytes: &[u8]) -> Result<Imported, Error> {
    let (mut taken, mut left_out) = (Vec::new(), Vec::new());
    let mut rest = bytes;
    for flow in 1.. {
        if rest.is_empty() {
            break;
        }
        let value = match Value::take(rest) {
            Ok((value @ Value::Dict(_), behind)) => {
                rest = behind;
                value
            }
            Err(Fault::CutOff) if flow > 1 => {
                let why = "the file ends in its middle";
                left_out.push(LeftOut { entry: flow, why });
                break;
            }
            _ => {
                let byte = bytes.len() - rest.len() + 1;
                return Err(Error::NotFlow { byte });
            }
        };
        let version = value.get("version").and_then(Value::integer);
        match version {
            Some(19..=21) => {}
            Some(version) => return Err(Error::Version { flow, version }),
            None => return Err(Error::Version { flow, version: 0 }),
        }
        match raw(&value) {
            Ok(raw) => taken.push(raw),
            Err(why) => left_out.push(LeftOut { entry: flow, why }),
        }
    }
    taken.sort_by(|one, other| one.started.total_cmp(&other.started));
    let first = taken.first().ok_or(Error::NoFlow)?.started;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a time that is written is within"
    )]
    let begun =
        OffsetDateTime::from_unix_timestamp(first as i64).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let exchanges = (1..)
        .zip(taken)
        .map(|(id, raw)| raw.exchange(id, first.floor()));
    Ok(Imported {
        begun: begun.format(&Rfc3339).unwrap_or_default(),
        exchanges: exchanges.collect(),
        left_out,
        // mitmproxy writes what it saw.
        shows_credentials: true,
    })
}

/// A flow. It holds secrets: no `Debug`.
struct Raw {
    /// Unix seconds.
    started: f64,
    said: Said,
    heard: Option<Heard>,
    failure: Option<Failure>,
}

impl Raw {
    fn exchange(self, id: u64, begun: f64) -> Exchange {
        let after = self.heard.as_ref().map(|heard| heard.after);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a time that is written is within"
        )]
        let clock = (self.started + after.unwrap_or_default().as_secs_f64()) as i64;
        Exchange {
            id,
            at: seconds(self.started - begun),
            clock,
            request: self.said,
            response: self.heard,
            failure: self.failure,
        }
    }
}

fn raw(flow: &Value<'_>) -> Result<Raw, &'static str> {
    if flow.get("type").and_then(Value::text) != Some("http") {
        return Err("it is no flow of HTTP");
    }
    let request = flow.get("request").ok_or("it has no request")?;
    let started = time(request, "timestamp_start").unwrap_or_default();
    let since = |at: f64| seconds(at - started);
    let said = said(request)?;
    let heard = flow.get("response").and_then(|response| {
        let head = time(response, "timestamp_start").unwrap_or(started);
        heard(response, since(head))
    });
    let error = flow.get("error");
    let message = error.and_then(|error| error.get("msg")?.text());
    let failure = (message.is_some() || heard.is_none()).then(|| {
        let (kind, phase) = failure(message);
        let at = error.and_then(|error| time(error, "timestamp"));
        Failure::new(kind, phase, since(at.unwrap_or(started)))
    });
    Ok(Raw {
        started,
        said,
        heard,
        failure,
    })
}

fn said(request: &Value<'_>) -> Result<Said, &'static str> {
    let text = |name: &str| request.get(name).and_then(Value::text).unwrap_or_default();
    let (scheme, path) = (text("scheme"), text("path"));
    if !path.starts_with('/') {
        return Err("its request is for no path of a server");
    }
    let headers = headers(request);
    let port = request.get("port").and_then(Value::integer);
    let port = port.ok_or("its request names no port")?;
    let named = |authority: &str| {
        let url = Url::parse(&format!("{scheme}://{authority}/"))?;
        Some(url.host).filter(|host| !host.is_empty())
    };
    // Behind a transparent proxy the address is all that `host` says; one of IPv6 without brackets.
    let address = match text("host") {
        host if host.contains(':') && !host.starts_with('[') => format!("[{host}]"),
        host => host.to_owned(),
    };
    let host = named(text("authority"))
        .or_else(|| named(headers.get("host")?))
        .or_else(|| named(&address));
    let host = host.ok_or("its request names no server")?;
    let port = match (scheme, port) {
        ("https", 443) | ("http", 80) => String::new(),
        _ => format!(":{port}"),
    };
    let url = Url::parse(&format!("{scheme}://{host}{port}{path}"));
    Ok(Said {
        method: text("method").to_owned(),
        url: url.ok_or("its URL names no server")?,
        version: version(request),
        body: body(request),
        headers,
        alias: None,
    })
}

fn heard(response: &Value<'_>, after: Duration) -> Option<Heard> {
    let status = response.get("status_code")?.integer()?;
    Some(Heard {
        status: u16::try_from(status).ok()?,
        reason: None,
        version: version(response),
        headers: headers(response),
        body: body(response),
        after,
    })
}

fn headers(message: &Value<'_>) -> Headers {
    let mut headers = Headers::new();
    for field in message.get("headers").map_or(&[][..], Value::items) {
        if let [name, value] = field.items()
            && let (Some(name), Some(value)) = (name.text(), value.bytes())
        {
            headers.push(name, value);
        }
    }
    headers
}

/// The content as it was sent; what coding it is under the header fields say.
fn body(message: &Value<'_>) -> Captured {
    let content = message.get("content").and_then(Value::bytes);
    Captured::of(content.unwrap_or_default(), CAP)
}

fn version(message: &Value<'_>) -> Version {
    match message.get("http_version").and_then(Value::text) {
        Some("HTTP/1.0") => Version::Http10,
        Some(version) if version.starts_with("HTTP/2") || version.starts_with("HTTP/3") => {
            Version::Http2
        }
        _ => Version::Http11,
    }
}

fn time(members: &Value<'_>, name: &str) -> Option<f64> {
    members.get(name)?.float().filter(|time| time.is_finite())
}

fn seconds(span: f64) -> Duration {
    Duration::try_from_secs_f64(span.max(0.0)).unwrap_or_default()
}

/// As a recorder keeps.
const CAP: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn net(payload: &str, kind: char) -> String {
        format!("{}:{payload}{kind}", payload.len())
    }

    fn dict(members: &[(&str, String)]) -> String {
        let members = members.iter().map(|(name, value)| net(name, ';') + value);
        net(&members.collect::<String>(), '}')
    }

    fn message(first: &[(&str, String)], host: &str, content: &str) -> String {
        let field = net(&(net("host", ',') + &net(host, ',')), ']');
        let mut members = vec![
            ("http_version", net("HTTP/2.0", ',')),
            ("headers", net(&field, ']')),
            ("content", net(content, ',')),
            ("timestamp_start", net("1764000000.5", '^')),
        ];
        members.extend_from_slice(first);
        dict(&members)
    }

    fn request(host: &str, authority: &str, field: &str) -> String {
        message(
            &[
                ("host", net(host, ';')),
                ("port", net("8443", '#')),
                ("method", net("POST", ',')),
                ("scheme", net("https", ',')),
                ("authority", net(authority, ',')),
                ("path", net("/token?x=1", ',')),
            ],
            field,
            "{}",
        )
    }

    fn flow(version: &str, parts: &[(&str, String)]) -> String {
        let mut members = vec![("version", net(version, '#')), ("type", net("http", ';'))];
        members.extend_from_slice(parts);
        dict(&members)
    }

    #[test]
    fn a_flow_is_an_exchange() {
        let response = message(&[("status_code", net("401", '#'))], "", "{\"error\":1}");
        let error = dict(&[("msg", net("Connection reset by peer", ';'))]);
        let whole = [
            ("request", request("192.0.2.1", "as.example:8443", "")),
            ("response", response.clone()),
            ("error", net("", '~')),
        ];
        let broken = [
            ("request", request("as.example", "", "")),
            ("response", net("", '~')),
            ("error", error.clone()),
        ];
        let cut = [
            ("request", request("192.0.2.1", "", "as.example:8443")),
            ("response", response),
            ("error", error),
        ];
        let file = flow("21", &whole) + &flow("20", &broken) + &flow("19", &cut);
        let imported = read(file.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(imported.begun, "2025-11-24T16:00:00Z");
        let told: Vec<_> = imported
            .exchanges
            .iter()
            .map(|exchange| {
                let heard = exchange.response.as_ref();
                format!(
                    "{} {} {} {:?} {:?} {:?}",
                    exchange.id,
                    exchange.request.method,
                    exchange.request.url,
                    exchange.at.as_millis(),
                    heard.map(|heard| (heard.status, heard.body.size)),
                    exchange
                        .failure
                        .as_ref()
                        .map(|failure| failure.kind.as_str()),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                "1 POST https://as.example:8443/token?x=1 500 Some((401, 11)) None",
                "2 POST https://as.example:8443/token?x=1 500 None Some(\"connection_reset\")",
                "3 POST https://as.example:8443/token?x=1 500 Some((401, 11)) Some(\"connection_reset\")",
            ]
        );
    }

    #[test]
    fn what_is_no_flow_is_refused_and_what_was_cut_off_is_left_out() {
        let good = flow("21", &[("request", request("as.example", "", ""))]);
        let half = &good[..good.len() / 2];
        let nested = (0..100).fold(String::new(), |inner, _| net(&inner, ']'));
        for (name, file, expected) in [
            ("nothing", String::new(), "no flow with a request"),
            (
                "another text",
                "hello".to_owned(),
                "byte 1: this is no flow",
            ),
            (
                "cut off at once",
                half.to_owned(),
                "byte 1: this is no flow",
            ),
            ("nested too deep", nested, "byte 1: this is no flow"),
            ("something behind", good.clone() + "{}", "no flow"),
            ("before those", flow("18", &[]), "flow 1 is of version 18"),
            ("behind those", flow("22", &[]), "flow 1 is of version 22"),
            ("an old one", flow("7", &[]), "flow 1 is of version 7"),
            (
                "of TCP",
                good.replace("4:http;", "4:tcp_;"),
                "no flow with a request",
            ),
        ] {
            let error = read(file.as_bytes()).err();
            let error = error.unwrap_or_else(|| panic!("{name}: it was read"));
            assert!(error.to_string().contains(expected), "{name}: {error}");
        }
        let imported =
            read((good.clone() + half).as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(imported.exchanges.len(), 1);
        let left: Vec<_> = imported.left_out.iter().map(|left| left.entry).collect();
        assert_eq!(left, [2]);
    }
}
