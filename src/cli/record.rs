//! `authtape record`

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use authtape::deck::{self, RecordOptions, Recorded, Unreached, WireOptions};
use authtape::launch::{Client, Signals};
use authtape::library::Overwrite;
use authtape::model::{FailureKind, Incident};
use authtape::proxy::{self, Detour, Passphrase, Resolve};
use authtape::record::Options;
use clap::{Parser, ValueEnum};

use crate::cli::exit::Exit;
use crate::cli::output::{error, plain, say};
use crate::cli::run::{RunArgs, Went, block_on, password};

/// Record a session: run a program behind the recorder, or wait for clients
///
/// The program's traffic goes through a proxy that this command starts; its proxy and certificate
/// settings are put into its environment. What is written holds no secret: each is replaced by a
/// label that stands for the same secret everywhere in the file.
#[derive(Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The cassette to write
    cassette: PathBuf,
    /// Replace a cassette that exists
    #[arg(long)]
    overwrite: bool,
    /// Open only the hosts that match; the others pass unread (repeatable, * and ? stand for text)
    #[arg(long, value_name = "GLOB")]
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
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        block_on(async {
            // First of all: a signal that comes while this starts must end it as any other.
            let mut signals = Signals::catch()?;
            let running = deck::record(self.options()?).await?;
            let went = self.run.inside(&running, &mut signals).await;
            let mut recorded = running.stop().await?;
            let outcome = match went? {
                Went::Well(outcome) => outcome,
                Went::NotStarted(outcome) => return Ok(Exit::Child(outcome.code)),
            };
            for refused in std::mem::take(&mut recorded.renewals) {
                let what = "the disk failed once; all was written again, to a new file";
                error(&anyhow::Error::from(refused).context(what));
            }
            if !self.run.quiet {
                summary(&recorded, &self.cassette, self.run.command.first());
            }
            let ours = if recorded.withheld.is_empty() {
                Exit::Clean
            } else {
                Exit::CouldNot
            };
            Ok(outcome.map_or(ours, |outcome| Exit::after(outcome, ours)))
        })
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
                insecure_upstream: Vec::new(),
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
                passphrase: passphrase(),
                password: password()?,
                limits: self.run.limits()?,
            },
        })
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
fn passphrase() -> Passphrase {
    let variable = std::env::var("AUTHTAPE_CLIENT_CERT_PASSPHRASE");
    variable.map(Passphrase::new).unwrap_or_default()
}

fn summary(recorded: &Recorded, cassette: &Path, program: Option<&OsString>) {
    let runtime = program.and_then(|program| Client::of_program(program));
    let path = cassette.display();
    match recorded.interactions {
        0 => say(&format!(
            "authtape: nothing to record, so {path} was not written"
        )),
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
        say(&format!("  replaced by labels: {}", kinds.join(", ")));
    }
    for withheld in &recorded.withheld {
        say(&format!(
            "  interaction {} was withheld: {}",
            withheld.id, withheld.why
        ));
    }
    recorded
        .unreached
        .iter()
        .for_each(|server| say(&format!("  {}", unreached(server))));
    recorded
        .incidents
        .iter()
        .for_each(|incident| say(&format!("  {}", in_words(incident, runtime))));
    if recorded.interactions > 0 {
        say(&format!("  next: authtape explain {path}"));
    } else if recorded.skipped > 0 {
        let (count, noun) = (recorded.skipped, plural(recorded.skipped, "message"));
        say(&format!(
            "  {count} {noun} passed, none of OAuth's; --keep all keeps every message"
        ));
    } else if recorded.incidents.is_empty() {
        say(
            "  nothing came through the proxy; does the program read HTTPS_PROXY, and is it the one that calls the server?",
        );
        if let Some((client, advice)) =
            runtime.and_then(|client| Some((client, client.advice(true)?)))
        {
            say(&format!("  {}: {advice}", client.name()));
        }
        say("  `authtape doctor` tries the clients of this machine");
    }
}

fn plural(count: usize, noun: &str) -> String {
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
        Incident::Tunnelled { authority } => format!("{}: passed unread", plain(authority)),
        Incident::Unreadable { host, reason } => {
            format!("{}: {reason}", plain(host.as_deref().unwrap_or("a client")))
        }
        _ => "a connection that never became a request".to_owned(),
    }
}

const EXAMPLES: &str = "\
Examples:
  authtape record login.yaml -- php login.php
  authtape record login.yaml --host 'accounts.example.com' -- npm test
  authtape record login.yaml --browser https://app.example.com/login
  authtape record login.yaml                    waits; prints what to set in the client's shell";
