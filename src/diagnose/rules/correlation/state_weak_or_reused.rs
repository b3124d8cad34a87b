//! `state-weak-or-reused`: the state is constant, or can be guessed.

use crate::cassette::{Flow, Session};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;
use crate::oauth::state::Guessable;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "state-weak-or-reused",
    severity: Severity::Warning,
    tier: 7,
    summary: "state is constant or can be guessed",
    why: "A state that others can know protects nobody: they put it into the response that they forge.",
    fix: "take at least 128 random bits for each request",
    see: &["RFC 6749 section 10.10", "RFC 6749 section 10.12"],
    example: "state=xyz in each request",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    let mut before: Vec<Flow<'_, '_>> = Vec::new();
    for flow in session.flows() {
        let earlier = before.iter().find(|earlier| shares_state(**earlier, flow));
        let (asker, _) = flow.asker(name::STATE);
        let guessable = asker.facts().state_guessable;
        let message = match (earlier, guessable) {
            (Some(_), _) => "the same state was sent with two logins",
            (None, Some(Guessable::Short)) => {
                "state can be guessed: it has fewer than 8 characters"
            }
            (None, Some(Guessable::Digits)) => {
                "state can be guessed: it is a number that a clock or a counter gives"
            }
            (None, Some(Guessable::Constant)) => {
                "state can be guessed: it is one character again and again"
            }
            (None, None) => {
                before.push(flow);
                continue;
            }
        };
        let mut finding = Finding::of(rule).saying(message);
        if let Some(earlier) = earlier {
            finding = finding.at(Evidence::asked(*earlier, name::STATE));
        }
        findings.raise_ungraded(finding.at(Evidence::asked(flow, name::STATE)));
        before.push(flow);
    }
}

/// Whether two logins that came back have one state, and are not the same request, which a person
/// sends once more by going back.
fn shares_state(earlier: Flow<'_, '_>, flow: Flow<'_, '_>) -> bool {
    let same = |name| earlier.asked().get(name) == flow.asked().get(name);
    let fresh = [name::CODE_CHALLENGE, name::NONCE];
    let is_repeated = fresh
        .iter()
        .any(|name| flow.asked().has(name) && same(name));
    let state = flow.asked().get(name::STATE).unwrap_or_default();
    let came = |flow: Flow<'_, '_>| flow.response().is_some();
    !state.is_empty() && same(name::STATE) && !is_repeated && came(earlier) && came(flow)
}
