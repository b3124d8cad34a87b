//! A client's credentials: how they are read, and what they look like where that is not what they
//! should.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::Value;

use crate::model::{Said, words};
use crate::oauth::jwt::{self, Alg, Jwt};
use crate::oauth::name;

words! {
    /// What stands in the place of a client's secret and looks like something else.
    SecretLook {
        /// The client's own identifier, or one of Google's.
        ClientId = "client-id",
        /// A key of Stripe's that is public.
        PublishableKey = "publishable-key",
        /// A UUID. It is a secret with some servers, and the number of one with Microsoft's.
        Uuid = "uuid",
    }
}

words! {
    /// How the claims of an assertion do not name the client (RFC 7523 section 3).
    AssertionIdentity {
        /// `iss` and `sub` are two.
        IssNotSub = "iss-not-sub",
        /// `iss` or `sub` is not there.
        Missing = "missing",
        /// `sub` is not the client that the request names.
        NotClientId = "not-client-id",
    }
}

words! {
    /// What is wrong with the form of an assertion's signature (RFC 7518 section 3.4).
    AssertionSignature {
        /// ECDSA in ASN.1, where the two numbers should stand side by side.
        Der = "der",
        /// There is none.
        Empty = "empty",
    }
}

/// What stands behind `Basic` in `Authorization`.
pub fn basic_token(said: &Said) -> Option<&str> {
    let (scheme, rest) = said.headers.get("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("basic").then_some(rest.trim())
}

/// Decodes Basic credentials, padded or not.
pub fn decode_basic(credentials: &str) -> Option<String> {
    let bytes = STANDARD
        .decode(credentials)
        .or_else(|_| STANDARD_NO_PAD.decode(credentials))
        .ok()?;
    String::from_utf8(bytes).ok()
}

/// Whether a half of Basic credentials decodes as a form, and holds `%XX`.
pub(super) fn is_form_encoded(half: &str) -> bool {
    let bytes = half.as_bytes();
    let escape = |window: &[u8]| window[0] == b'%' && window[1..].iter().all(u8::is_ascii_hexdigit);
    bytes.windows(3).any(escape)
        && half
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"%+-._*~".contains(&byte))
}

/// Whether it holds what a server that decodes it as a form reads otherwise.
pub(super) fn has_reserved(half: &str) -> bool {
    half.contains(['+', '%']) || !half.is_ascii()
}

/// What a client's secret looks like, where it looks like something else.
pub(super) fn look(secret: &str, client_id: Option<&str>) -> Option<SecretLook> {
    let is_public = |prefix: &&str| secret.starts_with(*prefix);
    if client_id == Some(secret) || secret.ends_with(".apps.googleusercontent.com") {
        Some(SecretLook::ClientId)
    } else if ["pk_live_", "pk_test_", "ca_"].iter().any(is_public) {
        Some(SecretLook::PublishableKey)
    } else {
        is_uuid(secret).then_some(SecretLook::Uuid)
    }
}

/// How an assertion does not name the client. A secret that is a JWT is issued by a team instead
/// (Apple), so that only its `sub` says whose it is.
pub(super) fn identity(
    jwt: &Jwt,
    client_id: Option<&str>,
    is_secret: bool,
) -> Option<AssertionIdentity> {
    let claim = |name: &str| jwt.claims.get(name).and_then(Value::as_str);
    let (Some(iss), Some(sub)) = (claim(name::ISS), claim(name::SUB)) else {
        return (!is_secret).then_some(AssertionIdentity::Missing);
    };
    if client_id.is_some_and(|client_id| client_id != sub) {
        Some(AssertionIdentity::NotClientId)
    } else {
        (iss != sub && !is_secret).then_some(AssertionIdentity::IssNotSub)
    }
}

/// What is wrong with the form of the signature of a JWT.
pub(super) fn signature(text: &str, jwt: &Jwt) -> Option<AssertionSignature> {
    let bytes = jwt::signature(text)?;
    let alg = jwt.header.get(name::ALG).and_then(Value::as_str)?;
    let size = match Alg::from_word(alg)? {
        Alg::Es256 => 64,
        Alg::Es384 => 96,
        Alg::Es512 => 132,
        Alg::None => return None,
        _ => return bytes.is_empty().then_some(AssertionSignature::Empty),
    };
    if bytes.is_empty() {
        Some(AssertionSignature::Empty)
    } else {
        // A sequence of two numbers.
        (bytes.len() != size && bytes.first() == Some(&0x30)).then_some(AssertionSignature::Der)
    }
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let lengths: Vec<_> = parts.iter().map(|part| part.len()).collect();
    let digits = |part: &&str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    lengths == [8, 4, 4, 4, 12] && parts.iter().all(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    #[test]
    fn a_secret_looks_like_something_else() {
        for (secret, expected) in [
            ("shop", Some(SecretLook::ClientId)),
            (
                "123-abc.apps.googleusercontent.com",
                Some(SecretLook::ClientId),
            ),
            ("pk_test_51Hx", Some(SecretLook::PublishableKey)),
            (
                "3f1c9f2e-1b2a-4c3d-8e9f-0a1b2c3d4e5f",
                Some(SecretLook::Uuid),
            ),
            ("GOCSPX-abc", None),
            ("z/tZ9VwFZqApmIQ", None),
        ] {
            assert_eq!(look(secret, Some("shop")), expected, "{secret}");
        }
    }

    #[test]
    fn an_assertion_names_the_client() {
        for (claims, is_secret, expected) in [
            (r#"{"iss":"c","sub":"c"}"#, false, None),
            (
                r#"{"iss":"t","sub":"c"}"#,
                false,
                Some(AssertionIdentity::IssNotSub),
            ),
            (r#"{"iss":"t","sub":"c"}"#, true, None),
            (
                r#"{"iss":"d","sub":"d"}"#,
                false,
                Some(AssertionIdentity::NotClientId),
            ),
            (
                r#"{"iss":"t","sub":"d"}"#,
                true,
                Some(AssertionIdentity::NotClientId),
            ),
            (r#"{"sub":"c"}"#, false, Some(AssertionIdentity::Missing)),
            (r#"{"exp":1}"#, true, None),
        ] {
            let text = format!("{}.{}.c2ln", encoded(b"{}"), encoded(claims.as_bytes()));
            let jwt = jwt::parse(&text).expect("a JWT");
            assert_eq!(identity(&jwt, Some("c"), is_secret), expected, "{claims}");
        }
    }

    #[test]
    fn a_signature_is_as_long_as_its_algorithm_says() {
        let der = [&[0x30, 0x44][..], &[1; 68]].concat();
        for (alg, signature_bytes, expected) in [
            ("ES256", &[7; 64][..], None),
            ("ES256", &der, Some(AssertionSignature::Der)),
            ("ES256", &[], Some(AssertionSignature::Empty)),
            ("RS256", &[7; 256], None),
            ("RS256", &[], Some(AssertionSignature::Empty)),
            ("none", &[], None),
        ] {
            let head = encoded(format!("{{\"alg\":\"{alg}\"}}").as_bytes());
            let text = format!("{head}.{}.{}", encoded(b"{}"), encoded(signature_bytes));
            let jwt = jwt::parse(&text).expect("a JWT");
            assert_eq!(signature(&text, &jwt), expected, "{alg}");
        }
    }

    fn encoded(bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }
}
