//! The cost of the wire: direct, relayed, and recorded, side by side in one run.
//!
//! `cargo bench --bench wire`. Origin and proxies are processes of their own, whose CPU time is read
//! from `/proc`; the load comes from here. The three are measured in turn, and what counts are the
//! ratios within a repetition: absolute figures are this machine's, at this moment.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark stops at what it cannot do, and prints"
)]

mod client;

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

use authtape::proxy::{self, Authority, Reach, Upstream, UpstreamOptions};
use rustls::pki_types::ServerName;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use client::{Message, connector, cpu, median, mib, started};

const REPETITIONS: usize = 3;
const BODY: &str = "grant_type=refresh_token&client_id=8kqf3mz2x7&client_secret=Zx8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz0Xc2Vb4N&refresh_token=Mn6Bv4Cx2Zl0Kj8Hg6Fd4Sa2Po0Iu8Yt6Re4Wq2X";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let role = arguments.get(1).map(String::as_str);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    match role {
        Some("origin") => runtime.block_on(origin(&arguments[2])),
        Some("relay") => runtime.block_on(relay(&arguments[2])),
        _ => runtime.block_on(measure()),
    }
}

/// A TLS server that answers each request with 1.2 kB of JSON.
async fn origin(ca_file: &str) {
    let authority = Authority::generate(&[]).expect("an authority");
    std::fs::write(ca_file, authority.ca_pem()).expect("written");
    let config = authority
        .server_config("localhost", Some(b"http/1.1"))
        .expect("a certificate");
    let acceptor = TlsAcceptor::from(config);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("{}", listener.local_addr().expect("an address"));
    let padding = "x".repeat(1_100);
    let body = format!("{{\"error\":\"invalid_grant\",\"padding\":\"{padding}\"}}");
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = Arc::new(answer.into_bytes());
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        let (acceptor, answer) = (acceptor.clone(), Arc::clone(&answer));
        tokio::spawn(async move {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            let mut message = Message::default();
            while message.next(&mut stream).await {
                if stream.write_all(&answer).await.is_err() {
                    return;
                }
            }
        });
    }
}

/// A proxy that intercepts and records nothing.
async fn relay(ca_file: &str) {
    let pem = std::fs::read(ca_file).expect("the origin's roots");
    let extra_roots = vec![(ca_file.to_owned(), pem)];
    let upstream = Upstream::new(UpstreamOptions {
        extra_roots,
        ..UpstreamOptions::default()
    })
    .expect("an upstream");
    let authority = Arc::new(Authority::generate(&[]).expect("an authority"));
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let bound = proxy::bind(listen, None).await.expect("a port");
    let options = proxy::Options::new(bound, Arc::clone(&authority));
    let serving = proxy::serve(options, Reach::Live(upstream.clone()), upstream)
        .await
        .expect("a proxy");
    let own = format!("{ca_file}.relay");
    std::fs::write(&own, authority.ca_pem()).expect("written");
    println!("{}", serving.address());
    std::future::pending::<()>().await;
}

struct Target {
    name: &'static str,
    process: Child,
    proxy: Option<SocketAddr>,
    origin: SocketAddr,
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
    async fn connect(&self) -> TlsStream<TcpStream> {
        let mut stream = TcpStream::connect(self.proxy.unwrap_or(self.origin))
            .await
            .expect("connected");
        stream.set_nodelay(true).expect("no delay");
        if self.proxy.is_some() {
            let target = format!("localhost:{}", self.origin.port());
            stream
                .write_all(
                    format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n").as_bytes(),
                )
                .await
                .expect("sent");
            let mut message = Message::default();
            assert!(message.next(&mut stream).await, "the tunnel stands");
        }
        let name = ServerName::try_from("localhost").expect("a name");
        self.connector.connect(name, stream).await.expect("TLS")
    }

    /// Sends requests over this many connections at once; the seconds each took.
    async fn keep_alive(&self, connections: usize, each: usize) -> Vec<f64> {
        let mut streams = Vec::new();
        for _ in 0..connections {
            streams.push(self.connect().await);
        }
        let host = self.origin.port();
        let load = streams.into_iter().map(|mut stream| {
            tokio::spawn(async move {
                let mut message = Message::default();
                let mut took = Vec::with_capacity(each);
                for _ in 0..each {
                    let started = Instant::now();
                    stream
                        .write_all(request(host).as_bytes())
                        .await
                        .expect("sent");
                    assert!(message.next(&mut stream).await, "answered");
                    took.push(started.elapsed().as_secs_f64());
                }
                took
            })
        });
        let mut all = Vec::new();
        for task in load.collect::<Vec<_>>() {
            all.extend(task.await.expect("a client"));
        }
        all
    }

