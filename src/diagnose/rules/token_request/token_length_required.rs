//! `token-length-required`: the server wants to know how long the body is.

use crate::cassette::{Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::model::Framing;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-length-required",
    severity: Severity::Error,
    tier: 1,
    summary: "the server refused a POST without Content-Length",
    why: "Some servers, and more proxies before them, take no body whose length is not announced, be it chunked or left out altogether. The page that they answer with is not the token endpoint's.",
    fix: "send the body as one string, so that the HTTP client knows its length; send Content-Length: 0 only where it is empty on purpose",
    see: &["RFC 9110 section 8.6", "RFC 9110 section 15.5.12"],
    example: "POST /token?grant_type=… without a body -> 411",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let chunked = token.interaction.request().framing() == Some(Framing::Chunked);
        let Some(status) = token
            .status()
            .filter(|status| asks_for(token, *status, chunked))
        else {
            continue;
        };
        let how = if chunked {
            "the body was sent chunked"
        } else {
            "no length was announced"
        };
        let mut finding = Finding::of(rule)
            .saying(format!(
                "the server refused a POST without Content-Length: {how}"
            ))
            .at(Evidence::new(token.id(), "response", status.to_string()));
        if token.body().is_empty() && !token.query().is_empty() {
            finding = finding
                .fixed_by("move the parameters from the URL to the body, which then has a length");
        }
        findings.raise(finding, token);
    }
}

fn asks_for(token: &Turn<'_>, status: u16, chunked: bool) -> bool {
    let said = token.error_words();
    let speaks_of_it = ["content-length", "length required"]
        .iter()
        .any(|words| said.contains(words));
    status == 411 || (status >= 400 && chunked && speaks_of_it)
}
