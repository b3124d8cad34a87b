//! `token-body-json`: the parameters are sent as JSON.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;
use crate::oauth::providers::Allowance;
use crate::redact::Content;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-body-json",
    severity: Severity::Error,
    tier: 2,
    summary: "the parameters were sent as JSON; a token endpoint reads form fields only, so they were ignored",
    why: "The server looks for form fields, finds none, and answers with an error about something else. Some providers document JSON; where one refused it, it does not read it.",
    fix: "send them as a form: URLSearchParams in JavaScript, data= instead of json= in Python, http_build_query in PHP",
    see: &["RFC 6749 section 3.2", "RFC 6749 section 4.1.3"],
    example: "Content-Type: application/json, body: grant_type and the rest as members",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let media_type = token.media_type();
        let declared = media_type.ends_with("/json") || media_type.ends_with("+json");
        let grants = [
            name::GRANT_TYPE,
            name::CODE,
            name::REFRESH_TOKEN,
            name::CLIENT_ID,
        ];
        let carries = grants.iter().any(|name| token.body().has(name));
        if declared && carries && matches!(token.content(), Content::Json { .. }) {
            let names: Vec<_> = token
                .body()
                .iter()
                .map(|param| param.name.as_str())
                .collect();
            let finding = Finding::of(rule)
                .at(Evidence::new(
                    token.id(),
                    "header",
                    format!("Content-Type: {media_type}"),
                ))
                .at(Evidence::new(
                    token.id(),
                    "body",
                    format!("JSON with {}", names.join(", ")),
                ));
            findings.raise_unless_taken(finding, token, Allowance::Json);
        }
    }
}
