//! Record modes: what `record` and `replay` do to a cassette is the same, but for what is usual.

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use authtape::deck::{self, Deed, RecordMode, RecordOptions, ReplayOptions};
use authtape::launch::Signals;
use authtape::library::{self, Overwrite};
use clap::ValueEnum;

use crate::cli::exit::{Exit, Usage};
use crate::cli::live::{Live, listener};
use crate::cli::output::{error, plain, say};
use crate::cli::playing::PlayingArgs;
use crate::cli::recording::RecordingArgs;
use crate::cli::run::{RunArgs, Went, block_on};
use crate::cli::telling::{TellingArgs, only_replayed};
use crate::cli::told::{FULL, Told};

/// VCR's record modes.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// Play the cassette if it exists, else record it; where CI is set, record nothing
    Once,
    /// Play what is on the cassette, and record behind it what is not
    NewEpisodes,
    /// Play the cassette, and call no server
    None,
    /// Record the cassette anew
    All,
}

impl From<Mode> for RecordMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Once => Self::Once,
            Mode::NewEpisodes => Self::NewEpisodes,
            Mode::None => Self::None,
            Mode::All => Self::All,
        }
    }
}

/// What is to be done with cassettes.
pub(crate) struct Asked {
    pub(crate) cassettes: Vec<PathBuf>,
    pub(crate) mode: Mode,
    pub(crate) overwrite: Overwrite,
    pub(crate) recording: RecordingArgs,
    pub(crate) playing: PlayingArgs,
    pub(crate) run: RunArgs,
    pub(crate) telling: TellingArgs,
}

