//! What a person is told of a recording that has ended.

use std::path::Path;

use anyhow::anyhow;
use authtape::deck::{Recorded, Unreached};
use authtape::diagnose::{self, Severity};
use authtape::launch::{Client, Outcome};
use authtape::library;
use authtape::model::{FailureKind, Incident};

use crate::cli::exit::Exit;
use crate::cli::output::{error, plain, say, warning, word};
use crate::cli::run::RunArgs;

/// What was recorded, and for whom.
pub(crate) struct Told<'a> {
    pub(crate) cassette: &'a Path,
    pub(crate) run: &'a RunArgs,
    /// Nothing was hidden.
    pub(crate) is_raw: bool,
    /// It came to what was there before.
    pub(crate) is_extended: bool,
}

impl Told<'_> {
    /// Says what came of it; alarms are given even to those who want to hear nothing.
    pub(crate) fn tell(&self, mut recorded: Recorded, outcome: Option<Outcome>) -> Exit {
        for withheld in &recorded.withheld {
            let (name, why) = (withheld.name(), &withheld.why);
            error(&anyhow!("interaction {name} was withheld: {why}"));
        }
        for refused in std::mem::take(&mut recorded.renewals) {
            let what = "the disk failed once; all was written again, to a new file";
            error(&anyhow::Error::from(refused).context(what));
        }
        if recorded.is_full {
            error(&anyhow!(
                "{FULL}; the cassette says from which interaction on"
            ));
        }
        if self.is_raw && recorded.path.is_some() {
            let path = self.cassette.display();
            warning(&format!(
                "{path} holds every secret of this session as it was said; hand it to nobody, and delete it when you have done with it"
            ));
        }
        let is_failed = outcome.is_some_and(|outcome| outcome.code != 0);
        if !self.run.quiet {
            self.summary(&recorded);
        } else if recorded.path.is_none() && !is_failed && !self.is_extended {
            error(&anyhow!("{}", nothing(self.cassette)));
        }
        if !recorded.withheld.is_empty() {
            Exit::CouldNot
        } else if recorded.path.is_none() && !self.is_extended {
            Exit::Found
        } else {
            Exit::Clean
        }
    }

    /// Said even to those who want to hear nothing.
    pub(crate) fn warn(&self, ignored: Option<&Path>) {
        let path = self.cassette.display();
        warning(&format!(
            "--unsafe-raw writes every password, code and token that passes to {path}"
        ));
        if let Some(ignored) = ignored {
            let file = plain(&ignored.to_string_lossy());
            say(&format!(
                "authtape: the line {} was added to {file}, so that git ignores the cassette",
                library::IGNORE_LINE
            ));
        }
    }

    fn summary(&self, recorded: &Recorded) {
        let program = self.run.command.first();
        let runtime = program.and_then(|program| Client::of_program(program));
        let path = self.cassette.display();
        match recorded.interactions {
            0 if self.is_extended => say(&format!("authtape: nothing new, {path} is as it was")),
            0 => say(&format!("authtape: {}", nothing(self.cassette))),
            count if self.is_extended => say(&format!(
                "authtape: {count} new {} in {path}",
                plural(count, "interaction")
            )),
            count => say(&format!(
                "authtape: {count} {} in {path}",
                plural(count, "interaction")
            )),
        }
        let kinds: Vec<_> = recorded
            .redacted
            .iter()
            .map(|kind| format!("{} {}", kind.value, kind.name))
            .collect();
        if !kinds.is_empty() {
            let what = if self.is_raw {
                "written as they were"
            } else {
                "replaced by labels"
            };
            say(&format!("  {what}: {}", kinds.join(", ")));
        }
        let unreached = recorded.unreached.iter().map(unreached);
        let incidents = recorded.incidents.iter();
        unreached
            .chain(incidents.map(|incident| in_words(incident, runtime)))
            .for_each(|line| say(&format!("  {line}")));
        if recorded.interactions > 0 {
            if !self.run.verbose {
                self.finding();
            }
            say(&next(self.cassette));
        } else if recorded.skipped > 0 {
            let (count, noun) = (recorded.skipped, plural(recorded.skipped, "message"));
            say(&format!(
                "  {count} {noun} passed, none of OAuth's; --keep all keeps every message"
            ));
        } else if recorded.incidents.is_empty() && !self.is_extended {
            self.untouched(runtime);
        }
    }

    /// The first that is wrong with what was recorded, if anything is.
    fn finding(&self) {
        // It was written a moment ago; whoever asks for more is told why it cannot be read.
        let Ok(cassette) = library::load(self.cassette) else {
            return;
        };
        let findings = diagnose::diagnose(&cassette);
        if let Some(first) = findings.iter().next()
            && first.severity < Severity::Note
        {
            let (severity, id) = (first.severity.as_str(), first.rule.id);
            say(&format!("  {severity}[{id}] {}", plain(&first.message)));
        }
    }

    /// What to do where nothing came.
    fn untouched(&self, runtime: Option<&Client>) {
        if self.run.browser.is_some() {
            return say("  nothing came through the proxy");
        }
        say(
            "  nothing came through the proxy; does the program read HTTPS_PROXY, and is it the one that calls the server?",
        );
        let advice = |client: &Client| Some(format!("{}: {}", client.name(), client.advice(true)?));
        if let Some(advice) = runtime.and_then(advice) {
            say(&format!("  {advice}"));
        }
        say("  `authtape doctor` tries the clients of this machine");
    }
}

