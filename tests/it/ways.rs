//! The ways in, the protocols on them, and where each ends: passwords, scopes and limits.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use authtape::deck::{self, RecordOptions, ReplayOptions, WireOptions};
use authtape::launch::Environment;
use authtape::library::Overwrite;
use authtape::model::{Failure, Incident, Request, Response};
use authtape::proxy::{
    self, Authority, Handler, Limits, Password, Reach, Serving, Upstream, UpstreamOptions,
};
use authtape::record::Options;
use authtape::replay::PlayOptions;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};

use crate::support::{
    Origin, Script, anywhere, bound, exchange, head_of, offline, proxy, tls, tunnel,
};

/// A request as an HTTP/2 server understood it.
type Heard = Arc<Mutex<Vec<(http::request::Parts, Option<HeaderMap>)>>>;

/// An HTTP/2 server, with or without TLS, whose answers have trailers.
pub(crate) struct Http2 {
    pub(crate) port: u16,
    authority: Arc<Authority>,
    heard: Heard,
}

impl Http2 {
    pub(crate) async fn start(with_tls: bool) -> Self {
        let authority = Arc::new(Authority::generate(&[]).expect("an authority"));
        let config = authority.server_config("localhost", Some(b"h2"));
        let acceptor = tokio_rustls::TlsAcceptor::from(config.expect("a certificate"));
        let listener = TcpListener::bind(anywhere()).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let heard = Heard::default();
        let sink = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, sink) = (acceptor.clone(), Arc::clone(&sink));
                tokio::spawn(async move {
                    if with_tls {
                        serve_http2(acceptor.accept(stream).await.expect("TLS"), sink).await;
                    } else {
                        serve_http2(stream, sink).await;
                    }
                });
            }
        });
        Self {
            port,
            authority,
            heard,
        }
    }

    pub(crate) fn upstream(&self) -> Upstream {
        let pem = self.authority.ca_pem().as_bytes().to_vec();
        Upstream::new(UpstreamOptions {
            extra_roots: vec![("origin".to_owned(), pem)],
            ..UpstreamOptions::default()
        })
        .expect("an upstream")
    }

    /// The only request that came.
    fn heard(&self) -> (http::request::Parts, Option<HeaderMap>) {
        let mut heard = self.heard.lock().expect("a lock");
        assert_eq!(heard.len(), 1, "one request");
        heard.remove(0)
    }
}

async fn serve_http2<S>(stream: S, sink: Heard)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = hyper::service::service_fn(move |request: http::Request<Incoming>| {
        let sink = Arc::clone(&sink);
        async move {
            let (parts, body) = request.into_parts();
            let trailers = body.collect().await.expect("a body").trailers().cloned();
            sink.lock().expect("a lock").push((parts, trailers));
            let mut behind = HeaderMap::new();
            behind.insert("grpc-status", HeaderValue::from_static("0"));
            behind.insert("grpc-message", HeaderValue::from_static(CANARY));
            behind.insert("content-type", HeaderValue::from_static("forbidden"));
            let body = Full::new(Bytes::from_static(b"{\"a\":true}"))
                .with_trailers(std::future::ready(Some(Ok(behind))));
            let answer = http::Response::builder().header("content-type", "application/json");
            answer.body(body)
        }
    });
    let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    // It ends when its client goes away.
    let _ = builder
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Sends one request with trailers over HTTP/2; the answer, its body and its trailers.
pub(crate) async fn call<S>(
    stream: S,
    uri: &str,
) -> (http::response::Parts, Bytes, Option<HeaderMap>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    let handshake = builder.handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.expect("HTTP/2");
    tokio::spawn(connection);
    let mut behind = HeaderMap::new();
    behind.insert("x-checksum", HeaderValue::from_static(CANARY));
    behind.insert("authorization", HeaderValue::from_static("forbidden"));
    let body =
        Full::new(Bytes::from_static(b"{\"q\":1}")).with_trailers(std::future::ready(Some(Ok::<
            _,
            std::convert::Infallible,
        >(
            behind,
        ))));
    let request = http::Request::post(uri)
        .header("te", "trailers")
        .header("content-type", "application/json")
        .body(body)
        .expect("a request");
    let (parts, body) = sender
        .send_request(request)
        .await
        .expect("an answer")
        .into_parts();
    let body = body.collect().await.expect("a body");
    let trailers = body.trailers().cloned();
    (parts, body.to_bytes(), trailers)
}

