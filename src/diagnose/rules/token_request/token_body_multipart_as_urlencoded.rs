//! `token-body-multipart-as-urlencoded`: the body is multipart, and its header says form.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::sniff::Sniff;
use crate::redact::Content;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-body-multipart-as-urlencoded",
    severity: Severity::Error,
    tier: 2,
    summary: "the body is multipart/form-data but its header says x-www-form-urlencoded, so the server sees no parameters at all and any error it returns is about something else",
    why: "The server reads the body as the header says, finds no parameter in it, not even grant_type, and answers with the error it has for that. PHP sends multipart whenever CURLOPT_POSTFIELDS is an array.",
    fix: "send one encoded string: in PHP http_build_query($params, '', '&') for CURLOPT_POSTFIELDS",
    see: &[
        "RFC 6749 section 4.1.3",
        "RFC 6749 appendix B",
        "RFC 7578 section 4.1",
    ],
    example: "Content-Type: application/x-www-form-urlencoded, body: --------------------------9f…",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let multipart = matches!(token.content(), Content::Multipart(_))
            || token.facts().body_sniff == Some(Sniff::Multipart);
        if multipart && token.media_type() == FORM {
            let header = token.headers().get("content-type").unwrap_or_default();
            let finding = Finding::of(rule)
                .at(Evidence::new(
                    token.id(),
                    "header",
                    format!("Content-Type: {header}"),
                ))
                .at(Evidence::new(
                    token.id(),
                    "body",
                    "multipart/form-data, in parts",
                ));
            findings.raise(finding, token);
        }
    }
}

const FORM: &str = "application/x-www-form-urlencoded";
