//! The raw-head tap: keeps the bytes of a message's head, whose case and order hyper does not show.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::model::Headers;
use crate::proxy::patience::Patience;

/// The bytes that were read since the last message ended.
#[derive(Clone, Default)]
pub(super) struct Tap(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    /// Body bytes that will pass before the next head.
    skip: u64,
    /// Whether a body of unknown length passes.
    paused: bool,
    /// Whether what passes is no HTTP any more.
    off: bool,
    /// Whether a line of the head that was taken last ended without CR.
    bare_lf: bool,
}

impl Tap {
    /// The header fields of the head that was just parsed, in their case and order; `None` where
    /// the tap did not see it whole. The tap then waits for the end of the message.
    pub(super) fn take_head(&self, kind: Head) -> Option<Headers> {
        let mut state = self.lock();
        let (headers, length, body) = loop {
            let (headers, length, body) = parse(&state.bytes, kind)?;
            if body != Body::Interim {
                break (headers, length, body);
            }
            state.bytes.drain(..length);
        };
        state.bare_lf = has_bare_lf(&state.bytes[..length]);
        state.bytes.drain(..length);
        match body {
            Body::Length(size) => {
                let here = size.min(state.bytes.len() as u64);
                state.skip = size - here;
                state
                    .bytes
                    .drain(..usize::try_from(here).unwrap_or(usize::MAX));
            }
            Body::Unknown => {
                state.paused = true;
                state.bytes.clear();
            }
            Body::Interim => {}
        }
        Some(headers)
    }

    /// The message has ended: what comes next is a head.
    pub(super) fn next_message(&self) {
        let mut state = self.lock();
        if state.paused {
            state.paused = false;
            state.bytes.clear();
        }
    }

    /// Whether a line of the head that was taken last ended without CR, which readers behind may
    /// see otherwise than hyper did.
    pub(super) fn had_bare_lf(&self) -> bool {
        self.lock().bare_lf
    }

    /// Whether bytes came that belong to no message yet.
    pub(super) fn has_more(&self) -> bool {
        !self.lock().bytes.is_empty()
    }

    /// Whether a head has begun and is not whole yet.
    pub(super) fn is_within_head(&self) -> bool {
        let state = self.lock();
        let whole = || memchr::memmem::find(&state.bytes, b"\r\n\r\n").is_some();
        !state.off && !state.paused && !state.bytes.is_empty() && !whole()
    }

    /// What comes now is no HTTP, and nothing is kept of it.
    pub(super) fn switch_off(&self) {
        let mut state = self.lock();
        state.off = true;
        state.bytes = Vec::new();
    }

    /// A request is sent: whatever is left over belongs to no answer.
    pub(super) fn restart(&self) {
        *self.lock() = State::default();
    }