const CANARY: &str = "Cn7kQ9zR2vXpL0aMtB5eWyH3uJ8sDfGh";

fn assert_trailed(trailers: Option<&HeaderMap>, names: &[&str]) {
    let found: Vec<_> = trailers
        .into_iter()
        .flat_map(|trailers| trailers.keys().map(http::HeaderName::as_str))
        .collect();
    assert_eq!(found, names);
}

#[tokio::test]
async fn trailers_pass_both_ways_on_http2() {
    let origin = Http2::start(true).await;
    let upstream = origin.upstream();
    let (serving, ca) = proxy(upstream.clone(), Reach::Live(upstream), &[]).await;
    let stream = tunnel(serving.address(), &format!("localhost:{}", origin.port)).await;
    let stream = tls(stream, ca.ca_pem(), &[b"h2"]).await.expect("TLS");
    let uri = format!("https://localhost:{}/call", origin.port);
    let (_, body, trailers) = call(stream, &uri).await;
    assert_eq!(body, "{\"a\":true}");
    assert_trailed(trailers.as_ref(), &["grpc-status", "grpc-message"]);
    let (request, trailers) = origin.heard();
    assert_eq!(request.headers["te"], "trailers");
    assert_trailed(trailers.as_ref(), &["x-checksum"]);
}

#[tokio::test]
async fn trailers_pass_on_http1_to_those_who_take_them() {
    const ANSWER: &[u8] =
        b"HTTP/1.1 200 OK\r\nTrailer: X-Sum, Set-Cookie\r\nTransfer-Encoding: chunked\r\n\r\n\
        2\r\nhi\r\n0\r\nX-Sum: abc\r\nSet-Cookie: forbidden\r\n\r\n";
    for (te, expected) in [
        ("TE: gzip, trailers\r\n", true),
        ("TE: gzip\r\n", false),
        ("", false),
    ] {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&heard);
        let script: Script = Arc::new(move |mut request, mut stream| {
            let sink = Arc::clone(&sink);
            Box::pin(async move {
                while !request.ends_with(b"\r\n\r\n")
                    || !request.windows(3).any(|end| end == b"0\r\n")
                {
                    request.push(stream.read_u8().await.expect("a byte"));
                }
                *sink.lock().expect("a lock") = request;
                stream.write_all(ANSWER).await.expect("sent");
                stream.shutdown().await.expect("closed");
            })
        });
        let origin = Origin::scripted(script).await;
        let upstream = origin.upstream();
        let (serving, ca) = proxy(upstream.clone(), Reach::Live(upstream), &[]).await;
        let request = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\n{te}Trailer: X-Mine, Authorization\r\nTransfer-Encoding: chunked\r\n\
             Connection: close\r\n\r\n1\r\nx\r\n0\r\nX-Mine: 1\r\nAuthorization: forbidden\r\n\r\n"
        );
        let said = exchange(&serving, &ca, origin.port, request.as_bytes()).await;
        let sent = String::from_utf8_lossy(&heard.lock().expect("a lock")).to_lowercase();
        assert_eq!(said.contains("X-Sum: abc"), expected, "{te}: {said}");
        assert!(
            said.ends_with("\r\n\r\n") && !said.contains("forbidden"),
            "{te}: {said}"
        );
        assert!(sent.ends_with("0\r\nx-mine: 1\r\n\r\n"), "{te}: {sent}");
        assert_eq!(sent.contains("te: trailers\r\n"), expected, "{te}: {sent}");
        assert_eq!(
            sent.contains("connection: te\r\n"),
            expected,
            "{te}: {sent}"
        );
    }
}

