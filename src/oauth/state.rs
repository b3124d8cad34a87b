//! The `state` of an authorization request, as far as its text shows that it can be guessed.

use crate::model::words;

words! {
    /// Why a state can be guessed (RFC 6749 section 10.10).
    Guessable {
        /// It has fewer than eight characters.
        Short = "short",
        /// It is a number that a clock or a counter gives.
        Digits = "digits",
        /// It is one character again and again.
        Constant = "constant",
    }
}

/// Why the state can be guessed, if its text shows it.
pub fn guessable(state: &str) -> Option<Guessable> {
    let mut chars = state.chars();
    let first = chars.next()?;
    if state.chars().count() < 8 {
        Some(Guessable::Short)
    } else if chars.all(|c| c == first) {
        Some(Guessable::Constant)
    } else {
        let is_number = state.len() <= 13 && state.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then_some(Guessable::Digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_guessed_is_told_from_the_rest() {
        for (state, expected) in [
            ("", None),
            ("xyz", Some(Guessable::Short)),
            ("00000000", Some(Guessable::Constant)),
            ("1790000000", Some(Guessable::Digits)),
            ("1790000000123", Some(Guessable::Digits)),
            ("17900000001234", None),
            ("9f86d081", None),
            ("St1d2c3b4a596877", None),
        ] {
            assert_eq!(guessable(state), expected, "{state}");
        }
    }
}
