//! Signed things that a client sends in replay: `DPoP` proofs, client assertions, request objects.

use authtape::model::{Response, Said, percent_encode};
use authtape::oauth::pkce;
use authtape::replay::{PlayOptions, Player};
use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::refusals::{TOKEN, of};
use crate::support::{FORM, NOW, VERIFIER, body, played, player, said};

const API: &str = "https://api.example/me";
/// A client with a key of its own.
struct Client {
    player: Player,
    key: EcdsaKeyPair,
    nonce: Option<String>,
    proofs: u32,
}

/// What a proof says otherwise than it should.
type Change = fn(&mut Value, &mut Value);

/// What a statement says otherwise than it should.
type Edit = fn(&mut Value);

impl Client {
    fn new(tape: &str) -> Self {
        Self {
            player: player(tape, &PlayOptions::default()),
            key: key(),
            nonce: None,
            proofs: 0,
        }
    }

    fn proof(&mut self, method: &str, url: &str, token: Option<&str>, change: Change) -> String {
        self.proofs += 1;
        let point = self.key.public_key().as_ref();
        let mut header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": {
            "kty": "EC", "crv": "P-256",
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]),
        }});
        let mut claims = json!({
            "jti": format!("proof-{}", self.proofs), "htm": method, "htu": url, "iat": NOW,
        });
        if let Some(nonce) = &self.nonce {
            claims["nonce"] = json!(nonce);
        }
        if let Some(token) = token {
            let hash = digest::digest(&digest::SHA256, token.as_bytes());
            claims["ath"] = json!(URL_SAFE_NO_PAD.encode(hash));
        }
        change(&mut header, &mut claims);
        signed(&self.key, &header, &claims)
    }

    fn play(&mut self, request: &Said) -> Response {
        let response = played(&mut self.player, request);
        let nonce = response.headers.get("dpop-nonce").map(str::to_owned);
        self.nonce = nonce.or_else(|| self.nonce.take());
        response
    }

    fn token(&mut self, proof: Option<&str>) -> Response {
        let form = "grant_type=client_credentials&client_id=c1&client_secret=s";
        let mut headers = vec![FORM];
        headers.extend(proof.map(|proof| ("DPoP", proof)));
        self.play(&said("POST", TOKEN, &headers, form))
    }

    /// The access token, after the nonce was asked for.
    fn issued(&mut self) -> String {
        for expected in [400, 200] {
            let proof = self.proof("POST", TOKEN, None, |_, _| {});
            let response = self.token(Some(&proof));
            assert_eq!(response.status, expected);
            if expected == 200 {
                return member(&response, "access_token");
            }
            assert_eq!(member(&response, "error"), "use_dpop_nonce");
        }
        unreachable!("the second answer has the token")
    }

    fn call(&mut self, scheme: &str, token: &str, proof: Option<&str>) -> Response {
        let authorization = format!("{scheme} {token}");
        let mut headers = vec![("Authorization", authorization.as_str())];
        headers.extend(proof.map(|proof| ("DPoP", proof)));
        self.play(&said("GET", API, &headers, ""))
    }

    fn refused(&self) -> String {
        self.player.report().refused.join("\n")
    }
}

fn key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let der = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
    EcdsaKeyPair::from_pkcs8(algorithm, der.as_ref()).expect("a key")
}

