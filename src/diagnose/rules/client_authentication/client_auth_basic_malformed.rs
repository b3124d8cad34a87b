//! `client-auth-basic-malformed`: the Basic header is none.

use crate::cassette::{Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "client-auth-basic-malformed",
    severity: Severity::Error,
    tier: 3,
    summary: "the Basic header is malformed, so no server can read it",
    why: "Basic credentials are client_id, a colon and the secret, all of it in base64 with its padding and without line breaks, behind the word Basic and one blank.",
    fix: "send `Authorization: Basic ` and base64 of the form-encoded halves with a colon between them (base64 -w0, and keep the = at its end)",
    see: &["RFC 7617 section 2", "RFC 4648 section 4"],
    example: "Authorization: Basic myid:mysecret",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for request in session.client_requests() {
        if let Some(defect) = defect(request) {
            let finding = Finding::of(rule)
                .saying(format!("the Basic header is malformed: {defect}"))
                .at(Evidence::authorization(request));
            findings.raise(finding, request);
        }
    }
}

/// What is wrong with the header.
pub(super) fn defect(request: &Turn<'_>) -> Option<&'static str> {
    let facts = request.facts();
    if facts.basic_no_scheme {
        Some("the scheme or the credentials are missing")
    } else if request.has_scheme("basic:") {
        Some("there is a colon behind the scheme")
    } else if !request.has_scheme("basic") {
        None
    } else if facts.basic_white_space {
        Some("there is white space inside the credentials")
    } else if facts.basic_not_base64 {
        Some("the credentials are no base64")
    } else if facts.basic_colons == Some(0) {
        Some("there is no colon between client_id and the secret")
    } else {
        facts
            .basic_unpadded
            .then_some("the base64 lacks its padding")
    }
}
