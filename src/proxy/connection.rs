//! A client's connection while it is served, by either protocol, and what all of them share.

use std::io;
use std::sync::Arc;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::model::Incident;
use crate::proxy::front::Front;
use crate::proxy::glob::any_matches;
use crate::proxy::limits::{
    CLIENT_WINDOW, CONNECTION_WINDOW, ERROR_RESETS_MAX, FRAME_MAX, PENDING_RESETS_MAX, STREAMS_MAX,
};
use crate::proxy::prompt::Client;
use crate::proxy::server::Reach;
use crate::proxy::tap::{Tap, Tapped};
use crate::proxy::{Authority, Handler, Limits, Password};

/// What every connection shares.
pub(super) struct Proxy<H> {
    pub(super) handler: H,
    pub(super) reach: Reach,
    pub(super) authority: Arc<Authority>,
    pub(super) hosts: Vec<String>,
    pub(super) http1: bool,
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
        let service = {
            let (proxy, tap, front) = (Arc::clone(self), tap.clone(), Arc::clone(&front));
            service_fn(move |request| {
                Arc::clone(&proxy).answer(request, Arc::clone(&front), tap.clone())
            })
        };
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(None)
            .preserve_header_case(true)
            .title_case_headers(true)
            .auto_date_header(false)
            .max_headers(self.limits.fields)
            .max_buf_size(self.limits.head + self.limits.target + LINE_REST);
        let io = TokioIo::new(Tapped::new(stream, tap).limited(&self.limits));
        let mut connection = Box::pin(builder.serve_connection(io, service).with_upgrades());
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        let error = ended.err();
        if error.as_ref().is_some_and(hyper::Error::is_parse) {
            self.handler.incident(Incident::Unreadable {
                host: front.host(),
                reason: "it is no HTTP that can be read",
            });
        }
        Ended {
            error,
            served: front.served(),
        }
    }

    /// Serves HTTP/2 until the connection ends; says what ended it.
    pub(super) async fn serve_http2(self: &Arc<Self>, stream: impl Client, front: Front) -> Ended {
        let tap = Tap::mute();
        let front = Arc::new(front);
        let service = {
            let (proxy, tap, front) = (Arc::clone(self), tap.clone(), Arc::clone(&front));
            service_fn(move |request| {
                Arc::clone(&proxy).answer(request, Arc::clone(&front), tap.clone())
            })
        };
        let mut builder = http2::Builder::new(TokioExecutor::new());
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
        let io = TokioIo::new(Tapped::new(stream, tap).limited(&self.limits));
        let mut connection = Box::pin(builder.serve_connection(io, service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        Ended {
            error: ended.err(),
            served: front.served(),
        }
    }
}

/// How a connection ended.
pub(super) struct Ended {
    pub(super) error: Option<hyper::Error>,
    /// How many requests came over it.
    pub(super) served: usize,
}

/// Whether the cause is an alert that the client sent.
pub(super) fn alert(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(rustls::Error::AlertReceived(alert)) = error.downcast_ref() {
            return Some(format!("{alert:?}"));
        }
        if let Some(inner) = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            return alert(inner);
        }
        cause = error.source();
    }
    None
}

/// What a request line has besides its target, and the end of a head.
const LINE_REST: usize = 1 << 10;
