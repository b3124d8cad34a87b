//! The client of the forum thread: a login whose two `redirect_uri`s differ by a slash.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use authtape::demo::CLIENT_ID;
use authtape::model::{Params, Url, percent_encode};
use authtape::oauth::name::{self, grant};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::cli::output::result;

/// Where the client finds its secret.
pub(super) const SECRET_VARIABLE: &str = "AUTHTAPE_DEMO_SECRET";

/// Logs in, or rather fails to, and prints what it saw, without any secret.
pub(super) async fn login(host: &str) -> anyhow::Result<()> {
    let secret =
        std::env::var(SECRET_VARIABLE).context("the demo's client runs inside the demo")?;
    let client = client()?;
    let asked = Params::from_iter([
        (name::CLIENT_ID.to_owned(), CLIENT_ID.to_owned()),
        (name::RESPONSE_TYPE.to_owned(), name::CODE.to_owned()),
        (name::REDIRECT_URI.to_owned(), format!("{CALLBACK}/")),
        (name::STATE.to_owned(), "af0ifjsldkj2f9c".to_owned()),
    ]);
    let uri = format!("https://{host}/app/oauth/authorize?{}", encoded(&asked));
    let request = http::Request::get(uri).body(Full::default())?;
    let response = client
        .request(request)
        .await
        .context("cannot reach the authorization endpoint")?;
    let location = response
        .headers()
        .get("location")
        .and_then(|location| location.to_str().ok())
        .and_then(Url::parse);
    let Some(location) = location else {
        bail!("the authorization endpoint did not redirect");
    };
    let query = Params::parse(location.query.as_deref().unwrap_or_default());
    let code = query.get(name::CODE).context("no code came back")?;
    result(&format!(
        "authorize -> {}, a code came back\n",
        response.status().as_u16()
    ))?;

    redeem(&client, host, code, secret).await
}

async fn redeem(
    client: &Client<Connector, Full<Bytes>>,
    host: &str,
    code: &str,
    secret: String,
) -> anyhow::Result<()> {
    let sent = Params::from_iter([
        (name::CLIENT_ID.to_owned(), CLIENT_ID.to_owned()),
        (name::CLIENT_SECRET.to_owned(), secret),
        (name::CODE.to_owned(), code.to_owned()),
        (
            name::GRANT_TYPE.to_owned(),
            grant::AUTHORIZATION_CODE.to_owned(),
        ),
        (name::REDIRECT_URI.to_owned(), CALLBACK.to_owned()),
    ]);
    let request = http::Request::post(format!("https://{host}/token"))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(Full::from(encoded(&sent)))?;
    let response = client
        .request(request)
        .await
        .context("cannot reach the token endpoint")?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await?.to_bytes();
    let answer: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| {
        answer
            .get(name)
            .and_then(serde_json::Value::as_str)
            .unwrap_or("?")
            .to_owned()
    };
    result(&format!(
        "token -> {status} {} \"{}\"\n",
        text(name::ERROR),
        text(name::ERROR_DESCRIPTION)
    ))
}

type Connector = hyper_rustls::HttpsConnector<Tunnel<HttpConnector>>;

/// As any client does, it takes proxy and roots from its environment.
fn client() -> anyhow::Result<Client<Connector, Full<Bytes>>> {
    let proxy = std::env::var("HTTPS_PROXY")?.parse()?;
    let bundle = std::env::var_os("SSL_CERT_FILE")
        .map(PathBuf::from)
        .context("SSL_CERT_FILE is not set")?;
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_file_iter(bundle)?.filter_map(Result::ok));
    let config = rustls::ClientConfig::builder_with_provider(
        rustls::crypto::aws_lc_rs::default_provider().into(),
    )
    .with_safe_default_protocol_versions()?
    .with_root_certificates(roots)
    .with_no_client_auth();
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_only()
        .enable_http1()
        .wrap_connector(Tunnel::new(proxy, http));
    Ok(Client::builder(TokioExecutor::new())
        .http1_title_case_headers(true)
        .build(connector))
}

fn encoded(params: &Params) -> String {
    let pair =
        |param: &authtape::model::Param| format!("{}={}", param.name, percent_encode(&param.value));
    params.iter().map(pair).collect::<Vec<_>>().join("&")
}

const CALLBACK: &str = "https://shop.example.org/oauth/callback";
