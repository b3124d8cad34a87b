//! This run's values for the labels of a cassette. They are raw: no `Debug`.

use std::collections::HashMap;

use crate::model::{percent_decode, percent_encode};
use crate::redact::{Declaration, Label, Piece, Suffix, pieces};
use crate::replay::mint::Mint;

/// What stands for each label in this run, by cassette.
pub(super) struct Bindings {
    values: HashMap<(usize, Label), String>,
    mint: Mint,
}

impl Bindings {
    /// Nothing is bound; values are made from the seed.
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self {
            values: HashMap::new(),
            mint: Mint::new(seed),
        }
    }

    /// Whether a live value can stand where the recorded text stood; a label that is not bound
    /// yet would take it.
    pub(super) fn accepts(&self, cassette: usize, recorded: &str, live: &str) -> bool {
        match label_of(recorded) {
            Some((label, before, after)) => {
                let Some(middle) = live
                    .strip_prefix(before.as_str())
                    .and_then(|rest| rest.strip_suffix(after.as_str()))
                else {
                    return false;
                };
                match self.values.get(&(cassette, label.core())) {
                    Some(value) => applied(value, &label) == middle,
                    None => true,
                }
            }
            None => self.literal(cassette, recorded) == live,
        }
    }

    /// Binds the label of a recorded text to the live value, where it is not bound yet.
    pub(super) fn bind(&mut self, cassette: usize, recorded: &str, live: &str) {
        let Some((label, before, after)) = label_of(recorded) else {
            return;
        };
        let middle = live
            .strip_prefix(before.as_str())
            .and_then(|rest| rest.strip_suffix(after.as_str()));
        if let Some(core) = middle.and_then(|middle| undone(middle, &label)) {
            self.values.entry((cassette, label.core())).or_insert(core);
        }
    }

    /// Whether this run's value of some label stands in the text.
    pub(super) fn holds(&self, text: &str) -> bool {
        let plain = percent_decode(text);
        // A short one stands in words by chance.
        let stands = |value: &String| {
            plain == *value || (value.len() >= 8 && plain.contains(value.as_str()))
        };
        self.values.values().any(stands)
    }

    /// Forgets a label, so that it is made anew.
    pub(super) fn forget(&mut self, cassette: usize, label: &Label) {
        self.values.remove(&(cassette, label.core()));
    }

    /// The value of a label, made in its declared shape where there is none yet.
    pub(super) fn value(
        &mut self,
        cassette: usize,
        label: &Label,
        shape: Option<&Declaration>,
    ) -> String {
        let core = label.core();
        let mint = &mut self.mint;
        let value = self
            .values
            .entry((cassette, core.clone()))
            .or_insert_with(|| mint.value(&core, shape));
        applied(value, label)
    }

    fn literal(&self, cassette: usize, recorded: &str) -> String {
        let piece = |piece| match piece {
            Piece::Literal(text) => text,
            Piece::Label(label) => {
                let value = self.values.get(&(cassette, label.core()));
                value.map_or_else(|| label.to_string(), |value| applied(value, &label))
            }
        };
        pieces(recorded).into_iter().map(piece).collect()
    }
}

/// The one label of a text, with the literal text around it.
fn label_of(text: &str) -> Option<(Label, String, String)> {
    let mut found = None;
    let (mut before, mut after) = (String::new(), String::new());
    for piece in pieces(text) {
        match piece {
            Piece::Label(label) if found.is_none() => found = Some(label),
            Piece::Label(_) => return None,
            Piece::Literal(text) if found.is_none() => before = text,
            Piece::Literal(text) => after = text,
        }
    }
    found.map(|label| (label, before, after))
}

fn applied(value: &str, label: &Label) -> String {
    label
        .suffixes
        .iter()
        .fold(value.to_owned(), |value, suffix| apply(&value, *suffix))
}

fn apply(value: &str, suffix: Suffix) -> String {
    match suffix {
        Suffix::Pct => percent_encode(value),
        Suffix::Pct2 => percent_encode(&percent_encode(value)),
        Suffix::Unpct => percent_decode(value),
        Suffix::PlusAsSpace => value.replace('+', " "),
        Suffix::SpaceAsPlus => value.replace(' ', "+"),
        Suffix::HtmlAmp => value.replace('&', "&amp;"),
        Suffix::FirstOf { kept, .. } => value.chars().take(kept as usize).collect(),
        Suffix::Upper => value.to_ascii_uppercase(),
        Suffix::Lower => value.to_ascii_lowercase(),
        _ => value.to_owned(),
    }
}

/// The secret itself, where the difference can be undone.
fn undone(value: &str, label: &Label) -> Option<String> {
    match label.suffixes.as_slice() {
        [] | [Suffix::Number] => Some(value.to_owned()),
        [Suffix::Pct] => Some(percent_decode(value)),
        [Suffix::Pct2] => Some(percent_decode(&percent_decode(value))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_takes_the_first_value_and_holds_to_it() {
        let mut bindings = Bindings::new([0; 32]);
        for (recorded, live, expected) in [
            ("REDACTED-state-1", "s1", true),
            ("REDACTED-state-1", "other", false),
            ("REDACTED-state-1\n", "s1\n", true),
            ("REDACTED-state-1\n", "s1", false),
            ("REDACTED-code-1--pct", "a%2Fb", true),
            ("REDACTED-code-1", "a/b", true),
            ("REDACTED-code-1", "a%2Fb", false),
            ("Bearer REDACTED-access_token-1", "Basic x", false),
            ("Bearer REDACTED-access_token-1", "Bearer t", true),
            ("plain", "plain", true),
            ("plain", "other", false),
        ] {
            assert_eq!(
                bindings.accepts(0, recorded, live),
                expected,
                "{recorded:?} {live:?}"
            );
            if expected {
                bindings.bind(0, recorded, live);
            }
        }
        let code = bindings.value(0, &Label::new("code", 1), None);
        assert_eq!(code, "a/b");
        assert!(bindings.accepts(1, "REDACTED-state-1", "another cassette"));
    }
}
