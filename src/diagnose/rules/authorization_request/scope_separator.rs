//! `scope-separator`: the scopes are not separated by spaces.

use crate::cassette::{Outcome, Session};
use crate::diagnose::finding::{Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::diagnose::rules::authorization_request::scopes;
use crate::oauth::error_code::INVALID_SCOPE;
use crate::oauth::providers::Allowance;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "scope-separator",
    severity: Severity::Error,
    tier: 4,
    summary: "the scopes are not separated by spaces",
    why: "Scopes are words with a space between. A server that keeps to that reads anything else as one scope, which it does not know.",
    fix: "join the scopes with a space, and have them encoded once",
    see: &["RFC 6749 section 3.3"],
    example: "scope=read,write",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for asked in scopes::asked(session) {
        // Some vendors document commas.
        let is_taken = asked.turn.facts().provider_takes == Some(Allowance::CommaScopes);
        let Some(words) = scopes::misspelt(asked.scope).filter(|_| !is_taken) else {
            continue;
        };
        let is_refused = asked.error.is_some_and(|(error, _)| error == INVALID_SCOPE);
        let severity = if is_refused {
            Severity::Error
        } else if asked.outcome == Outcome::Accepted {
            Severity::Note
        } else {
            Severity::Warning
        };
        let finding = Finding::of(rule)
            .graded(severity)
            .saying(format!(
                "the scopes are {words}; a server may read `{}` as one scope",
                asked.scope
            ))
            .at(asked.evidence);
        findings.raise_for(finding, asked.outcome);
    }
}
