//! The live page: a session in a browser on this machine, as it is said. It shows and takes no orders.
//!
//! [`Board`] holds what was said, redacted, and [`serve`] shows it: on loopback, at an address with a
//! random token, to whoever names exactly this address as its `Host`.

mod board;
mod events;
mod routes;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use board::Board;

use crate::web::routes::Routes;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no port for it.
    #[error("cannot show the session: no port of this machine's own address is free")]
    Listen(#[source] std::io::Error),
    /// The token cannot be made.
    #[error("cannot show the session: the system has no randomness")]
    Token,
}

/// A page that is shown, until it is ended or dropped.
pub struct Showing {
    url: String,
    routes: Arc<Routes>,
    /// Nothing is answered any more.
    close: CancellationToken,
    connections: TaskTracker,
}

impl Showing {
    /// Its address, with the token that nobody else knows: whoever has it sees the page.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.routes.address
    }

    /// Says to who looks on that the session has ended, and with what, and ends.
    pub async fn end(self) {
        // Who does not take it in time has lost it.
        let events = &self.routes.events;
        let is_watched = !events.is_empty();
        self.routes.stop.cancel();
        events.close();
        let _ = tokio::time::timeout(GRACE, events.wait()).await;
        if is_watched {
            // A page may just be asking for what came before the end.
            tokio::time::sleep(LINGER).await;
        }
        self.close.cancel();
        self.connections.close();
        let _ = tokio::time::timeout(GRACE, self.connections.wait()).await;
    }
}

impl Drop for Showing {
    fn drop(&mut self) {
        self.close.cancel();
    }
}

/// Shows a board at an address of its own, until what is returned is ended or dropped.
///
/// # Errors
///
/// [`Error`] where it cannot be shown.
pub async fn serve(board: Arc<Board>) -> Result<Showing, Error> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = TcpListener::bind(address).await.map_err(Error::Listen)?;
    let address = listener.local_addr().map_err(Error::Listen)?;
    let mut token = [0; 16];
    aws_lc_rs::rand::fill(&mut token).map_err(|_unspecified| Error::Token)?;
    let token: String = token.iter().map(|byte| format!("{byte:02x}")).collect();
    let (close, connections) = (CancellationToken::new(), TaskTracker::new());
    let url = format!("http://{address}/{token}/");
    let routes = Arc::new(Routes {
        address,
        host: address.to_string(),
        token,
        board,
        stop: CancellationToken::new(),
        events: TaskTracker::new(),
    });
    let showing = Showing {
        url,
        routes,
        close,
        connections,
    };
    let task = accept(
        listener,
        Arc::clone(&showing.routes),
        showing.close.clone(),
        showing.connections.clone(),
    );
    showing.connections.spawn(task);
    Ok(showing)
}

async fn accept(
    listener: TcpListener,
    routes: Arc<Routes>,
    close: CancellationToken,
    connections: TaskTracker,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let next = async || {
        let (stream, _) = listener.accept().await?;
        // Whoever opens more has to wait until one of them ends.
        let place = Arc::clone(&places).acquire_owned().await;
        Ok::<_, std::io::Error>((stream, place.map_err(std::io::Error::other)?))
    };
    loop {
        let accepted = tokio::select! {
            accepted = next() => accepted,
            () = close.cancelled() => return,
        };
        let Ok((stream, place)) = accepted else {
            // Out of file descriptors: those that end make room.
            tokio::time::sleep(ROOM).await;
            continue;
        };
        let (routes, close) = (Arc::clone(&routes), close.clone());
        connections.spawn(async move {
            answer(stream, routes, close).await;
            drop(place);
        });
    }
}

async fn answer(stream: TcpStream, routes: Arc<Routes>, close: CancellationToken) {
    let service = service_fn(move |request| {
        let routes = Arc::clone(&routes);
        async move { Ok::<_, std::convert::Infallible>(routes.answer(&request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // What a browser does wrong is its own matter.
        _ = connection.as_mut() => return,
        () = close.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// A browser opens six.
const CONNECTIONS_MAX: usize = 32;
/// How long a request may take to come, and what is sent at the end.
const HEAD: Duration = Duration::from_secs(10);
const GRACE: Duration = Duration::from_secs(1);
const LINGER: Duration = Duration::from_millis(300);
const ROOM: Duration = Duration::from_millis(50);
