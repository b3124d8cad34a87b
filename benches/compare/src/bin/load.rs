//! The load: a closed-loop HTTPS client, straight or through CONNECT, that checks every answer.
//!
//! Prints one line of JSON. Any wrong answer or broken connection ends it with an error: a rate
//! over answers that are partly missing would be no rate.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use compare::{Failure, Options};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};
use tokio_rustls::TlsConnector;

type Sender = SendRequest<Full<Bytes>>;

fn main() -> Result<(), Failure> {
    let options = Options::read()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let load = Rc::new(Load::of(&options)?);
    let hold = options.get("hold").is_some();
    let connections = options.number("connections", 1)?;
    LocalSet::new().block_on(&runtime, async move {
        if hold {
            return load.hold(connections).await;
        }
        load.run(connections).await
    })
}

struct Load {
    to: SocketAddr,
    tunnels: bool,
    /// `{}` in it is a number that is new for each connection.
    host: String,
    port: u16,
    names: Cell<u64>,
    method: Method,
    path: String,
    content_type: String,
    body: Bytes,
    length: u64,
    reconnect: bool,
    left: Cell<u64>,
    until: Option<Duration>,
    tls: TlsConnector,
    took: RefCell<Vec<u64>>,
    bytes: Cell<u64>,
}

impl Load {
    fn of(options: &Options) -> Result<Self, Failure> {
        let seconds = options.get("seconds").map(str::parse).transpose()?;
        Ok(Self {
            to: options.need("to")?.parse()?,
            tunnels: options.need("by")? == "connect",
            host: options.need("host")?.to_owned(),
            port: options.need("port")?.parse()?,
            names: Cell::new(options.number("first-name", 0)?),
            method: options.need("method")?.parse()?,
            path: options.need("path")?.to_owned(),
            content_type: options.get("type").unwrap_or_default().to_owned(),
            body: Bytes::from(options.get("body").unwrap_or_default().to_owned()),
            length: options.need("length")?.parse()?,
            reconnect: options.get("reconnect").is_some(),
            left: Cell::new(options.number("requests", u64::MAX)?),
            until: seconds.map(Duration::from_secs_f64),
            tls: connector(options.need("ca")?)?,
            took: RefCell::default(),
            bytes: Cell::new(0),
        })
    }

    async fn run(self: Rc<Self>, connections: u64) -> Result<(), Failure> {
        let began = Instant::now();
        let mut clients = JoinSet::new();
        for _ in 0..connections {
            clients.spawn_local(Rc::clone(&self).client(began));
        }
        while let Some(ended) = clients.join_next().await {
            ended??;
        }
        let seconds = began.elapsed().as_secs_f64();
        let mut took = self.took.take();
        took.sort_unstable();
        let at = |share: usize| took[(took.len() - 1) * share / 100];
        if took.is_empty() {
            return Err("nothing was answered".into());
        }
        println!(
            "{{\"requests\":{},\"seconds\":{seconds:.6},\"p50_us\":{},\"p99_us\":{},\"bytes\":{}}}",
            took.len(),
            at(50),
            at(99),
            self.bytes.get()
        );
        Ok(())
    }

    /// One client: as many requests as are left, each behind the answer to the one before.
    async fn client(self: Rc<Self>, began: Instant) -> Result<(), Failure> {
        let mut open = None;
        while self.left.get() > 0 && self.until.is_none_or(|until| began.elapsed() < until) {
            self.left.set(self.left.get() - 1);
            let started = Instant::now();
            let (mut sender, host) = match open.take() {
                Some(connection) => connection,
                None => self.connect().await?,
            };
            self.ask(&mut sender, &host).await?;
            let took = u64::try_from(started.elapsed().as_micros())?;
            self.took.borrow_mut().push(took);
            open = (!self.reconnect).then_some((sender, host));
        }
        Ok(())
    }

    /// Opens connections with one answered request on each, and keeps them until stdin ends.
    async fn hold(self: Rc<Self>, connections: u64) -> Result<(), Failure> {
        let mut held = Vec::new();
        while (held.len() as u64) < connections {
            let mut some = JoinSet::new();
            for _ in 0..(connections - held.len() as u64).min(16) {
                let load = Rc::clone(&self);
                some.spawn_local(async move {
                    let (mut sender, host) = load.connect().await?;
                    load.ask(&mut sender, &host).await?;
                    Ok::<_, Failure>(sender)
                });
            }
            while let Some(opened) = some.join_next().await {
                held.push(opened??);
            }
        }
        println!("{{\"held\":{}}}", held.len());
        tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
        match held.iter().filter(|sender| sender.is_closed()).count() {
            0 => Ok(()),
            closed => Err(format!("{closed} connections did not stay open").into()),
        }
    }

    async fn connect(&self) -> Result<(Sender, String), Failure> {
        let host = self.host.replace("{}", &self.names.get().to_string());
        self.names.set(self.names.get() + 1);
        let mut stream = TcpStream::connect(self.to).await?;
        stream.set_nodelay(true)?;
        if self.tunnels {
            let target = format!("{host}:{}", self.port);
            let head = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
            let mut answer = Vec::new();
            while !answer.ends_with(b"\r\n\r\n") {
                if stream.read_buf(&mut answer).await? == 0 || answer.len() > 4096 {
                    return Err("no answer to CONNECT".into());
                }
            }
            if !answer.starts_with(b"HTTP/1.1 200") {
                return Err(String::from_utf8_lossy(&answer).into());
            }
        }
        let name = ServerName::try_from(host.clone())?;
        let stream = self.tls.connect(name, stream).await?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // What ends it is told to the request that it carries.
        tokio::task::spawn_local(connection);
        Ok((sender, host))
    }

    async fn ask(&self, sender: &mut Sender, host: &str) -> Result<(), Failure> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(&self.path)
            .header("host", format!("{host}:{}", self.port));
        if !self.content_type.is_empty() {
            request = request.header("content-type", &self.content_type);
        }
        let request = request.body(Full::new(self.body.clone()))?;
        sender.ready().await?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let mut body = answer.into_body();
        let mut length = 0;
        while let Some(frame) = body.frame().await {
            length += frame?.data_ref().map_or(0, |data| data.len() as u64);
        }
        if status != 200 || length != self.length {
            return Err(
                format!("{status} with {length} bytes, for 200 with {}", self.length).into(),
            );
        }
        self.bytes.set(self.bytes.get() + length);
        Ok(())
    }
}

/// Every handshake is a whole one: no ticket is kept.
fn connector(ca: &str) -> Result<TlsConnector, Failure> {
    let mut roots = rustls::RootCertStore::empty();
    let read: Result<Vec<_>, _> = CertificateDer::pem_file_iter(ca)?.collect();
    roots.add_parsable_certificates(read?);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    // The first use of the generator takes tens of milliseconds, which are not the target's.
    let filled = provider.secure_random.fill(&mut [0; 32]);
    filled.map_err(|_| "no randomness")?;
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}
