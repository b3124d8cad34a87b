//! `code-expired`: the code was redeemed long after it was issued.

use std::time::Duration;

use crate::cassette::{Link, Outcome, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::diagnose::span::in_words;
use crate::oauth::error_code::{INVALID_GRANT, INVALID_REQUEST};
use crate::oauth::{error_code, name};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "code-expired",
    severity: Severity::Error,
    tier: 4,
    summary: "the code was too old when it was redeemed",
    why: "A code is meant to be redeemed at once. The standard advises servers to let it live for ten minutes at most; many let it live for one, some for thirty seconds.",
    fix: "redeem the code where the authorization response is handled; do not paste it by hand or wait in a debugger",
    see: &["RFC 6749 section 4.1.2"],
    example: "a code that came back twelve minutes before the token request",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let Some((flow, Link::Strong)) = session.flow_of(token) else {
            continue;
        };
        let Some(age) = flow
            .answered_at()
            .and_then(|came| token.interaction.at().checked_sub(came))
        else {
            continue;
        };
        if age <= SHORT_LIFE || !speaks_of_code(token) || is_explained(token, findings) {
            continue;
        }
        let (severity, rest) = if age > LONGEST_LIFE {
            (Severity::Error, "codes live for ten minutes at most")
        } else {
            (
                Severity::Warning,
                "with many servers codes live for a minute",
            )
        };
        let finding = Finding::of(rule)
            .graded(severity)
            .saying(format!("the code was {} old; {rest}", in_words(age)))
            .at(Evidence::answered(flow, name::CODE))
            .at(Evidence::sent(token, name::CODE));
        findings.raise(finding, token);
    }
}

/// Whether the request was refused for what it redeems, as far as the error code tells.
fn speaks_of_code(token: &Turn<'_>) -> bool {
    let of_code = |error: &str| {
        [INVALID_GRANT, INVALID_REQUEST].contains(&error) || !error_code::is_registered(error)
    };
    token.outcome() == Outcome::Failed && token.answer().get(name::ERROR).is_some_and(of_code)
}

/// Whether something else that was found says why the request failed.
fn is_explained(token: &Turn<'_>, findings: &Findings) -> bool {
    findings.iter().any(|finding| {
        let is_of = |evidence: &Evidence| evidence.interaction == token.id();
        finding.severity == Severity::Error
            && finding.rule.tier <= 4
            && finding.evidence.iter().any(is_of)
    })
}

const SHORT_LIFE: Duration = Duration::from_mins(1);
/// What RFC 6749 section 4.1.2 advises.
const LONGEST_LIFE: Duration = Duration::from_mins(10);
