//! Labels: what stands where a secret stood, and how that occurrence differs from the secret.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::oauth::registry;
use crate::redact::values::kind_of;
use crate::redact::vocabulary::{is_plain, is_word_and_number};

/// `REDACTED-code-1`: the first authorization code of a cassette, with the ways in which this
/// occurrence differs from the secret itself.
///
/// The alphabet (`A-Z a-z 0-9 _ -`) survives URL, header, form, JSON, YAML and Basic unchanged.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label {
    /// The registry's name of the parameter, or `value`, `cookie`, `header`, `basic`.
    pub kind: String,
    /// Counted per kind by first sight.
    pub number: u32,
    /// How this occurrence differs; empty where it is the secret itself.
    pub suffixes: Vec<Suffix>,
}

/// How one occurrence of a secret differs from the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Suffix {
    /// Percent-encoded once more than it should be: `b-pct-encoded`.
    Pct,
    /// Percent-encoded twice more.
    Pct2,
    /// Percent-decoded once too often: `b-double-decoded`.
    Unpct,
    /// A `+` became a space.
    PlusAsSpace,
    /// A space became a `+`.
    SpaceAsPlus,
    /// `&` became `&amp;`.
    HtmlAmp,
    /// Only the first characters: `b-prefix-of-a`.
    FirstOf {
        /// How many are left.
        kept: u32,
        /// How many there were; 0 where the secret declares no shape.
        of: u32,
    },
    /// In upper case: `case-only`.
    Upper,
    /// In lower case: `case-only`.
    Lower,
    /// In lower and upper case, a host's name that is known in lower case: `case-only`.
    Mixed,
    /// Base64 of it.
    Base64,
    /// Hexadecimal digits of it.
    Hex,
    /// A JSON number stood here, not a string.
    Number,
}

impl Label {
    /// A label without suffix.
    pub fn new(kind: impl Into<String>, number: u32) -> Self {
        Self {
            kind: kind.into(),
            number,
            suffixes: Vec::new(),
        }
    }

    /// The same label with one more suffix.
    #[must_use]
    pub fn with(mut self, suffix: Suffix) -> Self {
        self.suffixes.push(suffix);
        self
    }

    /// The label of the secret itself.
    #[must_use]
    pub fn core(&self) -> Self {
        Self::new(self.kind.clone(), self.number)
    }

    /// The label that is declared under a key.
    pub fn of_key(key: &str) -> Option<Self> {
        let (kind, number) = key.rsplit_once('-')?;
        Some(Self::new(kind, number.parse().ok()?))
    }

    /// `code-1`: the key under which `secrets:` declares it.
    pub fn key(&self) -> String {
        format!("{}-{}", self.kind, self.number)
    }

    /// `<code-1--pct>`: as people read it.
    pub fn short(&self) -> String {
        let label = self.to_string();
        format!("<{}>", label.strip_prefix(PREFIX).unwrap_or(&label))
    }
}

/// A text of a cassette as people read it: its labels short, its literals unescaped.
pub fn readable(text: &str) -> String {
    let pieces = pieces(text).into_iter();
    let shown = pieces.map(|piece| match piece {
        Piece::Literal(text) => text,
        Piece::Label(label) => label.short(),
    });
    shown.collect()
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}-{}", self.kind, self.number)?;
        self.suffixes
            .iter()
            .try_for_each(|suffix| write!(f, "--{suffix}"))
    }
}

impl fmt::Display for Suffix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FirstOf { kept, of } => write!(f, "first-{kept}-of-{of}"),
            other => f.write_str(
                PLAIN
                    .iter()
                    .find(|(_, suffix)| suffix == other)
                    .map_or("", |(word, _)| word),
            ),
        }
    }
}

/// A piece of a text of a cassette.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text that stands for itself, unescaped.
    Literal(String),
    /// A secret stood here.
    Label(Label),
}

/// Whether a text of a cassette holds a label, or anything that is written otherwise because of
/// them.
pub(super) fn may_hold(text: &str) -> bool {
    find_prefix(text).is_some()
}

/// Whether a text of a cassette holds literal text that would read as a label.
pub(super) fn has_escape(text: &str) -> bool {
    text.contains(ESCAPED)
}

/// Splits a text of a cassette into literal text and labels.
///
/// `REDACTED--` is a literal `REDACTED-`. A label ends at the first character outside its grammar;
/// `--end--` closes one that literal text of the same alphabet follows.
pub fn pieces(text: &str) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = find_prefix(rest) {
        literal.push_str(&rest[..at]);
        let after = &rest[at + PREFIX.len()..];
        if let Some(escaped) = after.strip_prefix('-') {
            literal.push_str(PREFIX);
            rest = escaped;
        } else if let Some((label, tail)) = parse(after) {
            if !literal.is_empty() {
                out.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            out.push(Piece::Label(label));
            rest = tail;
        } else {
            literal.push_str(PREFIX);
            rest = after;
        }
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        out.push(Piece::Literal(literal));
    }
    out
}

