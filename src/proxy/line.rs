//! What a tunnel runs over, from its first bytes on.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio_rustls::server::TlsStream;

use crate::proxy::prompt::{Awaited, Client, Prompt};
use crate::proxy::tapped::Tapped;

/// A client's connection whose first bytes were read already.
pub(super) struct Prefixed {
    start: Vec<u8>,
    at: usize,
    stream: Prompt,
}

impl Prefixed {
    pub(super) fn new(stream: Prompt) -> Self {
        Self {
            start: Vec::new(),
            at: 0,
            stream,
        }
    }

    /// The connection beneath, without the layers of HTTP, and what was read of it too early;
    /// `None` where it is not a client's own.
    pub(super) fn of(upgraded: Upgraded) -> Option<Self> {
        let parts = upgraded.downcast::<TokioIo<Tapped<Prompt>>>().ok()?;
        let stream = parts.io.into_inner().into_inner();
        Some(Self {
            start: parts.read_buf.to_vec(),
            ..Self::new(stream)
        })
    }

    /// Reads as much as tells what the client speaks.
    pub(super) async fn sniff(&mut self) -> io::Result<()> {
        while self.start.len() < 8 && self.stream.read_buf(&mut self.start).await? > 0 {}
        Ok(())
    }

    /// Reads as much as tells whether the client speaks HTTP/2 without having been asked to.
    pub(super) async fn speaks_http2(&mut self) -> io::Result<bool> {
        while PREFACE.starts_with(&self.start)
            && self.start.len() < PREFACE.len()
            && self.stream.read_buf(&mut self.start).await? > 0
        {}
        Ok(self.start.starts_with(PREFACE))
    }

    /// Reads the client's hello, which is read again later, for the name in it; `None` where it is
    /// none, or names nobody.
    pub(super) async fn server_name(&mut self) -> Option<String> {
        let mut acceptor = Acceptor::default();
        let mut seen = 0;
        loop {
            while seen < self.start.len() {
                seen += acceptor.read_tls(&mut &self.start[seen..]).ok()?;
            }
            if let Some(accepted) = acceptor.accept().ok()? {
                return accepted.client_hello().server_name().map(str::to_owned);
            }
            if self.stream.read_buf(&mut self.start).await.ok()? == 0 {
                return None;
            }
        }
    }

    /// Whether nothing was read.
    pub(super) fn is_fresh(&self) -> bool {
        self.start.is_empty()
    }

    pub(super) fn kind(&self) -> Kind {
        let methods = [
            "GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "PATCH ", "OPTIONS",
        ];
        if self.start.starts_with(&[0x16, 0x03]) {
            Kind::Tls
        } else if self.start.starts_with(&PREFACE[..8]) {
            Kind::Http2
        } else if methods
            .iter()
            .any(|method| self.start.starts_with(method.as_bytes()))
        {
            Kind::Http1
        } else {
            Kind::Other
        }
    }
}

impl Client for Prefixed {
    fn awaited(&self) -> Awaited {
        self.stream.awaited()
    }
}

impl Client for TlsStream<Prefixed> {
    fn awaited(&self) -> Awaited {
        self.get_ref().0.awaited()
    }
}

impl AsyncRead for Prefixed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.at < self.start.len() {
            let count = buf.remaining().min(self.start.len() - self.at);
            buf.put_slice(&self.start[self.at..self.at + count]);
            self.at += count;
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Prefixed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// What a client speaks, by its first bytes.
pub(super) enum Kind {
    Tls,
    Http1,
    Http2,
    Other,
}

/// How HTTP/2 begins (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
