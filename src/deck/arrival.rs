//! A body that is waited for: read to its end, or up to where it was cut.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;

use crate::model::{Body, Captured, Chunks, Cut, Flow, Headers};

/// Reads a body to its end and keeps its first bytes up to the cap.
pub(super) async fn read(body: Body, cap: usize) -> Captured {
    let mut chunks = match body {
        Body::Full(bytes) => return Captured::of(&bytes, cap),
        Body::Live(chunks) => chunks,
    };
    let mut captured = Captured::default();
    while let Some(chunk) = poll_fn(|cx| chunks.as_mut().poll_chunk(cx)).await {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(cut) => {
                captured.cut = Some(cut);
                break;
            }
        };
        captured.append(&chunk, cap);
    }
    captured.trailers = chunks.trailers().cloned().unwrap_or_default();
    captured
}

/// Reads a body as far as the cap: what was seen of it, and a body that gives all of it again.
pub(super) async fn peek(body: Body, cap: usize) -> (Captured, Body) {
    let mut chunks = match body {
        Body::Full(bytes) => return (Captured::of(&bytes, cap), Body::Full(bytes)),
        Body::Live(chunks) => chunks,
    };
    let (mut captured, mut seen) = (Captured::default(), VecDeque::new());
    while captured.size <= cap as u64 {
        match poll_fn(|cx| chunks.as_mut().poll_chunk(cx)).await {
            Some(Ok(chunk)) => {
                captured.append(&chunk, cap);
                seen.push_back(chunk);
            }
            Some(Err(cut)) => {
                captured.cut = Some(cut);
                break;
            }
            None => {
                captured.trailers = chunks.trailers().cloned().unwrap_or_default();
                let body = match Vec::from(seen).as_slice() {
                    [whole] => Body::Full(whole.clone()),
                    parts => Body::from(parts.concat()),
                };
                let trailers = captured.trailers.clone();
                return (captured, body.trailed(trailers));
            }
        }
    }
    (captured, Body::Live(Box::pin(Again { seen, rest: chunks })))
}

/// Chunks that were seen, and those behind them.
struct Again {
    seen: VecDeque<Bytes>,
    rest: Chunks,
}

impl Flow for Again {
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Cut>>> {
        match self.seen.pop_front() {
            Some(chunk) => Poll::Ready(Some(Ok(chunk))),
            None => self.rest.as_mut().poll_chunk(cx),
        }
    }

    fn is_finished(&self) -> bool {
        self.seen.is_empty() && self.rest.is_finished()
    }

    fn remaining(&self) -> Option<u64> {
        let seen: usize = self.seen.iter().map(Bytes::len).sum();
        Some(self.rest.remaining()? + seen as u64)
    }

    fn trailers(&self) -> Option<&Headers> {
        self.rest.trailers()
    }
}
