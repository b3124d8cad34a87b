//! The ledger: every secret seen so far, its label, and what may be said of its shape.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use zeroize::Zeroize as _;

use crate::model::{percent_decode, percent_encode};
use crate::redact::label::{self, Label, Piece, Suffix};
use crate::redact::shape::{count, declare};
use crate::redact::sweep::is_common;
use crate::redact::values::{UNKNOWN, WORD};
use crate::redact::vocabulary::{is_host, is_host_label, is_number, is_plain};
use crate::redact::{Declaration, Named};

/// What may be said of the shape of a value that is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Length, alphabet and prefix, where they leave enough unknown.
    Declared,
    /// The type only: an identifier or personal data.
    Typed,
    /// Nothing.
    Hidden,
}

/// How much is remembered of the secrets of a recording; it is full where either is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// How many secrets.
    pub secrets: usize,
    /// Bytes of the secrets, of the patterns to find them by, and of what dropped texts said.
    pub bytes: usize,
}

impl Default for Capacity {
    fn default() -> Self {
        Self {
            secrets: 20_000,
            bytes: 64 << 20,
        }
    }
}

/// A secret that was seen for the first time.
pub(super) struct Fresh {
    pub(super) label: Label,
    pub(super) value: String,
    pub(super) declaration: Option<Declaration>,
    /// The ledger is full, and forgets it with the exchange that it stands in.
    pub(super) is_passing: bool,
}

/// The secrets of one recording. They are wiped when it is dropped.
#[derive(Default)]
pub(super) struct Ledger {
    secrets: BTreeMap<String, Label>,
    /// The spelling of each secret by its lower case, to find one that differs by case only.
    spellings: HashMap<String, String>,
    /// Each secret that holds escapes by what it is without one level of them.
    unescaped: HashMap<String, String>,
    /// What differs from a secret in a way that has a name, and is as secret.
    variants: BTreeSet<String>,
    /// Those of both that are words of the protocol, which are replaced in their own place only.
    common: BTreeSet<String>,
    /// What was said in texts that were dropped: secret where it is said again, else never named.
    heard: BTreeSet<String>,
    /// Whether a secret, or what was heard, is made of words that may be kept.
    has_plain: bool,
    /// Whether a secret may be a label of a host's name.
    has_host_label: bool,
    counts: BTreeMap<String, u32>,
    fresh: Vec<Fresh>,
    capacity: Capacity,
    bytes: usize,
}

impl Ledger {
    /// A ledger that learns no more than this.
    pub(super) fn with_capacity(capacity: Capacity) -> Self {
        let mut ledger = Self::default();
        ledger.capacity = capacity;
        ledger
    }

    /// Whether it has learned all that it may: what comes now is forgotten with its exchange, so
    /// nothing is known of it where it stands again.
    pub(super) fn is_full(&self) -> bool {
        self.secrets.len() >= self.capacity.secrets || self.bytes >= self.capacity.bytes
    }

