//! `authorize-error-returned`: the authorization response is an error.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::{error_code, name};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "authorize-error-returned",
    severity: Severity::Error,
    tier: 4,
    summary: "the authorization server ended the flow with an error",
    why: "An error comes back to the redirect URI in the place of a code. There is nothing to redeem.",
    fix: "act on the error, and begin the flow again",
    see: &["RFC 6749 section 4.1.2.1"],
    example: "https://x.example/cb?error=access_denied&state=…",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for flow in session.flows() {
        let Some(error) = flow.answered(name::ERROR) else {
            continue;
        };
        // Others say what to do about these.
        if error_code::OF_PARAMETER.contains(&error) || error_code::OF_SILENCE.contains(&error) {
            continue;
        }
        let said = flow.answered(name::ERROR_DESCRIPTION);
        let said = said.map(|said| format!(": {said}")).unwrap_or_default();
        let ignored = match flow.token_requests().next() {
            Some(_) => ", and the client sent a token request all the same",
            None => "",
        };
        let finding = Finding::of(rule)
            .saying(format!(
                "the authorization server ended the flow at {} with {error}{said}{ignored}",
                flow.request().path()
            ))
            .at(Evidence::answered(flow, name::ERROR));
        findings.raise_ungraded(finding);
    }
}
