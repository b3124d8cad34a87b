//! What a token response says besides its tokens: an error in another dress, and members that are
//! not as RFC 6749 section 5.1 has them.

use serde_json::{Map, Value};

use crate::oauth::name;

/// The members of a JSON object.
type Members = Map<String, Value>;

/// The error that a response without a token reports, however it is spelled.
pub fn refusal(members: &Members) -> Option<String> {
    if members.contains_key(name::ACCESS_TOKEN) {
        return None;
    }
    let is_false = |name: &&str| members.get(*name) == Some(&Value::Bool(false));
    let denied = || ["ok", "success"].into_iter().find(is_false);
    reported(members.get(name::ERROR))
        .or_else(|| reported(members.get("error_type")))
        .or_else(|| {
            let code = members.get("errcode").and_then(Value::as_i64)?;
            (code != 0).then(|| format!("errcode {code}"))
        })
        .or_else(|| {
            let status = members.get("status").and_then(Value::as_str)?;
            status.starts_with("BAD_").then(|| status.to_owned())
        })
        .or_else(|| denied().map(|name| format!("{name} is false")))
}

/// The code of an error that is a text, or an object with a code, a type or a message.
fn reported(error: Option<&Value>) -> Option<String> {
    match error? {
        Value::String(code) => Some(code.clone()).filter(|code| !code.is_empty()),
        Value::Object(nested) => {
            let parts = ["type", "code"].into_iter().filter_map(|part| {
                let value = nested.get(part)?;
                let text = value.as_str().map(str::to_owned);
                text.or_else(|| value.as_i64().map(|number| number.to_string()))
            });
            let parts = parts.collect::<Vec<_>>().join(" ");
            Some(if parts.is_empty() {
                "an object".to_owned()
            } else {
                parts
            })
        }
        _ => None,
    }
}

/// What an error code of a vendor's own means, in the words of the standard.
pub fn meaning(code: &str) -> Option<&'static str> {
    let known = VENDORS.iter().find(|(known, _)| *known == code);
    known.map(|(_, meaning)| *meaning)
}

/// How the members of a successful response differ from what the standard has.
pub fn deviations(members: &Members) -> Vec<String> {
    let mut found = Vec::new();
    match members.get(name::ACCESS_TOKEN) {
        None if members.contains_key(name::ID_TOKEN) => return found,
        None => {
            let holds_token = |name: &&&str| members[**name].get(name::ACCESS_TOKEN).is_some();
            let mut nests = NESTS.iter().filter(|name| members.contains_key(**name));
            found.push(match nests.find(holds_token) {
                Some(nest) => format!("the tokens are inside `{nest}`"),
                None => "there is no access_token, and no error".to_owned(),
            });
            return found;
        }
        Some(Value::String(token)) if !token.is_empty() => {}
        Some(_) => found.push("access_token is no text, or empty".to_owned()),
    }
    found.extend(wrong_type(members.get(name::TOKEN_TYPE)));
    found.extend(wrong_lifetime(members));
    if members.get(name::SCOPE).is_some_and(Value::is_array) {
        found.push("scope is a list, not words with a blank between them".to_owned());
    }
    let refresh_token = members.get(name::REFRESH_TOKEN);
    if refresh_token.is_some_and(|token| token.as_str().is_none_or(str::is_empty)) {
        found.push("refresh_token is there, and empty".to_owned());
    }
    found
}

fn wrong_type(token_type: Option<&Value>) -> Option<String> {
    let Some(token_type) = token_type else {
        return Some("token_type is missing".to_owned());
    };
    let is = |known: &&str| {
        let word = token_type.as_str();
        word.is_some_and(|word| word.eq_ignore_ascii_case(known))
    };
    let word = || token_type.as_str().unwrap_or("no text");
    let is_known = TYPES.iter().any(is);
    (!is_known).then(|| format!("token_type is `{}`, which no standard knows", word()))
}

fn wrong_lifetime(members: &Members) -> Option<String> {
    let Some(lifetime) = members.get(name::EXPIRES_IN) else {
        let mut others = ["expires", "expires_at"].into_iter();
        let other = others.find(|name| members.contains_key(*name))?;
        return Some(format!("the lifetime is in `{other}`, not in expires_in"));
    };
    match (lifetime, lifetime.as_i64()) {
        (_, Some(seconds)) if seconds > POINT_IN_TIME => Some(format!(
            "expires_in is {seconds}, which is a point in time, not a number of seconds from now"
        )),
        (_, Some(seconds)) => {
            (seconds <= 0).then(|| format!("expires_in is {seconds}, so the token is dead at once"))
        }
        (Value::String(text), None) => {
            Some(format!("expires_in is the text \"{text}\", not a number"))
        }
        (other, None) => Some(format!("expires_in is {other}, no whole number")),
    }
}

