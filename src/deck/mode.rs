//! VCR's record modes, and the one that both plays and records.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cassette::Cassette;
use crate::deck::playback::Playback;
use crate::deck::recorder::Recorder;
use crate::deck::reel::Reel;
use crate::deck::{
    Error, RecordOptions, Recorded, Recording, ReplayOptions, Running, Wired, keep, mintable,
    wire_up,
};
use crate::library::{self, Overwrite, PartFile};
use crate::oauth::fields::Reading;
use crate::proxy::{self, Reach};
use crate::record::{Earlier, Tape};
use crate::redact::{Interaction, Profile, RecordedResponse};
use crate::replay::{self, PlayOptions, Repertoire, Report, Sessions};

/// VCR's record modes: what is played, and what is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordMode {
    /// Record everything anew, and play nothing.
    All,
    /// Play what is on tape, and record what is not.
    NewEpisodes,
    /// Play, and record nothing.
    None,
    /// Play a cassette that exists, and record one that does not.
    Once,
}

/// What a mode comes to for a cassette.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Play it, and record behind it what is not there.
    Extend,
    /// Play it.
    Play,
    /// Record it.
    Record,
}

impl RecordMode {
    /// What to do with a cassette. `ci` is the variable `CI`: where it is set, a cassette that is
    /// missing is a fault, and servers are not called for it.
    pub fn deed(self, cassette: &Path, ci: Option<&OsStr>) -> Deed {
        let exists = || cassette.symlink_metadata().is_ok();
        let is_ci = ci.is_some_and(|ci| !["", "0", "false"].map(OsStr::new).contains(&ci));
        match self {
            Self::None => Deed::Play,
            Self::NewEpisodes if exists() => Deed::Extend,
            Self::Once if exists() || is_ci => Deed::Play,
            Self::All | Self::NewEpisodes | Self::Once => Deed::Record,
        }
    }
}

/// A cassette that is played and recorded on.
pub struct Extending {
    playback: Playback,
    recording: Recording,
}

/// Starts playing a cassette and recording behind it what it does not have. A server is called when
/// nothing on tape answers, and never for a session that began on tape.
///
/// # Errors
///
/// Where the cassette cannot be read, is of another profile than is to be recorded, or the proxy
/// cannot start.
pub async fn extend(
    record: RecordOptions,
    replay: ReplayOptions,
) -> Result<Running<Extending>, Error> {
    let path = record.cassette.clone();
    let earlier = earlier(&path, record.keep.profile)?;
    let Wired {
        bound,
        upstream,
        authority,
        roots,
        password,
    } = wire_up(&record.wire).await?;
    let options = PlayOptions {
        records: true,
        ..replay.play
    };
    let mut repertoire = Repertoire::new(&options);
    repertoire.add(path.display().to_string(), earlier.cassette.clone());
    let sessions = Arc::new(Sessions::new(repertoire));
    let (last_id, before) = (last_id(&earlier.cassette), end(&earlier.cassette));
    let tape = Tape::resume(keep(&record), earlier);
    let file = PartFile::create(&path, Overwrite::Yes, &tape.text())?;
    let hearing = Arc::clone(&sessions);
    let listener = move |answered: &Reading<'_>| hearing.hear(answered);
    let reel = Reel::new(tape, file).behind(last_id, before, Box::new(listener));
    let reel = Arc::new(reel);
    let limits = record.wire.limits;
    let recorder = Recorder::new(upstream.clone(), Arc::clone(&reel), limits.body);
    let playback = Playback::new(sessions, replay.on_miss, limits)
        .missing_with(options.miss_status)
        .before(recorder);
    let wire = crate::deck::wire(record.wire, bound, &authority);
    let started = proxy::serve(wire, Reach::OnDemand(upstream), playback.clone()).await;
    let recording = Recording::begun(reel, None);
    let serving = match started {
        Ok(serving) => serving,
        Err(error) => return Err(recording.undone(error)),
    };
    let deck = Extending {
        playback,
        recording,
    };
    Ok(Running {
        serving,
        authority,
        password,
        roots,
        deck,
    })
}

impl Running<Extending> {
    /// Ends the run: what is in flight ends within two seconds, then the cassette is finished. Where
    /// nothing was recorded, it is left as it was.
    ///
    /// # Errors
    ///
    /// As [`Running<Recording>::stop`].
    pub async fn stop(self) -> (Result<Recorded, Error>, Report) {
        self.serving.shutdown().await;
        let report = self.deck.playback.report();
        (self.deck.recording.end(), report)
    }

    /// Waits until there are more secrets than are remembered: from then on bodies are dropped.
    pub async fn ledger_full(&self) {
        self.deck.recording.reel.full().await;
    }
}

/// The cassette that is recorded on, of the profile that is recorded.
fn earlier(path: &Path, profile: Profile) -> Result<Earlier, Error> {
    let cassette = library::load_playable(path)?;
    if cassette.header.profile != profile {
        return Err(Error::Profile {
            path: path.to_owned(),
            profile: cassette.header.profile,
        });
    }
    mintable(path, replay::check(&cassette.interactions))?;
    let stamp = cassette.header.audit.as_ref();
    let text = library::read(path)?;
    let is_of = |text: &str| stamp.is_some_and(|stamp| stamp.is_of(text));
    let is_stamped = std::str::from_utf8(&text).is_ok_and(is_of);
    Ok(Earlier {
        cassette,
        is_stamped,
    })
}

fn last_id(cassette: &Cassette) -> u64 {
    let ids = cassette.interactions.iter().map(Interaction::id);
    ids.max().unwrap_or_default()
}

/// How long ago the recording began, by the clocks of then and now; at least as long as it took.
fn end(cassette: &Cassette) -> Duration {
    let took = cassette.interactions.iter().map(|interaction| {
        let answered = interaction.response().map(RecordedResponse::after);
        interaction.at() + answered.unwrap_or_default()
    });
    let began = OffsetDateTime::parse(&cassette.header.recorded_at, &Rfc3339);
    let ago = began.ok().and_then(|began| {
        let now = OffsetDateTime::from(SystemTime::now());
        Duration::try_from(now - began).ok()
    });
    took.max().unwrap_or_default().max(ago.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_comes_to_what_vcr_means_by_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let (there, missing) = (directory.path().join("a"), directory.path().join("b"));
        std::fs::write(&there, "").expect("a file");
        for (mode, path, ci, expected) in [
            (RecordMode::All, &there, None, Deed::Record),
            (RecordMode::None, &missing, None, Deed::Play),
            (RecordMode::NewEpisodes, &there, None, Deed::Extend),
            (RecordMode::NewEpisodes, &missing, None, Deed::Record),
            (RecordMode::Once, &there, None, Deed::Play),
            (RecordMode::Once, &missing, None, Deed::Record),
            (RecordMode::Once, &missing, Some("true"), Deed::Play),
            (RecordMode::Once, &missing, Some("false"), Deed::Record),
            (RecordMode::NewEpisodes, &there, Some("true"), Deed::Extend),
        ] {
            let deed = mode.deed(path, ci.map(OsStr::new));
            assert_eq!(deed, expected, "{mode:?} {ci:?}");
        }
    }
}
