//! Bodies between hyper and the core: one that arrives, one that is sent, and the gate before it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use tokio::sync::oneshot;

use crate::model::{Body, Chunks, Cut, Flow, Headers};
use crate::proxy::patience::Patience;
use crate::proxy::tap::{InFlight, Tap};
use crate::proxy::wire::{HOP_BY_HOP, forwarded, headers_in};

pub(super) fn body_in(body: Incoming, tap: Option<Tap>, gap: Duration) -> Body {
    if body.is_end_stream() {
        if let Some(tap) = tap {
            tap.next_message();
        }
        return Body::empty();
    }
    Body::Live(Box::pin(IncomingFlow {
        body,
        tap,
        ended: false,
        trailers: None,
        gap: Patience::of(gap),
    }))
}

/// The fields of a trailer section that may stand in one (RFC 9110 section 6.5.1).
fn trailers_in(fields: &HeaderMap) -> Option<Headers> {
    let mut trailers = headers_in(fields);
    trailers.retain(|field| {
        let name = field.name.as_str();
        !HOP_BY_HOP.contains(&name) && !HEADERS_ONLY.contains(&name)
    });
    Some(trailers).filter(|trailers| !trailers.is_empty())
}

/// A body that hyper receives.
struct IncomingFlow {
    body: Incoming,
    /// Told when the body has ended, since a head comes next.
    tap: Option<Tap>,
    ended: bool,
    trailers: Option<Headers>,
    /// Runs while the next bytes are waited for.
    gap: Patience,
}

impl IncomingFlow {
    fn end(&mut self) {
        self.ended = true;
        if let Some(tap) = self.tap.take() {
            tap.next_message();
        }
    }
}

impl Flow for IncomingFlow {
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Cut>>> {
        loop {
            let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
                if self.gap.is_over(cx) {
                    self.ended = true;
                    return Poll::Ready(Some(Err(Cut::Stalled)));
                }
                return Poll::Pending;
            };
            self.gap.rest();
            match frame {
                Some(Ok(frame)) => {
                    let data = match frame.into_data() {
                        Ok(data) => data,
                        Err(frame) => {
                            self.trailers = frame.trailers_ref().and_then(trailers_in);
                            continue;
                        }
                    };
                    if self.body.is_end_stream() {
                        self.end();
                    }
                    return Poll::Ready(Some(Ok(data)));
                }
                Some(Err(error)) => {
                    self.ended = true;
                    let cut = cut_by(&error);
                    return Poll::Ready(Some(Err(cut)));
                }
                None => {
                    self.end();
                    return Poll::Ready(None);
                }
            }
        }
    }

    fn is_finished(&self) -> bool {
        self.ended || self.body.is_end_stream()
    }

    fn remaining(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    fn trailers(&self) -> Option<&Headers> {
        self.trailers.as_ref()
    }
}

/// What hyper says of a body that did not come to its end.
fn cut_by(error: &hyper::Error) -> Cut {
    let cause = std::error::Error::source(error);
    let kind = cause
        .and_then(|cause| cause.downcast_ref::<io::Error>())
        .map(io::Error::kind);
    match kind {
        _ if error.is_parse() => Cut::Malformed,
        Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => Cut::Malformed,
        Some(io::ErrorKind::ConnectionReset) => Cut::Reset,
        _ => Cut::Closed,
    }
}

/// A body that hyper sends.
pub(super) struct OutBody {
    body: Body,
    gate: Option<Gate>,
    hidden_end: bool,
    in_flight: Option<InFlight>,
    /// Whether what stands behind the body was sent.
    trailed: bool,
    /// How the body ended too early.
    broken: Option<io::ErrorKind>,
    /// Dropped with the body.
    whole: Option<oneshot::Sender<()>>,
}

impl OutBody {
    pub(super) fn new(body: Body) -> Self {
        Self {
            body,
            gate: None,
            hidden_end: false,
            in_flight: None,
            trailed: false,
            broken: None,
            whole: None,
        }
    }

