//! Transcripts: the same for every run that says the same, and without a secret of it.

use std::time::Duration;

use authtape::cassette;
use authtape::model::{Exchange, Params, Said, percent_encode};
use authtape::oauth::pkce;
use authtape::replay::{Answer, PlayOptions, Repertoire, Sessions};
use authtape::transcript::{Seen, Transcript};

use crate::support::{FORM, NOW, said, thread};

/// What one run of a client is made of: another each time.
struct Run {
    state: String,
    verifier: String,
    client_secret: String,
    /// What it sends beside, of no standard.
    others: [String; 2],
    port: u16,
    now: i64,
    seed: u8,
    /// How often it asks for the metadata, and polls.
    times: usize,
    /// Whether it sends the redirect URI with a slash at its end to the token endpoint.
    slash: bool,
}

impl Run {
    fn number(n: u8) -> Self {
        let text = |begin: &str, length: usize| {
            let letters =
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".as_bytes();
            let at = |i: usize| {
                letters[(i * 7 + usize::from(n) * 13 + i * i * usize::from(n + 1)) % letters.len()]
            };
            let rest = (0..length - begin.len()).map(|i| char::from(at(i)));
            begin.chars().chain(rest).collect::<String>()
        };
        Self {
            state: text("s", 32),
            verifier: text("v", 43),
            client_secret: text("c", 40),
            others: [text("x", 40), text("y", 40)],
            port: 40_000 + u16::from(n) * 17,
            now: NOW + i64::from(n) * 86_400,
            seed: n,
            times: 1 + usize::from(n % 3),
            slash: false,
        }
    }

    fn redirect_uri(&self) -> String {
        format!("http://127.0.0.1:{}/callback", self.port)
    }

