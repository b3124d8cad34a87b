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
        let Some((severity, life)) = expired(age, token.facts().provider_code_life) else {
            continue;
        };
        // It is said only where nothing else explains the refusal.
        if !speaks_of_code(token) || findings.has_fault(0..=4, token) {
            continue;
        }
        let finding = Finding::of(rule)
            .graded(severity)
            .saying(format!("the code was {} old; {life}", in_words(age)))
            .at(Evidence::answered(flow, name::CODE))
            .at(Evidence::sent(token, name::CODE));
        findings.raise(finding, token);
    }
}

/// Whether a code of that age has expired, by what is known of its provider.
fn expired(age: Duration, code_life: Option<u64>) -> Option<(Severity, String)> {
    let life = code_life.map(Duration::from_secs);
    if let Some(life) = life.filter(|life| age > *life) {
        let words = format!("codes of this provider live for {}", in_words(life));
        Some((Severity::Error, words))
    } else if age > LONGEST_LIFE {
        let words = "codes live for ten minutes at most";
        Some((Severity::Error, words.to_owned()))
    } else {
        let words = "with many servers codes live for a minute";
        (age > SHORT_LIFE).then(|| (Severity::Warning, words.to_owned()))
    }
}

/// Whether the request was refused for what it redeems, as far as the error code tells.
fn speaks_of_code(token: &Turn<'_>) -> bool {
    let of_code = |error: &str| {
        [INVALID_GRANT, INVALID_REQUEST].contains(&error) || !error_code::is_registered(error)
    };
    token.outcome() == Outcome::Failed && token.answer().get(name::ERROR).is_some_and(of_code)
}

const SHORT_LIFE: Duration = Duration::from_mins(1);
/// What RFC 6749 section 4.1.2 advises.
const LONGEST_LIFE: Duration = Duration::from_mins(10);
