//! `token-response-cacheable`: nothing forbids to store the tokens on the way.

use crate::cassette::{Outcome, Session};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-response-cacheable",
    severity: Severity::Note,
    tier: 7,
    summary: "the token response may be cached",
    why: "Whatever stands between server and client may keep a response that does not forbid it, and hand the tokens to \
          somebody else.",
    fix: "the authorization server sends Cache-Control: no-store with every response that has a token in it",
    see: &["RFC 6749 section 5.1", "RFC 9111 section 5.2.2.5"],
    example: "200 with an access_token and no Cache-Control",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let fields = token.answer_headers();
        let mut said = fields.all("cache-control");
        let is_stored = !said.any(|value| value.to_ascii_lowercase().contains("no-store"));
        // A response without any field was not seen with its fields.
        if token.outcome() == Outcome::Accepted && is_stored && !fields.is_empty() {
            let shown = fields.get("cache-control").unwrap_or("(no Cache-Control)");
            let finding = Finding::of(rule).at(Evidence::new(token.id(), "response", shown));
            findings.raise_ungraded(finding);
        }
    }
}
