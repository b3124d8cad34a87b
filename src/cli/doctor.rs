//! `authtape doctor`

use std::ffi::OsString;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use authtape::deck::{self, RecordOptions, Recorded, WireOptions};
use authtape::demo::Server;
use authtape::launch::{Client, Directory, Environment, Signals, Tried, inherited_roots};
use authtape::library::Overwrite;
use authtape::model::Incident;
use authtape::proxy::{Detour, Resolve};
use authtape::record::Options;
use clap::Parser;

use crate::cli::exit::Exit;
use crate::cli::output::{plain, result};
use crate::cli::program;
use crate::cli::run::block_on;

/// Try the clients of this machine: which are recorded as they are, and what to do for the others
///
/// Each client that is found gets a page of a server in this program, once by a name and once as
/// localhost, behind a recorder. Nothing outside this machine is called.
#[derive(Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only clients whose name contains this
    client: Option<String>,
    /// Print the results as JSON
    #[arg(long)]
    json: bool,
    /// Trust this PEM file's roots besides the system's when calling servers (repeatable)
    #[arg(long, value_name = "PEM", requires = "command")]
    upstream_ca: Vec<PathBuf>,
    /// Call ADDRESS where the program asks for HOST:PORT (repeatable)
    #[arg(long, value_name = "HOST:PORT:ADDRESS", requires = "command")]
    resolve: Vec<Resolve>,
    /// Run this program instead, and say whether what it sends comes through
    #[arg(last = true, value_name = "PROGRAM", conflicts_with = "client")]
    command: Vec<OsString>,
}

/// Whether a client's exchange was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Covered,
    NotThere,
    Direct,
    Distrusts,
    Failed(String),
}

impl Verdict {
    fn word(&self) -> &'static str {
        match self {
            Self::Covered => "covered",
            Self::NotThere => "not installed",
            Self::Direct => "not covered",
            Self::Distrusts => "no trust",
            Self::Failed(_) => "failed",
        }
    }
}

struct Row {
    client: &'static Client,
    version: Option<String>,
    named: Verdict,
    local: Verdict,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        block_on(async {
            let mut signals = Signals::catch()?;
            if !self.command.is_empty() {
                let own = inherited_roots(&|name| std::env::var_os(name));
                let wire = WireOptions {
                    upstream_ca: [self.upstream_ca, own].concat(),
                    resolve: self.resolve,
                    detour: Detour::from_environment(|name| std::env::var(name).ok())?,
                    ..WireOptions::default()
                };
                return program::examine(&self.command, self.json, wire, &mut signals).await;
            }
            tokio::select! {
                examined = self.examine() => examined,
                _ = signals.next() => Ok(Exit::CouldNot),
            }
        })
    }

    async fn examine(&self) -> anyhow::Result<Exit> {
        let wanted = self.client.as_deref().unwrap_or_default().to_lowercase();
        let asked =
            |client: &&Client| client.has_probe() && client.name().to_lowercase().contains(&wanted);
        let clients: Vec<_> = Client::all().iter().filter(asked).collect();
        anyhow::ensure!(
            !clients.is_empty(),
            "no client is called `{}`; `authtape doctor` alone tries all",
            plain(&wanted)
        );
        let server = Server::start(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let (here, absent): (Vec<_>, Vec<_>) = clients
            .into_iter()
            .partition(|client| client.is_installed());
        let mut rows = Vec::new();
        for client in here {
            let row = row(client, &server).await?;
            if !self.json {
                if rows.is_empty() {
                    line("client", "version", "by name", "localhost")?;
                }
                let version = row.version.as_deref().unwrap_or("-");
                line(client.name(), version, row.named.word(), row.local.word())?;
            }
            rows.push(row);
        }
        server.stop().await;
        let absent: Vec<_> = absent.iter().map(|client| client.name()).collect();
        if self.json {
            result(&format!("{}\n", json(&rows, &absent)))?;
        } else {
            advise(&rows, &absent)?;
        }
        let is_covered = |row: &Row| matches!(row.named, Verdict::Covered | Verdict::NotThere);
        Ok(if rows.iter().all(is_covered) {
            Exit::Clean
        } else {
            Exit::Found
        })
    }
}

async fn row(client: &'static Client, server: &Server) -> anyhow::Result<Row> {
    let named = verdict(client, server, &format!("https://{NAME}{PAGE}")).await?;
    let local = match named {
        Verdict::NotThere => Verdict::NotThere,
        _ => verdict(client, server, &format!("https://{}{PAGE}", server.host())).await?,
    };
    Ok(Row {
        client,
        version: client.version().await,
        named,
        local,
    })
}

