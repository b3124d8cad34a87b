//! The way in: listens, gives every connection its place and its beginning, and ends gracefully.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::proxy::connect;
use crate::proxy::connection::Proxy;
use crate::proxy::front::Front;
use crate::proxy::lane::Lanes;
use crate::proxy::line::Prefixed;
use crate::proxy::prompt::Prompt;
use crate::proxy::reverse::{Reverse, Stand};
use crate::proxy::{Authority, Error, Handler, Limits, Password, Upstream};

/// How a proxy listens and what it opens.
#[derive(Debug)]
pub struct Options {
    /// What clients connect to, by [`bind`].
    pub bound: Bound,
    /// Signs for the hosts that are opened.
    pub authority: Arc<Authority>,
    /// Globs of the hosts that are opened; all where there are none.
    pub hosts: Vec<String>,
    /// Speak HTTP/1.1 only.
    pub http1: bool,
    /// Local origins that stand for servers.
    pub reverse: Vec<Reverse>,
    /// Where to take TLS from clients that know of no proxy; the host is the one they name in it.
    pub tls_listen: Option<SocketAddr>,
    /// How much is taken of clients, and how long they are waited for.
    pub limits: Limits,
}

impl Options {
    /// A proxy that opens every host.
    pub fn new(bound: Bound, authority: Arc<Authority>) -> Self {
        Self {
            bound,
            authority,
            hosts: Vec::new(),
            http1: false,
            reverse: Vec::new(),
            tls_listen: None,
            limits: Limits::default(),
        }
    }
}

/// Whether there is a way out.
#[derive(Clone)]
pub enum Reach {
    /// Tunnels lead to real servers, whose choice of protocol is mirrored.
    Live(Upstream),
    /// A server is dialled when the handler asks it, and not before.
    OnDemand(Upstream),
    /// No name is resolved and no address is dialled; the handler answers all.
    Offline,
}

impl Reach {
    /// The way out, where there is one.
    pub(super) fn upstream(&self) -> Option<&Upstream> {
        match self {
            Self::Live(upstream) | Self::OnDemand(upstream) => Some(upstream),
            Self::Offline => None,
        }
    }
}

/// A proxy that runs.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    reverse: Vec<(String, String)>,
    tls: Option<SocketAddr>,
    upstream: Option<Upstream>,
    stop: CancellationToken,
    cut: CancellationToken,
    tasks: TaskTracker,
    _lanes: Arc<Lanes>,
}

impl Serving {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The origins of servers, each with the local one that stands for it.
    pub fn reverse(&self) -> &[(String, String)] {
        &self.reverse
    }

    /// Never calls this address, which is one of this program's own.
    pub fn never_call(&self, own: SocketAddr) {
        if let Some(upstream) = &self.upstream {
            upstream.refuse(own);
        }
    }

