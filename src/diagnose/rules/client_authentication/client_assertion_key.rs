//! `client-assertion-key`: a client assertion is signed in a way that the server cannot verify.

use crate::cassette::{Outcome, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::diagnose::rules::client_authentication::client_assertion_time::assertion;
use crate::diagnose::rules::client_authentication::client_auth_method_not_registered::registration_of;
use crate::oauth::credentials::AssertionSignature;
use crate::oauth::name::{self, auth_method};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "client-assertion-key",
    severity: Severity::Error,
    tier: 3,
    summary: "the client assertion is signed in a way that the server cannot verify",
    why: "The server verifies the signature by the algorithm of the header with a key that is registered for the client. An ECDSA signature is the two numbers side by side, not the ASN.1 that most crypto libraries give.",
    fix: "sign with an algorithm that the metadata names and the registered key; write an ECDSA signature as R and S",
    see: &["RFC 7523 section 3", "RFC 7518 section 3.4"],
    example: "ES256 with a signature of 70 bytes instead of 64",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for request in session.client_requests() {
        let told = request.refused_client() || request.outcome() == Outcome::Accepted;
        if let Some(defect) = told.then(|| defect(session, request)).flatten() {
            let finding = Finding::of(rule)
                .saying(format!("the client assertion cannot be verified: {defect}"))
                .at(Evidence::new(request.id(), request.place(), defect));
            findings.raise(finding, request);
        }
    }
}

fn defect(session: &Session<'_>, request: &Turn<'_>) -> Option<String> {
    match request.facts().client_assertion_signature {
        Some(AssertionSignature::Der) => {
            return Some("the ECDSA signature is ASN.1, not R and S side by side".to_owned());
        }
        Some(AssertionSignature::Empty) => return Some("it has no signature".to_owned()),
        None => {}
    }
    let jwt = assertion(session, request)?;
    let alg = jwt.header.get(name::ALG)?.as_str()?;
    if alg.eq_ignore_ascii_case("none") {
        return Some("alg is none, so it is signed by nobody".to_owned());
    }
    request.param(name::CLIENT_ASSERTION)?;
    let registered = registration_of(session, request)
        .and_then(|turn| turn.answer().get(name::TOKEN_ENDPOINT_AUTH_METHOD));
    if alg.starts_with("HS") && registered == Some(auth_method::PRIVATE_KEY_JWT) {
        return Some(format!(
            "alg is {alg}, and the client is registered for private_key_jwt"
        ));
    }
    let offered = session
        .metadata_of(request)?
        .list(name::TOKEN_ENDPOINT_AUTH_SIGNING_ALG_VALUES_SUPPORTED)?;
    (!offered.contains(&alg)).then(|| {
        format!(
            "alg is {alg}, and the metadata offers {}",
            offered.join(", ")
        )
    })
}
