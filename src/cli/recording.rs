//! What is recorded, and how servers are reached: options of what may record.

use std::env::VarError;
use std::path::{Path, PathBuf};

use anyhow::bail;
use authtape::deck::{LaidListener, RecordOptions, WireOptions};
use authtape::launch::inherited_roots;
use authtape::library::{self, Overwrite};
use authtape::proxy::{self, Detour, Passphrase, Resolve};
use authtape::record::Options;
use authtape::redact::Profile;
use clap::{Args, ValueEnum};

use crate::cli::exit::Usage;
use crate::cli::run::RunArgs;
use crate::cli::secrets::HidingArgs;

/// Options of what may record.
#[derive(Args)]
#[command(next_help_heading = "What is recorded")]
pub(crate) struct RecordingArgs {
    /// Open only the hosts that match; the others pass unread (repeatable, * and ? stand for text)
    #[arg(long, value_name = "GLOB", value_parser = host)]
    host: Vec<String>,
    /// Trust this PEM file's roots besides the system's when calling servers (repeatable)
    #[arg(long, value_name = "PEM")]
    upstream_ca: Vec<PathBuf>,
    /// Call ADDRESS where a client asks for HOST:PORT (repeatable)
    #[arg(long, value_name = "HOST:PORT:ADDRESS")]
    resolve: Vec<Resolve>,
    /// Reach servers through this proxy, http:// or socks5://; `none` ignores the environment's
    #[arg(long, value_name = "URL")]
    upstream_proxy: Option<String>,
    /// Do not verify the certificates of these hosts; the cassette says so (repeatable glob)
    #[arg(long, value_name = "GLOB")]
    insecure_upstream: Vec<String>,
    /// Show the certificate and key in this file to the hosts that match: PEM, or PKCS#12 with its
    /// passphrase in `AUTHTAPE_CLIENT_CERT_PASSPHRASE` (repeatable)
    #[arg(long, value_name = "GLOB=FILE", value_parser = client_certificate)]
    client_cert: Vec<(String, PathBuf)>,
    /// What to keep: the messages of OAuth and OpenID Connect, or all
    #[arg(long, value_enum, default_value = "oauth")]
    keep: Keep,
    /// Keep the value of this parameter as it is (repeatable)
    #[arg(long, value_name = "NAME")]
    keep_value: Vec<String>,
    #[command(flatten)]
    hiding: HidingArgs,
    /// Hide nothing: write every password, code and token as it was said. The name must end in
    /// .raw.yaml; git is told to ignore it, and what makes files to hand on refuses it
    #[arg(long, conflicts_with_all = ["public", "secret_env", "secret_file", "ui"])]
    pub(crate) unsafe_raw: bool,
    /// Speak HTTP/1.1 only
    #[arg(long)]
    http1: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Keep {
    Oauth,
    All,
}

impl RecordingArgs {
    /// What a recording to this cassette is started with.
    pub(crate) fn options(
        &self,
        cassette: &Path,
        run: &RunArgs,
        on_laid: Option<LaidListener>,
    ) -> anyhow::Result<RecordOptions> {
        if self.unsafe_raw {
            library::refuse_hidden(cassette).map_err(|why| Usage(why.to_string()))?;
        }
        Ok(RecordOptions {
            cassette: cassette.to_owned(),
            overwrite: Overwrite::No,
            keep: Options {
                keep_all: self.keep == Keep::All,
                keep_values: self.keep_value.clone(),
                profile: self.profile(),
                secrets: self.hiding.secrets()?,
                ..Options::default()
            },
            wire: WireOptions {
                hosts: self.host.clone(),
                upstream_ca: self.roots(),
                resolve: self.resolve.clone(),
                http1: self.http1,
                detour: self.detour()?,
                insecure_upstream: self.insecure_upstream.clone(),
                client_certificates: self.client_cert.clone(),
                passphrase: passphrase()?,
                ..run.wire()?
            },
            on_laid,
        })
    }

    /// The roots that a program is to trust besides ours.
    pub(crate) fn trusted(&self) -> &[PathBuf] {
        &self.upstream_ca
    }

    /// Whose bundle a program of yours believes, its servers are believed here too.
    fn roots(&self) -> Vec<PathBuf> {
        let inherited = inherited_roots(&|name| std::env::var_os(name));
        self.upstream_ca.iter().cloned().chain(inherited).collect()
    }

    fn profile(&self) -> Profile {
        if self.unsafe_raw {
            Profile::Raw
        } else {
            self.hiding.profile()
        }
    }

    fn detour(&self) -> anyhow::Result<Detour> {
        match &self.upstream_proxy {
            // Parsed here and not by clap, whose error would show the URL with its password.
            Some(text) => Ok(upstream_proxy(text)?),
            None => Ok(Detour::from_environment(|name| std::env::var(name).ok())?),
        }
    }
}

fn upstream_proxy(text: &str) -> Result<Detour, proxy::Error> {
    if text == "none" {
        return Ok(Detour::none());
    }
    Detour::through(text)
}

fn client_certificate(text: &str) -> Result<(String, PathBuf), &'static str> {
    match text.split_once('=') {
        Some((host, path)) if !host.is_empty() && !path.is_empty() => {
            Ok((host.to_owned(), PathBuf::from(path)))
        }
        _ => Err("it is of the form HOST=FILE, as in accounts.example.com=me.pem"),
    }
}

/// An argument would show in the list of processes.
fn passphrase() -> anyhow::Result<Passphrase> {
    match std::env::var("AUTHTAPE_CLIENT_CERT_PASSPHRASE") {
        Ok(text) => Ok(Passphrase::new(text)),
        Err(VarError::NotPresent) => Ok(Passphrase::default()),
        // The error itself would show the passphrase.
        Err(VarError::NotUnicode(_)) => bail!("AUTHTAPE_CLIENT_CERT_PASSPHRASE is no UTF-8 text"),
    }
}

/// A glob is of a host's name alone, and any other would match nothing.
fn host(text: &str) -> Result<String, &'static str> {
    let is_address = text.starts_with('[') && text.ends_with(']');
    let is_host = !text.is_empty() && !text.contains('/') && (is_address || !text.contains(':'));
    is_host.then(|| text.to_owned()).ok_or(
        "it is a host without scheme, port and path, as in accounts.example.com or *.example.com",
    )
}
