//! `authtape completions`

use clap::{CommandFactory as _, Parser};
use clap_complete::{Shell, generate};

use crate::cli::Cli;
use crate::cli::exit::Exit;
use crate::cli::output::result;

/// Print what makes a shell complete the commands and options
#[derive(Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The shell that it is for
    shell: Shell,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let mut script = Vec::new();
        generate(self.shell, &mut Cli::command(), "authtape", &mut script);
        result(&String::from_utf8(script)?)?;
        Ok(Exit::Clean)
    }
}

const EXAMPLES: &str = "\
Examples:
  authtape completions bash > ~/.local/share/bash-completion/completions/authtape
  authtape completions zsh > ~/.zfunc/_authtape
  authtape completions fish > ~/.config/fish/completions/authtape.fish";
