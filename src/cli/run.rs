//! What `record` and `replay` share: a deck that runs, with a program inside or waiting for
//! clients.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, anyhow};
use authtape::deck::{Running, WireOptions};
use authtape::launch::{self, Browser, Environment, Outcome, Signals};
use authtape::library;
use authtape::proxy::{Limits, Password, Reverse};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::exit::Usage;
use crate::cli::live::Live;
use crate::cli::output::{error, plain, say};
use crate::cli::waiting;

/// Options of both commands.
#[derive(Args)]
pub(crate) struct RunArgs {
    /// Where the proxy listens; port 0 takes any that is free. Beyond this machine only with
    /// `AUTHTAPE_PROXY_PASSWORD` set, which clients are then asked for
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0", value_parser = listen)]
    pub(crate) listen: SocketAddr,
    /// Stand for this server at a local origin, for clients that cannot use a proxy (repeatable)
    #[arg(long, value_name = "ORIGIN[=ADDR:PORT]")]
    pub(crate) reverse: Vec<Reverse>,
    /// Take TLS here from clients that know of no proxy; they name the host in it
    #[arg(long, value_name = "ADDR:PORT", value_parser = listen)]
    pub(crate) tls_listen: Option<SocketAddr>,
    #[arg(long, value_name = "NAME=VALUE", help = limits_help())]
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
    /// Say each message as it is recorded or played (with `--mode new_episodes`, those that are new), and
    /// what is wrong with it as soon as that shows
    #[arg(long, short, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
    /// Show the session as it is said, redacted, on a page for this machine's browsers; its address
    /// is printed
    #[arg(long)]
    pub(crate) ui: bool,
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

impl Went {
    /// How the program ended, where there was one.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        match self {
            Self::Well(outcome) => *outcome,
            Self::NotStarted(outcome) => Some(*outcome),
        }
    }
}

impl RunArgs {
    /// Runs the program, or waits to be interrupted. The run is to be stopped whatever comes of it.
    /// The program trusts these roots besides ours, where what it calls is not read.
    pub(crate) async fn inside<Deck>(
        &self,
        running: &Running<Deck>,
        roots: &[PathBuf],
        live: Option<&Live>,
        signals: &mut Signals,
    ) -> anyhow::Result<Went> {
        let trusted = trusted(roots, running);
        let environment = Environment::prepare(&running.client_url(), &trusted, |name| {
            std::env::var_os(name)
        })?;
        if let Some(live) = live {
            running.never_call(live.address());
        }
        if let Some(path) = &self.ready_file {
            announce(path, running, &environment, live)?;
        }
        if !self.quiet {
            Self::stands(running);
        }
        // Who asks for a page has to learn where it is.
        if let Some(live) = live {
            let url = live.url();
            say(&format!("authtape: the session as it is said: {url}"));
        }
        if let Some(url) = &self.browser {
            return self.browse(url, running, &environment, signals).await;
        }
        if !self.command.is_empty() {
            return run_program(&self.command, &environment, Stdio::inherit(), signals).await;
        }
        let file = environment.directory().join("authtape.sh");
        waiting::write_shell_file(&file, running, &environment)?;
        if !self.quiet {
            waiting::instructions(running, &file, self.ca.as_deref())?;
        }
        signals.next().await;
        if !self.quiet {
            waiting::farewell();
        }
        Ok(Went::Well(None))
    }

