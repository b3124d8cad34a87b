//! A part of the whole: authtape's proxy alone, with nothing around the way to the server.

use std::net::SocketAddr;
use std::sync::Arc;

use authtape::proxy::{self, Authority, Limits, Reach, Upstream, UpstreamOptions};
use compare::{Failure, Options, Pki};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let options = Options::read()?;
    let ca = Pki::at(options.need("pki")?).file("ca.pem");
    let to: u16 = options.need("origin")?.parse()?;
    let names = options.number("names", 0)?;
    let resolved = |host: String| format!("{host}:{to}:127.0.0.1").parse();
    let resolve = std::iter::once("idp.test".to_owned())
        .chain((0..names).map(|name| format!("h{name}.idp.test")))
        .map(resolved);
    let upstream = Upstream::new(UpstreamOptions {
        extra_roots: vec![("ca.pem".to_owned(), std::fs::read(ca)?)],
        resolve: resolve.collect::<Result<_, _>>()?,
        ..UpstreamOptions::default()
    })?;
    let authority = Arc::new(Authority::generate(&[])?);
    std::fs::write(options.need("ca-file")?, authority.ca_pem())?;
    let listen = SocketAddr::from(([127, 0, 0, 1], options.need("port")?.parse()?));
    let options = proxy::Options {
        limits: Limits::default().with("connections=10000")?,
        ..proxy::Options::new(proxy::bind(listen, None).await?, authority)
    };
    let serving = proxy::serve(options, Reach::Live(upstream.clone()), upstream).await?;
    std::future::pending::<()>().await;
    serving.shutdown().await;
    Ok(())
}
