//! The ways in which the code at the token endpoint differs from the one that came back: one
//! comparison, one finding.

use crate::cassette::Session;
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::oauth::name;
use crate::redact::{Label, Piece, Suffix, pieces};

/// One kind of difference; what is said of it is the same for all.
const fn kind(
    id: &'static str,
    summary: &'static str,
    fix: &'static str,
    example: &'static str,
) -> Rule {
    Rule {
        id,
        severity: Severity::Error,
        tier: 4,
        summary,
        why: "A code is an opaque text of any length and of almost any characters. The server looks up the one that it issued, and knows no other.",
        fix,
        see: &["RFC 6749 section 4.1.2", "RFC 6749 appendix B"],
        example,
        check: compare,
    }
}

pub(super) static OVER_ENCODED: Rule = kind(
    "code-over-encoded",
    "the code was copied while it was still percent-encoded, and encoded again",
    "read the code with a parser of URLs, which decodes it once, not with a pattern or by position",
    "code=4%252F0Ab… in the form",
);
pub(super) static PLUS_BECAME_SPACE: Rule = kind(
    "code-plus-became-space",
    "a + in the code turned into a space",
    "encode + as %2B, and decode what came back once",
    "ab+c came back, `ab c` was sent",
);
pub(super) static TRUNCATED: Rule = kind(
    "code-truncated",
    "only the first characters of the code were sent",
    "read the whole parameter with a parser of URLs, and store it in a field that is long enough",
    "4/0AQ.Xy-3 came back, 4/0AQ was sent",
);
pub(super) static EXTRA_SUFFIX: Rule = kind(
    "code-has-extra-suffix",
    "the code was sent with something around it",
    "cut off the fragment, the next parameter, quotes and white space",
    "AQB… came back, AQB…#_ was sent",
);

fn compare(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session.token_requests() {
        let flow = session.flow_of(token);
        let Some((flow, (came, sent))) = flow.and_then(|(flow, _)| {
            let came = flow.answered(name::CODE)?;
            Some((flow, (came, token.param(name::CODE)?)))
        }) else {
            continue;
        };
        if let Some((found, words)) = difference(came, sent)
            && found.id == rule.id
        {
            let finding = Finding::of(rule)
                .saying(words)
                .at(Evidence::answered(flow, name::CODE))
                .at(Evidence::sent(token, name::CODE));
            findings.raise(finding, token);
        }
    }
}

/// How the code that was sent differs from the one that came, in words.
fn difference(came: &str, sent: &str) -> Option<(&'static Rule, String)> {
    let (came, sent) = (taken_apart(came)?, taken_apart(sent)?);
    if came == sent || came.label.core() != sent.label.core() {
        return None;
    }
    let said = |rule: &'static Rule| Some((rule, rule.summary.to_owned()));
    for suffix in &sent.label.suffixes {
        match suffix {
            Suffix::Pct | Suffix::Pct2 => return said(&OVER_ENCODED),
            Suffix::PlusAsSpace => return said(&PLUS_BECAME_SPACE),
            Suffix::FirstOf { kept, of: 0 } => {
                let words = format!("only the first {kept} characters of the code were sent");
                return Some((&TRUNCATED, words));
            }
            Suffix::FirstOf { kept, of } => {
                let words =
                    format!("only the first {kept} of the {of} characters of the code were sent");
                return Some((&TRUNCATED, words));
            }
            _ => {}
        }
    }
    let around = [
        (&sent.before, came.before != sent.before, "in front of it"),
        (&sent.after, came.after != sent.after, "behind it"),
    ];
    let added = around
        .into_iter()
        .filter(|(text, differs, _)| *differs && !text.is_empty())
        .map(|(text, _, place)| format!("`{}` {place}", text.escape_debug()));
    let added: Vec<_> = added.collect();
    let words = format!("the code was sent with {}", added.join(" and "));
    (!added.is_empty()).then_some((&EXTRA_SUFFIX, words))
}

/// A code, and what stands around it.
#[derive(PartialEq)]
struct Apart {
    before: String,
    label: Label,
    after: String,
}

fn taken_apart(text: &str) -> Option<Apart> {
    let mut apart = None;
    let mut literal = String::new();
    for piece in pieces(text) {
        match (piece, &mut apart) {
            (Piece::Literal(text), None) => literal.push_str(&text),
            (Piece::Literal(text), Some(Apart { after, .. })) => after.push_str(&text),
            (Piece::Label(label), None) => {
                apart = Some(Apart {
                    before: std::mem::take(&mut literal),
                    label,
                    after: String::new(),
                });
            }
            (Piece::Label(label), Some(Apart { after, .. })) => after.push_str(&label.to_string()),
        }
    }
    apart
}
