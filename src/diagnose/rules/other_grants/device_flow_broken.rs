//! `device-flow-broken`: the device asks with the wrong values, too late, or not long enough.

use crate::cassette::{Outcome, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::diagnose::rules::other_grants::polls::{Polled, polled};
use crate::oauth::Step;
use crate::oauth::name::{self, grant};
use crate::redact::cores;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "device-flow-broken",
    severity: Severity::Error,
    tier: 4,
    summary: "the device does not follow the device flow",
    why: "A device polls with its device_code and its client_id until an answer is final: tokens, access_denied or \
          expired_token. authorization_pending is no failure, and whatever comes after a final answer is in vain.",
    fix: "poll with the device_code until the answer is final, and begin anew after that",
    see: &["RFC 8628 section 3.4", "RFC 8628 section 3.5"],
    example: "a poll after expired_token",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    let mut raise = |(said, fix): (String, &str), poll: &Turn<'_>, seen: &Turn<'_>| {
        let error = seen.answer().get(name::ERROR).unwrap_or("(tokens)");
        let mut finding = Finding::of(rule).saying(said).fixed_by(fix);
        if seen.id() != poll.id() {
            finding = finding.at(Evidence::new(seen.id(), "response", error));
        }
        finding = finding.at(Evidence::sent(poll, name::DEVICE_CODE));
        findings.raise(finding, poll);
    };
    for poll in session.token_requests() {
        if poll.grant() == grant::DEVICE_CODE
            && let Some(defect) = wrong_code(poll)
        {
            raise(defect, poll, poll);
        }
    }
    for polled in polled(session) {
        if let Some((defect, poll, seen)) = broken(session, &polled) {
            raise(defect, poll, seen);
        }
    }
}

/// What is wrong, and what to do about it.
type Defect = (String, &'static str);

fn wrong_code(poll: &Turn<'_>) -> Option<Defect> {
    let fix = "send the device_code of the device authorization response";
    match poll.param(name::DEVICE_CODE) {
        None if poll.is_whole() && !poll.body().is_empty() => {
            Some(("the poll has no device_code".to_owned(), fix))
        }
        Some("") => Some(("device_code is empty".to_owned(), fix)),
        Some(code) if cores(code).any(|label| label.kind == name::USER_CODE) => {
            let said = "what the poll sends as device_code is the user_code".to_owned();
            Some((said, fix))
        }
        _ => None,
    }
}

/// The first poll that is in vain, why, and the message that shows it.
fn broken<'s, 'a>(
    session: &'s Session<'a>,
    polled: &Polled<'s, 'a>,
) -> Option<(Defect, &'s Turn<'a>, &'s Turn<'a>)> {
    let mut done: Option<&'s Turn<'a>> = None;
    for poll in polled.polls.iter().copied() {
        if let Some(done) = done {
            let said = format!(
                "the device polls on after a final answer in interaction {}",
                done.id()
            );
            return Some((
                (said, "stop at the final answer, and begin anew"),
                poll,
                done,
            ));
        }
        if let Some(defect) = polled.device.and_then(|device| mismatch(device, poll)) {
            return Some((defect, poll, poll));
        }
        if is_final(poll) {
            done = Some(poll);
        }
    }
    given_up(session, polled)
}

fn mismatch(device: &Turn<'_>, poll: &Turn<'_>) -> Option<Defect> {
    let clients = device
        .param(name::CLIENT_ID)
        .zip(poll.param(name::CLIENT_ID));
    if let Some((asked, sent)) = clients.filter(|(asked, sent)| asked != sent) {
        let said = format!("the device code is of the client {asked}, and {sent} polls with it");
        return Some((said, "poll as the client that asked for the device code"));
    }
    let lifetime = device.answer_json()?.get(name::EXPIRES_IN)?.as_u64()?;
    let age = poll.interaction.at().checked_sub(device.answered_at()?)?;
    let is_late = age.as_secs() > lifetime && poll.outcome() != Outcome::Accepted;
    is_late.then(|| {
        let said = format!(
            "the device code is {} s old, and lives {lifetime} s",
            age.as_secs()
        );
        (said, "begin anew when the device code has expired")
    })
}

fn is_final(poll: &Turn<'_>) -> bool {
    let error = poll.answer().get(name::ERROR);
    poll.outcome() == Outcome::Accepted
        || error.is_some_and(|error| ["access_denied", "expired_token"].contains(&error))
}

/// Whether the device took `authorization_pending` for the end: it asked for another device code
/// while the one before was good.
fn given_up<'s, 'a>(
    session: &'s Session<'a>,
    polled: &Polled<'s, 'a>,
) -> Option<(Defect, &'s Turn<'a>, &'s Turn<'a>)> {
    let (device, last) = (polled.device?, *polled.polls.last()?);
    let is_pending = last.answer().get(name::ERROR) == Some("authorization_pending");
    let lifetime = device.answer_json()?.get(name::EXPIRES_IN)?.as_u64()?;
    let mut devices = session.of(Step::DeviceAuthorizationRequest);
    let anew = devices.find(|other| {
        let age = other.interaction.at().checked_sub(device.interaction.at());
        other.id() > last.id()
            && other.param(name::CLIENT_ID) == device.param(name::CLIENT_ID)
            && age.is_some_and(|age| age.as_secs() < lifetime)
    })?;
    let said = format!(
        "the device gave up at authorization_pending and began anew in interaction {}; that answer means to go on polling",
        anew.id()
    );
    is_pending.then_some((
        (said, "go on polling until the answer is final"),
        last,
        last,
    ))
}
