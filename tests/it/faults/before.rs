//! What `explain` would say if nothing stood between the wire and its rules: a cassette whose texts
//! are the raw values, and one of how these relate by the table of oauth.md A.0.

use authtape::cassette::{self, Cassette};
use authtape::model::{Captured, Exchange, Headers, Heard, Params, percent_decode, percent_encode};
use authtape::oauth::classify::classify;
use authtape::oauth::credentials::{basic_token, decode_basic};
use authtape::oauth::facts::Facts;
use authtape::oauth::fields::Reading;
use authtape::oauth::flows::Flows;
use authtape::oauth::jwt;
use authtape::oauth::sniff::{Sniff, boundary, sniff};
use serde_json::{Map, Value, json};

use super::is_secret;

/// A cassette of the exchanges that no redactor has seen.
pub(super) fn raw_cassette(exchanges: &[Exchange]) -> Cassette {
    cassette_of(exchanges, &mut |_, value| value.to_owned())
}

/// The same with a label for each secret, told from the raw values that came before it.
pub(super) fn related_cassette(exchanges: &[Exchange]) -> Cassette {
    let mut cores: Vec<(String, String)> = Vec::new();
    cassette_of(exchanges, &mut |name, value| {
        if !is_secret(name, value) {
            return value.to_owned();
        }
        let related = cores.iter().find_map(|(core, label)| {
            let (before, suffix, after) = relation(core, value)?;
            Some(format!("{before}{label}{suffix}{after}"))
        });
        related.unwrap_or_else(|| {
            let core = value.trim_matches(is_edge);
            let (before, after) = value.split_once(core).expect("its core");
            let label = format!("REDACTED-value-{}", cores.len() + 1);
            cores.push((core.to_owned(), label.clone()));
            format!("{before}{label}{after}")
        })
    })
}

/// Writes the value of a name.
type Tell<'a> = dyn FnMut(&str, &str) -> String + 'a;

fn cassette_of(exchanges: &[Exchange], tell: &mut Tell<'_>) -> Cassette {
    let mut flows = Flows::default();
    let mut interactions = Vec::new();
    for exchange in exchanges {
        let reading = Reading::of(&exchange.request, exchange.response.as_ref());
        let step = classify(&flows, &reading);
        let facts = Facts::of(&flows, step, &reading, exchange.clock);
        flows.observe(step, &reading);
        let mut interaction = json!({
            "id": exchange.id,
            "step": step.to_string(),
            "at": exchange.at.as_secs_f64(),
            "request": request(&reading, tell),
            "facts": facts.words().into_iter().map(fact).collect::<Map<_, _>>(),
        });
        if let Some(heard) = &exchange.response {
            interaction["response"] = response(heard, tell);
        }
        interaction["secrets"] = Value::Object(declared(&reading, exchange.clock, tell));
        interactions.push(interaction);
    }
    let interactions = Value::from(interactions).to_string();
    let text = format!(
        "authtape: 1\nrecorded_by: test\nrecorded_at: \"2026-11-23T10:02:11Z\"\ninteractions: {}\n",
        interactions.replace('\u{feff}', "\\ufeff")
    );
    cassette::load(text.as_bytes()).expect("a cassette of raw texts")
}

/// What the JWTs of the request say, whose labels tell nothing of it.
fn declared(reading: &Reading<'_>, clock: i64, tell: &mut Tell<'_>) -> Map<String, Value> {
    let mut declared = Map::new();
    for param in &reading.fields.body {
        let told = tell(&param.name, &param.value);
        if let (Some(mut jwt), Some(key)) =
            (jwt::parse(&param.value), told.strip_prefix("REDACTED-"))
        {
            for time in ["exp", "iat", "nbf"] {
                let offset = |at: &mut Value| {
                    let at_all = at.as_i64().expect("a time");
                    *at = Value::from(format!("{:+}", at_all - clock));
                };
                jwt.claims.get_mut(time).map(offset);
            }
            let (header, claims) = (Value::Object(jwt.header), Value::Object(jwt.claims));
            let parts =
                json!({ "jwt_header": header.to_string(), "jwt_claims": claims.to_string() });
            declared.insert(key.to_owned(), parts);
        }
    }
    declared
}

