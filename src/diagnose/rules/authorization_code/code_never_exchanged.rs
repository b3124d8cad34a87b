//! `code-never-exchanged`: a code came back, and nobody redeems it.

use std::time::Duration;

use crate::cassette::{Flow, Outcome, Session};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::{Step, name};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "code-never-exchanged",
    severity: Severity::Warning,
    tier: 4,
    summary: "a code arrived but was never exchanged",
    why: "The access token does not arrive at the redirect URI. It is in the body of the answer to the POST to the token endpoint, with which the client redeems the code.",
    fix: "send the code to the token endpoint: POST with grant_type=authorization_code, code and redirect_uri",
    see: &["RFC 6749 section 4.1", "RFC 6749 section 4.1.4"],
    example: "a response with a code, and no token request behind it",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    let ends = session.turns().iter().map(|turn| turn.interaction.at());
    let ends = ends.max().unwrap_or_default();
    for flow in session.flows() {
        let came = flow.answered_at().filter(|_| is_left(session, flow));
        let Some(came) = came else { continue };
        let passed = ends.saturating_sub(came);
        if passed >= PATIENCE {
            let finding = Finding::of(rule).at(Evidence::answered(flow, name::CODE));
            findings.raise_ungraded(finding);
        }
    }
}

/// Whether nobody redeems the code of a flow, by all that can be seen: the client's own requests
/// are recorded, and neither a token request nor a later login takes its place.
fn is_left(session: &Session<'_>, flow: Flow<'_, '_>) -> bool {
    let asked = flow.request().id();
    let is_later = |id: u64| id > asked;
    let by_client = [
        Step::Discovery,
        Step::Jwks,
        Step::PushedAuthorizationRequest,
        Step::Resource,
        Step::TokenRequest,
    ];
    let is_client_seen = session
        .turns()
        .iter()
        .any(|turn| by_client.contains(&turn.step()));
    let may_redeem = session.token_requests().any(|token| is_later(token.id()));
    let goes_on = session
        .flows()
        .any(|other| is_later(other.request().id()) && other.outcome() == Outcome::Accepted);
    flow.answered(name::CODE).is_some() && is_client_seen && !may_redeem && !goes_on
}

/// A recording that ends sooner shows nothing of what is missing.
const PATIENCE: Duration = Duration::from_secs(10);
