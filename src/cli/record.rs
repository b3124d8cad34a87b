//! `authtape record`

use std::convert::Infallible;
use std::env::VarError;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use authtape::deck::{self, RecordOptions, Recorded, Recording, Running, Unreached, WireOptions};
use authtape::launch::{Client, Outcome, Signals, inherited_roots};
use authtape::library::{self, Overwrite};
use authtape::model::{FailureKind, Incident};
use authtape::proxy::{self, Detour, Passphrase, Resolve};
use authtape::record::{Options, Withheld};
use authtape::redact::Profile;
use clap::{Parser, ValueEnum};

use crate::cli::exit::{Exit, Usage};
use crate::cli::output::{error, plain, say, warning, word};
use crate::cli::run::{RunArgs, Went, block_on};
use crate::cli::secrets::HidingArgs;

/// Record a session: run a program behind the recorder, or wait for clients
///
/// The program's traffic goes through a proxy that this command starts; its proxy and certificate
/// settings are put into its environment. Except with `--unsafe-raw`, what is written holds no secret:
/// each is replaced by a label that stands for the same secret everywhere in the file.
#[derive(Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The cassette to write
    cassette: PathBuf,
    /// Replace a cassette that exists
    #[arg(long)]
    overwrite: bool,
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
    #[arg(long, conflicts_with_all = ["public", "secret_env", "secret_file"])]
    unsafe_raw: bool,
    /// Speak HTTP/1.1 only
    #[arg(long)]
    http1: bool,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Keep {
    Oauth,
    All,
}

impl Args {
    pub(crate) fn run(mut self) -> anyhow::Result<Exit> {
        block_on(async {
            // First of all: a signal that comes while this starts must end it as any other.
            let mut signals = Signals::catch()?;
            let trusted = self.upstream_ca.clone();
            // Whose bundle a program of yours believes, its servers are believed here too.
            self.upstream_ca
                .extend(inherited_roots(&|name| std::env::var_os(name)));
            if self.unsafe_raw {
                library::refuse_hidden(&self.cassette).map_err(|why| Usage(why.to_string()))?;
            }
            let running = deck::record(self.options()?).await?;
            if self.unsafe_raw {
                self.warn(running.ignored());
            }
            let went = tokio::select! {
                went = self.run.inside(&running, &trusted, &mut signals) => went,
                never = full(&running) => match never {},
            };
            let stopped = running.stop().await;
            let outcome = went.as_ref().ok().and_then(Went::outcome);
            let recorded = match stopped {
                Ok(recorded) => recorded,
                Err(failed) => {
                    error(&failed.into());
                    went?;
                    return Ok(Exit::after(outcome, Exit::CouldNot));
                }
            };
            if let Went::NotStarted(_) = went? {
                return Ok(Exit::after(outcome, Exit::CouldNot));
            }
            Ok(Exit::after(outcome, self.tell(recorded, outcome)))
        })
    }

    /// Says what came of it; alarms are given even to those who want to hear nothing.
    fn tell(&self, mut recorded: Recorded, outcome: Option<Outcome>) -> Exit {
        for withheld in &recorded.withheld {
            let Withheld { id, why } = withheld;
            error(&anyhow!("interaction {id} was withheld: {why}"));
        }
        for refused in std::mem::take(&mut recorded.renewals) {
            let what = "the disk failed once; all was written again, to a new file";
            error(&anyhow::Error::from(refused).context(what));
        }
        if recorded.is_full {
            error(&anyhow!(
                "{FULL}; the cassette says from which interaction on"
            ));
        }
        if self.unsafe_raw && recorded.path.is_some() {
            let path = self.cassette.display();
            warning(&format!(
                "{path} holds every secret of this session as it was said; hand it to nobody, and delete it when you have done with it"
            ));
        }
        let is_failed = outcome.is_some_and(|outcome| outcome.code != 0);
        if !self.run.quiet {
            self.summary(&recorded);
        } else if recorded.path.is_none() && !is_failed {
            error(&anyhow!("{}", nothing(&self.cassette)));
        }
        if !recorded.withheld.is_empty() {
            Exit::CouldNot
        } else if recorded.path.is_none() {
            Exit::Found
        } else {
            Exit::Clean
        }
    }

    /// Said even to those who want to hear nothing.
    fn warn(&self, ignored: Option<&Path>) {
        let path = self.cassette.display();
        warning(&format!(
            "--unsafe-raw writes every password, code and token that passes to {path}"
        ));
        if let Some(ignored) = ignored {
            let file = plain(&ignored.to_string_lossy());
            say(&format!(
                "authtape: {file} has a line so that git ignores it"
            ));
        }
    }

    fn summary(&self, recorded: &Recorded) {
        let program = self.run.command.first();
        let runtime = program.and_then(|program| Client::of_program(program));
        let path = self.cassette.display();
        match recorded.interactions {
            0 => say(&format!("authtape: {}", nothing(&self.cassette))),
            count => say(&format!(
                "authtape: {count} {} in {path}",
                plural(count, "interaction")
            )),
        }
        let kinds: Vec<_> = recorded
            .redacted
            .iter()
            .map(|kind| format!("{} {}", kind.value, kind.name))
            .collect();
        if !kinds.is_empty() {
            let what = if self.unsafe_raw {
                "written as they were"
            } else {
                "replaced by labels"
            };
            say(&format!("  {what}: {}", kinds.join(", ")));
        }
        let unreached = recorded.unreached.iter().map(unreached);
        let incidents = recorded.incidents.iter();
        unreached
            .chain(incidents.map(|incident| in_words(incident, runtime)))
            .for_each(|line| say(&format!("  {line}")));
        if recorded.interactions > 0 {
            say(&next(&self.cassette));
        } else if recorded.skipped > 0 {
            let (count, noun) = (recorded.skipped, plural(recorded.skipped, "message"));
            say(&format!(
                "  {count} {noun} passed, none of OAuth's; --keep all keeps every message"
            ));
        } else if recorded.incidents.is_empty() {
            self.untouched(runtime);
        }
    }

