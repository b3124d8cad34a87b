//! `token-body-form-mislabelled`: the body is a form, and its header says something else.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::redact::Content;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-body-form-mislabelled",
    severity: Severity::Error,
    tier: 2,
    summary: "the form in the body is fine but its Content-Type is not that of a form, so many servers will not read it",
    why: "Servers choose how to read a body by its Content-Type. A form under another type, or under none, is not read as a form.",
    fix: "set Content-Type: application/x-www-form-urlencoded",
    see: &["RFC 6749 appendix B", "RFC 9110 section 8.3"],
    example: "Content-Type: text/plain, body: grant_type=authorization_code&code=…",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let media_type = token.media_type();
        if matches!(token.content(), Content::Form { .. })
            && media_type != "application/x-www-form-urlencoded"
        {
            let declared = if media_type.is_empty() {
                "missing"
            } else {
                &media_type
            };
            let finding = Finding::of(rule)
                .saying(format!("the form in the body is fine but its Content-Type is {declared}, so many servers will not read it"))
                .at(Evidence::new(token.id(), "header", format!("Content-Type: {declared}")));
            findings.raise(finding, token);
        }
    }
}
