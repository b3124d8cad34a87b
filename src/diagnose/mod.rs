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
mod span;
pub mod symptom;
mod unexplained;

pub use finding::{Contrast, Evidence, Finding, Findings};
pub use rule::{Rule, Severity};
pub use unexplained::Unexplained;

use crate::cassette::{Cassette, Session};

/// Everything that the rules find in a cassette, the most fundamental first.
pub fn diagnose(cassette: &Cassette) -> Findings {
    diagnose_by(cassette, all())
}

/// The same of these rules alone.
pub fn diagnose_by(
    cassette: &Cassette,
    rules: impl IntoIterator<Item = &'static Rule>,
) -> Findings {
    let session = Session::new(cassette);
    let mut findings = Findings::default();
    let rules = rules.into_iter();
    rules.for_each(|rule| (rule.check)(&session, rule, &mut findings));
    findings.note_unexplained(&session);
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

/// The rules that have all of these words, wherever; all where there are none.
pub fn search(words: &[String]) -> impl Iterator<Item = &'static Rule> {
    let has = |rule: &Rule, word: &str| {
        let texts = [rule.id, rule.summary, rule.why, rule.fix, rule.example];
        let word = word.to_lowercase();
        let mut texts = texts.iter().chain(rule.see);
        texts.any(|text| text.to_lowercase().contains(&word))
    };
    let words: Vec<String> = words
        .iter()
        .flat_map(|words| words.split_whitespace().map(str::to_owned))
        .collect();
    let mut found: Vec<_> = all()
        .filter(|rule| words.iter().all(|word| has(rule, word)))
        .collect();
    let is_named = |rule: &Rule| words.iter().any(|word| rule.id.contains(word.as_str()));
    found.sort_by_key(|rule| (!is_named(rule), rule.tier));
    found.into_iter()
}

/// The id that a text was meant to be: another spelling of it, or a part.
pub fn nearest(text: &str) -> Option<&'static str> {
    let ids = || all().map(|rule| rule.id);
    let spelt = ids().min_by_key(|id| distance(text, id));
    let is_near = |id: &&str| distance(text, id) <= id.len() / 3;
    let part = || ids().find(|id| text.len() > 3 && id.contains(text));
    spelt.filter(is_near).or_else(part)
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
    fn words_are_looked_for_everywhere_and_those_in_an_id_count_most() {
        let found = |words: &str| -> Vec<_> { search(&[words.to_owned()]).collect() };
        assert_eq!(found("").len(), all().count());
        assert_eq!(found("zzz").len(), 0);
        let pkce = found("pkce");
        let named = pkce.iter().take_while(|rule| rule.id.contains("pkce"));
        let count = all().filter(|rule| rule.id.contains("pkce")).count();
        assert_eq!(named.count(), count);
        assert!(pkce.len() > count, "others speak of it");
        let both: Vec<_> = found("SLASH redirect").iter().map(|rule| rule.id).collect();
        assert!(both.contains(&"redirect-uri-trailing-slash"), "{both:?}");
        assert!(!both.contains(&"redirect-uri-case"), "{both:?}");
    }

    #[test]
    fn the_nearest_rule_is_offered() {
        for (text, expected) in [
            ("token-body-jsn", Some("token-body-json")),
            ("redirect-uri-slash", Some("redirect-uri-case")),
            ("trailing-slash", Some("redirect-uri-trailing-slash")),
            ("nope", None),
            ("", None),
        ] {
            assert_eq!(nearest(text), expected, "{text}");
        }
    }
}
