//! `token-accept-not-json`: the client does not ask for JSON, and gets none.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-accept-not-json",
    severity: Severity::Warning,
    tier: 5,
    summary: "the server did not answer in JSON, which was not asked for",
    why: "A few servers, GitHub's among them, choose the format of the answer by Accept, and take a form where JSON is not named. A client that reads JSON finds no token in it.",
    fix: "send Accept: application/json",
    see: &["RFC 9110 section 12.5.1", "RFC 6749 section 5.1"],
    example: "no Accept -> access_token=gho_…&scope=&token_type=bearer",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let accept = token.headers().get("accept");
        let lower = accept.unwrap_or_default().to_ascii_lowercase();
        let asked = ["json", "*/*", "application/*"]
            .iter()
            .any(|range| lower.contains(range));
        let came = token.answer_headers().media_type().unwrap_or_default();
        let form = came == "application/x-www-form-urlencoded" || came.ends_with("xml");
        // What answers with a page may be no token endpoint, unless a page was asked for.
        let page = came == "text/html" && lower.contains("html");
        if !asked && (form || page) {
            let finding = Finding::of(rule)
                .saying(format!(
                    "the server answered in {came}; JSON was not asked for"
                ))
                .at(Evidence::new(
                    token.id(),
                    "header",
                    format!("Accept: {}", accept.unwrap_or("(not sent)")),
                ))
                .at(Evidence::new(
                    token.id(),
                    "response",
                    format!("Content-Type: {came}"),
                ));
            findings.raise(finding, token);
        }
    }
}