    async fn new_connections(&self, count: usize) -> Vec<f64> {
        let mut took = Vec::with_capacity(count);
        for _ in 0..count {
            let started = Instant::now();
            let mut stream = self.connect().await;
            stream
                .write_all(request(self.origin.port()).as_bytes())
                .await
                .expect("sent");
            assert!(Message::default().next(&mut stream).await, "answered");
            took.push(started.elapsed().as_secs_f64());
        }
        took
    }
}

fn request(port: u16) -> String {
    format!(
        "POST /token HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    )
}

fn recorder(directory: &Path, ca_file: &str, run: usize) -> (Child, SocketAddr, String, Duration) {
    let ready = directory.join(format!("ready-{run}.json"));
    let began = Instant::now();
    let process = Command::new(env!("CARGO_BIN_EXE_authtape"))
        .arg("record")
        .arg(directory.join(format!("bench-{run}.yaml")))
        .args(["--quiet", "--upstream-ca", ca_file, "--ready-file"])
        .arg(&ready)
        .spawn()
        .expect("it starts");
    while !ready.exists() {
        std::thread::yield_now();
    }
    let took = began.elapsed();
    let told: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&ready).expect("ready")).expect("JSON");
    let proxy = told["proxy"]
        .as_str()
        .and_then(|url| url.strip_prefix("http://")?.parse().ok())
        .expect("an address");
    (
        process,
        proxy,
        told["ca"].as_str().expect("roots").to_owned(),
        took,
    )
}

async fn measure() {
    let directory = tempfile::tempdir().expect("a directory");
    let ca_file = directory.path().join("origin.pem").display().to_string();
    let (process, origin) = started("origin", &ca_file);
    let direct = Target {
        name: "direct",
        process,
        proxy: None,
        origin,
        connector: connector(&ca_file),
    };
    let (process, address) = started("relay", &ca_file);
    let relay = Target {
        name: "relayed",
        process,
        proxy: Some(address),
        origin,
        connector: connector(&format!("{ca_file}.relay")),
    };
    let mut startups = Vec::new();
    for run in 1..5 {
        let (mut process, .., took) = recorder(directory.path(), &ca_file, run);
        process.kill().expect("killed");
        process.wait().expect("ended");
        startups.push(took.as_secs_f64());
    }
    let (process, address, bundle, took) = recorder(directory.path(), &ca_file, 0);
    startups.push(took.as_secs_f64());
    let recorded = Target {
        name: "recorded",
        process,
        proxy: Some(address),
        origin,
        connector: connector(&bundle),
    };
    let targets = [direct, relay, recorded];
    for target in &targets {
        target.keep_alive(1, 50).await;
    }
    println!("medians of {REPETITIONS} repetitions, ratios to direct within each\n");
    println!(
        "{:<28} {:>9} {:>10} {:>10} {:>9} {:>16}",
        "case", "target", "requests/s", "x direct", "p50 ms", "CPU s per 1000"
    );
    for (case, connections, count) in [
        ("keep-alive, 1 connection", 1, 1_500),
        ("keep-alive, 16 connections", 16, 200),
        ("new connections", 0, 250),
    ] {
        report(case, connections, count, &targets).await;
    }
    println!(
        "\nstart to listening: {:.1} ms (median of {})",
        median(&mut startups) * 1e3,
        startups.len()
    );
    for Target { name, process, .. } in &targets[1..] {
        println!("peak memory, {name}: {:.1} MiB", mib(process, "VmHWM"));
    }
}

async fn report(case: &str, connections: usize, count: usize, targets: &[Target]) {
    let mut rows: Vec<[Vec<f64>; 4]> = targets.iter().map(|_| Default::default()).collect();
    for _ in 0..REPETITIONS {
        let mut base = 0.0;
        for (target, row) in targets.iter().zip(&mut rows) {
            let (before, began) = (cpu(&target.process), Instant::now());
            let mut took = if connections == 0 {
                target.new_connections(count).await
            } else {
                target.keep_alive(connections, count).await
            };
            let (requests, seconds) = (
                f64::from(u32::try_from(took.len()).expect("few")),
                began.elapsed().as_secs_f64(),
            );
            let rate = requests / seconds;
            base = if target.proxy.is_none() { rate } else { base };
            let cpu = (cpu(&target.process) - before) * 1000.0 / requests;
            for (column, value) in
                row.iter_mut()
                    .zip([rate, rate / base, median(&mut took) * 1e3, cpu])
            {
                column.push(value);
            }
        }
    }
    for (target, row) in targets.iter().zip(&mut rows) {
        let [rate, ratio, p50, cpu] = row.each_mut().map(|column| median(column));
        println!(
            "{case:<28} {:>9} {rate:>10.0} {ratio:>10.2} {p50:>9.3} {cpu:>16.3}",
            target.name
        );
    }
}
