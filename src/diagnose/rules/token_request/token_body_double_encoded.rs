//! `token-body-double-encoded`: the whole form was encoded a second time.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::model::Params;
use crate::oauth::sniff::Sniff;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-body-double-encoded",
    severity: Severity::Error,
    tier: 2,
    summary: "the whole form was encoded a second time, so its separators are data and no parameter is found",
    why: "A form is split at & and = before it is decoded. Where these are written %26 and %3D, or & as &amp;, the server sees one long name, or names that begin with amp;.",
    fix: "encode each value once and join with a raw & (in PHP pass '&' as the separator to http_build_query)",
    see: &["RFC 6749 appendix B"],
    example: "grant_type%3Dauthorization_code%26code%3D…",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let escaped = |params: &Params| params.iter().any(|param| param.name.starts_with("amp;"));
        let how = match token.facts().body_sniff {
            Some(Sniff::FormPctEncodedWhole) => "the body is percent-encoded as a whole",
            Some(Sniff::FormHtmlAmp) => "the body's separators are &amp;",
            _ if escaped(token.query()) => "the query's separators are &amp;",
            _ if escaped(token.body()) => "the body's separators are &amp;",
            _ => continue,
        };
        findings.raise(
            Finding::of(rule).at(Evidence::new(token.id(), "token", how)),
            token,
        );
    }
}
