//! `authtape record`

use std::path::PathBuf;

use authtape::library::Overwrite;
use clap::Parser;

use crate::cli::exit::Exit;
use crate::cli::mode::{Asked, Mode};
use crate::cli::playing::PlayingArgs;
use crate::cli::recording::RecordingArgs;
use crate::cli::run::RunArgs;
use crate::cli::telling::TellingArgs;

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
    /// What to play and what to record; without it everything is recorded, to a new cassette
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    #[command(flatten)]
    run: RunArgs,
    #[command(flatten)]
    recording: RecordingArgs,
    #[command(flatten)]
    playing: PlayingArgs,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let is_replaced = self.overwrite || self.mode == Some(Mode::All);
        let asked = Asked {
            cassettes: vec![self.cassette],
            mode: self.mode.unwrap_or(Mode::All),
            overwrite: if is_replaced {
                Overwrite::Yes
            } else {
                Overwrite::No
            },
            recording: self.recording,
            playing: self.playing,
            run: self.run,
            telling: TellingArgs::default(),
        };
        asked.run()
    }
}

const EXAMPLES: &str = "\
Examples:
  authtape record login.yaml -- php login.php
  authtape record login.yaml --host 'accounts.example.com' -- npm test
  authtape record login.yaml --secret-env API_TOKEN -- npm test
  authtape record public.yaml --public -- npm test
  authtape record login.raw.yaml --unsafe-raw -- php login.php
  authtape record login.yaml --browser https://app.example.com/login
  authtape record login.yaml                    waits; names a file for the client's shell";
