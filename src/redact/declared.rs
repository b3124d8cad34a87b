//! A secret that the user has named beforehand, and that is known before the first exchange.

use std::fmt;

use zeroize::Zeroizing;

use crate::model::FailureKind;
use crate::oauth::Step;
use crate::oauth::sniff::Sniff;
use crate::redact::Redactor;
use crate::redact::content::DropReason;
use crate::redact::label::{self, Piece};
use crate::redact::ledger::Shape;
use crate::redact::shape::Alphabet;
use crate::redact::sweep::is_protocol;

/// A value that is replaced wherever it stands, in whatever encoding.
///
/// Its `Debug` shows nothing of it, not even its length.
#[derive(Clone)]
pub struct Declared(Zeroizing<String>);

/// Why a value cannot be declared. What it is, or how long, is not said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Undeclarable {
    /// There is nothing.
    #[error("it is empty")]
    Empty,
    /// It stands in too many texts by chance.
    #[error(
        "it is shorter than {SHORTEST} bytes; so short a value stands in other words by chance, and would be replaced there, too"
    )]
    Short,
    /// It stands in every recording.
    #[error(
        "it is a word of the protocol or of the cassette, which every recording holds; change the secret, for it is none"
    )]
    Word,
}

impl Declared {
    /// Takes a value that the user says is secret.
    ///
    /// # Errors
    ///
    /// Where replacing it everywhere would deface what is recorded.
    pub fn new(value: String) -> Result<Self, Undeclarable> {
        let value = Zeroizing::new(value);
        if value.is_empty() {
            Err(Undeclarable::Empty)
        } else if value.len() < SHORTEST {
            Err(Undeclarable::Short)
        } else if is_everywhere(&value) {
            Err(Undeclarable::Word)
        } else {
            Ok(Self(value))
        }
    }
}

impl fmt::Debug for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Declared")
    }
}

impl Redactor {
    /// Takes in what the user has declared; to be called before the first exchange.
    ///
    /// A value that holds another one is taken in first, so that both are found.
    pub fn declare(&mut self, secrets: &[Declared]) {
        let mut longest_first: Vec<_> = secrets.iter().map(|Declared(value)| value).collect();
        longest_first.sort_by_key(|value| std::cmp::Reverse(value.len()));
        for value in longest_first {
            // One that differs from another by a suffix alone has a label already.
            let labels = self.ledger.pieces(DECLARED, value, Shape::Hidden);
            if let [Piece::Label(label)] = labels.as_slice() {
                self.sweeper.insist(value, label);
            }
        }
        // Nothing of them is declared in the cassette, whose first exchange did not bring them.
        self.ledger.take_fresh();
    }
}

/// Whether the value is a word that the file has whatever is recorded.
fn is_everywhere(value: &str) -> bool {
    let lists = [
        Alphabet::ALL.iter().any(|word| word.as_str() == value),
        DropReason::ALL.iter().any(|word| word.as_str() == value),
        FailureKind::ALL.iter().any(|word| word.as_str() == value),
        Sniff::ALL.iter().any(|word| word.as_str() == value),
        Step::from_word(value).is_some(),
    ];
    is_protocol(value)
        || lists.contains(&true)
        || KEYS.split(' ').any(|key| key.contains(value))
        || label::may_hold(value)
}

/// The kind of a secret that was declared.
pub(crate) const DECLARED: &str = "secret";
/// How many bytes a declared value has at least.
const SHORTEST: usize = 6;
/// What a cassette's lines begin with, and what they hold besides values.
const KEYS: &str = "authtape: authtape/ recorded_by: recorded_at: profile: server: \
    insecure_upstream: redacted: interactions: request: response: method: query: raw_query: headers: \
    framing: raw_form: multipart: trailers: status: reason: secrets: length: alphabet: prefix: \
    jwt_header: jwt_claims: dropped: chunked compact https:// http:// CONNECT DELETE OPTIONS";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_deface_every_recording_is_refused() {
        for (value, expected) in [
            ("", Some(Undeclarable::Empty)),
            ("12345", Some(Undeclarable::Short)),
            ("é1234", None),
            ("123456", None),
            ("sunshine", None),
            ("authorization_code", Some(Undeclarable::Word)),
            ("interactions", Some(Undeclarable::Word)),
            ("headers", Some(Undeclarable::Word)),
            ("token_request", Some(Undeclarable::Word)),
            ("unknown_text", Some(Undeclarable::Word)),
            ("https://", Some(Undeclarable::Word)),
            ("REDACTED-secret-1", Some(Undeclarable::Word)),
        ] {
            assert_eq!(Declared::new(value.to_owned()).err(), expected, "{value}");
        }
    }

    #[test]
    fn a_declared_value_is_not_shown() {
        let declared = Declared::new("sunshine".to_owned()).expect("a secret");
        assert_eq!(format!("{declared:?}"), "Declared");
    }
}
