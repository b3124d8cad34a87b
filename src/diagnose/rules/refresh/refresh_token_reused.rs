//! `refresh-token-reused`: a refresh token was used again after the server had replaced it.

use std::time::Duration;

use crate::cassette::{Outcome, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name::{self, grant};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "refresh-token-reused",
    severity: Severity::Error,
    tier: 4,
    summary: "a refresh token was used again after the server had replaced it",
    why: "A server that rotates refresh tokens gives a fresh one with each use, and the old one is dead. Using it again looks \
          like theft: many servers then revoke every token of that login, so that the next refresh fails as well.",
    fix: "save the refresh token of each response before using it, and let one request at a time refresh",
    see: &[
        "RFC 6749 section 6",
        "RFC 6749 section 10.4",
        "RFC 9700 section 4.14.2",
    ],
    example: "two refreshes with one token, 13 ms apart: 200 with another token, then 400 invalid_grant",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    let refreshes: Vec<_> = session
        .token_requests()
        .filter(|token| token.grant() == grant::REFRESH_TOKEN)
        .collect();
    for rotated in &refreshes {
        let sent = rotated.sent(name::REFRESH_TOKEN);
        let Some(sent) = sent.filter(|sent| replaces(rotated, sent)) else {
            continue;
        };
        let again = refreshes
            .iter()
            .filter(|again| again.id() != rotated.id())
            .filter(|again| again.sent(name::REFRESH_TOKEN).as_ref() == Some(&sent))
            .find(|again| is_after(rotated, again));
        if let Some(again) = again {
            findings.raise(finding(rule, rotated, again), again);
            return;
        }
    }
}

/// Whether another refresh token came back.
fn replaces(token: &Turn<'_>, sent: &str) -> bool {
    let issued = token.issued(name::REFRESH_TOKEN);
    token.outcome() == Outcome::Accepted && issued.is_some_and(|issued| issued != sent)
}

/// Whether the other request was under way when the token was replaced, or came later. One that
/// failed on the wire may be tried again.
fn is_after(rotated: &Turn<'_>, again: &Turn<'_>) -> bool {
    let begun = rotated.interaction.at();
    let ended = again.interaction.at() + again.interaction.took();
    again.status().is_some() && ended > begun
}

fn finding(rule: &'static Rule, rotated: &Turn<'_>, again: &Turn<'_>) -> Finding {
    let (first, second) = if rotated.interaction.at() <= again.interaction.at() {
        (rotated, again)
    } else {
        (again, rotated)
    };
    let gap = second.interaction.at().abs_diff(first.interaction.at());
    let message = if gap < AT_ONCE {
        format!(
            "one refresh token was sent twice within {} ms, and the server replaces it with each use",
            gap.as_millis()
        )
    } else {
        format!(
            "the refresh token that was replaced in interaction {} was sent again {} s later",
            rotated.id(),
            gap.as_secs()
        )
    };
    let fix = if gap < AT_ONCE {
        "let one request at a time refresh, and have the others wait for what it brings"
    } else {
        "save the refresh token of each response before using it, and forget the old one"
    };
    Finding::of(rule)
        .saying(message)
        .fixed_by(fix)
        .at(Evidence::sent(first, name::REFRESH_TOKEN))
        .at(Evidence::sent(second, name::REFRESH_TOKEN))
}

const AT_ONCE: Duration = Duration::from_secs(10);
