//! JWTs for reading, and what is made of their algorithms (RFC 7519, RFC 7515, RFC 7518).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::model::words;

words! {
    /// An algorithm of a signature, by the word that a header has (RFC 7518 section 3.1, RFC 8037).
    Alg {
        /// Ed25519.
        EdDsa = "EdDSA",
        /// ECDSA with P-256.
        Es256 = "ES256",
        /// ECDSA with P-384.
        Es384 = "ES384",
        /// ECDSA with P-521.
        Es512 = "ES512",
        /// HMAC with SHA-256.
        Hs256 = "HS256",
        /// HMAC with SHA-384.
        Hs384 = "HS384",
        /// HMAC with SHA-512.
        Hs512 = "HS512",
        /// No signature at all.
        None = "none",
        /// RSASSA-PSS with SHA-256.
        Ps256 = "PS256",
        /// RSASSA-PSS with SHA-384.
        Ps384 = "PS384",
        /// RSASSA-PSS with SHA-512.
        Ps512 = "PS512",
        /// RSASSA-PKCS1-v1_5 with SHA-256.
        Rs256 = "RS256",
        /// RSASSA-PKCS1-v1_5 with SHA-384.
        Rs384 = "RS384",
        /// RSASSA-PKCS1-v1_5 with SHA-512.
        Rs512 = "RS512",
    }
}

/// The readable parts of a signed JWT.
pub struct Jwt {
    /// The JOSE header.
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
}

/// Reads a compact JWS whose header and payload are JSON objects; `None` for anything else. The
/// signature is not looked at.
pub fn parse(text: &str) -> Option<Jwt> {
    let mut parts = text.split('.');
    let (header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    Some(Jwt {
        header: object(header)?,
        claims: object(claims)?,
    })
}

/// The bytes of the signature of a compact JWS.
pub fn signature(text: &str) -> Option<Vec<u8>> {
    let (_, signature) = text.rsplit_once('.')?;
    URL_SAFE_NO_PAD.decode(signature.trim_end_matches('=')).ok()
}

/// The header of a compact JWE, the one of its five parts that can be read (RFC 7516 section 3.1).
pub fn encrypted(text: &str) -> Option<Map<String, Value>> {
    // A text may have any number of dots.
    let mut parts = text.splitn(PARTS + 1, '.');
    let header = parts.next()?;
    if parts.count() != PARTS - 1 {
        return None;
    }
    object(header).filter(|header| header.contains_key("enc"))
}

/// The left half of the hash of a value, as `at_hash` and its like have it (OpenID Connect Core
/// section 3.1.3.6); `None` for an algorithm that has no hash.
pub fn half_hash(alg: Alg, value: &str) -> Option<String> {
    let hash = match alg {
        Alg::Es256 | Alg::Hs256 | Alg::Ps256 | Alg::Rs256 => Sha256::digest(value).to_vec(),
        Alg::Es384 | Alg::Hs384 | Alg::Ps384 | Alg::Rs384 => Sha384::digest(value).to_vec(),
        // Ed25519 hashes with SHA-512 (RFC 8032 section 5.1).
        Alg::EdDsa | Alg::Es512 | Alg::Hs512 | Alg::Ps512 | Alg::Rs512 => {
            Sha512::digest(value).to_vec()
        }
        Alg::None => return None,
    };
    Some(URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2]))
}

fn object(part: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?;
    match serde_json::from_slice(&bytes).ok()? {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// Of a compact JWE.
const PARTS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_parts_with_json_objects_are_read() {
        let jwt = parse("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln").expect("a JWT");
        assert_eq!(jwt.header["alg"], "RS256");
        assert_eq!(jwt.claims["sub"], "1");
        for text in [
            "",
            "a.b.c",
            "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0",
            "W10.W10.W10",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn of_five_parts_the_header_is_read() {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
        let read = encrypted(&format!("{header}.a.b.c.d")).expect("a JWE");
        assert_eq!(read["enc"], "A256GCM");
        for text in [
            format!("{header}.a.b"),
            format!("{header}.a.b.c.d.e"),
            "a.b.c.d.e".to_owned(),
            String::new(),
        ] {
            assert!(encrypted(&text).is_none(), "{text}");
        }
    }

    #[test]
    fn half_a_hash_is_as_long_as_the_algorithm_says() {
        // OpenID Connect Core appendix A.3.
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(
            half_hash(Alg::Rs256, token).as_deref(),
            Some("77QmUPtjPfzWtF2AnpK9RQ")
        );
        for (alg, expected) in [
            (Alg::Es384, Some(32)),
            (Alg::EdDsa, Some(43)),
            (Alg::Hs512, Some(43)),
            (Alg::None, None),
        ] {
            assert_eq!(
                half_hash(alg, token).map(|hash| hash.len()),
                expected,
                "{alg}"
            );
        }
    }
}
