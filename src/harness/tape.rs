//! A tape that runs: a guard around the thread on which a deck lives.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::cassette;
use crate::deck::{self, Deed, Extending, Played, Recording, Replaying, Running};
use crate::harness::builder::{Builder, Error};
use crate::harness::violations::Violations;
use crate::launch::Environment;
use crate::library::{self, Overwrite};
use crate::replay::Report;
use crate::transcript::Transcript;

/// A cassette that is played, or recorded, by a proxy of its own until it is finished or dropped.
pub struct Tape {
    name: String,
    started: Started,
    roots: Vec<PathBuf>,
    environment: OnceLock<Environment>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Ended>>,
}

/// What is known of a deck that listens.
struct Started {
    proxy_url: String,
    ca_pem: String,
    origins: Vec<(String, String)>,
    is_recording: bool,
}

/// What came of it.
struct Ended {
    report: Report,
    transcripts: Vec<Transcript>,
    is_clean: bool,
    error: Option<deck::Error>,
}

/// A deck, whichever it is.
enum Deck {
    Playing(Running<Replaying>),
    Recording(Running<Recording>),
    Extending(Running<Extending>),
}

impl Tape {
    /// A tape of this cassette, to be said more of.
    pub fn builder(cassette: impl Into<PathBuf>) -> Builder {
        Builder::new(cassette.into())
    }

    /// The name of the test that a function was declared in, by the name of its type: for
    /// [`tape!`](crate::tape).
    pub fn test_of(function: &str) -> &str {
        let inside = function.trim_end_matches("::here");
        let parts = inside.rsplit("::").filter(|part| *part != "{{closure}}");
        parts.into_iter().next().unwrap_or(inside)
    }

    /// An error with its causes, in a line: for [`tape!`](crate::tape).
    pub fn why(error: &Error) -> String {
        let mut why = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !why.ends_with(&cause_text) {
                why = format!("{why}: {cause_text}");
            }
            source = cause.source();
        }
        why
    }

    pub(super) fn start(builder: Builder, deed: Deed, overwrite: Overwrite) -> Result<Self, Error> {
        let stem = builder.path.file_stem().unwrap_or_default();
        let name = stem.to_string_lossy().into_owned();
        let roots = builder.roots().to_vec();
        let (tell, hear) = mpsc::channel();
        let (end, ending) = oneshot::channel();
        let body = move || live(&builder, (deed, overwrite), &tell, ending);
        let thread = std::thread::Builder::new()
            .name(format!("authtape {name}"))
            .spawn(body)
            .map_err(Error::Thread)?;
        let started = hear.recv().unwrap_or(Err(deck::Error::Ended.into()))?;
        Ok(Self {
            name,
            started,
            roots,
            environment: OnceLock::new(),
            end: Some(end),
            thread: Some(thread),
        })
    }

    /// The cassette's name, without its ending.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a client sets as its proxy, for `http` and `https`.
    pub fn proxy_url(&self) -> &str {
        &self.started.proxy_url
    }

    /// The same for a session of its own within this tape: what is said in it has nothing to do with
    /// what others say.
    pub fn session_url(&self, name: &str) -> String {
        let name = crate::model::percent_encode(name);
        self.started
            .proxy_url
            .replacen("://", &format!("://{name}:x@"), 1)
    }

    /// The certificate that a client must trust, PEM.
    pub fn ca_pem(&self) -> &str {
        &self.started.ca_pem
    }

    /// The local origin that stands for a server which was named with [`Builder::reverse`].
    pub fn origin(&self, server: &str) -> Option<&str> {
        let mut origins = self.started.origins.iter();
        let found = origins.find(|(origin, _)| origin == server);
        found.map(|(_, local)| local.as_str())
    }

    /// Whether servers are asked, and what they say is recorded.
    pub fn is_recording(&self) -> bool {
        self.started.is_recording
    }

    /// A file of the certificates that a client must trust, ours and the system's, PEM.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub fn ca_file(&self) -> Result<PathBuf, Error> {
        Ok(self.environment()?.directory().join("bundle.pem"))
    }

    /// The variables that lead a program through this tape.
    ///
    /// # Errors
    ///
    /// Where what they name cannot be written.
    pub fn env(&self) -> Result<Vec<(String, OsString)>, Error> {
        let variables = self.environment()?.variables();
        Ok(variables
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect())
    }

    /// A program that is led through this tape, to be given its arguments.
    ///
    /// # Errors
    ///
    /// Where what it needs cannot be written.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Result<Command, Error> {
        let mut command = Command::new(program);
        command.envs(self.environment()?.variables());
        Ok(command)
    }

    /// Ends it: the proxy listens no more when this returns. What was said, by the client that has no
    /// session of its own.
    ///
    /// # Errors
    ///
    /// [`Violations`] where a request was not on tape or was refused, a recorded step was never asked
    /// for, or a recording could not be finished.
    pub fn finish(self) -> Result<Transcript, Violations> {
        let name = self.name.clone();
        let all = self.finish_all()?;
        let own = all
            .into_iter()
            .find(|transcript| transcript.session.is_none());
        Ok(own.unwrap_or_else(|| Transcript::silent(&name)))
    }

    /// The same, with what was said in every session.
    ///
    /// # Errors
    ///
    /// As [`finish`](Self::finish).
    pub fn finish_all(mut self) -> Result<Vec<Transcript>, Violations> {
        match self.end() {
            Some(ended) if ended.is_clean => Ok(ended.transcripts),
            Some(ended) => Err(self.violations(ended)),
            None => Ok(Vec::new()),
        }
    }

    fn environment(&self) -> Result<&Environment, Error> {
        if let Some(known) = self.environment.get() {
            return Ok(known);
        }
        let mut trusted = String::new();
        for root in &self.roots {
            let read = std::fs::read_to_string(root);
            trusted += &read.map_err(|source| deck::Error::Pem {
                path: root.clone(),
                source,
            })?;
            trusted.push('\n');
        }
        trusted += self.ca_pem();
        let made = Environment::prepare(self.proxy_url(), &trusted, |name| std::env::var_os(name))?;
        Ok(self.environment.get_or_init(|| made))
    }

    /// What came of it, the first time that this is asked.
    fn end(&mut self) -> Option<Ended> {
        // The thread may have ended by itself, and then nobody hears.
        let _ = self.end.take()?.send(());
        let ended = self.thread.take()?.join();
        Some(ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    }

    fn violations(&self, ended: Ended) -> Violations {
        Violations {
            cassette: format!("{}.yaml", self.name),
            report: Box::new(ended.report),
            transcripts: ended.transcripts,
            error: ended.error.map(Box::new),
        }
    }
}

