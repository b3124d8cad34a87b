//! `authtape explain`

use std::path::{Path, PathBuf};

use authtape::cassette::{Cassette, lines_of_interactions};
use authtape::diagnose::report::{self, Sarif, Table};
use authtape::diagnose::{self, Findings, Rule, Severity, symptom};
use authtape::library;
use clap::{Parser, ValueEnum};

use crate::cli::exit::{Exit, Usage};
use crate::cli::importing::cassette_of;
use crate::cli::output::{error, look, plain, result};
use crate::cli::rules;

/// Say why a recorded session failed, with the fix
///
/// The most fundamental finding comes first; later ones may disappear once it is fixed. The
/// server's own error text is evidence of a failure, never of its cause. Of several files, or the
/// cassettes of a directory, you see a table with the first finding of each.
#[derive(Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Cassettes, directories (of `.yaml` and `.yml` files), or what other tools recorded
    #[arg(value_name = "FILE", required_unless_present = "error")]
    files: Vec<PathBuf>,
    /// Say where to look for the cause of an error text, without a recording
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["files", "fail_on", "rule", "ignore"])]
    error: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Print JSON, as `--format json` does
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// End with status 1 from this severity on
    #[arg(long, value_enum, default_value = "error")]
    fail_on: FailOn,
    /// Look for this alone (repeatable)
    #[arg(long, value_name = "ID")]
    rule: Vec<String>,
    /// Do not look for this (repeatable)
    #[arg(long, value_name = "ID", conflicts_with = "rule")]
    ignore: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person
    Text,
    /// For a program, a line for each file
    Json,
    /// To be pasted into an issue
    Markdown,
    /// For code scanning services and editors
    Sarif,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Note,
    Never,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        if let Some(text) = &self.error {
            let is_json = self.format()? == Format::Json;
            return said(text, is_json);
        }
        let rules = self.rules()?;
        let paths = library::cassettes_at(&self.files)?;
        let is_one = matches!(self.files.as_slice(), [only] if !only.is_dir());
        let mut telling = Telling {
            is_filtered: !(self.rule.is_empty() && self.ignore.is_empty()),
            ..Telling::new(self.format()?, is_one, &paths)
        };
        result(&telling.begin())?;
        let work = |path: &Path| explained(path, &rules);
        library::with_each(&paths, work, |path, explained| {
            let name = path.display().to_string();
            match explained {
                Ok(explained) => result(&telling.explained(&explained, &name)),
                // A person is told of a single file that nothing else is to be told of it.
                Err(failed) if is_one && telling.format == Format::Text => Err(failed),
                Err(failed) => result(&telling.not_read(&failed, &name)),
            }
        })?;
        result(&telling.end())?;
        Ok(telling.exit(self.fail_on))
    }

    fn format(&self) -> anyhow::Result<Format> {
        let format = if self.json { Format::Json } else { self.format };
        if self.error.is_some() && !matches!(format, Format::Text | Format::Json) {
            let why = "an error text is explained as text or as JSON";
            return Err(Usage(why.to_owned()).into());
        }
        Ok(format)
    }

    fn rules(&self) -> anyhow::Result<Vec<&'static Rule>> {
        let named = |ids: &[String]| {
            let found = ids.iter().map(|id| rules::find(id));
            found.collect::<Result<Vec<_>, _>>()
        };
        let (only, without) = (named(&self.rule)?, named(&self.ignore)?);
        let is_in = |rule: &&Rule, list: &[&Rule]| list.iter().any(|other| other.id == rule.id);
        let wanted = diagnose::all().filter(|rule| only.is_empty() || is_in(rule, &only));
        Ok(wanted.filter(|rule| !is_in(rule, &without)).collect())
    }
}

/// A file, and what was found in it.
struct Explained {
    /// What a cassette's file says; another tool's is no text to point into.
    text: Option<String>,
    cassette: Cassette,
    findings: Findings,
}

