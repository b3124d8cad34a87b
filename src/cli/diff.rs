//! `authtape diff`

use std::path::PathBuf;

use authtape::view::Comparison;
use clap::Parser;

use crate::cli::exit::Exit;
use crate::cli::importing::cassette_of;
use crate::cli::output::{result, wide_look};

/// Compare two sessions, a working one and a failing one: what differs, what matters first
#[derive(Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The session to compare with, usually the one that works: a cassette, or what another tool
    /// recorded
    a: PathBuf,
    /// The other one
    b: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let [(_, a), (_, b)] = [cassette_of(&self.a)?, cassette_of(&self.b)?];
        let names = [&self.a, &self.b].map(|path| path.display().to_string());
        let names = [names[0].as_str(), names[1].as_str()];
        let comparison = Comparison::new(&a, &b);
        result(&if self.json {
            comparison.json(names)
        } else {
            comparison.text(names, wide_look())
        })?;
        Ok(if comparison.is_alike() {
            Exit::Clean
        } else {
            Exit::Found
        })
    }
}

const EXAMPLES: &str = "\
The requests of both are aligned by step. Times, codes, tokens and loopback ports are of one
run: of them is compared where they come from. First comes what the authorization server is
asked, then the header fields that matter, then what came back, then the rest.

Examples:
  authtape diff works.yaml fails.yaml  what the failing client does otherwise
  authtape diff before.yaml after.yaml && echo alike

Exit codes: 0 alike, 1 they differ, 2 wrong usage, 3 one of them cannot be read.";
