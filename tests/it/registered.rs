//! What the tables of parameters and fields call secret is replaced, even where it is a plain word.

use std::time::Duration;

use authtape::model::{Captured, Exchange, Heard, Version};
use authtape::record::{Laid, Options, Tape};

use crate::support::said;

/// A word of English, which nothing but its place tells to be secret.
const WORD: &str = "sunshine";

/// What a tape writes of one exchange.
fn written(url: &str, request: &[(&str, &str)], form: &str, answer: &[(&str, &str)]) -> String {
    answered(url, request, form, answer, "")
}

fn answered(
    url: &str,
    request: &[(&str, &str)],
    form: &str,
    answer: &[(&str, &str)],
    body: &str,
) -> String {
    let form_field = ("Content-Type", "application/x-www-form-urlencoded");
    let headers: Vec<_> = request.iter().copied().chain([form_field]).collect();
    let exchange = Exchange {
        id: 1,
        at: Duration::ZERO,
        clock: 1_000,
        request: said("POST", url, &headers, form),
        response: Some(Heard {
            status: if body.is_empty() { 302 } else { 200 },
            reason: None,
            version: Version::Http11,
            headers: answer.iter().copied().collect(),
            body: Captured::of(body.as_bytes(), 1 << 20),
            after: Duration::ZERO,
        }),
        failure: None,
    };
    match Tape::new(Options::default(), "2026-11-23T10:02:11Z".to_owned()).record(exchange) {
        Laid::Appended(text) => text,
        _ => panic!("appended"),
    }
}

#[test]
fn a_registered_secret_is_replaced_by_its_name_alone() {
    let token = "https://as.example/token";
    for name in [
        "client_secret",
        "code",
        "access_token",
        "refresh_token",
        "password",
        "code_verifier",
        "client_assertion",
        "device_code",
        "id_token_hint",
        "SAMLResponse",
    ] {
        let text = written(token, &[], &format!("grant_type=a&{name}={WORD}"), &[]);
        let label = format!("- {name}: REDACTED-");
        assert!(
            text.contains(&label) && !text.contains(WORD),
            "{name}: {text}"
        );
    }
    for name in ["state", "nonce"] {
        let asked = "https://as.example/authorize?response_type=code&client_id=shop";
        let text = written(&format!("{asked}&{name}={WORD}"), &[], "", &[]);
        let label = format!("- {name}: REDACTED-");
        assert!(
            text.contains(&label) && !text.contains(WORD),
            "{name}: {text}"
        );
    }
}

#[test]
fn a_registered_member_is_replaced_by_its_name_alone() {
    let url = "https://as.example/device_authorization";
    let json = [("Content-Type", "application/json")];
    let body = format!(
        "{{\"device_code\":\"{WORD}\",\"user_code\":\"moonlight\",\"verification_uri\":\"https://as.example/device\"}}"
    );
    let text = answered(url, &[], "client_id=shop", &json, &body);
    for (name, word) in [("device_code", WORD), ("user_code", "moonlight")] {
        let label = format!("\"{name}\": \"REDACTED-");
        assert!(
            text.contains(&label) && !text.contains(word),
            "{name}: {text}"
        );
    }
}

#[test]
fn what_a_registered_field_carries_is_replaced_by_its_name_alone() {
    let token = "https://as.example/token";
    let url = format!("https://as.example/next?code={WORD}");
    let bearer = format!("Bearer {WORD}");
    let cookie = format!("sid={WORD}");
    for (name, value) in [
        ("Authorization", bearer.as_str()),
        ("Cookie", cookie.as_str()),
        ("Referer", url.as_str()),
    ] {
        let text = written(token, &[(name, value)], "grant_type=a", &[]);
        let is_there = text.contains(&format!("- {name}: "));
        assert!(is_there && !text.contains(WORD), "{name}: {text}");
    }
    for (name, value) in [("Set-Cookie", &cookie), ("Location", &url)] {
        let text = written(token, &[], "grant_type=a", &[(name, value)]);
        let is_there = text.contains(&format!("- {name}: "));
        assert!(is_there && !text.contains(WORD), "{name}: {text}");
    }
}