/// Where something begins as a label and is none, in bytes.
pub(crate) fn broken_label(text: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = find_prefix(&text[from..]).map(|at| from + at) {
        let after = &text[at + PREFIX.len()..];
        if after.starts_with('-') {
            from = at + ESCAPED.len();
            continue;
        }
        let Some((_, rest)) = parse(after) else {
            return Some(at);
        };
        from = text.len() - rest.len();
        let is_closed = text[..from].ends_with(END);
        if !is_closed && rest.starts_with(is_label_char) {
            return Some(at);
        }
    }
    None
}

/// The labels of a text, as those of the secrets themselves.
pub(crate) fn cores(text: &str) -> impl Iterator<Item = Label> + use<> {
    let core = |piece| match piece {
        Piece::Label(label) => Some(label.core()),
        Piece::Literal(_) => None,
    };
    pieces(text).into_iter().filter_map(core)
}

/// What tells the secret in a text from others: its label, or the text where nothing is hidden.
pub(crate) fn identity(text: &str) -> String {
    cores(text)
        .next()
        .map_or_else(|| text.to_owned(), |label| label.to_string())
}

/// The label that a text is, as the one of the secret itself.
pub(crate) fn only_label(text: &str) -> Option<Label> {
    match pieces(text).as_slice() {
        [Piece::Label(label)] => Some(label.core()),
        _ => None,
    }
}

/// The labels that stand in a text which was redacted before, each once. What only reads like one
/// is not taken for one: its kind is no known word, or its number is higher than any recording counts.
pub fn labels(text: &str) -> Vec<Label> {
    let label = |piece| match piece {
        Piece::Label(label) => Some(label),
        Piece::Literal(_) => None,
    };
    let is_named = |kind: &str| registry::names().any(|name| kind_of(name) == kind);
    let is_kind = |kind: &str| is_plain(kind) && !is_word_and_number(kind) || is_named(kind);
    let is_ours = |label: &Label| label.number <= NUMBER_MAX && is_kind(&label.kind);
    let labels: BTreeSet<_> = pieces(text).into_iter().filter_map(label).collect();
    labels.into_iter().filter(is_ours).collect()
}

/// The text with its labels spelled in the case that they say, so that a comparison of two texts
/// sees that they differ in case alone.
pub fn in_its_case(text: &str) -> String {
    if !may_hold(text) {
        return text.to_owned();
    }
    let piece = |piece| match piece {
        Piece::Literal(text) => escape(&text),
        Piece::Label(mut label) => {
            let case =
                |suffix: &Suffix| matches!(suffix, Suffix::Upper | Suffix::Lower | Suffix::Mixed);
            let suffix = label.suffixes.pop_if(|suffix| case(suffix));
            let text = label.to_string();
            match suffix {
                Some(Suffix::Lower) => text.to_ascii_lowercase(),
                Some(Suffix::Upper) => text.to_ascii_uppercase(),
                Some(_) => text.replace(PREFIX, "Redacted-"),
                None => text,
            }
        }
    };
    pieces(text).into_iter().map(piece).collect()
}

/// Writes pieces back as a text of a cassette: the inverse of [`pieces`].
pub fn join(pieces: &[Piece]) -> String {
    let mut out = String::new();
    let mut open = false;
    for piece in pieces {
        match piece {
            Piece::Literal(text) => {
                if open && text.starts_with(is_label_char) {
                    out.push_str(END);
                }
                out.push_str(&escape(text));
                open = false;
            }
            Piece::Label(label) => {
                if open {
                    out.push_str(END);
                }
                out.push_str(&label.to_string());
                open = true;
            }
        }
    }
    out
}

/// Escapes literal text so that no part of it reads as a label.
pub fn escape(literal: &str) -> String {
    if may_hold(literal) {
        literal.replace(PREFIX, ESCAPED)
    } else {
        literal.to_owned()
    }
}

fn find_prefix(text: &str) -> Option<usize> {
    static FINDER: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(PREFIX));
    FINDER.find(text.as_bytes())
}

fn parse(text: &str) -> Option<(Label, &str)> {
    let kind_len =
        text.find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'))?;
    let (kind, rest) = text.split_at(kind_len);
    let rest = rest.strip_prefix('-')?;
    let digits = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let number = rest[..digits].parse().ok().filter(|number| *number > 0)?;
    if !kind.starts_with(|c: char| c.is_ascii_lowercase()) {
        return None;
    }
    let mut label = Label::new(kind, number);
    let mut rest = &rest[digits..];
    while let Some((suffix, tail)) = rest.strip_prefix("--").and_then(parse_suffix) {
        label.suffixes.push(suffix);
        rest = tail;
    }
    Some((label, rest.strip_prefix(END).unwrap_or(rest)))
}

