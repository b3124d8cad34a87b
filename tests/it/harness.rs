//! The harness: a tape for each test, its clients, and what it says of them.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use authtape::deck::RecordMode;
use authtape::harness::{Error, Tape};
use authtape::replay::Fault;

use crate::support::Origin;

fn shipped(variant: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join(format!(
        "cassettes/accounts.example.com/thread-{variant}.yaml"
    ))
}

const AUTHORIZE: &str = "https://accounts.example.com/app/oauth/authorize?client_id=8kqf3mz2x7&response_type=code&redirect_uri=https%3A%2F%2Fshop.example.org%2Foauth%2Fcallback&state=k3v9x2m7q8w4e6r1t5y0u2i8o9p3a7s4&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

/// A client: curl, led through the tape. What it was answered.
fn ask(tape: &Tape, arguments: &[&str]) -> String {
    let mut curl = tape.command("curl").expect("a command");
    let output = curl.arg("-s").args(arguments).output().expect("curl");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// The whole flow of the thread; the redirect URI is that of the token request.
fn log_in(tape: &Tape, redirect_uri: &str) -> String {
    let to = ask(
        tape,
        &["-o", "/dev/null", "-w", "%{redirect_url}", AUTHORIZE],
    );
    let code = to
        .split("code=")
        .nth(1)
        .expect("a code")
        .split('&')
        .next()
        .unwrap_or_default();
    ask(
        tape,
        &[
            "https://accounts.example.com/token",
            "-d",
            "client_id=8kqf3mz2x7",
            "-d",
            "client_secret=Zx8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz0Xc2Vb4N",
            "-d",
            &format!("code={code}"),
            "-d",
            "grant_type=authorization_code",
            "--data-urlencode",
            &format!("redirect_uri={redirect_uri}"),
            "-d",
            "code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        ],
    )
}

const RIGHT: &str = "https://shop.example.org/oauth/callback";

fn tape(variant: &str) -> Tape {
    let builder = Tape::builder(shipped(variant)).record_mode(RecordMode::None);
    builder.build().expect("a tape")
}

#[test]
fn a_client_that_does_what_was_recorded_passes() {
    let tape = tape("correct");
    assert!(!tape.is_recording());
    assert_eq!(tape.name(), "thread-correct");
    let answer = log_in(&tape, RIGHT);
    assert!(answer.contains("access_token"), "{answer}");
    let transcript = tape.finish().expect("a clean run");
    assert_eq!((transcript.played, transcript.of), (2, 2));
    assert_eq!(transcript.exchanges[1].step, "token_request");
}

#[test]
fn what_is_wrong_with_a_run_is_said() {
    for (name, go, expected) in [
        (
            "another redirect URI",
            (|tape| drop(log_in(tape, "https://shop.example.org/oauth/callback/"))) as fn(&Tape),
            "thread-correct.yaml: 1 played, 1 refused\n  refused: POST https://accounts.example.com/token: redirect_uri differs from the one sent to the authorization endpoint (trailing-slash)",
        ),
        (
            "half of it",
            |tape| drop(ask(tape, &["-o", "/dev/null", AUTHORIZE])),
            "thread-correct.yaml: 1 played, 1 never asked for\n  never asked for: 2 token request (POST https://accounts.example.com/token)",
        ),
        (
            "another server",
            |tape| {
                log_in(tape, RIGHT);
                ask(tape, &["-o", "/dev/null", "https://other.example/x"]);
            },
            "thread-correct.yaml: 2 played, 1 missed\n  miss: GET https://other.example/x\n    nothing recorded went to this URL",
        ),
    ] {
        let tape = tape("correct");
        go(&tape);
        let violations = tape.finish().expect_err(name);
        assert_eq!(violations.to_string(), expected, "{name}");
        assert!(
            violations.transcript().starts_with("authtape transcript 1"),
            "{name}"
        );
    }
}

#[test]
fn a_tape_that_is_dropped_says_what_is_wrong_and_never_twice() {
    let dropped = std::panic::catch_unwind(|| drop(tape("correct")));
    let said = dropped.expect_err("it must panic");
    let said = said.downcast_ref::<String>().expect("a text");
    assert!(
        said.starts_with("thread-correct.yaml: 0 played, 2 never asked for"),
        "{said}"
    );
    let failed = std::panic::catch_unwind(|| {
        let _tape = tape("correct");
        panic!("the test's own");
    });
    let said = failed.expect_err("it must panic");
    assert_eq!(said.downcast_ref::<&str>(), Some(&"the test's own"));
}

#[test]
fn nothing_listens_once_it_has_ended() {
    let address = |tape: &Tape| {
        let url = tape.proxy_url().trim_start_matches("http://");
        url.parse::<std::net::SocketAddr>().expect("an address")
    };
    let finished = tape("correct");
    let first = address(&finished);
    TcpStream::connect(first).expect("it listens");
    finished.finish().expect_err("nothing was asked");
    let refused = TcpStream::connect(first).expect_err("nothing listens");
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[test]
fn many_tapes_run_at_once_and_know_nothing_of_each_other() {
    let (tell, hear) = mpsc::channel();
    for n in 0..8 {
        let tell = tell.clone();
        std::thread::spawn(move || {
            let tape = Tape::builder(shipped("correct"))
                .record_mode(RecordMode::None)
                .seed(n)
                .build();
            let tape = tape.expect("a tape");
            let answer = log_in(&tape, RIGHT);
            let transcript = tape.finish().expect("a clean run").to_string();
            tell.send((answer, transcript)).expect("told");
        });
    }
    drop(tell);
    let (answers, texts): (Vec<_>, Vec<_>) = hear.iter().unzip();
    let answers: std::collections::BTreeSet<_> = answers.into_iter().collect();
    let texts: std::collections::BTreeSet<_> = texts.into_iter().collect();
    assert_eq!((answers.len(), texts.len()), (8, 1));
}

#[tokio::test]
async fn it_runs_beside_a_runtime_and_its_clients_are_ready_made() {
    use http_body_util::{BodyExt as _, Empty};
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::TokioExecutor;

    let builder = Tape::builder(shipped("correct")).record_mode(RecordMode::None);
    let tape = builder.allow_unused(true).build().expect("a tape");
    let client =
        Client::builder(TokioExecutor::new()).build::<_, Empty<&[u8]>>(tape.hyper_connector());
    let answer = client
        .get(AUTHORIZE.parse().expect("a URL"))
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 302);
    let to = answer.headers()["location"]
        .to_str()
        .expect("text")
        .to_owned();
    assert!(
        to.starts_with("https://shop.example.org/oauth/callback?code="),
        "{to}"
    );
    let body = answer.into_body().collect().await.expect("a body");
    assert_eq!(body.to_bytes().len(), 0);
    let transcript = tape.finish().expect("a clean run");
    assert_eq!(transcript.exchanges.len(), 1);
}

#[test]
fn sessions_and_faults_and_origins_are_those_of_replay() {
    let fault: Fault = "token: 503 times=1".parse().expect("a fault");
    let reverse = "https://accounts.example.com".parse().expect("an origin");
    let builder = Tape::builder(shipped("correct")).record_mode(RecordMode::None);
    let tape = builder
        .fault(fault)
        .reverse(reverse)
        .allow_unused(true)
        .build()
        .expect("a tape");
    let origin = tape
        .origin("https://accounts.example.com")
        .expect("a local origin")
        .to_owned();
    let status = ask(
        &tape,
        &[
            "--noproxy",
            "*",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            &format!("{origin}/token"),
            "-d",
            "grant_type=authorization_code",
        ],
    );
    assert_eq!(status, "503");
    let own = tape.session_url("a b/c");
    let status = ask(
        &tape,
        &[
            "-x",
            &own,
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            AUTHORIZE,
        ],
    );
    assert_eq!(status, "302");
    let all = tape.finish_all().expect("a clean run");
    let names: Vec<_> = all
        .iter()
        .map(|transcript| transcript.session.clone())
        .collect();
    assert_eq!(names, [None, Some("a b/c".to_owned())]);
    assert_eq!(all[0].exchanges[0].came, Some("a fault"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_recorded_and_played_from_then_on() {
    let directory = tempfile::tempdir().expect("a directory");
    let origin = Origin::answering(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 68\r\n\r\n{\"access_token\":\"Zx8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz\",\"token_type\":\"x\"}",
    )
    .await;
    let roots = directory.path().join("roots.pem");
    std::fs::write(&roots, origin.authority.ca_pem()).expect("written");
    let cassette = directory.path().join("deep/er/x.yaml");
    let url = format!("https://localhost:{}/token", origin.port);
    let run = move |mode| {
        let builder = Tape::builder(&cassette)
            .record_mode(mode)
            .upstream_ca(&roots);
        let tape = builder.build().expect("a tape");
        let is_recording = tape.is_recording();
        let answer = ask(&tape, &[&url, "-d", "grant_type=client_credentials"]);
        (
            is_recording,
            answer,
            tape.finish().expect("a clean run").to_string(),
        )
    };
    let (first, second) =
        tokio::task::spawn_blocking(move || (run(RecordMode::NewEpisodes), run(RecordMode::None)))
            .await
            .expect("both");
    assert_eq!((first.0, second.0), (true, false));
    assert!(
        first.1.contains("Zx8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz"),
        "{}",
        first.1
    );
    assert!(
        !second.1.contains("Zx8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz"),
        "{}",
        second.1
    );
    assert_eq!(first.2, second.2);
}

#[test]
fn what_cannot_be_played_is_an_error_with_its_causes() {
    let directory = tempfile::tempdir().expect("a directory");
    let missing = Tape::builder(directory.path().join("x.yaml"))
        .record_mode(RecordMode::None)
        .build();
    let error = missing.expect_err("there is none");
    assert!(matches!(error, Error::Deck(_)), "{error:?}");
    assert!(
        Tape::why(&error).contains("x.yaml: No such file"),
        "{}",
        Tape::why(&error)
    );
    assert_eq!(
        Tape::test_of("it::harness::a_test::{{closure}}::here"),
        "a_test"
    );
    assert_eq!(Tape::test_of("a_test::here"), "a_test");
}
