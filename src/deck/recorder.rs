//! The recorder: asks the real server, and lays both sides on the reel as they pass.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::deck::arrival::read;
use crate::deck::reel::{Reel, unix_now};
use crate::model::{
    Body, Captured, Cut, Exchange, Failure, FailureKind, Heard, Incident, Phase, Request, Response,
};
use crate::proxy::Handler;

/// A handler around another that records what passes; neither side notices.
pub(super) struct Recorder<U> {
    upstream: U,
    reel: Arc<Reel>,
    cap: usize,
}

impl<U> Recorder<U> {
    /// Records on this reel what `upstream` answers, and as much of a body.
    pub(super) fn new(upstream: U, reel: Arc<Reel>, cap: usize) -> Self {
        Self {
            upstream,
            reel,
            cap,
        }
    }

    /// What it records on.
    pub(super) fn reel(&self) -> &Reel {
        &self.reel
    }
}

impl<U: Handler> Handler for Recorder<U> {
    async fn handle(&self, mut request: Request) -> Result<Response, Failure> {
        let mut take = Take::of(&mut request, Arc::clone(&self.reel), self.cap);
        if is_short(&request, self.cap) {
            // A server that cannot be reached must not leave the request unread.
            let mut arrived = read(
                std::mem::replace(&mut request.body, Body::empty()),
                self.cap,
            )
            .await;
            if let Some(cut) = arrived.cut {
                return Err(take.cut(cut));
            }
            let bytes = std::mem::take(&mut *arrived.bytes);
            request.body = Body::from(bytes).trailed(arrived.trailers);
        }
        let mut response = match self.upstream.handle(request).await {
            Ok(response) => response,
            Err(failure) => {
                take.fail(failure.clone());
                return Err(failure);
            }
        };
        take.heard(&response);
        response
            .body
            .watch(self.cap, move |captured| take.end(captured));
        Ok(response)
    }

    fn incident(&self, incident: Incident) {
        self.reel.incident(incident);
    }
}

/// Whether the request says how long its body is, fits the cap, and waits for nobody's word.
fn is_short(request: &Request, cap: usize) -> bool {
    let length = match &request.body {
        Body::Live(chunks) => chunks.remaining(),
        Body::Full(_) => None,
    };
    length.is_some_and(|length| length <= cap as u64) && !request.headers.has("expect")
}

/// One exchange while it passes. Dropped before its end, it is the client that went away.
struct Take {
    reel: Arc<Reel>,
    started: Instant,
    sent: Arc<Mutex<Option<Captured>>>,
    /// `None` once it lies on the reel.
    exchange: Option<Exchange>,
}

impl Take {
    fn of(request: &mut Request, reel: Arc<Reel>, cap: usize) -> Self {
        let (id, started) = reel.start();
        let sent = Arc::new(Mutex::new(None));
        let sink = Arc::clone(&sent);
        request.body.watch(cap, move |captured| {
            *sink.lock().unwrap_or_else(PoisonError::into_inner) = Some(captured);
        });
        let said = request.said(Captured::default());
        let at = reel.since_begin(started);
        let exchange = Exchange {
            id,
            at,
            clock: 0,
            request: said,
            response: None,
            failure: None,
        };
        Self {
            reel,
            started,
            sent,
            exchange: Some(exchange),
        }
    }

    fn heard(&mut self, response: &Response) {
        let after = self.started.elapsed();
        if let Some(exchange) = &mut self.exchange {
            exchange.clock = unix_now();
            exchange.response = Some(Heard {
                after,
                ..response.heard()
            });
        }
    }

    fn end(&mut self, captured: Captured) {
        let failure = captured.cut.map(|cut| match cut {
            Cut::Abandoned => FailureKind::ClientAborted,
            Cut::Closed => FailureKind::ClosedEarly,
            Cut::Reset => FailureKind::ConnectionReset,
            Cut::Malformed => FailureKind::ProtocolError,
            Cut::Stalled => FailureKind::ReadTimeout,
        });
        let failure =
            failure.map(|kind| Failure::new(kind, Phase::ResponseBody, self.started.elapsed()));
        if let Some(response) = self
            .exchange
            .as_mut()
            .and_then(|exchange| exchange.response.as_mut())
        {
            response.body = captured;
        }
        self.lay(failure);
    }

    /// The client did not send all of its request.
    fn cut(&mut self, cut: Cut) -> Failure {
        let kind = match cut {
            Cut::Abandoned | Cut::Closed | Cut::Reset => FailureKind::ClientAborted,
            Cut::Malformed => FailureKind::ProtocolError,
            Cut::Stalled => FailureKind::ReadTimeout,
        };
        let failure = Failure::new(kind, Phase::Request, self.started.elapsed());
        self.fail(failure.clone());
        failure
    }

    fn fail(&mut self, failure: Failure) {
        self.lay(Some(failure));
    }

    fn lay(&mut self, failure: Option<Failure>) {
        let Some(mut exchange) = self.exchange.take() else {
            return;
        };
        let sent = self
            .sent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // A server may answer before the client has sent everything; what is missing was cut.
        exchange.request.body = sent.unwrap_or_else(|| Captured {
            cut: Some(Cut::Abandoned),
            ..Captured::default()
        });
        if exchange.response.is_none() {
            exchange.clock = unix_now();
        }
        exchange.failure = failure;
        self.reel.lay(exchange);
    }
}

impl Drop for Take {
    fn drop(&mut self) {
        let phase = match &self.exchange {
            Some(Exchange {
                response: Some(_), ..
            }) => Phase::ResponseBody,
            Some(_) => Phase::ResponseHead,
            None => return,
        };
        let (kind, after) = (FailureKind::ClientAborted, self.started.elapsed());
        self.lay(Some(Failure::new(kind, phase, after)));
    }
}
