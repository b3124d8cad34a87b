//! `client-secret-sent-by-public-client`: a secret is sent from where everybody can read it.

use crate::cassette::{Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "client-secret-sent-by-public-client",
    severity: Severity::Warning,
    tier: 3,
    summary: "a secret was sent by a client that can keep none",
    why: "Whoever uses a page or an installed program can read the secret in it. Servers that know the client as a public one refuse a secret from it.",
    fix: "leave the secret out and use PKCE; or register a confidential client and make the token request from a server",
    see: &["RFC 6749 section 2.1", "RFC 8252 section 8.5"],
    example: "client_secret=… with Origin: https://spa.example and Sec-Fetch-Mode: cors",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for request in session.client_requests() {
        let sent = request
            .client_secret()
            .is_some_and(|secret| !secret.is_empty())
            || request.param(name::CLIENT_ASSERTION).is_some();
        if !sent {
            continue;
        }
        let finding = if is_told(request) {
            Finding::of(rule)
                .graded(Severity::Error)
                .saying(
                    "the server knows this client as a public one, and a secret was sent for it",
                )
                .at(Evidence::new(
                    request.id(),
                    "response",
                    request.error_text(),
                ))
        } else if request.is_fetched_by_page() {
            let origin = request.headers().get("origin").unwrap_or("(not sent)");
            Finding::of(rule)
                .saying("a page sent a secret that everybody who opens the page can read")
                .at(Evidence::new(
                    request.id(),
                    "header",
                    format!("Origin: {origin}"),
                ))
        } else {
            continue;
        };
        findings.raise(finding, request);
    }
}

/// Whether the server says that the client is public and has no secret.
fn is_told(request: &Turn<'_>) -> bool {
    let said = request.error_words();
    let codes = ["700025", "90023"];
    let is_public = said.contains("public client") && said.contains("secret");
    is_public || codes.iter().any(|code| request.says_aadsts(code))
}
