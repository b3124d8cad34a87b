//! The origin: a TLS server with OAuth-shaped answers that counts its handshakes and requests.
//!
//! `origin --make DIR` makes the certificates; `origin --pki DIR --port P --plain-port Q` serves.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use compare::{Failure, Options, Pki};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let options = Options::read()?;
    match options.get("make") {
        Some(directory) => make(&Pki::at(directory)),
        None => serve(&options).await,
    }
}

/// One authority for all: the origin's leaf is also nginx's, and hudsucker signs with its key.
fn make(pki: &Pki) -> Result<(), Failure> {
    let mut params = CertificateParams::new(Vec::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "compare");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    std::fs::write(pki.file("ca.pem"), params.self_signed(&key)?.pem())?;
    std::fs::write(pki.file("ca.key"), key.serialize_pem())?;
    let issuer = Issuer::new(params, key);
    let names = ["idp.test", "*.idp.test"].map(str::to_owned);
    let key = KeyPair::generate()?;
    let leaf = CertificateParams::new(names)?.signed_by(&key, &issuer)?;
    std::fs::write(pki.file("leaf.pem"), leaf.pem())?;
    std::fs::write(pki.file("leaf.key"), key.serialize_pem())?;
    Ok(())
}

#[derive(Default)]
struct Counts {
    handshakes: AtomicU64,
    requests: AtomicU64,
}

struct Origin {
    counts: Counts,
    blob: Bytes,
}

async fn serve(options: &Options) -> Result<(), Failure> {
    let pki = Pki::at(options.need("pki")?);
    let chain = CertificateDer::pem_file_iter(pki.file("leaf.pem"))?.collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_file(pki.file("leaf.key"))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let origin = Arc::new(Origin {
        counts: Counts::default(),
        blob: Bytes::from(noise(10 << 20)),
    });
    let listen = async |name| -> Result<TcpListener, Failure> {
        let port: u16 = options.need(name)?.parse()?;
        Ok(TcpListener::bind(("127.0.0.1", port)).await?)
    };
    let (tls, plain) = (listen("port").await?, listen("plain-port").await?);
    let asked = Arc::clone(&origin);
    tokio::spawn(async move {
        while let Ok((stream, _)) = plain.accept().await {
            tokio::spawn(connection(stream, Arc::clone(&asked)));
        }
    });
    loop {
        let (stream, _) = tls.accept().await?;
        stream.set_nodelay(true)?;
        let (acceptor, origin) = (acceptor.clone(), Arc::clone(&origin));
        tokio::spawn(async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                origin.counts.handshakes.fetch_add(1, Ordering::Relaxed);
                connection(stream, origin).await;
            }
        });
    }
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin, origin: Arc<Origin>) {
    let service = service_fn(move |request| answer(request, Arc::clone(&origin)));
    // Clients end their connections as they like.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    request: Request<Incoming>,
    origin: Arc<Origin>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    // Half a body is the load's failure, and told there.
    let _ = request.into_body().collect().await;
    let Counts {
        handshakes,
        requests,
    } = &origin.counts;
    if path == "/stats" {
        let (handshakes, requests) = (
            handshakes.load(Ordering::Relaxed),
            requests.load(Ordering::Relaxed),
        );
        return Ok(body("text/plain", format!("{handshakes} {requests}")));
    }
    let number = requests.fetch_add(1, Ordering::Relaxed);
    let json = "application/json;charset=UTF-8";
    Ok(match path.as_str() {
        "/token" => body(json, token(0)),
        "/fresh" => body(json, token(number)),
        "/plain" => body(
            json,
            padded("{\"page\":1,\"rows\":\"", 0, "\",\"more\":false}"),
        ),
        "/blob" => body("application/octet-stream", origin.blob.clone()),
        _ => match path
            .strip_prefix("/size/")
            .and_then(|size| size.parse().ok())
        {
            Some(size) => body("text/plain", "x".repeat(size)),
            None => not_found(),
        },
    })
}

fn token(number: u64) -> String {
    padded(
        "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"scope\":\"openid profile\",\"access_token\":\"",
        number,
        "\"}",
    )
}

/// 1,228 bytes, the size of a token response with a signed access token.
fn padded(head: &str, number: u64, tail: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let fill = 1_228 - head.len() - tail.len();
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let filled: String = (0..fill)
        .map(|_| char::from(ALPHABET[usize::try_from(next(&mut state) % 64).unwrap_or(0)]))
        .collect();
    format!("{head}{filled}{tail}")
}

fn noise(size: usize) -> Vec<u8> {
    let mut state = 88_675_123;
    (0..size / 8)
        .flat_map(|_| next(&mut state).to_le_bytes())
        .collect()
}

/// xorshift64: incompressible, and the same in each run.
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn body(media_type: &'static str, bytes: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(bytes.into()));
    let fields = response.headers_mut();
    fields.insert(
        "content-type",
        hyper::header::HeaderValue::from_static(media_type),
    );
    fields.insert(
        "cache-control",
        hyper::header::HeaderValue::from_static("no-store"),
    );
    response
}

fn not_found() -> Response<Full<Bytes>> {
    let mut response = body("text/plain", "no such path");
    *response.status_mut() = hyper::StatusCode::NOT_FOUND;
    response
}
