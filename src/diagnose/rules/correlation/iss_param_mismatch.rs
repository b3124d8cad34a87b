//! `iss-param-mismatch`: the response names another issuer than the metadata.

use crate::cassette::Session;
use crate::diagnose::finding::{Contrast, Evidence, Finding, Findings, parting};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;
use crate::oauth::relation::url_relation;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "iss-param-mismatch",
    severity: Severity::Error,
    tier: 4,
    summary: "the response names another issuer than the metadata of the server",
    why: "A client compares iss with the issuer that it knows, as a string, and refuses a response that seems to be of another server.",
    fix: "use one string for the issuer everywhere: in the metadata, in the response and in the client",
    see: &["RFC 9207 section 2.4"],
    example: "iss=https://x.example and the issuer https://x.example/",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for flow in session.flows() {
        let Some(metadata) = session.metadata_of(flow.request()) else {
            continue;
        };
        let (Some(iss), Some(issuer)) = (flow.answered(name::ISS), metadata.get(name::ISSUER))
        else {
            continue;
        };
        // One document for many tenants has a template in the place of each.
        if iss == issuer || issuer.contains('{') {
            continue;
        }
        let contrast = Contrast::between(issuer, iss, parting(&url_relation(issuer, iss)));
        let finding = Finding::of(rule)
            .saying(format!(
                "iss in the response is {iss}, and the metadata says {issuer}"
            ))
            .at(Evidence::new(metadata.id(), "metadata", issuer))
            .at(Evidence::answered(flow, name::ISS))
            .parting(contrast);
        findings.raise_for(finding, flow.outcome());
    }
}