#[tokio::test]
async fn trailers_are_recorded_without_their_secrets_and_replayed() {
    let origin = Http2::start(true).await;
    let directory = tempfile::tempdir().expect("a directory");
    let roots = directory.path().join("roots.pem");
    std::fs::write(&roots, origin.authority.ca_pem()).expect("written");
    let cassette = directory.path().join("x.yaml");
    let keep = Options {
        keep_all: true,
        ..Options::default()
    };
    let running = deck::record(RecordOptions {
        cassette: cassette.clone(),
        overwrite: Overwrite::No,
        keep,
        wire: WireOptions {
            upstream_ca: vec![roots],
            ..WireOptions::default()
        },
        on_laid: None,
    });
    let running = running.await.expect("a recording");
    let target = format!("localhost:{}", origin.port);
    let uri = format!("https://{target}/call");
    let stream = tunnel(running.address(), &target).await;
    let stream = tls(stream, running.ca_pem(), &[b"h2"]).await.expect("TLS");
    call(stream, &uri).await;
    let recorded = running.stop().await.expect("finished");
    assert!(recorded.withheld.is_empty(), "{recorded:?}");
    let text = std::fs::read_to_string(&cassette).expect("a cassette");
    let count = |name: &str| text.matches(name).count();
    assert_eq!(
        (
            count("trailers:"),
            count("- x-checksum:"),
            count("- grpc-status:")
        ),
        (2, 1, 1),
        "{text}"
    );
    assert_eq!((count(CANARY), count("forbidden")), (0, 0), "{text}");

    let running = deck::replay(ReplayOptions {
        cassettes: vec![cassette],
        play: PlayOptions::default(),
        wire: WireOptions::default(),
        on_miss: Box::new(|miss| panic!("{miss:?}")),
        transcribe: false,
        on_laid: None,
    });
    let running = running.await.expect("a replay");
    let stream = tunnel(running.address(), &target).await;
    let stream = tls(stream, running.ca_pem(), &[b"h2"]).await.expect("TLS");
    let (_, body, trailers) = call(stream, &uri).await;
    assert_eq!(body, "{\"a\":true}");
    assert_trailed(trailers.as_ref(), &["grpc-status", "grpc-message"]);
}

#[tokio::test]
async fn http2_without_tls_passes_in_a_tunnel_and_through_a_local_origin() {
    let origin = Http2::start(false).await;
    let upstream = origin.upstream();
    let authority = Arc::new(Authority::generate(&[]).expect("an authority"));
    let local = format!("http://localhost:{}", origin.port);
    let options = proxy::Options {
        reverse: vec![local.parse().expect("an origin")],
        ..proxy::Options::new(bound().await, authority)
    };
    let serving = proxy::serve(options, Reach::Live(upstream.clone()), upstream);
    let serving = serving.await.expect("a proxy");
    let stand = serving.reverse()[0].1.clone();
    let address = stand.trim_start_matches("http://");
    let inside = tunnel(serving.address(), &format!("localhost:{}", origin.port)).await;
    let to_stand = TcpStream::connect(address).await.expect("connected");
    for (stream, base) in [(inside, &local), (to_stand, &stand)] {
        let (parts, _, trailers) = call(stream, &format!("{base}/call")).await;
        assert_eq!(parts.status, 200, "{base}");
        assert_trailed(trailers.as_ref(), &["grpc-status", "grpc-message"]);
        let (request, _) = origin.heard();
        assert_eq!(request.version, http::Version::HTTP_2, "{base}");
        let authority = request.uri.authority().expect("an authority").as_str();
        assert_eq!(format!("http://{authority}"), local);
    }
    let stranger = TcpStream::connect(address).await.expect("connected");
    let (parts, ..) = call(stranger, "http://evil.example/call").await;
    assert_eq!(parts.status, 421, "it answers to its own names");
}

/// Answers by itself, and notes who was asked and what never became a request.
#[derive(Clone, Default)]
struct Noting {
    urls: Arc<Mutex<Vec<String>>>,
    incidents: Arc<Mutex<Vec<Incident>>>,
}

impl Handler for Noting {
    async fn handle(&self, request: Request) -> Result<Response, Failure> {
        self.urls
            .lock()
            .expect("a lock")
            .push(request.url.to_string());
        Ok(Response::new(200, "ours"))
    }

