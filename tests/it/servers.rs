//! The way to servers: by which name, past which proxy, and what is said where there is none.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use authtape::deck::{self, RecordOptions, Recorded, Recording, Running, WireOptions};
use authtape::library::Overwrite;
use authtape::model::{Incident, Request, Response};
use authtape::proxy::{Detour, Reach, Upstream, UpstreamOptions};
use authtape::record::Options;
use rustls::RootCertStore;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::support::{ClosedPort, Origin, anywhere, head_of, proxy, tls, tunnel};
use crate::ways::{Http2, ask, call, read_all};

/// A recording of everything, with this network.
async fn recording(directory: &Path, wire: WireOptions) -> Running<Recording> {
    let running = deck::record(RecordOptions {
        cassette: directory.join("x.yaml"),
        overwrite: Overwrite::No,
        keep: Options {
            keep_all: true,
            ..Options::default()
        },
        wire,
        on_laid: None,
    });
    running.await.expect("a recording")
}

/// The servers that were not reached, with why.
fn unreached(recorded: &Recorded) -> Vec<(&str, &str)> {
    let told = recorded.unreached.iter();
    told.map(|server| (server.authority.as_str(), server.kind.as_str()))
        .collect()
}

#[tokio::test]
async fn a_server_out_of_scope_that_is_not_there_did_not_pass_unread() {
    let directory = tempfile::tempdir().expect("a directory");
    let wire = WireOptions {
        hosts: vec!["*.example.com".to_owned()],
        ..WireOptions::default()
    };
    let running = recording(directory.path(), wire).await;
    let closed = [ClosedPort::new(), ClosedPort::new()];
    let [one, two] = [closed[0].number(), closed[1].number()];
    let mut stream = tunnel(running.address(), &format!("localhost:{one}")).await;
    stream.write_all(b"hello").await.expect("sent");
    assert_eq!(read_all(&mut stream).await, "", "there is nobody");
    let request = format!(
        "GET http://localhost:{two}/ HTTP/1.1\r\nHost: localhost:{two}\r\nConnection: close\r\n\r\n"
    );
    let answer = ask(running.address(), &request).await;
    assert!(answer.contains("connect_refused"), "{answer}");
    let recorded = running.stop().await.expect("finished");
    let mut expected = [one, two].map(|port| format!("localhost:{port}"));
    expected.sort();
    let expected: Vec<_> = expected
        .iter()
        .map(|server| (server.as_str(), "connect_refused"))
        .collect();
    assert_eq!(unreached(&recorded), expected);
    assert!(recorded.incidents.is_empty(), "{recorded:?}");
}

/// Answers by itself, and notes for which server.
fn noting(
    urls: &Arc<Mutex<Vec<String>>>,
) -> impl Fn(Request) -> Result<Response, authtape::model::Failure> + Send + Sync + 'static {
    let sink = Arc::clone(urls);
    move |request: Request| {
        sink.lock().expect("a lock").push(request.url.to_string());
        Ok(Response::new(200, "ours"))
    }
}

#[tokio::test]
async fn a_server_that_was_dialled_by_address_has_the_name_that_its_certificate_proves() {
    let urls = Arc::default();
    let origin = Http2::start(true).await;
    let port = origin.port;
    let (serving, ca) = proxy(noting(&urls), Reach::Live(origin.upstream()), &[]).await;
    let stream = tunnel(serving.address(), &format!("127.0.0.1:{port}")).await;
    let stream = tls(stream, ca.ca_pem(), &[b"h2"]).await.expect("TLS");
    let (parts, ..) = call(stream, &format!("https://localhost:{port}/call")).await;
    assert_eq!(parts.status, 200, "it asked for the server of its hello");
    let named = std::mem::take(&mut *urls.lock().expect("a lock"));
    assert_eq!(named, [format!("https://localhost:{port}/call")]);

    let origin = Origin::answering("").await;
    let port = origin.port;
    let insecure = Upstream::new(UpstreamOptions {
        insecure: vec!["127.0.0.1".to_owned()],
        ..UpstreamOptions::default()
    });
    for (reach, host) in [
        (Reach::Live(origin.upstream()), "localhost"),
        (Reach::Offline, "localhost"),
        (Reach::Live(insecure.expect("an upstream")), "127.0.0.1"),
    ] {
        let (serving, ca) = proxy(noting(&urls), reach, &[]).await;
        let stream = tunnel(serving.address(), &format!("127.0.0.1:{port}")).await;
        let stream = tls(stream, ca.ca_pem(), &[b"http/1.1"]).await;
        let mut stream = stream.expect("TLS");
        let request = b"GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request).await.expect("sent");
        let answer = read_all(&mut stream).await;
        assert!(answer.ends_with("ours"), "{answer}");
        let named = std::mem::take(&mut *urls.lock().expect("a lock"));
        assert_eq!(named, [format!("https://{host}:{port}/x")]);
    }
}

