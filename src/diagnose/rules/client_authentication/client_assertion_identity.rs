//! `client-assertion-identity`: a client assertion does not name the client.

use crate::cassette::{Outcome, Session};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::credentials::AssertionIdentity;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "client-assertion-identity",
    severity: Severity::Error,
    tier: 3,
    summary: "the client assertion does not name the client",
    why: "The client issues the assertion about itself: iss and sub are both its client_id. In the JWT that Apple takes for a secret iss is the team, and sub the client_id.",
    fix: "set iss and sub to client_id",
    see: &["RFC 7523 section 3", "RFC 7521 section 5.2"],
    example: "sub: somebody@corp.example",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for request in session.client_requests() {
        let told = request.refused_client() || request.outcome() == Outcome::Accepted;
        let identity = request.facts().client_assertion_identity.filter(|_| told);
        let words = match identity {
            Some(AssertionIdentity::IssNotSub) => "iss and sub are not the same",
            Some(AssertionIdentity::Missing) => "iss or sub is missing",
            Some(AssertionIdentity::NotClientId) => "sub is not the client_id of the request",
            None => continue,
        };
        let finding = Finding::of(rule)
            .saying(format!(
                "the client assertion does not name the client: {words}"
            ))
            .at(Evidence::new(request.id(), request.place(), words));
        findings.raise(finding, request);
    }
}