    fn incident(&self, incident: Incident) {
        self.incidents.lock().expect("a lock").push(incident);
    }
}

pub(crate) async fn read_all(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    // An end without a goodbye is an end.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// What is answered to these bytes by the time the connection ends.
pub(crate) async fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(request.as_bytes()).await.expect("sent");
    read_all(&mut stream).await
}

/// A server without TLS that reads a head, and answers when the client has said all.
async fn plain_origin() -> u16 {
    let listener = TcpListener::bind(anywhere()).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let head = head_of(&mut stream).await;
                let size = head.len();
                let head = String::from_utf8_lossy(&head).to_lowercase();
                let proxied = head.contains("proxy-");
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nX-Size: {size}\r\nX-Proxied: {proxied}\r\nContent-Length: 6\r\n\r\ntheirs"
                );
                stream.write_all(answer.as_bytes()).await.expect("sent");
            });
        }
    });
    port
}

#[tokio::test]
async fn what_is_out_of_scope_is_not_read_whichever_way_it_comes() {
    let origin = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ntheirs").await;
    let upstream = origin.upstream_with(&[&format!("localhost:443:127.0.0.1:{}", origin.port)]);
    let plain = plain_origin().await;
    let authority = Arc::new(Authority::generate(&[]).expect("an authority"));
    let options = proxy::Options {
        tls_listen: Some(anywhere()),
        hosts: vec!["*.example".to_owned()],
        ..proxy::Options::new(bound().await, Arc::clone(&authority))
    };
    let noting = Noting::default();
    let serving = proxy::serve(options, Reach::Live(upstream), noting.clone());
    let serving = serving.await.expect("a proxy");

    let by_name = TcpStream::connect(serving.tls_address().expect("a TLS port")).await;
    let stream = tls(by_name.expect("connected"), origin.authority.ca_pem(), &[]).await;
    let mut stream = stream.expect("the server's own certificate");
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(request).await.expect("sent");
    assert!(read_all(&mut stream).await.ends_with("theirs"));

    let request = |host: &str| {
        format!("GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
    };
    let answer = ask(serving.address(), &request(&format!("localhost:{plain}"))).await;
    assert!(answer.ends_with("theirs"), "{answer}");
    let answer = ask(serving.address(), &request("idp.example")).await;
    assert!(answer.ends_with("ours"), "{answer}");

    assert_eq!(
        *noting.urls.lock().expect("a lock"),
        ["http://idp.example/"]
    );
    let passed = |authority: String| Incident::Tunnelled {
        authority,
        reason: "no --host matches it",
    };
    assert_eq!(
        *noting.incidents.lock().expect("a lock"),
        [
            passed("localhost:443".to_owned()),
            passed(format!("localhost:{plain}"))
        ]
    );
}

#[tokio::test]
async fn a_password_is_asked_for_and_goes_no_further() {
    let plain = plain_origin().await;
    let upstream = Upstream::new(UpstreamOptions::default()).expect("an upstream");
    let authority = Arc::new(Authority::generate(&[]).expect("an authority"));
    let password = Password::new("hunter-2".to_owned()).expect("a password");
    let bound = proxy::bind(anywhere(), Some(password))
        .await
        .expect("a port");
    let options = proxy::Options::new(bound, authority);
    let serving = proxy::serve(options, Reach::Live(upstream.clone()), upstream);
    let serving = serving.await.expect("a proxy");
    // me:hunter-2, authtape:hunter-2, me:hunter-3
    let (me, ours, wrong) = (
        "bWU6aHVudGVyLTI=",
        "YXV0aHRhcGU6aHVudGVyLTI=",
        "bWU6aHVudGVyLTM=",
    );
    for (credentials, admitted) in [
        (Some(me), true),
        (Some(ours), true),
        (Some(wrong), false),
        (None, false),
    ] {
        let field = credentials
            .map(|credentials| format!("Proxy-Authorization: Basic {credentials}\r\n"))
            .unwrap_or_default();
        let request = format!(
            "GET http://localhost:{plain}/ HTTP/1.1\r\nHost: localhost:{plain}\r\n{field}Connection: close\r\n\r\n"
        );
        let answer = ask(serving.address(), &request).await;
        assert_eq!(
            answer.starts_with("HTTP/1.1 200"),
            admitted,
            "{field}: {answer}"
        );
        assert_eq!(
            answer.contains("X-Proxied: false"),
            admitted,
            "{field}: {answer}"
        );
        let challenge = "HTTP/1.1 407 Proxy Authentication Required\r\n";
        assert_eq!(
            answer.starts_with(challenge),
            !admitted,
            "{field}: {answer}"
        );
        assert_eq!(
            answer.contains("Proxy-Authenticate: Basic realm=\"authtape\"\r\n"),
            !admitted,
            "{answer}"
        );
        let mut stream = TcpStream::connect(serving.address())
            .await
            .expect("connected");
        let connect =
            format!("CONNECT localhost:{plain} HTTP/1.1\r\nHost: localhost:{plain}\r\n{field}\r\n");
        stream.write_all(connect.as_bytes()).await.expect("sent");
        let head = head_of(&mut stream).await;
        assert_eq!(head.starts_with(b"HTTP/1.1 200"), admitted, "{field}");
    }
}

#[tokio::test]
async fn the_password_is_in_no_file() {
    let plain = plain_origin().await;
    let directory = tempfile::tempdir().expect("a directory");
    let options = RecordOptions {
        cassette: directory.path().join("x.yaml"),
        overwrite: Overwrite::No,
        keep: Options {
            keep_all: true,
            ..Options::default()
        },
        wire: WireOptions {
            password: Some(Password::new(CANARY.to_owned()).expect("a password")),
            ..WireOptions::default()
        },
        on_laid: None,
    };
    assert!(!format!("{options:?}").contains(CANARY));
    let running = deck::record(options).await.expect("a recording");
    let port = running.address().port();
    let url = format!("http://authtape:{CANARY}@127.0.0.1:{port}");
    assert_eq!(running.client_url(), url);
    assert_eq!(running.proxy_url(), format!("http://127.0.0.1:{port}"));
    let environment = Environment::prepare(&url, running.ca_pem(), |_| None);
    let environment = environment.expect("prepared");
    for (name, value) in environment.variables() {
        let value = value.to_string_lossy();
        let is_url = value == url;
        assert_eq!(value.contains(CANARY), is_url, "{name}");
        let names = ["http_proxy", "https_proxy", "all_proxy"];
        let is_named = names.contains(&name.to_lowercase().as_str());
        assert_eq!(is_url, is_named, "{name}");
    }
    let credentials = STANDARD.encode(format!("authtape:{CANARY}"));
    let request = format!(
        "GET http://localhost:{plain}/ HTTP/1.1\r\nHost: localhost:{plain}\r\nProxy-Authorization: Basic {credentials}\r\nConnection: close\r\n\r\n"
    );
    let answer = ask(running.address(), &request).await;
    assert!(answer.ends_with("theirs"), "{answer}");
    let recorded = running.stop().await.expect("finished");
    assert_eq!(recorded.interactions, 1);
    let mut open = vec![
        directory.path().to_owned(),
        environment.directory().to_owned(),
    ];
    let mut files = 0;
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(path).expect("a directory");
            open.extend(entries.map(|entry| entry.expect("an entry").path()));
            continue;
        }
        files += 1;
        let bytes = std::fs::read(&path).expect("a file");
        for spelling in [CANARY, &credentials] {
            let found = bytes
                .windows(spelling.len())
                .any(|part| part == spelling.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
    assert!(files > 5, "the cassette and what the program is given");
}

#[tokio::test]
async fn only_the_proxy_itself_listens_beyond_this_machine_and_only_with_a_password() {
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let authority = Arc::new(Authority::generate(&[]).expect("an authority"));
    let password = || Some(Password::new("hunter-2".to_owned()).expect("a password"));
    let refused = proxy::bind(everywhere, None).await.expect_err("refused");
    let expected = "0.0.0.0:0 is reachable from other machines; set AUTHTAPE_PROXY_PASSWORD";
    assert!(refused.to_string().contains(expected), "{refused}");
    let reverse = proxy::Reverse {
        origin: "https://idp.example".to_owned(),
        listen: everywhere,
    };
    for (reverse, tls_listen) in [(vec![reverse], None), (Vec::new(), Some(everywhere))] {
        let bound = proxy::bind(anywhere(), password()).await.expect("a port");
        let options = proxy::Options {
            reverse,
            tls_listen,
            ..proxy::Options::new(bound, Arc::clone(&authority))
        };
        let refused = proxy::serve(options, Reach::Offline, Noting::default()).await;
        let told = refused.expect_err("refused").to_string();
        let expected = "and only clients of the proxy itself can be asked for a password";
        assert!(told.contains(expected), "{told}");
    }
    let beyond = proxy::bind(everywhere, password()).await.expect("a port");
    let options = proxy::Options::new(beyond, authority);
    let serving = proxy::serve(options, Reach::Offline, Noting::default()).await;
    serving.expect("a proxy").shutdown().await;
}

async fn limited(limits: &[&str]) -> Serving {
    offline(limits, Noting::default()).await
}

/// A request whose target, fields, one field and all fields together are as long as asked for.
fn sized(target: usize, fields: usize, field: usize, head: usize) -> String {
    let host = "Host: a.example\r\n";
    let close = "Connection: close\r\n";
    let base = "http://a.example/";
    let target = format!("{base}{}", "t".repeat(target.saturating_sub(base.len())));
    let mut lines = vec![host.to_owned(), close.to_owned()];
    if field > 0 {
        lines.push(format!("F: {}\r\n", "f".repeat(field - "F: \r\n".len())));
    }
    while lines.len() < fields {
        lines.push(format!("N{}: n\r\n", lines.len()));
    }
    let mut room = head.saturating_sub(lines.concat().len());
    while room > 0 {
        // The last two share what is left, lest the last be shorter than a field can be.
        let size = if room > 4_000 {
            2_000
        } else {
            room.min(2_000).max(room / 2)
        };
        lines.push(format!(
            "H{:02}: {}\r\n",
            lines.len(),
            "h".repeat(size - "H00: \r\n".len())
        ));
        room -= size;
    }
    format!("GET {target} HTTP/1.1\r\n{}\r\n", lines.concat())
}

#[tokio::test]
async fn a_request_may_be_as_large_as_the_limit_and_no_larger() {
    let set = limited(&["target=1000", "fields=10", "field=3000", "head=8192"]).await;
    let usual = limited(&[]).await;
    let (k, m) = (1 << 10, 16 << 10);
    for (name, serving, at, make, status) in [
        (
            "target",
            &set,
            1_000,
            (|n| sized(n, 0, 0, 0)) as fn(usize) -> String,
            414,
        ),
        ("fields", &set, 10, |n| sized(0, n, 0, 0), 431),
        ("field", &set, 3_000, |n| sized(0, 0, n, 0), 431),
        ("head", &set, 8 * k, |n| sized(0, 0, 0, n), 431),
        ("target", &usual, m, |n| sized(n, 0, 0, 0), 414),
        ("fields", &usual, 100, |n| sized(0, n, 0, 0), 431),
        ("field", &usual, m, |n| sized(0, 0, n, 0), 431),
        ("head", &usual, 64 * k, |n| sized(0, 0, 0, n), 431),
    ] {
        for (size, expected) in [(at - 1, 200), (at, 200), (at + 1, status)] {
            let answer = ask(serving.address(), &make(size)).await;
            let line = answer.lines().next().unwrap_or_default();
            assert!(
                line.starts_with(&format!("HTTP/1.1 {expected}")),
                "{name} {size}: {line}"
            );
        }
    }
}

/// What a client gets of the origin's answer through a recorder with this limit.
async fn recorded(origin: &Origin, cassette: &Path, limit: &str) -> String {
    let roots = cassette.with_extension("pem");
    std::fs::write(&roots, origin.authority.ca_pem()).expect("written");
    let running = deck::record(RecordOptions {
        cassette: cassette.to_owned(),
        overwrite: Overwrite::No,
        keep: Options {
            keep_all: true,
            ..Options::default()
        },
        wire: WireOptions {
            upstream_ca: vec![roots],
            limits: Limits::default().with(limit).expect("a limit"),
            ..WireOptions::default()
        },
        on_laid: None,
    });
    let running = running.await.expect("a recording");
    let stream = tunnel(running.address(), &format!("localhost:{}", origin.port)).await;
    let mut stream = tls(stream, running.ca_pem(), &[]).await.expect("TLS");
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.expect("sent");
    let answer = read_all(&mut stream).await;
    running.stop().await.expect("finished");
    answer
}

#[tokio::test]
async fn an_answer_has_as_many_fields_as_the_limit_says() {
    let directory = tempfile::tempdir().expect("a directory");
    for (limit, fields, status) in [
        ("fields=100", 100, "200"),
        ("fields=100", 101, "502"),
        ("fields=120", 120, "200"),
        ("fields=120", 121, "502"),
    ] {
        let lines: String = (1..fields).map(|n| format!("X-{n}: a\r\n")).collect();
        let origin = Origin::answering(format!(
            "HTTP/1.1 200 OK\r\n{lines}Content-Length: 2\r\n\r\nok"
        ))
        .await;
        let cassette = directory.path().join(format!("{fields}-{limit}.yaml"));
        let answer = recorded(&origin, &cassette, limit).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{limit} {fields}: {answer}"
        );
        let why = "has more fields than the limit `fields`";
        assert_eq!(answer.contains(why), status == "502", "{answer}");
    }
}

#[tokio::test]
async fn as_much_of_a_body_is_kept_as_the_limit_says() {
    let directory = tempfile::tempdir().expect("a directory");
    for (size, dropped) in [(2_047, false), (2_048, false), (2_049, true)] {
        let body = format!("\"{}\"", "x".repeat(size - 2));
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n{body}"
        );
        let origin = Origin::answering(answer).await;
        let cassette = directory.path().join(format!("{size}.yaml"));
        let answer = recorded(&origin, &cassette, "body=2K").await;
        assert!(answer.ends_with(&body), "the client gets all of it");
        let text = std::fs::read_to_string(&cassette).expect("a cassette");
        assert_eq!(
            text.contains("dropped: too_large"),
            dropped,
            "{size}: {text}"
        );
    }
}