    /// Forgets the secrets that came when there was no more room.
    pub(super) fn forget<'a>(&mut self, passing: impl Iterator<Item = &'a Fresh>) {
        for fresh in passing {
            let value = &fresh.value;
            if let Some((mut secret, _)) = self.secrets.remove_entry(value) {
                secret.zeroize();
            }
            let keys = [value.to_ascii_lowercase(), percent_decode(value)];
            for (map, key) in [&mut self.spellings, &mut self.unescaped]
                .into_iter()
                .zip(keys)
            {
                if map.get(&key) == Some(value)
                    && let Some((mut derived, mut secret)) = map.remove_entry(&key)
                {
                    derived.zeroize();
                    secret.zeroize();
                }
            }
        }
    }

    /// The text that stands for a value: its label, or, where it differs from a known secret in a
    /// way that has a name, that secret's label with the difference.
    pub(super) fn text(&mut self, kind: &str, value: &str, shape: Shape) -> String {
        if let Some(label) = self.secrets.get(value) {
            return label.to_string();
        }
        label::join(&self.pieces(kind, value, shape))
    }

    /// The same as pieces.
    pub(super) fn pieces(&mut self, kind: &str, value: &str, shape: Shape) -> Vec<Piece> {
        // Nothing is nobody's secret.
        if value.is_empty() {
            return Vec::new();
        }
        if let Some(label) = self.secrets.get(value) {
            return vec![Piece::Label(label.clone())];
        }
        if let Some(related) = self.related(value) {
            if self.variants.insert(value.to_owned()) {
                self.bytes += value.len() + HEARD;
                self.note(value);
            }
            return related;
        }
        let is_passing = self.is_full();
        if !is_passing {
            self.bytes += COPIES * value.len() + PATTERNS;
        }
        let number = self.counts.entry(kind.to_owned()).or_default();
        *number += 1;
        let label = Label::new(kind, *number);
        self.file(value, label.clone());
        let declaration = declare(value, shape);
        self.fresh.push(Fresh {
            label: label.clone(),
            value: value.to_owned(),
            declaration,
            is_passing,
        });
        vec![Piece::Label(label)]
    }

    /// Takes in a secret that was given its label before; says whether it is new here.
    pub(super) fn know(&mut self, value: &str, label: &Label) -> bool {
        let is_new = !value.is_empty() && !self.secrets.contains_key(value) && !self.is_full();
        if is_new {
            self.bytes += COPIES * value.len() + PATTERNS;
            self.file(value, label.clone());
        }
        is_new
    }

    /// Numbers that were handed out before are not handed out again.
    pub(super) fn count_from(&mut self, kind: &str, number: u32) {
        let count = self.counts.entry(kind.to_owned()).or_default();
        *count = number.max(*count);
    }

    fn file(&mut self, value: &str, label: Label) {
        self.secrets.insert(value.to_owned(), label);
        self.note(value);
        self.spellings
            .entry(value.to_ascii_lowercase())
            .or_insert_with(|| value.to_owned());
        if value.contains('%') {
            self.unescaped
                .entry(percent_decode(value))
                .or_insert_with(|| value.to_owned());
        }
    }

    fn note(&mut self, value: &str) {
        self.has_plain |= may_be_kept(value);
        self.has_host_label |= is_host_label(value);
        if is_common(value) {
            self.common.insert(value.to_owned());
        }
    }

    /// Whether the value is a secret already, and can be told from a word of the protocol.
    pub(super) fn knows(&self, value: &str) -> bool {
        (self.secrets.contains_key(value) || self.variants.contains(value))
            && !self.common.contains(value)
    }

    /// Whether one of the words of a text is a secret, in whatever case.
    pub(super) fn knows_part(&self, text: &str) -> bool {
        let is_known = |part: &str| self.knows_word(part) || self.has_heard(part);
        self.has_plain && text.split(is_mark).any(is_known)
    }

    /// Whether the word is a secret, in whatever case.
    pub(super) fn knows_word(&self, word: &str) -> bool {
        !word.is_empty() && self.knows_in_any_case(word) && !is_common(&word.to_ascii_lowercase())
    }

    /// Whether the value is a secret but for the case of its letters.
    pub(super) fn knows_in_any_case(&self, value: &str) -> bool {
        self.spellings.contains_key(&value.to_ascii_lowercase())
    }

    /// Whether a label of a host's name, or a part of it, is a secret that a row speaks of. Hosts
    /// are public: an unknown value that is spelled like one is nobody's secret for that.
    pub(super) fn knows_in_host(&self, label: &str) -> bool {
        let is_named = |part: &str| {
            let secret = self.spellings.get(&part.to_ascii_lowercase());
            let label = secret.and_then(|secret| self.secrets.get(secret));
            label
                .is_some_and(|label| ![UNKNOWN, WORD, "page", "xml"].contains(&label.kind.as_str()))
        };
        is_named(label)
            || label
                .split('-')
                .any(|part| !is_common(part) && is_named(part))
    }

    /// Whether the value was said in a text that was dropped.
    pub(super) fn has_heard(&self, value: &str) -> bool {
        self.heard.contains(value)
    }

    /// Whether one of the secrets may stand in a text that is plain.
    pub(super) fn has_plain(&self) -> bool {
        self.has_plain
    }

    /// Whether one of the secrets may stand in the name of a host that is plain.
    pub(super) fn has_host_label(&self) -> bool {
        self.has_host_label
    }

    /// Notes what a text said that was dropped.
    pub(super) fn hear(&mut self, value: &str) {
        if !self.is_full() && self.heard.insert(value.to_owned()) {
            self.bytes += value.len() + HEARD;
            self.has_plain |= may_be_kept(value);
        }
    }

    /// The secrets that came since the last call, in the order of their first sight.
    pub(super) fn take_fresh(&mut self) -> Vec<Fresh> {
        if self.is_full() {
            self.variants.clear();
        }
        std::mem::take(&mut self.fresh)
    }

    /// How many secrets of each kind there are.
    pub(super) fn counts(&self) -> Vec<Named<u32>> {
        self.counts
            .iter()
            .map(|(kind, count)| Named::new(kind.clone(), *count))
            .collect()
    }

    /// The relations whose suffixes docs/design/cassette.md lists, first hit wins: the known secret is
    /// `a`, the value is `b`.
    fn related(&self, value: &str) -> Option<Vec<Piece>> {
        if value.len() < RELATED_MIN {
            return None;
        }
        self.by_trim(value)
            .or_else(|| self.by_transform(value))
            .or_else(|| self.by_suffix(value))
            .or_else(|| self.by_prefix(value))
            .or_else(|| self.by_case(value))
    }

    fn by_trim(&self, value: &str) -> Option<Vec<Piece>> {
        let core = value.trim_matches(|c: char| c.is_ascii_whitespace());
        if core.len() == value.len() {
            return None;
        }
        let label = self.secrets.get(core)?;
        let (before, after) = value.split_once(core)?;
        Some(around(before, label.clone(), after))
    }

    fn by_transform(&self, value: &str) -> Option<Vec<Piece>> {
        let once = percent_decode(value);
        let transforms = [
            (once.clone(), Suffix::Pct),
            (percent_decode(&once), Suffix::Pct2),
            (percent_encode(value), Suffix::Unpct),
            (value.replace(' ', "+"), Suffix::PlusAsSpace),
            (value.replace('+', " "), Suffix::SpaceAsPlus),
            (value.replace("&amp;", "&"), Suffix::HtmlAmp),
        ];
        let found = transforms.iter().find_map(|(candidate, suffix)| {
            let label = (candidate != value).then(|| self.secrets.get(candidate))??;
            Some((label, *suffix))
        });
        // A secret that holds escapes itself, and lost one level of them.
        let decoded_twice = || {
            let label = self.secrets.get(self.unescaped.get(value)?)?;
            Some((label, Suffix::Unpct))
        };
        let (label, suffix) = found.or_else(decoded_twice)?;
        Some(vec![Piece::Label(label.clone().with(suffix))])
    }

    fn by_suffix(&self, value: &str) -> Option<Vec<Piece>> {
        TAILS.iter().find_map(|tail| {
            let core = value.strip_suffix(tail)?;
            let label = self.secrets.get(core)?;
            Some(around("", label.clone(), tail))
        })
    }

    fn by_prefix(&self, value: &str) -> Option<Vec<Piece>> {
        let (secret, label) = self.secrets.range(value.to_owned()..).next()?;
        let whole = secret.strip_prefix(value)?;
        let of = if declare(secret, Shape::Declared).is_some() {
            count(secret)
        } else {
            0
        };
        let suffix = Suffix::FirstOf {
            kept: count(value),
            of,
        };
        (!whole.is_empty() && of > 0).then(|| vec![Piece::Label(label.clone().with(suffix))])
    }

    fn by_case(&self, value: &str) -> Option<Vec<Piece>> {
        let secret = self.spellings.get(&value.to_ascii_lowercase())?;
        let label = self.secrets.get(secret)?;
        let suffix = if *value == secret.to_ascii_uppercase() {
            Suffix::Upper
        } else if *value == secret.to_ascii_lowercase() {
            Suffix::Lower
        } else {
            return None;
        };
        Some(vec![Piece::Label(label.clone().with(suffix))])
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        while let Some((mut secret, _)) = self.secrets.pop_first() {
            secret.zeroize();
        }
        while let Some(mut variant) = self.variants.pop_first() {
            variant.zeroize();
        }
        while let Some(mut heard) = self.heard.pop_first() {
            heard.zeroize();
        }
        let derived = self.spellings.drain().chain(self.unescaped.drain());
        derived.for_each(|(mut derived, mut secret)| {
            derived.zeroize();
            secret.zeroize();
        });
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}

