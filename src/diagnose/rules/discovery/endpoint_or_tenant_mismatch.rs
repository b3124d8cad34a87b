//! `endpoint-or-tenant-mismatch`: the code was sent to another server than the one it came from.

use crate::cassette::{Flow, Outcome, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::model::Url;
use crate::oauth::elsewhere::Elsewhere;
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "endpoint-or-tenant-mismatch",
    severity: Severity::Error,
    tier: 1,
    summary: "the code came from one server, and the token request goes to another",
    why: "A code is known to the server that issued it and to no other, be it the vendor's own for another region, for tests, \
          or another tenant on the same host.",
    fix: "take both endpoints from one metadata document, for the same region, environment and tenant",
    see: &["RFC 6749 section 4.1.3", "RFC 9700 section 4.4"],
    example: "a code from accounts.zoho.eu, sent to accounts.zoho.com",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let Some((flow, link)) = session
            .flow_of(token)
            .filter(|_| token.outcome() == Outcome::Failed)
        else {
            continue;
        };
        let Some((what, from)) = mismatch(flow, token) else {
            continue;
        };
        let severity = match token.facts().elsewhere {
            Some(Elsewhere::Site) => Severity::Warning,
            _ => Severity::Error,
        };
        let to = token.interaction.request().url();
        let finding = Finding::of(rule)
            .linked(link)
            .graded(severity)
            .saying(format!(
                "the code came from {from}, and the token request went to {to}: {what}"
            ))
            .at(Evidence::new(flow.request().id(), "authorize", from))
            .at(Evidence::new(token.id(), "token", to));
        findings.raise(finding, token);
    }
}

/// What the difference is, and where the code came from.
fn mismatch(flow: Flow<'_, '_>, token: &Turn<'_>) -> Option<(&'static str, String)> {
    // Zoho names the server of the person's region in its response.
    let named = flow.answered(name::ACCOUNTS_SERVER).and_then(Url::parse);
    if let Some(named) = named {
        let is_other = !named.host.eq_ignore_ascii_case(token.host());
        return is_other.then(|| (REGION, named.endpoint()));
    }
    let what = match token.facts().elsewhere? {
        Elsewhere::Environment => "one of them is for tests",
        Elsewhere::Region => REGION,
        Elsewhere::Site => "another domain",
        Elsewhere::Tenant => "another tenant",
    };
    Some((what, flow.request().interaction.request().url().to_owned()))
}

const REGION: &str = "another region";
