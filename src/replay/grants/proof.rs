//! Signed things that a client sends: `DPoP` proofs (RFC 9449), client assertions (RFC 7523) and
//! request objects (RFC 9101). What can be read of them is checked, live and declared alike.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::model::Url;
use crate::oauth::jwt::{Alg, Jwt};
use crate::oauth::name;
use crate::oauth::tokens::verifies;
use crate::replay::grants::call::{Call, Signed};
use crate::replay::grants::defect::Wrong;
use crate::replay::values::has_label;

/// What is wrong with a proof by itself (RFC 9449 section 4.3), the nonce and the key aside.
pub(super) fn proof(call: &Call, proof: &Signed, now: i64) -> Option<Wrong> {
    let Some(jwt) = &proof.jwt else {
        return Some(Wrong::Malformed);
    };
    let word = |claim: &str| jwt.claims.get(claim).and_then(Value::as_str);
    let symmetric = |alg: &str| alg == "none" || alg.starts_with("HS");
    let alg = jwt.header.get("alg").and_then(Value::as_str);
    let key = jwt.header.get(name::JWK).and_then(Value::as_object);
    let is_whole = jwt.header.get(name::TYP).and_then(Value::as_str) == Some("dpop+jwt")
        && alg.is_some_and(|alg| !symmetric(alg))
        && key.is_some_and(|key| !key.contains_key("d"))
        && word(name::JTI).is_some();
    if !is_whole {
        return Some(Wrong::Malformed);
    }
    if !is_signed(proof, jwt) {
        return Some(Wrong::Signature);
    }
    if word(name::HTM) != Some(call.method.as_str()) {
        return Some(Wrong::Method);
    }
    if !word(name::HTU).is_some_and(|url| call.urls().any(|called| same_url(url, called))) {
        return Some(Wrong::Url);
    }
    let age = jwt.claims.get(name::IAT).and_then(|time| offset(time, now));
    if age.is_none_or(|age| age.abs() > PROOF_LEEWAY) {
        return Some(Wrong::Lapsed);
    }
    let token = call.token.as_ref().map(|(_, token)| hashed(token));
    match (word(name::ATH), token) {
        (None, Some(_)) => Some(Wrong::Hash),
        (Some(hash), Some(token)) if !has_label(hash) && hash != token => Some(Wrong::Hash),
        _ => None,
    }
}

/// What is wrong with a client assertion or a request object: whom it is from and to, and when.
pub(super) fn statement(call: &Call, statement: &Signed, now: i64) -> Option<Wrong> {
    let Some(jwt) = &statement.jwt else {
        return Some(Wrong::Malformed);
    };
    let is_other = |claim: &str| {
        let said = jwt.claims.get(claim).and_then(Value::as_str);
        let client = call.get(name::CLIENT_ID);
        said.zip(client)
            .is_some_and(|(said, client)| !has_label(said) && said != client)
    };
    if is_other(name::ISS) || is_other(name::SUB) || is_other(name::CLIENT_ID) {
        return Some(Wrong::Subject);
    }
    if !is_addressed(jwt, call) {
        return Some(Wrong::Audience);
    }
    let time = |claim: &str| jwt.claims.get(claim).and_then(|time| offset(time, now));
    let is_over = time(name::EXP).is_some_and(|left| left < -CLOCK_LEEWAY);
    let is_early = [name::NBF, name::IAT]
        .iter()
        .any(|claim| time(claim).is_some_and(|until| until > CLOCK_LEEWAY));
    (is_over || is_early).then_some(Wrong::Lapsed)
}

/// The identifier that makes it one of a kind, with that of whom it is from.
pub(super) fn identifier(signed: &Signed) -> Option<String> {
    let claims = &signed.jwt.as_ref()?.claims;
    let word = |claim: &str| claims.get(claim).and_then(Value::as_str);
    let from = word(name::ISS).unwrap_or_default();
    word(name::JTI).map(|id| format!("{from} {id}"))
}

/// The nonce that a proof has.
pub(super) fn nonce(proof: &Signed) -> Option<&str> {
    proof.jwt.as_ref()?.claims.get(name::NONCE)?.as_str()
}

/// The thumbprint of a proof's key (RFC 7638); of no recorded one, whose numbers are not kept.
pub(super) fn thumbprint(proof: &Signed) -> Option<String> {
    let key = proof.jwt.as_ref()?.header.get(name::JWK)?.as_object()?;
    let members: &[&str] = match key.get("kty")?.as_str()? {
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        "RSA" => &["e", "kty", "n"],
        _ => return None,
    };
    let mut canonical = Map::new();
    for member in members {
        let value = key.get(*member)?.as_str()?;
        if has_label(value) {
            return None;
        }
        canonical.insert((*member).to_owned(), Value::from(value));
    }
    Some(hashed(&Value::Object(canonical).to_string()))
}

