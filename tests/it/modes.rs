//! Record modes: what is on tape is played, what is not is asked of the server and recorded behind it.

use std::path::Path;
use std::sync::{Arc, Mutex};

use authtape::cassette;
use authtape::deck::{self, RecordOptions, Recorded, ReplayOptions, Running, WireOptions};
use authtape::library::{self, Overwrite};
use authtape::model::{Params, Url};
use authtape::record::Options;
use authtape::redact::{Interaction, Profile};
use authtape::replay::{PlayOptions, Report};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Origin, Script, rest_of, tls, tunnel};

/// An authorization server that gives other codes and tokens each time, and what it was asked.
struct Server {
    origin: Origin,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start() -> Self {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let sink = Arc::clone(&asked);
        let script: Script = Arc::new(move |mut request, mut stream| {
            let sink = Arc::clone(&sink);
            Box::pin(async move {
                rest_of(&mut request, &mut stream).await;
                let text = String::from_utf8_lossy(&request).into_owned();
                let n = {
                    let mut asked = sink.lock().expect("a lock");
                    asked.push(text.clone());
                    asked.len()
                };
                let answer = answer(&text, n);
                stream.write_all(answer.as_bytes()).await.expect("answered");
                stream.shutdown().await.expect("closed");
            })
        });
        Self {
            origin: Origin::scripted(script).await,
            asked,
        }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("a lock").clone()
    }

    fn record_options(&self, directory: &Path) -> RecordOptions {
        let roots = directory.join("roots.pem");
        std::fs::write(&roots, self.origin.authority.ca_pem()).expect("written");
        RecordOptions {
            cassette: directory.join("x.yaml"),
            overwrite: Overwrite::No,
            keep: Options::default(),
            wire: WireOptions {
                upstream_ca: vec![roots],
                ..WireOptions::default()
            },
            on_laid: None,
        }
    }

    async fn record(&self, directory: &Path) -> Running<deck::Recording> {
        let recording = deck::record(self.record_options(directory));
        recording.await.expect("a recording")
    }

    async fn extend(&self, directory: &Path) -> Running<deck::Extending> {
        let record = self.record_options(directory);
        let extending = deck::extend(record, play_options(), Box::new(|_| {}));
        extending.await.expect("a cassette to extend")
    }
}

fn answer(request: &str, n: usize) -> String {
    let target = request.split(' ').nth(1).unwrap_or_default();
    if let Some((_, query)) = target.split_once("authorize?") {
        let query = Params::parse(query);
        let (uri, state) = (query.get("redirect_uri"), query.get("state"));
        let (uri, state) = (uri.expect("a redirect URI"), state.expect("a state"));
        return format!(
            "HTTP/1.1 302 Found\r\nLocation: {uri}?code=k3v9x2m7q8w4e6r1t5y0u2i{n}&state={state}\r\nContent-Length: 0\r\n\r\n"
        );
    }
    let body = format!(
        "{{\"access_token\":\"Zx8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8L{n}\",\"token_type\":\"Bearer\"}}"
    );
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn replay_options(directory: &Path) -> ReplayOptions {
    ReplayOptions {
        cassettes: vec![directory.join("x.yaml")],
        play: play_options(),
        wire: WireOptions::default(),
        on_miss: Box::new(|_| {}),
        transcribe: false,
        on_laid: None,
    }
}

fn play_options() -> PlayOptions {
    PlayOptions {
        seed: [3; 32],
        ..PlayOptions::default()
    }
}

/// A client behind a deck.
struct Client<'a, Deck> {
    running: &'a Running<Deck>,
    port: u16,
}

