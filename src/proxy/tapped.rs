//! A connection whose reads pass through a tap, and which ends where they are too long in coming.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

use crate::proxy::Limits;
use crate::proxy::patience::Patience;
use crate::proxy::tap::{Tap, Waits};
use crate::proxy::trust::alert;

/// A connection whose reads pass through a tap.
pub(super) struct Tapped<S> {
    inner: S,
    tap: Tap,
    /// For the first byte of all.
    first: Option<Patience>,
    later: Option<Timers>,
}

/// The timers of a client's connection once it has begun.
struct Timers {
    /// For a head that has begun.
    head: Patience,
    /// For the next request.
    idle: Patience,
    /// For a client that takes nothing.
    reader: Patience,
    /// Told when the connection was idle for long enough, so that it can say goodbye.
    weary: Option<Arc<Notify>>,
    /// For the goodbye.
    farewell: Patience,
}

impl Timers {
    fn of(limits: &Limits, weary: Arc<Notify>) -> Self {
        Self {
            head: Patience::of(limits.head_time),
            idle: Patience::of(limits.idle),
            reader: Patience::of(limits.reader),
            weary: Some(weary),
            farewell: Patience::of(FAREWELL),
        }
    }

    /// The client said something.
    fn heard(&mut self) {
        self.idle.rest();
        self.reader.rest();
    }

    fn is_over(&mut self, waits: &Waits, cx: &mut Context<'_>) -> bool {
        if !matches!(waits, Waits::Head) {
            self.head.rest();
        }
        if !matches!(waits, Waits::Request) {
            self.idle.rest();
        }
        if !matches!(waits, Waits::Reader { moved: false }) {
            self.reader.rest();
        }
        match waits {
            Waits::Answer => false,
            Waits::Head => self.head.is_over(cx),
            Waits::Reader { .. } => self.reader.is_over(cx),
            Waits::Request if self.weary.is_none() => self.farewell.is_over(cx),
            Waits::Request => {
                if self.idle.is_over(cx)
                    && let Some(weary) = self.weary.take()
                {
                    weary.notify_one();
                    return self.farewell.is_over(cx);
                }
                false
            }
        }
    }
}

impl<S> Tapped<S> {
    pub(super) fn new(inner: S, tap: Tap) -> Self {
        Self {
            inner,
            tap,
            first: None,
            later: None,
        }
    }

    /// Ends the connection where the first byte, a head that has begun, or the next request
    /// takes longer, the last not before whoever is told had time to say goodbye.
    pub(super) fn limited(mut self, limits: &Limits, weary: Arc<Notify>) -> Self {
        self.first = Some(Patience::of(limits.first_byte));
        self.later = Some(Timers::of(limits, weary));
        self
    }

    pub(super) fn into_inner(self) -> S {
        self.inner
    }

    fn is_overdue(&mut self, cx: &mut Context<'_>) -> bool {
        if let Some(first) = &mut self.first {
            return first.is_over(cx);
        }
        let Some(timers) = &mut self.later else {
            return false;
        };
        timers.is_over(&self.tap.waits(cx), cx)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tapped<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        if let Poll::Ready(Err(error)) = &polled {
            self.tap.fail(alert(error));
        }
        if polled.is_ready() {
            self.first = None;
            if let Some(timers) = &mut self.later {
                timers.heard();
            }
            self.tap.keep(&buf.filled()[before..]);
        } else if self.is_overdue(cx) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        polled
    }
}

impl<S: AsyncRead + Unpin> Tapped<S> {
    /// What came of a write. Where the other side of HTTP/2 closed, which then reads no more, what
    /// it may have said before is heard first; its end can be read, so this does not wait for good.
    fn heeded<T>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let is_closed = matches!(
            &polled,
            Poll::Ready(Err(error)) if CLOSED.contains(&error.kind())
        );
        if !is_closed || !self.tap.is_mute() {
            return polled;
        }
        loop {
            let mut room = [0; 1024];
            let mut words = ReadBuf::new(&mut room);
            match std::task::ready!(Pin::new(&mut self.inner).poll_read(cx, &mut words)) {
                Ok(()) if !words.filled().is_empty() => {}
                Ok(()) => return polled,
                Err(error) => {
                    self.tap.fail(alert(&error));
                    return polled;
                }
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Tapped<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.heeded(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        self.heeded(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_flush(cx);
        self.heeded(cx, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// How long a goodbye may take.
const FAREWELL: Duration = Duration::from_secs(1);
/// What a write comes to once the other side has closed.
const CLOSED: [io::ErrorKind; 2] = [io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionReset];
