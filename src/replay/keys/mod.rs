//! The keys that sign in place of a recorded server's: test keys, the same for everybody.
//!
//! They are in every copy of this program, so what they sign proves nothing to anybody; and no key
//! of a real server is ever needed, or written. There are two of each type: the second signs where a
//! set has two keys of that type, or where a signature must be bad.

use std::sync::OnceLock;

use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512,
    RsaEncoding,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::oauth::jwt::Alg;
use crate::oauth::tokens::hmac_of;

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
#[derive(Clone, Copy, Debug, thiserror::Error)]
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
        Ok(match self.pair(which)? {
            Pair::Ecdsa(key) => {
                // The point is not compressed: 4, and both coordinates (SEC 1 section 2.3.3).
                let point = &key.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                vec![("x", encode(x)), ("y", encode(y))]
            }
            Pair::Ed25519(key) => vec![("x", encode(key.public_key().as_ref()))],
            Pair::Rsa(key) => {
                let (n, e) = (key.public_key().modulus(), key.public_key().exponent());
                vec![
                    ("n", encode(n.big_endian_without_leading_zero())),
                    ("e", encode(e.big_endian_without_leading_zero())),
                ]
            }
        })
    }

    /// The key pair, which is read once.
    fn pair(self, which: Which) -> Result<&'static Pair, Unsigned> {
        let pair = &PAIRS[self as usize][which as usize];
        let read = || Pair::read(self, self.der(which));
        pair.get_or_init(read)
            .as_ref()
            .map_err(|unsigned| *unsigned)
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

/// A key that can sign.
enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl Pair {
    fn read(family: Family, der: &[u8]) -> Result<Self, Unsigned> {
        let ecdsa = |algorithm| EcdsaKeyPair::from_pkcs8(algorithm, der).map(Self::Ecdsa);
        Ok(match family {
            Family::Ed25519 => Self::Ed25519(Ed25519KeyPair::from_pkcs8(der)?),
            Family::P256 => ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING)?,
            Family::P384 => ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING)?,
            Family::P521 => ecdsa(&ECDSA_P521_SHA512_FIXED_SIGNING)?,
            Family::Rsa => Self::Rsa(RsaKeyPair::from_pkcs8(der)?),
        })
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
    if let Some(algorithm) = hmac_of(alg) {
        let key = hmac::Key::new(algorithm, secret);
        return Ok(hmac::sign(&key, message).as_ref().to_vec());
    }
    let Some(family) = Family::of_alg(alg) else {
        return Ok(Vec::new());
    };
    let random = SystemRandom::new();
    Ok(match family.pair(which)? {
        Pair::Ecdsa(key) => key.sign(&random, message)?.as_ref().to_vec(),
        Pair::Ed25519(key) => key.sign(message).as_ref().to_vec(),
        Pair::Rsa(key) => {
            let mut signature = vec![0; key.public_modulus_len()];
            key.sign(rsa(alg).ok_or(Unsigned)?, &random, message, &mut signature)?;
            signature
        }
    })
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

/// By type, the first and the second.
static PAIRS: [[OnceLock<Result<Pair, Unsigned>>; 2]; 5] =
    [const { [const { OnceLock::new() }; 2] }; 5];
