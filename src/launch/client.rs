//! Clients that are known by name: how one is tried, and what to do where it does not come through.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::LazyLock;
use std::time::Duration;

use serde::Deserialize;
use tokio::process::Command;

use crate::launch::Environment;

/// A client and its advice, a row of `clients.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    #[serde(rename = "client")]
    name: String,
    #[serde(default)]
    agents: Vec<String>,
    #[serde(default)]
    programs: Vec<String>,
    #[serde(default)]
    version: Vec<String>,
    #[serde(default)]
    probe: Vec<String>,
    local: Option<String>,
    otherwise: Option<String>,
    trust: Option<String>,
}

/// What came of trying a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It was answered.
    Answered,
    /// Its runtime is here, but not the library.
    Missing,
    /// It was not, and this is the last line it said.
    Failed(String),
}

impl Client {
    /// All of them, in the order in which they are shown.
    pub fn all() -> &'static [Self] {
        &CLIENTS
    }

    /// The first that a program of this name runs.
    pub fn of_program(program: &OsStr) -> Option<&'static Self> {
        let name = Path::new(program).file_name()?.to_str()?;
        // `python3.11` and `php8.2` are what their names begin with.
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        CLIENTS.iter().find(|client| {
            let first = client.programs.first();
            first.is_some_and(|first| first == name || first.trim_end_matches('3') == stem)
        })
    }

    /// The one that names itself so.
    pub fn of_agent(agent: &str) -> Option<&'static Self> {
        let is_it = |client: &&Self| client.agents.iter().any(|known| known == agent);
        CLIENTS.iter().find(is_it)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What to do where it calls servers directly; those on this machine alone, or all.
    pub fn advice(&self, is_local: bool) -> Option<&str> {
        let local = self.local.as_deref().filter(|_| is_local);
        local.or(self.otherwise.as_deref())
    }

    /// Why it may not believe our certificate, and what to do.
    pub fn trust(&self) -> Option<&str> {
        self.trust.as_deref()
    }

    /// Whether `doctor` can try it at all.
    pub fn has_probe(&self) -> bool {
        !self.probe.is_empty()
    }

    /// Whether its programs are on the PATH.
    pub fn is_installed(&self) -> bool {
        self.has_probe() && self.programs.iter().all(|name| on_path(name).is_some())
    }

    /// Its version, as its program says it.
    pub async fn version(&self) -> Option<String> {
        let mut command = Command::new(self.programs.first()?);
        command.args(&self.version).stdin(Stdio::null());
        command.kill_on_drop(true);
        let output = tokio::time::timeout(VERSION, command.output()).await;
        let output = output.ok()?.ok()?;
        [output.stdout, output.stderr].iter().find_map(|said| {
            let said = String::from_utf8_lossy(said);
            let words = said.split([' ', '\n', '"', '(', ',']);
            let word = words.map(|word| word.trim_start_matches(|c: char| c.is_alphabetic()));
            let is_version =
                |word: &&str| word.contains('.') && word.starts_with(|c: char| c.is_ascii_digit());
            word.into_iter().find(is_version).map(str::to_owned)
        })
    }

    /// Lets it get a URL in a prepared environment.
    pub async fn get(&self, url: &str, environment: &Environment) -> std::io::Result<Tried> {
        let probes = environment.directory().join("probes");
        std::fs::create_dir_all(&probes)?;
        for (name, text) in PROBES {
            std::fs::write(probes.join(name), text)?;
        }
        let Some(program) = self.programs.first() else {
            return Ok(Tried::Missing);
        };
        let fill = |argument: &String| {
            argument
                .replace("{url}", url)
                .replace("{probes}", &probes.to_string_lossy())
        };
        let mut command = Command::new(program);
        command
            .args(self.probe.iter().map(fill))
            .envs(environment.variables())
            .current_dir(&probes)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let Ok(output) = tokio::time::timeout(PROBE, command.output()).await else {
            return Ok(Tried::Failed("it was not done in time".to_owned()));
        };
        let output = output?;
        Ok(match output.status.code() {
            Some(0) => Tried::Answered,
            Some(77) => Tried::Missing,
            _ => {
                let said = String::from_utf8_lossy(&output.stderr);
                let last = said.lines().rev().find(|line| !line.trim().is_empty());
                Tried::Failed(last.unwrap_or("it said nothing").trim().to_owned())
            }
        })
    }
}

/// Where a program of this name is.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}

const PROBES: &[(&str, &str)] = &[
    ("Probe.java", include_str!("probes/Probe.java")),
    ("probe.go", include_str!("probes/probe.go")),
    ("probe.mjs", include_str!("probes/probe.mjs")),
    ("probe.php", include_str!("probes/probe.php")),
    ("probe.pl", include_str!("probes/probe.pl")),
    ("probe.py", include_str!("probes/probe.py")),
    ("probe.rb", include_str!("probes/probe.rb")),
];

#[expect(
    clippy::expect_used,
    reason = "the data is embedded, and a test reads it"
)]
static CLIENTS: LazyLock<Vec<Client>> = LazyLock::new(|| {
    serde_yaml::from_str(include_str!("clients.yaml")).expect("clients.yaml reads")
});

/// Go compiles its standard library the first time.
const PROBE: Duration = Duration::from_secs(90);
const VERSION: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_that_can_be_tried_gets_the_url() {
        for client in Client::all().iter().filter(|client| client.has_probe()) {
            let gets = client.probe.iter().any(|argument| argument == "{url}");
            assert!(gets && !client.programs.is_empty(), "{}", client.name());
            for file in client
                .probe
                .iter()
                .filter_map(|argument| argument.strip_prefix("{probes}/"))
            {
                assert!(PROBES.iter().any(|(name, _)| *name == file), "{file}");
            }
        }
    }

    #[test]
    fn a_client_is_known_by_its_program_and_by_what_it_calls_itself() {
        let of_program = |name: &str| Client::of_program(OsStr::new(name)).map(Client::name);
        assert_eq!(of_program("/usr/bin/php8.2"), Some("PHP curl"));
        assert_eq!(of_program("python3.11"), Some("Python urllib"));
        assert_eq!(of_program("go"), Some("Go net/http"));
        assert_eq!(of_program("make"), None);
        assert_eq!(
            Client::of_agent("Java-http-client").map(Client::name),
            Some("Java HttpClient")
        );
        assert_eq!(Client::of_agent("Something").map(Client::name), None);
    }
}
