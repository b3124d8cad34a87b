//! `token-body-empty`: the token request has no body at all.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::model::Framing;
use crate::oauth::registry;
use crate::redact::Content;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-body-empty",
    severity: Severity::Error,
    tier: 2,
    summary: "the token request has no body at all, so the server saw no parameter; any error it returns is about something else",
    why: "The parameters were set and then lost before the request was sent. With PHP: CURLOPT_POST after CURLOPT_POSTFIELDS empties the body again, and an array in CURLOPT_POSTFIELDS is no form in the first place.",
    fix: "send the form as one encoded string",
    see: &["RFC 6749 section 3.2", "RFC 6749 section 4.1.3"],
    example: "POST /token with Transfer-Encoding: chunked and not one byte of body",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let empty = matches!(token.content(), Content::Empty | Content::None);
        let moved = token
            .interaction
            .response()
            .is_some_and(|response| (300..400).contains(&response.status()));
        let elsewhere = token
            .query()
            .iter()
            .any(|param| registry::is_known(&param.name));
        if token.method() != "POST" || !empty || moved || elsewhere {
            continue;
        }
        let chunked = token.interaction.request().framing() == Some(Framing::Chunked);
        let php = token
            .headers()
            .get("user-agent")
            .is_some_and(|agent| agent.contains("PHP") || agent.contains("curl"));
        let how = if chunked {
            "0 bytes, sent chunked"
        } else {
            "0 bytes"
        };
        let mut finding = Finding::of(rule).at(Evidence::new(
            token.id(),
            "token",
            format!("POST {}: {how}", token.interaction.request().url()),
        ));
        if chunked || php || token.headers().has("expect") {
            finding = finding.fixed_by(
                "send the form as one encoded string; in PHP set CURLOPT_POSTFIELDS to http_build_query($params), \
                 after any CURLOPT_POST, or leave CURLOPT_POST out",
            );
        }
        findings.raise(finding, token);
    }
}