    /// What to do where nothing came.
    fn untouched(&self, runtime: Option<&Client>) {
        if self.run.browser.is_some() {
            return say("  nothing came through the proxy");
        }
        say(
            "  nothing came through the proxy; does the program read HTTPS_PROXY, and is it the one that calls the server?",
        );
        let advice = |client: &Client| Some(format!("{}: {}", client.name(), client.advice(true)?));
        if let Some(advice) = runtime.and_then(advice) {
            say(&format!("  {advice}"));
        }
        say("  `authtape doctor` tries the clients of this machine");
    }

    fn options(&self) -> anyhow::Result<RecordOptions> {
        Ok(RecordOptions {
            cassette: self.cassette.clone(),
            overwrite: if self.overwrite {
                Overwrite::Yes
            } else {
                Overwrite::No
            },
            keep: Options {
                keep_all: self.keep == Keep::All,
                keep_values: self.keep_value.clone(),
                profile: self.profile(),
                secrets: self.hiding.secrets()?,
                ..Options::default()
            },
            wire: WireOptions {
                listen: self.run.listen,
                ca_dir: self.run.ca.clone(),
                reverse: self.run.reverse.clone(),
                tls_listen: self.run.tls_listen,
                hosts: self.host.clone(),
                upstream_ca: self.upstream_ca.clone(),
                resolve: self.resolve.clone(),
                http1: self.http1,
                detour: self.detour()?,
                insecure_upstream: self.insecure_upstream.clone(),
                client_certificates: self.client_cert.clone(),
                passphrase: passphrase()?,
                password: self.run.password()?,
                limits: self.run.limits()?,
            },
        })
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

/// Says it when there are more secrets than are remembered, and then waits for ever.
async fn full(running: &Running<Recording>) -> Infallible {
    running.ledger_full().await;
    error(&anyhow!("{FULL}, from here on"));
    std::future::pending().await
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

fn nothing(cassette: &Path) -> String {
    format!(
        "nothing to record, so {} was not written",
        cassette.display()
    )
}

/// What to do with a cassette.
pub(crate) fn next(cassette: &Path) -> String {
    format!(
        "  next: authtape explain {}",
        word(&cassette.to_string_lossy())
    )
}

pub(crate) fn plural(count: usize, noun: &str) -> String {
    format!("{noun}{}", if count == 1 { "" } else { "s" })
}

pub(crate) fn unreached(server: &Unreached) -> String {
    let what = match server.kind {
        _ if server.detail.is_some() => server.detail.as_deref().unwrap_or_default(),
        FailureKind::TlsFailure => {
            "its certificate was not accepted; --upstream-ca FILE trusts the authority of a private server"
        }
        FailureKind::DnsFailure => {
            "its name does not resolve; --resolve HOST:PORT:ADDRESS says where it is"
        }
        FailureKind::ConnectRefused => "nothing listens there",
        FailureKind::ConnectTimeout => "it could not be reached in time",
        FailureKind::ConnectForbidden => "authtape calls neither itself nor link-local addresses",
        FailureKind::ProxyFailure => "the proxy on the way did not let us through",
        _ => "the connection failed",
    };
    format!("{}: {what} ({})", plain(&server.authority), server.kind)
}

pub(crate) fn in_words(incident: &Incident, runtime: Option<&Client>) -> String {
    match incident {
        Incident::CertificateRefused {
            host,
            alert,
            client,
        } => {
            let alert = alert
                .as_deref()
                .map(|alert| format!(" ({alert})"))
                .unwrap_or_default();
            let known = client.as_deref().and_then(Client::of_agent).or(runtime);
            let name = known.map(Client::name).or(client.as_deref());
            let advice = known.and_then(Client::trust).unwrap_or(
                "its roots are read from elsewhere; give it the file in $SSL_CERT_FILE, or use --reverse ORIGIN",
            );
            let (host, name) = (plain(host), plain(name.unwrap_or("the client")));
            format!("{host}: {name} does not trust our certificate{alert}: {advice}")
        }
        Incident::Tunnelled { authority, reason } => {
            format!("{}: passed unread, {reason}", plain(authority))
        }
        Incident::Unreadable { host, reason } => {
            format!("{}: {reason}", plain(host.as_deref().unwrap_or("a client")))
        }
        _ => "a connection that never became a request".to_owned(),
    }
}

const FULL: &str = "there were more secrets than are remembered, so bodies are dropped, and the same secret may have several labels";

const EXAMPLES: &str = "\
Examples:
  authtape record login.yaml -- php login.php
  authtape record login.yaml --host 'accounts.example.com' -- npm test
  authtape record login.yaml --secret-env API_TOKEN -- npm test
  authtape record public.yaml --public -- npm test
  authtape record login.raw.yaml --unsafe-raw -- php login.php
  authtape record login.yaml --browser https://app.example.com/login
  authtape record login.yaml                    waits; names a file for the client's shell";
