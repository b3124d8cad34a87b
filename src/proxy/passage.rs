//! Bytes that pass unread, both ways.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Joins what both sides of a connection have become.
pub(super) async fn join(client: OnUpgrade, server: OnUpgrade, idle: Duration) {
    if let (Ok(client), Ok(server)) = tokio::join!(client, server) {
        exchange(&mut TokioIo::new(client), &mut TokioIo::new(server), idle).await;
    }
}

/// Passes bytes both ways until both have ended, or neither has sent any for so long.
pub(super) async fn exchange<A, B>(a: &mut A, b: &mut B, idle: Duration)
where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    let passed = AtomicU64::new(0);
    let is_idle = async {
        let mut before = u64::MAX;
        while passed.load(Ordering::Relaxed) != before {
            before = passed.load(Ordering::Relaxed);
            tokio::time::sleep(idle).await;
        }
    };
    let (mut a, mut b) = (Counted::new(a, &passed), Counted::new(b, &passed));
    tokio::select! {
        // Either side may cut a tunnel at any time; there is nobody to tell.
        _ = tokio::io::copy_bidirectional(&mut a, &mut b) => {}
        () = is_idle => {}
    }
}

/// A stream that notes that something was read.
struct Counted<'a, S> {
    stream: &'a mut S,
    passed: &'a AtomicU64,
}

impl<'a, S> Counted<'a, S> {
    fn new(stream: &'a mut S, passed: &'a AtomicU64) -> Self {
        Self { stream, passed }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut *self.stream).poll_read(cx, buf);
        if polled.is_ready() {
            self.passed.fetch_add(1, Ordering::Relaxed);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<'_, S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_shutdown(cx)
    }
}
