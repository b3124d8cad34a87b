//! `authorize-called-by-script`: the authorization endpoint is fetched instead of visited.

use crate::cassette::{Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "authorize-called-by-script",
    severity: Severity::Error,
    tier: 1,
    summary: "the authorization endpoint was fetched by a script",
    why: "The endpoint answers with pages for a person, and sends the browser on from one to the next. A script gets a page that it cannot show, or a redirect that the browser does not let it follow.",
    fix: "let the browser go there: a redirect with 302, a link, or window.location",
    see: &["RFC 6749 section 3.1", "RFC 6749 section 4.1"],
    example: "fetch(\"https://as.example/authorize?…\")",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for flow in session.flows() {
        let asked = flow.request();
        if flow.answered(name::CODE).is_some() {
            continue;
        }
        if let Some(sign) = script(asked) {
            let finding = Finding::of(rule)
                .saying(format!(
                    "{} must be visited by the person's browser, not fetched by a script",
                    asked.path()
                ))
                .at(Evidence::new(asked.id(), "header", sign));
            findings.raise_for(finding, flow.outcome());
        }
    }
}

/// The header field that only a script sends.
fn script(asked: &Turn<'_>) -> Option<String> {
    let headers = asked.headers();
    let is = |name: &str, value: &str| {
        let field = headers.get(name).unwrap_or_default();
        field.eq_ignore_ascii_case(value)
    };
    let json = || {
        let accept = headers.get("accept").unwrap_or_default();
        headers.has("origin") && accept.starts_with("application/json")
    };
    if asked.is_fetched_by_page() {
        Some("Sec-Fetch-Mode: cors".to_owned())
    } else if is("x-requested-with", "XMLHttpRequest") {
        Some("X-Requested-With: XMLHttpRequest".to_owned())
    } else {
        json().then(|| "Accept: application/json, with an Origin".to_owned())
    }
}