async fn verdict(client: &Client, server: &Server, url: &str) -> anyhow::Result<Verdict> {
    let directory = Directory::make()?;
    let roots = directory.path().join("server.pem");
    std::fs::write(&roots, server.ca_pem())?;
    let address = server.host().replace("localhost", "127.0.0.1");
    let resolve: Resolve = format!("{NAME}:443:{address}").parse()?;
    let wire = WireOptions {
        upstream_ca: vec![roots],
        resolve: vec![resolve],
        ..WireOptions::default()
    };
    let running = deck::record(thrown_away(&directory, wire)).await?;
    let environment = Environment::prepare(&running.proxy_url(), running.ca_pem(), |name| {
        std::env::var_os(name)
    })?;
    let tried = client.get(url, &environment).await?;
    Ok(judge(&running.stop().await?, tried))
}

fn judge(recorded: &Recorded, tried: Tried) -> Verdict {
    let distrusts = |incident: &Incident| matches!(incident, Incident::CertificateRefused { .. });
    match tried {
        Tried::Missing => Verdict::NotThere,
        _ if recorded.interactions > 0 => Verdict::Covered,
        _ if recorded.incidents.iter().any(distrusts) => Verdict::Distrusts,
        Tried::Failed(said) if !recorded.incidents.is_empty() => Verdict::Failed(said),
        Tried::Failed(_) | Tried::Answered => Verdict::Direct,
    }
}

/// A recording of everything that nobody is to see.
pub(super) fn thrown_away(directory: &Directory, wire: WireOptions) -> RecordOptions {
    RecordOptions {
        cassette: directory.path().join("doctor.yaml"),
        overwrite: Overwrite::No,
        keep: Options {
            keep_all: true,
            ..Options::default()
        },
        wire,
        on_laid: None,
    }
}

fn line(client: &str, version: &str, named: &str, local: &str) -> anyhow::Result<()> {
    result(&format!(
        "{client:<26}  {version:<12}  {named:<13}  {local}\n"
    ))
}

fn advise(rows: &[Row], absent: &[&str]) -> anyhow::Result<()> {
    let mut out = String::new();
    for row in rows {
        let cases = [
            ("", &row.named, false),
            (", a server on this machine", &row.local, true),
        ];
        for (which, verdict, is_local) in cases {
            // What is said of all servers is not said again of those here.
            if is_local && row.local == row.named {
                continue;
            }
            if let Some(advice) = advice(row.client, verdict, is_local) {
                let name = row.client.name();
                writeln!(out, "\n{name}{which}\n  {}", plain(&advice))?;
            }
        }
    }
    if !absent.is_empty() {
        writeln!(out, "\nnot on this machine: {}", absent.join(", "))?;
    }
    out.push_str(UNTRIED);
    result(&out)
}

fn advice(client: &Client, verdict: &Verdict, is_local: bool) -> Option<String> {
    match verdict {
        Verdict::Covered | Verdict::NotThere => None,
        Verdict::Direct => Some(client.advice(is_local).unwrap_or(REVERSE).to_owned()),
        Verdict::Distrusts => Some(client.trust().unwrap_or(REVERSE).to_owned()),
        Verdict::Failed(said) => Some(format!("it said: {said}")),
    }
}

fn json(rows: &[Row], absent: &[&str]) -> serde_json::Value {
    let row = |row: &Row| {
        serde_json::json!({
            "client": row.client.name(),
            "version": row.version,
            "by_name": row.named.word(),
            "localhost": row.local.word(),
            "advice": advice(row.client, &row.named, false).or_else(|| advice(row.client, &row.local, true)),
        })
    };
    serde_json::json!({ "clients": rows.iter().map(row).collect::<Vec<_>>(), "absent": absent })
}

/// What helps any client.
pub(super) const REVERSE: &str =
    "use --reverse ORIGIN, and give the client the local address that is printed";
/// A name that no resolver knows.
const NAME: &str = "accounts.authtape.test";
const PAGE: &str = "/.well-known/openid-configuration";

const UNTRIED: &str = "
not tried
  browsers: `record --browser URL` starts one with a profile of its own
  Rust: reqwest reads the same variables; with roots that are compiled in (webpki-roots), use --reverse
  .NET: on Linux it reads the same variables; on macOS and Windows it reads the system's roots only,
    so `authtape ca new DIR`, trust DIR/ca.pem there, and `record --ca DIR`
";

const EXAMPLES: &str = "\
Examples:
  authtape doctor
  authtape doctor python
  authtape doctor -- npm test";
