//! Proof Key for Code Exchange (RFC 7636): from verifier to challenge, and what went wrong between.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256, Sha512};

use crate::model::{is_unreserved, words};

words! {
    /// How a code challenge relates to the code verifier that came later.
    PkceCheck {
        /// It is the verifier's challenge by the declared method.
        Ok = "ok",
        /// The method says S256 and the challenge is the verifier itself.
        PlainEqual = "plain-equal",
        /// It is the S256 challenge, and the method was plain or left out.
        MethodOmitted = "method-omitted",
        /// It is the hex text of the hash.
        Hex = "hex",
        /// It is base64url of the hex text of the hash.
        B64OfHex = "b64-of-hex",
        /// It is in the standard base64 alphabet.
        StdB64 = "std-b64",
        /// It is base64url with padding.
        Padded = "padded",
        /// It is standard base64 whose `+` arrived as a space.
        PlusBecameSpace = "plus-became-space",
        /// It was made with SHA-512.
        Sha512 = "sha512",
        /// It is not of this verifier, and that of another authorization request is.
        OfOtherFlow = "of-other-flow",
        /// It is of no verifier seen here.
        Mismatch = "mismatch",
        /// A verifier came and no challenge had been sent.
        NoChallenge = "no-challenge",
        /// A challenge had been sent and no verifier came.
        NoVerifier = "no-verifier",
    }
}

words! {
    /// What is wrong with the text of a challenge of the method `S256`, whichever verifier it is of.
    ChallengeFault {
        /// It is the hex text of a hash.
        Hex = "hex",
        /// It is base64url of the hex text of a hash.
        B64OfHex = "b64-of-hex",
        /// It has characters of the standard base64 alphabet.
        StdB64 = "std-b64",
        /// It is base64url with padding.
        Padded = "padded",
        /// It is standard base64 whose `+` arrived as a space.
        PlusBecameSpace = "plus-became-space",
    }
}

words! {
    /// What is wrong with the text of a verifier (RFC 7636 section 4.1).
    VerifierFault {
        /// It has fewer than 43 characters.
        Short = "short",
        /// It has more than 128 characters.
        Long = "long",
        /// It has characters other than `A-Z a-z 0-9 - . _ ~`.
        Alphabet = "alphabet",
    }
}

/// What is wrong with the text of a challenge of the method `S256`.
pub fn challenge_fault(challenge: &str) -> Option<ChallengeFault> {
    let is_hex = |bytes: &[u8]| bytes.len() == 64 && bytes.iter().all(u8::is_ascii_hexdigit);
    if is_hex(challenge.as_bytes()) {
        Some(ChallengeFault::Hex)
    } else if challenge.contains(' ') {
        Some(ChallengeFault::PlusBecameSpace)
    } else if challenge.contains(['+', '/']) {
        Some(ChallengeFault::StdB64)
    } else if challenge.contains('=') {
        Some(ChallengeFault::Padded)
    } else {
        let decoded = URL_SAFE_NO_PAD.decode(challenge);
        let of_hex = decoded.is_ok_and(|bytes| is_hex(&bytes));
        of_hex.then_some(ChallengeFault::B64OfHex)
    }
}

/// What is wrong with the text of a verifier.
pub fn verifier_fault(verifier: &str) -> Option<VerifierFault> {
    if !verifier.bytes().all(is_unreserved) {
        return Some(VerifierFault::Alphabet);
    }
    match verifier.len() {
        0..43 => Some(VerifierFault::Short),
        43..=128 => None,
        _ => Some(VerifierFault::Long),
    }
}

/// The challenge of the method `S256` (RFC 7636 section 4.2).
pub fn s256(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// Checks a verifier against the challenge sent before; `None` where PKCE is not used at all.
pub fn check(
    challenge: Option<&str>,
    method: Option<&str>,
    verifier: Option<&str>,
) -> Option<PkceCheck> {
    match (challenge, verifier) {
        (None, None) => None,
        (Some(_), None) => Some(PkceCheck::NoVerifier),
        (None, Some(_)) => Some(PkceCheck::NoChallenge),
        (Some(challenge), Some(verifier)) => Some(compare(challenge, method, verifier)),
    }
}

/// The same where other authorization requests have these challenges.
pub fn check_among<'a>(
    challenge: Option<&str>,
    method: Option<&str>,
    verifier: Option<&str>,
    mut challenges: impl Iterator<Item = &'a str>,
) -> Option<PkceCheck> {
    let own = verifier.map(s256);
    match check(challenge, method, verifier)? {
        PkceCheck::Mismatch if challenges.any(|other| own.as_deref() == Some(other)) => {
            Some(PkceCheck::OfOtherFlow)
        }
        check => Some(check),
    }
}

