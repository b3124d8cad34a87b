//! Findings and rules, written for people and for programs.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::json;

use crate::cassette::Cassette;
use crate::diagnose::{self, Finding, Findings, Rule, Severity};
use crate::model::FailureKind;

/// How a text looks to the person who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether it may have colours.
    pub styled: bool,
    /// How many columns a line has; what cannot be broken is longer.
    pub width: usize,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            styled: false,
            width: 100,
        }
    }
}

/// The findings for a person: the most fundamental first, each with its evidence and its fix; then
/// the requests that ended on the wire, of which no rule speaks.
pub fn text(findings: &Findings, cassette: &Cassette, name: &str, look: Look) -> String {
    let mut out = String::new();
    let failures = failures(cassette);
    if findings.is_empty() {
        let what = if cassette.interactions.is_empty() {
            "it holds no interaction, so there is nothing to explain"
        } else if failures.is_empty() {
            "no finding; none of the rules has anything to say of it"
        } else {
            "no rule applies, but not every request got its answer:"
        };
        return format!("{}: {what}\n{failures}", plain(name));
    }
    let first = findings.iter().next().map(|finding| finding.rule.tier);
    for finding in findings {
        let later =
            first.is_some_and(|tier| finding.rule.tier > tier) && finding.severity < Severity::Note;
        write_finding(&mut out, finding, later, look);
    }
    let counts = [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Note, "note"),
    ];
    let counts: Vec<_> = counts
        .into_iter()
        .map(|(severity, word)| (findings.count(severity), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}{}", if count == 1 { "" } else { "s" }))
        .collect();
    line(&mut out, &format!("{}: {}", plain(name), counts.join(", ")));
    if !failures.is_empty() {
        line(&mut out, "\nnot every request got its answer:");
    }
    out + &failures
}

fn failures(cassette: &Cassette) -> String {
    let mut out = String::new();
    for interaction in &cassette.interactions {
        if let Some(error) = interaction.error() {
            let (id, step) = (interaction.id(), interaction.step().title());
            let url = interaction.request().url();
            let phase = error.phase().as_str().replace('_', " ");
            line(
                &mut out,
                &format!(
                    "  {id} {step} ({url}): {} ({} during {phase})",
                    in_words(error.kind()),
                    error.kind()
                ),
            );
        }
    }
    out
}

/// What a failure on the wire means to a person.
fn in_words(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::ClientAborted => "the client went away before the answer was whole",
        FailureKind::ClientCertificateRequired => {
            "the server asks for a client certificate; record with --client-cert GLOB=FILE"
        }
        FailureKind::ClosedEarly => "the server closed before its answer was whole",
        FailureKind::ConnectForbidden => "the address is one that is never called",
        FailureKind::ConnectRefused => "nothing listens at the server's address",
        FailureKind::ConnectTimeout => "the server could not be reached in time",
        FailureKind::ConnectionReset => "the server reset the connection",
        FailureKind::DnsFailure => "the server's name does not resolve",
        FailureKind::ProtocolError => "the server's answer is no HTTP",
        FailureKind::ProxyFailure => "the proxy on the way let nothing through",
        FailureKind::ReadTimeout => "the server did not answer in time",
        FailureKind::TlsFailure => "the server's certificate was not accepted",
    }
}

