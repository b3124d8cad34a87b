//! What is played, and what of it is a fault: options of what may play.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use authtape::deck::MissListener;
use authtape::launch::Outcome;
use authtape::replay::{
    Allow, Clock, Fault, Latency, Pages, Part, PlayOptions, Report, Skew, TimeOptions,
};
use clap::{Args, ValueEnum};
use tokio::sync::Notify;

use crate::cli::exit::Exit;
use crate::cli::live::Live;
use crate::cli::output::{plain, result, say};
use crate::cli::run::RunArgs;

/// Options of what may play.
#[derive(Args)]
#[command(next_help_heading = "What is played")]
pub(crate) struct PlayingArgs {
    /// Make the same codes and tokens on every run
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Play recorded answers whatever the request does right or wrong
    #[arg(long)]
    as_recorded: bool,
    #[command(flatten)]
    pages: PagesArgs,
    #[command(flatten)]
    time: TimeArgs,
    /// Parts of a request that must be the recorded ones, besides what the protocol asks for; what is
    /// no step of the protocol (kept with --keep all) is found by these alone
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART,…")]
    match_on: Vec<MatchOn>,
    #[command(flatten)]
    allow: AllowArgs,
    #[command(flatten)]
    strict: StrictArgs,
    /// What a request gets that is not on tape: `error`, which is 501 with the reason, another
    /// status with the reason, or `fail`, which ends the program and this one at once
    #[arg(long, value_name = "error|STATUS|fail", default_value = "error", value_parser = on_miss)]
    on_miss: OnMiss,
    /// Do something wrong on purpose, as the end of `authtape replay --help` shows (repeatable)
    #[arg(long, value_name = "FAULT")]
    fault: Vec<Fault>,
    /// How late answers come: `recorded`, a factor of that as in x2, or a time as in 200ms
    #[arg(long, value_name = "LATENCY")]
    latency: Option<Latency>,
    /// Print the report as JSON on standard output
    #[arg(long)]
    json: bool,
}

/// What becomes of pages.
#[derive(Args)]
struct PagesArgs {
    /// Show each page between an authorization request and its response, as its recorded forms, for
    /// a program that fills them in; without it they are skipped
    #[arg(long)]
    keep_pages: bool,
    /// Show one page in their place, where you approve or deny the request, for trying what a client
    /// does with a denial; a denial goes to the client as `access_denied`
    #[arg(long, conflicts_with = "keep_pages")]
    interactive: bool,
}

/// What becomes of points in time.
#[derive(Args)]
struct TimeArgs {
    /// What time it is for the recorded servers: `shifted` (as it is here), `recorded`, `expired`
    /// (what says when it ends has ended), or so many seconds off, such as +3600 or -60
    #[arg(
        long,
        value_name = "TIME",
        default_value = "shifted",
        allow_hyphen_values = true
    )]
    clock: Clock,
    /// Set the recorded servers' clocks right, where they were wrong
    #[arg(long)]
    no_skew: bool,
}

impl From<&TimeArgs> for TimeOptions {
    fn from(args: &TimeArgs) -> Self {
        Self {
            clock: args.clock,
            skew: if args.no_skew {
                Skew::Dropped
            } else {
                Skew::Kept
            },
        }
    }
}

/// Parts of a request, as VCR names them.
#[derive(Clone, Copy, ValueEnum)]
enum MatchOn {
    Method,
    Uri,
    Host,
    Path,
    Query,
    Body,
}

impl From<MatchOn> for Part {
    fn from(part: MatchOn) -> Self {
        match part {
            MatchOn::Method => Self::Method,
            MatchOn::Uri => Self::Uri,
            MatchOn::Host => Self::Host,
            MatchOn::Path => Self::Path,
            MatchOn::Query => Self::Query,
            MatchOn::Body => Self::Body,
        }
    }
}

/// What is no fault.
#[derive(Args)]
struct AllowArgs {
    /// Recorded steps that nobody asks for are no fault
    #[arg(long)]
    allow_unused: bool,
    /// Answer a grant that is redeemed once more as it was recorded, instead of refusing it
    #[arg(long)]
    allow_playback_repeats: bool,
}

