//! One canary in every place that a message has; none may be in anything that is given out.

use std::time::Duration;

use authtape::cassette;
use authtape::diagnose;
use authtape::diagnose::report::{self, Look, Sarif};
use authtape::export::har::har;
use authtape::model::{Asides, Captured, Exchange, Headers, Heard, Version, percent_encode};
use authtape::record::{Laid, Options, Tape};
use authtape::redact::audit;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::said;

pub(crate) const CANARY: &str = "Cn7kQ9zR2vXpL0aMtB5eWyH3uJ8sDfGh";
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

struct Place {
    name: &'static str,
    url: String,
    request_headers: Vec<(&'static str, String)>,
    request_body: String,
    response_headers: Vec<(&'static str, String)>,
    response_body: String,
    request_trailers: Vec<(&'static str, String)>,
    response_trailers: Vec<(&'static str, String)>,
}

fn place(name: &'static str) -> Place {
    Place {
        name,
        url: "https://as.example/token".to_owned(),
        request_headers: vec![(FORM.0, FORM.1.to_owned())],
        request_body: "grant_type=authorization_code".to_owned(),
        response_headers: Vec::new(),
        response_body: "{\"error\":\"invalid_grant\"}".to_owned(),
        request_trailers: Vec::new(),
        response_trailers: Vec::new(),
    }
}

fn places() -> Vec<Place> {
    let c = CANARY;
    let basic = STANDARD.encode(format!("client:{c}"));
    let jwt_part =
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(format!("{{\"sub\":\"{c}\"}}"));
    let jwt = format!("eyJhbGciOiJSUzI1NiJ9.{jwt_part}.c2lnbmF0dXJlc2lnbmF0dXJl");
    let multipart = format!(
        "--b\r\nContent-Disposition: form-data; name=\"grant_type\"\r\n\r\na\r\n--b\r\nContent-Disposition: form-data; name=\"code\"\r\n\r\n{c}\r\n--b--\r\n"
    );
    vec![
        Place {
            url: format!("https://as.example/token?code={c}"),
            ..place("query")
        },
        Place {
            url: format!("https://as.example/token?{c}=1"),
            ..place("name in the query")
        },
        Place {
            url: format!("https://as.example/{c}/token"),
            ..place("path")
        },
        Place {
            request_headers: vec![("Authorization", format!("Basic {basic}"))],
            ..place("Basic")
        },
        Place {
            request_headers: vec![("Authorization", format!("Bearer {c}"))],
            ..place("Bearer")
        },
        Place {
            request_headers: vec![("Authorization", format!("Secret {c}"))],
            ..place("another scheme")
        },
        Place {
            request_headers: vec![("X-Unheard-Of", c.to_owned())],
            ..place("an unknown header")
        },
        Place {
            request_headers: vec![("Cookie", format!("sid={c}; b={c}"))],
            ..place("cookie")
        },
        Place {
            request_headers: vec![("Referer", format!("https://x.example/?code={c}#state={c}"))],
            ..place("Referer")
        },
        Place {
            request_body: format!("grant_type=a&code={c}&unheard_of={c}"),
            ..place("form")
        },
        Place {
            request_body: format!("grant_type=a&scope={c}"),
            ..place("a kept parameter")
        },
        Place {
            request_body: format!(
                "grant_type=a&code={}",
                percent_encode(&percent_encode(c)).replace('C', "%43")
            ),
            ..place("form, encoded twice")
        },
        Place {
            request_body: format!("grant_type%3Da%26code%3D{c}"),
            ..place("a form encoded as a whole")
        },
        Place {
            request_body: format!(
                "{{\"grant_type\":\"a\",\"code\":\"{c}\",\"deep\":{{\"er\":[\"{c}\"]}},\"{c}\":1}}"
            ),
            ..place("JSON")
        },
        Place {
            request_body: format!(
                "{{\"grant_type\":\"a\",\"inner\":\"{{\\\"code\\\":\\\"{c}\\\"}}\"}}"
            ),
            ..place("JSON in JSON")
        },
        Place {
            request_body: multipart,
            ..place("multipart")
        },
        Place {
            request_body: format!("client_assertion={jwt}&grant_type=a"),
            ..place("JWT claim")
        },
        Place {
            request_body: format!("{c} and grant_type in plain text\nlines"),
            ..place("text")
        },
        Place {
            response_headers: vec![("Location", format!("https://x.example/cb?code={c}&x={c}"))],
            ..place("Location")
        },
        Place {
            response_headers: vec![(
                "Location",
                format!("https://user:{c}@x.example/cb#access_token={c}"),
            )],
            ..place("Location, userinfo and fragment")
        },
        Place {
            response_headers: vec![("Set-Cookie", format!("sid={c}; Path=/{c}; {c}"))],
            ..place("Set-Cookie")
        },
        Place {
            response_headers: vec![(
                "WWW-Authenticate",
                format!("Bearer error_description=\"no {c}\""),
            )],
            ..place("WWW-Authenticate")
        },
        Place {
            response_body: format!("{{\"access_token\":\"{c}\"}}"),
            ..place("token response")
        },
        Place {
            response_body: format!(
                "{{\"error\":\"invalid_grant\",\"error_description\":\"the code {c} of jane@x.example is spent\"}}"
            ),
            ..place("error text")
        },
        Place {
            response_body: format!("access_token={c}&token_type=bearer"),
            ..place("form response")
        },
        Place {
            request_trailers: vec![("X-Unheard-Of", c.to_owned())],
            ..place("request trailer")
        },
        Place {
            response_trailers: vec![("grpc-message", c.to_owned())],
            ..place("response trailer")
        },
        Place {
            request_trailers: vec![("X-Request-Id", c.to_owned())],
            response_body: format!("{{\"access_token\":\"{c}\"}}"),
            ..place("kept request trailer, learned late")
        },
        Place {
            request_body: format!("grant_type=a&code={c}"),
            response_trailers: vec![("X-Request-Id", c.to_owned())],
            ..place("kept response trailer")
        },
        Place {
            response_body: format!("<html><input type=hidden value=\"{c}\"></html>"),
            ..place("page")
        },
    ]
}

fn spellings() -> Vec<String> {
    let raw = CANARY.to_owned();
    let all: String = CANARY.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let hex: String = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut spellings = vec![raw, all, hex];
    for shift in 0..3 {
        let text = STANDARD.encode(format!("{}{CANARY}", "x".repeat(shift)));
        spellings.push(text[(8 * shift).div_ceil(6)..(shift + CANARY.len()) * 8 / 6].to_owned());
    }
    spellings
}

pub(crate) fn search(place: &str, output: &str, text: &str) {
    for spelling in spellings() {
        assert!(
            !text.contains(&spelling),
            "{place}: the canary is in the {output}: {text}"
        );
    }
}

fn exchange(place: &Place) -> Exchange {
    let headers: Vec<_> = place
        .request_headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let trailers = |fields: &[(&'static str, String)]| {
        let fields = fields.iter();
        fields
            .map(|(name, value)| (*name, value.as_str()))
            .collect::<Headers>()
    };
    let mut request = said("POST", &place.url, &headers, &place.request_body);
    request.body.trailers = trailers(&place.request_trailers);
    let mut body = Captured::of(place.response_body.as_bytes(), 1 << 20);
    body.trailers = trailers(&place.response_trailers);
    Exchange {
        id: 1,
        at: Duration::ZERO,
        clock: 0,
        request,
        response: Some(Heard {
            status: 401,
            reason: None,
            version: Version::Http11,
            headers: place
                .response_headers
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect(),
            body,
            after: Duration::ZERO,
        }),
        failure: None,
    }
}

#[test]
fn no_output_holds_a_canary_wherever_it_was() {
    for place in places() {
        let exchange = exchange(&place);
        search(
            place.name,
            "Debug of the exchange",
            &format!("{exchange:?}"),
        );
        let mut tape = Tape::new(
            Options {
                keep_all: true,
                keep_values: Vec::new(),
                ..Options::default()
            },
            "2026-11-23T10:02:11Z".to_owned(),
        );
        let Laid::Appended(journal) = tape.record(exchange) else {
            panic!("{}: kept", place.name)
        };
        assert_eq!(
            tape.withheld(),
            [],
            "{}: the audit had nothing to refuse",
            place.name
        );
        search(place.name, "journal", &journal);
        let text = tape
            .finish()
            .unwrap_or_else(|refused| panic!("{}: {refused}", place.name));
        let recorded = cassette::load(text.as_bytes()).expect("it loads");
        search(place.name, "cassette", &text);
        search(
            place.name,
            "Debug of the cassette",
            &format!("{recorded:?}"),
        );
        let file = har(&recorded, &Asides::default()).expect("redacted").text();
        search(place.name, "HAR file", &file);
        assert_eq!(audit(&file), [], "{}: {file}", place.name);
        let findings = diagnose::diagnose(&recorded);
        search(
            place.name,
            "explanation",
            &report::text(
                &findings,
                &recorded,
                "x.yaml",
                Look {
                    styled: true,
                    ..Look::default()
                },
            ),
        );
        search(
            place.name,
            "JSON of the explanation",
            &report::json(&findings, &recorded, "x.yaml"),
        );
        search(
            place.name,
            "Markdown of the explanation",
            &report::markdown(&findings, &recorded, "x.yaml"),
        );
        let mut sarif = Sarif::default();
        sarif.add(&findings, "x.yaml", |_| None);
        search(place.name, "SARIF of the explanation", &sarif.text());
        assert_eq!(audit(&text), [], "{}: {text}", place.name);
    }
}

#[test]
fn the_search_itself_sees_a_canary_in_every_spelling() {
    for spelling in spellings() {
        let seen =
            std::panic::catch_unwind(|| search("control", "text", &format!("a {spelling} b")));
        assert!(seen.is_err(), "{spelling} is not seen");
    }
}

/// What is written of a token request and its answer, behind an authorization by `web-shop`.
fn recorded(headers: &[(&str, &str)], body: &str, answer: &str) -> String {
    let mut tape = Tape::new(Options::default(), "2026-11-23T10:02:11Z".to_owned());
    let exchange = |id: u64, request, status, headers: Headers, body: &str| Exchange {
        id,
        at: Duration::from_secs(id),
        clock: 1_000,
        request,
        response: Some(Heard {
            status,
            reason: None,
            version: Version::Http11,
            headers,
            body: Captured::of(body.as_bytes(), 1 << 20),
            after: Duration::ZERO,
        }),
        failure: None,
    };
    let authorize = "https://as.example/authorize?response_type=code&client_id=web-shop";
    let location = [(
        "Location",
        "https://shop.example/callback?code=Zx8Qw3Er5Ty7Ui9Op1As",
    )];
    tape.record(exchange(
        1,
        said("GET", authorize, &[], ""),
        302,
        location.into_iter().collect(),
        "",
    ));
    let asked = said("POST", "https://as.example/token", headers, body);
    let json = [("Content-Type", "application/json")].into_iter().collect();
    tape.record(exchange(2, asked, 401, json, answer));
    tape.finish().expect("a cassette")
}

#[test]
fn what_no_parser_reads_is_replaced_where_the_answer_says_it_again() {
    let json = ("Content-Type", "application/json");
    for (name, header, body, secret) in [
        (
            "JSON with a comma too many",
            json,
            "{\"grant_type\":\"client_credentials\",\"client_secret\":\"Winter-2025!\",}",
            "Winter-2025!",
        ),
        (
            "a word with a number",
            json,
            "{\"client_secret\":'hunter2',}",
            "hunter2",
        ),
        (
            "plain text",
            ("Content-Type", "text/plain"),
            "grant_type: x\nclient_secret: Sommer2024!\n",
            "Sommer2024!",
        ),
        (
            "XML",
            ("Content-Type", "application/xml"),
            "<token><client_secret>q7Rt2xLm9</client_secret></token>",
            "q7Rt2xLm9",
        ),
        (
            "an unknown coding",
            ("Content-Encoding", "compress"),
            "client_secret=sunshine and more",
            "sunshine",
        ),
    ] {
        let answer = format!(
            "{{\"error\":\"invalid_client\",\"error_description\":\"secret {secret} is wrong\"}}"
        );
        let text = recorded(&[header], body, &answer);
        assert!(text.contains("invalid_client"), "{name}: {text}");
        assert!(!text.contains(secret), "{name}: {text}");
    }
}

#[test]
fn a_secret_in_the_place_of_the_client_is_replaced() {
    let secret = "SWAPPEDSECRETabcdef0123456789ABCDEF";
    let basic = format!("Basic {}", STANDARD.encode(format!("{secret}:web-shop")));
    let form = format!("grant_type=authorization_code&client_id={secret}&client_secret=web-shop");
    for (name, headers, body) in [
        (
            "Basic",
            vec![FORM, ("Authorization", &basic)],
            "grant_type=authorization_code",
        ),
        ("form", vec![FORM], form.as_str()),
    ] {
        let text = recorded(&headers, body, "{\"error\":\"invalid_client\"}");
        assert!(!text.contains(secret), "{name}: {text}");
        assert!(text.contains("REDACTED-client_secret-1"), "{name}: {text}");
    }
}
