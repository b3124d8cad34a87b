//! The proxy, byte by byte: what the client sends, the server hears, and the other way round.

use std::sync::{Arc, Mutex};

use authtape::model::{Body, Failure, FailureKind, Incident, Request, Response};
use authtape::proxy::{self, Authority, Handler, Reach, Upstream, UpstreamOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{
    ClosedPort, Origin, Script, anywhere, bound, exchange, head_of, proxy, rest_of, tls, tunnel,
};

/// Asks upstream, and notes what it sees.
struct Watch {
    upstream: Upstream,
    names: Arc<Mutex<Vec<String>>>,
    incidents: Arc<Mutex<Vec<Incident>>>,
    failures: Arc<Mutex<Vec<FailureKind>>>,
}

impl Watch {
    fn new(upstream: &Upstream) -> Self {
        Self {
            upstream: upstream.clone(),
            names: Arc::default(),
            incidents: Arc::default(),
            failures: Arc::default(),
        }
    }
}

impl Handler for Watch {
    async fn handle(&self, request: Request) -> Result<Response, Failure> {
        let names = request.headers.iter().map(|header| header.name.clone());
        self.names.lock().expect("a lock").extend(names);
        let answer = self.upstream.handle(request).await;
        match &answer {
            Ok(response) => {
                let names = response.headers.iter().map(|header| header.name.clone());
                self.names.lock().expect("a lock").extend(names);
            }
            Err(failure) => self.failures.lock().expect("a lock").push(failure.kind),
        }
        answer
    }

    fn incident(&self, incident: Incident) {
        self.incidents.lock().expect("a lock").push(incident);
    }
}

/// A name, what the client sends, what the server answers, and what each of them must have got.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

#[tokio::test]
async fn each_side_gets_what_the_other_sent() {
    let ok = "HTTP/1.1 200 Fine\r\nX-REQUEST-id: 1\r\nset-COOKIE: a=1\r\nset-COOKIE: b=2\r\nContent-Length: 2\r\n\r\nhi";
    let rows: &[Row] = &[
        (
            "case and duplicates",
            "GET /a?b=%2f HTTP/1.1\r\nHOST: localhost\r\nx-One: 1\r\nX-two: 2\r\nx-One: 3\r\nConnection: close\r\n\r\n",
            ok,
            &[
                "GET /a?b=%2f HTTP/1.1",
                "HOST: localhost",
                "x-One: 1\r\nx-One: 3",
                "X-two: 2",
            ],
            &[
                "HTTP/1.1 200 Fine",
                "X-REQUEST-id: 1",
                "set-COOKIE: a=1\r\nset-COOKIE: b=2",
                "\r\n\r\nhi",
            ],
        ),
        (
            "a form",
            "POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nConnection: close\r\n\r\na=b",
            ok,
            &["Content-Length: 3\r\n\r\na=b"],
            &["hi"],
        ),
        (
            "an empty chunked body",
            "POST /token HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
            ok,
            &["Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
            &["hi"],
        ),
        (
            "a GET with a chunked body",
            "GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\nx\r\n0\r\n\r\n",
            ok,
            &["Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"],
            &["hi"],
        ),
        (
            "HEAD keeps the length",
            "HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            &["HEAD /"],
            &["Content-Length: 5\r\n"],
        ),
        (
            "304 keeps the length",
            "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 5\r\n\r\n",
            &["GET /"],
            &["304 Not Modified", "Content-Length: 5\r\n"],
        ),
        (
            "a body that ends with the connection",
            "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc",
            &["GET /"],
            &["abc"],
        ),
        (
            "hop-by-hop fields stay behind",
            "GET / HTTP/1.1\r\nHost: localhost\r\nProxy-Authorization: Basic eA==\r\nX-Mine: 1\r\nConnection: close, X-Mine\r\n\r\n",
            ok,
            &["GET /"],
            &["hi"],
        ),
    ];
    for (name, request, answer, heard, got) in rows {
        let origin = Origin::answering(*answer).await;
        let upstream = origin.upstream();
        let (serving, ca) = proxy(Watch::new(&upstream), Reach::Live(upstream), &[]).await;
        let said = exchange(&serving, &ca, origin.port, request.as_bytes()).await;
        let sent = origin.heard().join("");
        for part in *heard {
            assert!(sent.contains(part), "{name}: {part:?} is not in {sent:?}");
        }
        for part in *got {
            assert!(said.contains(part), "{name}: {part:?} is not in {said:?}");
        }
        assert!(
            !sent.contains("Proxy-") && !sent.contains("X-Mine"),
            "{name}: {sent}"
        );
        serving.shutdown().await;
    }
}

#[tokio::test]
async fn the_recorder_sees_names_in_their_case_and_order() {
    let origin = Origin::answering(
        "HTTP/1.1 200 OK\r\nX-b: 1\r\nx-A: 2\r\nX-B: 3\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    let upstream = origin.upstream();
    let watch = Watch::new(&upstream);
    let names = Arc::clone(&watch.names);
    let (serving, ca) = proxy(watch, Reach::Live(upstream), &[]).await;
    exchange(&serving, &ca, origin.port, b"GET / HTTP/1.1\r\nhOST: localhost\r\nX-2: a\r\nx-1: b\r\nx-2: c\r\nConnection: close\r\n\r\n").await;
    let names = names.lock().expect("a lock").join(" ");
    assert_eq!(
        names,
        "hOST X-2 x-1 x-2 Connection X-b x-A X-B Content-Length"
    );
}

#[tokio::test]
async fn a_100_continue_comes_from_the_server_or_not_at_all() {
    for (go_on, expected) in [
        (true, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"),
        (false, "HTTP/1.1 401"),
    ] {
        let script: Script = Arc::new(move |mut request, mut stream| {
            Box::pin(async move {
                if go_on {
                    stream
                        .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                        .await
                        .expect("sent");
                    rest_of(&mut request, &mut stream).await;
                    stream
                        .write_all(
                            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                        )
                        .await
                        .expect("sent");
                } else {
                    stream
                        .write_all(
                            b"HTTP/1.1 401 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                        )
                        .await
                        .expect("sent");
                }
                stream.shutdown().await.expect("closed");
            })
        });
        let origin = Origin::scripted(script).await;
        let upstream = origin.upstream();
        let (serving, ca) = proxy(Watch::new(&upstream), Reach::Live(upstream), &[]).await;
        let stream = tunnel(serving.address(), &format!("localhost:{}", origin.port)).await;
        let mut stream = tls(stream, ca.ca_pem(), &[b"http/1.1"]).await.expect("TLS");
        let head = b"POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
        stream.write_all(head).await.expect("sent");
        let mut answer = vec![0; 1024];
        let mut read = stream.read(&mut answer).await.expect("an answer");
        if go_on {
            assert!(
                answer.starts_with(b"HTTP/1.1 100"),
                "{}",
                String::from_utf8_lossy(&answer)
            );
            stream.write_all(b"a=b").await.expect("sent");
            read += stream.read(&mut answer[read..]).await.expect("the rest");
        }
        let answer = String::from_utf8_lossy(&answer[..read]);
        assert!(answer.starts_with(expected), "{answer}");
    }
}

#[tokio::test]
async fn the_protocol_that_the_server_chose_is_the_clients() {
    let origin = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    for (offered, expected) in [
        (&[b"h2".as_slice(), b"http/1.1"][..], Some(&b"http/1.1"[..])),
        (&[b"http/1.1"], Some(b"http/1.1")),
        (&[], None),
    ] {
        let upstream = origin.upstream();
        let (serving, ca) = proxy(Watch::new(&upstream), Reach::Live(upstream), &[]).await;
        let stream = tunnel(serving.address(), &format!("localhost:{}", origin.port)).await;
        let stream = tls(stream, ca.ca_pem(), offered).await.expect("TLS");
        assert_eq!(stream.get_ref().1.alpn_protocol(), expected);
    }
}

#[tokio::test]
async fn http2_passes_from_end_to_end() {
    // A proxy that answers by itself is an HTTP/2 server as well: the second proxy's upstream.
    let answer = |request: Request| {
        let line = format!(
            "{} {} {}",
            request.method,
            request.url.path,
            request.version.as_str()
        );
        Ok(Response::new(200, line).with("X-Answered", "yes"))
    };
    let (back, back_ca) = proxy(answer, Reach::Offline, &[]).await;
    let stream = tunnel(back.address(), "localhost:443").await;
    let stream = tls(stream, back_ca.ca_pem(), &[b"h2"]).await.expect("TLS");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let io = hyper_util::rt::TokioIo::new(stream);
    let builder = hyper::client::conn::http2::Builder::new(hyper_util::rt::TokioExecutor::new());
    let (mut sender, connection) = builder.handshake(io).await.expect("HTTP/2");
    tokio::spawn(connection);
    let request = http::Request::post("https://localhost/token")
        .body("a=b".to_owned())
        .expect("a request");
    let response = sender.send_request(request).await.expect("a response");
    assert_eq!(response.headers()["x-answered"], "yes");
    let body = http_body_util::BodyExt::collect(response.into_body())
        .await
        .expect("a body")
        .to_bytes();
    assert_eq!(body, "POST /token 2");
}

#[tokio::test]
async fn a_server_that_cannot_be_asked_is_an_outcome() {
    let closed = ClosedPort::new();
    let stranger = Origin::answering("").await;
    let hangs_up: Script = Arc::new(|_, stream| Box::pin(async move { drop(stream) }));
    let rude = Origin::scripted(hangs_up).await;
    let nonsense = Origin::answering("this is no HTTP at all\r\n\r\n").await;
    for (name, target, trusted, expected) in [
        (
            "refused",
            format!("localhost:{}", closed.number()),
            &stranger,
            FailureKind::ConnectRefused,
        ),
        (
            "no such name",
            "nowhere.invalid:443".to_owned(),
            &stranger,
            FailureKind::DnsFailure,
        ),
        (
            "a certificate of a stranger",
            format!("localhost:{}", stranger.port),
            &rude,
            FailureKind::TlsFailure,
        ),
        (
            "hangs up",
            format!("localhost:{}", rude.port),
            &rude,
            FailureKind::ClosedEarly,
        ),
        (
            "speaks something else",
            format!("localhost:{}", nonsense.port),
            &nonsense,
            FailureKind::ProtocolError,
        ),
    ] {
        let upstream = trusted.upstream();
        let watch = Watch::new(&upstream);
        let failures = Arc::clone(&watch.failures);
        let (serving, ca) = proxy(watch, Reach::Live(upstream), &[]).await;
        let stream = tunnel(serving.address(), &target).await;
        let mut roots = tls_any(
            stream,
            ca.ca_pem(),
            target.split(':').next().expect("a host"),
        )
        .await;
        roots
            .write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .await
            .expect("sent");
        let mut answer = Vec::new();
        let _ = roots.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 502"), "{name}: {answer}");
        assert!(
            answer.contains(&format!("authtape-error: {expected}")),
            "{name}: {answer}"
        );
        assert_eq!(*failures.lock().expect("a lock"), [expected], "{name}");
    }
}

async fn tls_any(
    stream: tokio::net::TcpStream,
    ca_pem: &str,
    host: &str,
) -> tokio_rustls::client::TlsStream<tokio::net::TcpStream> {
    use rustls::pki_types::pem::PemObject as _;
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(
            rustls::pki_types::CertificateDer::from_pem_slice(ca_pem.as_bytes())
                .expect("a certificate"),
        )
        .expect("a root");
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .expect("versions")
    .with_root_certificates(roots)
    .with_no_client_auth();
    let name = rustls::pki_types::ServerName::try_from(host.to_owned()).expect("a name");
    tokio_rustls::TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .expect("TLS")
}

#[tokio::test]
async fn what_is_out_of_scope_passes_unread() {
    let origin = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").await;
    let upstream = origin.upstream();
    let watch = Watch::new(&upstream);
    let (names, incidents) = (Arc::clone(&watch.names), Arc::clone(&watch.incidents));
    let (serving, _) = proxy(watch, Reach::Live(upstream), &["*.example.com"]).await;
    let stream = tunnel(serving.address(), &format!("localhost:{}", origin.port)).await;
    // The origin's own certificate comes through.
    let mut stream = tls(stream, origin.authority.ca_pem(), &[b"http/1.1"])
        .await
        .expect("TLS with the origin itself");
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    assert!(answer.ends_with(b"hi"));
    assert!(names.lock().expect("a lock").is_empty(), "nothing was read");
    assert_eq!(
        *incidents.lock().expect("a lock"),
        [Incident::Tunnelled {
            authority: format!("localhost:{}", origin.port),
            reason: "no --host matches it",
        }]
    );
}

#[tokio::test]
async fn a_client_that_does_not_trust_us_leaves_an_incident() {
    let origin = Origin::answering("").await;
    let upstream = origin.upstream();
    let watch = Watch::new(&upstream);
    let incidents = Arc::clone(&watch.incidents);
    let (serving, _) = proxy(watch, Reach::Live(upstream), &[]).await;
    let stream = tunnel(serving.address(), &format!("localhost:{}", origin.port)).await;
    let refused = tls(stream, origin.authority.ca_pem(), &[]).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("certificate")));
    serving.shutdown().await;
    let incidents = incidents.lock().expect("a lock");
    assert!(
        matches!(&incidents[..], [Incident::CertificateRefused { host, alert: Some(_), client: None }] if host == "localhost"),
        "{incidents:?}"
    );
}

#[tokio::test]
async fn the_proxy_never_calls_itself() {
    let origin = Origin::answering("").await;
    let upstream = origin.upstream();
    let (serving, _) = proxy(Watch::new(&upstream), Reach::Live(upstream), &[]).await;
    let port = serving.address().port();
    for host in [
        "127.0.0.1",
        "127.0.0.2",
        "127.255.255.254",
        "127.1",
        "127.0.1",
        "0177.0.0.1",
        "0x7f.0.0.1",
        "0x7f000001",
        "017700000001",
        "2130706433",
        "0",
        "0.0",
        "0.0.0.0",
        "localhost",
        "LocalHost",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:0.0.0.0]",
    ] {
        let mut stream = tokio::net::TcpStream::connect(serving.address())
            .await
            .expect("the proxy");
        let request = format!(
            "GET http://{host}:{port}/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 403"), "{host}: {answer}");
        assert!(answer.contains("connect_forbidden"), "{host}: {answer}");
    }
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_reaches_no_server() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&heard);
    let script: Script = Arc::new(move |request, _| {
        sink.lock().expect("a lock").extend(request);
        Box::pin(std::future::ready(()))
    });
    let origin = Origin::scripted(script).await;
    let upstream = origin.upstream();
    let watch = Watch::new(&upstream);
    let incidents = Arc::clone(&watch.incidents);
    let (serving, ca) = proxy(watch, Reach::Live(upstream), &[]).await;
    let rows = [
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
        "GET / HTTP/1.1\nHost: localhost\n\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: authorization\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
    ];
    for request in rows {
        let stream = tunnel(serving.address(), &format!("localhost:{}", origin.port)).await;
        let mut stream = tls(stream, ca.ca_pem(), &[b"http/1.1"]).await.expect("TLS");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = Vec::new();
        // It ends, whether or not with a goodbye.
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 400"), "{request}: {answer}");
    }
    serving.shutdown().await;
    assert!(heard.lock().expect("a lock").is_empty());
    let told = incidents.lock().expect("a lock").len();
    assert_eq!(told, rows.len(), "each is an incident");
}

