//! `client-auth-method-unsupported`: the server does not offer the way in which the client shows who
//! it is.

use crate::cassette::{ClientAuth, Outcome, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::Step;
use crate::oauth::name::{self, auth_method};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "client-auth-method-unsupported",
    severity: Severity::Error,
    tier: 3,
    summary: "the client authenticates in a way that the server's metadata does not offer",
    why: "A server looks for credentials where it offers to, and takes those elsewhere for none.",
    fix: "switch the client to a method that the metadata names",
    see: &["RFC 8414 section 2", "RFC 6749 section 2.3"],
    example: "client_secret in the body, and token_endpoint_auth_methods_supported: [client_secret_basic]",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    let asks = |turn: &&Turn<'_>| {
        [Step::TokenRequest, Step::PushedAuthorizationRequest].contains(&turn.step())
    };
    for request in session.client_requests().filter(asks) {
        let told = request.refused_client() || request.outcome() == Outcome::Accepted;
        let metadata = session.metadata_of(request).filter(|_| told);
        let Some((used, metadata)) = request.only_client_auth().zip(metadata) else {
            continue;
        };
        let listed = metadata.list(name::TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED);
        // A server that lists none is said to offer one, and few of them mean it.
        let is_listed = listed.is_some();
        if !is_listed && !request.refused_client() {
            continue;
        }
        let offered = listed.unwrap_or_else(|| vec![auth_method::CLIENT_SECRET_BASIC]);
        let names = names(session, request, used);
        if names.iter().any(|name| offered.contains(name)) {
            continue;
        }
        let finding = Finding::of(rule)
            .graded(if is_listed {
                Severity::Error
            } else {
                Severity::Warning
            })
            .saying(format!(
                "the client authenticates by {}; the metadata {} {}",
                names.join(" or "),
                if is_listed {
                    "offers"
                } else {
                    "lists no method, which stands for"
                },
                offered.join(", ")
            ))
            .at(Evidence::new(
                metadata.id(),
                "metadata",
                format!(
                    "{}: {}",
                    name::TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED,
                    offered.join(", ")
                ),
            ))
            .at(Evidence::new(request.id(), request.place(), used.place()));
        findings.raise(finding, request);
    }
}

/// What a registration calls the way in which a client shows who it is.
pub(super) fn names(
    session: &Session<'_>,
    request: &Turn<'_>,
    used: ClientAuth,
) -> Vec<&'static str> {
    let jwt = request
        .param(name::CLIENT_ASSERTION)
        .and_then(|assertion| session.jwt(assertion));
    let alg = jwt
        .as_ref()
        .and_then(|jwt| jwt.header.get(name::ALG)?.as_str());
    match (used, alg) {
        (ClientAuth::Assertion, Some(alg)) if alg.starts_with("HS") => {
            vec![auth_method::CLIENT_SECRET_JWT]
        }
        (ClientAuth::Assertion, Some(_)) => vec![auth_method::PRIVATE_KEY_JWT],
        _ => used.names().to_vec(),
    }
}
