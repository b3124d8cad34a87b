//! A program that is run to its end, with the signals passed on and the status kept.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::launch::{Environment, Error};

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its exit code, or 128 and the number of the signal that ended it.
    pub code: u8,
}

/// Runs a program in a prepared environment; it has the terminal to itself.
///
/// # Errors
///
/// Where the program is missing or cannot be started.
pub async fn run(command: &[OsString], environment: &Environment) -> Result<Outcome, Error> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(Error::Missing {
            program: String::new(),
        });
    };
    let name = || program.to_string_lossy().into_owned();
    let mut child = Command::new(program)
        .args(arguments)
        .envs(environment.variables())
        .spawn()
        .map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => Error::Missing { program: name() },
            _ => Error::Start {
                program: name(),
                source,
            },
        })?;
    let status = wait(&mut child).await.map_err(|source| Error::Start {
        program: name(),
        source,
    })?;
    Ok(Outcome {
        code: code_of(status),
    })
}

/// Waits for the end. A terminal sends its interrupt to the program as well; a signal that came
/// to us alone is passed on.
async fn wait(child: &mut Child) -> io::Result<ExitStatus> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let terminal = io::stdin().is_terminal();
    loop {
        tokio::select! {
            status = child.wait() => return status,
            () = received(&mut interrupt) => if !terminal { pass_on(child, "INT").await },
            () = received(&mut terminate) => pass_on(child, "TERM").await,
            () = received(&mut hangup) => pass_on(child, "HUP").await,
        }
    }
}

async fn received(signal: &mut Signal) {
    signal.recv().await;
}

/// `kill` is a program of every system, and sending a signal from here needs unsafe code.
async fn pass_on(child: &Child, name: &str) {
    if let Some(pid) = child.id() {
        // A program that has just ended cannot be signalled, and need not be.
        let _ = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(pid.to_string())
            .status()
            .await;
    }
}

fn code_of(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok())
        .unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ran(command: &[&str]) -> Result<Outcome, Error> {
        let environment =
            Environment::prepare("http://127.0.0.1:1", None, "", |_| None).expect("prepared");
        let command: Vec<_> = command.iter().map(OsString::from).collect();
        run(&command, &environment).await
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