fn compare(challenge: &str, method: Option<&str>, verifier: &str) -> PkceCheck {
    let plain = matches!(method, None | Some(PLAIN));
    let digest = Sha256::digest(verifier);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let std_b64 = STANDARD.encode(digest);
    if challenge == verifier {
        return if plain {
            PkceCheck::Ok
        } else {
            PkceCheck::PlainEqual
        };
    }
    if challenge == s256(verifier) {
        return if plain {
            PkceCheck::MethodOmitted
        } else {
            PkceCheck::Ok
        };
    }
    let forms = [
        (hex.clone(), PkceCheck::Hex),
        (URL_SAFE_NO_PAD.encode(&hex), PkceCheck::B64OfHex),
        (URL_SAFE.encode(digest), PkceCheck::Padded),
        (std_b64.clone(), PkceCheck::StdB64),
        (STANDARD_NO_PAD.encode(digest), PkceCheck::StdB64),
        (std_b64.replace('+', " "), PkceCheck::PlusBecameSpace),
        (
            URL_SAFE_NO_PAD.encode(Sha512::digest(verifier)),
            PkceCheck::Sha512,
        ),
    ];
    let found = forms
        .into_iter()
        .find(|(form, _)| form.eq_ignore_ascii_case(challenge) && same(form, challenge));
    found.map_or(PkceCheck::Mismatch, |(_, check)| check)
}

/// Hex may be written in either case; base64 may not.
fn same(form: &str, challenge: &str) -> bool {
    form == challenge || form.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The method whose challenge is the verifier itself.
pub const PLAIN: &str = "plain";
/// The method whose challenge is a hash of the verifier.
pub const S256: &str = "S256";

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_known_answer_of_rfc_7636_appendix_b() {
        assert_eq!(s256(VERIFIER), CHALLENGE);
    }

    #[test]
    fn the_text_of_a_challenge_may_be_wrong_by_itself() {
        let hex = "13d31e961a1ad8ec2f16b10c4c982e0876a878ad6df144566ee1894acb70f9c3";
        for (challenge, expected) in [
            (CHALLENGE, None),
            (hex, Some(ChallengeFault::Hex)),
            (&URL_SAFE_NO_PAD.encode(hex), Some(ChallengeFault::B64OfHex)),
            ("E9Melhoa2+vF", Some(ChallengeFault::StdB64)),
            ("E9Melhoa2OwvFrE=", Some(ChallengeFault::Padded)),
            ("E9Melhoa2 wvFrE=", Some(ChallengeFault::PlusBecameSpace)),
        ] {
            assert_eq!(challenge_fault(challenge), expected, "{challenge}");
        }
    }

    #[test]
    fn the_text_of_a_verifier_may_be_wrong_by_itself() {
        for (verifier, expected) in [
            (VERIFIER.to_owned(), None),
            ("abc123".to_owned(), Some(VerifierFault::Short)),
            ("a".repeat(128), None),
            ("a".repeat(129), Some(VerifierFault::Long)),
            (VERIFIER.replace('-', "+"), Some(VerifierFault::Alphabet)),
        ] {
            assert_eq!(verifier_fault(&verifier), expected, "{verifier}");
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn each_wrong_challenge_has_its_name() {
        let hex = "13d31e961a1ad8ec2f16b10c4c982e0876a878ad6df144566ee1894acb70f9c3";
        for (challenge, method, verifier, expected) in [
            (None, None, None, None),
            (
                Some(CHALLENGE),
                Some("S256"),
                Some(VERIFIER),
                Some(PkceCheck::Ok),
            ),
            (
                Some(CHALLENGE),
                None,
                Some(VERIFIER),
                Some(PkceCheck::MethodOmitted),
            ),
            (
                Some(VERIFIER),
                Some("plain"),
                Some(VERIFIER),
                Some(PkceCheck::Ok),
            ),
            (
                Some(VERIFIER),
                Some("S256"),
                Some(VERIFIER),
                Some(PkceCheck::PlainEqual),
            ),
            (
                Some(hex),
                Some("S256"),
                Some(VERIFIER),
                Some(PkceCheck::Hex),
            ),
            (
                Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM"),
                Some("S256"),
                Some(VERIFIER),
                Some(PkceCheck::StdB64),
            ),
            (
                Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM="),
                Some("S256"),
                Some(VERIFIER),
                Some(PkceCheck::Padded),
            ),
            (
                Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw cM="),
                Some("S256"),
                Some(VERIFIER),
                Some(PkceCheck::PlusBecameSpace),
            ),
            (
                Some("xxMelhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
                Some("S256"),
                Some(VERIFIER),
                Some(PkceCheck::Mismatch),
            ),
            (
                Some(CHALLENGE),
                Some("S256"),
                None,
                Some(PkceCheck::NoVerifier),
            ),
            (None, None, Some(VERIFIER), Some(PkceCheck::NoChallenge)),
        ] {
            assert_eq!(
                check(challenge, method, verifier),
                expected,
                "{challenge:?} {method:?}"
            );
        }
    }
}
