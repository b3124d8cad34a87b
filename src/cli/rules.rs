//! `authtape rules`

use authtape::diagnose::{self, report};
use clap::Parser;

use crate::cli::exit::Exit;
use crate::cli::output::{look, plain, result};

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
            (None, false) => report::rule_list(look()),
            (None, true) => report::rules_json(diagnose::all()),
            (Some(id), json) => {
                let rule = diagnose::find(id).ok_or_else(|| unknown(id))?;
                if json {
                    report::rules_json([rule])
                } else {
                    report::rule_page(rule, look())
                }
            }
        };
        result(&text)?;
        Ok(Exit::Clean)
    }
}

fn unknown(id: &str) -> anyhow::Error {
    let nearest = diagnose::nearest(id);
    let meant = nearest.map(|nearest| format!("did you mean `{nearest}`? "));
    anyhow::anyhow!(
        "there is no rule `{}`; {}`authtape rules` lists them all",
        plain(id),
        meant.unwrap_or_default()
    )
}