fn fact((name, word): (&'static str, String)) -> (String, Value) {
    let is_number = ["basic.colons", "time.date_skew"].contains(&name);
    let value = match (word.as_str(), is_number) {
        ("true", _) => Value::from(true),
        (number, true) => Value::from(number.parse::<i64>().expect("a number")),
        (word, false) => Value::from(word),
    };
    (name.to_owned(), value)
}

fn request(reading: &Reading<'_>, tell: &mut Tell<'_>) -> Value {
    let said = reading.said;
    let query = listed(&reading.fields.query, tell);
    let form = listed(&reading.fields.body, tell);
    let mut request = json!({
        "method": said.method,
        "url": said.url.endpoint(),
        "http": "1.1",
        "query": query,
        "headers": headers(&said.headers),
    });
    if let Some(decoded) = basic_token(said).and_then(decode_basic) {
        let (user, password) = decoded.split_once(':').unwrap_or((&decoded, ""));
        request["basic"] = if decoded.contains(':') {
            json!({ "user": user, "password": tell("basic.password", password) })
        } else {
            json!({ "user": user })
        };
    }
    if said.headers.get("transfer-encoding") == Some("chunked") {
        request["framing"] = json!("chunked");
    }
    let (key, body) = body(reading.fields.sniff, &said.body, form);
    if said.method == "POST" || key != "body" {
        request[key] = body;
    }
    request
}

fn listed(params: &Params, tell: &mut Tell<'_>) -> Vec<Value> {
    let each = params.iter();
    each.map(|param| json!({ &param.name: tell(&param.name, &param.value) }))
        .collect()
}

fn response(heard: &Heard, tell: &mut Tell<'_>) -> Value {
    let mut fields = heard.headers.clone();
    if let Some((to, query)) = heard
        .headers
        .get("location")
        .and_then(|location| location.split_once('?'))
    {
        let params = Params::parse(query);
        let told = params.iter().map(|param| {
            let value = tell(&param.name, &param.value);
            format!("{}={}", percent_encode(&param.name), percent_encode(&value))
        });
        let query = told.collect::<Vec<_>>().join("&");
        let told = format!("{to}?{query}");
        fields.retain(|field| !field.name.eq_ignore_ascii_case("location"));
        fields.push("Location", told);
    }
    let sniffed = sniff(&heard.body.bytes);
    let params = Params::parse(std::str::from_utf8(&heard.body.bytes).expect("text"));
    let form = params
        .iter()
        .map(|param| json!({ &param.name: param.value }));
    let (key, body) = body(sniffed, &heard.body, form.collect());
    json!({
        "status": heard.status,
        "after": heard.after.as_secs_f64(),
        "headers": headers(&fields),
        key: body,
    })
}

fn headers(headers: &Headers) -> Vec<Value> {
    let text = |value: &[u8]| String::from_utf8(value.to_vec()).expect("text");
    let each = headers.iter();
    each.map(|header| json!({ &header.name: text(&header.value) }))
        .collect()
}

/// A body by the key of what it is.
fn body(sniffed: Sniff, captured: &Captured, form: Vec<Value>) -> (&'static str, Value) {
    let text = std::str::from_utf8(&captured.bytes).expect("text");
    match sniffed {
        Sniff::Empty => ("body", json!("empty")),
        Sniff::Form | Sniff::FormHtmlAmp => ("form", Value::from(form)),
        Sniff::Json => ("json", json!(text)),
        Sniff::Multipart => ("multipart", Value::from(parts(text))),
        _ => ("text", json!(text)),
    }
}

fn parts(text: &str) -> Vec<Value> {
    let boundary = boundary(text.as_bytes()).expect("a boundary");
    let parts = authtape::model::multipart::parts(text.as_bytes(), boundary).expect("parts");
    let part = |part: authtape::model::multipart::Part<'_>| {
        let content = std::str::from_utf8(part.content).expect("text");
        json!({ "headers": headers(&part.headers), "text": content })
    };
    parts.into_iter().map(part).collect()
}

/// How a value relates to one that was said before, as a label shows it: what stands before the
/// label, the label's suffix, and what stands behind it. `None` where they are different.
///
/// This is the list of oauth.md A.0 in its order, written apart from the ledger's.
pub(super) fn relation(a: &str, b: &str) -> Option<(String, String, String)> {
    let suffix = |suffix: &str| Some((String::new(), suffix.to_owned(), String::new()));
    let whitespace = |c: char| c.is_ascii_whitespace();
    let is_long = a.len() >= 8 && b.len() >= 8;
    if a == b {
        return suffix("");
    }
    if !is_long {
        return None;
    }
    if let Some((before, after)) = b.split_once(a)
        && before.chars().chain(after.chars()).all(is_edge)
    {
        return Some((before.to_owned(), String::new(), after.to_owned()));
    }
    if b.trim_matches(whitespace) != b {
        return None;
    }
    let named = [
        (percent_decode(b) == a, "--pct"),
        (percent_decode(&percent_decode(b)) == a, "--pct2"),
        (percent_decode(a) == b || percent_encode(b) == a, "--unpct"),
        (b.replace(' ', "+") == a, "--plus-as-space"),
        (b.replace('+', " ") == a, "--space-as-plus"),
        (b.replace("&amp;", "&") == a, "--html-amp"),
    ];
    if let Some((_, word)) = named.iter().find(|(is_so, _)| *is_so) {
        return suffix(word);
    }
    if let Some(tail) = b.strip_prefix(a) {
        return Some((String::new(), String::new(), tail.to_owned()));
    }
    if a.starts_with(b) {
        return suffix(&format!(
            "--first-{}-of-{}",
            b.chars().count(),
            a.chars().count()
        ));
    }
    match a.eq_ignore_ascii_case(b) {
        true if b == a.to_ascii_uppercase() => suffix("--upper"),
        true if b == a.to_ascii_lowercase() => suffix("--lower"),
        _ => None,
    }
}

/// What stands around a value that was read with too much: white space, quotes, and characters
/// that nobody sees.
pub(super) fn is_edge(c: char) -> bool {
    c.is_whitespace() || "\"'\u{feff}\u{200b}".contains(c)
}
