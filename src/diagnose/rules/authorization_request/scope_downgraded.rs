//! `scope-downgraded`: other scopes were granted than were asked for.

use crate::cassette::{Outcome, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::diagnose::rules::authorization_request::scopes::words;
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "scope-downgraded",
    severity: Severity::Warning,
    tier: 5,
    summary: "other scopes were granted than were asked for",
    why: "A server, or the person who is asked, may grant a part. A request that needs the rest is refused later, and some libraries take any change for an error.",
    fix: "handle a grant in part: read scope in the response, and ask again for what is missing",
    see: &["RFC 6749 section 3.3", "RFC 6749 section 5.1"],
    example: "asked for `a b`, got `a`",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let Some(granted) = token
            .answer()
            .get(name::SCOPE)
            .filter(|_| token.outcome() == Outcome::Accepted)
        else {
            continue;
        };
        let Some((asked, evidence)) = asked(session, token) else {
            continue;
        };
        let (wanted, got) = (words(&asked), words(granted));
        // What stands for all that is allowed is answered with these.
        let is_all = wanted.iter().any(|scope| scope.ends_with(ALL));
        let is_there = |scope: &&&str| {
            !OF_IDENTITY.contains(scope) && !got.iter().any(|got| is_same(scope, got))
        };
        let missing: Vec<_> = wanted.iter().filter(is_there).copied().collect();
        if is_all || missing.is_empty() {
            continue;
        }
        let finding = Finding::of(rule)
            .saying(format!(
                "asked for `{asked}`, and `{granted}` was granted: {} is missing",
                missing.join(", ")
            ))
            .at(evidence)
            .at(Evidence::new(token.id(), "response", granted));
        findings.raise_ungraded(finding);
    }
}

/// The scope that a token request is for, and where it was asked for.
fn asked(session: &Session<'_>, token: &Turn<'_>) -> Option<(String, Evidence)> {
    if let Some(scope) = token.param(name::SCOPE) {
        return Some((scope.to_owned(), Evidence::sent(token, name::SCOPE)));
    }
    let (flow, _) = session.flow_of(token)?;
    let scope = flow.asked().get(name::SCOPE)?;
    Some((scope.to_owned(), Evidence::asked(flow, name::SCOPE)))
}

/// Whether the scope `a` is granted by `b`: it is the same, or its short name, for servers write a
/// URL in front.
fn is_same(a: &str, b: &str) -> bool {
    let is_short = |long: &str, short: &str| {
        long.strip_suffix(short)
            .is_some_and(|before| before.ends_with(['/', '.']))
    };
    let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    // One that covers others is granted in the place of `repo:status`.
    let is_part = a.strip_prefix(&b).is_some_and(|rest| rest.starts_with(':'));
    a == b || is_part || is_short(&a, &b) || is_short(&b, &a)
}

/// Scopes that are about the login itself, which servers leave out of the answer or write otherwise.
const OF_IDENTITY: &[&str] = &["openid", "offline_access", "profile", "email"];
/// All that the client is allowed, at Microsoft.
const ALL: &str = "/.default";