fn parse_suffix(text: &str) -> Option<(Suffix, &str)> {
    if let Some(counts) = text.strip_prefix("first-") {
        let (kept, rest) = counts.split_once("-of-")?;
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let suffix = Suffix::FirstOf {
            kept: kept.parse().ok()?,
            of: rest[..digits].parse().ok()?,
        };
        return Some((suffix, &rest[digits..]));
    }
    let end = text
        .find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'))
        .unwrap_or(text.len());
    let word = text[..end].split("--").next().unwrap_or_default();
    let (word, suffix) = PLAIN.iter().find(|(known, _)| *known == word)?;
    Some((*suffix, &text[word.len()..]))
}

fn is_label_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

const PREFIX: &str = "REDACTED-";
const ESCAPED: &str = "REDACTED--";
const END: &str = "--end--";
const NUMBER_MAX: u32 = 1_000_000;
const PLAIN: &[(&str, Suffix)] = &[
    ("pct", Suffix::Pct),
    ("pct2", Suffix::Pct2),
    ("unpct", Suffix::Unpct),
    ("plus-as-space", Suffix::PlusAsSpace),
    ("space-as-plus", Suffix::SpaceAsPlus),
    ("html-amp", Suffix::HtmlAmp),
    ("upper", Suffix::Upper),
    ("lower", Suffix::Lower),
    ("mixed", Suffix::Mixed),
    ("base64", Suffix::Base64),
    ("hex", Suffix::Hex),
    ("number", Suffix::Number),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_split_and_joined_without_loss() {
        for text in [
            "",
            "plain",
            "REDACTED-code-1",
            "https://x/cb?code=REDACTED-code-1&state=REDACTED-state-2",
            "REDACTED-code-1--pct#_=_",
            "REDACTED-code-1--first-20-of-43",
            "REDACTED-client_secret-1\n",
            "Bearer REDACTED-access_token-12--upper",
            "REDACTED--code-1",
            "REDACTED-code-1--end--23",
            "REDACTED-code-1--end--REDACTED-code-2",
            "REDACTED-code-1--end----pct",
            "x--REDACTED-value-1--number",
        ] {
            assert_eq!(join(&pieces(text)), text);
        }
    }

    #[test]
    fn literal_text_never_reads_as_a_label() {
        for literal in [
            "REDACTED-code-1",
            "REDACTED--code-1",
            "xREDACTED-REDACTED-",
            "REDACTED-",
        ] {
            let written = join(&[Piece::Literal(literal.to_owned())]);
            assert_eq!(
                pieces(&written),
                [Piece::Literal(literal.to_owned())],
                "{written}"
            );
        }
    }

    #[test]
    fn what_differs_in_case_alone_is_compared_as_such() {
        for (text, expected) in [
            ("https://REDACTED-host-1/cb", "https://REDACTED-host-1/cb"),
            (
                "https://REDACTED-host-1--mixed/cb",
                "https://Redacted-host-1/cb",
            ),
            ("REDACTED-host-1--upper", "REDACTED-HOST-1"),
            ("REDACTED-code-1--pct", "REDACTED-code-1--pct"),
            ("https://x.example/cb", "https://x.example/cb"),
        ] {
            assert_eq!(in_its_case(text), expected, "{text}");
        }
    }

    #[test]
    fn what_reads_as_a_label_is_one_where_its_kind_is_known() {
        for (text, expected) in [
            (
                "a REDACTED-code-1, REDACTED-state-2, REDACTED-code-1",
                vec!["code-1", "state-2"],
            ),
            (
                "REDACTED-samlresponse-3--first-8-of-20",
                vec!["samlresponse-3"],
            ),
            ("REDACTED-x_api_key-1", vec!["x_api_key-1"]),
            ("REDACTED-hunter2-1", vec![]),
            ("REDACTED-code-4000000000", vec![]),
            ("REDACTED--code-1", vec![]),
        ] {
            let keys: Vec<_> = labels(text).iter().map(Label::key).collect();
            assert_eq!(keys, expected, "{text}");
        }
    }

    #[test]
    fn a_suffix_says_how_an_occurrence_differs() {
        let label = Label::new("code", 3)
            .with(Suffix::Pct)
            .with(Suffix::FirstOf { kept: 8, of: 20 });
        assert_eq!(label.to_string(), "REDACTED-code-3--pct--first-8-of-20");
        assert_eq!(pieces(&label.to_string()), [Piece::Label(label)]);
    }
}
