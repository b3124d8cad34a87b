//! `entra-spa-origin`: a redirect URI of Microsoft's is registered for the other kind of client.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "entra-spa-origin",
    severity: Severity::Error,
    tier: 3,
    summary: "the redirect URI is registered for pages and was used from a server, or the other way round",
    why: "Microsoft redeems the code of a redirect URI of the platform \"single-page application\" only for a request with an Origin, as browsers send it, and that of any other platform only without.",
    fix: "change the platform of the redirect URI in the registration, or move the token request",
    see: &["RFC 6749 section 2.1"],
    example: "AADSTS9002327 for a token request without Origin",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let origin = token.headers().get("origin");
        let (message, fix) = match origin {
            None if token.says_aadsts("9002327") => (
                "the redirect URI is registered for a single-page application, but the request came from a server",
                "register the redirect URI under the platform \"Web\", or redeem the code in the page",
            ),
            Some(_) if token.says_aadsts("9002326") => (
                "the request came from a page, but the redirect URI is not registered for a single-page application",
                "register the redirect URI under the platform \"Single-page application\", or redeem the code on a server",
            ),
            _ => continue,
        };
        let finding = Finding::of(rule)
            .saying(message)
            .fixed_by(fix)
            .at(Evidence::new(
                token.id(),
                "header",
                format!("Origin: {}", origin.unwrap_or("(not sent)")),
            ))
            .at(Evidence::new(token.id(), "response", token.error()));
        findings.raise(finding, token);
    }
}
