//! What `record` and `replay` share: a deck that runs, with a program inside or waiting for clients.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use authtape::deck::Running;
use authtape::launch::{self, Browser, Environment, Outcome, Signals};
use authtape::proxy::{self, Limits, Password, Reverse};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::output::{error, say};

/// Options of both commands.
#[derive(Args)]
pub(crate) struct RunArgs {
    /// Where the proxy listens; port 0 takes any that is free. Beyond this machine only with
    /// `AUTHTAPE_PROXY_PASSWORD` set, which clients are then asked for
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Stand for this server at a local origin, for clients that cannot use a proxy (repeatable)
    #[arg(long, value_name = "ORIGIN[=ADDR:PORT]")]
    pub(crate) reverse: Vec<Reverse>,
    /// Take TLS here from clients that know of no proxy; they name the host in it
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) tls_listen: Option<SocketAddr>,
    /// Set a limit (repeatable)
    #[arg(long, value_name = "NAME=VALUE", value_parser = limit, help = limits_help())]
    pub(crate) limit: Vec<String>,
    /// Use the authority that `authtape ca new DIR` made, instead of one for this run
    #[arg(long, value_name = "DIR")]
    pub(crate) ca: Option<PathBuf>,
    /// Write a line of JSON with the proxy's URL to this file when it listens
    #[arg(long, value_name = "FILE")]
    pub(crate) ready_file: Option<PathBuf>,
    /// Say nothing but errors
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Open this address in a browser behind the proxy, with a profile of its own for this run
    #[arg(long, value_name = "URL", value_parser = address, conflicts_with = "command")]
    pub(crate) browser: Option<String>,
    /// The browser to open it in, Chromium's kind or Firefox
    #[arg(long, value_name = "PROGRAM", requires = "browser")]
    pub(crate) browser_program: Option<PathBuf>,
    /// Give the browser this argument too (repeatable)
    #[arg(
        long,
        value_name = "ARG",
        requires = "browser",
        allow_hyphen_values = true
    )]
    pub(crate) browser_arg: Vec<OsString>,
    /// A program to run behind the proxy, with its arguments
    #[arg(last = true, value_name = "PROGRAM")]
    pub(crate) command: Vec<OsString>,
}

/// How a run went until it is to end.
pub(crate) enum Went {
    /// The program ended, or clients were waited for until a signal came.
    Well(Option<Outcome>),
    /// The program could not be started, and there is nothing to say but that.
    NotStarted(Outcome),
}

impl RunArgs {
    /// Runs the program, or waits to be interrupted. The run is to be stopped whatever comes of it.
    pub(crate) async fn inside<Deck>(
        &self,
        running: &Running<Deck>,
        signals: &mut Signals,
    ) -> anyhow::Result<Went> {
        let environment = Environment::prepare(&running.client_url(), running.ca_pem(), |name| {
            std::env::var_os(name)
        })?;
        if let Some(path) = &self.ready_file {
            announce(path, running, &environment)?;
        }
        if !self.quiet {
            Self::stands(running);
        }
        let command = self.program(running, &environment).await?;
        if command.is_empty() {
            if !self.quiet {
                instructions(running, &environment);
            }
            signals.next().await;
            return Ok(Went::Well(None));
        }
        let failed = match launch::run(&command, &environment, signals).await {
            Ok(outcome) => return Ok(Went::Well(Some(outcome))),
            Err(failed) => failed,
        };
        // The shell's own codes for a program that is missing, or cannot be started.
        let code = match failed {
            launch::Error::Missing { .. } => 127,
            launch::Error::Start { .. } => 126,
            _ => return Err(failed.into()),
        };
        error(&failed.into());
        Ok(Went::NotStarted(Outcome { code }))
    }

