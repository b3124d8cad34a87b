//! `token-param-duplicate`: a parameter is sent more than once, or as an array.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::model::Param;
use crate::oauth::name;
use crate::oauth::registry::{self, Place};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-param-duplicate",
    severity: Severity::Error,
    tier: 2,
    summary: "a parameter was sent more than once",
    why: "A parameter must not be there twice: servers refuse the request, or take the one or the other. A name with brackets is how some libraries write an array, and is another name for the server.",
    fix: "send each parameter once, as a text and not as an array",
    see: &["RFC 6749 section 3.2", "RFC 8707 section 2"],
    example: "grant_type[]=authorization_code",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let sent: Vec<&Param> = token.body().iter().chain(token.query()).collect();
        let is_repeated = |at: usize, param: &Param| {
            let before = sent.iter().take(at);
            is_single(&param.name) && before.filter(|other| other.name == param.name).count() == 1
        };
        for (at, param) in sent.iter().enumerate() {
            let words = if is_repeated(at, param) {
                format!("`{}` was sent more than once", param.name)
            } else if let Some(meant) = array_of(&param.name) {
                format!(
                    "`{}` is an array; the server looks for `{meant}`",
                    param.name
                )
            } else {
                continue;
            };
            let line = Evidence::new(token.id(), "token", param.name.as_str());
            findings.raise(Finding::of(rule).saying(words).at(line), token);
        }
    }
}

fn is_single(name: &str) -> bool {
    let is_parameter = registry::class(Place::TokenRequest, name).is_some();
    is_parameter && ![name::RESOURCE, name::AUDIENCE].contains(&name)
}

/// The parameter that was written as an array.
fn array_of(name: &str) -> Option<&str> {
    let (meant, index) = name.strip_suffix(']')?.rsplit_once('[')?;
    let is_index = index.bytes().all(|byte| byte.is_ascii_digit());
    (is_index && is_single(meant)).then_some(meant)
}
