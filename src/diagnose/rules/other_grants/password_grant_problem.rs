//! `password-grant-problem`: the password grant, and why it fails.

use crate::cassette::{Outcome, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name::{self, grant};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "password-grant-problem",
    severity: Severity::Warning,
    tier: 7,
    summary: "the password grant must not be used any more",
    why: "It gives the person's password to the client, teaches people to type it anywhere, and cannot do a second factor. \
          Servers drop it, or refuse it for accounts that need more than a password.",
    fix: "use the authorization code with PKCE; the device grant where there is no browser; client_credentials where there is no person",
    see: &["RFC 9700 section 2.4", "RFC 6749 section 4.3"],
    example: "grant_type=password with email in the place of username",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        if token.grant() != grant::PASSWORD {
            continue;
        }
        let mut finding = Finding::of(rule).at(Evidence::sent(token, name::GRANT_TYPE));
        if token.outcome() == Outcome::Failed {
            if let Some(other) = misnamed(token) {
                finding = finding
                    .graded(Severity::Error)
                    .saying(format!(
                        "the password grant is obsolete, and its parameter is called username, not {other}"
                    ))
                    .fixed_by(format!("send {other} as username, or better, leave this grant"))
                    .at(Evidence::new(token.id(), "token", other));
            } else if let Some(needed) = needs_more(token) {
                finding = finding.graded(Severity::Error).saying(format!(
                    "the password grant is obsolete, and cannot do what this account needs: {needed}"
                ));
            }
        }
        findings.raise_ungraded(finding);
    }
}

fn misnamed(token: &Turn<'_>) -> Option<&'static str> {
    let is_there = token.param(name::USERNAME).is_some() || !token.is_whole();
    let mut others = OTHERS.iter().filter(|_| !is_there);
    others.find(|name| token.param(name).is_some()).copied()
}

/// What the server wants besides a password.
fn needs_more(token: &Turn<'_>) -> Option<&'static str> {
    let needed = NEEDED.iter().find(|(code, _)| token.says_aadsts(code));
    needed.map(|(_, needed)| *needed)
}

const OTHERS: &[&str] = &["email", "login", "user", "user_name"];
/// What Entra says of accounts that no password alone opens.
const NEEDED: &[(&str, &str)] = &[
    ("50076", "a second factor"),
    ("50079", "a second factor that is not set up"),
    ("65001", "the person's consent"),
];
