//! `prompt-none-failed`: a login without a page is not possible.

use crate::cassette::{Flow, Session};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::{error_code, name};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "prompt-none-failed",
    severity: Severity::Error,
    tier: 4,
    summary: "a login without a page is not possible",
    why: "With prompt=none a server may show nothing. Where it would have to ask the person something, it returns an error.",
    fix: "fall back to a login with a page",
    see: &[
        "OpenID Connect Core section 3.1.2.1",
        "OpenID Connect Core section 3.1.2.6",
    ],
    example: "prompt=none, and login_required comes back",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for flow in session.flows() {
        let error = flow.answered(name::ERROR);
        let Some(error) = error.filter(|error| error_code::OF_SILENCE.contains(error)) else {
            continue;
        };
        let is_later = |other: &Flow<'_, '_>| other.request().id() > flow.request().id();
        let falls_back = session
            .flows()
            .any(|other| is_later(&other) && !is_silent(other));
        let severity = if falls_back {
            Severity::Note
        } else {
            Severity::Error
        };
        let framed = flow.request().headers().get(DESTINATION) == Some("iframe");
        let hint = if framed {
            "; in a frame the browser may keep the cookies of the server back"
        } else {
            ""
        };
        let what = if is_silent(flow) {
            "a login without a page (prompt=none)"
        } else {
            "the login"
        };
        let finding = Finding::of(rule)
            .graded(severity)
            .saying(format!("{what} is not possible: {error}{hint}"))
            .at(Evidence::asked(flow, name::PROMPT))
            .at(Evidence::answered(flow, name::ERROR));
        findings.raise_ungraded(finding);
    }
}

fn is_silent(flow: Flow<'_, '_>) -> bool {
    let prompt = flow.asked().get(name::PROMPT).unwrap_or_default();
    prompt.split(' ').any(|word| word == NO_PAGE)
}

const NO_PAGE: &str = "none";
const DESTINATION: &str = "sec-fetch-dest";