    /// Lets a browser open the URL. What it says is its own business, unless it fails.
    async fn browse<Deck>(
        &self,
        url: &str,
        running: &Running<Deck>,
        environment: &Environment,
        signals: &mut Signals,
    ) -> anyhow::Result<Went> {
        let proxy = launch::Proxy {
            url: &running.proxy_url(),
            ca_pem: running.ca_pem(),
            key_hash: &running.key_hash(),
        };
        let browser = Browser::find(self.browser_program.as_deref())?;
        let command = browser.command(proxy, environment, url, &self.browser_arg);
        let command = command.await?;
        let log = environment.directory().join("browser.log");
        let stderr = std::fs::File::create(&log).context("cannot keep what the browser says")?;
        let went = run_program(&command, environment, stderr.into(), signals).await?;
        // By a signal it is ended by its user.
        if let Went::Well(Some(Outcome {
            code: code @ 1..128,
        })) = went
        {
            error(&anyhow!("the browser ended with status {code}"));
            let said = std::fs::read(&log).unwrap_or_default();
            let said = String::from_utf8_lossy(&said).into_owned();
            let skipped = said.lines().count().saturating_sub(SAID_MAX);
            said.lines()
                .skip(skipped)
                .for_each(|line| say(&format!("  {}", plain(line))));
        }
        Ok(went)
    }

    /// How the proxy stands in the network, as far as both say it.
    pub(crate) fn wire(&self) -> anyhow::Result<WireOptions> {
        Ok(WireOptions {
            listen: self.listen,
            ca_dir: self.ca.clone(),
            reverse: self.reverse.clone(),
            tls_listen: self.tls_listen,
            password: self.password()?,
            limits: self.limits()?,
            ..WireOptions::default()
        })
    }

    /// The limits that were set.
    fn limits(&self) -> Result<Limits, Usage> {
        let mut set = self.limit.iter();
        set.try_fold(Limits::default(), |limits, text| limits.with(text))
            .map_err(|error| Usage(format!("--limit: {error}")))
    }

    /// The password that clients must know; an argument would show in the list of processes.
    fn password(&self) -> anyhow::Result<Option<Password>> {
        let Some(set) = std::env::var_os(PASSWORD) else {
            return Ok(None);
        };
        if self.browser.is_some() {
            let why = "a browser cannot be given the proxy's password; leave AUTHTAPE_PROXY_PASSWORD unset with --browser";
            return Err(Usage(why.to_owned()).into());
        }
        // What is no text fails as what is no password: it must not count as unset.
        let text = set.into_string().unwrap_or_default();
        Ok(Some(Password::new(text)?))
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

/// Runs a program to its end; why one cannot be started is said here.
pub(crate) async fn run_program(
    command: &[OsString],
    environment: &Environment,
    stderr: Stdio,
    signals: &mut Signals,
) -> anyhow::Result<Went> {
    let failed = match launch::run(command, environment, stderr, signals).await {
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

/// PEM of these files, and of ours.
pub(crate) fn trusted<Deck>(roots: &[PathBuf], running: &Running<Deck>) -> String {
    let read = roots.iter().filter_map(|path| running.roots_of(path));
    let texts = read.map(|pem| String::from_utf8_lossy(pem).into_owned() + "\n");
    texts.chain([running.ca_pem().to_owned()]).collect()
}

fn listen(text: &str) -> Result<SocketAddr, &'static str> {
    let local = text
        .strip_prefix("localhost:")
        .map(|port| format!("127.0.0.1:{port}"));
    let address = local.as_deref().unwrap_or(text).parse();
    address.or(Err(
        "it is ADDRESS:PORT, as in 127.0.0.1:8080 or [::1]:8080",
    ))
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
    live: Option<&Live>,
) -> anyhow::Result<()> {
    let line = serde_json::json!({
        "proxy": running.proxy_url(),
        "ca": environment.directory().join("bundle.pem").display().to_string(),
        "pid": std::process::id(),
        "reverse": running.reverse().iter().cloned().collect::<BTreeMap<_, _>>(),
        "ui": live.map(Live::url),
        "tls": running.tls_address().map(|address| address.to_string()),
    });
    Ok(library::write(path, &format!("{line}\n"))?)
}

const PASSWORD: &str = "AUTHTAPE_PROXY_PASSWORD";
const SIGXFSZ: i32 = 25;
/// How many lines of a browser's are shown.
const SAID_MAX: usize = 20;
