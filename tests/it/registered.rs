//! What the tables of parameters and fields call secret is replaced, even where it is a plain word.

use authtape::model::Exchange;
use authtape::record::{Laid, Options, Tape};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::{answered, heard, said};

/// A word of English, which nothing but its place tells to be secret.
const WORD: &str = "sunshine";
const TOKEN: &str = "https://as.example/token";
const JSON: (&str, &str) = ("Content-Type", "application/json");

/// What a tape writes of one exchange.
fn written(url: &str, request: &[(&str, &str)], form: &str, answer: &[(&str, &str)]) -> String {
    let form_field = ("Content-Type", "application/x-www-form-urlencoded");
    let headers: Vec<_> = request.iter().copied().chain([form_field]).collect();
    let asked = said("POST", url, &headers, form);
    appended(answered(1, asked, heard(302, answer, "")))
}

fn appended(exchange: Exchange) -> String {
    match Tape::new(Options::default(), "2026-11-23T10:02:11Z".to_owned()).record(exchange) {
        Laid::Appended(text) => text,
        _ => panic!("appended"),
    }
}

#[test]
fn a_registered_secret_is_replaced_by_its_name_alone() {
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
        let text = written(TOKEN, &[], &format!("grant_type=a&{name}={WORD}"), &[]);
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
    let body = format!(
        "{{\"device_code\":\"{WORD}\",\"user_code\":\"moonlight\",\"verification_uri\":\"https://as.example/device\"}}"
    );
    let asked = said("POST", url, &[], "client_id=shop");
    let text = appended(answered(1, asked, heard(200, &[JSON], &body)));
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
    let url = format!("https://as.example/next?code={WORD}");
    let bearer = format!("Bearer {WORD}");
    let cookie = format!("sid={WORD}");
    for (name, value) in [
        ("Authorization", bearer.as_str()),
        ("Cookie", cookie.as_str()),
        ("Referer", url.as_str()),
    ] {
        let text = written(TOKEN, &[(name, value)], "grant_type=a", &[]);
        let is_there = text.contains(&format!("- {name}: "));
        assert!(is_there && !text.contains(WORD), "{name}: {text}");
    }
    for (name, value) in [("Set-Cookie", &cookie), ("Location", &url)] {
        let text = written(TOKEN, &[], "grant_type=a", &[(name, value)]);
        let is_there = text.contains(&format!("- {name}: "));
        assert!(is_there && !text.contains(WORD), "{name}: {text}");
    }
}

#[test]
fn the_exponent_that_all_rsa_keys_have_is_kept() {
    let set =
        r#"{"keys":[{"kty":"RSA","kid":"k1","n":"6esc11ACC5bwc014ltc14eY22c8Kz","e":"AQAB"}]}"#;
    let asked = said("GET", "https://as.example/jwks.json", &[], "");
    let text = appended(answered(1, asked, heard(200, &[JSON], set)));
    assert!(text.contains("\"e\": \"AQAB\""), "{text}");
    assert!(text.contains("\"n\": \"REDACTED-n-1\""), "{text}");
}

#[test]
fn a_client_is_kept_in_basic_credentials_as_it_is_in_a_form() {
    for (user, expected) in [
        ("openid-client", "user: openid-client,"),
        ("openid%2Dclient", "user: openid%2Dclient,"),
        ("8kqf3mz%2Dx", "user: \"8kqf3mz%2Dx\","),
        ("jane%2540corp.example", "user: REDACTED-"),
    ] {
        let credentials = STANDARD.encode(format!("{user}:{WORD}"));
        let basic = format!("Basic {credentials}");
        let form = "grant_type=client_credentials";
        let text = written(TOKEN, &[("Authorization", &basic)], form, &[]);
        let is_kept = text.contains(&format!("basic: {{{expected}"));
        assert!(is_kept && !text.contains("jane"), "{user}: {text}");
    }
}