    /// What the run says, and every secret of it.
    fn go(&self, tape: &str) -> (Transcript, Vec<String>) {
        let options = PlayOptions {
            seed: [self.seed; 32],
            ..PlayOptions::default()
        };
        let mut repertoire = Repertoire::new(&options);
        repertoire.add(
            String::new(),
            cassette::load(tape.as_bytes()).expect("a cassette"),
        );
        let sessions = Sessions::new(repertoire);
        let mut seen = Vec::new();
        let mut ask = |request: Said| {
            let performance = sessions.perform(None, &request, self.now);
            let response = match &performance.answer {
                Answer::Response(response) => response.heard(),
                other => panic!("{other:?}"),
            };
            let location = response.headers.get("location").map(str::to_owned);
            let body = String::from_utf8_lossy(&response.body.bytes).into_owned();
            seen.push(Seen {
                exchange: Exchange {
                    id: 0,
                    at: Duration::ZERO,
                    clock: self.now,
                    request,
                    response: Some(response),
                    failure: None,
                },
                came: performance.came,
                recorded: performance.recorded,
                miss: None,
            });
            (location, body)
        };
        for _ in 0..self.times {
            ask(said(
                "GET",
                "https://as.example/.well-known/openid-configuration",
                &[],
                "",
            ));
        }
        let challenge = pkce::s256(&self.verifier);
        let query = self.encoded(&[
            ("client_id", "web-app"),
            ("response_type", "code"),
            ("redirect_uri", &self.redirect_uri()),
            ("state", &self.state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("tag_one", &self.others[0]),
            ("tag_two", &self.others[1]),
        ]);
        let url = format!("https://as.example/authorize?{query}");
        let (location, _) = ask(said(
            "GET",
            &url,
            &[("User-Agent", &format!("client/{}", self.seed))],
            "",
        ));
        let location = location.expect("a redirect");
        let (_, answer) = location.split_once('?').expect("an answer");
        let answer = Params::parse(answer);
        let code = answer.get("code").expect("a code").to_owned();
        let slash = if self.slash { "/" } else { "" };
        let form = self.encoded(&[
            ("grant_type", "authorization_code"),
            ("client_id", "web-app"),
            ("client_secret", &self.client_secret),
            ("code", &code),
            ("redirect_uri", &format!("{}{slash}", self.redirect_uri())),
            ("code_verifier", &self.verifier),
        ]);
        let (_, body) = ask(said("POST", "https://as.example/token", &[FORM], &form));
        let mut secrets = vec![
            self.state.clone(),
            self.verifier.clone(),
            challenge,
            self.client_secret.clone(),
            code,
        ];
        secrets.extend(self.others.clone());
        let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        secrets.extend(body["access_token"].as_str().map(str::to_owned));
        let report = sessions.report();
        let transcript = Transcript::of("login.yaml", seen, &report).expect("a transcript");
        (transcript, secrets)
    }

    /// In another order in each run, as of a map that has none.
    fn encoded(&self, pairs: &[(&str, &str)]) -> String {
        let pair = |(name, value): &(&str, &str)| format!("{name}={}", percent_encode(value));
        let mut pairs: Vec<_> = pairs.iter().map(pair).collect();
        let by = usize::from(self.seed) % pairs.len();
        pairs.rotate_left(by);
        pairs.join("&")
    }
}

const TAPE: &str = r#"authtape: 1
recorded_by: authtape/0.1.0
recorded_at: "2026-11-23T10:02:11Z"
interactions:

- id: 1
  step: discovery
  at: 0.000
  request:
    method: GET
    url: https://as.example/.well-known/openid-configuration
    http: "1.1"
  response:
    status: 200
    after: 0.010
    headers:
    - Content-Type: application/json
    json: |-
      {
        "issuer": "https://as.example",
        "token_endpoint": "https://as.example/token"
      }
    wire: compact

- id: 2
  step: authorization_request
  at: 0.100
  request:
    method: GET
    url: https://as.example/authorize
    http: "1.1"
    query:
    - client_id: web-app
    - response_type: code
    - redirect_uri: "http://127.0.0.1:8123/callback"
    - state: REDACTED-state-1
    - code_challenge: REDACTED-code_challenge-1
    - code_challenge_method: S256
  response:
    status: 302
    after: 0.010
    headers:
    - Location: http://127.0.0.1:8123/callback?code=REDACTED-code-1&state=REDACTED-state-1
  secrets:
    state-1: {length: 32, alphabet: alnum}
    code_challenge-1: {length: 43, alphabet: base64url}
    code-1: {length: 24, alphabet: alnum}

- id: 3
  step: token_request
  at: 0.200
  request:
    method: POST
    url: https://as.example/token
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    form:
    - grant_type: authorization_code
    - client_id: web-app
    - client_secret: REDACTED-client_secret-1
    - code: REDACTED-code-1
    - redirect_uri: "http://127.0.0.1:8123/callback"
    - code_verifier: REDACTED-code_verifier-1
  response:
    status: 200
    after: 0.010
    headers:
    - Content-Type: application/json
    json: |-
      {
        "access_token": "REDACTED-access_token-1",
        "token_type": "Bearer",
        "expires_in": 3600,
        "expires_at": 1763895731,
        "issued": "2026-11-23T10:02:11Z"
      }
    wire: compact
  secrets:
    client_secret-1: {length: 40, alphabet: alnum}
    code_verifier-1: {length: 43, alphabet: base64url}
    access_token-1: {length: 32, alphabet: alnum}
"#;

#[test]
fn two_runs_that_say_the_same_are_the_same_text() {
    let (first, _) = Run::number(1).go(TAPE);
    insta::assert_snapshot!("transcript", first);
    for n in 2..40 {
        let (transcript, _) = Run::number(n).go(TAPE);
        assert_eq!(transcript.to_string(), first.to_string(), "run {n}");
        assert_eq!(transcript, first, "run {n}");
    }
}

#[test]
fn a_client_that_says_something_else_is_another_text() {
    let changed = Run {
        slash: true,
        ..Run::number(1)
    };
    let (transcript, _) = changed.go(TAPE);
    insta::assert_snapshot!("transcript of a changed client", transcript);
}

#[test]
fn no_secret_of_a_run_is_in_its_transcript() {
    for n in 1..20 {
        for slash in [false, true] {
            let run = Run {
                slash,
                ..Run::number(n)
            };
            let (transcript, secrets) = run.go(TAPE);
            assert!(secrets.len() >= 5, "{secrets:?}");
            let text = transcript.to_string();
            let json = serde_json::to_string(&transcript).expect("JSON");
            for secret in &secrets {
                for part in [secret.as_str(), &secret[4..20]] {
                    assert!(!text.contains(part) && !json.contains(part), "{text}");
                }
            }
        }
    }
}

#[test]
fn what_was_recorded_is_told_in_the_same_way() {
    for variant in [
        "as-posted",
        "basic",
        "correct",
        "get",
        "json",
        "multipart",
        "redirect-slash",
    ] {
        let cassette = thread(variant);
        let transcript = Transcript::of_cassette(&format!("thread-{variant}.yaml"), &cassette);
        insta::assert_snapshot!(format!("transcript of {variant}"), transcript);
    }
}
