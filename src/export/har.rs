//! HAR 1.2 of a cassette, the labels as they stand there.

use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::cassette::{self, Cassette};
use crate::export::har_body::{self, Written};
use crate::export::reason;
use crate::model::{Aside, Asides, Page, percent_encode};
use crate::redact::{
    Interaction, Named, Piece, RecordedError, RecordedRequest, RecordedResponse, inert, join,
    pieces,
};

/// A HAR file that was not written yet: each entry is made when it is asked for.
pub struct Har<'a> {
    log: Value,
    cassette: &'a Cassette,
    asides: &'a Asides,
    begun: OffsetDateTime,
}

/// The HAR file of a cassette, with what stands beside its interactions where that is known.
///
/// # Errors
///
/// [`cassette::Error::Raw`] where the cassette is not redacted.
pub fn har<'a>(cassette: &'a Cassette, asides: &'a Asides) -> Result<Har<'a>, cassette::Error> {
    cassette.refuse_raw()?;
    let begun = cassette.header.began();
    let begun = begun.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let all = &cassette.interactions;
    let title = |number: usize| {
        let is_on = |(at, _): &(usize, &Interaction)| {
            let aside = asides.entries.get(*at);
            aside.is_some_and(|aside| aside.page == Some(number))
        };
        let first = all.iter().enumerate().find(is_on);
        first.map_or("", |(_, interaction)| interaction.request().url())
    };
    let pages = asides.pages.iter().enumerate();
    let pages: Vec<_> = pages
        .map(|(number, page)| self::page(number, *page, title(number), begun))
        .collect();
    let version = env!("CARGO_PKG_VERSION");
    let left_out = match asides.left_out {
        0 => String::new(),
        1 => "; one entry was left out".to_owned(),
        count => format!("; {count} entries were left out"),
    };
    Ok(Har {
        log: json!({
            "version": "1.2",
            "creator": { "name": "authtape", "version": version },
            "pages": pages,
            "entries": [],
            "comment": format!("{ABOUT}{left_out}"),
        }),
        cassette,
        asides,
        begun,
    })
}

impl Har<'_> {
    fn entries(&self) -> impl Iterator<Item = Value> {
        let nothing = Aside::default();
        let all = self.cassette.interactions.iter().enumerate();
        all.map(move |(at, interaction)| {
            let aside = self.asides.entries.get(at).unwrap_or(&nothing);
            entry(interaction, aside, self.begun)
        })
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let log = format!("{:#}\n", json!({ "log": self.log }));
        // Within a text the end of a line stands escaped.
        let (head, tail) = log.split_once(NO_ENTRIES).unwrap_or((&log, ""));
        let mut out = inert(head).into_owned();
        out.push_str(&NO_ENTRIES[..NO_ENTRIES.len() - 1]);
        for (at, entry) in self.entries().enumerate() {
            out.push_str(if at == 0 { "" } else { "," });
            for line in inert(&format!("{entry:#}")).lines() {
                out.push_str("\n      ");
                out.push_str(line);
            }
        }
        out.push_str(if self.cassette.interactions.is_empty() {
            "]"
        } else {
            "\n    ]"
        });
        out.push_str(&inert(tail));
        out
    }

    /// The texts of each entry, a line each, as the audit looks at them. The names of members are
    /// the format's. A URL comes in its parts: as a whole it may well be a value that was replaced
    /// in another place, while each part was looked at by itself.
    pub fn audited(&self) -> impl Iterator<Item = String> {
        self.entries().map(|entry| {
            let mut texts = String::new();
            collect_texts("", &entry, &mut texts);
            texts
        })
    }
}

/// Where the list of the entries stands, at its indent.
const NO_ENTRIES: &str = "\n    \"entries\": []";

