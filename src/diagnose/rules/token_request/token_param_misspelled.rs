//! `token-param-misspelled`: a parameter has nearly the name that the server looks for.

use crate::cassette::{Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::model::Param;
use crate::oauth::name::{self, grant};
use crate::oauth::registry;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-param-misspelled",
    severity: Severity::Error,
    tier: 2,
    summary: "a parameter has nearly the name that the server looks for",
    why: "Servers ignore a parameter that they do not know, so the one that was meant is missing. Names are exact: lower case, with underscores.",
    fix: "rename the parameter",
    see: &["RFC 6749 section 4.1.3", "RFC 6749 section 3.2"],
    example: "clientSecret=… for client_secret",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        for (sent, meant) in misspelled(token) {
            let finding = Finding::of(rule)
                .saying(format!(
                    "`{sent}` is no parameter of a token request; `{meant}` is, and is missing"
                ))
                .fixed_by(format!("rename `{sent}` to `{meant}`"))
                .at(Evidence::new(token.id(), "token", sent));
            findings.raise(finding, token);
        }
    }
}

/// The names that were sent, with those that they were meant to be and that are missing.
pub(in crate::diagnose::rules) fn misspelled<'t>(
    token: &'t Turn<'_>,
) -> Vec<(&'t str, &'static str)> {
    let missing = |meant: &&&str| token.param(meant).is_none() && is_wanted(token, meant);
    let meant = |param: &'t Param| {
        let mut names = NAMES.iter().filter(missing);
        let meant = names.find(|meant| is_meant(&param.name, meant))?;
        Some((param.name.as_str(), *meant))
    };
    let sent = token.body().iter().chain(token.query());
    sent.filter_map(meant).collect()
}

/// Whether the request would have a use for the parameter.
fn is_wanted(token: &Turn<'_>, meant: &str) -> bool {
    let grant = token.param(name::GRANT_TYPE);
    let is_of = |wanted| grant.is_none_or(|grant| grant == wanted);
    match meant {
        name::CODE | name::REDIRECT_URI | name::CODE_VERIFIER => is_of(grant::AUTHORIZATION_CODE),
        name::REFRESH_TOKEN => is_of(grant::REFRESH_TOKEN),
        name::DEVICE_CODE => is_of(grant::DEVICE_CODE),
        name::USERNAME | name::PASSWORD => grant == Some(grant::PASSWORD),
        name::CLIENT_ID | name::CLIENT_SECRET => token.client_auth().is_empty(),
        _ => true,
    }
}

fn is_meant(sent: &str, meant: &str) -> bool {
    if SYNONYMS.contains(&(sent, meant)) {
        return true;
    }
    let plain = |name: &str| name.to_ascii_lowercase().replace(['_', '-'], "");
    let (written, wanted) = (plain(sent), plain(meant));
    let near = wanted.len() >= LONG && is_one_off(&written, &wanted);
    sent != meant && !registry::is_known(sent) && (written == wanted || near)
}

/// Whether one character was left out, added or replaced.
fn is_one_off(a: &str, b: &str) -> bool {
    let same = |pair: &(char, char)| pair.0 == pair.1;
    let start = a.chars().zip(b.chars()).take_while(same).count();
    let (a, b): (Vec<_>, Vec<_>) = (
        a.chars().skip(start).collect(),
        b.chars().skip(start).collect(),
    );
    let behind = |of: &[char]| of.get(1..).unwrap_or_default().to_vec();
    a == behind(&b) || b == behind(&a) || behind(&a) == behind(&b)
}

/// A shorter name has too many words beside it.
const LONG: usize = 8;

const NAMES: &[&str] = &[
    name::GRANT_TYPE,
    name::CLIENT_ID,
    name::CLIENT_SECRET,
    name::CODE,
    name::REDIRECT_URI,
    name::CODE_VERIFIER,
    name::REFRESH_TOKEN,
    name::CLIENT_ASSERTION_TYPE,
    name::CLIENT_ASSERTION,
    name::DEVICE_CODE,
    name::USERNAME,
    name::PASSWORD,
];
const SYNONYMS: &[(&str, &str)] = &[
    ("authorization_code", name::CODE),
    ("callback", name::REDIRECT_URI),
    ("callback_url", name::REDIRECT_URI),
    ("redirect", name::REDIRECT_URI),
    ("redirect_url", name::REDIRECT_URI),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_nearly_another() {
        for (sent, meant, expected) in [
            ("grantType", name::GRANT_TYPE, true),
            ("grant-type", name::GRANT_TYPE, true),
            ("granttypes", name::GRANT_TYPE, true),
            ("cient_id", name::CLIENT_ID, true),
            ("client_secet", name::CLIENT_SECRET, true),
            ("client_sekret", name::CLIENT_SECRET, true),
            ("redirect_url", name::REDIRECT_URI, true),
            ("mode", name::CODE, false),
            ("Code", name::CODE, true),
            ("audience", name::CLIENT_ID, false),
            ("client_id", name::CLIENT_ID, false),
        ] {
            assert_eq!(is_meant(sent, meant), expected, "{sent}");
        }
    }
}