fn explained(path: &Path, rules: &[&'static Rule]) -> anyhow::Result<Explained> {
    let (text, cassette) = cassette_of(path)?;
    let findings = diagnose::diagnose_by(&cassette, rules.iter().copied());
    Ok(Explained {
        text,
        cassette,
        findings,
    })
}

/// What is printed, in the format that was asked for.
struct Telling {
    format: Format,
    /// The table of many files.
    table: Option<Table>,
    sarif: Sarif,
    worst: Option<Severity>,
    has_unread: bool,
    /// Not all rules were asked.
    is_filtered: bool,
}

impl Telling {
    fn new(format: Format, is_one: bool, paths: &[PathBuf]) -> Self {
        let names = paths.iter().map(|path| path.display().to_string());
        let width = names.map(|name| name.chars().count()).max();
        let table = (!is_one && format == Format::Text)
            .then(|| Table::new(look(), width.unwrap_or_default()));
        Self {
            format,
            table,
            sarif: Sarif::default(),
            worst: None,
            has_unread: false,
            is_filtered: false,
        }
    }

    fn begin(&self) -> String {
        self.table.as_ref().map(Table::head).unwrap_or_default()
    }

    fn explained(&mut self, explained: &Explained, name: &str) -> String {
        let Explained {
            text,
            cassette,
            findings,
        } = explained;
        let worst = findings.iter().map(|finding| finding.severity).min();
        self.worst = self.worst.into_iter().chain(worst).min();
        match (self.format, &mut self.table) {
            (Format::Text, Some(table)) => table.row(findings, name),
            (Format::Text, None) => {
                let told = report::text(findings, cassette, name, look());
                let filtered = if self.is_filtered {
                    "only the rules that --rule and --ignore left were asked\n"
                } else {
                    ""
                };
                told + filtered
            }
            (Format::Json, _) => report::json(findings, cassette, name),
            (Format::Markdown, _) => report::markdown(findings, cassette, name) + "\n",
            (Format::Sarif, _) => {
                let lines = text.as_deref().map(lines_of_interactions);
                let lines = lines.unwrap_or_default();
                self.sarif.add(findings, name, |id| lines.get(&id).copied());
                String::new()
            }
        }
    }

    fn not_read(&mut self, failed: &anyhow::Error, name: &str) -> String {
        self.has_unread = true;
        // Its file is named already.
        let causes = failed.chain().skip(1).map(ToString::to_string);
        let why = causes.collect::<Vec<_>>().join(": ");
        let why = if why.is_empty() {
            failed.to_string()
        } else {
            why
        };
        match (self.format, &mut self.table) {
            (Format::Text, Some(table)) => table.row_not_read(name, &why),
            (Format::Json, _) => {
                error(failed);
                report::not_read_json(name, &why)
            }
            (Format::Sarif, _) => {
                error(failed);
                self.sarif.add_not_read(name, &why);
                String::new()
            }
            _ => {
                error(failed);
                String::new()
            }
        }
    }

    fn end(&self) -> String {
        match (self.format, &self.table) {
            (Format::Sarif, _) => self.sarif.text(),
            (_, Some(table)) => table.foot(),
            _ => String::new(),
        }
    }

    fn exit(&self, fail_on: FailOn) -> Exit {
        let limit = match fail_on {
            FailOn::Error => Some(Severity::Error),
            FailOn::Warning => Some(Severity::Warning),
            FailOn::Note => Some(Severity::Note),
            FailOn::Never => None,
        };
        let is_found = limit.is_some_and(|limit| self.worst.is_some_and(|worst| worst <= limit));
        if self.has_unread {
            Exit::CouldNot
        } else if is_found {
            Exit::Found
        } else {
            Exit::Clean
        }
    }
}

/// Where an error text leads.
fn said(text: &str, is_json: bool) -> anyhow::Result<Exit> {
    let found = symptom::find(text);
    if is_json {
        result(&report::symptoms_json(text, &found))?;
    } else {
        result(&report::symptoms(&plain(text), &found, look()))?;
    }
    Ok(if found.is_empty() {
        Exit::Found
    } else {
        Exit::Clean
    })
}

const EXAMPLES: &str = "\
Examples:
  authtape explain login.yaml
  authtape explain session.har                     what a browser saved
  authtape explain cassettes/ --fail-on warning    in CI, a line for each
  authtape explain login.yaml --format markdown    to paste into an issue
  authtape explain --error invalid_grant           without a recording

Exit codes: 0 nothing of that severity, 1 findings, 2 wrong usage, 3 a file could not be read.";
