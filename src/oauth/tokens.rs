//! What only the raw exchange can tell of its JWTs: whose signatures they bear, and what they hash.

use std::collections::HashSet;

use aws_lc_rs::hmac;
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters,
    UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::model::{Params, Url, words};
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

/// The keys that a session's servers published.
#[derive(Default)]
pub(super) struct Keys {
    published: Vec<Published>,
}

#[derive(PartialEq)]
struct Published {
    /// Whose set it stood in.
    host: String,
    key: Map<String, Value>,
}

impl Keys {
    /// How many keys are known.
    pub(super) fn len(&self) -> usize {
        self.published.len()
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

    /// What is wrong with the signature of a JWT; `None` where nothing is, or nobody can tell.
    pub(super) fn check(
        &self,
        token: Token,
        text: &str,
        secrets: &HashSet<String>,
    ) -> Option<Signature> {
        let Jwt { header, claims } = jwt::parse(text)?;
        let (signed, signature) = text.rsplit_once('.')?;
        let member = |name: &str| header.get(name).and_then(Value::as_str);
        let alg = Alg::from_word(member("alg")?)?;
        let message = signed.as_bytes();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        if let Some(algorithm) = hmac_of(alg) {
            let is_of = |secret: &String| {
                let key = hmac::Key::new(algorithm, secret.as_bytes());
                hmac::verify(&key, message, &signature).is_ok()
            };
            // What a server makes for itself is keyed with a secret of its own.
            let is_told = token != Token::Access && !secrets.is_empty();
            return (is_told && !secrets.iter().any(is_of)).then_some(Signature::Bad);
        }
        if alg == Alg::None {
            return None;
        }
        let issuer = claims.get(name::ISS).and_then(Value::as_str);
        let issuer = issuer.and_then(Url::parse).map(|url| url.host);
        let is_issuers = |published: &&Published| Some(&published.host) == issuer.as_ref();
        let kid = member("kid");
        let is_named = |published: &&Published| match kid {
            Some(_) => published.key.get("kid").and_then(Value::as_str) == kid,
            None => is_issuers(published),
        };
        let mut named = self.published.iter().filter(is_named).peekable();
        if named.peek().is_none() {
            let is_known = self
                .published
                .iter()
                .any(|published| is_issuers(&published));
            return is_known.then_some(Signature::NoKey);
        }
        let verified = |published: &Published| {
            verifies(alg, &published.key, message, &signature).unwrap_or(false)
        };
        (!named.any(verified)).then_some(Signature::Bad)
    }
}

/// The JWTs of an answer, and where each stands.
pub fn tokens(reading: &Reading<'_>, carried: Option<&Params>) -> Vec<(Token, String)> {
    let mut found = Vec::new();
    for token in [Token::Access, Token::Id, Token::Response] {
        let value = reading.answer.get(token.as_str());
        let value = value.or_else(|| carried?.get(token.as_str()));
        found.extend(value.map(|value| (token, value.to_owned())));
    }
    if let Some(heard) = reading.heard
        && let Ok(text) = std::str::from_utf8(&heard.body.bytes)
    {
        found.push((Token::Body, text.trim().to_owned()));
    }
    found.retain(|(_, token)| jwt::parse(token).is_some());
    found
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
        (AT_HASH, answered(name::ACCESS_TOKEN)),
        (C_HASH, code),
        (S_HASH, state),
    ];
    let is_wrong = |(claim, of): &(&str, Option<&str>)| {
        let hash = token.claims.get(*claim).and_then(Value::as_str);
        let right = of.and_then(|of| half_hash(alg, of));
        hash.zip(right).is_some_and(|(hash, right)| hash != right)
    };
    let wrong = hashes.into_iter().filter(is_wrong);
    wrong.map(|(claim, _)| claim).collect()
}

fn hmac_of(alg: Alg) -> Option<hmac::Algorithm> {
    match alg {
        Alg::Hs256 => Some(hmac::HMAC_SHA256),
        Alg::Hs384 => Some(hmac::HMAC_SHA384),
        Alg::Hs512 => Some(hmac::HMAC_SHA512),
        _ => None,
    }
}

/// Whether a key of a set made the signature; `None` where the key is of another type.
pub fn verifies(
    alg: Alg,
    key: &Map<String, Value>,
    message: &[u8],
    signature: &[u8],
) -> Option<bool> {
    let member = |name: &str| URL_SAFE_NO_PAD.decode(key.get(name)?.as_str()?).ok();
    if let Some(parameters) = rsa_of(alg) {
        let (n, e) = (member("n")?, member("e")?);
        let verified = PublicKeyComponents { n, e }.verify(parameters, message, signature);
        return Some(verified.is_ok());
    }
    let (algorithm, size): (&dyn VerificationAlgorithm, usize) = match alg {
        Alg::EdDsa => (&ED25519, 0),
        Alg::Es256 => (&ECDSA_P256_SHA256_FIXED, 32),
        Alg::Es384 => (&ECDSA_P384_SHA384_FIXED, 48),
        Alg::Es512 => (&ECDSA_P521_SHA512_FIXED, 66),
        _ => return None,
    };
    let mut point = member("x")?;
    if alg != Alg::EdDsa {
        let y = member("y")?;
        // Some drop the zeros that a coordinate begins with, which a point has.
        let padded =
            |part: &[u8]| [vec![0; size.saturating_sub(part.len())], part.to_vec()].concat();
        point = [vec![4], padded(&point), padded(&y)].concat();
    }
    let key = UnparsedPublicKey::new(algorithm, point);
    Some(key.verify(message, signature).is_ok())
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

pub(super) const AT_HASH: &str = "at_hash";
pub(super) const C_HASH: &str = "c_hash";
pub(super) const S_HASH: &str = "s_hash";
/// How many keys are remembered of all the sets of a session.
const MOST_KEYS: usize = 200;
