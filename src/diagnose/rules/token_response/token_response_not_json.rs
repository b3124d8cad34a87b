//! `token-response-not-json`: tokens came as something else than JSON.

use crate::cassette::{Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;
use crate::oauth::sniff::Sniff;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-response-not-json",
    severity: Severity::Warning,
    tier: 5,
    summary: "the token response is not JSON, or is not called that",
    why: "A token response is a JSON object of the type application/json. A client that trusts the type, or the standard, \
          cannot read anything else.",
    fix: "ask for JSON with Accept: application/json; if that changes nothing, read the body as what it is",
    see: &["RFC 6749 section 5.1"],
    example: "200 access_token=…&token_type=bearer",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let Some(what) = what_it_is(token) else {
            continue;
        };
        let is_read = session.uses_of(token).next().is_some();
        let severity = if is_read {
            Severity::Note
        } else {
            Severity::Warning
        };
        let finding = Finding::of(rule)
            .graded(severity)
            .saying(format!("the tokens came as {what}; the standard has JSON"))
            .at(Evidence::new(token.id(), "response", what));
        findings.raise_ungraded(finding);
    }
}

/// What a successful response is instead of JSON under its own name.
fn what_it_is(token: &Turn<'_>) -> Option<String> {
    token.status().filter(|status| *status < 300)?;
    let media_type = token.answer_headers().media_type();
    let is_called_json = media_type.as_deref().is_some_and(|it| it.ends_with("json"));
    let has_token = token.answer().has(name::ACCESS_TOKEN);
    match token.answer_sniff()? {
        Sniff::Form if has_token => Some("a form".to_owned()),
        Sniff::Json if has_token && !is_called_json => {
            Some(format!("JSON that is called {}", media_type?))
        }
        Sniff::Xml => Some("XML".to_owned()),
        Sniff::Text if is_called_json && token.is_answer_whole() => {
            Some("text that is called JSON, and no parser reads".to_owned())
        }
        _ => None,
    }
}
