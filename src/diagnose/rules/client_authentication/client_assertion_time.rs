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
        if let Some(Defect { words, fix }) = defect(&jwt, request) {
            let times = [name::IAT, name::NBF, name::EXP].iter().filter_map(|name| {
                let time = jwt.time(name)?;
                Some(format!("{name} {time:+} s"))
            });
            let times: Vec<_> = times.collect();
            let finding = Finding::of(rule)
                .saying(format!("the client assertion {words}"))
                .fixed_by(fix)
                .at(Evidence::new(
                    request.id(),
                    request.place(),
                    format!("{} from its sending", times.join(", ")),
                ));
            findings.raise(finding, request);
        }
    }
}

/// What is wrong with the times.
struct Defect {
    words: String,
    fix: &'static str,
}

/// The assertion by which a client shows who it is. A secret may be one, too (Apple).
pub(super) fn assertion(session: &Session<'_>, request: &Turn<'_>) -> Option<SeenJwt> {
    let assertion = request.param(name::CLIENT_ASSERTION);
    session.jwt(assertion.or_else(|| request.client_secret())?)
}

fn defect(jwt: &SeenJwt, request: &Turn<'_>) -> Option<Defect> {
    let sent = request.interaction.at().saturating_sub(jwt.at).as_secs();
    let skew = request.facts().date_skew.unwrap_or_default();
    let now = i64::try_from(sent).ok()?.saturating_add(skew);
    let found = |words: String, fix| Some(Defect { words, fix });
    if let Some(exp) = jwt.time(name::EXP) {
        let lasts = exp.saturating_sub(jwt.time(name::IAT).unwrap_or(now));
        if exp > MILLISECONDS {
            return found(
                "expires in thousands of years, for its times are in milliseconds".to_owned(),
                "write exp, iat and nbf in seconds",
            );
        }
        if exp <= now {
            return found(
                format!("had expired {} s before, by the server's clock", now - exp),
                "make an assertion for each request, right before it is sent, and set the clock",
            );
        }
        if lasts > LONGEST {
            return found(
                format!("is valid for {lasts} s; no server takes more than {LONGEST} s"),
                "let it be valid for five minutes; for Apple, whose secret it is, for six months at most",
            );
        }
    }
    let starts = [name::NBF, name::IAT]
        .iter()
        .filter_map(|claim| jwt.time(claim));
    let start = starts.max().filter(|start| *start > now + LEEWAY)?;
    found(
        format!(
            "begins to count {} s later, by the server's clock",
            start - now
        ),
        "set the clock, and write times in seconds",
    )
}

/// Seconds from now on that can only be a date in milliseconds.
const MILLISECONDS: i64 = 100_000_000_000;
/// What Apple takes, and nobody more.
const LONGEST: i64 = 15_777_000;
/// By how much clocks may differ.
const LEEWAY: i64 = 60;