    fn keep(&self, bytes: &[u8]) {
        let mut state = self.lock();
        if state.off {
            return;
        }
        let skipped = state.skip.min(bytes.len() as u64);
        state.skip -= skipped;
        let bytes = &bytes[usize::try_from(skipped).unwrap_or(bytes.len())..];
        let room = HEAD_MAX.saturating_sub(state.bytes.len());
        if !state.paused {
            state
                .bytes
                .extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose head it is.
#[derive(Clone, Copy)]
pub(super) enum Head {
    Request,
    Response,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Body {
    Length(u64),
    Unknown,
    /// A 1xx response, which another head follows.
    Interim,
}

fn parse(bytes: &[u8], kind: Head) -> Option<(Headers, usize, Body)> {
    let start = bytes
        .iter()
        .position(|byte| !b"\r\n".contains(byte))
        .unwrap_or(0);
    let mut fields = [httparse::EMPTY_HEADER; 256];
    let (length, interim, fields) = match kind {
        Head::Request => {
            let mut request = httparse::Request::new(&mut fields);
            let httparse::Status::Complete(length) = request.parse(&bytes[start..]).ok()? else {
                return None;
            };
            (length, false, request.headers)
        }
        Head::Response => {
            let mut response = httparse::Response::new(&mut fields);
            let config = lenient();
            let parsed = config.parse_response(&mut response, &bytes[start..]).ok()?;
            let httparse::Status::Complete(length) = parsed else {
                return None;
            };
            let interim = response
                .code
                .is_some_and(|code| (100..200).contains(&code) && code != 101);
            (length, interim, response.headers)
        }
    };
    let headers: Headers = fields
        .iter()
        .map(|field| (field.name.to_owned(), field.value.to_vec()))
        .collect();
    let chunked = headers.has("transfer-encoding");
    let sized = headers
        .get("content-length")
        .and_then(|size| size.parse().ok());
    let body = match (interim, chunked, sized, kind) {
        (true, ..) => Body::Interim,
        (false, false, Some(size), Head::Request) => Body::Length(size),
        (false, false, None, Head::Request) => Body::Length(0),
        (false, ..) => Body::Unknown,
    };
    Some((headers, start + length, body))
}

fn has_bare_lf(head: &[u8]) -> bool {
    head.iter()
        .enumerate()
        .any(|(at, byte)| *byte == b'\n' && (at == 0 || head[at - 1] != b'\r'))
}

fn lenient() -> httparse::ParserConfig {
    let mut config = httparse::ParserConfig::default();
    config.allow_spaces_after_header_name_in_responses(true);
    config.allow_obsolete_multiline_headers_in_responses(true);
    config.ignore_invalid_headers_in_responses(true);
    config
}

/// A connection whose reads pass through a tap.
pub(super) struct Tapped<S> {
    inner: S,
    tap: Tap,
    /// For the first byte of all.
    first: Option<Patience>,
    /// For a head that has begun.
    head: Option<Patience>,
}

impl<S> Tapped<S> {
    pub(super) fn new(inner: S, tap: Tap) -> Self {
        Self {
            inner,
            tap,
            first: None,
            head: None,
        }
    }

    /// Ends the connection where the first byte, or a head that has begun, takes longer.
    pub(super) fn limited(mut self, first: Option<Duration>, head: Duration) -> Self {
        self.first = first.map(Patience::of);
        self.head = Some(Patience::of(head));
        self
    }

    pub(super) fn into_inner(self) -> S {
        self.inner
    }

    fn is_overdue(&mut self, cx: &mut Context<'_>) -> bool {
        if let Some(first) = &mut self.first {
            return first.is_over(cx);
        }
        let Some(head) = &mut self.head else {
            return false;
        };
        if self.tap.is_within_head() {
            return head.is_over(cx);
        }
        head.rest();
        false
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
        if polled.is_ready() {
            self.first = None;
            self.tap.keep(&buf.filled()[before..]);
        } else if self.is_overdue(cx) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tapped<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// hyper refuses a longer head.
const HEAD_MAX: usize = 512 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn names(headers: &Headers) -> Vec<&str> {
        headers.iter().map(|header| header.name.as_str()).collect()
    }

    #[test]
    fn heads_are_found_between_bodies() {
        let tap = Tap::default();
        tap.keep(b"POST / HTTP/1.1\r\nHOST: a\r\nx-B: 1\r\nX-b: 2\r\nContent-Length: 5\r\n\r\nab");
        assert_eq!(
            names(&tap.take_head(Head::Request).expect("a head")),
            ["HOST", "x-B", "X-b", "Content-Length"]
        );
        tap.next_message();
        tap.keep(b"cdeGET / HTTP/1.1\r\nhOST: b\r\n\r\n");
        assert_eq!(
            names(&tap.take_head(Head::Request).expect("a head")),
            ["hOST"]
        );
    }

    #[test]
    fn a_chunked_body_is_passed_over_until_its_message_ends() {
        let tap = Tap::default();
        tap.keep(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        tap.take_head(Head::Request).expect("a head");
        tap.keep(b"0\r\n\r\n");
        tap.next_message();
        tap.keep(b"GET / HTTP/1.1\r\nHost: b\r\n\r\n");
        assert_eq!(
            names(&tap.take_head(Head::Request).expect("a head")),
            ["Host"]
        );
    }

    #[test]
    fn interim_responses_are_skipped() {
        let tap = Tap::default();
        tap.keep(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX-Request-ID: 1\r\n\r\n");
        assert_eq!(
            names(&tap.take_head(Head::Response).expect("a head")),
            ["X-Request-ID"]
        );
    }

    #[test]
    fn a_head_that_was_not_seen_whole_is_not_guessed() {
        let tap = Tap::default();
        tap.keep(b"GET / HTTP/1.1\r\nHost:");
        assert!(tap.take_head(Head::Request).is_none());
    }
}
