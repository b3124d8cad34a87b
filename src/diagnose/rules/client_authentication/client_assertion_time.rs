//! `client-assertion-time`: a client assertion is not valid at the time, or for too long.

use crate::cassette::{SeenJwt, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "client-assertion-time",
    severity: Severity::Error,
    tier: 3,
    summary: "the client assertion is not valid at the server's time, or for too long",
    why: "An assertion counts between nbf and exp by the server's clock, and servers take none that is valid for long. Times are in seconds; milliseconds are thousands of years ahead.",
    fix: "write seconds, let it be valid for five minutes at most, and set the clock",
    see: &["RFC 7523 section 3", "RFC 7519 section 4.1.4"],
    example: "exp = iat + 31536000 in the secret for Apple, which takes six months",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for request in session
        .client_requests()
        .filter(|request| request.refused_client())
    {
        let Some(jwt) = assertion(session, request) else {
            continue;
        };
        if let Some((defect, claim)) = defect(&jwt, request) {
            let times = [name::IAT, name::NBF, name::EXP].iter().filter_map(|name| {
                let time = jwt.time(name)?;
                Some(format!("{name} {time:+} s"))
            });
            let times: Vec<_> = times.collect();
            let finding = Finding::of(rule)
                .saying(format!("the client assertion {defect} ({claim})"))
                .at(Evidence::new(
                    request.id(),
                    request.place(),
                    format!("{} from its sending", times.join(", ")),
                ));
            findings.raise(finding, request);
        }
    }
}

/// The assertion by which a client shows who it is. A secret may be one, too (Apple).
pub(super) fn assertion(session: &Session<'_>, request: &Turn<'_>) -> Option<SeenJwt> {
    let assertion = request.param(name::CLIENT_ASSERTION);
    session.jwt(assertion.or_else(|| request.client_secret())?)
}

/// What is wrong with the times, and the claim that says so.
fn defect(jwt: &SeenJwt, request: &Turn<'_>) -> Option<(String, &'static str)> {
    let sent = request.interaction.at().saturating_sub(jwt.at).as_secs();
    let skew = request.facts().date_skew.unwrap_or_default();
    let now = i64::try_from(sent).ok()?.saturating_add(skew);
    let exp = jwt.time(name::EXP);
    if let Some(exp) = exp {
        if exp > MILLISECONDS {
            return Some((
                "is valid until thousands of years from now: its times are in milliseconds"
                    .to_owned(),
                name::EXP,
            ));
        }
        if exp <= now {
            return Some((
                format!("expired {} s before it was sent", now - exp),
                name::EXP,
            ));
        }
        let from = jwt.time(name::IAT).unwrap_or(now);
        if exp - from > LONGEST {
            return Some((
                format!(
                    "is valid for {} s; no server takes more than {LONGEST}",
                    exp - from
                ),
                name::EXP,
            ));
        }
    }
    let early = |claim: &'static str| {
        let time = jwt.time(claim).filter(|time| *time > now + LEEWAY)?;
        Some((format!("is from {} s after it was sent", time - now), claim))
    };
    early(name::NBF).or_else(|| early(name::IAT))
}

/// Seconds from now on that can only be a date in milliseconds.
const MILLISECONDS: i64 = 100_000_000_000;
/// What Apple takes, and nobody more.
const LONGEST: i64 = 15_777_000;
/// By how much clocks may differ.
const LEEWAY: i64 = 60;