impl<Deck> Client<'_, Deck> {
    async fn send(&self, head: &str, body: &str) -> String {
        let target = format!("localhost:{}", self.port);
        let stream = tunnel(self.running.address(), &target).await;
        let stream = tls(stream, self.running.ca_pem(), &[b"h2", b"http/1.1"]);
        let mut stream = stream.await.expect("TLS");
        let length = body.len();
        let request = format!(
            "{head} HTTP/1.1\r\nHost: {target}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = Vec::new();
        // An end without a TLS goodbye is an end.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// The code that an authorization request for a scope brings.
    async fn authorize(&self, scope: &str) -> String {
        let head = format!(
            "GET /authorize?response_type=code&client_id=shop&scope={scope}&state=s-{scope}-9f8e7d6c5b4a&redirect_uri=https%3A%2F%2Fshop.example%2Fcb"
        );
        let answer = self.send(&head, "").await;
        let location = answer
            .lines()
            .find_map(|line| line.strip_prefix("Location: "));
        let location = location
            .and_then(Url::parse)
            .unwrap_or_else(|| panic!("{answer}"));
        let query = Params::parse(location.query.as_deref().unwrap_or_default());
        query.get("code").expect("a code").to_owned()
    }

    async fn redeem(&self, code: &str) -> String {
        let body = format!(
            "grant_type=authorization_code&client_id=shop&client_secret={SECRET}&code={code}&redirect_uri=https%3A%2F%2Fshop.example%2Fcb"
        );
        self.send("POST /token", &body).await
    }
}

async fn log_in<Deck>(running: &Running<Deck>, port: u16, scope: &str) {
    let client = Client { running, port };
    let code = client.authorize(scope).await;
    let answer = client.redeem(&code).await;
    assert!(answer.contains("access_token"), "{scope}: {answer}");
}

async fn recorded(server: &Server, directory: &Path) -> Recorded {
    let running = server.record(directory).await;
    log_in(&running, server.origin.port, "read").await;
    running.stop().await.expect("recorded")
}

async fn replayed(server: &Server, directory: &Path, scopes: &[&str]) -> Report {
    let running = deck::replay(replay_options(directory)).await;
    let running = running.expect("a replay");
    for scope in scopes {
        log_in(&running, server.origin.port, scope).await;
    }
    running.stop().await
}

#[tokio::test]
async fn what_is_missing_is_recorded_behind_what_is_there() {
    let (server, directory) = (Server::start().await, tempfile::tempdir().expect("one"));
    let (path, port) = (directory.path().join("x.yaml"), server.origin.port);
    recorded(&server, directory.path()).await;
    let before = std::fs::read_to_string(&path).expect("a cassette");

    let running = server.extend(directory.path()).await;
    log_in(&running, port, "read").await;
    assert_eq!(server.asked().len(), 2, "what is on tape is played");
    log_in(&running, port, "write").await;
    let (recorded, report) = running.stop().await;
    let recorded = recorded.expect("recorded");
    assert!(recorded.withheld.is_empty(), "{recorded:?}");
    assert_eq!((recorded.interactions, server.asked().len()), (2, 4));
    assert!(report.is_clean(), "{:?}", report.lines());

    let after = std::fs::read_to_string(&path).expect("a cassette");
    let entries = |text: &str| {
        text.split_once("interactions:\n")
            .expect("a header")
            .1
            .to_owned()
    };
    assert!(entries(&after).starts_with(&entries(&before)), "{after}");
    assert!(!cassette::audit(&after).is_edited);
    let loaded = library::load(&path).expect("a cassette");
    let ids: Vec<_> = loaded.interactions.iter().map(Interaction::id).collect();
    assert_eq!(ids, [1, 2, 3, 4]);
    assert!(loaded.interactions[2].at() >= loaded.interactions[1].at());
    assert_eq!(loaded.header.audit.map(|stamp| stamp.hits), Some(0));
    for (label, count) in [
        ("client_secret: REDACTED-client_secret-1\n", 2),
        ("client_secret-2", 0),
        ("code: REDACTED-code-1\n", 1),
        ("code: REDACTED-code-2\n", 1),
        (SECRET, 0),
        ("k3v9x2m7q8w4e6r1t5y0u2i", 0),
    ] {
        assert_eq!(after.matches(label).count(), count, "{label}: {after}");
    }

    let report = replayed(&server, directory.path(), &["read", "write"]).await;
    assert!(report.is_clean(), "{:?}", report.lines());
    assert_eq!(server.asked().len(), 4, "a replay calls nobody");
}

#[tokio::test]
async fn a_session_that_began_on_tape_ends_on_tape() {
    let (server, directory) = (Server::start().await, tempfile::tempdir().expect("one"));
    let port = server.origin.port;
    recorded(&server, directory.path()).await;
    let path = directory.path().join("x.yaml");
    let before = std::fs::read(&path).expect("a cassette");

    let running = server.extend(directory.path()).await;
    let client = Client {
        running: &running,
        port,
    };
    let code = client.authorize("read").await;
    for (name, head, body) in [
        (
            "at another endpoint",
            "POST /oauth2/token",
            format!("grant_type=authorization_code&code={code}"),
        ),
        ("in JSON", "POST /token", format!("{{\"code\":\"{code}\"}}")),
        ("in the query", "POST /token?x", format!("code={code}")),
    ] {
        let answer = client.send(head, &body).await;
        assert!(
            answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 501"),
            "{name}: {answer}"
        );
    }
    let (recorded, report) = running.stop().await;
    assert_eq!(
        server.asked().len(),
        2,
        "the code of the tape was sent to nobody"
    );
    assert_eq!(recorded.expect("a run").path, None);
    assert!(!report.is_clean());
    assert_eq!(std::fs::read(&path).expect("a cassette"), before);
}

#[tokio::test]
async fn a_session_that_began_at_a_server_ends_there() {
    let (server, directory) = (Server::start().await, tempfile::tempdir().expect("one"));
    recorded(&server, directory.path()).await;
    let running = server.extend(directory.path()).await;
    let client = Client {
        running: &running,
        port: server.origin.port,
    };
    // The tape has a token request that would take any code that it did not see issued.
    let code = client.authorize("write").await;
    client.redeem(&code).await;
    let (recorded, _) = running.stop().await;
    assert_eq!(server.asked().len(), 4);
    assert!(server.asked()[3].contains(&code));
    assert_eq!(recorded.expect("recorded").interactions, 2);
}

#[tokio::test]
async fn a_cassette_of_another_profile_is_not_recorded_on() {
    let (server, directory) = (Server::start().await, tempfile::tempdir().expect("one"));
    recorded(&server, directory.path()).await;
    let mut record = server.record_options(directory.path());
    record.keep.profile = Profile::Public;
    let refused = deck::extend(record, play_options(), Box::new(|_| {})).await;
    let refused = refused.err().expect("another profile").to_string();
    assert!(refused.contains("leave out --public"), "{refused}");
    assert!(!directory.path().join("x.yaml.part").exists());
}

#[tokio::test]
async fn a_raw_cassette_that_is_recorded_on_is_kept_out_of_git() {
    let (server, directory) = (Server::start().await, tempfile::tempdir().expect("one"));
    std::fs::create_dir(directory.path().join(".git")).expect("a directory");
    let mut record = server.record_options(directory.path());
    record.cassette = directory.path().join("x.raw.yaml");
    record.keep.profile = Profile::Raw;
    let running = deck::record(record.clone()).await.expect("a recording");
    log_in(&running, server.origin.port, "read").await;
    running.stop().await.expect("recorded");

    let ignore = directory.path().join(".gitignore");
    std::fs::remove_file(&ignore).expect("it was written");
    let running = deck::extend(record, play_options(), Box::new(|_| {})).await;
    let running = running.expect("a cassette to extend");
    let file = running.ignored().and_then(Path::file_name);
    assert_eq!(file, ignore.file_name());
    let told = std::fs::read_to_string(&ignore).expect("it was written");
    assert!(told.contains(library::IGNORE_LINE), "{told}");
    running.stop().await.0.expect("nothing was recorded");
}

#[tokio::test]
async fn what_cannot_be_made_is_told_of_a_cassette_that_is_recorded_on() {
    let (server, directory) = (Server::start().await, tempfile::tempdir().expect("one"));
    let text = "authtape: 1\nrecorded_by: other/1\nrecorded_at: \"2026-11-23T10:02:11Z\"\ninteractions:\n- id: 1\n  step: token_request\n  at: 0.0\n  request:\n    method: POST\n    url: https://as.example/token\n    http: \"1.1\"\n    form:\n    - grant_type: client_credentials\n  response:\n    status: 200\n    after: 0.1\n    json: '{\"id_token\":\"REDACTED-id_token-1\"}'\n    wire: compact\n  secrets:\n    id_token-1: {length: 800, jwt_header: '{\"alg\":\"RSA-OAEP\",\"enc\":\"A256GCM\"}'}\n";
    std::fs::write(directory.path().join("x.yaml"), text).expect("written");
    let running = server.extend(directory.path()).await;
    let notes = running.notes().join("\n");
    assert!(notes.contains("id_token-1 is encrypted"), "{notes}");
    running.stop().await.0.expect("nothing was recorded");
}

const SECRET: &str = "Lm7Np8Qr9St0Uv1Wx2Yz3Ab4Cd5Ef6Gh";
