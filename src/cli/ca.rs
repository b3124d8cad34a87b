//! `authtape ca`

use std::path::PathBuf;

use authtape::proxy::Authority;
use clap::{Parser, Subcommand};

use crate::cli::exit::Exit;
use crate::cli::output::{result, say};

/// Make or show a certificate authority that is kept
///
/// Every run makes one of its own, in memory; a kept one is for clients whose trust cannot be set
/// by their environment. Use it with `--ca DIR`.
#[derive(Parser)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make one: DIR/ca.pem, which clients must trust, and DIR/ca.key, which nobody may see
    New {
        /// Where to keep it
        directory: PathBuf,
        /// Let it sign for these DNS names only (repeatable)
        #[arg(long, value_name = "NAME")]
        only: Vec<String>,
    },
    /// Show where one is, until when it is valid, and its fingerprint
    Show {
        /// Where it is kept
        directory: PathBuf,
    },
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let (directory, authority) = match self.command {
            Command::New { directory, only } => {
                let authority = Authority::generate(&only)?;
                authority.save(&directory)?;
                say(
                    "authtape: keep ca.key to yourself: whoever has it can read what clients send that trust ca.pem",
                );
                (directory, authority)
            }
            Command::Show { directory } => {
                let authority = Authority::load(&directory)?;
                (directory, authority)
            }
        };
        result(&format!(
            "certificate  {}\nvalid until  {}\nSHA-256      {}\n",
            directory.join("ca.pem").display(),
            authority.valid_until(),
            authority.fingerprint(),
        ))?;
        Ok(Exit::Clean)
    }
}