/// The findings for a program: the contract of `explain --format json`.
pub fn json(findings: &Findings, cassette: &str) -> String {
    let finding = |finding: &Finding| {
        let evidence = finding.evidence.iter().map(
            |evidence| json!({ "interaction": evidence.interaction, "where": evidence.r#where, "value": evidence.value }),
        );
        json!({
            "rule": finding.rule.id,
            "severity": finding.severity.as_str(),
            "tier": finding.rule.tier,
            "message": finding.message,
            "fix": finding.fix,
            "see": finding.rule.see,
            "evidence": evidence.collect::<Vec<_>>(),
        })
    };
    let findings: Vec<_> = findings.iter().map(finding).collect();
    format!(
        "{}\n",
        json!({ "cassette": cassette, "findings": findings })
    )
}

/// The rules for a program: the contract of `rules --json`.
pub fn rules_json(rules: impl IntoIterator<Item = &'static Rule>) -> String {
    let rule = |rule: &'static Rule| {
        json!({
            "id": rule.id,
            "severity": rule.severity.as_str(),
            "tier": rule.tier,
            "summary": rule.summary,
            "why": rule.why,
            "fix": rule.fix,
            "see": rule.see,
            "example": rule.example,
        })
    };
    let rules: Vec<_> = rules.into_iter().map(rule).collect();
    format!("{}\n", json!({ "rules": rules }))
}

/// The list of all rules, for a person.
pub fn rule_list(look: Look) -> String {
    let mut out = String::new();
    let width = diagnose::all()
        .map(|rule| rule.id.len())
        .max()
        .unwrap_or_default();
    for rule in diagnose::all() {
        let style = style_of(rule.severity, look.styled);
        let head = format!("{style}{:<width$}{style:#}  ", rule.id);
        wrapped(&mut out, &head, (width + 2, look.width), rule.summary);
    }
    line(&mut out, "\nauthtape rules ID shows one of them");
    out
}

/// One rule, for a person.
pub fn rule_page(rule: &Rule, look: Look) -> String {
    let mut out = String::new();
    let style = style_of(rule.severity, look.styled);
    line(
        &mut out,
        &format!(
            "{style}{}{style:#}  {}, tier {}",
            rule.id,
            rule.severity.as_str(),
            rule.tier
        ),
    );
    for (head, text) in [
        ("what", rule.summary),
        ("why", rule.why),
        ("fix", rule.fix),
        ("example", rule.example),
    ] {
        wrapped(&mut out, &format!("  {head:<10}"), (12, look.width), text);
    }
    wrapped(
        &mut out,
        &format!("  {:<10}", "see"),
        (12, look.width),
        &rule.see.join(" · "),
    );
    out
}

fn write_finding(out: &mut String, finding: &Finding, later: bool, look: Look) {
    let style = style_of(finding.severity, look.styled);
    let head = format!(
        "{style}{}[{}]{style:#} ",
        finding.severity.as_str(),
        finding.rule.id
    );
    wrapped(out, &head, (2, look.width), &finding.message);
    let note = finding.severity == Severity::Note;
    let width = finding
        .evidence
        .iter()
        .map(|evidence| evidence.r#where.len())
        .max()
        .unwrap_or_default()
        .max(9);
    for evidence in finding.evidence.iter().filter(|_| !note) {
        line(
            out,
            &format!(
                "  {} {:<width$}  {}",
                evidence.interaction,
                evidence.r#where,
                plain(&evidence.value)
            ),
        );
    }
    if let (Some(contrast), Some(last)) =
        (&finding.contrast, finding.evidence.last().filter(|_| !note))
    {
        let indent = 2 + last.interaction.to_string().len() + 1 + width + 2 + contrast.column;
        line(
            out,
            &format!(
                "{}{style}^ {}{style:#}",
                " ".repeat(indent),
                plain(&contrast.words)
            ),
        );
    }
    if !note {
        wrapped(
            out,
            &format!("  {:<11}  ", "fix"),
            (15, look.width),
            &finding.fix,
        );
        let see = finding.rule.see.first().copied().unwrap_or_default();
        let see = format!("{see} · authtape rules {}", finding.rule.id);
        wrapped(out, &format!("  {:<11}  ", "see"), (15, look.width), &see);
    }
    if later {
        line(out, "  (may disappear once the above is fixed)");
    }
    out.push('\n');
}

/// A head and a text behind it, indented and broken at blanks. Where the head leaves the text less
/// than half of the width, that begins on a line of its own.
fn wrapped(out: &mut String, head: &str, (indent, width): (usize, usize), text: &str) {
    let is_narrow = indent > width / 2;
    let indent = if is_narrow { 4 } else { indent };
    out.push_str(if is_narrow { head.trim_end() } else { head });
    let mut column = visible(head);
    let mut fresh = true;
    if is_narrow {
        out.push('\n');
        out.push_str(&" ".repeat(indent));
        column = indent;
    }
    for word in plain(text).split(' ') {
        let length = word.chars().count();
        if !fresh && column + 1 + length > width {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
            fresh = true;
        }
        if !fresh {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
        fresh = false;
    }
    out.push('\n');
}

fn visible(text: &str) -> usize {
    let mut escape = false;
    text.chars()
        .filter(|c| {
            let shown = !escape && *c != '\u{1b}';
            escape = (escape || *c == '\u{1b}') && *c != 'm';
            shown
        })
        .count()
}

fn line(out: &mut String, text: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(out, "{text}");
}

fn style_of(severity: Severity, styled: bool) -> Style {
    match severity {
        _ if !styled => Style::new(),
        Severity::Error => AnsiColor::Red.on_default().bold(),
        Severity::Warning => AnsiColor::Yellow.on_default().bold(),
        Severity::Note => AnsiColor::Cyan.on_default().bold(),
    }
}

/// A text of a cassette without the characters that a terminal would obey.
fn plain(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let shown = |c: char| {
        if hidden(c) {
            c.escape_default().to_string()
        } else {
            c.to_string()
        }
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_wide_as_they_may_be_and_no_wider() {
        for (width, heads) in [(100, 39), (80, 39), (40, 4)] {
            let look = Look {
                width,
                ..Look::default()
            };
            let list = rule_list(look);
            // Some words of the pages have no room in 40 columns.
            let pages = diagnose::all().filter(|_| width > 40);
            let pages = pages.map(|rule| rule_page(rule, look));
            let texts: String = pages.chain([list.clone()]).collect();
            let widest = texts.lines().map(|line| line.chars().count()).max();
            assert!(
                widest.is_some_and(|widest| widest <= width),
                "{width}: {widest:?}"
            );
            let indent = |line: &str| line.len() - line.trim_start().len();
            let deepest = list.lines().map(indent).max();
            assert_eq!(deepest, Some(heads), "{width}");
        }
    }
}
