//! Clients in the process that go through a tape, without a change to the process.

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::harness::tape::Tape;

impl Tape {
    /// The roots that a client must trust: ours alone.
    pub fn rustls_roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        let ours = CertificateDer::pem_slice_iter(self.ca_pem().as_bytes());
        roots.add_parsable_certificates(ours.flatten());
        roots
    }

    /// A connector for hyper's clients that goes through the proxy and trusts it.
    pub fn hyper_connector(&self) -> HttpsConnector<Tunnel<HttpConnector>> {
        let proxy = self.proxy_url().parse().unwrap_or_default();
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        let tls = rustls::ClientConfig::builder_with_provider(
            rustls::crypto::aws_lc_rs::default_provider().into(),
        )
        .with_safe_default_protocol_versions()
        .map(|tls| {
            tls.with_root_certificates(self.rustls_roots())
                .with_no_client_auth()
        });
        // The provider at hand has the default versions of TLS.
        let tls = tls.unwrap_or_else(|_| unreachable!());
        HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(Tunnel::new(proxy, http))
    }

    /// A client of reqwest that goes through the proxy and trusts it, to be given what else it needs.
    #[cfg(feature = "reqwest")]
    pub fn reqwest(&self) -> reqwest::ClientBuilder {
        let builder = reqwest::Client::builder();
        let proxied = match reqwest::Proxy::all(self.proxy_url()) {
            Ok(proxy) => builder.proxy(proxy),
            Err(_) => builder,
        };
        match reqwest::Certificate::from_pem(self.ca_pem().as_bytes()) {
            Ok(root) => proxied.tls_certs_merge([root]),
            Err(_) => proxied,
        }
    }
}
