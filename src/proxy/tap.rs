//! The raw-head tap: keeps the bytes of a message's head, whose case and order hyper does not show.

use std::mem::MaybeUninit;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use bytes::{Buf as _, Bytes, BytesMut};
use memchr::memmem::Finder;
use rustls::AlertDescription;

use crate::model::{Header, Headers};
use crate::proxy::prompt::Awaited;

/// The bytes that were read since the last message ended.
#[derive(Clone, Default)]
pub(super) struct Tap(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    bytes: BytesMut,
    /// Body bytes that will pass before the next head.
    skip: u64,
    passes: Passes,
    /// How many requests wait for the end of their answer.
    in_flight: usize,
    /// How many of them have an answer that waits for the client to take more of it.
    owed: usize,
    /// Whether one of the answers was asked for more since this was looked at.
    moved: bool,
    /// Who is to hear that something else is waited for.
    waiting: Option<Waker>,
    /// Whether a line of the head that was taken last ended without CR.
    bare_lf: bool,
    /// The alert that the other side ended TLS with.
    alert: Option<AlertDescription>,
    /// Told whether a message has begun that is not all there.
    awaited: Awaited,
}

/// What is read from the connection.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Passes {
    /// Heads, and bodies whose length they say.
    #[default]
    Messages,
    /// A body of unknown length.
    Body,
    /// What has no heads that could be read.
    Frames,
    /// No HTTP any more; it has its own limits.
    Foreign,
}

impl State {
    fn tell(&self) {
        self.awaited.set(match self.passes {
            Passes::Messages => self.skip > 0 || (!self.bytes.is_empty() && !self.is_whole()),
            Passes::Body | Passes::Frames | Passes::Foreign => true,
        });
    }

    /// Whether nothing but the client keeps the answers from going on. With HTTP/1 that shows in
    /// what can be written; with HTTP/2 its windows may be shut.
    fn is_owed(&self) -> bool {
        self.passes == Passes::Frames && self.in_flight > 0 && self.owed == self.in_flight
    }

    /// Has the connection see what it waits for by now.
    fn wake(&mut self) {
        if (self.in_flight == 0 || self.is_owed())
            && let Some(waker) = self.waiting.take()
        {
            waker.wake();
        }
    }

    fn is_whole(&self) -> bool {
        HEAD_END.find(&self.bytes).is_some()
    }
}

impl Tap {
    /// A tap of what a client sends.
    pub(super) fn of_client(awaited: Awaited) -> Self {
        let tap = Self::default();
        tap.lock().awaited = awaited;
        tap
    }

    /// The header fields of the head that was just parsed, in their case and order; `None` where
    /// the tap did not see it whole. The tap then waits for the end of the message.
    pub(super) fn take_head(&self, kind: Head) -> Option<Headers> {
        let mut state = self.lock();
        let (headers, body) = loop {
            let bytes = std::mem::take(&mut state.bytes).freeze();
            let Some((headers, length, body)) = parse(&bytes, kind) else {
                state.bytes = BytesMut::from(bytes);
                return None;
            };
            state.bare_lf = has_bare_lf(&bytes[..length]);
            state.bytes.extend_from_slice(&bytes[length..]);
            if body != Body::Interim {
                break (headers, body);
            }
        };
        match body {
            Body::Length(size) => {
                let here = size.min(state.bytes.len() as u64);
                state.skip = size - here;
                state
                    .bytes
                    .advance(usize::try_from(here).unwrap_or(usize::MAX));
            }
            Body::Unknown => {
                state.passes = Passes::Body;
                state.bytes.clear();
            }
            Body::Interim => {}
        }
        state.tell();
        Some(headers)
    }

