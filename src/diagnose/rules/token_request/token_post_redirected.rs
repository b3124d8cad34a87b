//! `token-post-redirected`: the token endpoint sent the POST elsewhere.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::relation::{UrlPart, url_relation};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-post-redirected",
    severity: Severity::Error,
    tier: 1,
    summary: "the token URL redirects, and a client that follows turns the POST into a GET without its form",
    why: "On 301, 302 and 303 clients repeat the request as a GET and leave the body behind, so the final error is about an empty GET. The usual causes are http for https, a missing or an extra slash, and another host name.",
    fix: "configure the final URL literally",
    see: &[
        "RFC 9110 section 15.4.2",
        "RFC 9110 section 15.4.4",
        "RFC 9700 section 4.12",
    ],
    example: "POST http://as.example/token -> 301 https://as.example/token -> GET -> 405",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let Some(response) = token
            .interaction
            .response()
            .filter(|response| MOVED.contains(&response.status()))
            // That is no other address of the endpoint, and a finding of its own.
            .filter(|_| token.login_location().is_none())
        else {
            continue;
        };
        let headers = response.headers();
        let Some(location) = headers.get("location") else {
            continue;
        };
        let from = token.interaction.request().url();
        let parts: Vec<_> = url_relation(from, location)
            .into_iter()
            .map(UrlPart::as_str)
            .collect();
        let kind = if parts.is_empty() {
            "to itself".to_owned()
        } else {
            parts.join(", ")
        };
        let finding = Finding::of(rule)
            .saying(format!(
                "the token URL redirects ({kind}); a client that follows loses the form on the way"
            ))
            .fixed_by(format!("configure the final URL literally: {location}"))
            .at(Evidence::new(token.id(), "token", from))
            .at(Evidence::new(token.id(), "location", location));
        findings.raise(finding, token);
    }
}

const MOVED: &[u16] = &[301, 302, 303, 307, 308];
