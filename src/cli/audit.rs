//! `authtape audit`

use std::path::PathBuf;

use anyhow::anyhow;
use authtape::cassette::{audit, is_edited};
use authtape::library;
use authtape::redact::AuditHit;
use clap::Parser;

use crate::cli::exit::Exit;
use crate::cli::output::{error, plain, result, say};

/// Search files for what looks like a secret
///
/// Any text will do: cassettes, HAR files, logs. What is found is named by line and column, and
/// never shown. Of a cassette that was edited since its recording's own audit you are told so; what
/// stands in it decides.
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
        let mut edited = Vec::new();
        for path in &self.files {
            let bytes = match library::read(path) {
                Ok(bytes) => bytes,
                Err(failed) => {
                    unread.push(anyhow!(failed));
                    continue;
                }
            };
            let name = plain(&path.display().to_string());
            let text = String::from_utf8_lossy(&bytes);
            found.extend(audit(&text).into_iter().map(|hit| (name.clone(), hit)));
            if is_edited(&text) {
                edited.push(name);
            }
        }
        let text = if self.json {
            json(&found, &edited)
        } else {
            for name in &edited {
                say(&format!("note: {name} was edited after its audit"));
            }
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

fn json(found: &[(String, AuditHit)], edited: &[String]) -> String {
    let hit = |(name, hit): &(String, AuditHit)| serde_json::json!({ "file": name, "line": hit.line, "column": hit.column, "kind": hit.kind });
    let hits: Vec<_> = found.iter().map(hit).collect();
    format!(
        "{}\n",
        serde_json::json!({ "hits": hits, "edited": edited })
    )
}