/// How strict the recorded server is about time.
#[derive(Args)]
struct StrictArgs {
    /// How long a code works
    #[arg(long, value_name = "SECONDS", default_value = "600")]
    code_ttl: u64,
    /// Tell a device that polls sooner than its interval allows to slow down; without it the
    /// recorded answers come as fast as they are asked for
    #[arg(long)]
    realtime: bool,
}

/// What a request gets that is not on tape.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OnMiss {
    Fail,
    Status(u16),
}

impl PlayingArgs {
    /// How the program ended, unless it was ended here for a miss.
    pub(crate) fn outcome(&self, outcome: Option<Outcome>, report: &Report) -> Option<Outcome> {
        let is_ours = self.on_miss == OnMiss::Fail && !report.misses.is_empty();
        outcome.filter(|_| !is_ours)
    }

    /// What is told of a miss as it comes; `end` is notified of one that is the end.
    pub(crate) fn on_miss(
        &self,
        run: &RunArgs,
        live: Option<&Live>,
        end: Arc<Notify>,
    ) -> MissListener {
        let board = live.map(Live::board);
        let is_live = Self::is_live(run);
        let is_end = self.on_miss == OnMiss::Fail;
        Box::new(move |miss| {
            let lines = if is_live { miss.lines() } else { Vec::new() };
            for line in lines {
                say(&format!("authtape: {}", plain(&line)));
            }
            if let Some(board) = &board {
                board.tell(miss.lines());
            }
            if is_end {
                end.notify_one();
            }
        })
    }

    /// How the player behaves.
    pub(crate) fn options(&self) -> anyhow::Result<PlayOptions> {
        Ok(PlayOptions {
            as_recorded: self.as_recorded,
            pages: match (self.pages.interactive, self.pages.keep_pages) {
                (true, _) => Pages::Asked,
                (false, true) => Pages::Kept,
                (false, false) => Pages::Skipped,
            },
            match_on: self.match_on.iter().copied().map(Part::from).collect(),
            allow: Allow {
                unused: self.allow.allow_unused,
                repeats: self.allow.allow_playback_repeats,
            },
            miss_status: match self.on_miss {
                OnMiss::Fail => None,
                OnMiss::Status(status) => Some(status),
            },
            code_ttl: Some(Duration::from_secs(self.strict.code_ttl)),
            realtime: self.strict.realtime,
            faults: self.fault.clone(),
            latency: self.latency.unwrap_or_default(),
            seed: seed(self.seed)?,
            time: (&self.time).into(),
            ..PlayOptions::default()
        })
    }

    /// Says how the play went, and whether well.
    pub(crate) fn tell(&self, report: &Report, run: &RunArgs) -> anyhow::Result<Exit> {
        if self.json {
            result(&format!("{}\n", report.json()))?;
        } else if !run.quiet {
            Self::summary(report, run);
        }
        Ok(if report.is_clean() {
            Exit::Clean
        } else {
            Exit::Found
        })
    }

    /// With a program, its own output comes first and the misses lead the report; else they are
    /// told as they come, and not again.
    fn is_live(run: &RunArgs) -> bool {
        !run.quiet && run.command.is_empty()
    }

    fn summary(report: &Report, run: &RunArgs) {
        say(&format!("authtape: {}", report.counts()));
        let lines = if Self::is_live(run) {
            report.other_lines()
        } else {
            report.lines()
        };
        for line in lines {
            say(&format!("  {}", plain(&line)));
        }
        if report.is_untouched() {
            let program = if run.browser.is_some() {
                ""
            } else {
                "; does the program read HTTPS_PROXY? What does not come through is not replayed"
            };
            say(&format!("  nothing came through the proxy{program}"));
        }
    }
}

fn on_miss(text: &str) -> Result<OnMiss, &'static str> {
    let status = text
        .parse()
        .ok()
        .filter(|status| (400..600).contains(status));
    match text {
        "error" => Ok(OnMiss::Status(501)),
        "fail" => Ok(OnMiss::Fail),
        _ => status
            .map(OnMiss::Status)
            .ok_or("it is `error`, `fail`, or a status from 400 to 599"),
    }
}

fn seed(given: Option<u64>) -> anyhow::Result<[u8; 32]> {
    let mut seed = [0; 32];
    match given {
        Some(given) => seed[..8].copy_from_slice(&given.to_be_bytes()),
        None => ensure!(
            aws_lc_rs::rand::fill(&mut seed).is_ok(),
            "the system has no randomness"
        ),
    }
    Ok(seed)
}
