//! Recording through real sockets: what is written, when, and what is left when things go wrong.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use authtape::cassette::{self, Cassette};
use authtape::deck::{self, RecordOptions, Recorded, Running, WireOptions};
use authtape::library::{self, Overwrite};
use authtape::oauth::Step;
use authtape::record::Options;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{ClosedPort, Origin, Script, rest_of, tls, tunnel};

struct Recording {
    running: Running<deck::Recording>,
    directory: tempfile::TempDir,
    port: u16,
}

impl Recording {
    async fn of(origin: &Origin, keep_all: bool) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let roots = directory.path().join("roots.pem");
        std::fs::write(&roots, origin.authority.ca_pem()).expect("written");
        let running = deck::record(RecordOptions {
            cassette: directory.path().join("x.yaml"),
            overwrite: Overwrite::No,
            keep: Options {
                keep_all,
                ..Options::default()
            },
            wire: WireOptions {
                upstream_ca: vec![roots],
                ..WireOptions::default()
            },
            on_laid: None,
        })
        .await
        .expect("a recording");
        Self {
            running,
            directory,
            port: origin.port,
        }
    }

    async fn send(&self, request: &str) -> String {
        let stream = tunnel(self.running.address(), &format!("localhost:{}", self.port)).await;
        let mut stream = tls(stream, self.running.ca_pem(), &[b"http/1.1"])
            .await
            .expect("TLS");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = Vec::new();
        // An end without a TLS goodbye is an end.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn part(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("x.yaml.part")).expect("a .part")
    }

    async fn end(self) -> (Recorded, Cassette) {
        let recorded = self.running.stop().await.expect("finished");
        let path = recorded.path.as_ref().expect("something was recorded");
        let cassette = library::load(path).expect("a cassette");
        (recorded, cassette)
    }
}

