//! `clock-skew`: the client's clock and the server's differ.

use std::collections::BTreeMap;

use crate::cassette::{Outcome, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "clock-skew",
    severity: Severity::Warning,
    tier: 6,
    summary: "the clocks of client and server differ",
    why: "Assertions, proofs and ID Tokens carry the time at which they were made. Where the clocks differ they come from the \
          future or have expired, and strict libraries refuse a token that is four seconds ahead.",
    fix: "set the clock by NTP, and allow a minute in either direction",
    see: &[
        "RFC 7519 section 4.1.6",
        "RFC 9110 section 6.6.1",
        "OpenID Connect Core section 3.1.3.7",
    ],
    example: "an ID Token with iat four seconds ahead of the client's clock",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    let skewed = skewed(session);
    for (turn, seconds) in &skewed {
        let word = if *seconds > 0 { "behind" } else { "ahead of" };
        let severity = if explains_failure(session, turn) {
            Severity::Error
        } else {
            Severity::Warning
        };
        let finding = Finding::of(rule)
            .graded(severity)
            .saying(format!(
                "the client's clock is {} s {word} the server's",
                seconds.abs()
            ))
            .at(Evidence::new(
                turn.id(),
                "response",
                format!("Date {seconds:+} s"),
            ));
        findings.raise_ungraded(finding);
    }
    for token in session.id_tokens() {
        let is_told = skewed
            .iter()
            .any(|(turn, _)| turn.host() == token.turn.host());
        let Some(jwt) = session.jwt(token.text).filter(|_| !is_told) else {
            continue;
        };
        let early = jwt.time(name::IAT).max(jwt.time(name::NBF));
        if let Some(early) = early.filter(|early| *early >= NOTICED) {
            let finding = Finding::of(rule)
                .saying(format!(
                    "the ID Token was issued {early} s in the future by the client's clock"
                ))
                .at(Evidence::new(
                    token.turn.id(),
                    token.place,
                    format!("iat {early:+} s"),
                ));
            findings.raise_ungraded(finding);
        }
    }
}

/// By how much the clock of a host differs, with the response that shows it: the median of what its
/// responses say. One alone tells where nothing can have stored it.
fn skewed<'s, 'a>(session: &'s Session<'a>) -> Vec<(&'s Turn<'a>, i64)> {
    let mut hosts: BTreeMap<&str, Vec<(i64, &'s Turn<'a>)>> = BTreeMap::new();
    for turn in session.turns() {
        // A response from a cache has the date of when it was made.
        let age = turn.answer_headers().get("age");
        let is_stored = age.is_some_and(|age| age.trim() != "0");
        if let Some(seconds) = turn.facts().date_skew.filter(|_| !is_stored) {
            hosts.entry(turn.host()).or_default().push((seconds, turn));
        }
    }
    let median = |mut told: Vec<(i64, &'s Turn<'a>)>| {
        told.sort_by_key(|(seconds, turn)| (*seconds, turn.id()));
        let is_enough = told.len() > 1 || told.iter().any(|(_, turn)| turn.method() == "POST");
        let (seconds, turn) = told[told.len() / 2];
        (is_enough && seconds.abs() > TOLERATED).then_some((turn, seconds))
    };
    hosts.into_values().filter_map(median).collect()
}

/// Whether something with a time in it was refused there.
fn explains_failure(session: &Session<'_>, skewed: &Turn<'_>) -> bool {
    session.turns().iter().any(|turn| {
        let has_time = turn.headers().has("dpop") || turn.param(name::CLIENT_ASSERTION).is_some();
        turn.host() == skewed.host() && turn.outcome() == Outcome::Failed && has_time
    })
}

/// Seconds that a client allows for.
const TOLERATED: i64 = 30;
/// Seconds in the future that a strict client does not allow for.
const NOTICED: i64 = 3;
