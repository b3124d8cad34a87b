//! `code-from-another-flow`: the code is of a login before the one that is completed.

use crate::cassette::{Flow, Outcome, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;
use crate::oauth::pkce::PkceCheck;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "code-from-another-flow",
    severity: Severity::Error,
    tier: 4,
    summary: "this code is not of the login that is being completed",
    why: "A code belongs to one authorization request, and to the verifier, the redirect URI and the session of that.",
    fix: "keep what belongs to a login under its state, and take the code from the response with that state",
    see: &["RFC 6749 section 4.1.3", "RFC 9700 section 4.5"],
    example: "two logins came back, and the code of the first is redeemed with the verifier of the second",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let Some((flow, newer)) = stale(session, token) else {
            continue;
        };
        let proven = token.facts().pkce_check == Some(PkceCheck::OfOtherFlow);
        let severity = if proven {
            Severity::Error
        } else {
            Severity::Warning
        };
        let finding = Finding::of(rule)
            .graded(severity)
            .saying(format!(
                "this code came back in interaction {}, and the login that came back last is that of interaction {}",
                carrier(flow),
                carrier(newer)
            ))
            .at(Evidence::answered(flow, name::CODE))
            .at(Evidence::answered(newer, name::CODE))
            .at(Evidence::sent(token, name::CODE));
        findings.raise(finding, token);
    }
}

fn carrier(flow: Flow<'_, '_>) -> u64 {
    flow.carrier().map_or(0, Turn::id)
}

/// The flow whose code a refused request redeems, where a later one of the same client came back
/// before, and nobody redeems the code of that.
pub(in crate::diagnose::rules) fn stale<'s, 'a>(
    session: &'s Session<'a>,
    token: &Turn<'_>,
) -> Option<(Flow<'s, 'a>, Flow<'s, 'a>)> {
    let (flow, _) = session.flow_of(token)?;
    let came = flow.answered_at()?;
    let is_newer = |other: &Flow<'_, '_>| {
        let client = other.asked().get(name::CLIENT_ID);
        let at = other.answered_at();
        client == flow.asked().get(name::CLIENT_ID)
            && at.is_some_and(|at| at > came && at <= token.interaction.at())
            && other.answered(name::CODE).is_some()
            && other.token_requests().next().is_none()
    };
    let newer = session.flows().filter(is_newer).last()?;
    let uses = |flow: Flow<'_, '_>| flow.asked().has(name::CODE_CHALLENGE);
    // A verifier that fits shows that the code is the right one.
    let fits = uses(flow) && token.facts().pkce_check != Some(PkceCheck::OfOtherFlow);
    (token.outcome() == Outcome::Failed && !fits).then_some((flow, newer))
}
