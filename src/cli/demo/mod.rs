//! `authtape demo`: the whole product in a minute, with nothing but the binary.

mod client;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use authtape::deck::{self, RecordOptions, ReplayOptions, Running, WireOptions};
use authtape::demo::{CLIENT_ID, Server};
use authtape::diagnose::{self, report};
use authtape::launch::{Directory, Environment, Signals};
use authtape::library::{self, Overwrite};
use authtape::oauth::name;
use authtape::record::Options;
use authtape::replay::PlayOptions;
use clap::Parser;

use crate::cli::exit::Exit;
use crate::cli::output::{heading, look, plain, result, say};
use crate::cli::run::block_on;

/// Try it: an embedded server and a failing client, recorded, explained and replayed
///
/// The client sends a `redirect_uri` to the token endpoint that is not the one it sent before, and
/// the server's answer speaks of a username and password. The cassette stays in this directory for
/// you to look at.
#[derive(Parser)]
pub(crate) struct Args {
    /// Only run the server, until Ctrl-C
    #[arg(long, hide = true)]
    serve: bool,
    /// Where the server listens
    #[arg(
        long,
        hide = true,
        value_name = "ADDR:PORT",
        default_value = "127.0.0.1:0"
    )]
    listen: SocketAddr,
    /// Write a line of JSON with the server's host, roots and client to this file when it listens
    #[arg(long, hide = true, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Only run the client, against this server
    #[arg(long, hide = true, value_name = "HOST")]
    client: Option<String>,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        block_on(async {
            match &self.client {
                Some(host) => client::login(host).await?,
                None if self.serve => self.serve().await?,
                None => show().await?,
            }
            Ok(Exit::Clean)
        })
    }

    async fn serve(&self) -> anyhow::Result<()> {
        let mut signals = Signals::catch()?;
        let server = Server::start(self.listen).await?;
        let directory = Directory::make()?;
        let roots = directory.path().join("demo-ca.pem");
        std::fs::write(&roots, server.ca_pem())?;
        if let Some(path) = &self.ready_file {
            let line = serde_json::json!({
                "authority": server.host(),
                "ca": roots,
                (name::CLIENT_ID): CLIENT_ID,
                (name::CLIENT_SECRET): server.client_secret(),
                "pid": std::process::id(),
            });
            library::write(path, &format!("{line}\n"))?;
        }
        say(&format!(
            "the demo server is on https://{}, its roots are in {}",
            server.host(),
            roots.display()
        ));
        signals.next().await;
        server.stop().await;
        Ok(())
    }
}

async fn show() -> anyhow::Result<()> {
    let (cassette, kept) = free_name();
    let server = Server::start(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let (host, secret) = (server.host(), server.client_secret().to_owned());
    if let Some(kept) = kept {
        print(&format!(
            "{} is there already and stays as it is",
            kept.display()
        ))?;
    }
    print(&heading("1. A login that fails, recorded"))?;
    let live = record(&server, &cassette, &host, &secret).await?;
    print_client(&live)?;
    server.stop().await;

    print(&heading(&format!(
        "2. Why, from the recording (authtape explain {})",
        cassette.display()
    )))?;
    let recording = library::load(&cassette)?;
    let findings = diagnose::diagnose(&recording);
    result(&format!(
        "\n{}\n",
        report::text(
            &findings,
            &recording,
            &cassette.display().to_string(),
            look()
        )
    ))?;

    print(&heading(
        "3. The same login, replayed; the server is stopped",
    ))?;
    let (replayed, misses) = replay(&cassette, &host, &secret).await?;
    print_client(&replayed)?;
    ensure!(
        misses == 0 && replayed == live,
        "the replay is not what was recorded; please report this, with {}",
        cassette.display()
    );
    print("   The client got the same answers, from the tape alone.\n")?;

    print(&heading("What to try next"))?;
    print(&format!(
        "   less {}                 every secret is a label, every relation is kept",
        cassette.display()
    ))?;
    print("   authtape rules redirect-uri-trailing-slash")?;
    print("   authtape record login.yaml -- YOUR PROGRAM    then explain and replay, as above")?;
    Ok(())
}

async fn record(
    server: &Server,
    cassette: &std::path::Path,
    host: &str,
    secret: &str,
) -> anyhow::Result<String> {
    let directory = Directory::make()?;
    let roots = directory.path().join("demo-ca.pem");
    std::fs::write(&roots, server.ca_pem())?;
    let running = deck::record(RecordOptions {
        cassette: cassette.to_owned(),
        overwrite: Overwrite::No,
        keep: Options::default(),
        wire: WireOptions {
            upstream_ca: vec![roots],
            ..WireOptions::default()
        },
        on_laid: None,
    })
    .await?;
    let said = run_client(&running, host, secret).await;
    running.stop().await?;
    said
}

async fn replay(
    cassette: &std::path::Path,
    host: &str,
    secret: &str,
) -> anyhow::Result<(String, usize)> {
    let running = deck::replay(ReplayOptions {
        cassettes: vec![cassette.to_owned()],
        play: PlayOptions {
            seed: [1; 32],
            ..PlayOptions::default()
        },
        wire: WireOptions::default(),
        on_miss: Box::new(|miss| {
            miss.lines()
                .iter()
                .for_each(|line| say(&format!("   {line}")));
        }),
        transcribe: false,
        on_laid: None,
    })
    .await?;
    let said = run_client(&running, host, secret).await;
    let misses = running.stop().await.misses.len();
    Ok((said?, misses))
}

/// The client is a program of its own, as a user's is: this binary again.
async fn run_client<Deck>(
    running: &Running<Deck>,
    host: &str,
    secret: &str,
) -> anyhow::Result<String> {
    let environment = Environment::prepare(&running.proxy_url(), running.ca_pem(), |name| {
        std::env::var_os(name)
    })?;
    let program = std::env::current_exe().context("cannot find this program")?;
    let output = tokio::process::Command::new(program)
        .args(["demo", "--client", host])
        .envs(environment.variables())
        .env(client::SECRET_VARIABLE, secret)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .await
        .context("cannot run the demo's client")?;
    ensure!(output.status.success(), "the demo's client failed");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn print_client(said: &str) -> anyhow::Result<()> {
    said.lines()
        .try_for_each(|line| print(&format!("   client: {}", plain(line))))?;
    print("")
}

fn print(line: &str) -> anyhow::Result<()> {
    result(&format!("{line}\n"))
}

/// A name that no file has yet, and the one that was taken.
fn free_name() -> (PathBuf, Option<PathBuf>) {
    let first = PathBuf::from("authtape-demo.yaml");
    if !first.exists() {
        return (first, None);
    }
    let numbered = (2_u32..).map(|n| PathBuf::from(format!("authtape-demo-{n}.yaml")));
    let free = numbered
        .into_iter()
        .find(|name| !name.exists())
        .unwrap_or_else(|| first.clone());
    (free, Some(first))
}
