//! `authtape record`

use std::path::PathBuf;

use authtape::deck::{self, Ended, RecordOptions, Recorded, WireOptions};
use authtape::library::Overwrite;
use authtape::model::Incident;
use authtape::proxy::Resolve;
use authtape::record::Options;
use clap::{Parser, ValueEnum};

use crate::cli::exit::Exit;
use crate::cli::output::{plain, say};
use crate::cli::run::{Done, RunArgs, block_on};

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
            let running = deck::record(self.options()).await?;
            let Done { ended, outcome } = self.run.with(running).await?;
            let Ended::Recorded(recorded) = ended else {
                return Ok(Exit::Clean);
            };
            if !self.run.quiet {
                summary(&recorded);
            }
            let ours = if recorded.withheld.is_empty() {
                Exit::Clean
            } else {
                Exit::CouldNot
            };
            Ok(outcome.map_or(ours, |outcome| Exit::after(outcome, ours)))
        })
    }

    fn options(&self) -> RecordOptions {
        RecordOptions {
            cassette: self.cassette.clone(),
            overwrite: if self.overwrite {
                Overwrite::Yes
            } else {
                Overwrite::No
            },
            keep: Options {
                keep_all: self.keep == Keep::All,
                keep_values: self.keep_value.clone(),
            },
            wire: WireOptions {
                listen: self.run.listen,
                ca_dir: self.run.ca.clone(),
                hosts: self.host.clone(),
                upstream_ca: self.upstream_ca.clone(),
                resolve: self.resolve.clone(),
                http1: self.http1,
            },
        }
    }
}

fn summary(recorded: &Recorded) {
    let path = recorded.path.display();
    let count = recorded.interactions;
    let noun = if count == 1 {
        "interaction"
    } else {
        "interactions"
    };
    say(&format!("authtape: {count} {noun} in {path}"));
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
        .incidents
        .iter()
        .for_each(|incident| say(&format!("  {}", in_words(incident))));
    if count == 0 {
        say(
            "  no OAuth message came through the proxy; does the client read proxy variables? --keep all keeps every message",
        );
    } else {
        say(&format!("  next: authtape explain {path}"));
    }
}

fn in_words(incident: &Incident) -> String {
    match incident {
        Incident::CertificateRefused { host, alert } => {
            let alert = alert
                .as_deref()
                .map(|alert| format!(" ({alert})"))
                .unwrap_or_default();
            format!(
                "{}: the client does not trust our certificate{alert}; its runtime reads its roots from elsewhere",
                plain(host)
            )
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
  authtape record login.yaml                    waits; prints what to set in the client's shell";
