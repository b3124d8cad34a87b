//! `token-expect-continue`: the client waits for a leave to send its body that does not come.

use crate::cassette::{Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::model::{FailureKind, Phase};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-expect-continue",
    severity: Severity::Warning,
    tier: 1,
    summary: "the client asked for 100-continue and the server, or a proxy before it, did not play along",
    why: "With Expect: 100-continue a client sends the head first and waits before it sends the body. curl does so for long bodies, .NET for every POST. Who does not know it answers 417, or closes.",
    fix: "switch it off: an empty Expect: in CURLOPT_HTTPHEADER, Expect100Continue = false in .NET",
    see: &["RFC 9110 section 10.1.1", "RFC 9110 section 15.5.18"],
    example: "Expect: 100-continue -> 417",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let Some(expected) = token.headers().get("expect") else {
            continue;
        };
        if let Some(came) = what_came(token) {
            let finding = Finding::of(rule)
                .at(Evidence::new(
                    token.id(),
                    "header",
                    format!("Expect: {expected}"),
                ))
                .at(Evidence::new(token.id(), "response", came));
            findings.raise(finding, token);
        }
    }
}

fn what_came(token: &Turn<'_>) -> Option<String> {
    if token.status() == Some(417) {
        return Some("417".to_owned());
    }
    let error = token.interaction.error()?;
    let closed = [FailureKind::ClosedEarly, FailureKind::ConnectionReset].contains(&error.kind());
    (closed && error.phase() == Phase::Request)
        .then(|| "closed before the body was sent".to_owned())
}
