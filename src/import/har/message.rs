//! A request and a response of an entry, with what a tool put elsewhere in its place.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use crate::import::har::body;
use crate::import::har::json::{Members, text};
use crate::import::undo_coding;
use crate::model::{Headers, Heard, Lost, Said, Url, Version, percent_encode};

/// A request, and whether it was HTTP/3.
pub(super) struct Spoken {
    pub(super) message: Said,
    pub(super) is_http3: bool,
}

/// Takes out the request.
pub(super) fn said(
    request: &mut Members,
    lost: &mut BTreeSet<Lost>,
) -> Result<Spoken, &'static str> {
    let written = request.text("url").ok_or("it has no request")?;
    let query = named(request.list("queryString"));
    let url = Url::parse(&written).filter(|url| !url.host.is_empty());
    let mut url = url.ok_or("its URL names no server")?;
    if url.query.is_none() && !query.is_empty() {
        url.query = Some(pairs(&query));
    }
    // Both stay in the exchange, for redaction to learn what stands in them.
    let unsent = [
        (&url.fragment, Lost::Fragment),
        (&url.userinfo, Lost::Userinfo),
    ];
    let unsent = unsent.iter().filter(|(part, _)| part.is_some());
    lost.extend(unsent.map(|(_, lost)| *lost));
    let mut headers = headers(request);
    let cookies = named(request.list("cookies"));
    if !headers.has("cookie") && !cookies.is_empty() {
        headers.push("Cookie", cookie_field(&cookies, "; "));
    }
    let (version, is_http3) = version(request.text("httpVersion").as_deref());
    let mut body = body::of_request(request);
    undo_coding(&headers, &mut body);
    note_comment(request, lost);
    skip_sizes(request);
    let message = Said {
        method: request.text("method").unwrap_or_else(|| "GET".to_owned()),
        url,
        version,
        headers,
        body,
        alias: None,
    };
    Ok(Spoken { message, is_http3 })
}

/// Takes out the response; `None` where there was none.
pub(super) fn heard(
    response: &mut Members,
    asked: &Spoken,
    after: Duration,
    lost: &mut BTreeSet<Lost>,
) -> Option<Heard> {
    let status = status(response.number("status"));
    let mut headers = headers(response);
    let location = response.text("redirectURL").unwrap_or_default();
    let cookies = named(response.list("cookies"));
    // The phrase may be anything, and what it usually is the status says.
    drop(response.take("statusText"));
    let spoken = response.text("httpVersion");
    let mut body = body::of_response(response);
    note_comment(response, lost);
    skip_sizes(response);
    let status = status?;
    if !headers.has("location") && !location.is_empty() && (300..400).contains(&status) {
        headers.push("Location", location);
    }
    if !headers.has("set-cookie") {
        for cookie in &cookies {
            headers.push("Set-Cookie", cookie_field(std::slice::from_ref(cookie), ""));
        }
    }
    undo_coding(&headers, &mut body);
    Some(Heard {
        status,
        reason: None,
        version: spoken.map_or(asked.message.version, |spoken| version(Some(&spoken)).0),
        headers,
        body,
        after,
    })
}

/// The fields in their order. What is no name of a field is passed over: pseudo-header fields (RFC
/// 9113 section 8.3) say again what the method and the URL say.
fn headers(message: &mut Members) -> Headers {
    let fields = match message.take("headers") {
        // Some tools write an object.
        Some(Value::Object(members)) => members
            .into_iter()
            .filter_map(|(name, value)| Some((name, text(value)?)))
            .collect(),
        Some(Value::Array(items)) => named(items),
        _ => Vec::new(),
    };
    let mut headers = Headers::new();
    for (name, value) in fields {
        if !is_token(&name) {
            continue;
        }
        // Chrome writes the fields of one name as one, a line for each.
        for line in value.split('\n') {
            headers.push(name.clone(), line.trim_matches([' ', '\t', '\r']));
        }
    }
    headers
}

/// Whether a text is a `token` of RFC 9110 section 5.6.2, as names of fields are.
fn is_token(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

/// The names and values of a list of `{name, value}`.
pub(super) fn named(items: Vec<Value>) -> Vec<(String, String)> {
    let pair = |item| {
        let mut members = Members::of(item);
        let name = members.text("name")?;
        Some((name, members.text("value").unwrap_or_default()))
    };
    items.into_iter().filter_map(pair).collect()
}

/// Pairs as a query or a form. Chrome lists them as they stand in the URL, others decoded.
pub(super) fn pairs(pairs: &[(String, String)]) -> String {
    let encode = |text: &str| {
        let sent = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%+!*'():@,;/".contains(&byte);
        if text.contains('%') && text.bytes().all(sent) {
            text.to_owned()
        } else {
            percent_encode(text)
        }
    };
    let pair = |(name, value): &(String, String)| format!("{}={}", encode(name), encode(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

fn cookie_field(cookies: &[(String, String)], between: &str) -> String {
    let cookie = |(name, value): &(String, String)| format!("{name}={value}");
    cookies.iter().map(cookie).collect::<Vec<_>>().join(between)
}

/// A status code; none for 0, which stands where no response came.
fn status(number: Option<f64>) -> Option<u16> {
    let number = number.filter(|number| (100.0..1000.0).contains(number))?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is between 100 and 1000"
    )]
    let status = number as u16;
    Some(status)
}

/// The version, and whether it is HTTP/3, which a message of ours has no word for.
fn version(spelled: Option<&str>) -> (Version, bool) {
    let spelled = spelled.unwrap_or_default().trim().to_ascii_lowercase();
    let number = spelled.strip_prefix("http/").unwrap_or(&spelled);
    match number {
        "1.0" => (Version::Http10, false),
        "2" | "2.0" | "h2" => (Version::Http2, false),
        "3" | "3.0" => (Version::Http2, true),
        other if other.starts_with("h3") || other.contains("quic") => (Version::Http2, true),
        _ => (Version::Http11, false),
    }
}

fn note_comment(message: &mut Members, lost: &mut BTreeSet<Lost>) {
    let comment = message.text("comment").unwrap_or_default();
    if !comment.is_empty() {
        lost.insert(Lost::Comment);
    }
}

/// Sizes are made anew for what is written, or left out where they would tell.
fn skip_sizes(message: &mut Members) {
    for name in ["headersSize", "bodySize", "_transferSize"] {
        drop(message.take(name));
    }
}
