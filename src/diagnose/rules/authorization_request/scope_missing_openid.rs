//! `scope-missing-openid`: an OpenID Connect request without the scope `openid`.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::diagnose::rules::authorization_request::scopes::words;
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "scope-missing-openid",
    severity: Severity::Error,
    tier: 6,
    summary: "without the scope openid this is plain OAuth, and no ID Token comes",
    why: "The scope openid makes an authorization request one of OpenID Connect. Without it a server leaves out the ID Token and refuses the UserInfo request.",
    fix: "add openid to the scope",
    see: &[
        "OpenID Connect Core section 3.1.2.1",
        "OpenID Connect Core section 3.1.3.3",
    ],
    example: "scope=profile email with a nonce",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for flow in session.flows() {
        let asked = flow.asked();
        let scope = asked.get(name::SCOPE).unwrap_or_default();
        let wants = OF_OPENID.iter().find(|name| asked.has(name));
        let got = flow.answered(name::ID_TOKEN).is_some()
            || flow
                .token_requests()
                .any(|(token, _)| token.answer().has(name::ID_TOKEN));
        let Some(wants) = wants.filter(|_| !got && flow.is_whole()) else {
            continue;
        };
        if words(scope).contains(&OPENID) {
            continue;
        }
        let finding = Finding::of(rule)
            .saying(format!(
                "the request has {wants}, which is of OpenID Connect, and its scope lacks openid: no ID Token comes"
            ))
            .at(Evidence::asked(flow, name::SCOPE))
            .at(Evidence::asked(flow, wants));
        findings.raise_for(finding, flow.outcome());
    }
}

const OPENID: &str = "openid";
/// Parameters that only OpenID Connect has.
const OF_OPENID: &[&str] = &[
    name::NONCE,
    name::CLAIMS,
    name::MAX_AGE,
    name::ID_TOKEN_HINT,
];
