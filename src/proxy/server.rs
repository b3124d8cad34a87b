//! The way in: listens, serves every connection by its own protocol, and ends gracefully.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::model::{Failure, Request, Response};
use crate::proxy::connect;
use crate::proxy::front::Front;
use crate::proxy::link::HEADER_LIST_MAX;
use crate::proxy::tap::{Head, Tap, Tapped};
use crate::proxy::wire::{OutBody, request_in, response_out};
use crate::proxy::{Authority, Error, Handler, Upstream};

/// How a proxy listens and what it opens.
#[derive(Debug)]
pub struct Options {
    /// Where to listen; port 0 takes any that is free.
    pub listen: SocketAddr,
    /// Signs for the hosts that are opened.
    pub authority: Arc<Authority>,
    /// Globs of the hosts that are opened; all where there are none.
    pub hosts: Vec<String>,
    /// Speak HTTP/1.1 only.
    pub http1: bool,
}

/// Whether there is a way out.
#[derive(Clone)]
pub enum Reach {
    /// Tunnels lead to real servers, whose choice of protocol is mirrored.
    Live(Upstream),
    /// No name is resolved and no address is dialled; the handler answers all.
    Offline,
}

/// A proxy that runs.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    stop: CancellationToken,
    cut: CancellationToken,
    tasks: TaskTracker,
}

impl Serving {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no new connection, lets what is in flight end within two seconds, then cuts the rest.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(GRACE, self.tasks.wait())
            .await
            .is_err()
        {
            self.cut.cancel();
            self.tasks.wait().await;
        }
    }
}

/// Starts a proxy; it listens when this returns.
///
/// # Errors
///
/// Where the address cannot be listened on, or is reachable from other machines.
pub async fn serve<H: Handler>(
    options: Options,
    reach: Reach,
    handler: H,
) -> Result<Serving, Error> {
    let address = options.listen;
    if !address.ip().is_loopback() {
        return Err(Error::NotLoopback { address });
    }
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| Error::Bind { address, source })?;
    let address = listener
        .local_addr()
        .map_err(|source| Error::Bind { address, source })?;
    if let Reach::Live(upstream) = &reach {
        upstream.refuse(address);
    }
    let (stop, cut, tasks) = (
        CancellationToken::new(),
        CancellationToken::new(),
        TaskTracker::new(),
    );
    let proxy = Arc::new(Proxy {
        handler,
        reach,
        authority: options.authority,
        hosts: options.hosts,
        http1: options.http1,
        stop: stop.clone(),
        cut: cut.clone(),
        tasks: tasks.clone(),
    });
    tasks.spawn(accept(listener, proxy));
    Ok(Serving {
        address,
        stop,
        cut,
        tasks,
    })
}

/// What every connection shares.
pub(super) struct Proxy<H> {
    pub(super) handler: H,
    pub(super) reach: Reach,
    pub(super) authority: Arc<Authority>,
    pub(super) hosts: Vec<String>,
    pub(super) http1: bool,
    stop: CancellationToken,
    cut: CancellationToken,
    tasks: TaskTracker,
}

async fn accept<H: Handler>(listener: TcpListener, proxy: Arc<Proxy<H>>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = proxy.stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, _)) => proxy.spawn(first(Arc::clone(&proxy), stream)),
            // Out of file descriptors: those that end make room.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn first<H: Handler>(proxy: Arc<Proxy<H>>, stream: TcpStream) {
    proxy
        .serve_http1(Prompt::new(stream), Front::forward())
        .await;
}

/// A client's connection whose every segment is acknowledged at once.
///
/// Clients that send a request's head and body in two writes, without `TCP_NODELAY` (urllib3 does
/// so towards a proxy), would wait 40 ms for the acknowledgement of the first. The option does not
/// last, so it is set again with each read.
struct Prompt(TcpStream);

impl Prompt {
    fn new(stream: TcpStream) -> Self {
        // A connection without it works, with a stall for every answer in two writes.
        let _ = stream.set_nodelay(true);
        Self(stream)
    }
}

impl AsyncRead for Prompt {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.0).poll_read(cx, buf);
        #[cfg(target_os = "linux")]
        if polled.is_ready() {
            // Without it the connection works, at the client's own pace.
            let _ = self.0.set_quickack(true);
        }
        polled
    }
}

