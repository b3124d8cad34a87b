//! `client-grant-not-allowed`: the client is not registered for this grant.

use crate::cassette::{Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "client-grant-not-allowed",
    severity: Severity::Error,
    tier: 3,
    summary: "the client's registration does not permit this grant",
    why: "A server knows for each client which grants it may use, and refuses the others whatever the request looks like.",
    fix: "enable the grant for this client where it is registered, or use one that is enabled",
    see: &["RFC 6749 section 5.2", "RFC 6749 section 4.1.2.1"],
    example: "400 {\"error\":\"unauthorized_client\"}",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let Some(status) = token.status().filter(|_| is_about_grant(token)) else {
            continue;
        };
        let (what, fix) = match token.grant() {
            "" => ("this grant".to_owned(), rule.fix.to_owned()),
            grant => (
                format!("grant_type {grant}"),
                format!(
                    "enable {grant} for this client where it is registered, or use a grant that is enabled"
                ),
            ),
        };
        let error = token.error();
        let finding = Finding::of(rule)
            .saying(format!("the client's registration does not permit {what}"))
            .fixed_by(fix)
            .at(Evidence::new(
                token.id(),
                "response",
                format!("{status} {error}"),
            ));
        findings.raise_ungraded(finding);
    }
}

/// Whether the server refuses the grant to the client. Some say the same of a wrong secret, with
/// 401, of a missing one, of a refresh token, or of a redirect URI.
fn is_about_grant(token: &Turn<'_>) -> bool {
    let said = token.error_words();
    let speaks_of = |words: &[&str]| words.iter().any(|word| said.contains(word));
    match token.error() {
        "unauthorized_client" => token.status() != Some(401) && !speaks_of(SPOKEN_OF_OTHERWISE),
        "invalid_client" => {
            said.contains("grant") && speaks_of(&["not allowed", "not enabled", "not permitted"])
        }
        _ => false,
    }
}

const SPOKEN_OF_OTHERWISE: &[&str] = &[
    "authorization header",
    "credential",
    "redirect",
    name::REFRESH_TOKEN,
    "secret",
];
