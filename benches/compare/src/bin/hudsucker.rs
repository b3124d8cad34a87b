//! A peer: the smallest intercepting proxy on hudsucker, with `TCP_NODELAY` on both sides.
//!
//! hudsucker sets the option nowhere; without it each small POST takes 44 ms, and there would be
//! nothing to compare. `--pool 0` gives each client's connection one of its own to the server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use compare::{Failure, Options, Pki};
use hudsucker::certificate_authority::RcgenAuthority;
use hudsucker::rcgen::{Issuer, KeyPair};
use hudsucker::rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use hudsucker::{HttpHandler, Proxy};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

#[derive(Clone)]
struct Unchanged;

impl HttpHandler for Unchanged {}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let options = Options::read()?;
    let pki = Pki::at(options.need("pki")?);
    let ca = std::fs::read_to_string(pki.file("ca.pem"))?;
    let key = KeyPair::from_pem(&std::fs::read_to_string(pki.file("ca.key"))?)?;
    let issuer = Issuer::from_ca_cert_pem(&ca, key)?;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes())?)?;
    let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut tcp = HttpConnector::new_with_resolver(Loopback);
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .enable_http2()
        .wrap_connector(tcp);
    let mut client = Client::builder(TokioExecutor::new());
    client
        .http1_title_case_headers(true)
        .http1_preserve_header_case(true);
    if options.get("pool") == Some("0") {
        client.pool_max_idle_per_host(0);
    }
    let address = SocketAddr::from(([127, 0, 0, 1], options.need("port")?.parse()?));
    let listener = tokio::net::TcpListener::bind(address).await?;
    // On Linux, what is accepted has the option that the listener has.
    socket2::SockRef::from(&listener).set_tcp_nodelay(true)?;
    Proxy::builder()
        .with_listener(listener)
        .with_ca(RcgenAuthority::new(
            issuer,
            10_000,
            aws_lc_rs::default_provider(),
        ))
        .with_http_connector(connector)
        .with_client(client)
        .with_http_handler(Unchanged)
        .build()?
        .start()
        .await?;
    Ok(())
}

/// Every name is the origin's.
#[derive(Clone)]
struct Loopback;

impl tower_service::Service<Name> for Loopback {
    type Response = std::iter::Once<SocketAddr>;
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Name) -> Self::Future {
        // The connector puts the port of the URL in the place of this one.
        std::future::ready(Ok(std::iter::once(SocketAddr::from(([127, 0, 0, 1], 0)))))
    }
}
