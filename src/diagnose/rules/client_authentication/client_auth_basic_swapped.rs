//! `client-auth-basic-swapped`: the halves of Basic credentials are the wrong way round.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "client-auth-basic-swapped",
    severity: Severity::Error,
    tier: 3,
    summary: "client_id and the secret are the wrong way round in the Basic header",
    why: "What stands before the colon is taken for client_id. The server knows no client of that name.",
    fix: "put client_id first: base64(client_id:client_secret)",
    see: &["RFC 7617 section 2", "RFC 6749 section 2.3.1"],
    example: "base64(\"GOCSPX-…:123.apps.googleusercontent.com\")",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for request in session.client_requests() {
        if request.facts().basic_swapped {
            let line = Evidence::authorization(request);
            findings.raise(Finding::of(rule).at(line), request);
        }
    }
}
