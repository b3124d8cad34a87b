//! What only the raw exchange can tell of its JWTs: whose signatures they bear, and what they hash.

use aws_lc_rs::hmac;
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    EcdsaVerificationAlgorithm, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, RsaParameters, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::model::{Params, Said, Url, percent_decode, words};
use crate::oauth::credentials::{basic_token, decode_basic};
use crate::oauth::fields::{Answer, Reading};
use crate::oauth::flows::Flows;
use crate::oauth::jwt::{self, Alg, Jwt, half_hash};
use crate::oauth::members::Member;
use crate::oauth::name;

words! {
    /// What is wrong with a signature.
    Signature {
        /// The key that the header names did not make it.
        Bad = "bad",
        /// The keys that the server publishes are known, and the one that the header names is not
        /// among them.
        NoKey = "no-key",
    }
}

words! {
    /// What is wrong with a hash in a token.
    Hash {
        /// It is of something else.
        Mismatch = "mismatch",
    }
}

words! {
    /// Where a JWT stands in an answer.
    Token {
        /// `access_token`
        Access = "access_token",
        /// The body as a whole.
        Body = "jwt",
        /// `id_token`
        Id = "id_token",
        /// `response` (JARM)
        Response = "response",
    }
}

/// What there is to say of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is wrong with it, and nothing will be: it was verified, or nobody ever can.
    Right,
    /// Nobody can tell, until another key or secret is known.
    Unknown,
    /// This is, as far as the keys and secrets go that are known.
    Wrong(Signature),
}

impl Verdict {
    /// What is wrong, if anything.
    pub fn wrong(self) -> Option<Signature> {
        match self {
            Self::Wrong(signature) => Some(signature),
            Self::Right | Self::Unknown => None,
        }
    }
}

/// A JWT of an answer. It is raw: no `Debug`.
pub struct Checked {
    /// Where it stands there.
    pub token: Token,
    /// The JWT.
    pub text: String,
    /// What there is to say of its signature.
    pub verdict: Verdict,
}

/// What a session's signatures are verified with: the keys that its servers published, and the
/// secrets that they share with its clients.
#[derive(Default)]
pub(super) struct Keys {
    published: Vec<Published>,
    shared: Vec<Shared>,
}

#[derive(PartialEq)]
struct Published {
    /// Whose set it stood in.
    host: String,
    key: Map<String, Value>,
}

#[derive(PartialEq)]
struct Shared {
    client: String,
    secret: String,
}

/// A JWT, read to be verified.
struct Signed<'a> {
    token: Token,
    jwt: Jwt,
    alg: Alg,
    message: &'a [u8],
    signature: Vec<u8>,
}

impl<'a> Signed<'a> {
    fn read(token: Token, text: &'a str) -> Option<Self> {
        let jwt = jwt::parse(text)?;
        let (message, signature) = text.rsplit_once('.')?;
        let alg = Alg::from_word(jwt.header.get("alg")?.as_str()?)?;
        Some(Self {
            token,
            jwt,
            alg,
            message: message.as_bytes(),
            signature: URL_SAFE_NO_PAD.decode(signature).unwrap_or_default(),
        })
    }

    fn is_for(&self, client: &str) -> bool {
        match self.jwt.claims.get(name::AUD) {
            Some(Value::Array(several)) => several.iter().any(|one| one == client),
            Some(one) => one == client,
            None => false,
        }
    }
}

impl Keys {
    /// How many keys and secrets are known.
    pub(super) fn len(&self) -> usize {
        self.published.len() + self.shared.len()
    }

    /// Takes in an answer of a host that is a set of keys.
    pub(super) fn learn(&mut self, host: &str, answer: &Answer<'_>) {
        let keys = answer.members().get(name::KEYS);
        let Some(keys) = keys.and_then(Member::as_array) else {
            return;
        };
        for key in keys.iter().filter_map(Value::as_object) {
            let published = Published {
                host: host.to_owned(),
                key: key.clone(),
            };
            if self.published.len() < MOST_KEYS && !self.published.contains(&published) {
                self.published.push(published);
            }
        }
    }

