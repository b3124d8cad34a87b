//! Mishaps in replay: faults that were asked for, failures from tape, and answers that are late.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use authtape::deck::{self, ReplayOptions, Replaying, Running, WireOptions};
use authtape::model::{Params, percent_encode};
use authtape::oauth::pkce;
use authtape::proxy::Limits;
use authtape::replay::{Latency, PlayOptions, Report};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{VERIFIER, tls, tunnel};

const CALLBACK: &str = "https://shop.example.org/oauth/callback";
const HOST: &str = "accounts.example.com";

/// The correct session of the thread, without TLS, edited.
fn cassette(edit: impl Fn(&str) -> String) -> String {
    let path = "cassettes/accounts.example.com/thread-correct.yaml";
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = std::fs::read_to_string(path).expect("a shipped cassette");
    edit(&text.replace("https://accounts", "http://accounts"))
}

/// The session with this in place of the token response.
fn failing(error: &str) -> String {
    cassette(|text| {
        let (head, rest) = text
            .split_once("  response:\n    status: 200")
            .expect("two");
        let (_, secrets) = rest.split_once("  secrets:\n").expect("secrets");
        format!("{head}{error}  secrets:\n{secrets}")
    })
}

struct Play {
    running: Running<Replaying>,
    _directory: tempfile::TempDir,
}

impl Play {
    async fn of(text: &str, faults: &[&str], latency: Latency) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("x.yaml");
        std::fs::write(&path, text).expect("written");
        let faults = faults.iter().map(|fault| fault.parse().expect(fault));
        let running = deck::replay(ReplayOptions {
            cassettes: vec![path],
            play: PlayOptions {
                faults: faults.collect(),
                latency,
                ..PlayOptions::default()
            },
            wire: WireOptions {
                limits: Limits::default()
                    .with("answer-head=100ms")
                    .expect("a limit"),
                ..WireOptions::default()
            },
            on_miss: Box::new(|miss| panic!("{miss:?}")),
            transcribe: false,
            on_laid: None,
        });
        Self {
            running: running.await.expect("a replay"),
            _directory: directory,
        }
    }

    async fn ask(&self, request: &str) -> Result<String, ErrorKind> {
        let stream = TcpStream::connect(self.running.address()).await;
        ask(stream.expect("the proxy"), request).await
    }

    /// The authorization leg; the code that came back.
    async fn authorize(&self) -> String {
        let answer = self.ask(&authorization(&format!("http://{HOST}"))).await;
        code_of(&answer.expect("an answer"))
    }

    async fn token(&self, code: &str) -> Result<String, ErrorKind> {
        self.ask(&token_request(&format!("http://{HOST}"), code))
            .await
    }

    async fn end(self) -> Report {
        self.running.stop().await
    }
}

fn authorization(origin: &str) -> String {
    let (challenge, uri) = (pkce::s256(VERIFIER), percent_encode(CALLBACK));
    format!(
        "GET {origin}/app/oauth/authorize?client_id=8kqf3mz2x7&response_type=code&redirect_uri={uri}\
         &state=s1&code_challenge={challenge}&code_challenge_method=S256 HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
    )
}

fn code_of(answer: &str) -> String {
    let query = answer.split('?').nth(1).expect(answer);
    let query = query.split_whitespace().next().expect("a query");
    Params::parse(query).get("code").expect("a code").to_owned()
}

fn token_request(origin: &str, code: &str) -> String {
    let form = format!(
        "client_id=8kqf3mz2x7&client_secret=s&code={code}&grant_type=authorization_code&redirect_uri={}&code_verifier={VERIFIER}",
        percent_encode(CALLBACK)
    );
    format!(
        "POST {origin}/token HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    )
}

/// Everything that comes back until the connection ends, or how it ended else.
async fn ask(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    request: &str,
) -> Result<String, ErrorKind> {
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer).await {
        // An end without a TLS goodbye is an end.
        Err(error) if error.kind() == ErrorKind::UnexpectedEof && !answer.is_empty() => {}
        read => {
            read.map_err(|error| error.kind())?;
        }
    }
    Ok(String::from_utf8(answer).expect("text"))
}