fn signed(key: &EcdsaKeyPair, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = key
        .sign(&SystemRandom::new(), message.as_bytes())
        .expect("a signature");
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn member(response: &Response, name: &str) -> String {
    let members: Value = serde_json::from_str(&body(response)).expect("JSON");
    members[name].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_client_that_proves_its_key_is_served_as_it_was() {
    let (tape, _) = DPOP
        .split_once("- id: 4")
        .expect("a failure of another kind");
    let mut client = Client::new(tape);
    let token = client.issued();
    let proof = client.proof("GET", API, Some(&token), |_, _| {});
    assert_eq!(client.call("DPoP", &token, Some(&proof)).status, 200);
    let report = client.player.report();
    assert!(report.is_clean(), "{:?}", report.lines());
}

#[test]
fn a_wrong_proof_is_refused_at_the_token_endpoint() {
    let rows: [(&str, Change, &str); 9] = [
        (
            "another method",
            |_, claims| claims["htm"] = json!("GET"),
            "is for another method",
        ),
        (
            "another URL",
            |_, claims| claims["htu"] = json!(API),
            "is for another URL",
        ),
        (
            "an old one",
            |_, claims| claims["iat"] = json!(NOW - 3_600),
            "is out of its time",
        ),
        (
            "an early one",
            |_, claims| claims["iat"] = json!(NOW + 3_600),
            "is out of its time",
        ),
        (
            "one of before",
            |_, claims| claims["jti"] = json!("proof-1"),
            "was redeemed before",
        ),
        (
            "another type",
            |header, _| header["typ"] = json!("JWT"),
            "is not well-formed",
        ),
        (
            "a shared key",
            |header, _| header["alg"] = json!("HS256"),
            "is not well-formed",
        ),
        (
            "no identifier",
            |_, claims| claims["jti"] = Value::Null,
            "is not well-formed",
        ),
        (
            "a key that did not sign",
            |header, _| {
                let point = key();
                let point = point.public_key().as_ref();
                header["jwk"]["x"] = json!(URL_SAFE_NO_PAD.encode(&point[1..33]));
                header["jwk"]["y"] = json!(URL_SAFE_NO_PAD.encode(&point[33..]));
            },
            "has a signature that is not of its key",
        ),
    ];
    for (name, change, why) in rows {
        let mut client = Client::new(DPOP);
        client.issued();
        let proof = client.proof("POST", TOKEN, None, change);
        let response = client.token(Some(&proof));
        assert_eq!(response.status, 400, "{name}");
        assert_eq!(member(&response, "error"), "invalid_dpop_proof", "{name}");
        assert_eq!(
            member(&response, "trace"),
            "t-1",
            "{name}: the server's own shape"
        );
        assert!(
            client.refused().contains(why),
            "{name}: {}",
            client.refused()
        );
    }
    let mut client = Client::new(DPOP);
    client.issued();
    let response = client.token(None);
    assert_eq!(member(&response, "error"), "invalid_dpop_proof");
    assert!(client.refused().contains("the DPoP proof is not sent"));
}

#[test]
fn a_bound_token_is_of_no_use_without_its_key() {
    type Call = fn(&mut Client, &str) -> Response;
    let rows: [(&str, Call, &str); 5] = [
        (
            "another key",
            |client, token| {
                client.key = key();
                let proof = client.proof("GET", API, Some(token), |_, _| {});
                client.call("DPoP", token, Some(&proof))
            },
            "is not of the key that the grant is bound to",
        ),
        (
            "the hash of another token",
            |client, token| {
                let proof = client.proof("GET", API, Some("another"), |_, _| {});
                client.call("DPoP", token, Some(&proof))
            },
            "is for another access token",
        ),
        (
            "no hash",
            |client, token| {
                let proof = client.proof("GET", API, None, |_, _| {});
                client.call("DPoP", token, Some(&proof))
            },
            "is for another access token",
        ),
        (
            "as a bearer token",
            |client, token| client.call("Bearer", token, None),
            "a bound token is sent as a bearer token",
        ),
        (
            "no proof",
            |client, token| client.call("DPoP", token, None),
            "the DPoP proof is not sent",
        ),
    ];
    for (name, call, why) in rows {
        let mut client = Client::new(DPOP);
        let token = client.issued();
        let response = call(&mut client, &token);
        assert_eq!(response.status, 401, "{name}");
        assert!(response.headers.has("www-authenticate"), "{name}");
        assert!(
            client.refused().contains(why),
            "{name}: {}",
            client.refused()
        );
    }
}

#[test]
fn a_bound_token_that_was_sent_as_a_bearer_token_fails_as_it_did() {
    let (tape, _) = DPOP
        .split_once("- id: 4")
        .expect("a failure of another kind");
    let tape = tape.replace("Authorization: DPoP", "Authorization: Bearer");
    let (head, call) = tape.split_once("- id: 3").expect("the call");
    let call = call.replace("status: 200", "status: 401");
    let call: String = call
        .lines()
        .take_while(|line| !line.starts_with("  secrets:"))
        .filter(|line| !line.contains("REDACTED-dpop-3"))
        .map(|line| format!("{line}\n"))
        .collect();
    let mut client = Client::new(&format!("{head}- id: 3{call}"));
    let token = client.issued();
    assert_eq!(client.call("Bearer", &token, None).status, 401);
    let report = client.player.report();
    assert!(report.is_clean(), "{:?}", report.lines());
}

#[test]
fn an_assertion_is_of_its_client_for_this_server_in_time_and_once() {
    let rows: [(&str, Edit, &str); 6] = [
        ("right", |_| {}, ""),
        (
            "for another server",
            |claims| claims["aud"] = json!("https://other.example"),
            "is for another audience",
        ),
        (
            "for nobody",
            |claims| claims["aud"] = Value::Null,
            "is for another audience",
        ),
        (
            "over",
            |claims| claims["exp"] = json!(NOW - 120),
            "is out of its time",
        ),
        (
            "of another client",
            |claims| claims["sub"] = json!("c2"),
            "speaks of another client",
        ),
        (
            "early",
            |claims| claims["nbf"] = json!(NOW + 600),
            "is out of its time",
        ),
    ];
    let post = |client: &mut Client, assertion: &str| {
        let kind = percent_encode("urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        let form = format!(
            "grant_type=client_credentials&client_id=c1&client_assertion_type={kind}&client_assertion={assertion}"
        );
        client.play(&said("POST", TOKEN, &[FORM], &form))
    };
    for (name, change, why) in rows {
        let mut client = Client::new(ASSERTION);
        let mut claims = json!({
            "iss": "c1", "sub": "c1", "aud": "https://as.example/token", "jti": "a-1",
            "iat": NOW, "exp": NOW + 60,
        });
        change(&mut claims);
        let assertion = signed(&client.key, &json!({"alg": "ES256"}), &claims);
        let response = post(&mut client, &assertion);
        if why.is_empty() {
            assert_eq!(response.status, 200, "{name}");
            assert_eq!(post(&mut client, &assertion).status, 401, "{name}, twice");
            continue;
        }
        assert_eq!(response.status, 401, "{name}");
        assert_eq!(member(&response, "error"), "invalid_client", "{name}");
        assert!(
            client.refused().contains(why),
            "{name}: {}",
            client.refused()
        );
    }
    let mut client = Client::new(ASSERTION);
    assert_eq!(post(&mut client, "no-jwt").status, 401);
}

#[test]
fn a_request_object_is_read_and_checked() {
    let rows: [(&str, Edit, bool); 4] = [
        ("right", |_| {}, true),
        ("over", |claims| claims["exp"] = json!(NOW - 120), false),
        (
            "for another server",
            |claims| claims["aud"] = json!("https://other.example"),
            false,
        ),
        (
            "of another client",
            |claims| claims["iss"] = json!("c2"),
            false,
        ),
    ];
    for (name, change, is_right) in rows {
        let mut client = Client::new(OBJECT);
        let mut claims = json!({
            "iss": "c1", "aud": "https://as.example", "client_id": "c1", "response_type": "code",
            "redirect_uri": "https://shop.example/cb", "state": "of this run", "exp": NOW + 60,
        });
        change(&mut claims);
        let object = signed(&client.key, &json!({"alg": "ES256"}), &claims);
        let url = format!("https://as.example/authorize?client_id=c1&request={object}");
        let response = client.play(&said("GET", &url, &[], ""));
        let location = response.headers.get("location").unwrap_or_default();
        if is_right {
            assert!(
                location.starts_with("https://shop.example/cb?code="),
                "{name}: {location}"
            );
            assert!(
                location.ends_with("&state=of%20this%20run"),
                "{name}: {location}"
            );
        } else {
            assert_eq!(response.status, 400, "{name}");
            assert!(
                client.refused().contains("the request object"),
                "{name}: {}",
                client.refused()
            );
        }
    }
}

#[test]
fn what_a_request_object_says_binds_the_flow() {
    let (_, rest) = OBJECT.split_once("interactions:\n").expect("interactions");
    let said_more = rest.replace(
        "https://shop.example/cb\",",
        "http://127.0.0.1:51004/cb\",\"nonce\":\"REDACTED-nonce-1\",\"code_challenge\":\"REDACTED-code_challenge-1\",\"code_challenge_method\":\"S256\",",
    );
    let said_more = said_more.replace("https://shop.example/cb?", "http://127.0.0.1:51004/cb?");
    let mut client = Client::new(&of(&format!("{said_more}{OF_OBJECT}")));
    let claims = json!({
        "iss": "c1", "aud": "https://as.example", "client_id": "c1", "response_type": "code",
        "redirect_uri": "http://127.0.0.1:6001/cb", "state": "s of this run", "exp": NOW + 60,
        "nonce": "n of this run", "code_challenge": pkce::s256(VERIFIER),
        "code_challenge_method": "S256",
    });
    let object = signed(&client.key, &json!({"alg": "ES256"}), &claims);
    let url = format!("https://as.example/authorize?client_id=c1&request={object}");
    let response = client.play(&said("GET", &url, &[], ""));
    let location = response.headers.get("location").unwrap_or_default();
    let code = location.strip_prefix("http://127.0.0.1:6001/cb?code=");
    let code = code.and_then(|rest| rest.strip_suffix("&state=s%20of%20this%20run"));
    let code = code.expect(location);
    let mut redeem = |verifier: &str| {
        let form = format!(
            "grant_type=authorization_code&client_id=c1&code={code}&code_verifier={verifier}&redirect_uri={}",
            percent_encode("http://127.0.0.1:6001/cb")
        );
        client.play(&said("POST", TOKEN, &[FORM], &form))
    };
    assert_eq!(
        redeem(&"x".repeat(43)).status,
        400,
        "the challenge is in the object"
    );
    let token = member(&redeem(VERIFIER), "id_token");
    let claims = token.split('.').nth(1).expect("claims");
    let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64url");
    let claims: Value = serde_json::from_slice(&claims).expect("JSON");
    assert_eq!(claims["nonce"], "n of this run");
}

/// What follows on the request object.
const OF_OBJECT: &str = r#"- id: 2
  step: token_request
  at: 1.000
  request:
    method: POST
    url: https://as.example/token
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    form:
    - grant_type: authorization_code
    - client_id: c1
    - code: REDACTED-code-1
    - code_verifier: REDACTED-code_verifier-1
    - redirect_uri: http://127.0.0.1:51004/cb
  response:
    status: 200
    after: 0.010
    headers:
    - Content-Type: application/json
    json: |
      {
        "access_token": "REDACTED-access_token-1",
        "token_type": "bearer",
        "id_token": "REDACTED-id_token-1"
      }
    wire: compact
  secrets:
    id_token-1:
      length: 400
      jwt_header: '{"alg":"ES256"}'
      jwt_claims: '{"iss":"https://as.example","sub":"REDACTED-sub-1","aud":"c1","nonce":"REDACTED-nonce-1","iat":"+0","exp":"+60"}'
"#;

const DPOP: &str = r#"authtape: 1
recorded_by: authtape/0.1.0
recorded_at: "2026-11-23T10:02:11Z"
interactions:
- id: 1
  step: token_request
  at: 0.000
  request:
    method: POST
    url: https://as.example/token
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    - DPoP: REDACTED-dpop-1
    form:
    - grant_type: client_credentials
    - client_id: c1
    - client_secret: REDACTED-client_secret-1
  response:
    status: 400
    after: 0.010
    headers:
    - Content-Type: application/json
    - DPoP-Nonce: REDACTED-value-1
    json: |
      {
        "error": "use_dpop_nonce"
      }
    wire: compact
  secrets:
    dpop-1:
      length: 300
      jwt_header: '{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"REDACTED-x-1","y":"REDACTED-y-1"}}'
      jwt_claims: '{"jti":"REDACTED-jti-1","htm":"POST","htu":"https://as.example/token","iat":"+0"}'
- id: 2
  step: token_request
  at: 1.000
  request:
    method: POST
    url: https://as.example/token
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    - DPoP: REDACTED-dpop-2
    form:
    - grant_type: client_credentials
    - client_id: c1
    - client_secret: REDACTED-client_secret-1
  response:
    status: 200
    after: 0.010
    headers:
    - Content-Type: application/json
    json: |
      {
        "access_token": "REDACTED-access_token-1",
        "token_type": "DPoP"
      }
    wire: compact
  secrets:
    dpop-2:
      length: 300
      jwt_header: '{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"REDACTED-x-1","y":"REDACTED-y-1"}}'
      jwt_claims: '{"jti":"REDACTED-jti-2","htm":"POST","htu":"https://as.example/token","iat":"+0","nonce":"REDACTED-value-1"}'
- id: 3
  step: resource
  at: 2.000
  request:
    method: GET
    url: https://api.example/me
    http: "1.1"
    headers:
    - Authorization: DPoP REDACTED-access_token-1
    - DPoP: REDACTED-dpop-3
  response:
    status: 200
    after: 0.010
    headers:
    - Content-Type: application/json
    json: |
      {}
    wire: compact
  secrets:
    dpop-3:
      length: 300
      jwt_header: '{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"REDACTED-x-1","y":"REDACTED-y-1"}}'
      jwt_claims: '{"jti":"REDACTED-jti-3","htm":"GET","htu":"https://api.example/me","iat":"+0","ath":"REDACTED-ath-1"}'
- id: 4
  step: token_request
  at: 3.000
  request:
    method: POST
    url: https://as.example/token
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    form:
    - grant_type: password
    - client_id: c1
    - client_secret: REDACTED-client_secret-1
    - username: REDACTED-username-1
    - password: REDACTED-password-1
  response:
    status: 400
    after: 0.010
    headers:
    - Content-Type: application/json
    json: |
      {
        "error": "invalid_request",
        "trace": "t-1"
      }
    wire: compact
"#;

const ASSERTION: &str = r#"authtape: 1
recorded_by: authtape/0.1.0
recorded_at: "2026-11-23T10:02:11Z"
interactions:
- id: 1
  step: token_request
  at: 0.000
  request:
    method: POST
    url: https://as.example/token
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    form:
    - grant_type: client_credentials
    - client_id: c1
    - client_assertion_type: urn:ietf:params:oauth:client-assertion-type:jwt-bearer
    - client_assertion: REDACTED-client_assertion-1
  response:
    status: 200
    after: 0.010
    headers:
    - Content-Type: application/json
    json: |
      {
        "access_token": "REDACTED-access_token-1",
        "token_type": "bearer"
      }
    wire: compact
  secrets:
    client_assertion-1:
      length: 300
      jwt_header: '{"alg":"ES256"}'
      jwt_claims: '{"iss":"c1","sub":"REDACTED-sub-1","aud":"https://as.example/token","jti":"REDACTED-jti-1","iat":"+0","exp":"+60"}'
"#;

const OBJECT: &str = r#"authtape: 1
recorded_by: authtape/0.1.0
recorded_at: "2026-11-23T10:02:11Z"
interactions:
- id: 1
  step: authorization_request
  at: 0.000
  request:
    method: GET
    url: https://as.example/authorize
    http: "1.1"
    query:
    - client_id: c1
    - request: REDACTED-request-1
  response:
    status: 302
    after: 0.010
    headers:
    - Location: https://shop.example/cb?code=REDACTED-code-1&state=REDACTED-state-1
  secrets:
    request-1:
      length: 300
      jwt_header: '{"alg":"ES256"}'
      jwt_claims: '{"iss":"c1","aud":"https://as.example","client_id":"c1","response_type":"code","redirect_uri":"https://shop.example/cb","state":"REDACTED-state-1","exp":"+60"}'
"#;
