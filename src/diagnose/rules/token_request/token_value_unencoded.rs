//! `token-value-unencoded`: a value was put into the form without being encoded.

use crate::cassette::{Outcome, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::model::Param;
use crate::oauth::{name, registry};
use crate::redact::{Content, Piece, Suffix, pieces};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "token-value-unencoded",
    severity: Severity::Error,
    tier: 2,
    summary: "a value was put into the form without being encoded, so the server reads another one",
    why: "In a form + stands for a blank and & ends the value. A secret or a code that has them and is not percent-encoded reaches the server as another, or as a part.",
    fix: "let the form encoder of the language write the body, instead of joining names and values",
    see: &["RFC 6749 appendix B"],
    example: "client_secret=a+b for a secret that is a+b",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let Content::Form { raw, .. } = token.content() else {
            continue;
        };
        let sent: Vec<&Param> = token.body().iter().collect();
        for (at, param) in sent.iter().enumerate() {
            let next = sent.get(at + 1).copied();
            let defect = VALUES
                .contains(&param.name.as_str())
                .then(|| defect(token, param, next, raw));
            if let Some(defect) = defect.flatten() {
                let name = &param.name;
                let finding = Finding::of(rule)
                    .saying(format!("`{name}` was not percent-encoded: {defect}"))
                    .at(Evidence::new(
                        token.id(),
                        "token",
                        format!("{name}={}", param.value),
                    ));
                findings.raise(finding, token);
            }
        }
    }
}

fn defect(
    token: &Turn<'_>,
    param: &Param,
    next: Option<&Param>,
    raw: Option<&str>,
) -> Option<&'static str> {
    let is_bare = |pair: &&str| {
        pair.split_once('=')
            .is_some_and(|(name, _)| name == param.name)
    };
    let bare = raw.and_then(|raw| raw.split('&').find(is_bare));
    let became_blank = |piece: &Piece| matches!(piece, Piece::Label(label) if label.suffixes.contains(&Suffix::PlusAsSpace));
    if param.name != name::CODE && pieces(&param.value).iter().any(became_blank) {
        Some("the server reads its + as a blank")
    } else if bare.is_some_and(|bare| bare.contains(' ') || !bare.is_ascii()) {
        Some("the form has a character in it that no form may have")
    } else if token.outcome() == Outcome::Failed && next.is_some_and(is_torn_off) {
        Some("the server reads it up to its &, and what follows as another parameter")
    } else {
        None
    }
}

/// Whether it is no parameter but the rest of the value before it.
fn is_torn_off(param: &Param) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c == '_' || c == '-';
    let is_name = !param.name.is_empty() && param.name.chars().all(is_word);
    param.value.is_empty() && !is_name && !registry::is_known(&param.name)
}

const VALUES: &[&str] = &[
    name::CLIENT_SECRET,
    name::CODE,
    name::REFRESH_TOKEN,
    name::PASSWORD,
    name::REDIRECT_URI,
];
