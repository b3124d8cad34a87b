//! What several tests need: raw messages and the shipped cassettes.

use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use authtape::cassette::{self, Cassette};
use authtape::model::{Body, Captured, Exchange, Heard, Response, Said, Url, Version};
use authtape::proxy::{
    self, Authority, Bound, Handler, Limits, Reach, Serving, Upstream, UpstreamOptions,
};
use authtape::replay::{Answer, PlayOptions, Player};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, client};

/// When the tests replay: a year after the shipped cassettes were recorded, and a little.
pub(crate) const NOW: i64 = 1_800_000_000;

/// What the body of a token request is.
pub(crate) const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
/// The code verifier of RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A player of a cassette with this text.
pub(crate) fn player(tape: &str, options: &PlayOptions) -> Player {
    let cassette = cassette::load(tape.as_bytes()).expect("a cassette");
    Player::new(vec![cassette], options)
}

/// The response that a player gives, which gives one.
pub(crate) fn played(player: &mut Player, request: &Said) -> Response {
    match player.play(request, NOW) {
        Answer::Response(response) => response,
        other => panic!("{other:?}"),
    }
}

/// The text of a replayed body.
pub(crate) fn body(response: &Response) -> String {
    match &response.body {
        Body::Full(bytes) => String::from_utf8(bytes.to_vec()).expect("text"),
        Body::Live(_) => panic!("a replayed body is whole"),
    }
}

/// A shipped cassette of the thread.
pub(crate) fn thread(variant: &str) -> Cassette {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!(
        "cassettes/accounts.example.com/thread-{variant}.yaml"
    ));
    cassette::load(&std::fs::read(path).expect("a shipped cassette")).expect("a cassette")
}

/// A raw request.
pub(crate) fn said(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Said {
    Said {
        method: method.to_owned(),
        url: Url::parse(url).expect("a URL"),
        version: Version::Http11,
        headers: headers.iter().copied().collect(),
        body: Captured::of(body.as_bytes(), 1 << 20),
        alias: None,
    }
}

pub(crate) fn heard(status: u16, headers: &[(&str, &str)], body: &str) -> Heard {
    Heard {
        status,
        reason: None,
        version: Version::Http11,
        headers: headers.iter().copied().collect(),
        body: Captured::of(body.as_bytes(), 1 << 20),
        after: Duration::ZERO,
    }
}

/// A request and the answer that came to it at once.
pub(crate) fn answered(id: u64, request: Said, response: Heard) -> Exchange {
    Exchange {
        id,
        at: Duration::ZERO,
        clock: 1_000,
        request,
        response: Some(response),
        failure: None,
    }
}

/// A TLS server that reads one request per connection, keeps its bytes, and answers with a script.
pub(crate) struct Origin {
    pub(crate) port: u16,
    pub(crate) authority: Arc<Authority>,
    pub(crate) heard: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// What an origin does with a request, whose bytes up to the empty line it has read.
pub(crate) type Script = Arc<
    dyn Fn(Vec<u8>, TlsStream<TcpStream>) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync,
>;

impl Origin {
    /// Answers every request with these bytes, then closes.
    pub(crate) async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        let heard: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let sink = Arc::clone(&heard);
        let script: Script = Arc::new(move |mut request, mut stream| {
            let (answer, sink) = (answer.clone(), Arc::clone(&sink));
            Box::pin(async move {
                rest_of(&mut request, &mut stream).await;
                sink.lock().expect("a lock").push(request);
                stream.write_all(&answer).await.expect("answered");
                stream.shutdown().await.expect("closed");
            })
        });
        Self {
            heard,
            ..Self::scripted(script).await
        }
    }

    /// Does whatever the script says.
    pub(crate) async fn scripted(script: Script) -> Self {
        let authority = Arc::new(Authority::generate(&[]).expect("an authority"));
        let config = authority
            .server_config("localhost", Some(b"http/1.1"))
            .expect("a certificate");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let acceptor = TlsAcceptor::from(config);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, script) = (acceptor.clone(), Arc::clone(&script));
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let head = head_of(&mut stream).await;
                    script(head, stream).await;
                });
            }
        });
        Self {
            port,
            authority,
            heard: Arc::default(),
        }
    }

    pub(crate) fn upstream(&self) -> Upstream {
        self.upstream_with(&[])
    }

    /// Where these names are not looked up.
    pub(crate) fn upstream_with(&self, resolve: &[&str]) -> Upstream {
        let extra_roots = vec![(
            "origin".to_owned(),
            self.authority.ca_pem().as_bytes().to_vec(),
        )];
        Upstream::new(UpstreamOptions {
            extra_roots,
            resolve: resolve
                .iter()
                .map(|fixed| fixed.parse().expect(fixed))
                .collect(),
            ..UpstreamOptions::default()
        })
        .expect("an upstream")
    }

    pub(crate) fn heard(&self) -> Vec<String> {
        let heard = self.heard.lock().expect("a lock");
        heard
            .iter()
            .map(|request| String::from_utf8_lossy(request).into_owned())
            .collect()
    }
}