    /// What is run behind the proxy; nothing where clients are waited for.
    async fn program<Deck>(
        &self,
        running: &Running<Deck>,
        environment: &Environment,
    ) -> anyhow::Result<Vec<OsString>> {
        let Some(url) = &self.browser else {
            return Ok(self.command.clone());
        };
        ensure!(
            !running.asks_for_password(),
            "a browser cannot be given the proxy's password; leave AUTHTAPE_PROXY_PASSWORD unset with --browser"
        );
        let proxy = launch::Proxy {
            url: &running.proxy_url(),
            ca_pem: running.ca_pem(),
            key_hash: &running.key_hash(),
        };
        let browser = Browser::find(self.browser_program.as_deref())?;
        Ok(browser
            .command(proxy, environment, url, &self.browser_arg)
            .await?)
    }

    /// The limits that were set.
    pub(crate) fn limits(&self) -> Result<Limits, proxy::Error> {
        let mut set = self.limit.iter();
        set.try_fold(Limits::default(), |limits, text| limits.with(text))
    }

    fn stands<Deck>(running: &Running<Deck>) {
        for (origin, local) in running.reverse() {
            say(&format!("authtape: {local} stands for {origin}"));
        }
        if let Some(address) = running.tls_address() {
            say(&format!("authtape: TLS for any host at {address}"));
        }
    }
}

/// The password that clients must know; an argument would show in the list of processes.
pub(crate) fn password() -> Result<Option<Password>, proxy::Error> {
    let set = std::env::var(PASSWORD).ok().filter(|text| !text.is_empty());
    set.map(Password::new).transpose()
}

fn limit(text: &str) -> Result<String, proxy::Error> {
    Limits::default().with(text).map(|_| text.to_owned())
}

fn limits_help() -> String {
    format!(
        "Set a limit of the proxy, these by default (repeatable): {}",
        Limits::defaults()
    )
}

fn address(text: &str) -> Result<String, &'static str> {
    let has_scheme = text.starts_with("https://") || text.starts_with("http://");
    has_scheme
        .then(|| text.to_owned())
        .ok_or("it is a URL, as in https://app.example.com/login")
}

/// A runtime for the wire.
pub(crate) fn block_on<T>(task: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    // One thread waits; what passes through the proxy has threads of its own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime
        .context("cannot start the runtime")?
        .block_on(async {
            // With a handler, a file that may not grow is an error of the write; without, it is the end.
            let _caught = signal(SignalKind::from_raw(SIGXFSZ))?;
            task.await
        })
}

fn announce<Deck>(
    path: &Path,
    running: &Running<Deck>,
    environment: &Environment,
) -> anyhow::Result<()> {
    let line = serde_json::json!({
        "proxy": running.proxy_url(),
        "ca": environment.directory().join("bundle.pem").display().to_string(),
        "pid": std::process::id(),
        "reverse": running.reverse().iter().cloned().collect::<BTreeMap<_, _>>(),
        "tls": running.tls_address().map(|address| address.to_string()),
    });
    write_whole(path, &format!("{line}\n"))
}

/// Writes a file that a waiting script sees whole or not at all.
pub(crate) fn write_whole(path: &Path, text: &str) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(parent).with_context(cannot)?;
    file.write_all(text.as_bytes()).with_context(cannot)?;
    file.persist(path).with_context(cannot)?;
    Ok(())
}

fn instructions<Deck>(running: &Running<Deck>, environment: &Environment) {
    say(&format!("listening on {}", running.proxy_url()));
    let shown = if running.asks_for_password() {
        say(&format!(
            "in the shell of your client, where {PASSWORD} is set too:"
        ));
        format!("://authtape:'\"${PASSWORD}\"'@")
    } else {
        say("in the shell of your client:");
        "://".to_owned()
    };
    for (name, value) in environment.variables() {
        let value = value.to_string_lossy().replace('\'', r"'\''");
        // Where it is shown others may read it, so that shell is to know it too.
        let value = value.replacen(
            &running.client_url(),
            &running.proxy_url().replacen("://", &shown, 1),
            1,
        );
        say(&format!("  export {name}='{value}'"));
    }
    say("Ctrl-C ends it");
}

const PASSWORD: &str = "AUTHTAPE_PROXY_PASSWORD";
const SIGXFSZ: i32 = 25;