    /// Takes in the secret with which a client authenticates, or which it is given.
    pub(super) fn learn_secret(&mut self, reading: &Reading<'_>) {
        let Reading {
            said,
            fields,
            answer,
            ..
        } = reading;
        if let Some(basic) = basic_token(said).and_then(decode_basic)
            && let Some((client, secret)) = basic.split_once(':')
        {
            self.share(client, secret);
            // RFC 6749 section 2.3.1: each half is encoded as in a form.
            let decoded = |half: &str| percent_decode(&half.replace('+', " "));
            self.share(&decoded(client), &decoded(secret));
        }
        let sent = |name: &str| fields.get(name);
        let given = |name: &str| answer.get(name);
        let pairs = [
            (sent(name::CLIENT_ID), sent(name::CLIENT_SECRET)),
            (given(name::CLIENT_ID), given(name::CLIENT_SECRET)),
        ];
        for (client, secret) in pairs {
            if let Some((client, secret)) = client.zip(secret) {
                self.share(client, secret);
            }
        }
    }

    fn share(&mut self, client: &str, secret: &str) {
        let shared = Shared {
            client: client.to_owned(),
            secret: secret.to_owned(),
        };
        if self.shared.len() < MOST_KEYS && !self.shared.contains(&shared) {
            self.shared.push(shared);
        }
    }

    /// What there is to say of the signature of a JWT.
    pub(super) fn check(&self, token: Token, text: &str) -> Verdict {
        let Some(signed) = Signed::read(token, text) else {
            return Verdict::Right;
        };
        match hmac_of(signed.alg) {
            Some(algorithm) => self.check_shared(&signed, algorithm),
            None if signed.alg == Alg::None => Verdict::Right,
            None => self.check_published(&signed),
        }
    }

    fn check_shared(&self, signed: &Signed<'_>, algorithm: hmac::Algorithm) -> Verdict {
        // What a server makes for itself is keyed with a secret of its own.
        if signed.token == Token::Access {
            return Verdict::Right;
        }
        let is_of = |shared: &Shared| {
            let key = hmac::Key::new(algorithm, shared.secret.as_bytes());
            hmac::verify(&key, signed.message, &signed.signature).is_ok()
        };
        let mut known = self.shared.iter();
        if self.shared.iter().any(is_of) {
            Verdict::Right
        } else if known.any(|shared| signed.is_for(&shared.client)) {
            Verdict::Wrong(Signature::Bad)
        } else {
            Verdict::Unknown
        }
    }

    fn check_published(&self, signed: &Signed<'_>) -> Verdict {
        let Jwt { header, claims } = &signed.jwt;
        let issuer = claims.get(name::ISS).and_then(Value::as_str);
        let issuer = issuer.and_then(Url::parse).map(|url| url.host);
        let is_issuers = |published: &&Published| Some(&published.host) == issuer.as_ref();
        let kid = header.get("kid").and_then(Value::as_str);
        let is_named = |published: &&Published| match kid {
            Some(_) => published.key.get("kid").and_then(Value::as_str) == kid,
            None => is_issuers(published),
        };
        let mut named = self.published.iter().filter(is_named).peekable();
        if named.peek().is_none() {
            let mut published = self.published.iter();
            let is_known = published.any(|published| is_issuers(&published));
            return if is_known {
                Verdict::Wrong(Signature::NoKey)
            } else {
                Verdict::Unknown
            };
        }
        let Signed {
            alg,
            message,
            signature,
            ..
        } = signed;
        let mut is_refuted = true;
        for published in named {
            match verifies(*alg, &published.key, message, signature) {
                Some(true) => return Verdict::Right,
                Some(false) => {}
                None => is_refuted = false,
            }
        }
        if is_refuted {
            Verdict::Wrong(Signature::Bad)
        } else {
            Verdict::Unknown
        }
    }
}

/// The JWTs of an answer, and where each stands.
pub(super) fn tokens(reading: &Reading<'_>, carried: Option<&Params>) -> Vec<(Token, String)> {
    let mut found = Vec::new();
    for token in [Token::Access, Token::Id, Token::Response] {
        let value = reading.answer.get(token.as_str());
        let value = value.or_else(|| carried?.get(token.as_str()));
        found.extend(value.map(|value| (token, value)));
    }
    if let Some(heard) = reading.heard
        && let Ok(text) = std::str::from_utf8(&heard.body.bytes)
    {
        found.push((Token::Body, text.trim()));
    }
    found.retain(|(_, text)| jwt::parse(text).is_some());
    let owned = found
        .into_iter()
        .map(|(token, text)| (token, text.to_owned()));
    owned.collect()
}

