//! `token-content-type-charset`: the type of a form has a parameter that it does not define.

use crate::cassette::{Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-content-type-charset",
    severity: Severity::Warning,
    tier: 2,
    summary: "the type of a form defines no charset; a few servers refuse it",
    why: "application/x-www-form-urlencoded has no parameters, and is always UTF-8. Most servers ignore one, some compare the whole field and then do not read the body.",
    fix: "send Content-Type: application/x-www-form-urlencoded and nothing behind it",
    see: &["RFC 6749 appendix B", "RFC 9110 section 8.3"],
    example: "Content-Type: application/x-www-form-urlencoded; charset=UTF-8 -> 415",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let declared = token.headers().get("content-type").unwrap_or_default();
        let parameter = declared
            .split_once(';')
            .map(|(_, parameter)| parameter.trim());
        let form = token.media_type() == "application/x-www-form-urlencoded";
        let Some(parameter) = parameter.filter(|_| form && was_unread(token)) else {
            continue;
        };
        if !findings.has_fault(1..=2, token) {
            let finding = Finding::of(rule)
                .saying(format!(
                    "the type of a form defines no parameter, and this one has `{parameter}`; a few servers refuse it"
                ))
                .at(Evidence::new(
                    token.id(),
                    "header",
                    format!("Content-Type: {declared}"),
                ));
            findings.raise(finding, token);
        }
    }
}

/// Whether the server says that it does not read such a body.
fn was_unread(token: &Turn<'_>) -> bool {
    let said = token.error_words();
    let speaks_of_it = ["content-type", "content type", "media type", "charset"];
    match token.status() {
        Some(415) => true,
        Some(400) => speaks_of_it.iter().any(|words| said.contains(words)),
        _ => false,
    }
}
