//! A body: all there, or still arriving with the means to watch it pass.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use zeroize::Zeroizing;

use crate::model::Headers;

/// How a body that is still arriving ended too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The sender closed the connection.
    Closed,
    /// The sender reset the connection, or the stream.
    Reset,
    /// The sender's framing could not be read.
    Malformed,
    /// The receiver went away before the end.
    Abandoned,
    /// The sender said nothing for too long.
    Stalled,
}

/// A stream of body chunks; the wire layer implements it, the core only passes it on.
pub trait Flow: Send {
    /// The next chunk, `None` after the last one.
    fn poll_chunk(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Cut>>>;

    /// Whether the last chunk has been handed out, where that is known without asking again.
    fn is_finished(&self) -> bool;

    /// The exact number of bytes still to come, where the framing says it.
    fn remaining(&self) -> Option<u64>;

    /// The trailer section (RFC 9110 section 6.5), once the last chunk has been handed out.
    fn trailers(&self) -> Option<&Headers> {
        None
    }
}

/// A body that is still arriving.
pub type Chunks = Pin<Box<dyn Flow>>;

/// The body of a message.
pub enum Body {
    /// Every byte is here.
    Full(Bytes),
    /// The bytes arrive as they are asked for, with back pressure.
    Live(Chunks),
}

impl Body {
    /// A body of no bytes.
    pub fn empty() -> Self {
        Self::Full(Bytes::new())
    }

    /// A body that ends too early behind these bytes.
    pub fn severed(bytes: Bytes, cut: Cut) -> Self {
        Self::Live(Box::pin(Severed {
            bytes: Some(bytes).filter(|bytes| !bytes.is_empty()),
            cut: Some(cut),
        }))
    }

    /// The same body with a trailer section behind it, where there are fields for one and the
    /// bytes are all here.
    #[must_use]
    pub fn trailed(self, trailers: Headers) -> Self {
        match self {
            Self::Full(bytes) if !trailers.is_empty() => Self::Live(Box::pin(Trailed {
                bytes: Some(bytes).filter(|bytes| !bytes.is_empty()),
                trailers,
                ended: false,
            })),
            body => body,
        }
    }

    /// Copies up to `cap` bytes of the body as it passes, and says once, at its end, what it was.
    ///
    /// `at_end` runs before the last bytes are handed on, and at the drop of a body that nobody
    /// read to its end.
    pub fn watch(&mut self, cap: usize, at_end: impl FnOnce(Captured) + Send + 'static) {
        match std::mem::replace(self, Self::empty()) {
            Self::Full(bytes) => {
                at_end(Captured::of(&bytes, cap));
                *self = Self::Full(bytes);
            }
            Self::Live(chunks) => *self = Self::Live(Box::pin(Tee::new(chunks, cap, at_end))),
        }
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        Self::Full(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::Full(Bytes::from(text))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Full(Bytes::from(bytes))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(bytes) => write!(f, "Full({} bytes)", bytes.len()),
            Self::Live(_) => write!(f, "Live"),
        }
    }
}

/// What was seen of a body: its first bytes up to the cap, its whole size, and how it ended.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Captured {
    /// The bytes up to the cap; they are wiped when nobody needs them.
    pub bytes: Zeroizing<Vec<u8>>,
    /// How many bytes passed in all.
    pub size: u64,
    /// Why it ended too early, if it did.
    pub cut: Option<Cut>,
    /// Whether the bytes are still under a content coding that could not be undone.
    pub is_coded: bool,
    /// Whether the content coding was undone, though the header fields still name it.
    pub is_decoded: bool,
    /// The fields that came behind the body.
    pub trailers: Headers,
}

impl Captured {
    /// All of `bytes`, copied up to `cap`.
    pub fn of(bytes: &[u8], cap: usize) -> Self {
        let kept = bytes.len().min(cap);
        Self {
            bytes: Zeroizing::new(bytes[..kept].to_vec()),
            size: bytes.len() as u64,
            ..Self::default()
        }
    }

    /// Takes in what passes next, and keeps of it what the cap leaves room for.
    pub fn append(&mut self, chunk: &[u8], cap: usize) {
        let room = cap.saturating_sub(self.bytes.len());
        self.bytes
            .extend_from_slice(&chunk[..chunk.len().min(room)]);
        self.size += chunk.len() as u64;
    }

    /// Whether every byte that passed is here and nothing is missing.
    pub fn is_whole(&self) -> bool {
        self.cut.is_none() && self.bytes.len() as u64 == self.size
    }
}

impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Captured({} bytes, cut: {:?})", self.size, self.cut)
    }
}

struct Severed {
    bytes: Option<Bytes>,
    cut: Option<Cut>,
}

impl Flow for Severed {
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Cut>>> {
        let bytes = self.bytes.take().map(Ok);
        Poll::Ready(bytes.or_else(|| self.cut.take().map(Err)))
    }

