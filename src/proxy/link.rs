//! A link: one upstream connection that belongs to one of the client's.

use std::error::Error as _;
use std::io;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use hyper::client::conn::{http1, http2};
use hyper_rustls::MaybeHttpsStream;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, oneshot};

use crate::model::{Body, Failure, FailureKind, Phase, Request, Response, Url};
use crate::proxy::Limits;
use crate::proxy::body::{Gate, OutBody};
use crate::proxy::dial::{DEMANDING, dial_kind};
use crate::proxy::limits::{
    CONNECTION_WINDOW, ERROR_RESETS_MAX, FRAME_MAX, HYPERS_FIELDS, PENDING_RESETS_MAX,
    SERVER_WINDOW,
};
use crate::proxy::tap::{Head, Tap};
use crate::proxy::tapped::Tapped;
use crate::proxy::trust::demands_certificate;
use crate::proxy::upstream::Upstream;
use crate::proxy::wire::{Noted, request_out, response_in};

/// What is dialled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: bool,
    /// The name that the client asked for, which may differ from the tunnel's.
    pub(super) sni: String,
}

impl Target {
    pub(super) fn at(url: &Url) -> Self {
        let tls = !url.scheme.eq_ignore_ascii_case("http");
        Self {
            host: url.host.clone(),
            port: url.effective_port(),
            tls,
            sni: url.host.clone(),
        }
    }
}

/// One upstream connection that belongs to one of the client's.
pub(super) struct Link {
    target: Target,
    alpn: Vec<Vec<u8>>,
    sender: Mutex<Option<Sender>>,
    /// Why the server could not be reached ahead of the first request, which gets to hear it.
    refused: std::sync::Mutex<Option<Failure>>,
}

enum Sender {
    Http1(Http1),
    Http2(http2::SendRequest<OutBody>, Hearing),
}

impl Link {
    /// A link that dials when it is first used, with this list of protocols.
    pub(super) fn to(target: Target, alpn: Vec<Vec<u8>>) -> Self {
        Self {
            target,
            alpn,
            sender: Mutex::new(None),
            refused: std::sync::Mutex::default(),
        }
    }

    /// Dials at once, and says which protocol the server chose.
    pub(super) async fn dial(&self, upstream: &Upstream) -> Result<Option<Vec<u8>>, Failure> {
        let opened = async {
            let dialled = upstream.dial(&self.target, &self.alpn).await?;
            let chosen = dialled.alpn.clone();
            Ok((dialled.open(upstream.limits()).await?, chosen))
        };
        let opened: Result<_, Failure> = opened.await;
        match opened {
            Ok((sender, chosen)) => {
                *self.sender.lock().await = Some(sender);
                Ok(chosen)
            }
            Err(failure) => {
                *self.refused.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some(failure.clone());
                Err(failure)
            }
        }
    }

    /// Sends a request and waits for the head of its answer.
    pub(super) async fn send(
        &self,
        upstream: &Upstream,
        request: Request,
        noted: Noted,
    ) -> Result<Response, Failure> {
        let started = Instant::now();
        let limits = upstream.limits();
        let refused = self
            .refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(failure) = refused {
            return Err(failure);
        }
        let waits = |value: &str| value.eq_ignore_ascii_case("100-continue");
        let gate = request
            .headers
            .get("expect")
            .is_some_and(waits)
            .then(Gate::default);
        // How long a body takes that is still arriving is up to the client.
        let (whole, sent) = oneshot::channel();
        let mut whole = Some(whole).filter(|_| matches!(request.body, Body::Live(_)));
        let mut slot = self.sender.lock().await;
        let sender = match slot.take() {
            Some(sender) if sender.is_usable() => sender,
            _ => self.open(upstream).await?,
        };
        let Ok(message) = request_out(request, sender.version(), noted) else {
            let (kind, phase) = (FailureKind::ProtocolError, Phase::Request);
            return Err(Failure::new(kind, phase, started.elapsed()));
        };
        let message = gated(message, gate.as_ref());
        let message = match whole.take() {
            Some(whole) => message.map(|body| body.telling(whole)),
            None => message,
        };
        let wait = Wait {
            started,
            sent,
            limit: limits.answer_head,
        };
        match sender {
            Sender::Http2(mut http2, hearing) => {
                *slot = Some(Sender::Http2(http2.clone(), hearing.clone()));
                drop(slot);
                let answer = wait.patiently(async { Ok(http2.send_request(message).await) });
                answer
                    .await?
                    .map(|answer| response_in(answer, None, limits.answer_gap))
                    .map_err(|error| hearing.failure(&error, started))
            }
            Sender::Http1(http1) => {
                let sent = self.send_http1(upstream, http1, message, started);
                let (answer, sender) = wait.patiently(sent).await?;
                // An answer that came before the body was let through leaves the connection
                // half-used.
                if gate.is_none_or(|gate| gate.is_open()) {
                    *slot = Some(sender);
                }
                Ok(answer)
            }
        }
    }

