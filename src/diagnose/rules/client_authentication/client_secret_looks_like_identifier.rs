//! `client-secret-looks-like-identifier`: what is sent as the secret is something else.

use crate::cassette::{Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::credentials::SecretLook;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "client-secret-looks-like-identifier",
    severity: Severity::Warning,
    tier: 3,
    summary: "the value that was sent as the secret looks like something else",
    why: "Consoles show a secret beside its own number, the client's identifier and public keys, and the wrong one is easily copied.",
    fix: "copy the value of the secret; where it is shown no more, make another",
    see: &["RFC 6749 section 2.3.1"],
    example: "a UUID at login.microsoftonline.com, which is the number of the secret",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for request in session
        .client_requests()
        .filter(|request| request.refused_client())
    {
        if let Some(what) = what(request) {
            let finding = Finding::of(rule)
                .saying(format!(
                    "the value that was sent as the secret looks like {what}"
                ))
                .at(Evidence::new(request.id(), request.place(), what));
            findings.raise(finding, request);
        }
    }
}

fn what(request: &Turn<'_>) -> Option<&'static str> {
    match request.facts().client_secret_looks_like? {
        SecretLook::ClientId => Some("the identifier of a client"),
        SecretLook::PublishableKey => Some("a key that is public"),
        // Elsewhere it may well be one; Microsoft says so by this code.
        SecretLook::Uuid => request
            .says_aadsts("7000215")
            .then_some("the number of a secret (a UUID), not the secret"),
    }
}