    fn is_finished(&self) -> bool {
        self.cut.is_none()
    }

    fn remaining(&self) -> Option<u64> {
        None
    }
}

struct Trailed {
    bytes: Option<Bytes>,
    trailers: Headers,
    ended: bool,
}

impl Flow for Trailed {
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Cut>>> {
        let bytes = self.bytes.take();
        self.ended = bytes.is_none();
        Poll::Ready(bytes.map(Ok))
    }

    fn is_finished(&self) -> bool {
        self.ended
    }

    /// Unknown, for a body of a stated length has no room for trailers on HTTP/1.
    fn remaining(&self) -> Option<u64> {
        None
    }

    fn trailers(&self) -> Option<&Headers> {
        Some(&self.trailers)
    }
}

/// The bounded copy of a body that passes: back pressure untouched, memory bounded by the cap.
pub struct Tee {
    inner: Chunks,
    cap: usize,
    captured: Captured,
    at_end: Option<Box<dyn FnOnce(Captured) + Send>>,
}

impl Tee {
    fn new(inner: Chunks, cap: usize, at_end: impl FnOnce(Captured) + Send + 'static) -> Self {
        Self {
            inner,
            cap,
            captured: Captured::default(),
            at_end: Some(Box::new(at_end)),
        }
    }

    fn end(&mut self, cut: Option<Cut>) {
        if let Some(at_end) = self.at_end.take() {
            self.captured.cut = cut;
            self.captured.trailers = self.inner.trailers().cloned().unwrap_or_default();
            at_end(std::mem::take(&mut self.captured));
        }
    }
}

impl Flow for Tee {
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Cut>>> {
        let this = &mut *self;
        let polled = std::task::ready!(this.inner.as_mut().poll_chunk(cx));
        match &polled {
            Some(Ok(chunk)) => {
                this.captured.append(chunk, this.cap);
                if this.inner.is_finished() {
                    this.end(None);
                }
            }
            Some(Err(cut)) => this.end(Some(*cut)),
            None => this.end(None),
        }
        Poll::Ready(polled)
    }

    fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }

    fn remaining(&self) -> Option<u64> {
        self.inner.remaining()
    }

    fn trailers(&self) -> Option<&Headers> {
        self.inner.trailers()
    }
}

impl Drop for Tee {
    fn drop(&mut self) {
        // A fixed-length body is dropped, not asked for its end, once its last byte has passed.
        let cut = (!self.inner.is_finished()).then_some(Cut::Abandoned);
        self.end(cut);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};
    use std::task::Waker;

    use super::*;

    struct Scripted(VecDeque<Result<Bytes, Cut>>);

    impl Flow for Scripted {
        fn poll_chunk(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Bytes, Cut>>> {
            Poll::Ready(self.0.pop_front())
        }

        fn is_finished(&self) -> bool {
            self.0.is_empty()
        }

        fn remaining(&self) -> Option<u64> {
            None
        }
    }

    type Chunk = Result<&'static [u8], Cut>;

    fn watched(script: &[Chunk], reads: usize, cap: usize) -> Captured {
        let chunks = script
            .iter()
            .map(|item| item.map(Bytes::from_static))
            .collect();
        let mut body = Body::Live(Box::pin(Scripted(chunks)));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&seen);
        body.watch(cap, move |captured| {
            sink.lock().expect("a lock").push(captured);
        });
        let mut context = Context::from_waker(Waker::noop());
        if let Body::Live(chunks) = &mut body {
            for _ in 0..reads {
                assert!(chunks.as_mut().poll_chunk(&mut context).is_ready());
            }
        }
        drop(body);
        let mut seen = seen.lock().expect("a lock");
        assert_eq!(seen.len(), 1, "the end is said once");
        seen.remove(0)
    }

    #[test]
    fn the_tee_says_what_passed_and_how_it_ended() {
        let (a, b): (Chunk, Chunk) = (Ok(b"abc"), Ok(b"def"));
        for (name, script, reads, cap, expected) in [
            (
                "read to the end",
                vec![a, b],
                3,
                9,
                (&b"abcdef"[..], 6, None),
            ),
            (
                "dropped after the last byte",
                vec![a, b],
                2,
                9,
                (b"abcdef", 6, None),
            ),
            (
                "dropped in the middle",
                vec![a, b],
                1,
                9,
                (b"abc", 3, Some(Cut::Abandoned)),
            ),
            (
                "cut by the sender",
                vec![a, Err(Cut::Closed)],
                2,
                9,
                (b"abc", 3, Some(Cut::Closed)),
            ),
            ("longer than the cap", vec![a, b], 3, 4, (b"abcd", 6, None)),
        ] {
            let captured = watched(&script, reads, cap);
            let got = (captured.bytes.as_slice(), captured.size, captured.cut);
            assert_eq!(got, expected, "{name}");
        }
    }
}