/// What a word ends at.
pub(super) fn is_mark(c: char) -> bool {
    !c.is_alphanumeric()
}

/// Whether the value, were it not secret, would be kept as a word of a text.
fn may_be_kept(value: &str) -> bool {
    is_plain(value) || is_number(value) || is_host(value)
}

fn around(before: &str, label: Label, after: &str) -> Vec<Piece> {
    let literal = |text: &str| (!text.is_empty()).then(|| Piece::Literal(text.to_owned()));
    literal(before)
        .into_iter()
        .chain([Piece::Label(label)])
        .chain(literal(after))
        .collect()
}

/// How often a secret's text is held: by the maps of the ledger and by the sweep.
const COPIES: usize = 5;
/// Bytes of what is filed to find a secret in any encoding, and of its labels.
const PATTERNS: usize = 1 << 10;
/// Bytes to remember a run of a dropped text, besides its own.
const HEARD: usize = 48;
const RELATED_MIN: usize = 8;

/// What clients append to a value by mistake (the rule `code-has-extra-suffix`).
const TAILS: &[&str] = &["#_=_", "#_", "#", "/", "\"", "'", ",", ";", "&", "?"];

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "SplxlOBeZQ4/BYS+Wxs/bIAkQmZqNp7tYw";

    #[test]
    fn the_same_secret_has_the_same_label_and_a_related_one_says_how_it_differs() {
        let mut ledger = Ledger::default();
        assert_eq!(
            ledger.text("code", CODE, Shape::Declared),
            "REDACTED-code-1"
        );
        for (value, expected) in [
            (CODE.to_owned(), "REDACTED-code-1"),
            (format!(" {CODE}\n"), " REDACTED-code-1\n"),
            (percent_encode(CODE), "REDACTED-code-1--pct"),
            (
                percent_encode(&percent_encode(CODE)),
                "REDACTED-code-1--pct2",
            ),
            (CODE.replace('+', " "), "REDACTED-code-1--plus-as-space"),
            (format!("{CODE}#_=_"), "REDACTED-code-1#_=_"),
            (CODE[..12].to_owned(), "REDACTED-code-1--first-12-of-34"),
            (CODE.to_ascii_uppercase(), "REDACTED-code-1--upper"),
            ("another value altogether".to_owned(), "REDACTED-code-2"),
        ] {
            assert_eq!(
                ledger.text("code", &value, Shape::Declared),
                expected,
                "{value:?}"
            );
        }
    }

    #[test]
    fn labels_count_by_kind_in_the_order_of_first_sight() {
        let mut ledger = Ledger::default();
        for (kind, value, expected) in [
            ("state", "first-state-value", "REDACTED-state-1"),
            ("code", "first-code-value", "REDACTED-code-1"),
            ("state", "second-state-here", "REDACTED-state-2"),
            ("value", "first-code-value", "REDACTED-code-1"),
        ] {
            assert_eq!(ledger.text(kind, value, Shape::Declared), expected);
        }
        assert_eq!(
            ledger.counts(),
            [Named::new("code", 1), Named::new("state", 2)]
        );
    }
}
