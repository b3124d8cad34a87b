//! A local origin that stands for a server: what it passes on, as it comes and as it was.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use authtape::deck::{self, ReplayOptions, WireOptions};
use authtape::model::{Body, Cut, Flow, Params, Request, Response};
use authtape::oauth::jwt;
use authtape::proxy::{self, Authority, Handler, Reach, Serving};
use authtape::replay::PlayOptions;
use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{bound, head_of};

/// A proxy whose local origin stands for `https://idp.example`, and where that listens.
async fn standing(handler: impl Handler) -> (Serving, String) {
    let authority = Arc::new(Authority::generate(&[]).expect("an authority"));
    let options = proxy::Options {
        reverse: vec!["https://idp.example".parse().expect("an origin")],
        ..proxy::Options::new(bound().await, authority)
    };
    let serving = proxy::serve(options, Reach::Offline, handler).await;
    let serving = serving.expect("a proxy");
    let address = serving.reverse()[0].1.trim_start_matches("http://");
    let address = address.to_owned();
    (serving, address)
}

/// Says this, and then nothing for good.
struct Begun(Option<&'static str>);

impl Flow for Begun {
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Cut>>> {
        match self.0.take() {
            Some(said) => Poll::Ready(Some(Ok(Bytes::from_static(said.as_bytes())))),
            None => Poll::Pending,
        }
    }

    fn is_finished(&self) -> bool {
        false
    }

    fn remaining(&self) -> Option<u64> {
        None
    }
}

#[tokio::test]
async fn what_streams_is_not_held_back() {
    for kind in [
        "text/event-stream",
        "text/event-stream; charset=utf-8",
        "application/x-ndjson",
        "application/stream+json",
        "text/plain",
    ] {
        let handler = move |_: Request| {
            let mut response = Response::new(200, "").with("Content-Type", kind);
            response.body = Body::Live(Box::pin(Begun(Some("data: 1\n"))));
            Ok(response)
        };
        let (_serving, address) = standing(handler).await;
        let mut stream = TcpStream::connect(&address).await.expect("connected");
        let request = format!("GET / HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let begun = async {
            let head = head_of(&mut stream).await;
            let mut chunk = [0; 13];
            stream.read_exact(&mut chunk).await.expect("a chunk");
            (head, chunk)
        };
        let begun = tokio::time::timeout(Duration::from_secs(20), begun).await;
        let (head, chunk) = begun.unwrap_or_else(|_| panic!("{kind}: it was held back"));
        assert!(head.starts_with(b"HTTP/1.1 200"), "{kind}");
        assert_eq!(&chunk, b"8\r\ndata: 1\n\r\n", "{kind}");
    }
}

/// A login whose issuer stands in metadata, in the callback and in an ID Token.
const LOGIN: &str = r#"authtape: 1
recorded_by: other/1
recorded_at: "2026-11-23T10:02:11Z"
interactions:
- id: 1
  step: discovery
  at: 0.0
  request:
    method: GET
    url: https://idp.example/.well-known/openid-configuration
    http: "1.1"
  response:
    status: 200
    after: 0.1
    headers:
    - Content-Type: application/json
    json: '{"issuer":"https://idp.example","token_endpoint":"https://idp.example/token"}'
    wire: exact
- id: 2
  step: authorization_request
  at: 1.0
  request:
    method: GET
    url: https://idp.example/authorize
    http: "1.1"
    query:
    - response_type: code
    - client_id: shop
    - redirect_uri: http://127.0.0.1:5000/cb
    - state: REDACTED-state-1
  response:
    status: 302
    after: 0.1
    headers:
    - Location: http://127.0.0.1:5000/cb?code=REDACTED-code-1&state=REDACTED-state-1&iss=https%3A%2F%2Fidp.example
  secrets: {state-1: {}, code-1: {length: 24, alphabet: alnum}}
- id: 3
  step: token_request
  at: 2.0
  request:
    method: POST
    url: https://idp.example/token
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    form:
    - grant_type: authorization_code
    - client_id: shop
    - code: REDACTED-code-1
    - redirect_uri: http://127.0.0.1:5000/cb
  response:
    status: 200
    after: 0.1
    headers:
    - Content-Type: application/json
    json: '{"id_token":"REDACTED-id_token-1","token_type":"Bearer"}'
    wire: exact
  secrets:
    id_token-1: {jwt_header: '{"alg":"ES256"}', jwt_claims: '{"iss":"https://idp.example","aud":"shop"}'}
"#;

/// Sends a request to this address as one to this origin, and reads the answer to its end.
async fn asked(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer
}

/// What stands in a text between two others.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let found = text.split_once(begin).map(|(_, rest)| rest);
    let found = found.and_then(|rest| rest.split(end).next());
    found.unwrap_or_else(|| panic!("{begin}: {text}"))
}

#[tokio::test]
async fn the_issuer_of_a_replay_is_the_origin_that_the_client_calls() {
    let directory = tempfile::tempdir().expect("a directory");
    let cassette = directory.path().join("x.yaml");
    std::fs::write(&cassette, LOGIN).expect("written");
    let running = deck::replay(ReplayOptions {
        cassettes: vec![cassette],
        play: PlayOptions::default(),
        wire: WireOptions {
            reverse: vec!["https://idp.example".parse().expect("an origin")],
            ..WireOptions::default()
        },
        on_miss: Box::new(|_| {}),
        transcribe: false,
        on_laid: None,
    });
    let running = running.await.expect("a replay");
    let local = running.reverse()[0].1.clone();
    let address = local.trim_start_matches("http://");
    let send = async |head: &str, body: &str| {
        let length = body.len();
        let fields = "Content-Type: application/x-www-form-urlencoded\r\nConnection: close";
        let request = format!(
            "{head} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n{fields}\r\n\r\n{body}"
        );
        asked(address, &request).await
    };
    let metadata = send("GET /.well-known/openid-configuration", "").await;
    assert_eq!(between(&metadata, r#""issuer":""#, "\""), local);

    let uri = "redirect_uri=http%3A%2F%2F127.0.0.1%3A5000%2Fcb";
    let target = format!("GET /authorize?response_type=code&client_id=shop&{uri}&state=s1");
    let sent_on = send(&target, "").await;
    let location = between(&sent_on, "Location: ", "\r\n");
    let query = Params::parse(between(location, "?", "#"));
    assert_eq!(query.get("iss"), Some(local.as_str()));

    let code = query.get("code").expect("a code");
    let form = format!("grant_type=authorization_code&client_id=shop&code={code}&{uri}");
    let tokens = send("POST /token", &form).await;
    let token = jwt::parse(between(&tokens, r#""id_token":""#, "\"")).expect("a JWT");
    assert_eq!(token.claims["iss"], local.as_str());
    let report = running.stop().await;
    assert!(report.is_clean(), "{:?}", report.lines());
}

#[tokio::test]
async fn an_answer_without_a_body_keeps_the_length_that_it_states() {
    for (method, status, expected) in [
        ("HEAD", 200, "content-length: 5000\r\n"),
        ("GET", 304, "content-length: 5000\r\n"),
    ] {
        let handler = move |_: Request| {
            Ok(Response::new(status, "")
                .with("Content-Type", "application/json")
                .with("Content-Length", "5000"))
        };
        let (_serving, address) = standing(handler).await;
        let mut stream = TcpStream::connect(&address).await.expect("connected");
        let request = format!("{method} / HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let head = String::from_utf8_lossy(&head_of(&mut stream).await).to_lowercase();
        assert!(head.contains(expected), "{method} {status}: {head}");
    }
}
