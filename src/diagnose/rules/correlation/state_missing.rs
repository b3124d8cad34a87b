//! `state-missing`: the authorization request has no state.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "state-missing",
    severity: Severity::Warning,
    tier: 7,
    summary: "the authorization request has no state",
    why: "By the state a client knows that a response belongs to a login which this browser began. Without it, anybody can have a browser complete a login that is not its own.",
    fix: "send a fresh random state with each request, and compare it with the one that comes back",
    see: &[
        "RFC 6749 section 10.12",
        "RFC 9700 section 2.1",
        "RFC 9700 section 4.7",
    ],
    example: "an authorization request without state, nonce and code_challenge",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for flow in session.flows() {
        let has = |name| {
            let value: Option<&str> = flow.asked().get(name);
            value.is_some_and(|value| !value.is_empty())
        };
        if has(name::STATE) || !flow.is_whole() {
            continue;
        }
        let (severity, message) = if has(name::CODE_CHALLENGE) {
            let message = "the authorization request has no state; its code_challenge protects it in its place";
            (Severity::Note, message)
        } else if has(name::NONCE) {
            let message = "the authorization request has no state, only a nonce, which protects it once the client compares it";
            (Severity::Warning, message)
        } else {
            let message =
                "no state, code_challenge or nonce: the response cannot be tied to this browser";
            (Severity::Error, message)
        };
        let finding = Finding::of(rule)
            .graded(severity)
            .saying(message)
            .at(Evidence::asked(flow, name::STATE));
        findings.raise_ungraded(finding);
    }
}