#[tokio::test]
async fn a_websocket_goes_on_behind_its_handshake() {
    let script: Script = Arc::new(|request, mut stream| {
        Box::pin(async move {
            let head = String::from_utf8_lossy(&request).into_owned();
            for field in [
                "Connection: upgrade",
                "Upgrade: websocket",
                "Sec-WebSocket-Key: k",
            ] {
                let sent = head.to_lowercase().contains(&field.to_lowercase());
                assert!(sent, "{field}: {head}");
            }
            let answer = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: a\r\n\r\nhello";
            stream.write_all(answer).await.expect("sent");
            let mut frame = [0; 4];
            stream.read_exact(&mut frame).await.expect("a frame");
            stream.write_all(&frame).await.expect("sent");
        })
    });
    let origin = Origin::scripted(script).await;
    let upstream = origin.upstream();
    let (serving, ca) = proxy(Watch::new(&upstream), Reach::Live(upstream), &[]).await;
    let stream = tunnel(serving.address(), &format!("localhost:{}", origin.port)).await;
    let mut stream = tls(stream, ca.ca_pem(), &[b"http/1.1"]).await.expect("TLS");
    let request = b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n";
    stream.write_all(request).await.expect("sent");
    let head = head_of(&mut stream).await;
    let head = String::from_utf8_lossy(&head);
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    let mut greeting = [0; 5];
    stream.read_exact(&mut greeting).await.expect("a greeting");
    assert_eq!(&greeting, b"hello");
    stream.write_all(b"ping").await.expect("sent");
    let mut frame = [0; 4];
    stream.read_exact(&mut frame).await.expect("an echo");
    assert_eq!(&frame, b"ping");
}

