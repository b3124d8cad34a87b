//! `nonce-missing-in-request`: an ID Token is asked for in the front channel, without a nonce.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "nonce-missing-in-request",
    severity: Severity::Error,
    tier: 6,
    summary: "an ID Token in the authorization response requires a nonce in the request",
    why: "Without a nonce an ID Token that was issued for another login is taken for this one. Servers refuse the request.",
    fix: "send a fresh random nonce, and compare it with the claim in the ID Token",
    see: &[
        "OpenID Connect Core section 3.2.2.1",
        "OpenID Connect Core section 3.3.2.11",
    ],
    example: "response_type=id_token without nonce",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for flow in session.flows() {
        let asked = flow.asked();
        let response_type = asked.get(name::RESPONSE_TYPE).unwrap_or_default();
        let nonce = asked.get(name::NONCE).unwrap_or_default();
        let wants = response_type.split(' ').any(|word| word == name::ID_TOKEN);
        if wants && nonce.is_empty() && flow.is_whole() {
            let finding = Finding::of(rule)
                .saying(format!("response_type {response_type} requires a nonce"))
                .at(Evidence::asked(flow, name::NONCE));
            findings.raise_for(finding, flow.outcome());
        }
    }
}
