//! `authtape show`

use std::path::PathBuf;

use authtape::cassette::Mutant;
use authtape::library;
use authtape::redact::{Interaction, Profile};
use clap::Parser;

use crate::cli::exit::Exit;
use crate::cli::output::{plain, result};

/// List what is on a cassette
#[derive(Parser)]
pub(crate) struct Args {
    /// The cassette to list
    cassette: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let cassette = library::load(&self.cassette)?;
        let text = if self.json {
            let rows: Vec<_> = cassette.interactions.iter().map(json).collect();
            format!(
                "{}\n",
                serde_json::json!({ "cassette": self.cassette.display().to_string(), "profile": cassette.header.profile.as_str(), "mutant": cassette.header.mutant.as_ref().map(|mutant| mutant.kind.as_str()), "interactions": rows })
            )
        } else {
            let head = format!(
                "{}, recorded {}{}\n",
                cassette.header.server.as_deref().unwrap_or("no server"),
                cassette.header.recorded_at,
                if cassette.header.profile == Profile::Raw {
                    ", not redacted"
                } else {
                    ""
                }
            );
            let mutant = cassette.header.mutant.iter().map(mutant);
            let head = mutant.fold(head, |head, mutant| head + &mutant);
            let rows: String = cassette.interactions.iter().map(row).collect();
            plain_lines(&format!("{head}{rows}"))
        };
        result(&text)?;
        Ok(Exit::Clean)
    }
}

fn mutant(mutant: &Mutant) -> String {
    format!(
        "mutant: {}: {}\n  a client {}\n  see {}\n",
        mutant.kind, mutant.changed, mutant.client, mutant.see
    )
}

fn outcome(interaction: &Interaction) -> String {
    match (interaction.response(), interaction.error()) {
        (Some(response), None) => response.status().to_string(),
        (Some(response), Some(error)) => format!("{} {}", response.status(), error.kind()),
        (None, Some(error)) => error.kind().to_string(),
        (None, None) => "-".to_owned(),
    }
}

fn row(interaction: &Interaction) -> String {
    let request = interaction.request();
    let brought = brought(interaction);
    let brought = if brought.is_empty() {
        String::new()
    } else {
        format!("  [{}]", brought.join(" "))
    };
    format!(
        "{:>3}  {:>8.3}s  {:<24} {:<4} {} -> {}{brought}\n",
        interaction.id(),
        interaction.at().as_secs_f64(),
        interaction.step().title(),
        request.method(),
        request.url(),
        outcome(interaction),
    )
}

fn json(interaction: &Interaction) -> serde_json::Value {
    let request = interaction.request();
    serde_json::json!({
        "id": interaction.id(),
        "step": interaction.step().as_str(),
        "at": interaction.at().as_secs_f64(),
        "method": request.method(),
        "url": request.url(),
        "status": interaction.response().map(authtape::redact::RecordedResponse::status),
        "error": interaction.error().map(|error| error.kind().as_str()),
        "secrets": brought(interaction),
    })
}

/// The secrets that were first seen in it.
fn brought(interaction: &Interaction) -> Vec<&str> {
    let secrets = interaction.secrets().iter();
    secrets.map(|secret| secret.name.as_str()).collect()
}

fn plain_lines(text: &str) -> String {
    text.lines().map(|line| plain(line) + "\n").collect()
}
