//! `authtape replay`

use std::path::PathBuf;

use authtape::library::Overwrite;
use authtape::replay::Fault;
use clap::Parser;

use crate::cli::exit::Exit;
use crate::cli::mode::{Asked, Mode};
use crate::cli::playing::PlayingArgs;
use crate::cli::recording::RecordingArgs;
use crate::cli::run::RunArgs;
use crate::cli::telling::TellingArgs;

/// Serve recorded sessions offline: run a program against them, or wait for clients
///
/// No name is resolved and no address is called, unless --mode says that something may be recorded.
/// The program gets this run's own `state`, codes and tokens; a recorded failure is played only while
/// the program still shows the same defect.
#[derive(Parser)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", Fault::GRAMMAR))]
pub(crate) struct Args {
    /// The cassettes to play, or directories of them
    #[arg(required = true)]
    cassettes: Vec<PathBuf>,
    /// What to play and what to record
    #[arg(long, value_enum, default_value = "none")]
    mode: Mode,
    #[command(flatten)]
    run: RunArgs,
    #[command(flatten)]
    playing: PlayingArgs,
    #[command(flatten)]
    telling: TellingArgs,
    #[command(flatten)]
    recording: RecordingArgs,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let asked = Asked {
            overwrite: match self.mode {
                Mode::All => Overwrite::Yes,
                _ => Overwrite::No,
            },
            cassettes: self.cassettes,
            mode: self.mode,
            recording: self.recording,
            playing: self.playing,
            run: self.run,
            telling: self.telling,
        };
        asked.run()
    }
}

const EXAMPLES: &str = "\
Examples:
  authtape replay login.yaml -- php login.php
  authtape replay failing.yaml working.yaml -- npm test
  authtape replay login.yaml --seed 1 -- pytest
  authtape replay login.yaml --snapshot tests/snapshots/login.snap -- pytest
  authtape replay login.yaml --mode once -- pytest  records it where it does not exist
  authtape replay login.yaml --fault 'token: 503 retry-after=2 times=1' -- pytest";