    /// The message has ended: what comes next is a head.
    pub(super) fn next_message(&self) {
        let mut state = self.lock();
        if state.passes == Passes::Body {
            state.passes = Passes::Messages;
            state.bytes.clear();
        }
        state.tell();
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

    /// A tap that keeps nothing: what passes is framed otherwise than in HTTP/1.
    pub(super) fn mute() -> Self {
        let tap = Self::default();
        tap.lock().passes = Passes::Frames;
        tap
    }

    /// Whether nothing is kept.
    pub(super) fn is_mute(&self) -> bool {
        self.lock().passes == Passes::Frames
    }

    /// What comes now is no HTTP, and nothing is kept of it.
    pub(super) fn release(&self) {
        let mut state = self.lock();
        state.passes = Passes::Foreign;
        state.bytes = BytesMut::new();
        state.tell();
    }

    /// The client's connection ends with a reset.
    pub(super) fn reset(&self) {
        self.lock().awaited.reset();
    }

    /// A request is being answered for as long as the guard lives.
    pub(super) fn enter(&self) -> InFlight {
        self.lock().in_flight += 1;
        InFlight {
            tap: self.clone(),
            owes: false,
        }
    }

    /// What the connection waits for; whoever asks is woken when that is no answer any more.
    pub(super) fn waits(&self, cx: &Context<'_>) -> Waits {
        let mut state = self.lock();
        if state.is_owed() {
            let moved = std::mem::take(&mut state.moved);
            state.waiting = Some(cx.waker().clone());
            Waits::Reader { moved }
        } else if state.passes == Passes::Foreign || state.in_flight > 0 {
            state.waiting = Some(cx.waker().clone());
            Waits::Answer
        } else if state.passes == Passes::Messages && !state.bytes.is_empty() && !state.is_whole() {
            Waits::Head
        } else {
            Waits::Request
        }
    }

    /// A request is sent: whatever is left over belongs to no answer.
    pub(super) fn restart(&self) {
        let mut state = self.lock();
        let alert = state.alert;
        *state = State {
            alert,
            ..State::default()
        };
    }

    /// The connection failed, or the other side ended its TLS.
    pub(super) fn fail(&self, alert: Option<AlertDescription>) {
        let mut state = self.lock();
        state.alert = alert.or(state.alert);
    }

    /// The alert that the other side ended TLS with. With TLS 1.3 a server may say only there what
    /// it has against a handshake.
    pub(super) fn alert(&self) -> Option<AlertDescription> {
        self.lock().alert
    }

    pub(super) fn keep(&self, bytes: &[u8]) {
        let mut state = self.lock();
        let skipped = state.skip.min(bytes.len() as u64);
        state.skip -= skipped;
        let bytes = &bytes[usize::try_from(skipped).unwrap_or(bytes.len())..];
        let room = HEAD_MAX.saturating_sub(state.bytes.len());
        if state.passes == Passes::Messages {
            state
                .bytes
                .extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
        state.tell();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that waits for the end of its answer.
pub(super) struct InFlight {
    tap: Tap,
    owes: bool,
}

impl InFlight {
    /// The answer was asked for more; whether some was there for the client to take.
    pub(super) fn asked(&mut self, found: bool) {
        let mut state = self.tap.lock();
        state.moved = true;
        state.owed = state.owed + usize::from(found) - usize::from(self.owes);
        self.owes = found;
        state.wake();
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = self.tap.lock();
        state.in_flight -= 1;
        state.owed -= usize::from(self.owes);
        state.wake();
    }
}

/// What a connection waits for.
pub(super) enum Waits {
    Answer,
    /// That the client takes more of the answers; it may have since this was looked at.
    Reader {
        moved: bool,
    },
    /// The rest of a head.
    Head,
    Request,
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

fn parse(bytes: &Bytes, kind: Head) -> Option<(Headers, usize, Body)> {
    let start = bytes
        .iter()
        .position(|byte| !b"\r\n".contains(byte))
        .unwrap_or(0);
    let mut fields = [const { MaybeUninit::uninit() }; 256];
    let (length, interim, fields) = match kind {
        Head::Request => {
            let mut request = httparse::Request::new(&mut []);
            let parsed = request.parse_with_uninit_headers(&bytes[start..], &mut fields);
            let httparse::Status::Complete(length) = parsed.ok()? else {
                return None;
            };
            (length, false, request.headers)
        }
        Head::Response => {
            let mut response = httparse::Response::new(&mut []);
            let (config, head) = (lenient(), &bytes[start..]);
            let parsed =
                config.parse_response_with_uninit_headers(&mut response, head, &mut fields);
            let httparse::Status::Complete(length) = parsed.ok()? else {
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
        .map(|field| Header {
            name: field.name.to_owned(),
            value: bytes.slice_ref(field.value),
        })
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

static HEAD_END: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"\r\n\r\n"));
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
