//! The command line: arguments in, exit code out; it sees only the public API of the crate.

mod audit;
mod ca;
mod completions;
mod demo;
mod diff;
mod difference;
mod doctor;
mod exit;
mod explain;
mod export;
mod guard;
mod import;
mod importing;
mod junit;
mod live;
mod man;
mod mode;
mod mutate;
mod output;
mod playing;
mod program;
mod record;
mod recording;
mod recover;
mod replay;
mod review;
mod rules;
mod run;
mod schema;
mod scrub;
mod secrets;
mod share;
mod show;
mod telling;
mod told;
mod waiting;
mod watch;

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Parser, Subcommand};

use crate::cli::exit::Exit;

/// The flight recorder for OAuth: records what a client and an authorization server really said,
/// without its secrets, says why a login failed, and plays it back offline.
#[derive(Parser)]
#[command(name = "authtape", version, about, long_about = None, max_term_width = 100, after_help = FIRST_STEPS)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Record a session: run a program behind the recorder, or wait for clients
    Record(Box<record::Args>),
    /// Serve recorded sessions offline: run a program against them, or wait for clients
    Replay(Box<replay::Args>),
    /// Say why a recorded session failed, with the fix
    Explain(explain::Args),
    /// List the rules that `explain` knows, or show one
    Rules(rules::Args),
    /// Show a session: who said what to whom, and where each secret came from
    Show(show::Args),
    /// Compare two sessions, a working one and a failing one: what differs, what matters first
    Diff(diff::Args),
    /// Make of a session what can be handed on: a page, a HAR file and the cassette
    Share(share::Args),
    /// Make negative tests of a good cassette: what a server may do wrong, and clients must survive
    Mutate(mutate::Args),
    /// Look at what waits beside its snapshot, one after the other, and accept or reject it
    Review(review::Args),
    /// Let what waits take its snapshot's place, without being asked
    Accept(review::AcceptArgs),
    /// Drop what waits, without being asked
    Reject(review::RejectArgs),
    /// Search files for what looks like a secret
    Audit(audit::Args),
    /// Take the secrets out of a HAR file, relations kept, so that it can be shared
    Scrub(scrub::Args),
    /// Make a cassette of what another tool recorded: HAR, mitmproxy, VCR and others
    Import(import::Args),
    /// Write a cassette as another tool's file
    Export(export::Args),
    /// Finish what a recording left that was killed
    Recover(recover::Args),
    /// Make or show a certificate authority that is kept
    Ca(ca::Args),
    /// Try the clients of this machine: which are recorded as they are
    Doctor(doctor::Args),
    /// Print what makes a shell complete the commands and options
    Completions(completions::Args),
    /// Print the JSON Schema of cassettes, for editors and other tools
    Schema(schema::Args),
    /// Print a man page, or write them all
    Man(man::Args),
    /// Try it: an embedded server and a failing client, recorded, explained and replayed
    Demo(demo::Args),
}

/// Runs the program.
pub(crate) fn main() -> ExitCode {
    guard::secure();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refused(error),
    };
    let ended = match cli.command {
        Command::Record(args) => args.run(),
        Command::Replay(args) => args.run(),
        Command::Explain(args) => args.run(),
        Command::Rules(args) => args.run(),
        Command::Show(args) => args.run(),
        Command::Diff(args) => args.run(),
        Command::Share(args) => args.run(),
        Command::Mutate(args) => args.run(),
        Command::Review(args) => args.run(),
        Command::Accept(args) => args.run(),
        Command::Reject(args) => args.run(),
        Command::Audit(args) => args.run(),
        Command::Scrub(args) => args.run(),
        Command::Import(args) => args.run(),
        Command::Export(args) => args.run(),
        Command::Recover(args) => args.run(),
        Command::Ca(args) => args.run(),
        Command::Doctor(args) => args.run(),
        Command::Completions(args) => args.run(),
        Command::Schema(_) => schema::run(),
        Command::Man(args) => args.run(),
        Command::Demo(args) => args.run(),
    };
    ended
        .unwrap_or_else(|error| {
            output::error(&error);
            if error.is::<exit::Usage>() {
                Exit::Usage
            } else {
                Exit::CouldNot
            }
        })
        .into()
}

/// Says what is wrong with the arguments, or the help that was asked for.
fn refused(mut error: clap::Error) -> ExitCode {
    if error.kind() == ErrorKind::UnknownArgument {
        let given = error.get(ContextKind::InvalidArg);
        let is_option =
            matches!(given, Some(ContextValue::String(given)) if given.starts_with('-'));
        // What stands behind `--` is a program here, and never a value.
        error.remove(ContextKind::Suggested);
        let runs = ["record", "replay", "doctor"]
            .map(|name| std::env::args_os().nth(1) == Some(name.into()));
        if !is_option && runs.contains(&true) {
            let tip =
                "a program goes behind `--`, as in `authtape record login.yaml -- php login.php`";
            let tips = ContextValue::StyledStrs(vec![tip.into()]);
            error.insert(ContextKind::Suggested, tips);
        }
    }
    // Nobody is left to be told where the terminal is gone.
    let _ = error.print();
    if error.use_stderr() {
        Exit::Usage.into()
    } else {
        Exit::Clean.into()
    }
}

const FIRST_STEPS: &str = "\
First steps:
  authtape demo                                see it work, nothing needed
  authtape record login.yaml -- php login.php  run your client behind the recorder
  authtape explain login.yaml                  why it failed
  authtape replay login.yaml -- php login.php  the same session, with the network off

Exit codes: 0 clean, 1 findings or misses, 2 wrong usage, 3 it could not be done.
With a program behind `--`, the program's own failure wins: its exit code, 128 and the number of the
signal that ended it, 127 where there is no such program, 126 where it cannot be started.";