fn nothing(cassette: &Path) -> String {
    format!(
        "nothing to record, so {} was not written",
        cassette.display()
    )
}

/// What to do with a cassette.
pub(crate) fn next(cassette: &Path) -> String {
    format!(
        "  next: authtape explain {}",
        word(&cassette.to_string_lossy())
    )
}

pub(crate) fn plural(count: usize, noun: &str) -> String {
    format!("{noun}{}", if count == 1 { "" } else { "s" })
}

pub(crate) fn unreached(server: &Unreached) -> String {
    let what = match server.kind {
        _ if server.detail.is_some() => server.detail.as_deref().unwrap_or_default(),
        FailureKind::TlsFailure => {
            "its certificate was not accepted; --upstream-ca FILE trusts the authority of a private server"
        }
        FailureKind::DnsFailure => {
            "its name does not resolve; --resolve HOST:PORT:ADDRESS says where it is"
        }
        FailureKind::ConnectRefused => "nothing listens there",
        FailureKind::ConnectTimeout => "it could not be reached in time",
        FailureKind::ConnectForbidden => "authtape calls neither itself nor link-local addresses",
        FailureKind::ProxyFailure => "the proxy on the way did not let us through",
        _ => "the connection failed",
    };
    format!("{}: {what} ({})", plain(&server.authority), server.kind)
}

pub(crate) fn in_words(incident: &Incident, runtime: Option<&Client>) -> String {
    match incident {
        Incident::CertificateRefused {
            host,
            alert,
            client,
        } => {
            let alert = alert
                .as_deref()
                .map(|alert| format!(" ({alert})"))
                .unwrap_or_default();
            let known = client.as_deref().and_then(Client::of_agent).or(runtime);
            let name = known.map(Client::name).or(client.as_deref());
            let advice = known.and_then(Client::trust).unwrap_or(
                "its roots are read from elsewhere; give it the file in $SSL_CERT_FILE, or use --reverse ORIGIN",
            );
            let (host, name) = (plain(host), plain(name.unwrap_or("the client")));
            format!("{host}: {name} does not trust our certificate{alert}: {advice}")
        }
        Incident::Tunnelled { authority, reason } => {
            format!("{}: passed unread, {reason}", plain(authority))
        }
        Incident::Unreadable { host, reason } => {
            format!("{}: {reason}", plain(host.as_deref().unwrap_or("a client")))
        }
        _ => "a connection that never became a request".to_owned(),
    }
}

/// Bodies are dropped from here on.
pub(crate) const FULL: &str = "there were more secrets than are remembered, so bodies are dropped, and the same secret may have several labels";
