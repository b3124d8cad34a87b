//! Tokens, keys and time in replay: what is signed verifies against the keys that are served.

use std::time::Duration;

use authtape::cassette::{self, Cassette};
use authtape::model::{
    Body, Captured, Exchange, Headers, Heard, Params, Response, Said, Url, Version, percent_encode,
};
use authtape::oauth::jwt::{self, Alg, Jwt, half_hash};
use authtape::record::{Options, Tape};
use authtape::replay::{Answer, Clock, PlayOptions, Player, TimeOptions};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::cli;
use crate::support::{NOW, said};

/// When the cassettes are recorded.
const BEGUN: i64 = 1_763_892_131;
const SECRET: &str = "k3v9x2m7q8w4e6r1t5y0u2i8o4p6a1s3";
const AUTHORIZE: &str = "https://as.example/authorize";
const TOKEN: &str = "https://as.example/token";
const JWKS: &str = "https://as.example/jwks";
const CALLBACK: &str = "https://app.example/cb";
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("Content-Type", "application/json");
const ACCESS_TOKEN: &str = "At8Qw3Er5Ty7Ui9OpAs1Df3Gh5Jk7Lz9";
const CODE: &str = "Cn8Qw3Er5Ty7Ui9OpAs1Df3G";

/// What a recorded server signs with.
enum Signer {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    None,
    Rsa(Box<RsaKeyPair>),
    Secret,
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &Value) -> Vec<u8> {
    let text = text.as_str().expect("a text");
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

impl Signer {
    fn of(alg: Alg) -> Self {
        let ecdsa = |algorithm| EcdsaKeyPair::generate(algorithm).expect("a key");
        match alg {
            Alg::EdDsa => Self::Ed25519(Ed25519KeyPair::generate().expect("a key")),
            Alg::Es256 => Self::Ecdsa(ecdsa(&signature::ECDSA_P256_SHA256_FIXED_SIGNING)),
            Alg::Es384 => Self::Ecdsa(ecdsa(&signature::ECDSA_P384_SHA384_FIXED_SIGNING)),
            Alg::Es512 => Self::Ecdsa(ecdsa(&signature::ECDSA_P521_SHA512_FIXED_SIGNING)),
            Alg::Hs256 | Alg::Hs384 | Alg::Hs512 => Self::Secret,
            Alg::None => Self::None,
            _ => Self::Rsa(Box::new(
                RsaKeyPair::generate(KeySize::Rsa2048).expect("a key"),
            )),
        }
    }

    fn jwk(&self, alg: Alg) -> Value {
        let crv = match alg {
            Alg::EdDsa => "Ed25519",
            Alg::Es256 => "P-256",
            Alg::Es384 => "P-384",
            _ => "P-521",
        };
        match self {
            Self::Ecdsa(key) => {
                let point = &key.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                json!({"kty": "EC", "crv": crv, "kid": "sig-1", "alg": alg.as_str(), "use": "sig", "x": encode(x), "y": encode(y)})
            }
            Self::Ed25519(key) => {
                json!({"kty": "OKP", "crv": crv, "kid": "sig-1", "x": encode(key.public_key())})
            }
            Self::Rsa(key) => {
                let (n, e) = (key.public_key().modulus(), key.public_key().exponent());
                let [n, e] = [n, e].map(|part| encode(part.big_endian_without_leading_zero()));
                json!({"kty": "RSA", "kid": "sig-1", "use": "sig", "alg": alg.as_str(), "x5c": [STANDARD.encode([7; 90])], "n": n, "e": e})
            }
            Self::None | Self::Secret => json!({"kty": "oct", "kid": "other"}),
        }
    }

    fn jwt(&self, alg: Alg, header: &Value, claims: &Value) -> String {
        let mut header = header.clone();
        header["alg"] = alg.as_str().into();
        let signed = format!(
            "{}.{}",
            encode(header.to_string()),
            encode(claims.to_string())
        );
        let message = signed.as_bytes();
        let random = SystemRandom::new();
        let signature = match self {
            Self::Ecdsa(key) => key
                .sign(&random, message)
                .expect("signed")
                .as_ref()
                .to_vec(),
            Self::Ed25519(key) => key.sign(message).as_ref().to_vec(),
            Self::None => Vec::new(),
            Self::Rsa(key) => {
                let encoding: &dyn signature::RsaEncoding = match alg {
                    Alg::Rs256 => &signature::RSA_PKCS1_SHA256,
                    Alg::Rs384 => &signature::RSA_PKCS1_SHA384,
                    Alg::Rs512 => &signature::RSA_PKCS1_SHA512,
                    Alg::Ps256 => &signature::RSA_PSS_SHA256,
                    Alg::Ps384 => &signature::RSA_PSS_SHA384,
                    _ => &signature::RSA_PSS_SHA512,
                };
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(encoding, &random, message, &mut signature)
                    .expect("signed");
                signature
            }
            Self::Secret => hmac::sign(&hmac::Key::new(hmac_of(alg), SECRET.as_bytes()), message)
                .as_ref()
                .to_vec(),
        };
        format!("{signed}.{}", encode(signature))
    }
}

fn hmac_of(alg: Alg) -> hmac::Algorithm {
    match alg {
        Alg::Hs256 => hmac::HMAC_SHA256,
        Alg::Hs384 => hmac::HMAC_SHA384,
        _ => hmac::HMAC_SHA512,
    }
}

/// Whether a token verifies as a client would do it: by the key of its `kid` in a set, or by its
/// own secret.
fn verifies(token: &str, set: &Value, secret: &str) -> bool {
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    let message = signed.as_bytes();
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let header = jwt::parse(token).expect("a JWT").header;
    let alg = Alg::from_word(header["alg"].as_str().expect("a word")).expect("an algorithm");
    if matches!(alg, Alg::Hs256 | Alg::Hs384 | Alg::Hs512) {
        let key = hmac::Key::new(hmac_of(alg), secret.as_bytes());
        return hmac::verify(&key, message, &signature).is_ok();
    }
    let keys = set["keys"].as_array().expect("keys");
    let Some(key) = keys.iter().find(|key| key["kid"] == header["kid"]) else {
        return false;
    };
    let rsa: &signature::RsaParameters = match alg {
        Alg::None => return signature.is_empty(),
        Alg::EdDsa => {
            let key = UnparsedPublicKey::new(&signature::ED25519, decode(&key["x"]));
            return key.verify(message, &signature).is_ok();
        }
        Alg::Es256 | Alg::Es384 | Alg::Es512 => {
            let algorithm = match alg {
                Alg::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
                Alg::Es384 => &signature::ECDSA_P384_SHA384_FIXED,
                _ => &signature::ECDSA_P521_SHA512_FIXED,
            };
            let point = [vec![4], decode(&key["x"]), decode(&key["y"])].concat();
            let key = UnparsedPublicKey::new(algorithm, point);
            return key.verify(message, &signature).is_ok();
        }
        Alg::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
        Alg::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
        Alg::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
        Alg::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Alg::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        _ => &signature::RSA_PKCS1_2048_8192_SHA512,
    };
    let (n, e) = (decode(&key["n"]), decode(&key["e"]));
    PublicKeyComponents { n, e }
        .verify(rsa, message, &signature)
        .is_ok()
}

/// A login that is recorded: what the token response and the set of keys say is the case's.
struct Login {
    nonce: Option<&'static str>,
    answer: Value,
    keys: Value,
    /// What comes behind: a URL, and what it is answered with.
    more: Vec<(&'static str, (&'static str, &'static str), String)>,
}

impl Login {
    /// The cassette, its keys asked for when the token is there, as clients do.
    fn cassette(&self) -> Cassette {
        let location = format!("{CALLBACK}?code={CODE}&state=St1d2c3b4a596877");
        let asked = authorize("St1d2c3b4a596877", self.nonce);
        let json = |asked, body: &Value| (asked, JSON, body.to_string());
        let answers = [
            redirected(asked, &location),
            json(token(CODE, SECRET), &self.answer),
            json(said("GET", JWKS, &[], ""), &self.keys),
        ];
        let more = self.more.iter().map(|(url, field, body)| {
            let bearer = format!("Bearer {ACCESS_TOKEN}");
            let asked = said("GET", url, &[("Authorization", &bearer)], "");
            (asked, *field, body.clone())
        });
        recorded(answers.into_iter().chain(more))
    }
}

/// What is asked, and a header field and the body of the answer.
type Turn = (Said, (&'static str, &'static str), String);

fn redirected(asked: Said, location: &str) -> Turn {
    (asked, ("Location", ""), location.to_owned())
}

fn recorded(turns: impl Iterator<Item = Turn>) -> Cassette {
    let mut tape = Tape::new(Options::default(), "2025-11-23T10:02:11Z".to_owned());
    for (at, (request, (name, value), text)) in (0..).zip(turns) {
        let (status, value, body) = match name {
            "Location" => (302, text.as_str(), ""),
            _ => (200, value, text.as_str()),
        };
        tape.record(Exchange {
            id: at + 1,
            at: Duration::from_secs(at),
            clock: BEGUN + i64::try_from(at).expect("few"),
            request,
            response: Some(Heard {
                status,
                reason: None,
                version: Version::Http11,
                headers: std::iter::once((name, value)).collect::<Headers>(),
                body: Captured::of(body.as_bytes(), 1 << 20),
                after: Duration::ZERO,
            }),
            failure: None,
        });
    }
    let text = tape.finish().expect("a cassette");
    cassette::load(text.as_bytes()).expect(&text)
}

fn authorize(state: &str, nonce: Option<&str>) -> Said {
    let nonce = nonce
        .map(|nonce| format!("&nonce={nonce}"))
        .unwrap_or_default();
    let callback = percent_encode(CALLBACK);
    let url = format!(
        "{AUTHORIZE}?response_type=code&client_id=8kqf3mz&scope=openid&redirect_uri={callback}&state={state}{nonce}"
    );
    said("GET", &url, &[], "")
}

fn token(code: &str, secret: &str) -> Said {
    let callback = percent_encode(CALLBACK);
    let body = format!(
        "grant_type=authorization_code&client_id=8kqf3mz&client_secret={secret}&code={code}&redirect_uri={callback}"
    );
    said("POST", TOKEN, &[FORM], &body)
}

/// A client that goes through the login in a replay.
struct Run {
    player: Player,
    now: i64,
    code: String,
    answer: Value,
    keys: Value,
}

impl Run {
    fn of(cassette: Cassette, clock: Clock, nonce: Option<&str>, secret: &str) -> Self {
        let options = PlayOptions {
            seed: [3; 32],
            time: TimeOptions {
                clock,
                ..TimeOptions::default()
            },
            ..PlayOptions::default()
        };
        let mut player = Player::new(vec![cassette], &options);
        let response = answered(&mut player, &authorize("live-state", nonce), NOW);
        let location = response
            .headers
            .get("location")
            .and_then(Url::parse)
            .expect("a redirect");
        let code = Params::parse(&location.query.expect("a query"));
        let code = code.get("code").expect("a code").to_owned();
        let answer = text(answered(&mut player, &token(&code, secret), NOW));
        let keys = text(answered(&mut player, &said("GET", JWKS, &[], ""), NOW));
        Self {
            player,
            now: NOW,
            code,
            answer: serde_json::from_str(&answer).expect("JSON"),
            keys: serde_json::from_str(&keys).expect("JSON"),
        }
    }

    fn get(&mut self, url: &str) -> Response {
        let bearer = format!("Bearer {}", self.text("access_token"));
        let asked = said("GET", url, &[("Authorization", &bearer)], "");
        answered(&mut self.player, &asked, self.now)
    }

    fn text(&self, name: &str) -> &str {
        self.answer[name].as_str().expect(name)
    }

    fn id_token(&self) -> Jwt {
        jwt::parse(self.text("id_token")).expect("a JWT")
    }
}

fn answered(player: &mut Player, asked: &Said, now: i64) -> Response {
    match player.play(asked, now) {
        Answer::Response(response) => response,
        other => panic!("{other:?}"),
    }
}

fn text(response: Response) -> String {
    match response.body {
        Body::Full(bytes) => String::from_utf8(bytes.to_vec()).expect("text"),
        Body::Live(_) => panic!("a replayed body is whole"),
    }
}

fn claims(alg: Alg, nonce: Option<&str>) -> Value {
    let mut claims = json!({
        "iss": "https://as.example",
        "sub": "90342.ASDFJWFA",
        "aud": "8kqf3mz",
        "email": "jane@corp.example",
        "email_verified": true,
        "auth_time": BEGUN - 30,
        "iat": BEGUN + 1,
        "exp": BEGUN + 1 + 3600,
        "sid": "8f14e45fceea167a5a36dedd4bea2543",
    });
    if let Some(hash) = half_hash(alg, ACCESS_TOKEN) {
        claims["at_hash"] = hash.into();
    }
    if let Some(nonce) = nonce {
        claims["nonce"] = nonce.into();
    }
    claims
}

fn login(alg: Alg, signer: &Signer, claims: &Value) -> Login {
    let header = json!({"typ": "JWT", "kid": "sig-1"});
    Login {
        nonce: Some("No1d2c3b4a596877"),
        answer: json!({
            "access_token": ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": 3600,
            "expires_at": BEGUN + 1 + 3600,
            "id_token": signer.jwt(alg, &header, claims),
        }),
        keys: json!({"keys": [signer.jwk(alg)]}),
        more: Vec::new(),
    }
}

/// The header and the claims are the recorded ones, in their order, and of this run.
fn check_claims(run: &Run, alg: Alg) {
    let token = run.id_token();
    let expected = json!({"typ": "JWT", "kid": "sig-1", "alg": alg.as_str()});
    assert_eq!(Value::from(token.header), expected);
    let names: Vec<_> = token.claims.keys().map(String::as_str).collect();
    let order: Vec<_> = [
        "iss",
        "sub",
        "aud",
        "email",
        "email_verified",
        "auth_time",
        "iat",
        "exp",
        "sid",
    ]
    .into_iter()
    .chain((alg != Alg::None).then_some("at_hash"))
    .chain(["nonce"])
    .collect();
    assert_eq!(names, order, "{alg}");
    let claim = |name: &str| &token.claims[name];
    assert_eq!(claim("nonce"), "live-nonce");
    assert_eq!(
        (claim("iss"), claim("aud")),
        (&json!("https://as.example"), &json!("8kqf3mz"))
    );
    assert_eq!(claim("iat"), NOW, "{alg}");
    assert_eq!(claim("exp"), NOW + 3600);
    assert_eq!(claim("auth_time"), NOW - 31);
    assert_eq!(claim("email"), "user-1@mail.example");
    if let Some(hash) = half_hash(alg, run.text("access_token")) {
        assert_eq!(claim("at_hash"), hash.as_str(), "{alg}");
    }
}

#[test]
fn an_id_token_of_every_algorithm_is_this_runs_and_verifies() {
    for alg in Alg::ALL.iter().copied() {
        let signer = Signer::of(alg);
        let recorded = login(alg, &signer, &claims(alg, Some("No1d2c3b4a596877"))).cassette();
        let facts = recorded
            .interactions
            .iter()
            .flat_map(|one| one.facts().words());
        assert_eq!(facts.count(), 0, "{alg}: all is as it should be");
        let run = Run::of(
            recorded,
            Clock::Shifted,
            Some("live-nonce"),
            "another-secret",
        );
        let is_served = run.keys["keys"][0]["kid"] == "sig-1" || matches!(signer, Signer::Secret);
        assert!(
            verifies(run.text("id_token"), &run.keys, "another-secret") || !is_served,
            "{alg}: {}",
            run.keys
        );
        check_claims(&run, alg);
        assert_eq!(run.answer["expires_in"], 3600);
        assert_eq!(run.answer["expires_at"], NOW + 3600);
    }
}

#[test]
fn a_nonce_is_there_where_this_run_sent_one() {
    for (recorded, in_token, live, expected) in [
        (
            Some("No1d2c3b4a596877"),
            Some("No1d2c3b4a596877"),
            Some("n2"),
            Some("n2"),
        ),
        (
            Some("No1d2c3b4a596877"),
            Some("No1d2c3b4a596877"),
            None,
            None,
        ),
        (None, None, Some("n2"), Some("n2")),
        (None, None, None, None),
        (Some("No1d2c3b4a596877"), None, Some("n2"), None),
    ] {
        let signer = Signer::of(Alg::Es256);
        let mut login = login(Alg::Es256, &signer, &claims(Alg::Es256, in_token));
        login.nonce = recorded;
        let run = Run::of(login.cassette(), Clock::Shifted, live, SECRET);
        let claims = run.id_token().claims;
        let nonce = claims.get("nonce").and_then(Value::as_str);
        assert_eq!(nonce, expected, "{recorded:?} {in_token:?} {live:?}");
    }
    let signer = Signer::of(Alg::Es256);
    let wrong = login(
        Alg::Es256,
        &signer,
        &claims(Alg::Es256, Some("Xx9d2c3b4a596877")),
    );
    let run = Run::of(wrong.cassette(), Clock::Shifted, Some("n2"), SECRET);
    assert_ne!(
        run.id_token().claims["nonce"],
        "n2",
        "one that was another then is another still"
    );
}

#[test]
fn what_was_wrong_with_a_token_is_wrong_still() {
    let alg = Alg::Rs256;
    let (signer, other) = (Signer::of(alg), Signer::of(alg));
    let good = claims(alg, Some("No1d2c3b4a596877"));
    let mut hashed = good.clone();
    hashed["at_hash"] = half_hash(alg, "another token").into();
    let mut forged = login(alg, &other, &good);
    forged.keys = json!({"keys": [signer.jwk(alg)]});
    let mut gone = login(alg, &signer, &good);
    gone.keys["keys"][0]["kid"] = "sig-2".into();
    for (case, login, fact) in [
        ("signature", forged, "jwt.id_token.sig bad"),
        ("key", gone, "jwt.id_token.sig no-key"),
        (
            "hash",
            login(alg, &signer, &hashed),
            "hash.at_hash mismatch",
        ),
    ] {
        let cassette = login.cassette();
        let facts = cassette.interactions[1].facts().words();
        let facts: Vec<_> = facts
            .iter()
            .map(|(key, word)| format!("{key} {word}"))
            .collect();
        assert_eq!(facts, [fact], "{case}");
        let run = Run::of(cassette, Clock::Shifted, Some("n2"), SECRET);
        let is_verified = verifies(run.text("id_token"), &run.keys, SECRET);
        assert_eq!(is_verified, case == "hash", "{case}");
        let hash = half_hash(alg, run.text("access_token"));
        let is_hashed = run.id_token().claims["at_hash"].as_str() == hash.as_deref();
        assert_eq!(is_hashed, case != "hash", "{case}");
    }
}

/// The signatures of a cassette that are not what they should be.
fn signatures(cassette: &Cassette) -> Vec<String> {
    let facts = cassette.interactions.iter().map(|one| one.facts().words());
    let facts = facts.flatten().filter(|(key, _)| key.starts_with("jwt."));
    facts.map(|(key, word)| format!("{key} {word}")).collect()
}

#[test]
fn a_signature_by_a_shared_secret_is_judged_by_the_secrets_of_its_audience() {
    let answer = |signer: &str| {
        let claims = claims(Alg::Hs256, None);
        let header = json!({"alg": "HS256"}).to_string();
        let signed = format!("{}.{}", encode(header), encode(claims.to_string()));
        let key = hmac::Key::new(hmac::HMAC_SHA256, signer.as_bytes());
        let signature = encode(hmac::sign(&key, signed.as_bytes()));
        json!({"access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": format!("{signed}.{signature}")})
    };
    let token = |credentials: &str| {
        let basic = format!("Basic {}", STANDARD.encode(credentials));
        let form = format!("grant_type=authorization_code&code={CODE}");
        said("POST", TOKEN, &[FORM, ("Authorization", &basic)], &form)
    };
    let (own, other) = ("8kqf3mz:a%2Fb+c8w4e6r1t5", "another:p4x9x2m7q8w4e6r1");
    let bad = vec!["jwt.id_token.sig bad".to_owned()];
    for (case, before, credentials, signer, expected) in [
        ("its own", None, own, "a/b c8w4e6r1t5", vec![]),
        ("its own as it is", None, own, "a%2Fb+c8w4e6r1t5", vec![]),
        ("a forged one", None, own, "somebody-elses", bad.clone()),
        (
            "behind another's",
            Some(other),
            own,
            "a/b c8w4e6r1t5",
            vec![],
        ),
        (
            "of which nothing is known",
            None,
            other,
            "somebody-elses",
            vec![],
        ),
        (
            "behind a wrong one",
            Some("8kqf3mz:mistaken8w4e6r1t5"),
            own,
            "a/b c8w4e6r1t5",
            vec![],
        ),
    ] {
        let refused = json!({"error": "invalid_client"}).to_string();
        let turns = before.map(|before| (token(before), JSON, refused));
        let granted = (token(credentials), JSON, answer(signer).to_string());
        let cassette = recorded(turns.into_iter().chain([granted]));
        assert_eq!(signatures(&cassette), expected, "{case}");
    }
    // What comes by the browser comes before the secret is known.
    let forged = answer("somebody-elses");
    let forged = forged["id_token"].as_str().expect("a text");
    let location = format!("{CALLBACK}#code={CODE}&state=s&id_token={forged}");
    let granted = (token(own), JSON, answer("a/b c8w4e6r1t5").to_string());
    let turns = [redirected(authorize("s", None), &location), granted];
    assert_eq!(signatures(&recorded(turns.into_iter())), bad);
}

#[test]
fn a_jwt_is_made_anew_wherever_an_answer_has_one() {
    let alg = Alg::Rs256;
    let signer = Signer::of(alg);
    let header = json!({"typ": "at+jwt", "kid": "sig-1"});
    let access = json!({"iss": "https://as.example", "aud": "https://rs.example", "client_id": "8kqf3mz", "sub": "90342.ASDFJWFA", "jti": "J1", "iat": BEGUN + 1, "exp": BEGUN + 601});
    let userinfo = json!({"iss": "https://as.example", "aud": "8kqf3mz", "sub": "90342.ASDFJWFA", "email": "jane@corp.example", "updated_at": BEGUN - 5000});
    let mut login = login(alg, &signer, &claims(alg, None));
    login.answer["access_token"] = signer.jwt(alg, &header, &access).into();
    let jose = ("Content-Type", "application/jwt");
    login.more = vec![(
        "https://as.example/userinfo",
        jose,
        signer.jwt(alg, &json!({"kid": "sig-1"}), &userinfo),
    )];
    let mut run = Run::of(login.cassette(), Clock::Shifted, None, SECRET);
    // What a resource server looks at (RFC 9068 section 4).
    let Jwt {
        header,
        claims: access,
    } = jwt::parse(run.text("access_token")).expect("a JWT");
    assert_eq!(header["typ"], "at+jwt");
    for (claim, expected) in [
        ("iss", "https://as.example"),
        ("aud", "https://rs.example"),
        ("client_id", "8kqf3mz"),
    ] {
        assert_eq!(access[claim], expected);
    }
    assert!(access["jti"].is_string(), "{access:?}");
    assert!(verifies(run.text("access_token"), &run.keys, SECRET));
    assert_eq!(
        (&access["iat"], &access["exp"]),
        (&json!(NOW), &json!(NOW + 600))
    );
    let subject = run.id_token().claims["sub"].clone();
    assert_eq!(access["sub"], subject);
    let told = text(run.get("https://as.example/userinfo"));
    assert!(verifies(&told, &run.keys, SECRET), "{told}");
    let told = jwt::parse(&told).expect("a JWT").claims;
    assert_eq!(
        (&told["sub"], &told["email"]),
        (&subject, &json!("user-1@mail.example"))
    );
    assert_eq!(told["updated_at"], BEGUN - 5000);
}

#[test]
fn a_token_that_cannot_be_signed_is_told_with_its_line() {
    let signer = Signer::of(Alg::Es256);
    let cassette = login(Alg::Es256, &signer, &claims(Alg::Es256, None)).cassette();
    let text = cassette::write(&cassette);
    let edited = text.replacen("\"alg\":\"ES256\"", "\"alg\":\"ES256K\"", 1);
    assert_ne!(edited, text);
    let line = edited.lines().position(|line| line.contains("ES256K"));
    let line = line.expect("a declaration") + 1;
    let here = tempfile::tempdir().expect("a directory");
    std::fs::write(here.path().join("edited.yaml"), edited).expect("written");
    let output = cli::authtape(here.path(), &["replay", "edited.yaml", "--", "true"]);
    let told = cli::said(&output);
    assert_eq!(output.status.code(), Some(3), "{told}");
    let expected =
        format!("edited.yaml, line {line}: interaction 2: id_token-1 is signed with ES256K");
    assert!(told.contains(&expected), "{told}");
}

#[test]
fn the_clock_is_the_one_that_was_asked_for() {
    let alg = Alg::Es256;
    let signer = Signer::of(alg);
    let login = login(alg, &signer, &claims(alg, None));
    for (clock, exp, expires_at) in [
        (Clock::Shifted, NOW + 3600, NOW + 3600),
        (Clock::Recorded, BEGUN + 3601, BEGUN + 3601),
        (Clock::Expired, NOW - 600, NOW - 600),
        (Clock::Offset(-7200), NOW - 3600, NOW - 3600),
    ] {
        let run = Run::of(login.cassette(), clock, None, SECRET);
        assert_eq!(run.id_token().claims["exp"], exp, "{clock:?}");
        assert_eq!(run.answer["expires_at"], expires_at, "{clock:?}");
        assert_eq!(run.answer["expires_in"], 3600, "{clock:?}");
    }
}

#[test]
fn the_same_seed_and_time_make_the_same_tokens_where_signatures_have_no_salt() {
    for alg in [Alg::Rs256, Alg::EdDsa, Alg::Hs256] {
        let signer = Signer::of(alg);
        let cassette = login(alg, &signer, &claims(alg, None)).cassette();
        let [one, other] =
            [(); 2].map(|()| Run::of(cassette.clone(), Clock::Shifted, None, SECRET));
        assert_eq!(one.answer, other.answer, "{alg}");
        assert_eq!((one.code, one.keys), (other.code, other.keys), "{alg}");
    }
}

#[test]
fn an_encrypted_token_has_its_five_parts() {
    let header = encode(json!({"alg": "RSA-OAEP", "enc": "A256GCM", "kid": "enc-1"}).to_string());
    let parts = [342, 16, 600, 22].map(|length| "Qw3Er5Ty7Ui9OpAs".repeat(40)[..length].to_owned());
    let token = format!("{header}.{}", parts.join("."));
    let signer = Signer::of(Alg::Es256);
    let mut login = login(Alg::Es256, &signer, &claims(Alg::Es256, None));
    login.answer["id_token"] = token.clone().into();
    let cassette = login.cassette();
    let notes = authtape::replay::check(&cassette.interactions).expect("it plays");
    assert_eq!(notes.len(), 1, "{notes:?}");
    let run = Run::of(cassette, Clock::Shifted, None, SECRET);
    let played = run.text("id_token");
    assert_ne!(played, token);
    assert_eq!(played.len(), token.len());
    assert_eq!(jwt::encrypted(played), jwt::encrypted(&token));
}