/// Where vendors put the tokens of somebody else than the caller.
const NESTS: &[&str] = &["authed_user", "data", "response"];
/// The registered types, and those of Slack.
const TYPES: &[&str] = &["bearer", "bot", "dpop", "mac", "n_a", "pop", "user"];
/// More seconds than any lifetime has.
const POINT_IN_TIME: i64 = 1_000_000_000;
const VENDORS: &[(&str, &str)] = &[
    (
        "bad_client_secret",
        "the client's secret is wrong or missing",
    ),
    (
        "bad_redirect_uri",
        "redirect_uri is not the one that was sent to the authorization endpoint",
    ),
    (
        "bad_verification_code",
        "the code is wrong, expired or used before",
    ),
    ("code_already_used", "the code was redeemed before"),
    (
        "incorrect_client_credentials",
        "client_id or client_secret is wrong",
    ),
    (
        "invalid_code",
        "the code is wrong, expired or of another client",
    ),
    (
        "redirect_uri_mismatch",
        "redirect_uri is not the registered one",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> Members {
        serde_json::from_str(text).expect(text)
    }

    #[test]
    fn an_error_is_one_in_any_dress() {
        for (text, expected) in [
            (r#"{"error":"invalid_grant"}"#, Some("invalid_grant")),
            (
                r#"{"error":{"type":"OAuthException","code":100}}"#,
                Some("OAuthException 100"),
            ),
            (r#"{"error":{"text":"no"}}"#, Some("an object")),
            (
                r#"{"ok":false,"error":"invalid_code"}"#,
                Some("invalid_code"),
            ),
            (r#"{"success":false}"#, Some("success is false")),
            (r#"{"errcode":40029}"#, Some("errcode 40029")),
            (r#"{"errcode":0}"#, None),
            (r#"{"status":"BAD_AUTH_CODE"}"#, Some("BAD_AUTH_CODE")),
            (r#"{"status":"ok"}"#, None),
            (r#"{"error":""}"#, None),
            (r#"{"access_token":"a","error":"x"}"#, None),
            ("{}", None),
        ] {
            assert_eq!(refusal(&members(text)).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn each_member_that_departs_is_named() {
        let sound = r#""access_token":"a","token_type":"Bearer""#;
        for (text, expected) in [
            (format!("{{{sound},\"expires_in\":3599}}"), ""),
            (format!("{{{sound}}}"), ""),
            (
                format!("{{{sound},\"expires_in\":\"3599\"}}"),
                "the text \"3599\"",
            ),
            (format!("{{{sound},\"expires_in\":0}}"), "expires_in is 0"),
            (format!("{{{sound},\"expires_in\":1.5}}"), "no whole number"),
            (
                format!("{{{sound},\"expires_in\":1763892131}}"),
                "a point in time",
            ),
            (format!("{{{sound},\"expires\":3600}}"), "in `expires`"),
            (format!("{{{sound},\"scope\":[\"a\"]}}"), "scope is a list"),
            (
                format!("{{{sound},\"refresh_token\":null}}"),
                "refresh_token is there",
            ),
            (
                r#"{"access_token":"a"}"#.to_owned(),
                "token_type is missing",
            ),
            (
                r#"{"access_token":"a","token_type":"x"}"#.to_owned(),
                "token_type is `x`",
            ),
            (r#"{"access_token":"a","token_type":"N_A"}"#.to_owned(), ""),
            (
                r#"{"access_token":"","token_type":"mac"}"#.to_owned(),
                "access_token is no text",
            ),
            (
                r#"{"data":{"access_token":"a"}}"#.to_owned(),
                "inside `data`",
            ),
            (r#"{"data":1}"#.to_owned(), "there is no access_token"),
            (r#"{"id_token":"a"}"#.to_owned(), ""),
        ] {
            let found = deviations(&members(&text));
            let is_it = match (expected, found.as_slice()) {
                ("", found) => found.is_empty(),
                (expected, [only]) => only.contains(expected),
                _ => false,
            };
            assert!(is_it, "{text}: {found:?}");
        }
    }
}