/// The hashes in an ID Token that are of something else than what came with it.
pub(super) fn wrong_hashes(
    flows: &Flows,
    reading: &Reading<'_>,
    carried: Option<&Params>,
) -> Vec<&'static str> {
    let answered = |name: &str| {
        let value = reading.answer.get(name);
        value.or_else(|| carried?.get(name))
    };
    let Some(token) = answered(name::ID_TOKEN).and_then(jwt::parse) else {
        return Vec::new();
    };
    let alg = token.header.get("alg").and_then(Value::as_str);
    let Some(alg) = alg.and_then(Alg::from_word) else {
        return Vec::new();
    };
    let code = answered(name::CODE).or_else(|| reading.fields.get(name::CODE));
    let asked = flows.authorization(code);
    let state = answered(name::STATE).or_else(|| asked?.state.as_deref());
    let hashes = [
        (name::AT_HASH, answered(name::ACCESS_TOKEN)),
        (name::C_HASH, code),
        (name::S_HASH, state),
    ];
    let is_wrong = |(claim, of): &(&str, Option<&str>)| {
        let hash = token.claims.get(*claim).and_then(Value::as_str);
        let right = of.and_then(|of| half_hash(alg, of));
        hash.zip(right).is_some_and(|(hash, right)| hash != right)
    };
    let wrong = hashes.into_iter().filter(is_wrong);
    wrong.map(|(claim, _)| claim).collect()
}

/// Whether a `DPoP` proof is of another access token than the one that goes with it (RFC 9449
/// section 4.3).
pub(super) fn has_wrong_ath(said: &Said) -> bool {
    let hash = || {
        let proof = jwt::parse(said.headers.get("dpop")?)?;
        let ath = proof.claims.get(name::ATH)?.as_str()?.to_owned();
        let (_, token) = said.headers.get("authorization")?.split_once(' ')?;
        Some((ath, URL_SAFE_NO_PAD.encode(Sha256::digest(token.trim()))))
    };
    hash().is_some_and(|(ath, right)| ath != right)
}

/// How a shared secret signs with an algorithm; `None` for those that need a key.
pub fn hmac_of(alg: Alg) -> Option<hmac::Algorithm> {
    match alg {
        Alg::Hs256 => Some(hmac::HMAC_SHA256),
        Alg::Hs384 => Some(hmac::HMAC_SHA384),
        Alg::Hs512 => Some(hmac::HMAC_SHA512),
        _ => None,
    }
}

/// Whether a key of a set made the signature; `None` where that cannot be told of such a key here.
pub fn verifies(
    alg: Alg,
    key: &Map<String, Value>,
    message: &[u8],
    signature: &[u8],
) -> Option<bool> {
    let text = |name: &str| key.get(name)?.as_str();
    let member = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
    let integer = |name: &str| Some(trimmed(member(name)?));
    let (kty, crv) = (text("kty")?, text("crv"));
    if let Some(parameters) = rsa_of(alg) {
        if kty != "RSA" {
            return Some(false);
        }
        let (n, e) = (integer("n")?, integer("e")?);
        let zeros = n.first()?.leading_zeros() as usize;
        if !RSA_BITS.contains(&(n.len() * 8 - zeros)) {
            return None;
        }
        let verified = PublicKeyComponents { n, e }.verify(parameters, message, signature);
        return Some(verified.is_ok());
    }
    if alg == Alg::EdDsa {
        let key = match (kty, crv) {
            ("OKP", Some("Ed25519")) => member("x").filter(|x| x.len() == 32)?,
            ("OKP", _) => return None,
            _ => return Some(false),
        };
        let key = UnparsedPublicKey::new(&ED25519, key);
        return Some(key.verify(message, signature).is_ok());
    }
    let (algorithm, curve, size): (&EcdsaVerificationAlgorithm, _, usize) = match alg {
        Alg::Es256 => (&ECDSA_P256_SHA256_FIXED, "P-256", 32),
        Alg::Es384 => (&ECDSA_P384_SHA384_FIXED, "P-384", 48),
        Alg::Es512 => (&ECDSA_P521_SHA512_FIXED, "P-521", 66),
        _ => return None,
    };
    if (kty, crv) != ("EC", Some(curve)) {
        return Some(false);
    }
    // Some drop the zeros that a coordinate begins with, or have more; a point has as many as fit.
    let coordinate = |name: &str| {
        let part = integer(name)?;
        Some([vec![0; size.checked_sub(part.len())?], part].concat())
    };
    let point = [vec![4], coordinate("x")?, coordinate("y")?].concat();
    let key = UnparsedPublicKey::new(algorithm, point);
    Some(key.verify(message, signature).is_ok())
}

