//! `redirect-uri-fragment`: the redirect URI has a fragment.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "redirect-uri-fragment",
    severity: Severity::Error,
    tier: 4,
    summary: "a redirect URI must not contain a fragment",
    why: "A browser keeps what stands behind # to itself. A server that appends the code there sends it to where the application never sees it.",
    fix: "use a redirect URI with a path of its own instead of one behind #",
    see: &["RFC 6749 section 3.1.2"],
    example: "redirect_uri=https://x.example/app/#/oauth",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    let has_fragment = |uri: Option<&str>| uri.is_some_and(|uri| uri.contains('#'));
    for flow in session.flows() {
        if has_fragment(flow.asked().get(name::REDIRECT_URI)) {
            let finding = Finding::of(rule).at(Evidence::asked(flow, name::REDIRECT_URI));
            findings.raise_for(finding, flow.outcome());
        }
    }
    for token in session.token_requests() {
        let flow = session.flow_of(token);
        let is_told =
            flow.is_some_and(|(flow, _)| has_fragment(flow.asked().get(name::REDIRECT_URI)));
        if has_fragment(token.param(name::REDIRECT_URI)) && !is_told {
            let finding = Finding::of(rule).at(Evidence::sent(token, name::REDIRECT_URI));
            findings.raise(finding, token);
        }
    }
}