impl AsyncWrite for Prompt {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl<H: Handler> Proxy<H> {
    /// Runs a task that ends with the proxy.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let cut = self.cut.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = task => {}
                () = cut.cancelled() => {}
            }
        });
    }

    /// Serves HTTP/1 until the connection ends; says what ended it.
    pub(super) async fn serve_http1<S>(self: &Arc<Self>, stream: S, front: Front) -> Ended
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let tap = Tap::default();
        let front = Arc::new(front);
        let service = {
            let (proxy, tap, front) = (Arc::clone(self), tap.clone(), Arc::clone(&front));
            service_fn(move |request| {
                Arc::clone(&proxy).answer(request, Arc::clone(&front), Some(tap.clone()))
            })
        };
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE)
            .preserve_header_case(true)
            .title_case_headers(true)
            .auto_date_header(false)
            .max_headers(256);
        let io = TokioIo::new(Tapped::new(stream, tap));
        let mut connection = std::pin::pin!(builder.serve_connection(io, service).with_upgrades());
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

    /// Serves HTTP/2 until the connection ends; says what ended it.
    pub(super) async fn serve_http2<S>(self: &Arc<Self>, stream: S, front: Front) -> Ended
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let front = Arc::new(front);
        let service = {
            let (proxy, front) = (Arc::clone(self), Arc::clone(&front));
            service_fn(move |request| Arc::clone(&proxy).answer(request, Arc::clone(&front), None))
        };
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .auto_date_header(false)
            .max_concurrent_streams(100)
            .max_header_list_size(HEADER_LIST_MAX);
        let mut connection =
            std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
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

    async fn answer(
        self: Arc<Self>,
        mut request: http::Request<Incoming>,
        front: Arc<Front>,
        tap: Option<Tap>,
    ) -> Result<http::Response<OutBody>, Infallible> {
        let started = Instant::now();
        let to = request.version();
        let tapped = tap.as_ref().and_then(|tap| tap.take_head(Head::Request));
        if request.method() == http::Method::CONNECT {
            return Ok(connect::open(&self, request));
        }
        let Some(url) = front.url(&request) else {
            return Ok(plain(400, ORIGIN_FORM, to).await);
        };
        front.count();
        if let Some(link) = front.link(&url, &self.reach) {
            request.extensions_mut().insert(link);
        }
        let request = request_in(request, url, tapped, tap);
        let answer = self.handle(request, started).await;
        Ok(match response_out(answer, to).await {
            Ok(response) => response,
            Err(_) => plain(502, "the answer cannot be written as HTTP", to).await,
        })
    }

    async fn handle(&self, request: Request, started: Instant) -> Response {
        let host = request.url.authority();
        match self.handler.handle(request).await {
            Ok(response) => response,
            Err(failure) => failed(&host, failure, started),
        }
    }
}

/// How a connection ended.
pub(super) struct Ended {
    pub(super) error: Option<hyper::Error>,
    /// How many requests came over it.
    pub(super) served: usize,
}

/// What a client gets for a failure: it says so, and by whom.
fn failed(host: &str, failure: Failure, started: Instant) -> Response {
    let kind = failure.kind.as_str();
    let millis = started.elapsed().as_millis();
    let body = format!(
        "{{\"error\":\"{kind}\",\"error_description\":\"authtape could not get an answer from {host}: {kind} while {} ({millis} ms)\"}}\n",
        failure.phase.as_str().replace('_', " "),
    );
    Response::new(502, body)
        .with("Content-Type", "application/json")
        .with("authtape-error", kind)
}

pub(super) async fn plain(status: u16, text: &str, to: http::Version) -> http::Response<OutBody> {
    let response =
        Response::new(status, format!("authtape: {text}\n")).with("Content-Type", "text/plain");
    let empty = || http::Response::new(OutBody::new(crate::model::Body::empty()));
    response_out(response, to).await.unwrap_or_else(|_| empty())
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

const ORIGIN_FORM: &str =
    "this is a proxy; point your client's HTTPS_PROXY and HTTP_PROXY at it instead of calling it";
const GRACE: Duration = Duration::from_secs(2);
/// hyper's timer for a head also runs while a connection is idle.
const IDLE: Duration = Duration::from_mins(2);

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn a_clients_connection_never_waits_for_an_acknowledgement() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let mut prompt = Prompt::new(accepted.expect("accepted").0);
        assert!(prompt.0.nodelay().expect("an option"));
        client
            .expect("connected")
            .write_all(b"x")
            .await
            .expect("sent");
        prompt.0.set_quickack(false).expect("an option");
        prompt.read_u8().await.expect("a byte");
        assert!(
            prompt.0.quickack().expect("an option"),
            "set again by the read"
        );
    }
}
