//! An authorization server in the binary, which behaves as the one of the forum thread did.
//!
//! Whatever is wrong with a token request, the answer is the same misleading
//! `401 invalid_grant "Unable to authenticate username and password"`. [`Server`] listens on
//! loopback with TLS; `provider` is its protocol.

mod provider;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::server::Acceptor;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::LazyConfigAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use provider::{CLIENT_ID, ERROR_DESCRIPTION};

use crate::demo::provider::{Asked, Provider};
use crate::proxy::Authority;

/// Why the demo server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be listened on.
    #[error("the demo server cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Its certificate cannot be made.
    #[error("the demo server's certificate cannot be made")]
    Certificate(#[from] crate::proxy::Error),
}

/// A demo server that runs.
pub struct Server {
    address: SocketAddr,
    authority: Arc<Authority>,
    provider: Arc<Provider>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Server {
    /// Starts a server; it listens when this returns.
    ///
    /// # Errors
    ///
    /// Where the address cannot be listened on.
    pub async fn start(address: SocketAddr) -> Result<Self, Error> {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| Error::Bind { address, source })?;
        let address = listener
            .local_addr()
            .map_err(|source| Error::Bind { address, source })?;
        let authority = Arc::new(Authority::generate(&[])?);
        let provider = Arc::new(Provider::new(format!("https://{HOST}:{}", address.port())));
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(accept(
            listener,
            Arc::clone(&authority),
            Arc::clone(&provider),
            tasks.clone(),
            stop.clone(),
        ));
        Ok(Self {
            address,
            authority,
            provider,
            stop,
            tasks,
        })
    }

    /// Where clients find it: `localhost:PORT`.
    pub fn host(&self) -> String {
        format!("{HOST}:{}", self.address.port())
    }

    /// The certificate of the authority that signed its own.
    pub fn ca_pem(&self) -> &str {
        self.authority.ca_pem()
    }

    /// The secret of the one client that it knows, made for this run.
    pub fn client_secret(&self) -> &str {
        self.provider.client_secret()
    }

    /// Stops it; nothing listens when this returns.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

async fn accept(
    listener: TcpListener,
    authority: Arc<Authority>,
    provider: Arc<Provider>,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        if let Ok((stream, _)) = accepted {
            let (authority, provider, stop) =
                (Arc::clone(&authority), Arc::clone(&provider), stop.clone());
            tasks.spawn(async move {
                tokio::select! {
                    () = serve(stream, authority, provider) => {}
                    () = stop.cancelled() => {}
                }
            });
        }
    }
}

async fn serve(stream: TcpStream, authority: Arc<Authority>, provider: Arc<Provider>) {
    // Both end with the connection: a client that does not trust us, or has gone.
    let _ = stream.set_nodelay(true);
    let Ok(start) = LazyConfigAcceptor::new(Acceptor::default(), stream).await else {
        return;
    };
    // Whatever name it is called by, its certificate is for that name.
    let name = start
        .client_hello()
        .server_name()
        .unwrap_or(HOST)
        .to_owned();
    let Ok(config) = authority.server_config(&name, Some(b"http/1.1")) else {
        return;
    };
    let Ok(stream) = start.into_stream(config).await else {
        return;
    };
    let service = service_fn(move |request| answer(Arc::clone(&provider), request));
    let mut builder = hyper::server::conn::http1::Builder::new();
    let _ = builder
        .title_case_headers(true)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    provider: Arc<Provider>,
    request: http::Request<Incoming>,
) -> Result<http::Response<Full<bytes::Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, BODY_MAX)
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let header = |name: &str| {
        parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let asked = Asked {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        content_type: header("content-type"),
        authorization: header("authorization"),
        body: &body,
    };
    let answer = provider.answer(&asked);
    let mut response = http::Response::new(Full::from(answer.body));
    *response.status_mut() = http::StatusCode::from_u16(answer.status).unwrap_or_default();
    for (name, value) in answer.headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().append(name, value);
        }
    }
    Ok(response)
}

const HOST: &str = "localhost";
const BODY_MAX: usize = 1 << 20;
