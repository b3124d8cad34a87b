//! `client-assertion-envelope`: an assertion comes without what belongs to it.

use crate::cassette::{Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name::{self, assertion_type};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "client-assertion-envelope",
    severity: Severity::Error,
    tier: 3,
    summary: "client_assertion and client_assertion_type do not belong together",
    why: "A server reads an assertion only beside the exact name of its type.",
    fix: "send a signed JWT as client_assertion, and beside it the client_assertion_type urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    see: &["RFC 7521 section 4.2", "RFC 7523 section 2.2"],
    example: "client_assertion_type=jwt-bearer",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for request in session
        .client_requests()
        .filter(|request| request.is_whole())
    {
        if let Some(defect) = defect(request) {
            let sent = request
                .param(name::CLIENT_ASSERTION_TYPE)
                .unwrap_or("(not sent)");
            let finding = Finding::of(rule).saying(defect).at(Evidence::new(
                request.id(),
                request.place(),
                format!("{}: {sent}", name::CLIENT_ASSERTION_TYPE),
            ));
            findings.raise(finding, request);
        }
    }
}

fn defect(request: &Turn<'_>) -> Option<String> {
    let (assertion, kind) = (
        request.param(name::CLIENT_ASSERTION),
        request.param(name::CLIENT_ASSERTION_TYPE),
    );
    match (assertion, kind) {
        (Some(_), None) => {
            Some("client_assertion was sent without client_assertion_type".to_owned())
        }
        (None, Some(_)) => {
            Some("client_assertion_type was sent without client_assertion".to_owned())
        }
        (Some(_), Some(kind)) if !TYPES.contains(&kind) => {
            Some(format!("`{kind}` is no type of a client assertion"))
        }
        (Some(""), _) => Some("client_assertion is empty".to_owned()),
        _ => request
            .facts()
            .client_assertion_not_jwt
            .then(|| "client_assertion is no signed JWT, which has three parts".to_owned()),
    }
}

const TYPES: &[&str] = &[assertion_type::JWT_BEARER, assertion_type::SAML2_BEARER];
