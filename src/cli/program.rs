//! `authtape doctor -- PROGRAM`: whether what a program sends comes through.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::process::Stdio;

use authtape::deck::{self, Recorded, WireOptions};
use authtape::launch::{Client, Directory, Environment, Signals};
use authtape::library;
use authtape::model::Incident;

use crate::cli::doctor::{REVERSE, thrown_away};
use crate::cli::exit::Exit;
use crate::cli::output::{error, plain, result};
use crate::cli::run::{Went, run_program, trusted};
use crate::cli::told::{in_words, unreached};

/// What came through, and what did not.
#[derive(Default)]
struct Seen {
    /// How many requests each server got.
    servers: BTreeMap<String, usize>,
    /// What the clients call themselves.
    clients: BTreeMap<String, usize>,
    /// What went wrong, with what to do.
    troubles: Vec<String>,
    /// What to do where nothing came.
    advice: Option<String>,
    is_refused: bool,
}

/// Runs it behind a recorder whose cassette is thrown away.
pub(crate) async fn examine(
    command: &[OsString],
    is_json: bool,
    wire: WireOptions,
    signals: &mut Signals,
) -> anyhow::Result<Exit> {
    let directory = Directory::make()?;
    let roots = wire.upstream_ca.clone();
    let running = deck::record(thrown_away(&directory, wire)).await?;
    let trusted = trusted(&roots, &running);
    let environment = Environment::prepare(&running.proxy_url(), &trusted, |name| {
        std::env::var_os(name)
    })?;
    let went = run_program(command, &environment, Stdio::inherit(), signals).await;
    let recorded = running.stop().await;
    let went = went?;
    let outcome = went.outcome();
    let (Went::Well(Some(ended)), Ok(recorded)) = (&went, &recorded) else {
        if let Err(failed) = recorded {
            error(&failed.into());
        }
        return Ok(Exit::after(outcome, Exit::CouldNot));
    };
    let seen = seen(recorded, command)?;
    let is_covered = !seen.servers.is_empty() && !seen.is_refused;
    result(&if is_json {
        format!("{}\n", json(&seen, is_covered, ended.code))
    } else {
        text(&seen, ended.code)?
    })?;
    let ours = if is_covered { Exit::Clean } else { Exit::Found };
    Ok(Exit::after(outcome, ours))
}

fn seen(recorded: &Recorded, command: &[OsString]) -> anyhow::Result<Seen> {
    let runtime = command
        .first()
        .and_then(|program| Client::of_program(program));
    let mut seen = Seen::default();
    if let Some(path) = &recorded.path {
        for interaction in library::load(path)?.interactions {
            let request = interaction.request();
            let server = request.parsed_url().map(|url| url.authority());
            *seen.servers.entry(server.unwrap_or_default()).or_default() += 1;
            if let Some(agent) = request.headers().get("User-Agent") {
                let agent = agent.split(['/', ' ']).next().unwrap_or_default();
                let name = Client::of_agent(agent).map_or(agent, Client::name);
                *seen.clients.entry(name.to_owned()).or_default() += 1;
            }
        }
    }
    seen.troubles = recorded.unreached.iter().map(unreached).collect();
    for incident in &recorded.incidents {
        seen.is_refused |= matches!(incident, Incident::CertificateRefused { .. });
        seen.troubles.push(in_words(incident, runtime));
    }
    if seen.servers.is_empty() && seen.troubles.is_empty() {
        let advice = runtime.and_then(|client| Some((client.name(), client.advice(true)?)));
        seen.advice = Some(advice.map_or_else(
            || REVERSE.to_owned(),
            |(name, advice)| format!("{name}: {advice}"),
        ));
    }
    Ok(seen)
}

fn text(seen: &Seen, code: u8) -> anyhow::Result<String> {
    let mut out = String::new();
    for (server, count) in &seen.servers {
        writeln!(out, "{:<40}  {count} recorded", plain(server))?;
    }
    if !seen.clients.is_empty() {
        let names: Vec<_> = seen.clients.keys().map(|name| plain(name)).collect();
        writeln!(out, "it seems to be: {}", names.join(", "))?;
    }
    for trouble in &seen.troubles {
        writeln!(out, "{trouble}")?;
    }
    if let Some(advice) = &seen.advice {
        writeln!(
            out,
            "not covered: nothing came through the proxy, so it called its servers directly, or none\n  {advice}"
        )?;
    }
    if code != 0 {
        writeln!(out, "the program's exit code was {code}")?;
    }
    Ok(out)
}

fn json(seen: &Seen, is_covered: bool, code: u8) -> serde_json::Value {
    serde_json::json!({
        "covered": is_covered,
        "servers": seen.servers,
        "clients": seen.clients.keys().collect::<Vec<_>>(),
        "troubles": seen.troubles,
        "advice": seen.advice,
        "exit_code": code,
    })
}