impl Asked {
    /// Does it.
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        block_on(async {
            // First of all: a signal that comes while this starts must end it as any other.
            let mut signals = Signals::catch()?;
            let cassette = match self.cassettes.as_slice() {
                [cassette] => cassette,
                _ if self.mode == Mode::None => return self.play(&mut signals).await,
                _ => {
                    let why = "--mode none plays several cassettes; the other modes take one";
                    return Err(Usage(why.to_owned()).into());
                }
            };
            if self.telling.is_asked() && matches!(self.mode, Mode::All | Mode::NewEpisodes) {
                return Err(only_replayed().into());
            }
            let ci = std::env::var_os("CI");
            match RecordMode::from(self.mode).deed(cassette, ci.as_deref()) {
                Deed::Extend => self.extend(cassette, &mut signals).await,
                Deed::Missing => bail!(
                    "{} does not exist, and where CI is set nothing is recorded; record it elsewhere and check it in",
                    cassette.display()
                ),
                Deed::Play => self.play(&mut signals).await,
                Deed::Record => self.record(cassette, &mut signals).await,
            }
        })
    }

    /// The page, where one is asked for.
    async fn live(&self, is_extended: bool) -> anyhow::Result<Option<Live>> {
        Ok(if self.run.ui {
            Some(Live::begun(&self.cassettes, is_extended).await?)
        } else {
            None
        })
    }

    async fn play(&self, signals: &mut Signals) -> anyhow::Result<Exit> {
        self.telling.check()?;
        self.refuse_missing()?;
        let live = self.live(false).await?;
        let running = deck::replay(ReplayOptions {
            cassettes: self.cassettes.clone(),
            play: self.playing.options()?,
            wire: self.run.wire()?,
            on_miss: self
                .playing
                .on_miss(&self.run, live.as_ref(), signals.end()),
            transcribe: self.telling.is_asked(),
            on_laid: listener(live.as_ref(), self.run.verbose),
        });
        let running = running.await?;
        self.note(running.notes());
        let went = self.run.inside(&running, &[], live.as_ref(), signals).await;
        let played = running.stop_told().await;
        end(live).await;
        let went = went?;
        let played = played?;
        let outcome = self.playing.outcome(went.outcome(), &played.report);
        if let Went::NotStarted(_) = went {
            return Ok(Exit::after(outcome, Exit::CouldNot));
        }
        let ours = self.playing.tell(&played.report, &self.run)?;
        let told = self.telling.tell(&played)?;
        let ours = if ours == Exit::Clean { told } else { ours };
        Ok(Exit::after(outcome, ours))
    }

    fn refuse_missing(&self) -> anyhow::Result<()> {
        let mut paths = self.cassettes.iter().enumerate();
        let Some((at, path)) = paths.find(|(_, path)| !path.exists()) else {
            return Ok(());
        };
        let name = path.display();
        let part = library::part_path(path);
        if at > 0 && self.run.command.is_empty() {
            let tip =
                "a program goes behind `--`, as in `authtape replay login.yaml -- php login.php`";
            return Err(Usage(format!("there is no cassette {name}; {tip}")).into());
        }
        if part.exists() {
            let part = part.display();
            bail!(
                "there is no cassette {name}; `authtape recover {part}` makes one of what a recording left"
            );
        }
        bail!("there is no cassette {name}; `authtape record {name} -- PROGRAM` makes one")
    }

    async fn record(&self, cassette: &Path, signals: &mut Signals) -> anyhow::Result<Exit> {
        let live = self.live(false).await?;
        let on_laid = listener(live.as_ref(), self.run.verbose);
        let running = deck::record(RecordOptions {
            overwrite: self.overwrite,
            ..self.recording.options(cassette, &self.run, on_laid)?
        });
        let running = running.await?;
        let told = self.told(cassette);
        if told.is_raw {
            told.warn(running.ignored());
        }
        let went = tokio::select! {
            went = self.run.inside(&running, self.recording.trusted(), live.as_ref(), signals) => went,
            never = full(running.ledger_full()) => match never {},
        };
        let stopped = running.stop().await;
        end(live).await;
        let outcome = went.as_ref().ok().and_then(Went::outcome);
        let recorded = match stopped {
            Ok(recorded) => recorded,
            Err(failed) => {
                error(&failed.into());
                went?;
                return Ok(Exit::after(outcome, Exit::CouldNot));
            }
        };
        if let Went::NotStarted(_) = went? {
            return Ok(Exit::after(outcome, Exit::CouldNot));
        }
        Ok(Exit::after(outcome, told.tell(recorded, outcome)))
    }

    async fn extend(&self, cassette: &Path, signals: &mut Signals) -> anyhow::Result<Exit> {
        let live = self.live(true).await?;
        let on_laid = listener(live.as_ref(), self.run.verbose);
        let recording = self.recording.options(cassette, &self.run, on_laid)?;
        let on_miss = self
            .playing
            .on_miss(&self.run, live.as_ref(), signals.end());
        let running = deck::extend(recording, self.playing.options()?, on_miss).await?;
        self.note(running.notes());
        let told = Told {
            is_extended: true,
            ..self.told(cassette)
        };
        if told.is_raw {
            told.warn(running.ignored());
        }
        let went = tokio::select! {
            went = self.run.inside(&running, self.recording.trusted(), live.as_ref(), signals) => went,
            never = full(running.ledger_full()) => match never {},
        };
        let (recorded, report) = running.stop().await;
        end(live).await;
        let outcome = went.as_ref().ok().and_then(Went::outcome);
        let outcome = self.playing.outcome(outcome, &report);
        let is_started = !matches!(went, Ok(Went::NotStarted(_)));
        let ours = match recorded {
            Ok(recorded) if is_started => told.tell(recorded, outcome),
            Ok(_) => Exit::CouldNot,
            Err(failed) => {
                error(&failed.into());
                Exit::CouldNot
            }
        };
        went?;
        if !is_started {
            return Ok(Exit::after(outcome, ours));
        }
        let played = self.playing.tell(&report, &self.run)?;
        let ours = if ours == Exit::Clean { played } else { ours };
        Ok(Exit::after(outcome, ours))
    }

    /// Says what is played otherwise than a client may need it.
    fn note(&self, notes: &[String]) {
        if !self.run.quiet {
            let notes = notes.iter();
            notes.for_each(|note| say(&format!("authtape: {}", plain(note))));
        }
    }

    fn told<'a>(&'a self, cassette: &'a Path) -> Told<'a> {
        Told {
            cassette,
            run: &self.run,
            is_raw: self.recording.unsafe_raw,
            is_extended: false,
        }
    }
}

/// Says to who looks on that the run has ended.
async fn end(live: Option<Live>) {
    if let Some(live) = live {
        live.end().await;
    }
}

/// Says it when there are more secrets than are remembered, and then waits for ever.
async fn full(is_full: impl Future<Output = ()>) -> Infallible {
    is_full.await;
    error(&anyhow!("{FULL}, from here on"));
    std::future::pending().await
}
