//! `iss-param-missing`: the response lacks the issuer that the metadata promises.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "iss-param-missing",
    severity: Severity::Error,
    tier: 4,
    summary: "the metadata promises iss in the response, and it is absent",
    why: "A client that reads the promise must refuse a response without iss: it may be of another server.",
    fix: "the server adds iss to each response, errors among them, or takes back the promise",
    see: &["RFC 9207 section 2", "RFC 9700 section 4.4.2"],
    example: "authorization_response_iss_parameter_supported: true, and no iss",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for flow in session.flows() {
        let Some(metadata) = session.metadata_of(flow.request()) else {
            continue;
        };
        let promised = metadata.is_set(name::AUTHORIZATION_RESPONSE_ISS_PARAMETER_SUPPORTED);
        // What stands in a JWT that nobody can read may have it, and an ID Token names the issuer too
        // (RFC 9207 section 2).
        let naming = [name::ISS, name::ID_TOKEN, name::RESPONSE];
        let is_read = flow
            .response()
            .is_some_and(|response| !naming.iter().any(|name| response.params.has(name)));
        if promised && is_read {
            let finding = Finding::of(rule)
                .at(Evidence::new(
                    metadata.id(),
                    "metadata",
                    name::AUTHORIZATION_RESPONSE_ISS_PARAMETER_SUPPORTED,
                ))
                .at(Evidence::answered(flow, name::ISS));
            findings.raise_for(finding, flow.outcome());
        }
    }
}
