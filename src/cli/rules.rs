//! `authtape rules`

use authtape::diagnose::{self, report};
use clap::Parser;

use crate::cli::exit::Exit;
use crate::cli::output::{is_styled, plain, result};

/// List the rules that `explain` knows, or show one
#[derive(Parser)]
pub(crate) struct Args {
    /// The id of a rule, as `explain` prints it
    id: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let text = match (&self.id, self.json) {
            (None, false) => report::rule_list(is_styled()),
            (None, true) => report::rules_json(diagnose::all()),
            (Some(id), json) => {
                let rule = diagnose::find(id).ok_or_else(|| unknown(id))?;
                if json {
                    report::rules_json([rule])
                } else {
                    report::rule_page(rule, is_styled())
                }
            }
        };
        result(&text)?;
        Ok(Exit::Clean)
    }
}

fn unknown(id: &str) -> anyhow::Error {
    let nearest = diagnose::nearest(id);
    anyhow::anyhow!(
        "there is no rule `{}`; did you mean `{nearest}`? `authtape rules` lists them all",
        plain(id)
    )
}