const TOKEN: &str = "POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 43\r\nConnection: close\r\n\r\ngrant_type=refresh_token&refresh_token=abcd";
const DENIED: &str = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 25\r\n\r\n{\"error\":\"invalid_grant\"}";

#[tokio::test]
async fn an_interaction_is_on_disk_when_the_client_has_its_answer() {
    let origin = Origin::answering(DENIED).await;
    let recording = Recording::of(&origin, false).await;
    for n in 1..=5 {
        assert!(
            recording
                .send(TOKEN)
                .await
                .ends_with("{\"error\":\"invalid_grant\"}")
        );
        let part = recording.part();
        assert!(part.contains(&format!("# end {n}\n")), "{part}");
        assert_eq!(
            cassette::load_part(part.as_bytes())
                .expect("it loads")
                .cassette
                .interactions
                .len(),
            n
        );
    }
    let (recorded, cassette) = recording.end().await;
    assert_eq!((recorded.interactions, cassette.interactions.len()), (5, 5));
    assert_eq!(
        cassette.interactions[0]
            .request()
            .headers()
            .iter()
            .next()
            .map(|field| field.name.clone())
            .as_deref(),
        Some("Host")
    );
}

#[tokio::test]
async fn what_is_no_oauth_is_kept_only_when_all_is() {
    for (keep_all, expected) in [(false, 1), (true, 2)] {
        let origin = Origin::answering(DENIED).await;
        let recording = Recording::of(&origin, keep_all).await;
        recording
            .send("GET /style.css HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .await;
        recording.send(TOKEN).await;
        let (_, cassette) = recording.end().await;
        assert_eq!(cassette.interactions.len(), expected);
        assert_eq!(
            cassette
                .interactions
                .last()
                .map(authtape::redact::Interaction::step),
            Some(Step::TokenRequest)
        );
    }
}

#[tokio::test]
async fn a_response_that_is_cut_is_an_outcome() {
    let origin = Origin::answering("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"access_token\":").await;
    let recording = Recording::of(&origin, false).await;
    recording.send(TOKEN).await;
    let (_, cassette) = recording.end().await;
    let error = cassette.interactions[0].error().expect("an error");
    assert_eq!(
        format!("{} {}", error.kind(), error.phase()),
        "closed_early response_body"
    );
    assert_eq!(
        cassette.interactions[0]
            .response()
            .map(authtape::redact::RecordedResponse::status),
        Some(200)
    );
}

#[tokio::test]
async fn a_client_that_goes_away_is_an_outcome() {
    let (arrived, mut arrival) = tokio::sync::mpsc::channel(1);
    let script: Script = Arc::new(move |mut request, mut stream| {
        let arrived = arrived.clone();
        Box::pin(async move {
            rest_of(&mut request, &mut stream).await;
            arrived.send(()).await.expect("a listener");
            // Waits for the proxy to give up on it.
            let _ = stream.read_u8().await;
        })
    });
    let origin = Origin::scripted(script).await;
    let recording = Recording::of(&origin, false).await;
    let stream = tunnel(
        recording.running.address(),
        &format!("localhost:{}", origin.port),
    )
    .await;
    let mut stream = tls(stream, recording.running.ca_pem(), &[b"http/1.1"])
        .await
        .expect("TLS");
    stream.write_all(TOKEN.as_bytes()).await.expect("sent");
    arrival.recv().await.expect("the request arrived");
    drop(stream);
    let (_, cassette) = recording.end().await;
    let error = cassette.interactions[0].error().expect("an error");
    assert_eq!(
        format!("{} {}", error.kind(), error.phase()),
        "client_aborted response_head"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_outcome() {
    let origin = Origin::answering("").await;
    let mut recording = Recording::of(&origin, false).await;
    let closed = ClosedPort::new();
    recording.port = closed.number();
    assert!(
        recording
            .send(TOKEN)
            .await
            .contains("authtape-error: connect_refused")
    );
    let (_, cassette) = recording.end().await;
    assert_eq!(
        cassette.interactions[0]
            .error()
            .map(|error| error.kind().as_str()),
        Some("connect_refused")
    );
}

#[tokio::test]
async fn a_huge_body_passes_whole_and_leaves_its_size() {
    let size: usize = 100 << 20;
    let script: Script = Arc::new(move |mut request, mut stream| {
        Box::pin(async move {
            rest_of(&mut request, &mut stream).await;
            stream
                .write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n").as_bytes())
                .await
                .expect("sent");
            let zeros = vec![0; 1 << 20];
            for _ in 0..size >> 20 {
                stream.write_all(&zeros).await.expect("sent");
            }
            stream.shutdown().await.expect("closed");
        })
    });
    let origin = Origin::scripted(script).await;
    let recording = Recording::of(&origin, false).await;
    let answer = recording.send(TOKEN).await;
    assert!(answer.len() > size, "{} bytes came through", answer.len());
    let (_, cassette) = recording.end().await;
    let text = cassette::write(&cassette);
    assert!(
        text.contains("body: {dropped: too_large, size: 134217728"),
        "{text}"
    );
    assert!(text.len() < 4096);
}

/// The recorder in a process of its own, whose memory is its own.
struct Recorder {
    process: std::process::Child,
    proxy: SocketAddr,
    roots: String,
}

impl Recorder {
    fn start(directory: &Path, origin: &Origin) -> Self {
        let (ca, ready) = (directory.join("roots.pem"), directory.join("ready.json"));
        std::fs::write(&ca, origin.authority.ca_pem()).expect("written");
        let process = std::process::Command::new(env!("CARGO_BIN_EXE_authtape"))
            .arg("record")
            .arg(directory.join("x.yaml"))
            .args(["--quiet", "--upstream-ca"])
            .arg(&ca)
            .arg("--ready-file")
            .arg(&ready)
            .spawn()
            .expect("it starts");
        while !ready.exists() {
            std::thread::yield_now();
        }
        let told = std::fs::read(&ready).expect("ready");
        let told: serde_json::Value = serde_json::from_slice(&told).expect("JSON");
        let text = |key: &str| told[key].as_str().expect("a text").to_owned();
        let proxy = text("proxy")
            .trim_start_matches("http://")
            .parse()
            .expect("an address");
        // Ours is the last of the bundle.
        let bundle = std::fs::read_to_string(text("ca")).expect("roots");
        let roots = bundle[bundle.rfind("-----BEGIN").expect("a root")..].to_owned();
        Self {
            process,
            proxy,
            roots,
        }
    }

    fn peak(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("status");
        let line = status
            .lines()
            .find(|line| line.starts_with("VmHWM"))
            .expect("VmHWM");
        line.split_whitespace()
            .nth(1)
            .and_then(|kib| kib.parse::<u64>().ok())
            .expect("a number")
            << 10
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.process.kill().expect("killed");
        self.process.wait().expect("ended");
    }
}

#[tokio::test]
async fn huge_bodies_pass_both_ways_in_bounded_memory() {
    const SIZE: usize = 100 << 20;
    let script: Script = Arc::new(|_, mut stream| {
        Box::pin(async move {
            let mut buffer = vec![0; 1 << 16];
            let mut left = SIZE;
            while left > 0 {
                left -= stream.read(&mut buffer).await.expect("more of the body");
            }
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.expect("sent");
            for _ in 0..SIZE >> 16 {
                stream.write_all(&buffer).await.expect("sent");
            }
            stream.shutdown().await.expect("closed");
        })
    });
    let origin = Origin::scripted(script).await;
    let directory = tempfile::tempdir().expect("a directory");
    let recorder = Recorder::start(directory.path(), &origin);
    let before = recorder.peak();
    let stream = tunnel(recorder.proxy, &format!("localhost:{}", origin.port)).await;
    let stream = tls(stream, &recorder.roots, &[b"http/1.1"])
        .await
        .expect("TLS");
    let (mut read, mut write) = tokio::io::split(stream);
    let sender = tokio::spawn(async move {
        let head =
            format!("POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Length: {SIZE}\r\n\r\n");
        write.write_all(head.as_bytes()).await.expect("sent");
        let zeros = vec![0; 1 << 16];
        for _ in 0..SIZE >> 16 {
            write.write_all(&zeros).await.expect("sent");
        }
        // TLS keeps what the socket had no room for until it is written to again, which nobody does.
        write.flush().await.expect("sent");
        write
    });
    let (mut buffer, mut received) = (vec![0; 1 << 16], 0);
    while received < SIZE {
        match read.read(&mut buffer).await {
            Ok(count @ 1..) => received += count,
            ended => panic!("{received} bytes came through: {ended:?}"),
        }
    }
    sender.await.expect("a sender");
    let grown = recorder.peak() - before;
    assert!(
        grown < 24 << 20,
        "the recorder grew by {grown} bytes for two bodies of {SIZE}"
    );
}

#[tokio::test]
async fn a_cassette_that_exists_is_left_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let cassette = directory.path().join("x.yaml");
    std::fs::write(&cassette, "mine").expect("written");
    let options = RecordOptions {
        cassette: cassette.clone(),
        overwrite: Overwrite::No,
        keep: Options::default(),
        wire: WireOptions::default(),
        on_laid: None,
    };
    let error = deck::record(options).await.err().expect("refused");
    assert!(error.to_string().contains("--overwrite"), "{error}");
    assert_eq!(
        std::fs::read_to_string(Path::new(&cassette)).expect("a file"),
        "mine"
    );
    assert_eq!(
        std::fs::read_dir(directory.path())
            .expect("a directory")
            .count(),
        1
    );
}

#[tokio::test]
async fn a_port_in_use_leaves_no_file() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let listen: SocketAddr = taken.local_addr().expect("an address");
    let directory = tempfile::tempdir().expect("a directory");
    let options = RecordOptions {
        cassette: directory.path().join("x.yaml"),
        overwrite: Overwrite::No,
        keep: Options::default(),
        wire: WireOptions {
            listen,
            ..WireOptions::default()
        },
        on_laid: None,
    };
    let error = deck::record(options).await.err().expect("refused");
    assert!(error.to_string().contains("cannot listen on"), "{error}");
    assert_eq!(
        std::fs::read_dir(directory.path())
            .expect("a directory")
            .count(),
        0
    );
}
