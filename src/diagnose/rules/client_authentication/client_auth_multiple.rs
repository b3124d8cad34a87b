//! `client-auth-multiple`: the client authenticates in two ways at once.

use crate::cassette::{Outcome, Session};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "client-auth-multiple",
    severity: Severity::Error,
    tier: 3,
    summary: "the client's credentials were sent twice; the standard allows one method a request",
    why: "A server that gets two sets of credentials must refuse the request, even where both are right.",
    fix: "keep one: remove client_secret (for Okta also client_id) from the body when Basic is used",
    see: &["RFC 6749 section 2.3", "RFC 6749 section 5.2"],
    example: "Authorization: Basic … and client_secret=… in the body",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for request in session.client_requests() {
        let mut used: Vec<_> = request
            .client_auth()
            .iter()
            .map(|way| way.place())
            .collect();
        // Okta counts it, and says so.
        let counted = request
            .error_words()
            .contains("multiple client credentials");
        if counted && request.body().has(name::CLIENT_ID) && used.len() == 1 {
            used.push("client_id in the body");
        }
        if used.len() < 2 {
            continue;
        }
        let mut finding = Finding::of(rule).saying(format!(
            "credentials were sent {} times ({}); the standard allows one method a request",
            used.len(),
            used.join(" and ")
        ));
        if request.outcome() != Outcome::Failed {
            finding.severity = Severity::Warning;
        }
        for way in used {
            finding = finding.at(Evidence::new(request.id(), request.place(), way));
        }
        findings.raise(finding, request);
    }
}
