//! `token-over-http`: the token request goes over plain HTTP.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-over-http",
    severity: Severity::Error,
    tier: 7,
    summary: "credentials and tokens travelled over plain HTTP",
    why: "Whoever is on the way reads the client's secret, the code and the tokens, and may use them. The standard requires TLS at the token endpoint.",
    fix: "use the https URL of the token endpoint",
    see: &["RFC 6749 section 3.2", "RFC 9700 section 2.6"],
    example: "POST http://as.example/token",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let plain = token
            .url()
            .is_some_and(|url| url.scheme.eq_ignore_ascii_case("http") && !url.is_loopback());
        if plain {
            let url = token.interaction.request().url();
            let line = Evidence::new(token.id(), "token", url);
            findings.raise_ungraded(Finding::of(rule).at(line));
        }
    }
}
