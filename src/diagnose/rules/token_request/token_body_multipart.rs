//! `token-body-multipart`: the body is multipart, and says so.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::providers::Allowance;
use crate::redact::Content;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-body-multipart",
    severity: Severity::Error,
    tier: 2,
    summary: "the token request is multipart/form-data; OAuth requires application/x-www-form-urlencoded",
    why: "Token endpoints read form fields. A few providers take multipart as well, most see no parameter in it.",
    fix: "pass a string or URLSearchParams to the HTTP client, not an array or FormData",
    see: &["RFC 6749 section 3.2", "RFC 6749 appendix B"],
    example: "Content-Type: multipart/form-data; boundary=x",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        if token.media_type() == "multipart/form-data"
            && matches!(token.content(), Content::Multipart(_))
        {
            let line = Evidence::new(token.id(), "header", "Content-Type: multipart/form-data");
            findings.raise_unless_taken(Finding::of(rule).at(line), token, Allowance::Multipart);
        }
    }
}
