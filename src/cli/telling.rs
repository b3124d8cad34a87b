//! What is made of a run's transcripts: a snapshot that they are compared with, and reports.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use authtape::deck::{Played, PlayedSession};
use authtape::library::{self, file_name};
use authtape::snapshot::{Checked, Content, Settings, Snapshot};
use clap::Args;

use crate::cli::difference::{difference, legend};
use crate::cli::exit::{Exit, Usage};
use crate::cli::junit::{self, Case};
use crate::cli::output::say;

/// Options of what is told of a run.
#[derive(Args, Default)]
#[command(next_help_heading = "What is told")]
pub(crate) struct TellingArgs {
    /// Compare what the run said with this snapshot, as insta does: another text waits beside it for
    /// `authtape review`, and the run ends with 1; `INSTA_UPDATE` says otherwise
    #[arg(long, value_name = "FILE.snap", value_parser = snapshot)]
    snapshot: Option<PathBuf>,
    /// Write into this directory what each session did, as JSON, and all of them as junit.xml
    #[arg(long, value_name = "DIR")]
    report_dir: Option<PathBuf>,
}

impl TellingArgs {
    /// Whether somebody wants to know what is said.
    pub(crate) fn is_asked(&self) -> bool {
        self.snapshot.is_some() || self.report_dir.is_some()
    }

    /// Refuses what could not be told of a run, before it begins.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        if let Some(path) = &self.snapshot {
            Settings::of(|name| std::env::var_os(name))?;
            Snapshot::open(path)?;
        }
        Ok(())
    }

    /// Tells of a run, and whether it was as it should be.
    pub(crate) fn tell(&self, played: &Played) -> anyhow::Result<Exit> {
        let difference = match &self.snapshot {
            Some(path) => compare(path, played)?,
            None => None,
        };
        if let Some(directory) = &self.report_dir {
            report(directory, played, difference.as_ref())?;
        }
        let is_failed = difference.is_some_and(|difference| difference.is_failure);
        Ok(if is_failed { Exit::Found } else { Exit::Clean })
    }
}

/// How a run differs from its snapshot.
struct Difference {
    lines: String,
    is_failure: bool,
}

fn compare(path: &Path, played: &Played) -> anyhow::Result<Option<Difference>> {
    let settings = Settings::of(|name| std::env::var_os(name))?;
    let snapshot = Snapshot::open(path)?;
    if played.report.is_untouched() && !played.report.is_empty {
        // What is wrong has been told, and is not to be accepted by mistake.
        say("authtape: nothing was asked for, so nothing waits for the snapshot");
        return Ok(Some(Difference {
            lines: String::new(),
            is_failure: true,
        }));
    }
    let content = content(played);
    let (old, pending) = match snapshot.check(&content, &settings)? {
        Checked::Same => return Ok(None),
        Checked::Written => {
            say(&format!("authtape: wrote {}", path.display()));
            return Ok(None);
        }
        Checked::Differs { old, pending } => (old, pending),
    };
    let path = path.display();
    say(&match old {
        Some(_) => format!("authtape: what this run said is not what {path} has"),
        None => format!("authtape: there is no {path} yet"),
    });
    let lines = difference(old.as_deref().unwrap_or_default(), content.body());
    for line in legend(old.is_none()).lines().chain(lines.lines()) {
        say(&format!("  {line}"));
    }
    say(&match pending {
        Some(pending) => format!("  it waits in {}; next: authtape review", pending.display()),
        None => "  nothing was written; run it where CI is not set, or with INSTA_UPDATE=new, and then authtape review".to_owned(),
    });
    Ok(Some(Difference {
        lines: anstream::adapter::strip_str(&lines).to_string(),
        is_failure: !settings.forces_pass,
    }))
}

/// What a run said, over all its sessions.
fn content(played: &Played) -> Content {
    let sessions = played.sessions.iter();
    let transcripts: Vec<_> = sessions
        .filter_map(|session| session.transcript.as_ref())
        .collect();
    let source = transcripts.first().map(|first| first.cassette.as_str());
    let texts: Vec<_> = transcripts.iter().map(ToString::to_string).collect();
    let text = if texts.is_empty() {
        "authtape transcript: nothing was asked for\n".to_owned()
    } else {
        texts.join("\n")
    };
    Content::new(
        source.unwrap_or("authtape"),
        "what a replayed run said",
        &text,
    )
}

fn report(
    directory: &Path,
    played: &Played,
    difference: Option<&Difference>,
) -> anyhow::Result<()> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    let mut cases = Vec::new();
    for session in &played.sessions {
        let name = title(session);
        let file = directory.join(format!("{}.json", file_name(name)));
        library::write(&file, &told(session)?)?;
        let lines = session.report.lines();
        cases.push(Case {
            name,
            failure: (!session.report.is_clean())
                .then(|| (session.report.counts(), lines.join("\n"))),
        });
    }
    if let Some(difference) = difference {
        cases.push(Case {
            name: "snapshot",
            failure: Some((
                "what this run said is not what the snapshot has".to_owned(),
                difference.lines.clone(),
            )),
        });
    }
    let unread = played.report.unplayed.len();
    if played.sessions.is_empty() {
        cases.push(Case {
            name: "replay",
            failure: (unread > 0)
                .then(|| (played.report.counts(), played.report.lines().join("\n"))),
        });
    }
    Ok(library::write(
        &directory.join("junit.xml"),
        &junit::suite("authtape replay", &cases)?,
    )?)
}

/// A session as a test case is called.
fn title(session: &PlayedSession) -> &str {
    if session.name.is_empty() {
        "replay"
    } else {
        &session.name
    }
}

fn told(session: &PlayedSession) -> anyhow::Result<String> {
    let report: serde_json::Value = serde_json::from_str(&session.report.json())?;
    let told = serde_json::json!({
        "session": session.name,
        "report": report,
        "transcript": session.transcript,
    });
    Ok(format!("{told:#}\n"))
}

fn snapshot(text: &str) -> Result<PathBuf, &'static str> {
    let path = PathBuf::from(text);
    let is_snapshot = path
        .extension()
        .is_some_and(|extension| extension == "snap");
    is_snapshot
        .then_some(path)
        .ok_or("its name ends in .snap, as in tests/snapshots/login.snap")
}

/// What cannot be done in a mode that records.
pub(crate) fn only_replayed() -> Usage {
    Usage(
        "--snapshot and --report-dir tell of what is replayed; --mode new_episodes and all record"
            .to_owned(),
    )
}