#[tokio::test]
async fn the_proxy_does_not_call_itself_by_way_of_another() {
    let closed = ClosedPort::new();
    let another = format!("http://127.0.0.1:{}", closed.number());
    let upstream = Upstream::new(UpstreamOptions {
        detour: Detour::through(&another).expect("a proxy"),
        ..UpstreamOptions::default()
    })
    .expect("an upstream");
    let reach = Reach::Live(upstream.clone());
    let (serving, _) = proxy(upstream, reach, &[]).await;
    let own = serving.address().port();
    for (host, port, expected) in [
        ("127.0.0.1", own, "connect_forbidden"),
        ("localhost", own, "connect_forbidden"),
        ("LocalHost.", own, "connect_forbidden"),
        ("a.localhost", own, "connect_forbidden"),
        ("2130706433", own, "connect_forbidden"),
        ("127.1", own, "connect_forbidden"),
        ("0x7f.0.0.1", own, "connect_forbidden"),
        ("0177.0.0.1", own, "connect_forbidden"),
        ("0", own, "connect_forbidden"),
        ("2852039166", 80, "connect_forbidden"),
        ("localhost", 1, "proxy_failure"),
        ("idp.example", own, "proxy_failure"),
        ("10.0.0.1", own, "proxy_failure"),
    ] {
        let request = format!(
            "GET http://{host}:{port}/ HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
        );
        let answer = ask(serving.address(), &request).await;
        assert!(answer.contains(expected), "{host}:{port}: {answer}");
    }
}

/// A proxy on the way that answers whatever it is asked with this.
async fn answering(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind(anywhere()).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            head_of(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.expect("sent");
        }
    });
    address
}

