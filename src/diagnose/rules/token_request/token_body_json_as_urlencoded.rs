//! `token-body-json-as-urlencoded`: the body is JSON, and its header says form.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::sniff::Sniff;
use crate::redact::Content;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-body-json-as-urlencoded",
    severity: Severity::Error,
    tier: 2,
    summary: "the header promises a form but the body is JSON text, so the server reads one meaningless name",
    why: "The whole JSON text is taken for the name of one form field. No parameter has its own name, so none is found.",
    fix: "encode the parameters as a form instead of JSON.stringify or json_encode",
    see: &["RFC 6749 section 3.2", "RFC 6749 appendix B"],
    example: "Content-Type: application/x-www-form-urlencoded, body: a JSON object",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let json = matches!(token.content(), Content::Json { .. })
            || token.facts().body_sniff == Some(Sniff::Json);
        if json && token.media_type() == "application/x-www-form-urlencoded" {
            let finding = Finding::of(rule)
                .at(Evidence::new(
                    token.id(),
                    "header",
                    "Content-Type: application/x-www-form-urlencoded",
                ))
                .at(Evidence::new(token.id(), "body", "JSON"));
            findings.raise(finding, token);
        }
    }
}
