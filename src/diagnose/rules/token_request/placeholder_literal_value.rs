//! `placeholder-literal-value`: a variable was never filled in.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::model::Param;
use crate::oauth::placeholder::is_placeholder_word;
use crate::oauth::{name, registry};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "placeholder-literal-value",
    severity: Severity::Error,
    tier: 2,
    summary: "a parameter holds the text of a variable that was never filled in",
    why: "The server got the name of a variable, or the word for nothing, instead of the value.",
    fix: "load the value before the request is made; send no refresh request where there is no refresh token",
    see: &["RFC 6749 section 4.1.3", "RFC 6749 section 6"],
    example: "refresh_token=undefined",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let literal = |param: &&Param| {
            registry::is_known(&param.name)
                && !MAY_SAY_NONE.contains(&param.name.as_str())
                && is_placeholder_word(&param.value)
        };
        let found = token.body().iter().chain(token.query()).find(literal);
        let templated = token.facts().placeholder_in.clone();
        let (param, text) = match (found, templated) {
            (Some(param), _) => (
                param.name.clone(),
                format!("the literal text `{}`", param.value),
            ),
            (None, Some(param)) => (param, "a template".to_owned()),
            (None, None) => continue,
        };
        let finding = Finding::of(rule)
            .saying(format!(
                "`{param}` contains {text}: a variable was never filled in"
            ))
            .at(Evidence::new(token.id(), "token", param));
        findings.raise(finding, token);
    }
}

/// `none` is a legal value of these.
const MAY_SAY_NONE: &[&str] = &[name::PROMPT];
