//! The keys that sign in place of a recorded server's: test keys, the same for everybody.
//!
//! They are in every copy of this program, so what they sign proves nothing to anybody; and no key
//! of a real server is ever needed, or written. There are two of each type: the second signs where a
//! set has two keys of that type, or where a signature must be bad.

use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256,
    RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::oauth::jwt::Alg;

/// A type of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Family {
    Ed25519,
    P256,
    P384,
    P521,
    Rsa,
}

/// Which of the two keys of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Which {
    First,
    Second,
}

impl Which {
    /// The other one.
    pub(super) fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// There is no signature, since the key or the algorithm does not do.
#[derive(Debug, thiserror::Error)]
#[error("the test key cannot sign")]
pub(super) struct Unsigned;

impl From<KeyRejected> for Unsigned {
    fn from(_: KeyRejected) -> Self {
        Self
    }
}

impl From<aws_lc_rs::error::Unspecified> for Unsigned {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self
    }
}

impl Family {
    /// The type of a key of a set (RFC 7518 section 6.1, RFC 8037 section 2).
    pub(super) fn of_key(kty: &str, crv: Option<&str>) -> Option<Self> {
        match (kty, crv) {
            ("RSA", _) => Some(Self::Rsa),
            ("EC", Some("P-256")) => Some(Self::P256),
            ("EC", Some("P-384")) => Some(Self::P384),
            ("EC", Some("P-521")) => Some(Self::P521),
            ("OKP", Some("Ed25519")) => Some(Self::Ed25519),
            _ => None,
        }
    }

    /// The type of key that signs with an algorithm; none for those that need a shared secret.
    pub(super) fn of_alg(alg: Alg) -> Option<Self> {
        match alg {
            Alg::Rs256 | Alg::Rs384 | Alg::Rs512 | Alg::Ps256 | Alg::Ps384 | Alg::Ps512 => {
                Some(Self::Rsa)
            }
            Alg::Es256 => Some(Self::P256),
            Alg::Es384 => Some(Self::P384),
            Alg::Es512 => Some(Self::P521),
            Alg::EdDsa => Some(Self::Ed25519),
            Alg::Hs256 | Alg::Hs384 | Alg::Hs512 | Alg::None => None,
        }
    }

    /// The members of the public key, as a set has them.
    pub(super) fn public(self, which: Which) -> Result<Vec<(&'static str, String)>, Unsigned> {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let der = self.der(which);
        if self == Self::Rsa {
            let key = RsaKeyPair::from_pkcs8(der)?;
            let (n, e) = (key.public_key().modulus(), key.public_key().exponent());
            return Ok(vec![
                ("n", encode(n.big_endian_without_leading_zero())),
                ("e", encode(e.big_endian_without_leading_zero())),
            ]);
        }
        let Some(algorithm) = self.ecdsa() else {
            let key = Ed25519KeyPair::from_pkcs8(der)?;
            return Ok(vec![("x", encode(key.public_key().as_ref()))]);
        };
        let key = EcdsaKeyPair::from_pkcs8(algorithm, der)?;
        // The point is not compressed: 4, and both coordinates (SEC 1 section 2.3.3).
        let point = &key.public_key().as_ref()[1..];
        let (x, y) = point.split_at(point.len() / 2);
        Ok(vec![("x", encode(x)), ("y", encode(y))])
    }

    fn ecdsa(self) -> Option<&'static EcdsaSigningAlgorithm> {
        match self {
            Self::P256 => Some(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Self::P384 => Some(&ECDSA_P384_SHA384_FIXED_SIGNING),
            Self::P521 => Some(&ECDSA_P521_SHA512_FIXED_SIGNING),
            Self::Ed25519 | Self::Rsa => None,
        }
    }

    /// The private key (RFC 5208). As DER, since a scanner would take PEM for a leak.
    fn der(self, which: Which) -> &'static [u8] {
        match (self, which) {
            (Self::Ed25519, Which::First) => include_bytes!("authtape-test-ed25519-1.der"),
            (Self::Ed25519, Which::Second) => include_bytes!("authtape-test-ed25519-2.der"),
            (Self::P256, Which::First) => include_bytes!("authtape-test-p256-1.der"),
            (Self::P256, Which::Second) => include_bytes!("authtape-test-p256-2.der"),
            (Self::P384, Which::First) => include_bytes!("authtape-test-p384-1.der"),
            (Self::P384, Which::Second) => include_bytes!("authtape-test-p384-2.der"),
            (Self::P521, Which::First) => include_bytes!("authtape-test-p521-1.der"),
            (Self::P521, Which::Second) => include_bytes!("authtape-test-p521-2.der"),
            (Self::Rsa, Which::First) => include_bytes!("authtape-test-rsa-1.der"),
            (Self::Rsa, Which::Second) => include_bytes!("authtape-test-rsa-2.der"),
        }
    }
}

/// Signs with a test key, or, for the algorithms of a shared secret, with that.
///
/// The signatures of ECDSA and RSASSA-PSS are others each time, whatever the seed.
pub(super) fn sign(
    alg: Alg,
    which: Which,
    secret: &[u8],
    message: &[u8],
) -> Result<Vec<u8>, Unsigned> {
    let Some(family) = Family::of_alg(alg) else {
        return Ok(match alg {
            Alg::Hs256 => hmac_of(hmac::HMAC_SHA256, secret, message),
            Alg::Hs384 => hmac_of(hmac::HMAC_SHA384, secret, message),
            Alg::Hs512 => hmac_of(hmac::HMAC_SHA512, secret, message),
            _ => Vec::new(),
        });
    };
    let der = family.der(which);
    let random = SystemRandom::new();
    if let Some(encoding) = rsa(alg) {
        let key = RsaKeyPair::from_pkcs8(der)?;
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(encoding, &random, message, &mut signature)?;
        return Ok(signature);
    }
    match family.ecdsa() {
        Some(algorithm) => {
            let key = EcdsaKeyPair::from_pkcs8(algorithm, der)?;
            Ok(key.sign(&random, message)?.as_ref().to_vec())
        }
        None => Ok(Ed25519KeyPair::from_pkcs8(der)?
            .sign(message)
            .as_ref()
            .to_vec()),
    }
}

fn rsa(alg: Alg) -> Option<&'static dyn RsaEncoding> {
    match alg {
        Alg::Rs256 => Some(&RSA_PKCS1_SHA256),
        Alg::Rs384 => Some(&RSA_PKCS1_SHA384),
        Alg::Rs512 => Some(&RSA_PKCS1_SHA512),
        Alg::Ps256 => Some(&RSA_PSS_SHA256),
        Alg::Ps384 => Some(&RSA_PSS_SHA384),
        Alg::Ps512 => Some(&RSA_PSS_SHA512),
        _ => None,
    }
}

fn hmac_of(algorithm: hmac::Algorithm, secret: &[u8], message: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(algorithm, secret);
    hmac::sign(&key, message).as_ref().to_vec()
}
