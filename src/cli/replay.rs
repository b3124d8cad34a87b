//! `authtape replay`

use std::path::PathBuf;

use anyhow::ensure;
use authtape::deck::{self, ReplayOptions, WireOptions};
use authtape::launch::Signals;
use authtape::replay::{PlayOptions, Report};
use clap::Parser;

use crate::cli::exit::Exit;
use crate::cli::output::{plain, result, say};
use crate::cli::run::{RunArgs, Went, block_on};

/// Serve recorded sessions offline: run a program against them, or wait for clients
///
/// No name is resolved and no address is called. The program gets this run's own `state`, codes
/// and tokens; a recorded failure is played only while the program still shows the same defect.
#[derive(Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The cassettes to play
    #[arg(required = true)]
    cassettes: Vec<PathBuf>,
    /// Make the same codes and tokens on every run
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Play recorded answers whatever the request does right or wrong
    #[arg(long)]
    as_recorded: bool,
    /// Show the pages between an authorization request and its response, as their forms
    #[arg(long)]
    keep_pages: bool,
    /// Print the report as JSON on standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    run: RunArgs,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        block_on(async {
            // First of all: a signal that comes while this starts must end it as any other.
            let mut signals = Signals::catch()?;
            let running = deck::replay(self.options()?).await?;
            let went = self.run.inside(&running, &[], &mut signals).await;
            let report = running.stop().await;
            let went = went?;
            let outcome = went.outcome();
            if let Went::NotStarted(_) = went {
                return Ok(Exit::after(outcome, Exit::CouldNot));
            }
            if self.json {
                result(&format!("{}\n", report.json()))?;
            } else if !self.run.quiet {
                self.tell(&report);
            }
            let ours = if report.is_clean() {
                Exit::Clean
            } else {
                Exit::Found
            };
            Ok(Exit::after(outcome, ours))
        })
    }

    /// With a program, its own output comes first and the misses lead the report; else they are
    /// told as they come, and not again.
    fn is_live(&self) -> bool {
        !self.run.quiet && self.run.command.is_empty()
    }

    fn options(&self) -> anyhow::Result<ReplayOptions> {
        let is_live = self.is_live();
        Ok(ReplayOptions {
            cassettes: self.cassettes.clone(),
            play: PlayOptions {
                as_recorded: self.as_recorded,
                keep_pages: self.keep_pages,
                seed: seed(self.seed)?,
            },
            wire: WireOptions {
                listen: self.run.listen,
                ca_dir: self.run.ca.clone(),
                reverse: self.run.reverse.clone(),
                tls_listen: self.run.tls_listen,
                password: self.run.password()?,
                limits: self.run.limits()?,
                ..WireOptions::default()
            },
            on_miss: Box::new(move |miss| {
                let lines = if is_live { miss.lines() } else { Vec::new() };
                for line in lines {
                    say(&format!("authtape: {}", plain(&line)));
                }
            }),
        })
    }

    fn tell(&self, report: &Report) {
        say(&format!("authtape: {}", report.counts()));
        let lines = if self.is_live() {
            report.other_lines()
        } else {
            report.lines()
        };
        for line in lines {
            say(&format!("  {}", plain(&line)));
        }
        if report.is_untouched() {
            let program = if self.run.browser.is_some() {
                ""
            } else {
                "; does the program read HTTPS_PROXY? What does not come through is not replayed"
            };
            say(&format!("  nothing came through the proxy{program}"));
        }
    }
}

fn seed(given: Option<u64>) -> anyhow::Result<[u8; 32]> {
    let mut seed = [0; 32];
    match given {
        Some(given) => seed[..8].copy_from_slice(&given.to_be_bytes()),
        None => ensure!(
            aws_lc_rs::rand::fill(&mut seed).is_ok(),
            "the system has no randomness"
        ),
    }
    Ok(seed)
}

const EXAMPLES: &str = "\
Examples:
  authtape replay login.yaml -- php login.php
  authtape replay failing.yaml working.yaml -- npm test
  authtape replay login.yaml --seed 1 -- pytest";
