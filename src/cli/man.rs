//! `authtape man`

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{CommandFactory as _, Parser};
use clap_mangen::Man;

use crate::cli::Cli;
use crate::cli::exit::{Exit, Usage};
use crate::cli::output::{plain, result};

/// Print a man page, or write them all
#[derive(Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The command that the page is of; without one it is authtape's own
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
    /// Write the pages of all commands into this directory
    #[arg(short, long, value_name = "DIR", conflicts_with = "command")]
    output: Option<PathBuf>,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let mut all = Cli::command().disable_help_subcommand(true);
        all.build();
        if let Some(directory) = &self.output {
            std::fs::create_dir_all(directory)
                .with_context(|| format!("cannot make {}", directory.display()))?;
            clap_mangen::generate_to(all, directory)
                .with_context(|| format!("cannot write into {}", directory.display()))?;
            return Ok(Exit::Clean);
        }
        let page = match &self.command {
            Some(name) => all.find_subcommand(name).ok_or_else(|| {
                let name = plain(name);
                Usage(format!(
                    "there is no command `{name}`; `authtape --help` lists them"
                ))
            })?,
            None => &all,
        };
        let mut text = Vec::new();
        Man::new(page.clone()).render(&mut text)?;
        result(&String::from_utf8(text)?)?;
        Ok(Exit::Clean)
    }
}

const EXAMPLES: &str = "\
Examples:
  authtape man record | man -l -
  authtape man -o ~/.local/share/man/man1";
