//! A local origin that stands for a server: what it passes on, as it comes and as it was.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use authtape::model::{Body, Cut, Flow, Request, Response};
use authtape::proxy::{self, Authority, Handler, Reach, Serving};
use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{bound, head_of};

/// A proxy whose local origin stands for `https://idp.example`, and where that listens.
async fn standing(handler: impl Handler) -> (Serving, String) {
    let authority = Arc::new(Authority::generate(&[]).expect("an authority"));
    let options = proxy::Options {
        reverse: vec!["https://idp.example".parse().expect("an origin")],
        ..proxy::Options::new(bound().await, authority)
    };
    let serving = proxy::serve(options, Reach::Offline, handler).await;
    let serving = serving.expect("a proxy");
    let address = serving.reverse()[0].1.trim_start_matches("http://");
    let address = address.to_owned();
    (serving, address)
}

/// Says this, and then nothing for good.
struct Begun(Option<&'static str>);

impl Flow for Begun {
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Cut>>> {
        match self.0.take() {
            Some(said) => Poll::Ready(Some(Ok(Bytes::from_static(said.as_bytes())))),
            None => Poll::Pending,
        }
    }

    fn is_finished(&self) -> bool {
        false
    }

    fn remaining(&self) -> Option<u64> {
        None
    }
}

#[tokio::test]
async fn what_streams_is_not_held_back() {
    for kind in [
        "text/event-stream",
        "text/event-stream; charset=utf-8",
        "application/x-ndjson",
        "application/stream+json",
        "text/plain",
    ] {
        let handler = move |_: Request| {
            let mut response = Response::new(200, "").with("Content-Type", kind);
            response.body = Body::Live(Box::pin(Begun(Some("data: 1\n"))));
            Ok(response)
        };
        let (_serving, address) = standing(handler).await;
        let mut stream = TcpStream::connect(&address).await.expect("connected");
        let request = format!("GET / HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let begun = async {
            let head = head_of(&mut stream).await;
            let mut chunk = [0; 13];
            stream.read_exact(&mut chunk).await.expect("a chunk");
            (head, chunk)
        };
        let begun = tokio::time::timeout(Duration::from_secs(20), begun).await;
        let (head, chunk) = begun.unwrap_or_else(|_| panic!("{kind}: it was held back"));
        assert!(head.starts_with(b"HTTP/1.1 200"), "{kind}");
        assert_eq!(&chunk, b"8\r\ndata: 1\n\r\n", "{kind}");
    }
}

#[tokio::test]
async fn an_answer_without_a_body_keeps_the_length_that_it_states() {
    for (method, status, expected) in [
        ("HEAD", 200, "content-length: 5000\r\n"),
        ("GET", 304, "content-length: 5000\r\n"),
    ] {
        let handler = move |_: Request| {
            Ok(Response::new(status, "")
                .with("Content-Type", "application/json")
                .with("Content-Length", "5000"))
        };
        let (_serving, address) = standing(handler).await;
        let mut stream = TcpStream::connect(&address).await.expect("connected");
        let request = format!("{method} / HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let head = String::from_utf8_lossy(&head_of(&mut stream).await).to_lowercase();
        assert!(head.contains(expected), "{method} {status}: {head}");
    }
}
