//! `code-reused`: one code is redeemed more than once.

use crate::cassette::{Outcome, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::diagnose::span::in_words;
use crate::oauth::error_code::INVALID_GRANT;
use crate::oauth::{error_code, name};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "code-reused",
    severity: Severity::Error,
    tier: 4,
    summary: "the code was redeemed before",
    why: "A code is good for one token request. Whoever sends it again is refused, and many servers revoke the tokens that the first request got.",
    fix: "redeem the code once: guard against effects that run twice, reloads of the callback page, and a library that has exchanged it already; redirect away from the callback when it is done",
    see: &["RFC 6749 section 4.1.2", "RFC 6749 section 10.5"],
    example: "two token requests with the same code, 40 ms apart",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    let mut before: Vec<&Turn<'_>> = Vec::new();
    for token in session.token_requests() {
        let Some(code) = token.param(name::CODE).filter(|code| !code.is_empty()) else {
            continue;
        };
        let same = |earlier: &&&Turn<'_>| earlier.param(name::CODE) == Some(code);
        let accepted = |earlier: &&&Turn<'_>| earlier.outcome() == Outcome::Accepted;
        let first = before.iter().filter(same).find(accepted);
        let first = first.or_else(|| {
            before
                .iter()
                .filter(same)
                .find(|earlier| may_spend(earlier))
        });
        if let Some(first) = first {
            raise(first, token, rule, findings);
        }
        before.push(token);
    }
}

fn raise(first: &Turn<'_>, token: &Turn<'_>, rule: &'static Rule, findings: &mut Findings) {
    let worked = first.outcome() == Outcome::Accepted;
    // A server that takes it at the second attempt did not spend it at the first.
    if !worked && token.outcome() == Outcome::Accepted {
        return;
    }
    let ago = token
        .interaction
        .at()
        .saturating_sub(first.interaction.at());
    let ago = in_words(ago);
    let (severity, message) = if worked {
        let why = match token.outcome() {
            Outcome::Accepted => "",
            _ => "; this request failed because the first one worked",
        };
        (
            Severity::Error,
            format!("this code was redeemed {ago} before{why}"),
        )
    } else {
        (
            Severity::Warning,
            format!(
                "this code was sent {ago} before and refused, and many servers spend a code at the first attempt"
            ),
        )
    };
    let mut finding = Finding::of(rule)
        .graded(severity)
        .saying(message)
        .at(Evidence::sent(first, name::CODE))
        .at(Evidence::sent(token, name::CODE));
    if !worked {
        finding = finding.fixed_by(
            "begin a new login after each attempt, and mend what made the first attempt fail",
        );
    }
    findings.raise(finding, token);
}

/// Whether a refused request may have spent its code: the server looked at it.
fn may_spend(token: &Turn<'_>) -> bool {
    let error = token.answer().get(name::ERROR);
    let of_code = |error: &str| error == INVALID_GRANT || !error_code::is_registered(error);
    token.outcome() == Outcome::Failed && error.is_some_and(of_code)
}