fn collect_texts(name: &str, value: &Value, texts: &mut String) {
    match value {
        Value::String(url) if name == "url" => {
            for part in url.split('?') {
                add_line(texts, part);
            }
        }
        Value::String(text) => add_line(texts, text),
        Value::Array(items) => {
            for item in items {
                collect_texts("", item, texts);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                collect_texts(name, value, texts);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn add_line(texts: &mut String, text: &str) {
    texts.push_str(text);
    texts.push('\n');
}

fn entry(interaction: &Interaction, aside: &Aside, begun: OffsetDateTime) -> Value {
    let http = Spoken::of(interaction, aside);
    let (spent, timings) = timings(interaction, aside);
    let response = match (interaction.response(), interaction.error()) {
        (Some(response), error) => self::response(response, error, &http),
        (None, error) => no_response(error),
    };
    let mut entry = json!({
        "startedDateTime": instant(begun, interaction.at()),
        "time": spent,
        "request": request(interaction.request(), &http),
        "response": response,
        "cache": {},
        "timings": timings,
    });
    let comment = about(interaction, aside);
    if !comment.is_empty() {
        entry["comment"] = comment.into();
    }
    if let Some(page) = aside.page {
        entry["pageref"] = page_id(page).into();
    }
    entry
}

/// The step of the protocol, and what the file that was read says besides.
fn about(interaction: &Interaction, aside: &Aside) -> String {
    let step = interaction.step();
    let step = step.is_oauth().then(|| step.title());
    let lost: Vec<_> = aside.lost.iter().map(|lost| lost.as_str()).collect();
    let lost = (!lost.is_empty()).then(|| format!("left out: {}", lost.join(", ")));
    step.into_iter().chain(lost).collect::<Vec<_>>().join("; ")
}

/// The versions of both messages.
struct Spoken {
    asked: String,
    answered: String,
}

impl Spoken {
    fn of(interaction: &Interaction, aside: &Aside) -> Self {
        let asked = interaction.request().http();
        let answered = interaction.response().and_then(RecordedResponse::http);
        let version = |version: &str| match version {
            "2" if aside.is_http3 => "HTTP/3".to_owned(),
            other => format!("HTTP/{other}"),
        };
        Self {
            asked: version(asked),
            answered: version(answered.unwrap_or(asked)),
        }
    }
}

fn request(request: &RecordedRequest, http: &Spoken) -> Value {
    let body = har_body::of_request(request);
    let mut out = json!({
        "method": request.method(),
        "url": url(request),
        "httpVersion": http.asked,
        "cookies": cookies(request.header_fields()),
        "headers": request_headers(request),
        "queryString": pairs(request.query()),
        "headersSize": -1,
        "bodySize": body.size,
    });
    let Written {
        media_type, text, ..
    } = &body;
    let mut posted = json!({ "mimeType": media_type });
    if !body.params.is_empty() {
        posted["params"] = body.params.clone().into();
    }
    if let Some(text) = text {
        posted["text"] = text.as_str().into();
    }
    if let Some(comment) = &body.comment {
        posted["comment"] = comment.as_str().into();
    }
    if posted.as_object().is_some_and(|members| members.len() > 1) {
        out["postData"] = posted;
    }
    note_trailers(&mut out, request.trailer_fields());
    out
}

fn response(response: &RecordedResponse, error: Option<&RecordedError>, http: &Spoken) -> Value {
    let body = har_body::of_response(response);
    let mut content = json!({
        "size": body.size.max(0),
        "mimeType": body.media_type,
    });
    if let Some(text) = &body.text {
        content["text"] = text.as_str().into();
    }
    if let Some(comment) = &body.comment {
        content["comment"] = comment.as_str().into();
    }
    let headers = response.headers();
    let mut out = json!({
        "status": response.status(),
        "statusText": response.reason().unwrap_or_else(|| reason::usual(response.status())),
        "httpVersion": http.answered,
        "cookies": set_cookies(response.header_fields()),
        "headers": pairs(response.header_fields()),
        "content": content,
        "redirectURL": headers.get("location").unwrap_or_default(),
        "headersSize": -1,
        "bodySize": body.size,
    });
    if let Some(error) = error {
        out["_error"] = error.kind().as_str().into();
    }
    note_trailers(&mut out, response.trailer_fields());
    out
}

/// What stands where no response came.
fn no_response(error: Option<&RecordedError>) -> Value {
    let mut out = json!({
        "status": 0,
        "statusText": "",
        "httpVersion": "",
        "cookies": [],
        "headers": [],
        "content": { "size": 0, "mimeType": "" },
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
    });
    if let Some(error) = error {
        out["_error"] = error.kind().as_str().into();
        out["comment"] = format!("{} during {}", error.kind(), error.phase()).into();
    }
    out
}

/// HAR has no place for trailers; the names tell that there were some.
fn note_trailers(message: &mut Value, trailers: &[Named<String>]) {
    if !trailers.is_empty() {
        let names: Vec<_> = trailers.iter().map(|field| field.name.as_str()).collect();
        message["comment"] = format!("trailers left out: {}", names.join(", ")).into();
    }
}

/// The URL with its query, which a cassette keeps apart.
pub(super) fn url(request: &RecordedRequest) -> String {
    let query = request
        .raw_query()
        .map_or_else(|| form(request.query()), str::to_owned);
    match query.as_str() {
        "" => request.url().to_owned(),
        query => format!("{}?{query}", request.url()),
    }
}

/// Pairs as they stood on the wire, where they write back to the same bytes.
pub(super) fn form(pairs: &[Named<String>]) -> String {
    let pair = |pair: &Named<String>| format!("{}={}", encode(&pair.name), encode(&pair.value));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// Percent-encodes what is literal; a label needs none.
fn encode(text: &str) -> String {
    let piece = |piece| match piece {
        Piece::Literal(text) => Piece::Literal(percent_encode(&text)),
        label @ Piece::Label(_) => label,
    };
    let encoded: Vec<_> = pieces(text).into_iter().map(piece).collect();
    join(&encoded).replace("%20", "+")
}

pub(super) fn pairs(pairs: &[Named<String>]) -> Vec<Value> {
    let pair = |pair: &Named<String>| json!({ "name": pair.name, "value": pair.value });
    pairs.iter().map(pair).collect()
}

/// The header fields; beside Basic credentials the halves of what was encoded there.
fn request_headers(request: &RecordedRequest) -> Vec<Value> {
    let mut headers = pairs(request.header_fields());
    let at = request
        .header_fields()
        .iter()
        .position(|field| field.name.eq_ignore_ascii_case("authorization"));
    if let (Some(basic), Some(header)) = (request.basic(), at.and_then(|at| headers.get_mut(at))) {
        let password = basic.password.as_deref().unwrap_or("none");
        header["comment"] = format!("user {}, password {password}", basic.user).into();
    }
    headers
}

fn cookies(headers: &[Named<String>]) -> Vec<Value> {
    let fields = headers
        .iter()
        .filter(|field| field.name.eq_ignore_ascii_case("cookie"));
    let cookie = |text: &str| {
        let (name, value) = text.trim().split_once('=')?;
        Some(json!({ "name": name, "value": value }))
    };
    fields
        .flat_map(|field| field.value.split(';').filter_map(cookie))
        .collect()
}

fn set_cookies(headers: &[Named<String>]) -> Vec<Value> {
    let fields = headers
        .iter()
        .filter(|field| field.name.eq_ignore_ascii_case("set-cookie"));
    fields
        .filter_map(|field| set_cookie(&field.value))
        .collect()
}

fn set_cookie(field: &str) -> Option<Value> {
    let mut parts = field.split(';');
    let (name, value) = parts.next()?.split_once('=')?;
    let mut cookie = json!({ "name": name, "value": value });
    for part in parts {
        let (name, value) = part
            .trim()
            .split_once('=')
            .unwrap_or_else(|| (part.trim(), ""));
        match name.to_ascii_lowercase().as_str() {
            name @ ("path" | "domain") => cookie[name] = value.into(),
            "httponly" => cookie["httpOnly"] = true.into(),
            "secure" => cookie["secure"] = true.into(),
            _ => {}
        }
    }
    Some(cookie)
}

/// The whole time, and how it was spent.
fn timings(interaction: &Interaction, aside: &Aside) -> (Value, Value) {
    let given = aside.timings;
    let response = interaction.response().map(RecordedResponse::after);
    let error = interaction.error().map(RecordedError::after);
    let after = response.or(error).unwrap_or_default();
    let before = [given.blocked, given.dns, given.connect, given.send];
    let before: f64 = before.into_iter().flatten().sum();
    let wait = given
        .wait
        .unwrap_or_else(|| (after.as_secs_f64() * 1000.0 - before).max(0.0));
    let receive = given.receive.unwrap_or_default();
    let spent = given.total.unwrap_or(before + wait + receive);
    let timings = json!({
        "blocked": optional(given.blocked),
        "dns": optional(given.dns),
        "connect": optional(given.connect),
        "send": millis(given.send.unwrap_or_default()),
        "wait": millis(wait),
        "receive": millis(receive),
        "ssl": optional(given.ssl),
    });
    (millis(spent), timings)
}

/// To the microsecond, as browsers write it at most.
fn millis(spent: f64) -> Value {
    let micros = (spent * 1000.0).round();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast saturates, and nothing takes that long"
    )]
    let whole = (micros / 1000.0) as i64;
    if micros % 1000.0 == 0.0 {
        json!(whole)
    } else {
        json!(micros / 1000.0)
    }
}

fn optional(spent: Option<f64>) -> Value {
    spent.map_or_else(|| json!(-1), millis)
}

fn page(number: usize, page: Page, title: &str, begun: OffsetDateTime) -> Value {
    json!({
        "startedDateTime": instant(begun, page.at),
        "id": page_id(number),
        "title": title,
        "pageTimings": {
            "onContentLoad": optional(page.on_content_load),
            "onLoad": optional(page.on_load),
        },
    })
}

fn page_id(number: usize) -> String {
    format!("page_{}", number + 1)
}

fn instant(begun: OffsetDateTime, at: Duration) -> String {
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    // A time of the calendar's years is always written.
    let instant = begun.saturating_add(at.try_into().unwrap_or(time::Duration::MAX));
    instant.format(format).unwrap_or_default()
}

const ABOUT: &str = "redacted by authtape: REDACTED-kind-n is the same secret wherever it stands; \
    what is not known to be public was replaced or left out";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Lost, Timings};

    fn written(entry: &str, asides: &Asides) -> Value {
        let text = format!(
            "authtape: 1\nrecorded_by: authtape/0.1.0\nrecorded_at: \"2026-11-23T10:02:11Z\"\ninteractions:\n{entry}# end 1\n"
        );
        let cassette = cassette::load(text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        let file: Value =
            serde_json::from_str(&har(&cassette, asides).expect("redacted").text()).expect("JSON");
        file["log"].clone()
    }

    fn message(request: &str, response: &str) -> Value {
        let entry = format!(
            "\n- id: 1\n  step: token_request\n  at: 1.204\n  request:\n    method: POST\n    url: https://as.example/token\n    http: \"2\"\n{request}  response:\n    status: 200\n    after: 0.087\n{response}"
        );
        written(&entry, &Asides::default())["entries"][0].clone()
    }

    #[test]
    fn each_kind_of_request_body_is_written_as_har_has_it() {
        for (name, request, expected) in [
            (
                "a form",
                "    form:\n    - a: b c/\n    - code: REDACTED-code-1\n",
                json!({
                    "mimeType": "application/x-www-form-urlencoded",
                    "params": [{ "name": "a", "value": "b c/" }, { "name": "code", "value": "REDACTED-code-1" }],
                    "text": "a=b+c%2F&code=REDACTED-code-1",
                }),
            ),
            (
                "a form in another spelling",
                "    headers:\n    - Content-Type: text/x\n    form:\n    - a: b\n    raw_form: a=%62\n",
                json!({ "mimeType": "text/x", "params": [{ "name": "a", "value": "b" }], "text": "a=%62" }),
            ),
            (
                "JSON",
                "    json: |-\n      {\n        \"a\": 1\n      }\n    wire: compact\n",
                json!({ "mimeType": "application/json", "text": "{\"a\":1}" }),
            ),
            (
                "parts",
                "    multipart:\n    - headers:\n      - Content-Disposition: form-data; name=\"a\"\n      text: b\n",
                json!({
                    "mimeType": "multipart/form-data",
                    "params": [{ "name": "a", "value": "b" }],
                    "text": "--authtape\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--authtape--\r\n",
                }),
            ),
            (
                "a page",
                "    body: {dropped: page, size: 7, sniff: html}\n",
                json!({ "mimeType": "", "comment": "left out: a page or a document may hold anything" }),
            ),
            ("nothing", "    body: empty\n", Value::Null),
        ] {
            assert_eq!(
                message(request, "")["request"]["postData"],
                expected,
                "{name}"
            );
        }
    }

    #[test]
    fn what_browsers_list_beside_the_fields_is_made_from_them() {
        let request = "    query:\n    - state: REDACTED-state-1\n    headers:\n    - Cookie: a=REDACTED-cookie-1; b=\n    - Authorization: Basic REDACTED-basic-1\n    basic: {user: web, password: REDACTED-client_secret-1}\n";
        let response = "    headers:\n    - Set-Cookie: c=REDACTED-cookie-2; Path=/x; HttpOnly; SameSite=Lax\n    - Location: https://x.example/cb?code=REDACTED-code-1\n";
        let entry = message(request, response);
        let (request, response) = (&entry["request"], &entry["response"]);
        assert_eq!(
            request["url"],
            "https://as.example/token?state=REDACTED-state-1"
        );
        assert_eq!(
            request["cookies"],
            json!([{ "name": "a", "value": "REDACTED-cookie-1" }, { "name": "b", "value": "" }])
        );
        assert_eq!(
            request["headers"][1]["comment"],
            "user web, password REDACTED-client_secret-1"
        );
        assert_eq!(
            response["cookies"],
            json!([{ "name": "c", "value": "REDACTED-cookie-2", "path": "/x", "httpOnly": true }])
        );
        assert_eq!(
            response["redirectURL"],
            "https://x.example/cb?code=REDACTED-code-1"
        );
        assert_eq!(entry["startedDateTime"], "2026-11-23T10:02:12.204Z");
        assert_eq!(
            (&entry["time"], &entry["timings"]["wait"]),
            (&json!(87), &json!(87))
        );
    }

    #[test]
    fn a_failure_has_no_response_and_says_what_it_was() {
        let entry = "\n- id: 1\n  step: other\n  at: 0.000\n  request:\n    method: GET\n    url: https://as.example/\n    http: \"1.1\"\n  error:\n    kind: dns_failure\n    phase: connect\n    after: 0.001\n";
        let response = &written(entry, &Asides::default())["entries"][0]["response"];
        let said = (
            &response["status"],
            &response["_error"],
            &response["comment"],
        );
        let expected = (
            &json!(0),
            &json!("dns_failure"),
            &json!("dns_failure during connect"),
        );
        assert_eq!(said, expected);
    }

    #[test]
    fn what_stood_beside_the_messages_comes_back_as_numbers_and_known_words() {
        let entry = "\n- id: 1\n  step: token_request\n  at: 0.500\n  request:\n    method: GET\n    url: https://as.example/\n    http: \"2\"\n    body: empty\n";
        let timings = Timings {
            total: Some(12.3456),
            dns: Some(2.0),
            wait: Some(10.0),
            ..Timings::default()
        };
        let asides = Asides {
            entries: vec![Aside {
                timings,
                page: Some(0),
                is_http3: true,
                lost: [Lost::Initiator, Lost::Address].into(),
            }],
            pages: vec![Page {
                at: Duration::from_millis(250),
                on_content_load: None,
                on_load: Some(7.5),
            }],
            left_out: 2,
        };
        let log = written(entry, &asides);
        let entry = &log["entries"][0];
        assert_eq!(entry["time"], json!(12.346));
        let spent = json!({ "blocked": -1, "dns": 2, "connect": -1, "send": 0, "wait": 10, "receive": 0, "ssl": -1 });
        assert_eq!(entry["timings"], spent);
        assert_eq!(entry["request"]["httpVersion"], "HTTP/3");
        assert_eq!(
            entry["comment"],
            "token request; left out: server address, initiator"
        );
        let page = json!({
            "startedDateTime": "2026-11-23T10:02:11.250Z",
            "id": "page_1",
            "title": "https://as.example/",
            "pageTimings": { "onContentLoad": -1, "onLoad": 7.5 },
        });
        assert_eq!(
            (&log["pages"][0], &entry["pageref"]),
            (&page, &json!("page_1"))
        );
        let about = log["comment"].as_str().unwrap_or_default();
        assert!(about.ends_with("2 entries were left out"), "{about}");
    }
}