pub(crate) async fn head_of(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => bytes.push(byte),
            Err(_) => break,
        }
    }
    bytes
}

/// Reads the body that the head announces.
pub(crate) async fn rest_of(request: &mut Vec<u8>, stream: &mut (impl AsyncRead + Unpin)) {
    let head = String::from_utf8_lossy(request).to_ascii_lowercase();
    let length = head
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.split("\r\n").next()?.parse().ok());
    if let Some(length) = length {
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.expect("a body");
        request.extend(body);
    } else if head.contains("transfer-encoding: chunked") {
        while !request.ends_with(b"0\r\n\r\n") {
            request.push(stream.read_u8().await.expect("a chunk"));
        }
    }
}

/// The port of a server without TLS that refuses every request with this JSON.
pub(crate) fn plain_server(json: &str) -> u16 {
    let server = std::net::TcpListener::bind(anywhere()).expect("a port");
    let port = server.local_addr().expect("an address").port();
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{json}",
        json.len()
    );
    std::thread::spawn(move || {
        for mut stream in server.incoming().flatten() {
            let mut request = Vec::new();
            while !is_whole(&request) {
                let mut byte = [0];
                match std::io::Read::read(&mut stream, &mut byte) {
                    Ok(1) => request.push(byte[0]),
                    _ => break,
                }
            }
            // A client that is gone is the test's to notice.
            let _ = std::io::Write::write_all(&mut stream, answer.as_bytes());
        }
    });
    port
}

/// Whether a request of known length is all there.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let head = head.to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1);
    let length = length.and_then(|rest| rest.split("\r\n").next()?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

/// Any free port of this machine.
pub(crate) fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// A port where nothing listens, and no other test can while it is held.
pub(crate) struct ClosedPort(TcpSocket);

impl ClosedPort {
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(anywhere()).expect("a port");
        Self(socket)
    }

    pub(crate) fn number(&self) -> u16 {
        self.0.local_addr().expect("an address").port()
    }
}

/// A port for a proxy that asks for no password.
pub(crate) async fn bound() -> Bound {
    proxy::bind(anywhere(), None).await.expect("a port")
}

/// A proxy between a test and its origin.
pub(crate) async fn proxy<H: Handler>(
    handler: H,
    reach: Reach,
    hosts: &[&str],
) -> (Serving, Arc<Authority>) {
    let authority = Arc::new(Authority::generate(&[]).expect("an authority"));
    let options = proxy::Options {
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        ..proxy::Options::new(bound().await, Arc::clone(&authority))
    };
    (
        proxy::serve(options, reach, handler)
            .await
            .expect("a proxy"),
        authority,
    )
}

/// An offline proxy with these limits.
pub(crate) async fn offline(limits: &[&str], handler: impl Handler) -> Serving {
    let authority = Arc::new(Authority::generate(&[]).expect("an authority"));
    let set = limits
        .iter()
        .try_fold(Limits::default(), |limits, text| limits.with(text));
    let options = proxy::Options {
        limits: set.expect("limits"),
        ..proxy::Options::new(bound().await, authority)
    };
    let serving = proxy::serve(options, Reach::Offline, handler).await;
    serving.expect("a proxy")
}

/// A tunnel through the proxy.
pub(crate) async fn tunnel(proxy: SocketAddr, target: &str) -> TcpStream {
    let mut stream = TcpStream::connect(proxy).await.expect("the proxy");
    stream
        .write_all(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n").as_bytes())
        .await
        .expect("sent");
    let head = head_of(&mut stream).await;
    assert!(
        head.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&head)
    );
    stream
}

/// TLS inside a tunnel, trusting this authority, offering these protocols.
pub(crate) async fn tls<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    ca_pem: &str,
    alpn: &[&[u8]],
) -> std::io::Result<client::TlsStream<S>> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).expect("a certificate"))
        .expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

/// Sends raw bytes through a tunnel to the origin and reads until it is closed.
pub(crate) async fn exchange(proxy: &Serving, ca: &Authority, port: u16, request: &[u8]) -> String {
    let stream = tunnel(proxy.address(), &format!("localhost:{port}")).await;
    let mut stream = tls(stream, ca.ca_pem(), &[b"http/1.1"]).await.expect("TLS");
    stream.write_all(request).await.expect("sent");
    let mut answer = Vec::new();
    // An end without a TLS goodbye is an end.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}
