//! Why a session failed: rules over a cassette, and the findings they raise.
//!
//! A [`Rule`] is data with a function; `rules` lists them by family. [`diagnose`] runs them all
//! over a [`Session`] and ranks what they raise, the most fundamental first. `report` writes
//! findings and rules for people and for programs. A server's error text is evidence that
//! something failed, never of what.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod finding;
pub mod report;
mod rule;
mod rules;

pub use finding::{Contrast, Evidence, Finding, Findings};
pub use rule::{Rule, Severity};

use crate::cassette::{Cassette, Session};

/// Everything that the rules find in a cassette, the most fundamental first.
pub fn diagnose(cassette: &Cassette) -> Findings {
    let session = Session::new(cassette);
    let mut findings = Findings::default();
    all().for_each(|rule| (rule.check)(&session, rule, &mut findings));
    findings.rank();
    findings
}

/// Every rule, in the order of its family's list.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    rules::FAMILIES.iter().copied().flatten().copied()
}

/// The rule of that id.
pub fn find(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id == id)
}

/// The id that comes nearest to a text.
pub fn nearest(text: &str) -> &'static str {
    all()
        .map(|rule| rule.id)
        .min_by_key(|id| distance(text, id))
        .unwrap_or_default()
}

/// The Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().take(200).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_rule_is_offered() {
        assert_eq!(nearest("token-body-jsn"), "token-body-json");
        assert_eq!(nearest("redirect-uri-slash"), "redirect-uri-case");
    }
}