#[tokio::test]
async fn a_proxy_that_does_not_let_us_through_is_named_with_the_cause() {
    let closed = ClosedPort::new();
    let nowhere = closed.number();
    let asks = answering("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
    let refuses = answering("HTTP/1.1 503 Service Unavailable\r\n\r\n").await;
    for (another, at, cause) in [
        (
            format!("http://me:hunter2@127.0.0.1:{nowhere}"),
            format!("127.0.0.1:{nowhere}"),
            "nothing listens there",
        ),
        (
            format!("socks5://me:hunter2@127.0.0.1:{nowhere}"),
            format!("127.0.0.1:{nowhere}"),
            "nothing listens there",
        ),
        (
            "http://me:hunter2@proxy.invalid:3128".to_owned(),
            "proxy.invalid:3128".to_owned(),
            "its name does not resolve",
        ),
        (
            format!("http://me:hunter2@{asks}"),
            asks.to_string(),
            "it does not take the user and password",
        ),
        (
            format!("http://{asks}"),
            asks.to_string(),
            "it asks for a user and a password",
        ),
        (
            format!("http://{refuses}"),
            refuses.to_string(),
            "it opened no tunnel",
        ),
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        let wire = WireOptions {
            detour: Detour::through(&another).expect("a proxy"),
            ..WireOptions::default()
        };
        let running = recording(directory.path(), wire).await;
        let request =
            "GET http://idp.example/ HTTP/1.1\r\nHost: idp.example\r\nConnection: close\r\n\r\n";
        let answer = ask(running.address(), request).await;
        assert!(answer.starts_with("HTTP/1.1 502"), "{another}: {answer}");
        let recorded = running.stop().await.expect("finished");
        let told = format!("{:?}", recorded.unreached);
        assert_eq!(unreached(&recorded), [("idp.example", "proxy_failure")]);
        for text in [&answer, &told] {
            let names = text.contains(&at) && text.contains(cause);
            assert!(names && !text.contains("hunter2"), "{another}: {text}");
        }
    }
}

/// A server that talks to those only who show a certificate.
async fn demanding(
    versions: &[&'static rustls::SupportedProtocolVersion],
    alpn: &[u8],
) -> (u16, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("versions")
        .with_client_cert_verifier(verifier.build().expect("a verifier"))
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a certificate");
    config.alpn_protocols = vec![alpn.to_vec()];
    let listener = TcpListener::bind(anywhere()).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            acceptor
                .accept(stream)
                .await
                .expect_err("no certificate is shown");
        }
    });
    (port, made.cert.pem())
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_is_said_to() {
    for (version, alpn) in [
        (&rustls::version::TLS12, &b"http/1.1"[..]),
        (&rustls::version::TLS13, b"http/1.1"),
        (&rustls::version::TLS12, b"h2"),
        (&rustls::version::TLS13, b"h2"),
    ] {
        let name = format!("{:?} {}", version.version, alpn.escape_ascii());
        let (port, root) = demanding(&[version], alpn).await;
        let directory = tempfile::tempdir().expect("a directory");
        let roots = directory.path().join("roots.pem");
        std::fs::write(&roots, root).expect("written");
        let wire = WireOptions {
            upstream_ca: vec![roots],
            ..WireOptions::default()
        };
        let running = recording(directory.path(), wire).await;
        let target = format!("localhost:{port}");
        let stream = tunnel(running.address(), &target).await;
        let stream = tls(stream, running.ca_pem(), &[alpn]).await.expect("TLS");
        let answer = if alpn == b"h2" {
            let (parts, body, _) = call(stream, &format!("https://{target}/")).await;
            format!("{} {}", parts.status, String::from_utf8_lossy(&body))
        } else {
            let mut stream = stream;
            let request = format!("GET / HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.expect("sent");
            read_all(&mut stream).await
        };
        let recorded = running.stop().await.expect("finished");
        assert!(answer.contains("502"), "{name}: {answer}");
        assert!(answer.contains("--client-cert"), "{name}: {answer}");
        let expected = [(target.as_str(), "client_certificate_required")];
        assert_eq!(unreached(&recorded), expected, "{name}");
    }
}

#[tokio::test]
async fn what_a_client_asks_of_the_next_hop_is_answered_by_it() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let handler = move |request: Request| {
        let left = request.headers.get("max-forwards").map(str::to_owned);
        sink.lock().expect("a lock").push(left.unwrap_or_default());
        Ok(Response::new(200, "theirs"))
    };
    let (serving, _) = proxy(handler, Reach::Offline, &[]).await;
    for (method, given, status, reached) in [
        ("OPTIONS", "0", "200", None),
        ("TRACE", "0", "405", None),
        ("OPTIONS", "5", "200", Some("4")),
        ("TRACE", "1", "200", Some("0")),
        ("OPTIONS", "many", "200", Some("many")),
        ("GET", "0", "200", Some("0")),
    ] {
        let request = format!(
            "{method} http://a.example/ HTTP/1.1\r\nHost: a.example\r\nMax-Forwards: {given}\r\nConnection: close\r\n\r\n"
        );
        let answer = ask(serving.address(), &request).await;
        let line = answer.lines().next().unwrap_or_default();
        assert!(line.contains(status), "{method} {given}: {answer}");
        let left = std::mem::take(&mut *seen.lock().expect("a lock"));
        let reached: Vec<_> = reached.into_iter().collect();
        assert_eq!(left, reached, "{method} {given}");
    }
    // Inside a tunnel the client does not count us.
    let mut stream = tunnel(serving.address(), "a.example:80").await;
    let request =
        b"OPTIONS / HTTP/1.1\r\nHost: a.example\r\nMax-Forwards: 0\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.expect("sent");
    assert!(read_all(&mut stream).await.ends_with("theirs"));
    assert_eq!(*seen.lock().expect("a lock"), ["0"]);
}

#[tokio::test]
async fn what_is_asked_of_a_whole_server_is_refused_in_its_own_words() {
    let handler = |_: Request| Ok(Response::new(200, "theirs"));
    let (serving, _) = proxy(handler, Reach::Offline, &[]).await;
    let request = "OPTIONS * HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n";
    let inside = tunnel(serving.address(), "a.example:80").await;
    let outside = tokio::net::TcpStream::connect(serving.address()).await;
    for mut stream in [inside, outside.expect("connected")] {
        stream.write_all(request.as_bytes()).await.expect("sent");
        let answer = read_all(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert!(answer.contains("asterisk"), "{answer}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_told_with_the_host() {
    let directory = tempfile::tempdir().expect("a directory");
    let running = recording(directory.path(), WireOptions::default()).await;
    let mut stream = tunnel(running.address(), "a.example:8080").await;
    let request = b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n";
    stream.write_all(request).await.expect("sent");
    let answer = read_all(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let recorded = running.stop().await.expect("finished");
    assert!(
        matches!(&recorded.incidents[..], [Incident::Unreadable { host: Some(host), .. }] if host == "a.example"),
        "{recorded:?}"
    );
}
