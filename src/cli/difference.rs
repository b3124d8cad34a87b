//! What differs between a text that was looked at and another: the lines, as insta shows them.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use similar::{ChangeTag, TextDiff};

use crate::cli::output::plain;

/// The lines that differ, with some around them.
pub(crate) fn difference(old: &str, new: &str) -> String {
    let (gone, come) = (AnsiColor::Red.on_default(), AnsiColor::Green.on_default());
    let (old, new) = [old, new]
        .map(|text| match text {
            "" => String::new(),
            text => format!("{text}\n"),
        })
        .into();
    let diff = TextDiff::from_lines(old.as_str(), new.as_str());
    let mut out = String::new();
    for (at, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if at > 0 {
            out.push_str("  ⋮\n");
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (sign, style) = match change.tag() {
                ChangeTag::Delete => ("-", gone),
                ChangeTag::Insert => ("+", come),
                ChangeTag::Equal => (" ", Style::new()),
            };
            let number = change
                .new_index()
                .or_else(|| change.old_index())
                .unwrap_or_default()
                + 1;
            let text = plain(change.value().trim_end_matches('\n'));
            // Writing to a text cannot fail.
            let _ = writeln!(out, "{number:>5} {style}{sign} {text}{style:#}");
        }
    }
    out
}

/// What the signs stand for.
pub(crate) fn legend(is_first: bool) -> String {
    let (gone, come) = (AnsiColor::Red.on_default(), AnsiColor::Green.on_default());
    if is_first {
        return format!("{come}+ what this run said{come:#}");
    }
    format!("{gone}- what was looked at{gone:#}\n{come}+ what this run said{come:#}")
}

/// How many lines around a difference are shown.
const AROUND: usize = 3;
