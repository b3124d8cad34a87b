//! `redirect-uri-rejected-at-authorize`: the authorization endpoint does not know the redirect URI.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "redirect-uri-rejected-at-authorize",
    severity: Severity::Error,
    tier: 4,
    summary: "the authorization server does not recognise this redirect_uri and refused to redirect",
    why: "A server must not send anybody to a URL that is not registered for the client, so it shows its error as a page of its own.",
    fix: "register the exact string with the provider, or send the one that is registered",
    see: &["RFC 6749 section 3.1.2.3", "RFC 6749 section 4.1.2.1"],
    example: "400 with a page that says redirect_uri_mismatch",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for flow in session.flows() {
        let asked = flow.last_request();
        let Some(status) = asked.status() else {
            continue;
        };
        // Some servers say so with a 200; who got a code behind it was not refused.
        let refused = status >= 400 || (status == 200 && flow.answered(name::CODE).is_none());
        let facts = asked.facts();
        if refused
            && !asked.answer_headers().has("location")
            && facts.page_mentions_redirect_uri
            && !facts.page_asks_password
        {
            let finding = Finding::of(rule)
                .at(Evidence::asked(flow, name::REDIRECT_URI))
                .at(Evidence::new(
                    asked.id(),
                    "response",
                    format!("{status}, a page that speaks of the redirect URI"),
                ));
            findings.raise_ungraded(finding);
        }
    }
}
