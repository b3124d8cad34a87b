//! `token-method-not-post`: the token endpoint was called with another method than POST.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::providers::Allowance;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-method-not-post",
    severity: Severity::Error,
    tier: 1,
    summary: "the token endpoint was called with another method than POST",
    why: "A token request is a POST with a form body. A server that gets another method does not look for the parameters, and answers with whatever error it has at hand. Opening the URL in a browser is a GET too.",
    fix: "send the same parameters with POST, in the body",
    see: &["RFC 6749 section 3.2", "RFC 9110 section 15.5.6"],
    example: "GET /token?grant_type=authorization_code&code=…",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    let mut redirected_from: Option<String> = None;
    for token in session.token_requests() {
        let followed = redirected_from
            .take()
            .is_some_and(|from| from == token.host());
        let moved = token
            .interaction
            .response()
            .is_some_and(|response| (300..400).contains(&response.status()));
        if moved {
            redirected_from = Some(token.host().to_owned());
        }
        // A GET behind a redirect is what `token-post-redirected` is about.
        if token.method() == "POST" || token.method() == "OPTIONS" || followed {
            continue;
        }
        let method = token.method();
        let line = Evidence::new(
            token.id(),
            "token",
            format!("{method} {}", token.interaction.request().url()),
        );
        let message = format!("the token endpoint was called with {method}; it only accepts POST");
        let mut finding = Finding::of(rule).saying(message).at(line);
        if !token.query().is_empty() {
            let names: Vec<_> = token
                .query()
                .iter()
                .map(|param| param.name.as_str())
                .collect();
            finding = finding.at(Evidence::new(token.id(), "query", names.join(", ")));
        }
        findings.raise_unless_taken(finding, token, Allowance::Get);
    }
}
