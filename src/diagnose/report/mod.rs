//! Findings and rules, written for people and for programs.

mod json;
mod markdown;
mod rules;
mod sarif;
mod symptoms;
mod table;
mod text;

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::diagnose::{Findings, Severity};
use crate::redact::is_obeyed;

pub use json::{json, not_read_json, rules_json};
pub use markdown::{markdown, rules_markdown};
pub use rules::{rule_list, rule_page};
pub use sarif::Sarif;
pub use symptoms::{symptoms, symptoms_json};
pub use table::Table;
pub(crate) use text::in_words;
pub use text::text;

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

/// How many findings there are of each severity, in words.
pub(crate) fn counted(findings: &Findings) -> String {
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
    if counts.is_empty() {
        return "no finding".to_owned();
    }
    counts.join(", ")
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

/// A text without the characters that a terminal would obey, or show nothing of: they are escaped.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_obeyed(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}
