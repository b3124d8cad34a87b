//! `scope-unknown`: the server does not offer a scope.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::diagnose::rules::authorization_request::scopes;
use crate::oauth::error_code::INVALID_SCOPE;
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "scope-unknown",
    severity: Severity::Error,
    tier: 4,
    summary: "a scope is not offered by this server, or not to this client",
    why: "Scopes are words of the server, in upper and lower case as it writes them. It refuses those that it does not know or that the client may not ask for.",
    fix: "ask for scopes as the documentation or scopes_supported spells them, and have them allowed for this client",
    see: &["RFC 6749 section 3.3", "RFC 6749 section 4.1.2.1"],
    example: "scope=Openid",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for asked in scopes::asked(session) {
        let Some((INVALID_SCOPE, brought_by)) = asked.error else {
            continue;
        };
        if scopes::misspelt(asked.scope).is_some() {
            continue;
        }
        let metadata = session.metadata_of(asked.turn);
        let offered = metadata.and_then(|metadata| metadata.list(name::SCOPES_SUPPORTED));
        let message = match offered {
            Some(offered) => unknown(asked.scope, &offered),
            None => None,
        };
        let message =
            message.unwrap_or_else(|| format!("the server refuses the scope `{}`", asked.scope));
        let finding = Finding::of(rule)
            .saying(message)
            .at(asked.evidence)
            .at(Evidence::new(brought_by, "response", INVALID_SCOPE));
        findings.raise_ungraded(finding);
    }
}

/// Which of the scopes the server does not offer.
fn unknown(scope: &str, offered: &[&str]) -> Option<String> {
    let scopes = scopes::words(scope);
    let unknown: Vec<_> = scopes
        .into_iter()
        .filter(|scope| !offered.contains(scope))
        .collect();
    let spelt = unknown.iter().find_map(|scope| {
        let other = offered
            .iter()
            .find(|other| other.eq_ignore_ascii_case(scope))?;
        Some(format!(
            "`{scope}` is not offered by this server; `{other}` is"
        ))
    });
    let listed = || {
        let quoted: Vec<_> = unknown.iter().map(|scope| format!("`{scope}`")).collect();
        format!("{} is not offered by this server", quoted.join(", "))
    };
    spelt.or_else(|| (!unknown.is_empty()).then(listed))
}
