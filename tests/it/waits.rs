//! How long each side is waited for, and what becomes of what is in flight.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use authtape::model::{Body, Cut, Failure, Flow, Request, Response};
use authtape::proxy::{Handler, Limits, Reach, Upstream, UpstreamOptions};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::support::{Origin, Script, exchange, offline, proxy, tls, tunnel};

/// HTTP/2 without TLS inside a tunnel, and the task of its connection.
async fn http2(
    proxy: SocketAddr,
    builder: Builder<TokioExecutor>,
) -> (SendRequest<Full<Bytes>>, JoinHandle<hyper::Result<()>>) {
    let stream = TokioIo::new(tunnel(proxy, "a.example:80").await);
    let (sender, connection) = builder.handshake(stream).await.expect("HTTP/2");
    (sender, tokio::spawn(connection))
}

fn get() -> http::Request<Full<Bytes>> {
    let request = http::Request::get("http://a.example/").body(Full::default());
    request.expect("a request")
}

/// Waits, but not for good.
async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(Duration::from_secs(20), future).await;
    waited.unwrap_or_else(|_| panic!("{what}: nothing came of it"))
}

#[tokio::test]
async fn http2_in_use_is_not_idle() {
    let answer = |_: Request| Ok(Response::new(200, "ours"));
    let serving = offline(&["idle=1s"], answer).await;
    let (mut sender, connection) =
        http2(serving.address(), Builder::new(TokioExecutor::new())).await;
    let mut pause = tokio::time::interval(Duration::from_millis(100));
    for at in 0..25 {
        pause.tick().await;
        let answer = sender.send_request(get()).await;
        let answer = answer.unwrap_or_else(|error| panic!("request {at}: {error:?}"));
        assert_eq!(answer.status(), 200);
        answer.into_body().collect().await.expect("a body");
    }
    let ended = soon("a connection that nobody uses", connection).await;
    ended.expect("not cancelled").expect("it says goodbye");
}

/// Never answers, and takes its time to let go.
struct Tenacious {
    asked: mpsc::UnboundedSender<()>,
    gone: Arc<AtomicBool>,
}

impl Handler for Tenacious {
    async fn handle(&self, _: Request) -> Result<Response, Failure> {
        let _held = LetGo(Arc::clone(&self.gone));
        self.asked.send(()).expect("somebody listens");
        std::future::pending().await
    }
}

struct LetGo(Arc<AtomicBool>);