    async fn send_http1(
        &self,
        upstream: &Upstream,
        mut http1: Http1,
        message: http::Request<OutBody>,
        started: Instant,
    ) -> Result<(Response, Sender), Failure> {
        let gap = upstream.limits().answer_gap;
        let unsent = match http1.send(message, gap).await {
            Ok(answer) => return Ok((answer, Sender::Http1(http1))),
            Err(unsent) => unsent,
        };
        // A server that closed the idle connection has not seen the request: hyper hands it back.
        let Some(message) = unsent.message else {
            return Err(http1.hearing.failure(&unsent.error, started));
        };
        match self.open(upstream).await? {
            Sender::Http1(mut http1) => {
                let answer = http1.send(*message, gap).await;
                let failed = |unsent: Unsent| http1.hearing.failure(&unsent.error, started);
                let answer = answer.map_err(failed)?;
                Ok((answer, Sender::Http1(http1)))
            }
            Sender::Http2(..) => Err(http1.hearing.failure(&unsent.error, started)),
        }
    }

    async fn open(&self, upstream: &Upstream) -> Result<Sender, Failure> {
        // Boxed, for it is large and a connection opens once.
        let opened = Box::pin(async {
            let dialled = upstream.dial(&self.target, &self.alpn).await?;
            dialled.open(upstream.limits()).await
        });
        opened.await
    }
}

/// The wait for an answer's head, which begins when the whole request is sent.
struct Wait {
    started: Instant,
    /// Fails when the request's body is done with.
    sent: oneshot::Receiver<()>,
    limit: Duration,
}

impl Wait {
    async fn patiently<T>(
        self,
        answer: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let overdue = async {
            // Nothing is sent: the end of the body drops the other side.
            let _ = self.sent.await;
            tokio::time::sleep(self.limit).await;
        };
        tokio::select! {
            biased;
            answer = answer => answer,
            () = overdue => Err(Failure::new(
                FailureKind::ReadTimeout,
                Phase::ResponseHead,
                self.started.elapsed(),
            )),
        }
    }
}

/// Holds the body back behind a gate, which the server's 100 opens, or a second without it.
fn gated(mut message: http::Request<OutBody>, gate: Option<&Gate>) -> http::Request<OutBody> {
    let Some(gate) = gate else {
        return message;
    };
    let opener = gate.clone();
    hyper::ext::on_informational(&mut message, move |response| {
        if response.status() == http::StatusCode::CONTINUE {
            opener.open();
        }
    });
    let opener = gate.clone();
    tokio::spawn(async move {
        tokio::time::sleep(CONTINUE_TIMEOUT).await;
        opener.open();
    });
    message.map(|body| body.gated(gate.clone()))
}

struct Unsent {
    error: hyper::Error,
    message: Option<Box<http::Request<OutBody>>>,
}

impl Sender {
    fn is_usable(&self) -> bool {
        match self {
            Self::Http1(http1) => !http1.sender.is_closed(),
            Self::Http2(sender, _) => !sender.is_closed(),
        }
    }

    fn version(&self) -> http::Version {
        match self {
            Self::Http1(_) => http::Version::HTTP_11,
            Self::Http2(..) => http::Version::HTTP_2,
        }
    }
}

/// An HTTP/1 connection with the tap on what it reads.
struct Http1 {
    sender: http1::SendRequest<OutBody>,
    hearing: Hearing,
}

/// What was heard of a server besides its answers.
#[derive(Clone)]
struct Hearing {
    tap: Tap,
    /// It asked for a certificate, and there was none.
    asks: bool,
}

impl Hearing {
    fn failure(&self, error: &hyper::Error, started: Instant) -> Failure {
        let demands = |alert| demands_certificate(alert, self.asks);
        if !self.tap.alert().is_some_and(demands) {
            return sending(error, started);
        }
        let (kind, phase) = (FailureKind::ClientCertificateRequired, Phase::Connect);
        Failure {
            detail: Some(DEMANDING.into()),
            ..Failure::new(kind, phase, started.elapsed())
        }
    }
}

