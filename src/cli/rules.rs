//! `authtape rules`

use authtape::diagnose::{self, Rule, report};
use clap::Parser;

use crate::cli::exit::{Exit, Usage};
use crate::cli::output::{look, plain, result};

/// List the rules that `explain` knows, search them, or show one
///
/// A word that is no id is looked for in what the rules say.
#[derive(Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The id of a rule, as `explain` prints it, or words to look for
    #[arg(value_name = "ID|WORD")]
    words: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let named = match self.words.as_slice() {
            [id] => diagnose::find(id),
            _ => None,
        };
        let found: Vec<_> = match named {
            Some(rule) => vec![rule],
            None => diagnose::search(&self.words).collect(),
        };
        if let ([id], true) = (self.words.as_slice(), found.is_empty())
            && id.contains('-')
        {
            return Err(unknown(id));
        }
        if found.is_empty() {
            let words = plain(&self.words.join(" "));
            let why = format!("no rule speaks of `{words}`; `authtape rules` lists them all");
            return Err(Usage(why).into());
        }
        let text = match (named, self.json) {
            (_, true) => report::rules_json(found),
            (Some(rule), false) => report::rule_page(rule, look()),
            (None, false) => report::rule_list(found, look()),
        };
        result(&text)?;
        Ok(Exit::Clean)
    }
}

/// The rule of an id that was given.
///
/// # Errors
///
/// Where there is none: it names the one that may be meant.
pub(crate) fn find(id: &str) -> anyhow::Result<&'static Rule> {
    diagnose::find(id).ok_or_else(|| unknown(id))
}

fn unknown(id: &str) -> anyhow::Error {
    let nearest = diagnose::nearest(id);
    let meant = nearest.map(|nearest| format!("did you mean `{nearest}`? "));
    let why = format!(
        "there is no rule `{}`; {}`authtape rules` lists them all",
        plain(id),
        meant.unwrap_or_default()
    );
    Usage(why).into()
}

const EXAMPLES: &str = "\
Examples:
  authtape rules
  authtape rules redirect
  authtape rules token-body-json";
