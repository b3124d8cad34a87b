//! `client-assertion-aud`: a client assertion is for somebody else.

use serde_json::Value;

use crate::cassette::{Metadata, Outcome, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::diagnose::rules::client_authentication::client_assertion_time::assertion;
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "client-assertion-aud",
    severity: Severity::Error,
    tier: 3,
    summary: "the client assertion is not for this server",
    why: "aud says whom an assertion is for, and a server takes none that is for another: the issuer, or with older profiles the token endpoint, spelled exactly as the server spells it.",
    fix: "set aud to the issuer of the metadata, exactly as it stands there",
    see: &["RFC 7523 section 3", "RFC 9126 section 2"],
    example: "aud: https://as.example and issuer: https://as.example/",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for request in session.client_requests() {
        let told = request.refused_client() || request.outcome() == Outcome::Accepted;
        let metadata = session.metadata_of(request).filter(|_| told);
        let Some((metadata, jwt)) = metadata.zip(assertion(session, request)) else {
            continue;
        };
        let aud: Vec<&str> = match jwt.claims.get(name::AUD) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let issuer = metadata.get(name::ISSUER).unwrap_or_default();
        let meant = aud.iter().any(|aud| is_meant(aud, metadata, request));
        if meant
            || jwt.claims.get(name::AUD).is_none()
                && request.param(name::CLIENT_ASSERTION).is_none()
        {
            continue;
        }
        let aud = if aud.is_empty() {
            "nobody".to_owned()
        } else {
            aud.join(", ")
        };
        let finding = Finding::of(rule)
            .saying(format!(
                "the client assertion is for {aud}; this server is {issuer}"
            ))
            .fixed_by(format!("set aud to {issuer}"))
            .at(Evidence::new(
                metadata.id(),
                "metadata",
                format!("issuer: {issuer}"),
            ))
            .at(Evidence::new(
                request.id(),
                request.place(),
                format!("aud: {aud}"),
            ));
        findings.raise(finding, request);
    }
}

/// Whether the server may take itself for who is meant. The URL of another endpoint than the token
/// endpoint is none where the server refused it.
fn is_meant(aud: &str, metadata: &Metadata, request: &Turn<'_>) -> bool {
    let names = [name::ISSUER, name::TOKEN_ENDPOINT];
    let accepted = request.outcome() == Outcome::Accepted;
    names.iter().any(|name| metadata.get(name) == Some(aud))
        || metadata.mtls_alias(name::TOKEN_ENDPOINT) == Some(aud)
        || (accepted && request.interaction.request().url() == aud)
}
