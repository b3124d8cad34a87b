//! `authtape audit`

use std::path::PathBuf;

use anyhow::anyhow;
use authtape::cassette::audit;
use authtape::library;
use authtape::redact::AuditHit;
use clap::Parser;

use crate::cli::exit::Exit;
use crate::cli::output::{error, plain, result};

/// Search files for what looks like a secret
///
/// Any text will do: cassettes, HAR files, logs. What is found is named by line and column, and
/// never shown.
#[derive(Parser)]
pub(crate) struct Args {
    /// The files to search
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let mut found = Vec::new();
        let mut unread = Vec::new();
        for path in &self.files {
            let bytes = match library::read(path) {
                Ok(bytes) => bytes,
                Err(failed) => {
                    unread.push(anyhow!(failed));
                    continue;
                }
            };
            let name = plain(&path.display().to_string());
            found.extend(
                audit(&String::from_utf8_lossy(&bytes))
                    .into_iter()
                    .map(|hit| (name.clone(), hit)),
            );
        }
        let text = if self.json {
            json(&found)
        } else {
            text(&found, self.files.len() - unread.len())
        };
        result(&text)?;
        unread.iter().for_each(error);
        Ok(if !unread.is_empty() {
            Exit::CouldNot
        } else if found.is_empty() {
            Exit::Clean
        } else {
            Exit::Found
        })
    }
}

fn text(found: &[(String, AuditHit)], files: usize) -> String {
    let line = |(name, hit): &(String, AuditHit)| {
        format!("{name}:{}:{}: {}\n", hit.line, hit.column, hit.kind)
    };
    let noun = if files == 1 { "file" } else { "files" };
    match found.len() {
        0 => format!("nothing that looks like a secret in {files} {noun}\n"),
        _ => found.iter().map(line).collect(),
    }
}

fn json(found: &[(String, AuditHit)]) -> String {
    let hit = |(name, hit): &(String, AuditHit)| serde_json::json!({ "file": name, "line": hit.line, "column": hit.column, "kind": hit.kind });
    let hits: Vec<_> = found.iter().map(hit).collect();
    format!("{}\n", serde_json::json!({ "hits": hits }))
}