#[tokio::test]
async fn a_connection_lasts_no_longer_than_its_limits() {
    for (limit, sent, expected) in [
        ("first-byte=50ms", "", ""),
        ("head-time=50ms", "GET http://a.example/ HTTP/1.1\r\n", ""),
        (
            "idle=50ms",
            "GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
            "ours",
        ),
    ] {
        let serving = limited(&[limit]).await;
        let answer = tokio::time::timeout(Duration::from_secs(5), ask(serving.address(), sent));
        let answer = answer.await;
        let answer = answer.unwrap_or_else(|_| panic!("{limit}: it is still open"));
        let body = answer.split("\r\n\r\n").nth(1).unwrap_or(&answer);
        assert_eq!(body, expected, "{limit}: {answer}");
    }
}

/// Answers when it may, and counts how many wait for that at once.
struct Counting {
    now: AtomicUsize,
    most: Arc<AtomicUsize>,
    asked: mpsc::UnboundedSender<()>,
    may: Arc<Semaphore>,
}

impl Handler for Counting {
    async fn handle(&self, _: Request) -> Result<Response, Failure> {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        self.asked.send(()).expect("somebody listens");
        self.may.acquire().await.expect("open").forget();
        self.now.fetch_sub(1, Ordering::SeqCst);
        Ok(Response::new(200, "ours"))
    }
}