impl Http1 {
    async fn send(
        &mut self,
        message: http::Request<OutBody>,
        gap: Duration,
    ) -> Result<Response, Unsent> {
        if let Err(error) = self.sender.ready().await {
            return Err(Unsent {
                error,
                message: Some(Box::new(message)),
            });
        }
        self.hearing.tap.restart();
        match self.sender.try_send_request(message).await {
            Ok(answer) => {
                let head = self.hearing.tap.take_head(Head::Response);
                Ok(response_in(answer, head, gap))
            }
            Err(mut unsent) => {
                let message = unsent.take_message().map(Box::new);
                Err(Unsent {
                    error: unsent.into_error(),
                    message,
                })
            }
        }
    }
}

/// A connection that stands, with the protocol that was agreed on.
pub(super) struct Dialled {
    pub(super) stream: MaybeHttpsStream<TokioIo<TcpStream>>,
    alpn: Option<Vec<u8>>,
    /// The server asked for a certificate, and there was none.
    asks: bool,
}

impl Dialled {
    /// A connection, and the protocols that were offered for it: without TLS nothing is agreed
    /// on, and the first is spoken.
    pub(super) fn new(
        stream: MaybeHttpsStream<TokioIo<TcpStream>>,
        offered: &[Vec<u8>],
        asks: bool,
    ) -> Self {
        let alpn = match &stream {
            MaybeHttpsStream::Https(tls) => {
                tls.inner().get_ref().1.alpn_protocol().map(<[u8]>::to_vec)
            }
            MaybeHttpsStream::Http(_) => offered.first().cloned(),
        };
        Self { stream, alpn, asks }
    }

    async fn open(self, limits: &Limits) -> Result<Sender, Failure> {
        let started = Instant::now();
        let is_http2 = self.alpn.as_deref() == Some(b"h2");
        let tap = if is_http2 {
            Tap::mute()
        } else {
            Tap::default()
        };
        let hearing = Hearing {
            tap: tap.clone(),
            asks: self.asks,
        };
        let heard = hearing.clone();
        let failed = |error: hyper::Error| match heard.failure(&error, started) {
            demanding if demanding.kind == FailureKind::ClientCertificateRequired => demanding,
            Failure { after, .. } => {
                Failure::new(FailureKind::ProtocolError, Phase::Connect, after)
            }
        };
        let io = TokioIo::new(Tapped::new(TokioIo::new(self.stream), tap));
        if is_http2 {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            builder
                .timer(TokioTimer::new())
                .initial_stream_window_size(SERVER_WINDOW)
                .initial_connection_window_size(CONNECTION_WINDOW)
                .max_frame_size(FRAME_MAX)
                .max_pending_accept_reset_streams(PENDING_RESETS_MAX)
                .max_local_error_reset_streams(ERROR_RESETS_MAX)
                .max_header_list_size(u32::try_from(limits.head).unwrap_or(u32::MAX));
            let (sender, connection) = builder.handshake(io).await.map_err(failed)?;
            tokio::spawn(connection);
            return Ok(Sender::Http2(sender, hearing));
        }
        let mut builder = http1::Builder::new();
        builder
            .preserve_header_case(true)
            .title_case_headers(true)
            .allow_spaces_after_header_name_in_responses(true)
            .allow_obsolete_multiline_headers_in_responses(true)
            .ignore_invalid_headers_in_responses(true);
        if limits.fields != HYPERS_FIELDS {
            builder.max_headers(limits.fields);
        }
        let (sender, connection) = builder.handshake(io).await.map_err(failed)?;
        tokio::spawn(connection.with_upgrades());
        Ok(Sender::Http1(Http1 { sender, hearing }))
    }
}

fn sending(error: &hyper::Error, started: Instant) -> Failure {
    if error.is_user() {
        let cause = error
            .source()
            .and_then(|cause| cause.downcast_ref::<io::Error>());
        let kind = match cause.map(io::Error::kind) {
            Some(io::ErrorKind::InvalidData) => FailureKind::ProtocolError,
            Some(io::ErrorKind::TimedOut) => FailureKind::ReadTimeout,
            _ => FailureKind::ClientAborted,
        };
        return Failure::new(kind, Phase::Request, started.elapsed());
    }
    let kind = if error.is_parse() {
        FailureKind::ProtocolError
    } else if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        FailureKind::ClosedEarly
    } else {
        match error.source().map(dial_kind) {
            Some(
                kind @ (FailureKind::ClosedEarly
                | FailureKind::ConnectTimeout
                | FailureKind::TlsFailure),
            ) => kind,
            _ => FailureKind::ConnectionReset,
        }
    };
    Failure {
        detail: error.is_parse_too_large().then(|| TOO_LARGE.into()),
        ..Failure::new(kind, Phase::ResponseHead, started.elapsed())
    }
}

const TOO_LARGE: &str =
    "its answer has more fields than the limit `fields`, or a head too long for anybody";
const CONTINUE_TIMEOUT: Duration = Duration::from_secs(1);
