//! `token-params-in-query`: the parameters of a POST are in its URL.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;
use crate::oauth::providers::Allowance;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-params-in-query",
    severity: Severity::Error,
    tier: 2,
    summary: "the parameters are in the URL; a POST to the token endpoint must carry them in its body",
    why: "Servers read the body of a token request and may ignore the query on purpose: what is in a URL ends up in logs.",
    fix: "move them from the URL to the form body (with axios: the second argument, not params)",
    see: &["RFC 6749 section 3.2", "RFC 6749 section 2.3.1"],
    example: "POST /token?grant_type=authorization_code&code=…",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let misplaced = |name: &&&str| token.query().has(name) && !token.body().has(name);
        let names: Vec<&str> = PARAMETERS.iter().filter(misplaced).copied().collect();
        if token.method() == "POST" && !names.is_empty() && token.is_whole() {
            let line = Evidence::new(token.id(), "query", names.join(", "));
            findings.raise_unless_taken(Finding::of(rule).at(line), token, Allowance::Query);
        }
    }
}

const PARAMETERS: &[&str] = &[
    name::GRANT_TYPE,
    name::CODE,
    name::REFRESH_TOKEN,
    name::CLIENT_ID,
    name::REDIRECT_URI,
    name::USERNAME,
    name::PASSWORD,
];
