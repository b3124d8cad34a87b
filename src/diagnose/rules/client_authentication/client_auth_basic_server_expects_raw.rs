//! `client-auth-basic-server-expects-raw`: the server does not decode the halves of Basic credentials.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "client-auth-basic-server-expects-raw",
    severity: Severity::Warning,
    tier: 3,
    summary: "the secret was form-encoded as the standard says, but this server probably does not decode it",
    why: "Many servers take Basic credentials as HTTP alone defines them, and compare the encoded secret with the one they know.",
    fix: "send client_id and client_secret in the form, or take a secret of letters and digits; and tell the provider",
    see: &["RFC 6749 section 2.3.1", "RFC 7617 section 2"],
    example: "base64(\"id:xxx%25yyy\") -> 401 invalid_client",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for request in session.client_requests() {
        let encoded = request.facts().basic_looks_form_encoded && request.refused_client();
        if encoded && !findings.has_fault(3..=3, request) {
            let line = Evidence::authorization(request);
            findings.raise(Finding::of(rule).at(line), request);
        }
    }
}
