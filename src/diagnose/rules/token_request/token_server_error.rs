//! `token-server-error`: the server failed by itself.

use crate::cassette::{Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::diagnose::rules::token_request::{token_intermediary_answered, token_rate_limited};
use crate::model::{FailureKind, Phase};
use crate::oauth::registry::{HeaderClass, header_class};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-server-error",
    severity: Severity::Warning,
    tier: 0,
    summary: "the provider failed internally",
    why: "A refusal is a 400 or a 401; a 5xx, or no answer at all, says that the server could not do its work. A request that it cannot read is a common cause.",
    fix: "mend what else is found first; then try again after a while, and tell the provider when it was",
    see: &["RFC 9110 section 15.6", "RFC 6749 section 5.2"],
    example: "POST /token -> 500",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let answered_by_others = token_rate_limited::is_limited(token)
            || token_intermediary_answered::answered(token).is_some();
        let Some(failure) = failure(token).filter(|_| !answered_by_others) else {
            continue;
        };
        let mut finding = Finding::of(rule)
            .saying(if token.status().is_some() {
                format!("the provider failed internally ({failure})")
            } else {
                format!("the provider did not answer: {failure}")
            })
            .at(Evidence::new(token.id(), "response", failure));
        if findings.has_fault(1..=2, token) {
            finding.severity = Severity::Note;
            finding
                .message
                .push_str(": a request that it cannot read may do that");
        }
        if let Some(id) = correlation(token) {
            finding = finding
                .fixed_by(format!(
                    "try again after a while, and quote {id} to the provider"
                ))
                .at(Evidence::new(token.id(), "header", id));
        }
        findings.raise(finding, token);
    }
}

fn failure(token: &Turn<'_>) -> Option<String> {
    if let Some(status) = token.status() {
        return (status >= 500).then(|| status.to_string());
    }
    let error = token.interaction.error()?;
    let closed = [FailureKind::ClosedEarly, FailureKind::ConnectionReset].contains(&error.kind());
    (closed && error.phase() == Phase::ResponseHead)
        .then(|| "it closed the connection instead of answering".to_owned())
}

/// What the provider finds the request by.
fn correlation(token: &Turn<'_>) -> Option<String> {
    let mut fields = token.answer_headers().iter();
    let field = fields.find(|field| header_class(&field.name) == Some(HeaderClass::Correlation))?;
    let value = std::str::from_utf8(&field.value).ok()?;
    Some(format!("{}: {value}", field.name))
}
