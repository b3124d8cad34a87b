//! The cost of replay: how soon the first answer comes, how fast they follow, and what they take,
//! with one recording and with a hundred thousand.
//!
//! `cargo bench --bench replay`, or `cargo bench --bench replay -- 1 10000` for these numbers of
//! recordings. Beside it stands a bare TLS server (hyper, rustls) that gives an answer of the same
//! size; what counts are the ratios within a repetition: absolute figures are this machine's, at
//! this moment.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark stops at what it cannot do, and prints"
)]

mod client;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use authtape::model::{Captured, Exchange, Headers, Heard, Said, Url, Version};
use authtape::proxy::Authority;
use authtape::record::{Options, Tape};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use client::{Message, connector, cpu, median, mib, started};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    if arguments.first().is_some_and(|role| role == "origin") {
        return runtime.block_on(origin(&arguments[1]));
    }
    let asked: Vec<usize> = arguments
        .iter()
        .filter_map(|word| word.parse().ok())
        .collect();
    let counts = if asked.is_empty() {
        vec![1, 10_000, 100_000]
    } else {
        asked
    };
    runtime.block_on(measure(&counts));
}

/// A TLS server of which nothing is asked but an answer.
async fn origin(ca_file: &str) {
    let authority = Authority::generate(&[]).expect("an authority");
    std::fs::write(ca_file, authority.ca_pem()).expect("written");
    let config = authority
        .server_config(HOST, Some(b"http/1.1"))
        .expect("a certificate");
    let acceptor = TlsAcceptor::from(config);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("{}", listener.local_addr().expect("an address"));
    let body = Bytes::from(answer(0));
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        let (acceptor, body) = (acceptor.clone(), body.clone());
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let service = service_fn(move |request| echo(request, body.clone()));
            // A client ends its connection as it likes.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn echo(
    request: http::Request<Incoming>,
    body: Bytes,
) -> Result<http::Response<Full<Bytes>>, Infallible> {
    request.into_body().collect().await.expect("a body");
    let mut response = http::Response::new(Full::new(body));
    for (name, value) in [
        ("content-type", "application/json"),
        ("cache-control", "no-store"),
    ] {
        let value = http::HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

/// Cassettes of so many clients that each asked for a token; how many bytes they are.
fn write_cassettes(directory: &Path, count: usize) -> u64 {
    let mut bytes = 0;
    for (file, begin) in (0..count).step_by(OF_ONE_FILE).enumerate() {
        let mut tape = Tape::new(Options::default(), "2026-11-23T10:02:11Z".to_owned());
        for n in begin..count.min(begin + OF_ONE_FILE) {
            tape.record(exchange(n, n - begin));
        }
        let text = tape.finish().expect("nothing leaks");
        bytes += text.len() as u64;
        std::fs::write(directory.join(format!("tape-{file:03}.yaml")), text).expect("written");
    }
    bytes
}

fn exchange(n: usize, at: usize) -> Exchange {
    let fields = |fields: &[(&str, &str)]| -> Headers { fields.iter().copied().collect() };
    Exchange {
        id: at as u64 + 1,
        at: Duration::from_millis(at as u64),
        clock: 1_795_000_000,
        request: Said {
            method: "POST".to_owned(),
            url: Url::parse(&format!("https://{HOST}/token")).expect("a URL"),
            version: Version::Http11,
            headers: fields(&[("Host", HOST), ("Content-Type", FORM)]),
            body: Captured::of(grant(n).as_bytes(), 1 << 20),
            alias: None,
        },
        response: Some(Heard {
            status: 200,
            reason: None,
            version: Version::Http11,
            headers: fields(&[
                ("Content-Type", "application/json"),
                ("Cache-Control", "no-store"),
            ]),
            body: Captured::of(answer(n).as_bytes(), 1 << 20),
            after: Duration::from_millis(12),
        }),
        failure: None,
    }
}

fn grant(n: usize) -> String {
    format!(
        "grant_type=client_credentials&client_id=client-{n}&client_secret=Zx8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz0Xc2Vb4N&scope=read%20write"
    )
}

/// 1,228 bytes, the size of a token response with a signed access token.
fn answer(n: usize) -> String {
    let (head, tail) = (
        "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"scope\":\"read write\",\"access_token\":\"",
        "\"}",
    );
    let mut state = (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"[(state % 62) as usize]
    };
    let token: String = (head.len() + tail.len()..1_228)
        .map(|_| char::from(next()))
        .collect();
    format!("{head}{token}{tail}")
}

struct Target {
    process: Child,
    address: SocketAddr,
    is_proxy: bool,
    connector: TlsConnector,
}

impl Drop for Target {
    fn drop(&mut self) {
        // A process that is gone already is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Target {
    fn origin(directory: &Path) -> Self {
        let ca_file = directory.join("origin.pem").display().to_string();
        let (process, address) = started("origin", &ca_file);
        Self {
            process,
            address,
            is_proxy: false,
            connector: connector(&ca_file),
        }
    }

    fn replay(directory: &Path, cassettes: &Path) -> Self {
        let ready = directory.join("ready.json");
        // There is none yet, in the first repetition.
        let _ = std::fs::remove_file(&ready);
        let process = Command::new(env!("CARGO_BIN_EXE_authtape"))
            .arg("replay")
            .arg(cassettes)
            .args(["--json", "--ready-file"])
            .arg(&ready)
            .stdout(std::fs::File::create(directory.join("told")).expect("a file"))
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        while !ready.exists() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let told = std::fs::read(&ready).expect("ready");
        let told: serde_json::Value = serde_json::from_slice(&told).expect("JSON");
        let proxy = told["proxy"].as_str();
        let address = proxy.and_then(|url| url.strip_prefix("http://")?.parse().ok());
        Self {
            process,
            address: address.expect("an address"),
            is_proxy: true,
            connector: connector(told["ca"].as_str().expect("roots")),
        }
    }

    async fn connect(&self) -> TlsStream<TcpStream> {
        let mut stream = TcpStream::connect(self.address).await.expect("connected");
        stream.set_nodelay(true).expect("no delay");
        if self.is_proxy {
            let head = format!("CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n");
            stream.write_all(head.as_bytes()).await.expect("sent");
            let mut message = Message::default();
            assert!(message.next(&mut stream).await, "the tunnel stands");
        }
        let name = ServerName::try_from(HOST).expect("a name");
        self.connector.connect(name, stream).await.expect("TLS")
    }

    /// Sends these clients' grants over connections at once; requests a second, and CPU seconds
    /// for each.
    async fn load(&self, count: usize, each: usize) -> (f64, f64) {
        let mut streams = Vec::new();
        for _ in 0..CONNECTIONS {
            streams.push(self.connect().await);
        }
        let (before, began) = (cpu(&self.process), Instant::now());
        let load = streams
            .into_iter()
            .enumerate()
            .map(|(connection, mut stream)| {
                tokio::spawn(async move {
                    let mut message = Message::default();
                    for n in 0..each {
                        let client = (connection + n * CONNECTIONS) % count;
                        let request = request(client);
                        stream.write_all(request.as_bytes()).await.expect("sent");
                        assert!(message.next(&mut stream).await, "answered");
                    }
                })
            });
        for task in load.collect::<Vec<_>>() {
            task.await.expect("a client");
        }
        let requests = f64::from(u32::try_from(CONNECTIONS * each).expect("few"));
        let seconds = began.elapsed().as_secs_f64();
        (requests / seconds, (cpu(&self.process) - before) / requests)
    }

    async fn first(&self, client: usize) {
        let mut stream = self.connect().await;
        let request = request(client);
        stream.write_all(request.as_bytes()).await.expect("sent");
        assert!(Message::default().next(&mut stream).await, "answered");
    }
}

fn request(client: usize) -> String {
    let body = grant(client);
    format!(
        "POST /token HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {FORM}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn measure(counts: &[usize]) {
    let directory = tempfile::tempdir().expect("a directory");
    println!(
        "medians of {REPETITIONS} repetitions; {CONNECTIONS} connections, {} answers, twice: `read us` is the CPU of\n\
         each the first time, when recordings are read, and what follows is the second; CPU against a bare hyper server\n",
        CONNECTIONS * EACH
    );
    println!(
        "{:>10} {:>9} {:>9} {:>10} {:>10} {:>9} {:>9} {:>11} {:>12} {:>10} {:>8}",
        "recordings",
        "files MB",
        "first s",
        "loaded x",
        "peak x",
        "read us",
        "answers/s",
        "x rate at 1",
        "us CPU each",
        "hyper us",
        "x hyper"
    );
    let mut at_one = 0.0;
    for count in counts {
        let cassettes = directory.path().join(format!("cassettes-{count}"));
        std::fs::create_dir(&cassettes).expect("a directory");
        let bytes = write_cassettes(&cassettes, *count);
        let megabytes = f64::from(u32::try_from(bytes / 1024).expect("less")) / 1024.0;
        let mut columns: [Vec<f64>; 7] = Default::default();
        for _ in 0..REPETITIONS {
            let row = repetition(directory.path(), &cassettes, *count).await;
            columns
                .iter_mut()
                .zip(row)
                .for_each(|(column, value)| column.push(value));
        }
        let [first, loaded, peak, read, rate, each, hyper] =
            columns.each_mut().map(|column| median(column));
        at_one = if at_one == 0.0 { rate } else { at_one };
        println!(
            "{count:>10} {megabytes:>9.1} {first:>9.3} {:>10.2} {:>10.2} {:>9.1} {rate:>9.0} {:>11.2} {:>12.1} {:>10.1} {:>8.2}",
            loaded / megabytes,
            peak / megabytes,
            read * 1e6,
            rate / at_one,
            each * 1e6,
            hyper * 1e6,
            each / hyper
        );
    }
}

/// Seconds to the first answer, memory once it came and at the most, CPU seconds for an answer that
/// is read first, the rate of the others, and CPU seconds for one of replay and of the bare server.
async fn repetition(directory: &Path, cassettes: &Path, count: usize) -> [f64; 7] {
    let origin = Target::origin(directory);
    let began = Instant::now();
    let mut replay = Target::replay(directory, cassettes);
    replay.first(count - 1).await;
    let first = began.elapsed().as_secs_f64();
    let loaded = mib(&replay.process, "VmRSS");
    let (_, hyper) = origin.load(count, EACH).await;
    let (_, read) = replay.load(count, EACH).await;
    let (rate, each) = replay.load(count, EACH).await;
    let peak = mib(&replay.process, "VmHWM");
    let pid = replay.process.id().to_string();
    let ended = Command::new("kill").args(["-INT", &pid]).status();
    assert!(ended.is_ok_and(|ended| ended.success()), "asked to end");
    replay.process.wait().expect("ended");
    let told = std::fs::read(directory.join("told")).expect("a report");
    let told: serde_json::Value = serde_json::from_slice(&told).expect("JSON");
    assert_eq!(
        told["played"],
        2 * CONNECTIONS * EACH + 1,
        "all were on tape"
    );
    [first, loaded, peak, read, rate, each, hyper]
}

const HOST: &str = "as.example";
const FORM: &str = "application/x-www-form-urlencoded";
const REPETITIONS: usize = 3;
const CONNECTIONS: usize = 16;
const EACH: usize = 1_500;
/// More new secrets than a recording remembers, and the rest is kept without bodies.
const OF_ONE_FILE: usize = 5_000;
