//! A client's connection while it is served, by either protocol, and what all of them share.

use std::pin::Pin;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::model::Incident;
use crate::proxy::answer::Severed;
use crate::proxy::body::OutBody;
use crate::proxy::front::Front;
use crate::proxy::glob::any_matches;
use crate::proxy::limits::HYPERS_FIELDS;
use crate::proxy::limits::{
    CLIENT_WINDOW, CONNECTION_WINDOW, ERROR_RESETS_MAX, FRAME_MAX, PENDING_RESETS_MAX, STREAMS_MAX,
};
use crate::proxy::prompt::Client;
use crate::proxy::reverse::Stand;
use crate::proxy::server::Reach;
use crate::proxy::tap::Tap;
use crate::proxy::tapped::Tapped;
use crate::proxy::{Authority, Handler, Limits, Password};

/// What every connection shares.
pub(super) struct Proxy<H> {
    pub(super) handler: H,
    pub(super) reach: Reach,
    pub(super) authority: Arc<Authority>,
    pub(super) hosts: Vec<String>,
    pub(super) http1: bool,
    pub(super) stands: Vec<Arc<Stand>>,
    pub(super) limits: Limits,
    pub(super) password: Option<Password>,
    /// Those of the connections that may be open at once.
    pub(super) places: Arc<Semaphore>,
    pub(super) stop: CancellationToken,
    pub(super) cut: CancellationToken,
    pub(super) tasks: TaskTracker,
}

impl<H: Handler> Proxy<H> {
    /// Whether what goes to this host is read.
    pub(super) fn opens(&self, host: &str) -> bool {
        self.hosts.is_empty() || any_matches(&self.hosts, host)
    }

    /// Runs a task that ends with the proxy.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.spawn_on(&Handle::current(), task);
    }

    pub(super) fn spawn_on(&self, lane: &Handle, task: impl Future<Output = ()> + Send + 'static) {
        let cut = self.cut.clone();
        // Boxed, for a future that is moved into another takes its room twice.
        let task = Box::pin(task);
        let task = async move {
            tokio::select! {
                () = task => {}
                () = cut.cancelled() => {}
            }
        };
        self.tasks.spawn_on(task, lane);
    }

    /// Serves HTTP/1 until the connection ends; says what ended it.
    pub(super) async fn serve_http1(self: &Arc<Self>, stream: impl Client, front: Front) -> Ended {
        let tap = Tap::of_client(stream.awaited());
        let front = Arc::new(front);
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(None)
            .preserve_header_case(true)
            .title_case_headers(true)
            .auto_date_header(false)
            .max_buf_size(self.limits.head + self.limits.target + LINE_REST);
        if self.limits.fields != HYPERS_FIELDS {
            builder.max_headers(self.limits.fields);
        }
        let weary = Arc::new(Notify::new());
        let service = self.service(&front, &tap);
        let stream = Tapped::new(stream, tap).limited(&self.limits, Arc::clone(&weary));
        let connection = builder
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let turn_away = http1::UpgradeableConnection::graceful_shutdown;
        let ended = self.until_end(connection, turn_away, &weary, &front).await;
        if ended.error.as_ref().is_some_and(hyper::Error::is_parse) {
            self.handler.incident(Incident::Unreadable {
                host: front.host(),
                reason: "it is no HTTP that can be read",
            });
        }
        ended
    }

    /// Serves HTTP/2 until the connection ends; says what ended it.
    pub(super) async fn serve_http2(self: &Arc<Self>, stream: impl Client, front: Front) -> Ended {
        let tap = Tap::mute();
        let front = Arc::new(front);
        let mut builder = http2::Builder::new(Streams(Arc::clone(self)));
        builder
            .timer(TokioTimer::new())
            .auto_date_header(false)
            .max_concurrent_streams(STREAMS_MAX)
            .initial_stream_window_size(CLIENT_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(FRAME_MAX)
            .max_pending_accept_reset_streams(PENDING_RESETS_MAX)
            .max_local_error_reset_streams(ERROR_RESETS_MAX)
            .max_header_list_size(u32::try_from(self.limits.head).unwrap_or(u32::MAX));
        let weary = Arc::new(Notify::new());
        let service = self.service(&front, &tap);
        let stream = Tapped::new(stream, tap).limited(&self.limits, Arc::clone(&weary));
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let turn_away = http2::Connection::graceful_shutdown;
        self.until_end(connection, turn_away, &weary, &front).await
    }

    fn service(
        self: &Arc<Self>,
        front: &Arc<Front>,
        tap: &Tap,
    ) -> impl Service<
        http::Request<Incoming>,
        Response = http::Response<OutBody>,
        Error = Severed,
        Future: Send + 'static,
    > + use<H> {
        let (proxy, tap, front) = (Arc::clone(self), tap.clone(), Arc::clone(front));
        service_fn(move |request| {
            Arc::clone(&proxy).answer(request, Arc::clone(&front), tap.clone())
        })
    }

    /// Waits for the end of a connection, which takes no more requests once the proxy stops or
    /// there were none for too long.
    async fn until_end<C>(
        &self,
        connection: C,
        turn_away: fn(Pin<&mut C>),
        weary: &Notify,
        front: &Front,
    ) -> Ended
    where
        C: Future<Output = hyper::Result<()>>,
    {
        let mut connection = Box::pin(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = self.stop.cancelled() => None,
            () = weary.notified() => None,
        };
        let ended = if let Some(ended) = ended {
            ended
        } else {
            turn_away(connection.as_mut());
            connection.await
        };
        Ended {
            error: ended.err(),
            served: front.served(),
        }
    }
}

/// Runs the streams of HTTP/2 as tasks that the proxy waits for at its end, and cuts.
struct Streams<H>(Arc<Proxy<H>>);

impl<H> Clone for Streams<H> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<H: Handler, F: Future<Output = ()> + Send + 'static> Executor<F> for Streams<H> {
    fn execute(&self, stream: F) {
        self.0.spawn(stream);
    }
}

/// How a connection ended.
pub(super) struct Ended {
    pub(super) error: Option<hyper::Error>,
    /// How many requests came over it.
    pub(super) served: usize,
}

/// What a request line has besides its target, and the end of a head.
const LINE_REST: usize = 1 << 10;
