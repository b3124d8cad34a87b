//! `introspection-revocation-misuse`: the question or the revocation is not one the server can read.

use crate::cassette::{Outcome, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::Step;
use crate::oauth::name;
use crate::redact::Content;

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "introspection-revocation-misuse",
    severity: Severity::Error,
    tier: 4,
    summary: "the introspection or revocation request is not as the server expects it",
    why: "Both are a POST with a form, in which the token is called `token`, and the client authenticates. A server may answer \
          a revocation that it did not understand with 200 all the same, and a question about a token that is not its own \
          with active: false.",
    fix: "send token=… as a form in a POST, with the client's authentication, to the server that issued the token",
    see: &[
        "RFC 7662 section 2.1",
        "RFC 7662 section 2.2",
        "RFC 7009 section 2.1",
    ],
    example: "POST /revoke with access_token=… instead of token=…",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for turn in session.turns() {
        let step = match turn.step() {
            Step::Introspection => "introspect",
            Step::Revocation => "revoke",
            _ => continue,
        };
        let severity = match turn.outcome() {
            Outcome::Failed => Severity::Error,
            _ => Severity::Warning,
        };
        let defect = malformed(turn).map(|defect| (defect, severity));
        let found = defect.or_else(|| inactive(session, turn));
        let Some(((said, fix, shown), severity)) = found else {
            continue;
        };
        let finding = Finding::of(rule)
            .graded(severity)
            .saying(said)
            .fixed_by(fix)
            .at(Evidence::new(turn.id(), step, shown));
        findings.raise_ungraded(finding);
    }
}

/// What is said, what to do, and what shows it.
type Defect = (String, &'static str, String);

fn malformed(turn: &Turn<'_>) -> Option<Defect> {
    let fix = "send token=… as a form in a POST";
    if turn.method() != "POST" {
        let said = format!("the request is a {}, not a POST", turn.method());
        return Some((said, fix, turn.method().to_owned()));
    }
    if matches!(turn.content(), Content::Json { .. }) {
        let said = "the body is JSON, not a form".to_owned();
        return Some((said, fix, turn.media_type()));
    }
    let names = [name::ACCESS_TOKEN, name::REFRESH_TOKEN];
    let other = names.into_iter().find(|name| turn.param(name).is_some());
    let other = other.filter(|_| turn.param(name::TOKEN).is_none())?;
    let said = format!("the token is sent as {other}; its parameter is called token");
    Some((said, fix, other.to_owned()))
}

/// Why the server does not know a token that was issued in this session.
fn inactive(session: &Session<'_>, turn: &Turn<'_>) -> Option<(Defect, Severity)> {
    let is_inactive = turn.answer().get(name::ACTIVE) == Some("false");
    let (issued, kind) = session.issuer_of(turn.param(name::TOKEN).filter(|_| is_inactive)?)?;
    let (asked, from) = (turn.host(), issued.host());
    if !asked.eq_ignore_ascii_case(from) {
        let said = format!("active is false: {asked} is asked about a token that {from} issued");
        let fix = "ask the server that issued the token";
        return Some(((said, fix, asked.to_owned()), Severity::Error));
    }
    let members = issued
        .answer_json()
        .filter(|_| kind == name::ACCESS_TOKEN)?;
    let lifetime = members.get(name::EXPIRES_IN)?.as_u64()?;
    let age = turn.interaction.at().checked_sub(issued.answered_at()?)?;
    let said = format!(
        "active is false: the token is {} s old, and lives {lifetime} s",
        age.as_secs()
    );
    let defect = (said, "refresh the token", format!("{} s", age.as_secs()));
    (age.as_secs() >= lifetime).then_some((defect, Severity::Note))
}