impl Drop for Tape {
    #[expect(
        clippy::panic,
        clippy::print_stderr,
        reason = "a test that forgets to finish its tape must not pass, and one that fails must not abort"
    )]
    fn drop(&mut self) {
        let Some(ended) = self.end() else { return };
        if ended.is_clean {
            return;
        }
        let violations = self.violations(ended);
        if std::thread::panicking() {
            eprintln!("{violations}");
        } else {
            panic!("{violations}");
        }
    }
}

impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tape({}, {})", self.name, self.started.proxy_url)
    }
}

/// The life of a deck on its thread.
fn live(
    builder: &Builder,
    (deed, overwrite): (Deed, Overwrite),
    tell: &mpsc::Sender<Result<Started, Error>>,
    ending: oneshot::Receiver<()>,
) -> Ended {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            return never(tell, Error::Thread(error));
        }
    };
    runtime.block_on(async {
        let deck = match Deck::start(builder, deed, overwrite).await {
            Ok(deck) => deck,
            Err(error) => return never(tell, error.into()),
        };
        // Whoever waits for this is there until it is told.
        let _ = tell.send(Ok(deck.started()));
        // That the other end is gone is the end, too.
        let _ = ending.await;
        deck.stop(&builder.path).await
    })
}

/// The end of what never began.
fn never(tell: &mpsc::Sender<Result<Started, Error>>, error: Error) -> Ended {
    let _ = tell.send(Err(error));
    Ended {
        report: Report::default(),
        transcripts: Vec::new(),
        is_clean: true,
        error: None,
    }
}

impl Deck {
    async fn start(
        builder: &Builder,
        deed: Deed,
        overwrite: Overwrite,
    ) -> Result<Self, deck::Error> {
        Ok(match deed {
            Deed::Play | Deed::Missing => {
                Self::Playing(deck::replay(builder.replay_options()).await?)
            }
            Deed::Record => Self::Recording(deck::record(builder.record_options(overwrite)).await?),
            Deed::Extend => {
                let record = builder.record_options(overwrite);
                let on_miss = Box::new(|_: &_| {});
                Self::Extending(deck::extend(record, builder.play_options(), on_miss).await?)
            }
        })
    }

    fn started(&self) -> Started {
        let (proxy_url, ca_pem, origins) = match self {
            Self::Playing(running) => of(running),
            Self::Recording(running) => of(running),
            Self::Extending(running) => of(running),
        };
        Started {
            proxy_url,
            ca_pem,
            origins,
            is_recording: !matches!(self, Self::Playing(_)),
        }
    }

    async fn stop(self, cassette: &Path) -> Ended {
        match self {
            Self::Playing(running) => match running.stop_told().await {
                Ok(Played { report, sessions }) => {
                    let transcripts = sessions.into_iter();
                    let transcripts = transcripts.filter_map(|session| session.transcript);
                    Ended {
                        is_clean: report.is_clean(),
                        report,
                        transcripts: transcripts.collect(),
                        error: None,
                    }
                }
                Err(error) => Ended::failed(error),
            },
            Self::Recording(running) => match running.stop().await {
                Ok(_) => Ended::recorded(Report::default(), cassette),
                Err(error) => Ended::failed(error),
            },
            Self::Extending(running) => match running.stop().await {
                (Ok(_), report) => Ended::recorded(report, cassette),
                (Err(error), _) => Ended::failed(error),
            },
        }
    }
}

impl Ended {
    fn failed(error: deck::Error) -> Self {
        Self {
            report: Report::default(),
            transcripts: Vec::new(),
            is_clean: false,
            error: Some(error),
        }
    }

    /// What was recorded is told from the cassette; where nothing was, nothing was asked.
    fn recorded(report: Report, path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let loaded = match library::load(path) {
            Ok(cassette) => Some(cassette),
            Err(library::Error::Read { .. }) => None,
            Err(error) => return Self::failed(error.into()),
        };
        let transcripts =
            loaded.map(|cassette: cassette::Cassette| Transcript::of_cassette(&name, &cassette));
        Self {
            is_clean: report.misses.is_empty()
                && report.refused.is_empty()
                && transcripts.is_some(),
            report,
            transcripts: transcripts.into_iter().collect(),
            error: None,
        }
    }
}

fn of<Deck>(running: &Running<Deck>) -> (String, String, Vec<(String, String)>) {
    (
        running.proxy_url(),
        running.ca_pem().to_owned(),
        running.reverse().to_vec(),
    )
}
