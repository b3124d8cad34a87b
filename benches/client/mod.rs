//! What the benchmarks share: a client that reads raw HTTP, processes, and what they cost.

#![expect(clippy::expect_used, reason = "a benchmark stops at what it cannot do")]

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::AsyncReadExt as _;
use tokio_rustls::TlsConnector;

/// Reads messages with a `Content-Length` off a stream.
#[derive(Default)]
pub(crate) struct Message {
    bytes: Vec<u8>,
}

impl Message {
    /// Whether there was another one.
    pub(crate) async fn next(&mut self, stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> bool {
        loop {
            if let Some(end) = whole(&self.bytes) {
                self.bytes.drain(..end);
                return true;
            }
            if stream.read_buf(&mut self.bytes).await.unwrap_or(0) == 0 {
                return false;
            }
        }
    }
}

fn whole(bytes: &[u8]) -> Option<usize> {
    let head = memchr::memmem::find(bytes, b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&bytes[..head])
        .ok()?
        .to_ascii_lowercase();
    let length = text
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.split("\r\n").next()?.parse().ok())
        .unwrap_or(0);
    (bytes.len() >= head + length).then_some(head + length)
}

/// CPU seconds of a process so far.
pub(crate) fn cpu(process: &Child) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.id())).expect("stat");
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .expect("fields")
        .split_whitespace()
        .collect();
    let ticks: f64 =
        fields[11].parse::<f64>().expect("utime") + fields[12].parse::<f64>().expect("stime");
    ticks / 100.0
}

/// A row of a process's memory, in MiB: `VmRSS`, or `VmHWM` for the most that it had.
pub(crate) fn mib(process: &Child, row: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).expect("status");
    let line = status
        .lines()
        .find(|line| line.starts_with(row))
        .expect("a row of status");
    line.split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse::<f64>().ok())
        .expect("a number")
        / 1024.0
}

/// Trusts the certificates of a file.
pub(crate) fn connector(ca_file: &str) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(
        CertificateDer::pem_file_iter(ca_file)
            .expect("roots")
            .filter_map(Result::ok),
    );
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    TlsConnector::from(Arc::new(config))
}

/// Starts this program in another role; where it listens.
pub(crate) fn started(role: &str, ca_file: &str) -> (Child, SocketAddr) {
    let program = std::env::current_exe().expect("this program");
    let mut process = Command::new(program)
        .args([role, ca_file])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    BufReader::new(process.stdout.take().expect("its output"))
        .read_line(&mut line)
        .expect("an address");
    (process, line.trim().parse().expect("an address"))
}

/// The value in the middle.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