#[tokio::test]
async fn a_connection_waits_for_a_place_among_those_that_may_be_open() {
    let (asked, mut heard) = mpsc::unbounded_channel();
    let (most, may) = (Arc::<AtomicUsize>::default(), Arc::new(Semaphore::new(0)));
    let handler = Counting {
        now: AtomicUsize::new(0),
        most: Arc::clone(&most),
        asked,
        may: Arc::clone(&may),
    };
    let serving = offline(&["connections=2"], handler).await;
    let request = b"GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n";
    let mut clients = Vec::new();
    for _ in 0..8 {
        let mut client = TcpStream::connect(serving.address()).await.expect("queued");
        client.write_all(request).await.expect("sent");
        clients.push(tokio::spawn(async move { read_all(&mut client).await }));
    }
    for _ in 0..2 {
        heard.recv().await.expect("there is a place");
    }
    for _ in 2..clients.len() {
        may.add_permits(1);
        heard.recv().await.expect("the next");
    }
    may.add_permits(2);
    for client in clients {
        let answer = client.await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn none_of_the_proxys_own_ports_is_called() {
    let upstream = Upstream::new(UpstreamOptions::default()).expect("an upstream");
    let authority = Arc::new(Authority::generate(&[]).expect("an authority"));
    let options = proxy::Options {
        reverse: vec!["https://idp.example".parse().expect("an origin")],
        tls_listen: Some(anywhere()),
        ..proxy::Options::new(bound().await, authority)
    };
    let serving = proxy::serve(options, Reach::Live(upstream.clone()), upstream);
    let serving = serving.await.expect("a proxy");
    let reverse = serving.reverse()[0]
        .1
        .rsplit(':')
        .next()
        .expect("a port")
        .to_owned();
    let tls = serving
        .tls_address()
        .expect("a TLS port")
        .port()
        .to_string();
    for host in [
        "127.0.0.1",
        "localhost",
        "0.0.0.0",
        "2130706433",
        "[::ffff:127.0.0.1]",
    ] {
        for port in [&reverse, &tls] {
            let inner =
                format!("GET / HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n");
            let direct = inner.replacen("GET /", &format!("GET http://{host}:{port}/"), 1);
            let connect =
                format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n{inner}");
            // By its own name the local origin is served as if it had been called itself, and that
            // asks for its server.
            let is_stand = port == &reverse && ["127.0.0.1", "localhost"].contains(&host);
            let expected = if is_stand {
                "an answer from idp.example: dns_failure"
            } else {
                "connect_forbidden"
            };
            for request in [direct, connect] {
                let answer = ask(serving.address(), &request).await;
                assert!(answer.contains(expected), "{request}: {answer}");
            }
        }
    }
}

#[tokio::test]
async fn a_client_may_speak_before_its_tunnel_stands() {
    let (serving, ca) = proxy(Noting::default(), Reach::Offline, &[]).await;
    let request = "CONNECT a.example:80 HTTP/1.1\r\nHost: a.example:80\r\n\r\nGET /early HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n";
    let answer = ask(serving.address(), request).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("ours"),
        "{answer}"
    );

    // The same with TLS: the hello comes in one segment with the request for the tunnel.
    let (near, mut far) = tokio::io::duplex(1 << 16);
    let address = serving.address();
    let relay = tokio::spawn(async move {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        let mut hello = b"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n".to_vec();
        far.read_buf(&mut hello).await.expect("a hello");
        stream.write_all(&hello).await.expect("sent");
        let head = head_of(&mut stream).await;
        assert!(head.starts_with(b"HTTP/1.1 200"));
        // It ends with either side.
        let _ = tokio::io::copy_bidirectional(&mut far, &mut stream).await;
    });
    let mut stream = tls(near, ca.ca_pem(), &[]).await.expect("TLS");
    let request = b"GET /early HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.expect("sent");
    assert!(read_all(&mut stream).await.ends_with("ours"));
    drop(stream);
    relay.await.expect("relayed");
}

#[tokio::test]
async fn one_side_of_a_tunnel_that_passes_unread_may_end_before_the_other() {
    let listener = TcpListener::bind(anywhere()).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("accepted");
        let said = read_all(&mut stream).await;
        let answer = format!("heard {said}");
        stream.write_all(answer.as_bytes()).await.expect("sent");
    });
    let upstream = Upstream::new(UpstreamOptions::default()).expect("an upstream");
    let (serving, _) = proxy(Noting::default(), Reach::Live(upstream), &["idp.example"]).await;
    let mut stream = tunnel(serving.address(), &format!("localhost:{port}")).await;
    stream.write_all(b"all").await.expect("sent");
    stream.shutdown().await.expect("half-closed");
    assert_eq!(read_all(&mut stream).await, "heard all");
}
