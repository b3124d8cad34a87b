//! `token-response-200-error`: a status of success on an error.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::token_response::meaning;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-response-200-error",
    severity: Severity::Error,
    tier: 5,
    summary: "the status says success, and the body is an error",
    why: "An error has status 400 or 401. Some vendors send 200 with every answer, so a client that looks at the status \
          alone goes on without a token and fails later, somewhere else.",
    fix: "look for an error in the body before using it, and follow that error",
    see: &["RFC 6749 section 5.2"],
    example: "200 {\"error\":\"bad_verification_code\"}",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let succeeded = token.status().filter(|status| *status < 300);
        let Some((status, error)) = succeeded.zip(token.refusal()) else {
            continue;
        };
        let meaning = meaning(&error).map(|meaning| format!(", which means that {meaning}"));
        let finding = Finding::of(rule)
            .saying(format!(
                "the status is {status}, but the body is an error: {error}{}",
                meaning.unwrap_or_default()
            ))
            .at(Evidence::new(
                token.id(),
                "response",
                format!("{status} {error}"),
            ));
        findings.raise_ungraded(finding);
    }
}
