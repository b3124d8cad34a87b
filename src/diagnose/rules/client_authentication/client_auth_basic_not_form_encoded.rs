//! `client-auth-basic-not-form-encoded`: the halves of Basic credentials were not encoded.

use crate::cassette::{Outcome, Session};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::diagnose::rules::client_authentication::client_auth_basic_malformed;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "client-auth-basic-not-form-encoded",
    severity: Severity::Error,
    tier: 3,
    summary: "client_id or client_secret has characters that OAuth encodes before base64, and they were not",
    why: "OAuth encodes each half as a form does before they are joined. A server that decodes them so reads a raw + as a blank, and a raw % as the start of an escape: another secret than the one that was sent.",
    fix: "form-encode both halves, join them with : and encode that in base64; or send client_id and client_secret in the form",
    see: &["RFC 6749 section 2.3.1", "RFC 6749 appendix B"],
    example: "base64(\"id:a+b\") instead of base64(\"id:a%2Bb\")",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for request in session.client_requests() {
        let facts = request.facts();
        let other = facts.basic_swapped || client_auth_basic_malformed::defect(request).is_some();
        let told = request.refused_client() || request.outcome() == Outcome::Accepted;
        if facts.basic_reserved && told && !other {
            let line = Evidence::authorization(request);
            findings.raise(Finding::of(rule).at(line), request);
        }
    }
}