/// Base64url of the SHA-256: `ath`, and what a thumbprint is.
fn hashed(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}

/// Whether the key that a proof shows made its signature. Of a recorded one nobody knows.
fn is_signed(proof: &Signed, jwt: &Jwt) -> bool {
    let Some((message, signature)) = proof.text.rsplit_once('.') else {
        return has_label(&proof.text);
    };
    let verified = || {
        let alg = Alg::from_word(jwt.header.get("alg")?.as_str()?)?;
        let key = jwt.header.get(name::JWK)?.as_object()?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        verifies(alg, key, message.as_bytes(), &signature)
    };
    verified().unwrap_or(false)
}

/// Whether one of the audiences is the server that is asked. A server has several names for itself
/// (its issuer, and each of its endpoints), all of one host.
fn is_addressed(jwt: &Jwt, call: &Call) -> bool {
    let called: Vec<Url> = call.urls().filter_map(Url::parse).collect();
    let is_ours = |audience: &Value| {
        // Some servers are named by no URL.
        let is_ours = |url: Url| called.iter().any(|called| same_host(called, &url));
        let named = audience.as_str();
        named.is_some_and(|named| Url::parse(named).is_none_or(is_ours))
    };
    match jwt.claims.get(name::AUD) {
        None => false,
        Some(Value::Array(several)) => several.iter().any(is_ours),
        Some(one) => is_ours(one),
    }
}

fn same_host(one: &Url, other: &Url) -> bool {
    host_of(one) == host_of(other) && one.effective_port() == other.effective_port()
}

/// The host, in lower case. This machine has several names for itself.
fn host_of(url: &Url) -> String {
    if url.is_loopback() {
        "localhost".to_owned()
    } else {
        url.host.to_ascii_lowercase()
    }
}

fn same_url(claimed: &str, called: &str) -> bool {
    let normal = |text: &str| {
        let url = Url::parse(text)?;
        let path = if url.path.is_empty() { "/" } else { &url.path };
        Some((
            url.scheme.to_ascii_lowercase(),
            host_of(&url),
            url.effective_port(),
            path.to_owned(),
        ))
    };
    normal(claimed).is_some_and(|claimed| Some(claimed) == normal(called))
}

/// A point in time as seconds from now: a number, or as cassettes have it, `+3600`.
fn offset(time: &Value, now: i64) -> Option<i64> {
    match time {
        Value::String(offset) => offset.parse().ok(),
        number => {
            // Some clients write fractions of a second.
            let text = number.to_string();
            let seconds: i64 = text.split('.').next()?.parse().ok()?;
            Some(seconds.saturating_sub(now))
        }
    }
}

/// How old, or early, a proof may be.
const PROOF_LEEWAY: i64 = 300;
/// How far clocks may differ.
const CLOCK_LEEWAY: i64 = 60;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::model::{Alias, Said};
    use crate::oauth::Step;
    use crate::oauth::fields::Fields;
    use crate::oauth::flows::tests::said;

    #[test]
    fn a_server_behind_a_local_origin_goes_by_both_names() {
        let call = |said: &Said| Call::live(Step::TokenRequest, said, &Fields::of(said));
        let mut asked = said("POST", "https://idp.example/token", &[], "");
        let direct = call(&asked);
        asked.alias = Some(Arc::new(Alias {
            origin: "https://idp.example".to_owned(),
            local: "http://127.0.0.1:9000".to_owned(),
        }));
        let aliased = call(&asked);
        for (url, is_direct, is_aliased) in [
            ("https://idp.example/token", true, true),
            ("https://IDP.example:443/token", true, true),
            ("http://127.0.0.1:9000/token", false, true),
            ("http://localhost:9000/token", false, true),
            ("http://localhost:9001/token", false, false),
            ("https://other.example/token", false, false),
        ] {
            let Value::Object(claims) = json!({ "aud": url }) else {
                panic!("an object")
            };
            let jwt = Jwt {
                header: Map::new(),
                claims,
            };
            for (call, expected) in [(&direct, is_direct), (&aliased, is_aliased)] {
                assert_eq!(is_addressed(&jwt, call), expected, "{url}");
                let is_called = call.urls().any(|called| same_url(url, called));
                assert_eq!(is_called, expected, "{url}");
            }
        }
    }
}