#[tokio::test]
async fn a_fault_is_done_so_often_and_then_the_tape_goes_on() {
    let good = cassette(str::to_owned);
    for (fault, expected, also) in [
        (
            "token: 503 retry-after=2 times=1",
            Ok("HTTP/1.1 503 "),
            "retry-after: 2\r\n",
        ),
        (
            "token: 400 error=invalid_grant times=1",
            Ok("HTTP/1.1 400 "),
            "{\"error\":\"invalid_grant\"",
        ),
        ("token: html times=1", Ok("HTTP/1.1 200 "), "text/html"),
        ("any: 502 after=1 times=1", Ok("HTTP/1.1 502 "), "any: 502"),
        ("token: reset times=1", Err(ErrorKind::ConnectionReset), ""),
        ("token: close times=1", Ok(""), ""),
        ("token: stall times=1", Ok(""), ""),
    ] {
        let play = Play::of(&good, &[fault], Latency::None).await;
        let code = play.authorize().await;
        let answer = play.token(&code).await;
        match (&answer, expected) {
            (Ok(answer), Ok(begins)) => {
                assert!(answer.starts_with(begins), "{fault}: {answer}");
                assert_eq!(answer.is_empty(), begins.is_empty(), "{fault}: {answer}");
                let lower = answer.to_ascii_lowercase();
                assert!(lower.contains(also), "{fault}: {answer}");
            }
            (answer, expected) => assert_eq!(answer, &expected.map(str::to_owned), "{fault}"),
        }
        let again = play.token(&code).await.expect("an answer");
        assert!(again.contains("\"access_token\""), "{fault}: {again}");
        let report = play.end().await;
        assert_eq!(report.faults, [(fault.to_owned(), 1)]);
        assert!(report.is_clean(), "{fault}: {report:?}");
        assert_eq!(report.counts(), "2 played, 1 with a fault");
    }
}

#[tokio::test]
async fn what_is_played_can_be_late_and_cut() {
    let good = cassette(|text| text.replace("after: 0.001", "after: 0.060"));
    let late = Duration::from_millis(60);
    for (fault, latency, least) in [
        (Some("token: slow=60ms"), Latency::None, late),
        (None, Latency::Recorded, late),
        (None, Latency::Times(2.0), 2 * late),
        (None, Latency::Fixed(late), late),
    ] {
        let play = Play::of(&good, fault.as_slice(), latency).await;
        let code = play.authorize().await;
        let started = Instant::now();
        let answer = play.token(&code).await.expect("an answer");
        assert!(answer.contains("\"access_token\""), "{answer}");
        assert!(started.elapsed() >= least, "{fault:?} {latency:?}");
    }
    let play = Play::of(&good, &["token: truncate=10"], Latency::None).await;
    let code = play.authorize().await;
    let answer = play.token(&code).await.expect("a part of an answer");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("{\"access_t"), "{answer}");
    assert!(!answer.contains("{\"access_to"), "{answer}");
    assert!(
        !answer.ends_with("\r\n0\r\n\r\n"),
        "it has no end: {answer}"
    );
}

#[tokio::test]
async fn a_failure_from_tape_happens_to_the_client() {
    for (kind, expected) in [
        ("connection_reset", Err(ErrorKind::ConnectionReset)),
        ("closed_early", Ok("")),
        ("read_timeout", Ok("")),
        ("protocol_error", Ok("HTTP/1.1 502 ")),
    ] {
        let error =
            format!("  error:\n    kind: {kind}\n    phase: response_head\n    after: 0.010\n");
        let play = Play::of(&failing(&error), &[], Latency::None).await;
        let code = play.authorize().await;
        let answer = play.token(&code).await;
        let begins = answer.map(|answer| answer.chars().take(13).collect::<String>());
        assert_eq!(begins, expected.map(str::to_owned), "{kind}");
    }
}

#[tokio::test]
async fn a_reset_is_one_through_tls_too() {
    let good = cassette(|text| text.replace(&format!("http://{HOST}"), "https://localhost"));
    let play = Play::of(&good, &["token: reset"], Latency::None).await;
    let ask_through_tls = async |request: String| {
        let stream = tunnel(play.running.address(), "localhost:443").await;
        let stream = tls(stream, play.running.ca_pem(), &[]).await.expect("TLS");
        ask(stream, &request.replace(HOST, "localhost")).await
    };
    let answer = ask_through_tls(authorization("")).await;
    let code = code_of(&answer.expect("an answer"));
    let answer = ask_through_tls(token_request("", &code)).await;
    assert_eq!(answer, Err(ErrorKind::ConnectionReset));
}
