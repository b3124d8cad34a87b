//! `client-credential-whitespace`: a credential has something at its end that nobody sees.

use crate::cassette::{Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "client-credential-whitespace",
    severity: Severity::Error,
    tier: 3,
    summary: "client_id or client_secret begins or ends with a character that was not meant",
    why: "A value that is read from a file ends with the file's line break, and one that is copied may bring a blank, quotes or an invisible mark with it. The server compares every character.",
    fix: "trim the value where it is loaded; write files with printf %s or echo -n",
    see: &["RFC 6749 appendix A.1", "RFC 6749 appendix A.2"],
    example: "client_secret=abc%0A",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for flow in session.flows() {
        let asked = flow.request();
        let sent = asked.param(name::CLIENT_ID);
        if let Some(finding) = sent.and_then(|sent| finding(rule, asked, name::CLIENT_ID, sent)) {
            findings.raise_for(finding, flow.outcome());
        }
    }
    for request in session.client_requests() {
        let sent = [
            (name::CLIENT_ID, request.client_id()),
            (name::CLIENT_SECRET, request.client_secret()),
        ];
        for (name, sent) in sent {
            if let Some(finding) = sent.and_then(|sent| finding(rule, request, name, sent)) {
                findings.raise(finding, request);
            }
        }
    }
}

fn finding(rule: &'static Rule, request: &Turn<'_>, name: &str, sent: &str) -> Option<Finding> {
    let ends = [
        ("ends", sent.chars().last()),
        ("begins", sent.chars().next()),
    ];
    let edge = |(how, c): (&'static str, Option<char>)| Some((how, word(c?)?));
    let (how, what) = ends.into_iter().find_map(edge)?;
    let finding = Finding::of(rule)
        .saying(format!("`{name}` {how} with {what}"))
        .at(Evidence::new(
            request.id(),
            request.place(),
            format!("{name}={sent:?}"),
        ));
    Some(finding)
}

/// What people call a character that is at the end of a value by mistake.
fn word(c: char) -> Option<&'static str> {
    match c {
        '\r' | '\n' => Some("a line break"),
        '\t' => Some("a tab"),
        '\u{a0}' => Some("a no-break space"),
        '\u{feff}' => Some("a byte order mark"),
        '\u{200b}'..='\u{200d}' => Some("a character without width"),
        '"' | '\'' => Some("a quote"),
        c => c.is_whitespace().then_some("a blank"),
    }
}