    /// Tells when it is sent, or given up.
    pub(super) fn telling(mut self, whole: oneshot::Sender<()>) -> Self {
        self.whole = Some(whole);
        self
    }

    /// Keeps the request in flight for as long as the body is.
    pub(super) fn until_sent(mut self, in_flight: InFlight) -> Self {
        self.in_flight = Some(in_flight);
        self
    }

    /// Has an empty body look like one of unknown length.
    pub(super) fn hiding_its_end(mut self) -> Self {
        self.hidden_end = true;
        self
    }

    /// Holds the body back until the gate opens.
    pub(super) fn gated(mut self, gate: Gate) -> Self {
        self.gate = Some(gate);
        self
    }

    fn take_trailers(&mut self) -> Option<Frame<Bytes>> {
        let sent = std::mem::replace(&mut self.trailed, true);
        let trailers = self.chunks()?.trailers().filter(|_| !sent)?;
        Some(Frame::trailers(forwarded(trailers, None)))
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(gate) = &self.gate {
            std::task::ready!(gate.poll_open(cx));
            self.gate = None;
        }
        self.hidden_end = false;
        if let Some(kind) = self.broken.take() {
            return Poll::Ready(Some(Err(kind.into())));
        }
        if let Body::Full(bytes) = &mut self.body {
            let bytes = std::mem::take(bytes);
            return Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))));
        }
        let Some(chunks) = self.chunks() else {
            return Poll::Ready(None);
        };
        match std::task::ready!(chunks.as_mut().poll_chunk(cx)) {
            None => Poll::Ready(self.take_trailers().map(Ok)),
            Some(Ok(bytes)) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            Some(Err(cut)) => {
                self.broken = Some(match cut {
                    Cut::Stalled => io::ErrorKind::TimedOut,
                    Cut::Malformed => io::ErrorKind::InvalidData,
                    Cut::Reset => io::ErrorKind::ConnectionReset,
                    Cut::Closed | Cut::Abandoned => io::ErrorKind::UnexpectedEof,
                });
                // hyper drops what it has not written yet, the head among it, with an error: it
                // gets to write once more before it hears of this one.
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    fn chunks(&mut self) -> Option<&mut Chunks> {
        match &mut self.body {
            Body::Live(chunks) => Some(chunks),
            Body::Full(_) => None,
        }
    }
}

impl hyper::body::Body for OutBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let polled = self.poll_next(cx);
        if let Some(in_flight) = &mut self.in_flight {
            in_flight.asked(polled.is_ready());
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.body {
            Body::Full(bytes) => bytes.is_empty() && !self.hidden_end,
            Body::Live(chunks) => {
                let trails = chunks.trailers().is_some() && !self.trailed;
                chunks.is_finished() && !trails && self.broken.is_none()
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Body::Full(_) if self.hidden_end => SizeHint::default(),
            Body::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Body::Live(chunks) => chunks
                .remaining()
                .map_or_else(SizeHint::default, SizeHint::with_exact),
        }
    }
}

/// Holds a request's body back until the server says 100 Continue, or nothing for a while
/// (RFC 9110 section 10.1.1).
#[derive(Clone, Default)]
pub(super) struct Gate(Arc<GateState>);

#[derive(Default)]
struct GateState {
    open: AtomicBool,
    waker: std::sync::Mutex<Option<std::task::Waker>>,
}

impl Gate {
    pub(super) fn open(&self) {
        self.0.open.store(true, Ordering::Release);
        let waker = self
            .0
            .waker
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.0.open.load(Ordering::Acquire)
    }

    fn poll_open(&self, cx: &mut Context<'_>) -> Poll<()> {
        *self
            .0
            .waker
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(cx.waker().clone());
        if self.is_open() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// Fields that are read before the body, or by those on the way (RFC 9110 section 6.5.1): behind
/// it they would be too late, or could deceive.
const HEADERS_ONLY: &[&str] = &[
    "age",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "expect",
    "expires",
    "host",
    "location",
    "max-forwards",
    "pragma",
    "range",
    "retry-after",
    "set-cookie",
    "trailer",
    "vary",
    "warning",
    "www-authenticate",
];