/// An integer without the zeros that it begins with.
fn trimmed(mut integer: Vec<u8>) -> Vec<u8> {
    let zeros = integer.iter().take_while(|byte| **byte == 0).count();
    integer.drain(..zeros);
    integer
}

fn rsa_of(alg: Alg) -> Option<&'static RsaParameters> {
    match alg {
        Alg::Ps256 => Some(&RSA_PSS_2048_8192_SHA256),
        Alg::Ps384 => Some(&RSA_PSS_2048_8192_SHA384),
        Alg::Ps512 => Some(&RSA_PSS_2048_8192_SHA512),
        Alg::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        Alg::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        Alg::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        _ => None,
    }
}

/// How many keys are remembered of all the sets of a session, and how many secrets.
const MOST_KEYS: usize = 200;
/// The sizes of the moduli that signatures are verified by here.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    };
    use serde_json::json;

    use super::*;

    const MESSAGE: &[u8] = b"header.claims";

    fn encode(zeros: usize, bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode([&vec![0; zeros], bytes].concat())
    }

    fn verdict(alg: Alg, key: &Value, signature: &[u8]) -> Option<bool> {
        verifies(alg, key.as_object().expect("a key"), MESSAGE, signature)
    }

    #[test]
    fn a_modulus_may_begin_with_zeros_and_be_too_short_to_tell() {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
        let mut signature = vec![0; pair.public_modulus_len()];
        let random = SystemRandom::new();
        pair.sign(&RSA_PKCS1_SHA256, &random, MESSAGE, &mut signature)
            .expect("signed");
        let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
        let [n, e] = [n, e].map(|part| part.big_endian_without_leading_zero().to_vec());
        let rsa =
            |zeros, n: &[u8]| json!({"kty": "RSA", "n": encode(zeros, n), "e": encode(zeros, &e)});
        let other = signature.iter().map(|byte| !byte).collect::<Vec<_>>();
        for (case, key, signature, expected) in [
            ("as it should be", rsa(0, &n), &signature, Some(true)),
            ("zeros", rsa(2, &n), &signature, Some(true)),
            ("another's", rsa(0, &n), &other, Some(false)),
            ("1024 bits", rsa(128, &n[..128]), &signature, None),
            ("none", json!({"kty": "RSA"}), &signature, None),
            (
                "of another type",
                json!({"kty": "EC"}),
                &signature,
                Some(false),
            ),
        ] {
            assert_eq!(verdict(Alg::Rs256, &key, signature), expected, "{case}");
        }
    }

    #[test]
    fn a_point_is_as_long_as_its_curve_and_another_curve_is_unknown() {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        let signature = pair.sign(&SystemRandom::new(), MESSAGE).expect("signed");
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let ec = |zeros, crv| json!({"kty": "EC", "crv": crv, "x": encode(zeros, x), "y": encode(zeros, y)});
        let okp = |crv, length| json!({"kty": "OKP", "crv": crv, "x": encode(length, &[])});
        for (alg, key, expected) in [
            (Alg::Es256, ec(0, "P-256"), Some(true)),
            (Alg::Es256, ec(2, "P-256"), Some(true)),
            (Alg::Es256, ec(0, "P-384"), Some(false)),
            (Alg::Es384, ec(0, "P-384"), Some(false)),
            (Alg::EdDsa, okp("Ed25519", 32), Some(false)),
            (Alg::EdDsa, okp("Ed448", 57), None),
            (Alg::EdDsa, okp("Ed25519", 31), None),
            (Alg::EdDsa, ec(0, "P-256"), Some(false)),
        ] {
            assert_eq!(
                verdict(alg, &key, signature.as_ref()),
                expected,
                "{alg} {key}"
            );
        }
    }
}