#[tokio::test]
async fn plain_http_is_relayed_and_origin_form_is_explained() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let answer = move |request: Request| {
        sink.lock().expect("a lock").push(request.url.to_string());
        Ok(Response::new(200, "plain"))
    };
    let (serving, _) = proxy(answer, Reach::Offline, &[]).await;
    for (line, status) in [
        ("GET http://as.example/token?a=b HTTP/1.1", "200"),
        ("GET /token HTTP/1.1", "400"),
    ] {
        let mut stream = tokio::net::TcpStream::connect(serving.address())
            .await
            .expect("the proxy");
        stream
            .write_all(
                format!("{line}\r\nHost: as.example\r\nConnection: close\r\n\r\n").as_bytes(),
            )
            .await
            .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{line}: {answer}"
        );
    }
    assert_eq!(
        *seen.lock().expect("a lock"),
        ["http://as.example/token?a=b"]
    );
}

#[tokio::test]
async fn a_response_of_ours_keeps_the_case_of_its_names() {
    let answer = |_: Request| {
        Ok(Response::new(200, "x")
            .with("DPoP-Nonce", "1")
            .with("set-COOKIE", "a=1")
            .with("x-lower", "2"))
    };
    let (serving, ca) = proxy(answer, Reach::Offline, &[]).await;
    let said = exchange(
        &serving,
        &ca,
        443,
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    )
    .await;
    for part in ["DPoP-Nonce: 1", "set-COOKIE: a=1", "x-lower: 2"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[tokio::test]
async fn a_port_in_use_is_said() {
    let (serving, _) = proxy(|_: Request| Ok(Response::new(200, "")), Reach::Offline, &[]).await;
    let error = proxy::bind(serving.address(), None)
        .await
        .expect_err("in use");
    assert!(
        error
            .to_string()
            .contains("another program may use the port"),
        "{error}"
    );
}

#[tokio::test]
async fn who_comes_before_the_proxy_is_started_is_served() {
    let bound = bound().await;
    let mut early = tokio::net::TcpStream::connect(bound.address())
        .await
        .expect("connected");
    let request = b"GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n";
    early.write_all(request).await.expect("sent");
    let authority = Arc::new(Authority::generate(&[]).expect("an authority"));
    let options = proxy::Options::new(bound, authority);
    let answer = |_: Request| Ok(Response::new(200, "early"));
    let serving = proxy::serve(options, Reach::Offline, answer).await;
    let serving = serving.expect("a proxy");
    let mut said = String::new();
    early.read_to_string(&mut said).await.expect("an answer");
    assert!(said.ends_with("early"), "{said}");
    serving.shutdown().await;
}

#[tokio::test]
async fn what_is_in_flight_ends_before_the_proxy_does() {
    let (started, mut wait) = tokio::sync::mpsc::channel(1);
    let (go, gone) = tokio::sync::watch::channel(false);
    let script: Script = Arc::new(move |mut request, mut stream| {
        let (started, mut gone) = (started.clone(), gone.clone());
        Box::pin(async move {
            rest_of(&mut request, &mut stream).await;
            started.send(()).await.expect("a listener");
            gone.changed().await.expect("a word");
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
                .await
                .expect("sent");
            stream.shutdown().await.expect("closed");
        })
    });
    let origin = Origin::scripted(script).await;
    let upstream = origin.upstream();
    let (serving, ca) = proxy(Watch::new(&upstream), Reach::Live(upstream), &[]).await;
    let (address, port) = (serving.address(), origin.port);
    let client = tokio::spawn(async move {
        let stream = tunnel(address, &format!("localhost:{port}")).await;
        let mut stream = tls(stream, ca.ca_pem(), &[b"http/1.1"]).await.expect("TLS");
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await
            .expect("sent");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    });
    wait.recv().await.expect("the request arrived");
    let shutdown = tokio::spawn(serving.shutdown());
    tokio::task::yield_now().await;
    go.send(true).expect("a listener");
    assert!(client.await.expect("a client").ends_with("late"));
    shutdown.await.expect("ended");
    assert!(
        tokio::net::TcpStream::connect(address).await.is_err(),
        "nothing listens any more"
    );
}

#[tokio::test]
async fn roots_that_are_none_are_refused() {
    let extra_roots = vec![("roots.pem".to_owned(), b"not a certificate".to_vec())];
    let refused = Upstream::new(UpstreamOptions {
        extra_roots,
        ..UpstreamOptions::default()
    })
    .expect_err("no certificate");
    assert!(
        refused
            .to_string()
            .starts_with("roots.pem holds no certificate"),
        "{refused}"
    );
    assert_eq!(format!("{:?}", Body::from("hunter2")), "Full(7 bytes)");
}

#[tokio::test]
async fn a_client_that_knows_of_no_proxy_comes_by_way_of_tls() {
    let origin = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").await;
    let resolve = format!("localhost:443:127.0.0.1:{}", origin.port);
    let upstream = origin.upstream_with(&[&resolve]);
    let authority = Arc::new(Authority::generate(&[]).expect("an authority"));
    let watch = Watch::new(&upstream);
    let incidents = Arc::clone(&watch.incidents);
    let options = proxy::Options {
        tls_listen: Some(anywhere()),
        ..proxy::Options::new(bound().await, Arc::clone(&authority))
    };
    let serving = proxy::serve(options, Reach::Live(upstream), watch)
        .await
        .expect("a proxy");
    let address = serving.tls_address().expect("a TLS port");
    let stream = tokio::net::TcpStream::connect(address)
        .await
        .expect("connected");
    let mut stream = tls(stream, authority.ca_pem(), &[b"http/1.1"])
        .await
        .expect("TLS");
    let request = b"GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.expect("sent");
    let mut answer = Vec::new();
    // An end without a TLS goodbye is an end.
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(answer.ends_with("hi"), "{answer}");
    assert!(origin.heard()[0].starts_with("GET /a HTTP/1.1"));

    let mut mute = tokio::net::TcpStream::connect(address)
        .await
        .expect("connected");
    mute.write_all(b"GET / HTTP/1.1\r\n\r\n")
        .await
        .expect("sent");
    let mut nothing = Vec::new();
    let _ = mute.read_to_end(&mut nothing).await;
    serving.shutdown().await;
    let told = incidents.lock().expect("a lock");
    assert!(
        matches!(&told[..], [Incident::Unreadable { host: None, .. }]),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_local_origin_answers_to_its_own_names_only() {
    let answer = |request: Request| {
        let host = request.headers.get("host").unwrap_or_default().to_owned();
        let body = format!(
            "{{\"issuer\":\"{}\",\"host\":\"{host}\"}}",
            "https://idp.example"
        );
        Ok(Response::new(200, body).with("Content-Type", "application/json"))
    };
    let authority = Arc::new(Authority::generate(&[]).expect("an authority"));
    let options = proxy::Options {
        reverse: vec!["https://idp.example".parse().expect("an origin")],
        ..proxy::Options::new(bound().await, authority)
    };
    let serving = proxy::serve(options, Reach::Offline, answer)
        .await
        .expect("a proxy");
    let (origin, local) = serving.reverse()[0].clone();
    assert_eq!(origin, "https://idp.example");
    let address = local.trim_start_matches("http://").to_owned();
    let port = address.rsplit(':').next().expect("a port").to_owned();
    for (host, status) in [
        (address.clone(), "200"),
        (format!("localhost:{port}"), "200"),
        ("evil.example".to_owned(), "421"),
        (format!("evil.example:{port}"), "421"),
    ] {
        let mut stream = tokio::net::TcpStream::connect(&address)
            .await
            .expect("connected");
        let request = format!("GET /x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut told = String::new();
        stream.read_to_string(&mut told).await.expect("an answer");
        assert!(
            told.starts_with(&format!("HTTP/1.1 {status}")),
            "{host}: {told}"
        );
        let rewritten = format!("{{\"issuer\":\"{local}\",\"host\":\"idp.example\"}}");
        assert_eq!(
            told.ends_with(&rewritten),
            status == "200",
            "{host}: {told}"
        );
    }
}
