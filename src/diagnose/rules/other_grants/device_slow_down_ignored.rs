//! `device-slow-down-ignored`: the device polls more often than it may.

use std::time::Duration;

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::diagnose::rules::other_grants::polls::{Polled, polled};
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "device-slow-down-ignored",
    severity: Severity::Error,
    tier: 4,
    summary: "the device polls the token endpoint more often than it may",
    why: "The server says how many seconds lie between two polls, 5 where it says nothing, and slow_down adds 5 more for good. \
          A client that goes on faster is told slow_down again and again, or refused.",
    fix: "wait for the interval between two polls, and for 5 seconds longer after each slow_down",
    see: &["RFC 8628 section 3.2", "RFC 8628 section 3.5"],
    example: "polls at 0, 1 and 2 seconds with an interval of 5",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for polled in polled(session) {
        // Who never was told to slow down polls as fast as this server likes.
        let is_told = polled
            .polls
            .iter()
            .any(|poll| is_slow_down(poll.answer().get(name::ERROR)));
        let Some((at, gap, needed)) = too_soon(&polled).filter(|_| is_told) else {
            continue;
        };
        let last = polled.polls[polled.polls.len() - 1];
        let (before, poll) = (polled.polls[at - 1], polled.polls[at]);
        let finding = Finding::of(rule)
            .saying(format!(
                "the device polled after {:.1} s; {needed} s is the least here",
                gap.as_secs_f64()
            ))
            .at(Evidence::new(before.id(), "response", before.error()))
            .at(Evidence::new(
                poll.id(),
                "token",
                format!("{:.1} s later", gap.as_secs_f64()),
            ));
        findings.raise(finding, last);
    }
}

/// The first poll that comes too soon, how long after the one before, and how many seconds it
/// should be.
fn too_soon(polled: &Polled<'_, '_>) -> Option<(usize, Duration, u64)> {
    let mut interval = polled.interval()?;
    for at in 1..polled.polls.len() {
        let (before, poll) = (polled.polls[at - 1], polled.polls[at]);
        if is_slow_down(before.answer().get(name::ERROR)) {
            let told = before
                .answer_json()
                .and_then(|it| it.get(name::INTERVAL)?.as_u64());
            interval = told.unwrap_or(interval + STEP);
        }
        let gap = poll.interaction.at().checked_sub(before.interaction.at())?;
        if gap + TOLERANCE < Duration::from_secs(interval) {
            return Some((at, gap, interval));
        }
    }
    None
}

fn is_slow_down(error: Option<&str>) -> bool {
    error == Some("slow_down")
}

const STEP: u64 = 5;
const TOLERANCE: Duration = Duration::from_millis(500);
