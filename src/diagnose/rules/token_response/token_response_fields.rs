//! `token-response-fields`: members of the token response are missing, or not what they should be.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;
use crate::oauth::token_response::deviations;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-response-fields",
    severity: Severity::Warning,
    tier: 5,
    summary: "members of the token response are not as the standard has them",
    why: "Libraries read access_token, token_type, expires_in and scope as the standard defines them. A strict one fails on \
          a number that is a text, and a lenient one goes on with a lifetime or a type that is wrong.",
    fix: "read the response leniently, and tell the provider",
    see: &[
        "RFC 6749 section 5.1",
        "RFC 6749 section 7.1",
        "RFC 8693 section 2.2.1",
    ],
    example: "\"expires_in\":\"3599\"",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let is_success = token.status().is_some_and(|status| status < 300);
        let is_asked_for = !token.grant().is_empty() || token.param(name::CODE).is_some();
        let Some(members) = token.answer_json().filter(|_| is_success && is_asked_for) else {
            continue;
        };
        let found = deviations(members);
        if found.is_empty() || token.refusal().is_some() {
            continue;
        }
        let is_read = session.uses_of(token).next().is_some();
        let severity = if is_read {
            Severity::Note
        } else {
            Severity::Warning
        };
        let mut finding = Finding::of(rule).graded(severity).saying(format!(
            "the token response is not as the standard has it: {}",
            found.join("; ")
        ));
        for deviation in found {
            finding = finding.at(Evidence::new(token.id(), "response", deviation));
        }
        findings.raise_ungraded(finding);
    }
}
