//! `nonce-mismatch`: the nonce in the ID Token is not the one that was sent.

use crate::cassette::{Flow, Outcome, Session};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "nonce-mismatch",
    severity: Severity::Error,
    tier: 6,
    summary: "the nonce in the ID Token is not the one that was sent",
    why: "A client must refuse an ID Token whose nonce is not the one of its request: it is of another login.",
    fix: "the server echoes the nonce unchanged; the client keeps one nonce for each state",
    see: &[
        "OpenID Connect Core section 2",
        "OpenID Connect Core section 3.1.3.7",
    ],
    example: "sent one nonce, and the ID Token has none",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for flow in session.flows() {
        for (id, token) in id_tokens(flow) {
            let Some(jwt) = session.jwt(&token) else {
                continue;
            };
            let claim = jwt.claims.get(name::NONCE);
            let claim = claim.and_then(|claim| claim.as_str());
            let sent = flow.asked().get(name::NONCE);
            let message = match (sent, claim) {
                (Some(_), None) => "a nonce was sent, and the ID Token has none",
                (Some(sent), Some(claim)) if sent != claim => {
                    "the ID Token has another nonce than was sent"
                }
                (None, Some(_)) if flow.is_whole() => "the ID Token has a nonce, and none was sent",
                _ => continue,
            };
            let finding = Finding::of(rule)
                .saying(message)
                .at(Evidence::asked(flow, name::NONCE))
                .at(Evidence::new(id, "id token", claim.unwrap_or("(no nonce)")));
            findings.raise_ungraded(finding);
        }
    }
}

/// The ID Tokens that a login brought, by the interactions that did.
fn id_tokens(flow: Flow<'_, '_>) -> Vec<(u64, String)> {
    let carried = flow.answered(name::ID_TOKEN).zip(flow.carrier());
    let carried = carried.map(|(token, carrier)| (carrier.id(), token.to_owned()));
    let issued = flow
        .token_requests()
        .filter(|(token, _)| token.outcome() == Outcome::Accepted)
        .filter_map(|(token, _)| {
            Some((token.id(), token.answer().get(name::ID_TOKEN)?.to_owned()))
        });
    carried.into_iter().chain(issued).collect()
}
