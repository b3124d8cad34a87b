//! `client-secret-in-url`: a credential stands in a URL.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::model::Param;
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "client-secret-in-url",
    severity: Severity::Warning,
    tier: 7,
    summary: "a credential is in the URL, where proxies and servers log it",
    why: "What is in a URL ends up in logs, in histories and in the Referer of the next request. Credentials must not be there.",
    fix: "send it in the body or in a header, and replace it, for it is in logs by now",
    see: &["RFC 6749 section 2.3.1", "RFC 9700 section 4.3"],
    example: "GET /token?client_secret=…",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for turn in session.turns().iter().filter(|turn| turn.step().is_oauth()) {
        // A URL that was escaped as HTML has its separators in the names.
        let named = |param: &Param, name: &str| {
            param.name.trim_start_matches("amp;") == name && !param.value.is_empty()
        };
        let stands = |name: &&&str| turn.query().iter().any(|param| named(param, name));
        let names: Vec<&str> = CREDENTIALS.iter().filter(stands).copied().collect();
        if !names.is_empty() {
            let names = names.join(", ");
            let finding = Finding::of(rule)
                .saying(format!(
                    "{names} is in the URL, where proxies and servers log it"
                ))
                .at(Evidence::new(turn.id(), "query", names));
            findings.raise_ungraded(finding);
        }
    }
}

const CREDENTIALS: &[&str] = &[
    name::CLIENT_SECRET,
    name::CLIENT_ASSERTION,
    name::PASSWORD,
    name::REFRESH_TOKEN,
];
