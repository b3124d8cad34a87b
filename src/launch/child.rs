//! A program that is run to its end, with the signals passed on and the status kept.

use std::ffi::OsString;
use std::fs::File;
use std::future::pending;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::launch::{Environment, Error};

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its exit code, or 128 and the number of the signal that ended it.
    pub code: u8,
}

/// What asks a program to end, kept from the moment it is caught.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    /// Asks as SIGTERM would.
    end: Arc<Notify>,
    /// Who ignores SIGCHLD passes that on, and the status of a program could not be told.
    _child: Signal,
}

impl Signals {
    /// Catches SIGINT, SIGTERM and SIGHUP; what comes before anybody asks is not lost.
    ///
    /// # Errors
    ///
    /// Where the system refuses it.
    pub fn catch() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            end: Arc::default(),
            _child: signal(SignalKind::child())?,
        })
    }

    /// What of this program itself asks for the end, when it is notified.
    pub fn end(&self) -> Arc<Notify> {
        Arc::clone(&self.end)
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> SignalKind {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.hangup.recv() => SignalKind::hangup(),
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            () = self.end.notified() => SignalKind::terminate(),
        }
    }
}

/// Runs a program in a prepared environment; it has the terminal to itself, but for what it says
/// to `stderr`. A signal that came before is its end as well, so it is not started.
///
/// # Errors
///
/// Where the program is missing, cannot be started, or cannot be waited for.
pub async fn run(
    command: &[OsString],
    environment: &Environment,
    stderr: Stdio,
    signals: &mut Signals,
) -> Result<Outcome, Error> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(Error::Missing {
            program: String::new(),
        });
    };
    let name = || program.to_string_lossy().into_owned();
    tokio::select! {
        biased;
        kind = signals.next() => return Ok(ended_by(kind.as_raw_value())),
        () = std::future::ready(()) => {}
    }
    let mut command = Command::new(program);
    command
        .args(arguments)
        .envs(environment.variables())
        .stderr(stderr);
    for name in OURS_ALONE {
        command.env_remove(name);
    }
    let group = Group::of_this_run();
    if group == Group::Own {
        command.process_group(0);
    }
    let child = command.spawn().map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => Error::Missing { program: name() },
        _ => Error::Start {
            program: name(),
            source,
        },
    });
    let status = wait(child?, group, signals).await;
    status.map(outcome).map_err(|source| Error::Wait {
        program: name(),
        source,
    })
}

/// Where a program stands among processes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    /// In a group of its own, so that a signal reaches all that it started.
    Own,
    /// In ours: a terminal lets one group read, and sends its interrupt to all of it.
    Terminals,
}

impl Group {
    fn of_this_run() -> Self {
        // The terminal that controls us, wherever standard input comes from.
        match File::open("/dev/tty") {
            Ok(_) => Self::Terminals,
            Err(_) => Self::Own,
        }
    }
}

/// Waits for the end. A signal that came to us alone is passed on, and who ignores that it must end
/// is ended.
async fn wait(mut child: Child, group: Group, signals: &mut Signals) -> io::Result<ExitStatus> {
    let mut deadline = None;
    loop {
        tokio::select! {
            status = child.wait() => return status,
            kind = signals.next() => {
                let is_asked = kind == SignalKind::interrupt();
                if !(is_asked && group == Group::Terminals) {
                    pass_on(&child, group, kind.as_raw_value()).await;
                }
                if !is_asked {
                    deadline.get_or_insert_with(|| Instant::now() + GRACE);
                }
            }
            () = reached(deadline) => {
                deadline = None;
                pass_on(&child, group, SIGKILL).await;
            }
        }
    }
}

async fn reached(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}

/// `kill` is a program of every system, and sending a signal from here needs unsafe code.
async fn pass_on(child: &Child, group: Group, number: i32) {
    if let Some(pid) = child.id() {
        let sign = if group == Group::Own { "-" } else { "" };
        // A program that has just ended cannot be signalled, and need not be.
        let _ = Command::new("kill")
            .args([
                format!("-{number}"),
                "--".to_owned(),
                format!("{sign}{pid}"),
            ])
            .status()
            .await;
    }
}

fn outcome(status: ExitStatus) -> Outcome {
    match (status.code(), status.signal()) {
        (Some(code), _) => Outcome {
            code: u8::try_from(code).unwrap_or(u8::MAX),
        },
        (None, signal) => ended_by(signal.unwrap_or_default()),
    }
}

/// As shells say it.
fn ended_by(signal: i32) -> Outcome {
    Outcome {
        code: u8::try_from(128 + signal).unwrap_or(u8::MAX),
    }
}

/// What the recorder is told, and no program needs to know.
const OURS_ALONE: [&str; 2] = ["AUTHTAPE_CLIENT_CERT_PASSPHRASE", "AUTHTAPE_PROXY_PASSWORD"];
/// How long a program has that was told to end.
const GRACE: Duration = Duration::from_secs(5);
const SIGKILL: i32 = 9;

#[cfg(test)]
mod tests {
    use super::*;

    async fn ran(command: &[&str]) -> Result<Outcome, Error> {
        let environment =
            Environment::prepare("http://127.0.0.1:1", "", |_| None).expect("prepared");
        let command: Vec<_> = command.iter().map(OsString::from).collect();
        let mut signals = Signals::catch().expect("caught");
        run(&command, &environment, Stdio::inherit(), &mut signals).await
    }

    #[tokio::test]
    async fn the_status_of_the_program_is_kept() {
        for (script, expected) in [
            ("exit 0", 0),
            ("exit 7", 7),
            ("kill -9 $$", 137),
            ("test \"$https_proxy\" = http://127.0.0.1:1", 0),
        ] {
            let outcome = ran(&["sh", "-c", script]).await.expect(script);
            assert_eq!(outcome.code, expected, "{script}");
        }
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let error = ran(&["no-such-program-anywhere"])
            .await
            .expect_err("missing");
        assert_eq!(
            error.to_string(),
            "there is no program `no-such-program-anywhere` on the PATH"
        );
    }
}