impl Drop for LetGo {
    fn drop(&mut self) {
        std::thread::sleep(Duration::from_millis(300));
        self.0.store(true, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn what_is_in_flight_on_http2_is_let_go_before_the_proxy_ends() {
    let (asked, mut heard) = mpsc::unbounded_channel();
    let gone = Arc::new(AtomicBool::new(false));
    let handler = Tenacious {
        asked,
        gone: Arc::clone(&gone),
    };
    let serving = offline(&[], handler).await;
    let (mut sender, _connection) =
        http2(serving.address(), Builder::new(TokioExecutor::new())).await;
    let answer = tokio::spawn(sender.send_request(get()));
    soon("a request", heard.recv()).await.expect("a request");
    soon("the end", serving.shutdown()).await;
    assert!(
        gone.load(Ordering::SeqCst),
        "its exchange lies on the reel when that is unwound"
    );
    answer.await.expect("not cancelled").expect_err("no answer");
}

/// A body that has no end.
struct Endless;

impl Flow for Endless {
    fn poll_chunk(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Cut>>> {
        Poll::Ready(Some(Ok(Bytes::from_static(&[b'x'; 4096]))))
    }

    fn is_finished(&self) -> bool {
        false
    }

    fn remaining(&self) -> Option<u64> {
        None
    }
}

#[tokio::test]
async fn a_client_that_keeps_its_window_shut_is_not_waited_for() {
    let endless = |_: Request| {
        let mut response = Response::new(200, "");
        response.body = Body::Live(Box::pin(Endless));
        Ok(response)
    };
    let serving = offline(&["reader=200ms"], endless).await;
    for window in [0, 10_000] {
        let mut builder = Builder::new(TokioExecutor::new());
        builder.initial_stream_window_size(window);
        let (mut sender, connection) = http2(serving.address(), builder).await;
        let answer = sender.send_request(get()).await.expect("a head");
        soon("a window that stays shut", connection)
            .await
            .expect("not cancelled")
            .ok();
        answer.into_body().collect().await.expect_err("cut");
    }
}

#[tokio::test]
async fn a_client_that_takes_its_time_is_waited_for() {
    let endless = |_: Request| {
        let mut response = Response::new(200, "");
        response.body = Body::Live(Box::pin(Endless));
        Ok(response)
    };
    let serving = offline(&["reader=1s", "idle=1s"], endless).await;
    let mut builder = Builder::new(TokioExecutor::new());
    builder.initial_stream_window_size(8_192);
    let (mut sender, _connection) = http2(serving.address(), builder).await;
    let answer = sender.send_request(get()).await.expect("a head");
    let mut body = answer.into_body();
    let mut pause = tokio::time::interval(Duration::from_millis(100));
    for _ in 0..25 {
        pause.tick().await;
        let frame = soon("a frame", body.frame()).await.expect("no end");
        frame.expect("not cut");
    }
}

/// An upstream whose servers have this long for the head of an answer.
fn impatient(origin: &Origin) -> Upstream {
    let pem = origin.authority.ca_pem().as_bytes().to_vec();
    Upstream::new(UpstreamOptions {
        extra_roots: vec![("origin".to_owned(), pem)],
        limits: Limits::default()
            .with("answer-head=200ms")
            .expect("a limit"),
        ..UpstreamOptions::default()
    })
    .expect("an upstream")
}

/// A server that reads all and says nothing but this.
async fn silent(interim: &'static [u8]) -> Origin {
    let script: Script = Arc::new(move |_, mut stream| {
        Box::pin(async move {
            stream.write_all(interim).await.expect("sent");
            let mut rest = Vec::new();
            // However it ends.
            let _ = stream.read_to_end(&mut rest).await;
        })
    });
    Origin::scripted(script).await
}

#[tokio::test]
async fn a_silent_server_is_waited_for_from_the_end_of_the_request_on() {
    for (name, interim, fields, body) in [
        ("no body", "", "", ""),
        ("a length", "", "Content-Length: 3\r\n", "abc"),
        (
            "chunked",
            "",
            "Transfer-Encoding: chunked\r\n",
            "3\r\nabc\r\n0\r\n\r\n",
        ),
        (
            "100-continue",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "Expect: 100-continue\r\nContent-Length: 3\r\n",
            "abc",
        ),
        (
            "no 100 at all",
            "",
            "Expect: 100-continue\r\nContent-Length: 3\r\n",
            "abc",
        ),
    ] {
        let origin = silent(interim.as_bytes()).await;
        let upstream = impatient(&origin);
        let (serving, ca) = proxy(upstream.clone(), Reach::Live(upstream), &[]).await;
        let request = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n{body}"
        );
        let asked = exchange(&serving, &ca, origin.port, request.as_bytes());
        let answer = soon(name, asked).await;
        assert!(answer.contains("HTTP/1.1 504"), "{name}: {answer}");
        assert!(answer.contains("read_timeout"), "{name}: {answer}");
    }
}

#[tokio::test]
async fn a_client_may_take_longer_for_its_body_than_the_server_for_its_answer() {
    let origin = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").await;
    let upstream = impatient(&origin);
    let (serving, ca) = proxy(upstream.clone(), Reach::Live(upstream), &[]).await;
    let stream = tunnel(serving.address(), &format!("localhost:{}", origin.port)).await;
    let mut stream = tls(stream, ca.ca_pem(), &[b"http/1.1"]).await.expect("TLS");
    let head = "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("sent");
    tokio::time::sleep(Duration::from_millis(600)).await;
    stream
        .write_all(b"1\r\nx\r\n0\r\n\r\n")
        .await
        .expect("sent");
    let mut answer = Vec::new();
    // An end without a TLS goodbye is an end.
    let _ = soon("an answer", stream.read_to_end(&mut answer)).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.ends_with("hi"), "{answer}");
}

#[tokio::test]
async fn a_status_that_ends_no_request_is_not_sent() {
    for status in [100, 103, 199] {
        let serving = offline(&[], move |_: Request| Ok(Response::new(status, ""))).await;
        let mut stream = TcpStream::connect(serving.address())
            .await
            .expect("connected");
        let request =
            b"GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n";
        stream.write_all(request).await.expect("sent");
        let mut answer = String::new();
        let read = stream.read_to_string(&mut answer);
        soon("an answer", read).await.expect("text");
        assert!(answer.starts_with("HTTP/1.1 502"), "{status}: {answer}");
    }
}
