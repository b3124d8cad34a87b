//! `client-assertion-replayed`: a client assertion is used twice.

use crate::cassette::{Outcome, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "client-assertion-replayed",
    severity: Severity::Error,
    tier: 3,
    summary: "the same client assertion was used twice",
    why: "A server may remember the jti of an assertion and refuse it when it comes again, as it would come from a thief.",
    fix: "make an assertion for each request, with a jti of its own",
    see: &["RFC 7523 section 3", "RFC 7519 section 4.1.7"],
    example: "a client that polls with one JWT",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    let requests: Vec<_> = session.client_requests().collect();
    for (at, request) in requests.iter().enumerate() {
        let told = request.refused_client() || request.outcome() == Outcome::Accepted;
        let before = requests[..at].iter().rev();
        let mut same = before.filter(|other| is_same(session, other, request));
        // What nobody answered was perhaps never heard.
        if let Some(first) = same.find(|other| other.status().is_some()).filter(|_| told) {
            let finding = Finding::of(rule)
                .at(Evidence::new(first.id(), first.place(), "first"))
                .at(Evidence::new(request.id(), request.place(), "again"));
            findings.raise(finding, request);
        }
    }
}

fn is_same(session: &Session<'_>, a: &Turn<'_>, b: &Turn<'_>) -> bool {
    let of = |turn: &Turn<'_>| turn.param(name::CLIENT_ASSERTION).map(str::to_owned);
    let (Some(a), Some(b)) = (of(a), of(b)) else {
        return false;
    };
    let jti = |assertion: &str| session.jwt(assertion)?.claims.get(name::JTI).cloned();
    a == b || jti(&a).is_some_and(|known| jti(&b) == Some(known))
}
