//! `client-secret-empty`: a secret is sent that is none.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "client-secret-empty",
    severity: Severity::Error,
    tier: 3,
    summary: "an empty secret was sent, which is something else than none",
    why: "A server takes an empty client_secret for an attempt to authenticate, and for a wrong one. Most often the variable that holds it was never set.",
    fix: "load the secret; for a public client leave client_secret and the Basic header out",
    see: &["RFC 6749 section 2.3.1"],
    example: "client_id=a&client_secret= -> invalid_client",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for request in session.client_requests() {
        if request.client_secret() == Some("") && request.refused_client() {
            let ways = request.client_auth();
            let place = ways.first().map_or(name::CLIENT_SECRET, |way| way.place());
            let line = Evidence::new(request.id(), request.place(), format!("{place}, empty"));
            findings.raise(Finding::of(rule).at(line), request);
        }
    }
}