    /// Where it takes TLS.
    pub fn tls_address(&self) -> Option<SocketAddr> {
        self.tls
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

/// The port of a proxy that is yet to be started; who comes waits for it.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    password: Option<Password>,
}

impl Bound {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Listens at an address, where port 0 takes any that is free; clients must know the password.
///
/// # Errors
///
/// Where the address cannot be listened on, or is reachable from other machines without a password.
pub async fn bind(address: SocketAddr, password: Option<Password>) -> Result<Bound, Error> {
    if !address.ip().is_loopback() {
        match &password {
            None => return Err(Error::NoPassword { address }),
            Some(password) if password.is_short() => return Err(Error::ShortPassword { address }),
            Some(_) => {}
        }
    }
    let failed = |source| Error::Bind { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Bound {
        listener,
        address,
        password,
    })
}

/// Starts a proxy; it listens when this returns.
///
/// # Errors
///
/// Where an address cannot be listened on, or is reachable from other machines and must not be.
pub async fn serve<H: Handler>(
    options: Options,
    reach: Reach,
    handler: H,
) -> Result<Serving, Error> {
    let Bound {
        listener,
        address,
        password,
    } = options.bound;
    never_dialled(address, &reach);
    let mut entries = vec![(listener, Entry::Forward)];
    let mut stands = Vec::new();
    for Reverse { origin, listen: at } in options.reverse {
        let (listener, address) = on_loopback(at, &reach).await?;
        let stand = Arc::new(Stand::new(origin, address));
        entries.push((listener, Entry::Reverse(Arc::clone(&stand))));
        stands.push(stand);
    }
    let mut tls = None;
    if let Some(at) = options.tls_listen {
        let (listener, address) = on_loopback(at, &reach).await?;
        tls = Some(address);
        entries.push((listener, Entry::Tls));
    }
    let (stop, cut, tasks) = (
        CancellationToken::new(),
        CancellationToken::new(),
        TaskTracker::new(),
    );
    let reverse = stands.iter().map(|stand| stand.names()).collect();
    let places = places(&options.limits, &reach);
    let upstream = reach.upstream().cloned();
    let proxy = Arc::new(Proxy {
        handler,
        reach,
        authority: options.authority,
        hosts: options.hosts,
        http1: options.http1,
        stands,
        password,
        limits: options.limits,
        places: Arc::new(Semaphore::new(places)),
        stop: stop.clone(),
        cut: cut.clone(),
        tasks: tasks.clone(),
    });
    let lanes = Arc::new(Lanes::open().map_err(|source| Error::Threads { source })?);
    for (listener, entry) in entries {
        let (proxy, lanes) = (Arc::clone(&proxy), Arc::clone(&lanes));
        tasks.spawn(accept(listener, entry, proxy, lanes));
    }
    Ok(Serving {
        address,
        reverse,
        tls,
        upstream,
        stop,
        cut,
        tasks,
        _lanes: lanes,
    })
}

/// How many connections clients may have: each takes a file descriptor, and one for its server.
fn places(limits: &Limits, reach: &Reach) -> usize {
    let each = 1 + usize::from(reach.upstream().is_some());
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let files = files.and_then(|files| usize::try_from(files).ok());
    let room = files.map_or(usize::MAX, |files| files.saturating_sub(OWN_FILES) / each);
    limits
        .connections
        .min(room)
        .clamp(1, Semaphore::MAX_PERMITS)
}

async fn on_loopback(
    address: SocketAddr,
    reach: &Reach,
) -> Result<(TcpListener, SocketAddr), Error> {
    if !address.ip().is_loopback() {
        return Err(Error::NotLoopback { address });
    }
    let Bound {
        listener, address, ..
    } = bind(address, None).await?;
    never_dialled(address, reach);
    Ok((listener, address))
}

/// Keeps the proxy from being a client of its own.
fn never_dialled(address: SocketAddr, reach: &Reach) {
    if let Some(upstream) = reach.upstream() {
        upstream.refuse(address);
    }
}

/// How connections to a listener begin.
#[derive(Clone)]
enum Entry {
    /// As to a proxy.
    Forward,
    /// As to the server itself, without TLS.
    Reverse(Arc<Stand>),
    /// With TLS, which names the server.
    Tls,
}

async fn accept<H: Handler>(
    listener: TcpListener,
    entry: Entry,
    proxy: Arc<Proxy<H>>,
    lanes: Arc<Lanes>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = proxy.next(&listener) => accepted,
            () = proxy.stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, place)) => {
                let first = first(Arc::clone(&proxy), entry.clone(), stream, place);
                proxy.spawn_on(lanes.next(), first);
            }
            // Out of file descriptors: those that end make room.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn first<H: Handler>(
    proxy: Arc<Proxy<H>>,
    entry: Entry,
    stream: std::net::TcpStream,
    place: OwnedSemaphorePermit,
) {
    let Ok(stream) = TcpStream::from_std(stream) else {
        return;
    };
    let stream = Prompt::new(stream, place, proxy.limits.reader);
    match entry {
        Entry::Forward => {
            proxy.serve_http1(stream, Front::forward()).await;
        }
        Entry::Reverse(stand) => proxy.stand_in(stand, Prefixed::new(stream), None).await,
        Entry::Tls => connect::named_by_tls(proxy, stream).await,
    }
}

impl<H: Handler> Proxy<H> {
    /// The next connection, once there is a place for it.
    async fn next(
        &self,
        listener: &TcpListener,
    ) -> io::Result<(std::net::TcpStream, OwnedSemaphorePermit)> {
        let (stream, _) = listener.accept().await?;
        let place = Arc::clone(&self.places).acquire_owned().await;
        Ok((stream.into_std()?, place.map_err(io::Error::other)?))
    }

    /// The local origin that a client calls so.
    pub(super) fn stand_at(&self, authority: &str) -> Option<&Arc<Stand>> {
        let mut stands = self.stands.iter();
        stands.find(|stand| stand.is_called(Some(authority)))
    }

    /// Serves a client in the place of a server, and speaks to that what the client speaks.
    pub(super) async fn stand_in(
        self: &Arc<Self>,
        stand: Arc<Stand>,
        mut stream: Prefixed,
        user: Option<Arc<str>>,
    ) {
        let heard = tokio::time::timeout(self.limits.first_byte, stream.speaks_http2()).await;
        match heard {
            Ok(Ok(true)) if !self.http1 => {
                let alpn = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
                let front = Front::reverse(stand, &self.reach, alpn).asked_by(user);
                self.serve_http2(stream, front).await;
            }
            Ok(Ok(_)) => {
                let front = Front::reverse(stand, &self.reach, Vec::new()).asked_by(user);
                self.serve_http1(stream, front).await;
            }
            // It said nothing, or went away.
            Ok(Err(_)) | Err(_) => {}
        }
    }
}

const GRACE: Duration = Duration::from_secs(2);

/// File descriptors that are no client's: the recording's, the listeners', the program's.
const OWN_FILES: usize = 32;
