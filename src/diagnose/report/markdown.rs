//! Findings and rules in Markdown: to be pasted into an issue, and the page of all rules.

use std::fmt::Write as _;

use crate::cassette::Cassette;
use crate::diagnose::report::text::{failures, refused};
use crate::diagnose::report::{counted, line, plain};
use crate::diagnose::{self, Finding, Findings, Rule, Severity};

/// The findings of one cassette, to be pasted into an issue.
pub fn markdown(findings: &Findings, cassette: &Cassette, name: &str) -> String {
    let mut out = String::new();
    line(
        &mut out,
        &format!("### {}: {}", unlinked(name), counted(findings)),
    );
    for finding in findings {
        out.push('\n');
        if finding.severity == Severity::Note {
            let (id, message) = (finding.rule.id, unlinked(&finding.message));
            line(&mut out, &format!("- note `{id}`: {message}"));
        } else {
            write_finding(&mut out, finding);
        }
    }
    let refused = refused(findings);
    if !refused.is_empty() {
        let fence = fence(&refused);
        line(&mut out, &format!("\n{fence}text{refused}{fence}"));
    }
    let failures = failures(cassette);
    if !failures.is_empty() {
        let fence = fence(&failures);
        line(
            &mut out,
            &format!("\nNot every request got its answer:\n\n{fence}text\n{failures}{fence}"),
        );
    }
    out
}

fn write_finding(out: &mut String, finding: &Finding) {
    let severity = finding.severity.as_str();
    let (id, message) = (finding.rule.id, unlinked(&finding.message));
    line(out, &format!("**{severity}** `{id}`: {message}\n"));
    let evidence = evidence(finding);
    let fence = fence(&evidence);
    line(out, &format!("{fence}text\n{evidence}{fence}\n"));
    line(out, &format!("Fix: {}\n", unlinked(&finding.fix)));
    line(out, &format!("See: {}", finding.rule.see.join(", ")));
}

/// A line for each place, and where the last two part.
fn evidence(finding: &Finding) -> String {
    let mut out = String::new();
    let head = |at: usize| {
        let evidence = &finding.evidence[at];
        format!("{} {}", evidence.interaction, evidence.r#where)
    };
    let heads: Vec<_> = (0..finding.evidence.len()).map(head).collect();
    let width = heads.iter().map(String::len).max().unwrap_or_default();
    for (head, evidence) in heads.iter().zip(&finding.evidence) {
        line(
            &mut out,
            &format!("{head:<width$}  {}", plain(&evidence.value)),
        );
    }
    if let Some(contrast) = &finding.contrast {
        let indent = " ".repeat(width + 2 + contrast.column);
        line(&mut out, &format!("{indent}^ {}", plain(&contrast.words)));
    }
    out
}

/// A fence that the text does not close.
fn fence(text: &str) -> String {
    let runs = text.split(|c| c != '`').map(str::len);
    "`".repeat(runs.max().unwrap_or_default().max(2) + 1)
}

/// A text of somebody else: it leads nowhere and calls nobody. Issue trackers look for names behind an
/// @ in what is shown, where a backslash is gone; no width keeps them apart.
fn unlinked(text: &str) -> String {
    escaped(text)
        .replace("://", "\\://")
        .replace("www.", "www\\.")
        .replace("\\@", "@&#8203;")
}

/// A text that stands for itself.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    let text: Vec<char> = plain(text).chars().collect();
    for (at, c) in text.iter().enumerate() {
        let is_inner = |at: Option<usize>| {
            at.and_then(|at| text.get(at))
                .is_some_and(|c| c.is_alphanumeric())
        };
        // Between letters it is no emphasis.
        let is_word = *c == '_' && is_inner(at.checked_sub(1)) && is_inner(Some(at + 1));
        if !is_word && "\\`*_{}[]<>|#~&@".contains(*c) {
            out.push('\\');
        }
        out.push(*c);
    }
    out
}

/// All rules, as `docs/rules.md` has them.
pub fn rules_markdown() -> String {
    let mut out = String::from(INTRODUCTION);
    let mut rules: Vec<_> = diagnose::all().collect();
    rules.sort_by_key(|rule| rule.tier);
    for (tier, title) in (0..).zip(TIERS) {
        // Writing to a string does not fail.
        let _ = writeln!(out, "\n## Tier {tier}: {title}");
        let of_tier = rules.iter().filter(|rule| rule.tier == tier);
        of_tier.for_each(|rule| write_rule(&mut out, rule));
    }
    out
}

fn write_rule(out: &mut String, rule: &Rule) {
    let severity = rule.severity.as_str();
    line(
        out,
        &format!(
            "\n### `{}`\n\n{severity}: {}\n",
            rule.id,
            escaped(rule.summary)
        ),
    );
    for (head, text) in [
        ("Why", rule.why),
        ("Fix", rule.fix),
        ("Example", rule.example),
    ] {
        line(out, &format!("- {head}: {}", escaped(text)));
    }
    line(out, &format!("- See: {}", rule.see.join(", ")));
}

/// What the tiers are about, from the first.
const TIERS: &[&str] = &[
    "the connection",
    "method and URL",
    "the body",
    "client authentication",
    "what a grant is bound to",
    "reading the response",
    "ID Tokens and OpenID Connect",
    "good practice",
];

const INTRODUCTION: &str = "\
# Rules

What `authtape explain` looks for, the most fundamental first: a finding of a later tier may be a
symptom of one before it. `authtape rules` prints the same, `authtape rules ID` one of them. This page
is written by `UPDATE_DOCS=1 cargo test --test it rules`.

The severity is that of a request that failed. What the server accepted anyway is a note, but for
good practice and for what is wrong with a response.
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::Evidence;

    #[test]
    fn evidence_does_not_end_its_own_fence() {
        let rule = diagnose::find("token-body-json").expect("a rule");
        let mut out = String::new();
        write_finding(
            &mut out,
            &Finding::of(rule).at(Evidence::new(2, "body", "```\n# a heading")),
        );
        assert!(
            out.contains("\n````text\n2 body  ```\\n# a heading\n````\n"),
            "{out}"
        );
    }

    #[test]
    fn what_a_text_holds_is_not_read_as_markdown() {
        for (text, expected) in [
            ("a*b_c _d_", "a\\*b_c \\_d\\_"),
            ("<img src=x>", "\\<img src=x\\>"),
            ("@someone [x](y)", "\\@someone \\[x\\](y)"),
            ("line\nbreak", "line\\\\nbreak"),
        ] {
            assert_eq!(escaped(text), expected);
        }
        for (text, expected) in [
            ("https://as.example/x", "https\\://as.example/x"),
            ("www.as.example", "www\\.as.example"),
            (
                "@someone a@as.example",
                "@&#8203;someone a@&#8203;as.example",
            ),
        ] {
            assert_eq!(unlinked(text), expected);
        }
        for (text, expected) in [("", "```"), ("a `b`", "```"), ("````", "`````")] {
            assert_eq!(fence(text), expected, "{text}");
        }
    }
}
