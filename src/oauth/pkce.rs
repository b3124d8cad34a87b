//! Proof Key for Code Exchange (RFC 7636): from verifier to challenge, and what went wrong between.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256, Sha512};

use crate::model::words;

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
    let plain = matches!(method, None | Some("plain"));
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
